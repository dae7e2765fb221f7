"""A model that answers in writing: its words are spoken by our own voice, and it remembers what was heard of them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.session.commands import (
    AddAgentText,
    CancelResponse,
    CancelSpeech,
    ClearPlayback,
    DeleteItem,
    HangUp,
    NoteBargeIn,
    NoteClaim,
    NoteDisclosure,
    NoteTurn,
    OpenModel,
    Speak,
    SpeakPhrase,
)
from app.session.cost import Price, TokenPrice, TokenPrices
from app.session.events import (
    AgentText,
    AgentTextEnded,
    CallerSpeechStarted,
    ModelLost,
    ModelReady,
    ResponseEnded,
    ResponseStarted,
    SpeechFailed,
    StreamStarted,
    TurnHandlingSet,
)
from app.session.terms import ModelTerms
from app.session.voicing import MOST_CHARS, Voicing
from app.session.words import (
    BargeInMode,
    DisclosureResult,
    ItemId,
    ModelNumber,
    Phrase,
    PieceNumber,
    ResponseId,
    ResponseStatus,
    Speaker,
    Verdict,
)
from tests.support.driver import M1, TERMS, Driver

pytestmark = pytest.mark.core

R1, I1 = ResponseId("resp_1"), ItemId("item_1")
EACH = TokenPrice(Decimal(10), Decimal(1), Decimal(10))
DEAR = (ModelTerms(price=Price(TokenPrices(EACH, EACH))),)
FIRST, SECOND = "Your order has been shipped. ", "It should arrive on Friday."


def pieces(*texts: str) -> list[str]:
    """Return the pieces that a text gives which comes in these deltas."""
    voicing = Voicing()
    parts = [part for text in texts for part in voicing.write(M1, R1, I1, text)]
    return [part.text for part in [*parts, *voicing.finish(I1)]]


def written(driver: Driver, *texts: str, ends: bool = True) -> list[object]:
    """The model writes a response of one item; returns what that calls for."""
    out: list[object] = list(driver.send(ResponseStarted(M1, R1)))
    for text in texts:
        out += driver.send(AgentText(M1, R1, I1, text))
    if ends:
        out += driver.send(AgentTextEnded(M1, R1, I1))
        out += driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    return out


def turns_in(commands: list[object]) -> list[NoteTurn]:
    return [command for command in commands if isinstance(command, NoteTurn) and command.speaker is Speaker.AGENT]


# --- pieces -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Your order has been shipped. It arrives on Friday.",
            ["Your order has been shipped. ", "It arrives on Friday."],
        ),
        ("It costs 3.50 at example.com today. Fine?", ["It costs 3.50 at example.com today. ", "Fine?"]),
        ("Dr. Kim will call you back. Yes.", ["Dr. Kim will call you back. ", "Yes."]),
        ('He said "it is done!" Then he left.', ['He said "it is done!" ', "Then he left."]),
        ("주문이 발송되었습니다. 금요일에 도착합니다.", ["주문이 발송되었습니다. ", "금요일에 도착합니다."]),
        ("発送済みです。金曜日に届きます。", ["発送済みです。", "金曜日に届きます。"]),
        ("One line\nand another", ["One line\n", "and another"]),
        ("…", []),
        ("Done and dusted! 🎉", ["Done and dusted! "]),
    ],
)
def test_a_text_is_cut_where_its_sentences_end(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected
    assert pieces(*text) == expected  # letter by letter


def test_a_sentence_without_end_is_cut_at_a_comma_or_between_two_words() -> None:
    with_commas = pieces("and then we looked for it, " * 30)
    assert all(piece.rstrip().endswith(",") for piece in with_commas)
    between_words = pieces("word " * 200)
    assert "".join(between_words) == "word " * 200
    unbroken = pieces("字" * 1000)
    assert "".join(unbroken) == "字" * 1000
    assert max(map(len, [*with_commas, *between_words, *unbroken])) <= MOST_CHARS


# --- in a call --------------------------------------------------------------------------------------------------------


def test_each_sentence_is_spoken_as_soon_as_it_is_whole_and_the_turn_is_one() -> None:
    driver = Driver()
    driver.converse()
    assert written(driver, "Your order has ", "been shipped. It", " should arrive on Friday.", ends=False) == [
        Speak(PieceNumber(3), FIRST.strip())
    ]
    assert driver.send(AgentTextEnded(M1, R1, I1)) == [Speak(PieceNumber(4), SECOND)]
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    driver.speak(3, 1000)
    driver.speak(4, 500)
    out = driver.wait(1.6)
    (turn,) = out
    assert isinstance(turn, NoteTurn)
    assert (turn.generated, turn.heard, turn.end_ms - turn.start_ms) == (FIRST + SECOND, FIRST + SECOND, 1500)


def test_the_voice_is_not_asked_far_ahead_of_what_is_heard() -> None:
    driver = Driver()
    driver.converse()
    sentences = [f"This is sentence number {number}. " for number in range(10, 16)]
    asked = [c.piece for c in written(driver, *sentences) if isinstance(c, Speak)]
    assert asked == [3, 4]
    asked += [c.piece for c in driver.speak(3, 3000) + driver.speak(4, 3000) if isinstance(c, Speak)]
    assert asked == [3, 4, 5]
    asked += [c.piece for c in driver.wait(3.0) if isinstance(c, Speak)]  # less than four seconds are left to play
    assert asked == [3, 4, 5, 6]


def test_an_interrupted_text_is_told_anew_with_what_was_heard() -> None:
    driver = Driver()
    driver.converse()
    written(driver, FIRST + SECOND + " Is there anything else", ends=False)
    driver.speak(3, 1000)
    driver.speak(4, 1000)
    driver.wait(1.5)
    out = driver.send(CallerSpeechStarted(M1, ItemId("item_2"), 5000))
    told = ItemId("dialtone_3")
    heard = FIRST + "It should"
    turn = turns_in(list(out))[0]
    assert out == [
        ClearPlayback(),
        CancelResponse(M1, R1),
        NoteBargeIn(R1, I1, 500, 1000, "1:41"),
        AddAgentText(M1, told, heard, after=I1),
        DeleteItem(M1, I1),
        turn,
    ]
    assert (turn.generated, turn.heard, turn.interrupted) == (FIRST + SECOND + " Is there anything", heard, True)
    assert driver.send(AgentText(M1, R1, I1, " that I can do?")) == []  # the rest of what was cut


def test_a_text_that_was_not_begun_is_taken_out_whole() -> None:
    driver = Driver()
    driver.converse()
    written(driver, FIRST, ends=False)
    out = driver.send(CallerSpeechStarted(M1, ItemId("item_2"), 5000))
    assert out == [CancelResponse(M1, R1), CancelSpeech(PieceNumber(3)), DeleteItem(M1, I1)]


def test_a_text_cut_between_two_sentences_keeps_the_first() -> None:
    driver = Driver()
    driver.converse()
    written(driver, FIRST + SECOND)
    driver.speak(3, 1000)
    driver.wait(1.2)  # the first is heard to its end, the second not spoken yet
    out = driver.send(CallerSpeechStarted(M1, ItemId("item_2"), 5000))
    assert out[:3] == [
        CancelSpeech(PieceNumber(4)),
        AddAgentText(M1, ItemId("dialtone_3"), FIRST.strip(), after=I1),
        DeleteItem(M1, I1),
    ]


def test_what_a_lost_model_had_written_plays_out_and_is_told_to_the_next() -> None:
    driver = Driver()
    driver.converse()
    written(driver, FIRST + "It should arr", ends=False)
    out = driver.send(ModelLost(M1, "close_1006"))
    assert out == [Speak(PieceNumber(4), "It should")]  # not half a word
    assert driver.wait(0.0) == [OpenModel(ModelNumber(2))]
    driver.speak(3, 1000)
    driver.speak(4, 300)
    second = ModelNumber(2)
    driver.send(ModelReady(second))
    driver.send(TurnHandlingSet(second))
    out = driver.wait(1.5)
    assert AddAgentText(second, I1, FIRST + "It should") in out
    assert turns_in(list(out))[0].heard == FIRST + "It should"


def test_a_claim_to_be_human_is_cut_before_it_is_spoken() -> None:
    driver = Driver()
    driver.converse()
    out = written(driver, "Of course, I am a human being, just like you. ", ends=False)
    assert not [c for c in out if isinstance(c, Speak)]
    assert NoteClaim(R1, I1, 0) in out
    assert DeleteItem(M1, I1) in out


def test_one_sentence_that_the_voice_cannot_speak_is_left_out_and_not_remembered() -> None:
    driver = Driver()
    driver.converse()
    written(driver, FIRST + SECOND)
    assert driver.send(SpeechFailed(PieceNumber(3), "timeout")) == []
    driver.speak(4, 500)
    out = driver.wait(0.6)
    assert AddAgentText(M1, ItemId("dialtone_3"), SECOND, after=I1) in out
    assert DeleteItem(M1, I1) in out


def test_a_voice_that_is_lost_ends_the_call_with_a_sentence() -> None:
    driver = Driver()
    driver.converse()
    written(driver, *[f"This is sentence number {number}. " for number in range(10, 14)])
    out: list[object] = []
    for piece in (3, 4, 5):
        out += driver.send(SpeechFailed(PieceNumber(piece), "timeout"))
    assert SpeakPhrase(PieceNumber(7), Phrase.MODEL_LOST) in out
    driver.speak(7, 1000)
    assert HangUp() in driver.wait(1.2)


def test_more_than_two_minutes_of_text_are_cut_and_what_there_is_plays_out() -> None:
    driver = Driver()
    driver.converse()
    out = written(driver, *[f"This is sentence number {number}. " for number in range(100, 200)], ends=False)
    assert out[-1] == CancelResponse(M1, R1)
    count = sum(isinstance(command, CancelResponse) for command in out)
    assert count == 1


def test_what_the_voice_has_still_to_speak_is_no_silence() -> None:
    driver = Driver(replace(TERMS, barge_in=BargeInMode.CONFIRMED, idle_prompt_s=2.0, max_cost_usd=0.001, models=DEAR))
    driver.converse()
    driver.hear(Verdict.SILENCE, 200)
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentText(M1, R1, I1, FIRST + SECOND))
    driver.send(AgentTextEnded(M1, R1, I1))
    usage = {"output_tokens": 100, "output_token_details.text_tokens": 100, "input_tokens": 0, "total_tokens": 100}
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", usage))
    assert driver.hear(Verdict.SILENCE, 4000) == [], "neither asked whether they are there, nor let go"
    driver.speak(3, 1000)
    driver.hear(Verdict.SILENCE, 1100)
    driver.send(CallerSpeechStarted(M1, ItemId("item_2"), 9000))  # a cough, before the second sentence is there
    driver.speak(4, 500)
    out = driver.hear(Verdict.SILENCE, 1500)
    (turn,) = turns_in(list(out))
    assert turn.heard == FIRST + SECOND
    assert SpeakPhrase(PieceNumber(5), Phrase.GOODBYE) in out, "what was paid for was heard"


def test_a_claim_at_the_end_of_an_item_is_found_before_the_response_is_over() -> None:
    driver = Driver()
    driver.converse()
    out = written(driver, "Yes, I am a real human", ends=False)
    out += driver.send(AgentTextEnded(M1, R1, I1))
    assert NoteClaim(R1, I1, 0) in out
    assert not [c for c in out if isinstance(c, Speak)]


def test_a_claim_while_disclosing_stops_the_voice_and_costs_the_disclosure_nothing() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    driver.speak(1, 2000)
    driver.connect()
    out = written(driver, "Hello there, good morning to you. ", ends=False)
    assert out == [Speak(PieceNumber(2), "Hello there, good morning to you.")]
    out = list(driver.send(AgentText(M1, R1, I1, "I am a real human being. ")))
    assert CancelSpeech(PieceNumber(2)) in out
    assert driver.send(SpeechFailed(PieceNumber(2), "timeout")) == []
    assert NoteDisclosure(DisclosureResult.HEARD, 0, 2000, "1:20", 0) in driver.wait(2.1)


def test_half_a_word_of_a_response_that_failed_is_not_spoken() -> None:
    driver = Driver()
    driver.converse()
    written(driver, FIRST + "It should arr", ends=False)
    out = driver.send(ResponseEnded(M1, R1, ResponseStatus.FAILED, "server_error", {}))
    assert out == [Speak(PieceNumber(4), "It should")]
