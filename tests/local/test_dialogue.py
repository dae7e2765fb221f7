import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.local.dialogue import (
    AgentSaid,
    CallerSaid,
    CallerWrote,
    CallTool,
    Entry,
    Say,
    SystemSaid,
    ToolAnswered,
    ToolCalled,
    language_of,
    reply,
)
from app.local.spoken import spoken
from app.local.vocabulary import ToolOffer
from tests.support.talks import ACME, BOOK, CANCEL, FOUND, FOUR_DIGITS, LOOKUP, ORDER, Talk, answer, offer

pytestmark = pytest.mark.core


def test_the_call_of_three_turns() -> None:
    talk = Talk([LOOKUP])
    assert talk.begins() == "Thank you for calling Acme. How can I help you?"
    told = talk.says(ORDER)
    assert talk.calls == [CallTool("lookup_order", {"order_number": "1042"})]
    assert told.startswith("Order number 1042, one moment. Order 1042 has been shipped. I can also tell you when")
    assert talk.says("Actually, when will it arrive?").startswith("Order 1042 should arrive on Wednesday, November 25.")
    assert talk.says("That is all. Goodbye.") == "Thank you for calling Acme. Goodbye."
    assert len(talk.calls) == 1


def test_the_answer_lasts_long_enough_to_be_interrupted() -> None:
    """Six seconds at 180 words a minute, which is fast."""
    (said,) = answer(
        CallerSaid(ORDER), ToolCalled("a", "lookup_order", '{"order_number":"1042"}'), ToolAnswered("a", FOUND)
    )
    assert isinstance(said, Say)
    assert len(said.text.split()) >= 18


def test_a_number_that_follows_alone_is_taken() -> None:
    talk = Talk([LOOKUP])
    assert talk.says("where is my order") == "What is your order number? You can say it digit by digit."
    assert "1042 has been shipped" in talk.says("one zero four two")


def test_a_turn_cut_in_two_by_a_pause_is_one_request() -> None:
    """The first half was answered, but nobody heard the answer."""
    moves = answer(CallerSaid("Where is my order?"), CallerSaid("The number is one zero four two."))
    assert moves == [Say("Order number 1042, one moment."), CallTool("lookup_order", {"order_number": "1042"})]


def test_a_number_cut_in_two_is_put_together() -> None:
    talk = Talk([offer("lookup_order", "", order_number=FOUR_DIGITS)])
    assert talk.says("my order number is one zero") == (
        "I heard 10, but an order number has four digits. Please say it again, digit by digit."
    )
    assert "1042 has been shipped" in talk.says("four two")


@pytest.mark.parametrize("said", ["1042", "Keypad: 1042", "Keypad: 1042#", "my order is 1042", "order #1042 please"])
def test_typed_and_keyed_numbers_are_taken(said: str) -> None:
    assert answer(CallerWrote(said))[-1] == CallTool("lookup_order", {"order_number": "1042"})


def test_a_wrong_number_is_corrected() -> None:
    talk = Talk([LOOKUP])
    talk.says(ORDER)
    assert "could not find an order with the number 1043" in talk.says("no, it's one zero four three")
    assert talk.says("that's the wrong number").startswith("I am sorry. What is the right order number?")
    assert "1042 has been shipped" in talk.says("one zero four two")


def test_a_number_that_is_not_found_is_asked_for_again_then_keyed() -> None:
    talk = Talk([LOOKUP])
    assert "digit by digit" in talk.says("my order number is one zero four three")
    assert "keypad" in talk.says("one zero four four")
    assert "1042 has been shipped" in talk.presses("1042")


def test_a_number_against_the_pattern_is_asked_for_again_then_keyed() -> None:
    talk = Talk([offer("lookup_order", "", order_number=FOUR_DIGITS)])
    talk.says("where is my order")
    assert "has four digits. Please say it again" in talk.says("one zero four two five")
    assert "keypad" in talk.says("one zero four two five")
    assert talk.calls == []


@pytest.mark.parametrize(
    ("instructions", "entries", "said"),
    [
        (ACME, [], "Thank you for calling Acme. How can I help you?"),
        ("You are helpful.", [], "Hello. How can I help you?"),
        ('Greet the caller with "Acme, good day." Be brief.', [], "Acme, good day."),
        (ACME, [AgentSaid("You are speaking with an AI.")], "Thank you for calling Acme. How can I help you?"),
        (ACME, [AgentSaid("Acme. How can I help?")], "Are you still there? You can ask me something, or say goodbye."),
        (ACME, [AgentSaid("Hello?"), SystemSaid('Say: "One moment."')], "One moment."),
        (
            ACME,
            [CallerSaid("hi"), AgentSaid("Hello."), SystemSaid("Say goodbye.")],
            "Thank you for calling Acme. Goodbye.",
        ),
        (
            "Ask whether the caller is still there.",
            [CallerSaid("hi"), AgentSaid("Hello. I can look up an order. What would you like to do?")],
            "Are you still there? You can ask me something, or say goodbye.",
        ),
    ],
)
def test_without_a_turn_it_begins_or_follows_the_cue(instructions: str, entries: list[Entry], said: str) -> None:
    assert answer(*entries, instructions=instructions) == [Say(said)]


def test_an_answer_that_was_cut_off_for_nothing_is_given_again() -> None:
    told: list[Entry] = [
        CallerSaid(ORDER),
        ToolCalled("a", "lookup_order", '{"order_number":"1042"}'),
        ToolAnswered("a", FOUND),
    ]
    assert answer(*told, AgentSaid("Order 1042 has been shi")) == answer(*told)


def test_a_result_told_in_words_by_another_session_is_a_result() -> None:
    cue = SystemSaid(f'lookup_order was called with {{"order_number":"1042"}} and answered {FOUND}')
    (said,) = answer(CallerWrote(ORDER), AgentSaid("Order number 1042, one moment."), cue)
    assert isinstance(said, Say)
    assert said.text.startswith("Order 1042 has been shipped.")
    (said,) = answer(CallerWrote(ORDER), cue, AgentSaid("Order"), CallerSaid("when will it arrive"))
    assert isinstance(said, Say)
    assert said.text.startswith("Order 1042 should arrive")


def test_the_tool_choice_is_respected() -> None:
    called = CallTool("lookup_order", {"order_number": "1042"})
    result = (CallerSaid(ORDER), ToolCalled("a", "lookup_order", '{"order_number":"1042"}'), ToolAnswered("a", FOUND))
    assert answer(CallerSaid(ORDER), tool_choice="none") == [Say("I am sorry, I cannot do that at the moment.")]
    assert answer(CallerSaid(ORDER), tool_choice="required")[-1] == called
    assert answer(CallerSaid("hello"), tool_choice="required") == [CallTool("lookup_order", {})]
    assert answer(CallerSaid(ORDER), tool_choice="lookup_order")[-1] == called
    assert answer(*result, CallerSaid("hello"), tool_choice="lookup_order") == [called]
    assert isinstance(answer(*result, tool_choice="required")[0], Say)
    assert reply([CallerSaid("hello")], instructions=ACME, tools=[], tool_choice="required", language="en") != []


@pytest.mark.parametrize(
    ("instructions", "said", "asked", "language"),
    [
        (ACME, "", None, "en"),
        (ACME, "", "ko", "ko"),
        (ACME, "", "de", "en"),
        ("당신은 한빛상점의 상담원입니다. lookup_order로 조회하세요.", "", "en", "ko"),
        (ACME, "안녕하세요, 한빛상점입니다.", None, "ko"),
        (ACME, "お電話ありがとうございます。", None, "ja"),
        ("Answer in Korean.", "", None, "ko"),
        (ACME + " We sell 김치.", "Hello.", None, "en"),
    ],
)
def test_the_language_is_the_agents(instructions: str, said: str, asked: str | None, language: str) -> None:
    assert language_of(instructions, [AgentSaid(said)] if said else [], asked) == language


SPOKEN = "where is my order the number one zero four two cancel it yes no goodbye when will arrive help hello another"
WORDS = SPOKEN.split()
TURNS = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
OUTPUTS = st.sampled_from([FOUND, '{"rows":[]}', '{"error":"x"}', "", '{"ok":true}', "[1,2]", "plain words"])
ENTRIES = st.lists(
    st.one_of(
        TURNS.map(CallerSaid),
        st.just(CallerSaid(None)),
        TURNS.map(CallerWrote),
        st.sampled_from(["Keypad: 1", "Keypad: 1042#", "Keypad: *"]).map(CallerWrote),
        TURNS.map(AgentSaid),
        st.just(AgentSaid("I understood that you want to cancel order 1042. Is that right?")),
        TURNS.map(SystemSaid),
        st.builds(
            ToolCalled,
            st.sampled_from("ab"),
            st.sampled_from(["lookup_order", "x"]),
            st.sampled_from(["{}", "{", '{"order_number":"1042"}']),
        ),
        st.builds(ToolAnswered, st.sampled_from("ab"), OUTPUTS),
    ),
    max_size=10,
)
CHOICES = st.sampled_from(["auto", "none", "required", "cancel_order", "unknown"])


@given(ENTRIES, CHOICES, st.sampled_from(["en", "ko", "ja", "de"]))
def test_any_conversation_is_answered_the_same_way_each_time(entries: list[Entry], choice: str, language: str) -> None:
    def moves() -> list[Say | CallTool]:
        return reply(entries, instructions=ACME, tools=[LOOKUP, CANCEL, BOOK], tool_choice=choice, language=language)

    first = moves()
    assert first == moves()
    assert first
    assert all(move.text.strip() for move in first if isinstance(move, Say))


@given(ENTRIES)
def test_a_tool_is_only_called_with_all_it_needs_from_the_callers_mouth(entries: list[Entry]) -> None:
    given_digits = _digits_given(entries)
    for move in reply(entries, instructions=ACME, tools=[LOOKUP, CANCEL], language="en"):
        if not isinstance(move, CallTool):
            continue
        arguments: Mapping[str, object] = move.arguments
        assert set(arguments) == {"order_number"}
        assert str(arguments["order_number"]) in given_digits
        if move.name == "cancel_order":
            heard = [entry.text for entry in entries if isinstance(entry, AgentSaid)]
            assert any(str(arguments["order_number"]) in text for text in heard)


def _digits_given(entries: list[Entry]) -> str:
    digits = dict(zip(["zero", "one", "two", "four"], "0124", strict=True))
    said: list[str] = []
    for entry in entries:
        if isinstance(entry, CallerSaid | CallerWrote) and entry.text:
            said += [digits.get(word, word) for word in entry.text.replace("when", "one").split()]
        elif isinstance(entry, ToolCalled):
            said.append(entry.arguments)
    return "".join(char for word in said for char in word if char.isdigit())


@pytest.mark.parametrize("deep", ["[" * 100_000, "[" * 400 + "]" * 400, '{"a":' * 400 + "1" + "}" * 400])
def test_what_is_nested_too_deep_to_be_read_is_told_as_a_failure(deep: str) -> None:
    (said,) = answer(CallerSaid(ORDER), ToolCalled("a", "lookup_order", "{}"), ToolAnswered("a", deep))
    assert said == Say(
        "I am sorry, I could not look that up just now. Please try again in a moment, or ask me something else."
    )
    (said,) = answer(CallerSaid(ORDER), ToolCalled("a", "lookup_order", deep), ToolAnswered("a", FOUND))
    assert "has been shipped" in said.text if isinstance(said, Say) else False


ANSWERS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.just("\ud800")
    | st.just(10**999),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["status", "price", "eta", "rows", "error", "result"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(ANSWERS, st.sampled_from(["en", "ko", "ja"]), st.sampled_from([LOOKUP, CANCEL]))
def test_whatever_a_tool_answers_is_told_in_words_that_can_be_sent(
    value: object, language: str, tool: ToolOffer
) -> None:
    entries: list[Entry] = [
        ToolCalled("a", tool.name, '{"order_number": "1042"}'),
        ToolAnswered("a", json.dumps(value)),
    ]
    for move in reply(entries, instructions=ACME, tools=[tool], language=language):
        assert isinstance(move, Say)
        assert move.text.encode()
        assert spoken(move.text, language) is not None


@pytest.mark.parametrize("pasted", ["speak ", "keypad ", "1 ", " ", "a", "!", "no "])
def test_of_a_turn_only_the_beginning_is_read(pasted: str) -> None:
    """Anything can be pasted into a typed turn; with work by the square of its length this would take minutes."""
    assert answer(CallerWrote(pasted * (250_000 // len(pasted))))
