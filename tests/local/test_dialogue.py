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
from tests.support.talks import (
    ACME,
    BOOK,
    CANCEL,
    END,
    FOUR_DIGITS,
    HOURS,
    LOOKUP,
    SHIPPED,
    TEXT,
    TRANSFER,
    Talk,
    offer,
)

pytestmark = pytest.mark.core

ORDER = "Where is my order? The number is one zero four two."
FOUND = '{"rows": [{"status": "shipped", "eta": "2026-11-25"}]}'


def answer(*entries: Entry, tool_choice: str = "auto", instructions: str = ACME) -> list[Say | CallTool]:
    return reply(entries, instructions=instructions, tools=[LOOKUP], tool_choice=tool_choice, language="en")


# a whole call


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


# what was found


def test_follow_ups_are_answered_from_what_was_found() -> None:
    talk = Talk([LOOKUP])
    talk.says(ORDER)
    assert talk.says("is it shipped").startswith("Order 1042 has been shipped.")
    assert talk.says("what is my order number").startswith("The order number I understood is 1042.")
    assert talk.says("repeat that").startswith("The order number I understood is 1042.")
    assert talk.says("how much is it").startswith("I am sorry, I do not know the price.")
    assert len(talk.calls) == 1
    assert talk.says("what about another order") == "What is your order number? You can say it digit by digit."


def test_a_follow_up_is_answered_though_the_answer_was_cut_off() -> None:
    moves = answer(
        CallerSaid(ORDER),
        ToolCalled("a", "lookup_order", '{"order_number":"1042"}'),
        ToolAnswered("a", FOUND),
        AgentSaid("Order 10"),
        CallerSaid("actually when will it arrive"),
    )
    assert moves == [
        Say("Order 1042 should arrive on Wednesday, November 25. Is there anything else I can do for you?")
    ]


def test_what_was_asked_while_the_tool_ran_is_answered_first() -> None:
    (said,) = answer(
        CallerSaid(ORDER),
        ToolCalled("a", "lookup_order", '{"order_number":"1042"}'),
        CallerSaid("actually when will it arrive"),
        AgentSaid("One moment, please."),
        ToolAnswered("a", FOUND),
    )
    assert isinstance(said, Say)
    assert said.text.startswith("Order 1042 should arrive")


def test_a_look_up_that_was_talked_over_before_it_was_made_is_made() -> None:
    moves = answer(CallerSaid(ORDER), AgentSaid("Order num"), CallerSaid("actually when will it arrive"))
    assert moves[-1] == CallTool("lookup_order", {"order_number": "1042"})


def test_a_result_that_nobody_heard_is_told_to_a_caller_who_asks_whether_somebody_is_there() -> None:
    (said,) = answer(
        CallerSaid(ORDER),
        ToolCalled("a", "lookup_order", '{"order_number":"1042"}'),
        ToolAnswered("a", FOUND),
        CallerSaid("hello"),
    )
    assert isinstance(said, Say)
    assert said.text.startswith("Order 1042 has been shipped.")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"status": "in_transit"}, "Order 1042 is in transit."),
        ([{"status": "delivered"}], "Order 1042 has been delivered."),
        (
            {"status": "out for delivery", "carrier": "UPS"},
            "Order 1042 is out for delivery. I can also tell you who delivers it,",
        ),
        ({"shipped": True}, "Order 1042 is shipped."),
        ({"total": 35.5}, "The total of order 1042 is 35.50."),
        ({"order": {"state": "open"}}, "Order 1042 is open."),
        (
            [{"status": "open"}, {"status": "shipped"}],
            "I found two orders. The first: status open. The second: status shipped.",
        ),
        ({"error": "the database did not answer"}, "I am sorry, I could not look that up just now."),
        ({"error": "no such order"}, "I am sorry, I could not find an order with the number 1042."),
        ("It left the warehouse today.", "It left the warehouse today."),
        ("", "I am sorry, I could not find an order with the number 1042."),
        ({"ok": True}, "That worked, but I was given nothing to tell."),
    ],
)
def test_each_shape_of_an_answer_becomes_a_sentence(output: object, said: str) -> None:
    talk = Talk([LOOKUP], answer=lambda name, arguments: output)
    assert said in talk.says(ORDER)


def test_a_field_is_told_by_its_name() -> None:
    record = {"status": "open", "created_at": "2026-11-20", "gift_wrap": "red paper"}
    talk = Talk([LOOKUP], answer=lambda name, arguments: record)
    talk.says(ORDER)
    assert talk.says("when was it created").startswith("Order 1042 was created on Friday, November 20, 2026.")
    assert talk.says("which gift wrap").startswith("The gift wrap of order 1042 is red paper.")


def test_a_tool_without_parameters_is_run_at_once() -> None:
    talk = Talk([HOURS], answer=lambda name, arguments: {"opening_hours": "9 to 5"})
    assert talk.says("what are your opening hours").startswith("One moment, please. The opening hours are 9 to 5.")


# what changes something


def test_what_changes_something_is_confirmed_first() -> None:
    talk = Talk([LOOKUP, CANCEL])
    assert talk.says("I want to cancel my order").startswith("What is your order number?")
    asked = "I understood that you want to cancel order 1042. Is that right? Please say yes or no."
    assert talk.says("one zero four two") == asked
    assert talk.calls == []
    assert talk.says("yes").startswith("Order number 1042, one moment. Done. Order 1042 has been cancelled.")
    assert talk.calls == [CallTool("cancel_order", {"order_number": "1042"})]


@pytest.mark.parametrize("said", ["no", "never mind", "no, don't cancel it", "do not cancel it"])
def test_a_no_changes_nothing(said: str) -> None:
    talk = Talk([LOOKUP, CANCEL])
    talk.says("cancel order one zero four two")
    assert talk.says(said) == "All right, I have changed nothing. What else can I do for you?"
    assert talk.says("yes") == "Of course. What would you like to know?"
    assert talk.calls == []


def test_the_number_is_corrected_in_the_confirmation() -> None:
    talk = Talk([LOOKUP, CANCEL])
    talk.says("cancel order one zero four two")
    assert "cancel order 1043. Is that right?" in talk.says("no, one zero four three")
    assert "cancel order 1043. Is that right?" in talk.says("one zero four three")
    talk.says("yes")
    assert talk.calls == [CallTool("cancel_order", {"order_number": "1043"})]


def test_a_yes_to_a_question_whose_number_was_not_heard_is_none() -> None:
    asked = CallerSaid("cancel order one zero four two")
    for heard in ((), (AgentSaid("I understood that you want"),)):
        moves = reply([asked, *heard, CallerSaid("yes")], instructions=ACME, tools=[CANCEL], language="en")
        assert [type(move) for move in moves] == [Say], heard
    moves = reply(
        [asked, AgentSaid("I understood that you want to cancel order 1042."), CallerSaid("yes")],
        instructions=ACME,
        tools=[CANCEL],
        language="en",
    )
    assert moves[-1] == CallTool("cancel_order", {"order_number": "1042"})


def test_cancel_it_means_the_order_that_was_spoken_of() -> None:
    talk = Talk([LOOKUP, CANCEL])
    talk.says(ORDER)
    assert "cancel order 1042. Is that right?" in talk.says("cancel it")


def test_the_service_may_ask_for_a_confirmation_itself() -> None:
    asks = {"error": "ask the caller to confirm, then call again"}
    talk = Talk([LOOKUP], answer=lambda name, arguments: asks if len(talk.calls) < 2 else SHIPPED)
    assert "look up order 1042. Is that right?" in talk.says(ORDER)
    assert "shipped" in talk.says("yes")
    assert talk.calls == [CallTool("lookup_order", {"order_number": "1042"})] * 2


def test_several_parameters_are_collected_one_by_one() -> None:
    talk = Talk([BOOK], answer=lambda name, arguments: {"booking_id": 77, "status": "confirmed"})
    assert talk.says("i'd like to book a table for four people").startswith("What is the date?")
    assert talk.presses("20261125").startswith("Which area: inside or outside?")
    assert "with 4 guests, date Wednesday, November 25, 2026, and area outside" in talk.says("outside please")
    assert "The table has been confirmed. The booking id is 77." in talk.presses("1")
    assert talk.calls == [CallTool("book_table", {"guests": 4, "date": "2026-11-25", "area": "outside"})]


def test_what_cannot_be_said_over_the_telephone_can_be_typed() -> None:
    talk = Talk(
        [offer("find_customer", "Find a customer.", name=TEXT)], answer=lambda name, arguments: {"city": "Bonn"}
    )
    assert "I cannot take that down over the telephone" in talk.says("look up a customer")
    assert talk.says("ada lovelace").startswith("Sorry, I did not catch that.")
    assert talk.calls == []
    assert "Bonn" in talk.writes("Ada Lovelace")
    assert talk.calls == [CallTool("find_customer", {"name": "Ada Lovelace"})]


def test_what_could_be_several_tools_is_asked() -> None:
    talk = Talk([LOOKUP, offer("find_booking", "Find a booking.", booking_number=TEXT)])
    asked = talk.says("one zero four two")
    assert asked.startswith("Would you like me to look up an order or look up a booking?")
    assert "1042 has been shipped" in talk.presses("1")
    talk = Talk([LOOKUP, offer("find_booking", "Find a booking.", booking_number=TEXT)])
    talk.says("one zero four two")
    talk.says("the booking please")
    assert talk.calls == [CallTool("find_booking", {"booking_number": "1042"})]


# without a tool


def test_it_is_honest() -> None:
    talk = Talk([LOOKUP])
    assert talk.says("are you a human").startswith("No, I am not a human. I am an automated AI assistant.")
    assert "cannot put you through to a person" in talk.says("let me talk to a person")
    assert talk.says("cancel my order").startswith("I am sorry, I cannot cancel anything here.")
    assert "I can look up an order" in talk.says("help")
    assert talk.calls == []


def test_a_person_is_reached_where_a_tool_can() -> None:
    talk = Talk([LOOKUP, TRANSFER])
    assert talk.says("let me talk to a person").startswith("Which destination: sales or billing?")
    talk.says("billing")
    assert talk.calls == [CallTool("transfer_call", {"destination": "billing"})]


def test_goodbye_ends_the_call_where_a_tool_can() -> None:
    moves = reply([CallerSaid("that is all goodbye")], instructions=ACME, tools=[LOOKUP, END], language="en")
    assert moves == [Say("Thank you for calling Acme. Goodbye."), CallTool("end_call", {})]


def test_facts_of_the_instructions_are_told_as_they_stand() -> None:
    moves = answer(CallerSaid("when do you open"), instructions=ACME + " We are open from 9 to 5.")
    assert moves == [Say("We are open from 9 to 5. Is there anything else I can do for you?")]


def test_what_is_not_understood_leads_to_the_keypad_and_then_to_what_can_be_done() -> None:
    talk = Talk([LOOKUP])
    assert talk.says(None) == "Sorry, I did not catch that."
    assert "enter the order number on the keypad" in talk.says("ask not what your country can do")
    assert "I can look up an order" in talk.says(None)
    assert "1042 has been shipped" in talk.says(ORDER)
    assert talk.says(None) == "Sorry, I did not catch that."


def test_an_open_question_is_asked_again() -> None:
    talk = Talk([CANCEL])
    talk.says("cancel order one zero four two")
    assert talk.says(None).endswith("Is that right? Please say yes or no.")
    assert talk.says(None).endswith("press 1 for yes and 2 for no.")
    assert "has been cancelled" in talk.presses("1") or talk.says("yes")


# without a turn of the caller


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


# tool choice


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


# languages


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


# whatever happens

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
