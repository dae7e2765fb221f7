"""No turn of the caller's goes unanswered, whatever becomes of its words, its response or its model. By value."""

from dataclasses import replace

import pytest

from app.session.commands import (
    CancelResponse,
    ClearPlayback,
    CloseModel,
    DeleteItem,
    NoteBargeIn,
    NoteRenewal,
    NoteTurn,
    OpenModel,
    RequestResponse,
    SpeakPhrase,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    CallerDigit,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTranscriptFailed,
    CallerTurnCommitted,
    Event,
    ModelLost,
    ModelReady,
    ModelSilent,
    ModelStalled,
    RequestRefused,
    ResponseEnded,
    ResponseStarted,
    StreamEnded,
)
from app.session.terms import ModelTerms, Terms
from app.session.words import (
    BargeInMode,
    Fault,
    ItemId,
    ModelNumber,
    Phrase,
    Request,
    ResponseId,
    ResponseStatus,
    Speaker,
    StreamEnd,
    Verdict,
)
from tests.support.driver import M1, TERMS, Driver, pcm

pytestmark = pytest.mark.core

CONFIRMED = replace(TERMS, barge_in=BargeInMode.CONFIRMED)
RENEWED = replace(CONFIRMED, models=(ModelTerms(session_limit_s=60.0),), idle_prompt_s=300.0, idle_hangup_s=600.0)
M2, M3 = ModelNumber(2), ModelNumber(3)
A, B = ItemId("caller_a"), ItemId("caller_b")
R1, R2 = ResponseId("resp_1"), ResponseId("resp_2")
I1, I2 = ItemId("item_1"), ItemId("item_2")
COMPLETED = ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {})


def conversing(terms: Terms = CONFIRMED, *, delay_s: float = 0.0) -> Driver:
    driver = Driver(terms, delay_s=delay_s)
    driver.converse()
    driver.hear(Verdict.SILENCE, 1000)
    return driver


def replaced(driver: Driver, lost: ModelNumber) -> ModelNumber:
    """A session is lost and the next one hears what it is given; returns its number."""
    driver.send(ModelLost(lost, "close_1006"))
    (opened,) = [c.model for c in driver.wait(0.1) if isinstance(c, OpenModel)]
    driver.send(ModelReady(opened))
    driver.hear(Verdict.SILENCE, 3000)
    return opened


def caller_turns(driver: Driver) -> list[str | None]:
    return [c.heard for _, c in driver.log if isinstance(c, NoteTurn) and c.speaker is Speaker.CALLER]


# --- what the model makes of the caller -------------------------------------------------------------------------------


@pytest.mark.parametrize("begins_early", [False, True])
def test_what_is_said_within_an_item_that_began_as_a_cough_is_a_turn(begins_early: bool) -> None:
    driver = conversing()
    driver.respond(1, 1900)
    driver.wait(1.0)
    driver.send(CallerSpeechStarted(M1, A, 4000))
    driver.hear(Verdict.SPEECH, 60)
    driver.hear(Verdict.SILENCE, 560)  # a false alarm, by then
    driver.hear(Verdict.SOUND if begins_early else Verdict.SILENCE, 900)  # the rest of the reply
    driver.hear(Verdict.SOUND, 2000)
    driver.hear(Verdict.SILENCE, 500)
    driver.send(CallerSpeechStopped(M1, A, 9000))
    out = driver.send(CallerTurnCommitted(M1, A))
    assert DeleteItem(M1, A) not in out
    assert RequestResponse(M1) in out
    driver.send(CallerTranscript(M1, A, "My order is 1042."))
    assert caller_turns(driver) == ["My order is 1042."]


def test_a_sound_without_words_that_is_still_judged_is_no_turn_yet() -> None:
    driver = conversing()
    driver.respond(1, 6000)
    driver.wait(1.0)
    driver.send(CallerSpeechStarted(M1, A, 4000))
    driver.send(CallerTranscript(M1, A, ""))
    driver.hear(Verdict.SILENCE, 1000)
    driver.send(CallerTurnCommitted(M1, A))
    assert caller_turns(driver) == []


def test_a_hash_alone_is_no_input_and_stops_nobody() -> None:
    driver = conversing(replace(CONFIRMED, digits_interrupt=True))
    driver.respond(1, 6000)
    driver.wait(1.0)
    assert driver.send(CallerDigit("#")) == []
    assert ClearPlayback() in driver.send(CallerDigit("1"))


def test_a_turn_of_two_items_that_is_cut_is_one_turn_and_stands_in_its_order() -> None:
    driver = conversing(delay_s=0.1)
    driver.send(ResponseStarted(M1, R1))
    for item_id, words in ((I1, "one two three four"), (I2, "five six seven eight")):
        driver.send(AgentTranscript(M1, R1, item_id, words))
        driver.send(AgentAudio(M1, R1, item_id, 0, pcm(2000)))
        driver.send(AgentAudioEnded(M1, R1, item_id))
    driver.send(COMPLETED)
    driver.wait(1.95)  # the first item has been heard, and its mark is on its way back
    driver.send(CallerSpeechStarted(M1, A, 9000))
    out = driver.hear(Verdict.SPEECH, 260)
    assert [c.item_id for c in out if isinstance(c, TruncateItem | NoteBargeIn)] == [I2, I2]
    (turn,) = [c for c in out if isinstance(c, NoteTurn)]
    assert (turn.generated, turn.interrupted) == ("one two three four five six seven eight", True)
    assert turn.heard is not None
    assert turn.heard.startswith("one two three four")
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.1)
    told = [c for c in driver.send(ModelReady(M2)) if hasattr(c, "text")]
    assert [c.text for c in told][-1].startswith("one two three four")


def test_where_nobody_writes_down_what_was_said_a_turn_is_noted_at_once_and_nothing_waits_for_its_words() -> None:
    driver = conversing(replace(CONFIRMED, models=(ModelTerms(transcribes=False),)))
    for number in range(1, 4):
        driver.take_turn(M1, ItemId(f"caller_{number}"), 1000)
        assert caller_turns(driver) == [None] * number
        driver.respond(number, 500)
        driver.hear(Verdict.SILENCE, 1000)
    driver.send(StreamEnded(StreamEnd.STOPPED))
    assert driver.session.ended
    assert caller_turns(driver) == [None] * 3


def test_where_nobody_writes_down_what_was_said_a_turn_is_heard_again_until_it_was_answered() -> None:
    driver = conversing(replace(CONFIRMED, models=(ModelTerms(transcribes=False),)))
    driver.take_turn(M1, A, 1500)
    driver.send(ResponseStarted(M1, R1))
    assert replaced(driver, M1) == M2
    assert driver.loud_ms(M2) == 1500


# --- a lost model -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last_word", [CallerTranscriptFailed(M1, A), CallerTranscript(M1, A, "")])
def test_a_turn_without_words_is_heard_again_until_it_was_answered(last_word: Event) -> None:
    driver = conversing()
    driver.take_turn(M1, A, 1500)
    driver.send(last_word)
    driver.send(ResponseStarted(M1, R1))
    assert replaced(driver, M1) == M2
    assert driver.loud_ms(M2) == 1500
    assert len(caller_turns(driver)) == 1, "noted once"


@pytest.mark.parametrize("last_word", [CallerTranscriptFailed(M1, A), CallerTranscript(M1, A, "")])
def test_a_turn_without_words_that_was_answered_is_not_heard_again(last_word: Event) -> None:
    driver = conversing()
    driver.take_turn(M1, A, 1500)
    driver.send(ResponseStarted(M1, R1))
    driver.send(last_word)
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(300)))
    driver.send(AgentAudioEnded(M1, R1, I1))
    driver.send(COMPLETED)
    driver.hear(Verdict.SILENCE, 1000)
    assert replaced(driver, M1) == M2
    assert driver.loud_ms(M2) == 0


def test_a_response_that_began_before_a_turn_has_not_answered_it() -> None:
    driver = conversing(replace(CONFIRMED, barge_in=BargeInMode.OFF))
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(1000)))
    driver.take_turn(M1, A, 1500)
    driver.send(AgentAudioEnded(M1, R1, I1))
    driver.send(COMPLETED)
    assert replaced(driver, M1) == M2
    assert driver.loud_ms(M2) == 1500


def test_an_answer_is_asked_for_when_the_next_model_makes_no_turn_of_what_it_hears_again() -> None:
    driver = conversing()
    driver.take_turn(M1, A, 1500)
    assert replaced(driver, M1) == M2
    driver.hear(Verdict.SILENCE, 1500)
    assert RequestResponse(M2) in [c for _, c in driver.log]


def test_a_turn_keeps_its_beginning_over_a_renewal_whose_session_is_lost() -> None:
    driver = Driver(RENEWED)
    driver.converse()
    driver.hear(Verdict.SILENCE, 47_000)
    start_ms = driver.given_ms(M1)
    driver.hear(Verdict.SOUND, 500)
    driver.send(CallerSpeechStarted(M1, A, start_ms))
    driver.send(ModelReady(M2))
    driver.hear(Verdict.SOUND, 2500)
    driver.send(CallerSpeechStarted(M2, B, 200))
    driver.hear(Verdict.SOUND, 2000)
    out = driver.hear(Verdict.SILENCE, 100)  # a gap between two words
    assert [c for c in out if isinstance(c, NoteRenewal)] == [NoteRenewal(M2, M1)]
    driver.hear(Verdict.SOUND, 1000)
    assert replaced(driver, M2) == M3
    driver.hear(Verdict.SILENCE, 3000)
    assert driver.loud_ms(M3) == 500 + 2500 + 2000 + 1000


# --- a model that is there --------------------------------------------------------------------------------------------


def test_a_response_that_begins_and_gives_nothing_is_asked_for_once_more() -> None:
    driver = conversing(replace(CONFIRMED, idle_prompt_s=100.0, idle_hangup_s=200.0))
    assert RequestResponse(M1) in driver.take_turn(M1, A, 1000)
    driver.send(ResponseStarted(M1, R1))
    assert [c for c in driver.hear(Verdict.SILENCE, 21_000) if isinstance(c, CancelResponse | RequestResponse)] == [
        CancelResponse(M1, R1),
        RequestResponse(M1),
    ]
    driver.send(ResponseStarted(M1, R2))
    out = driver.hear(Verdict.SILENCE, 21_000)
    assert [c.phrase for c in out if isinstance(c, SpeakPhrase)] == [Phrase.MODEL_LOST]


def test_a_response_that_stops_in_its_midst_is_gone_on_with() -> None:
    driver = conversing(replace(CONFIRMED, idle_prompt_s=100.0, idle_hangup_s=200.0))
    driver.take_turn(M1, A, 1000)
    driver.respond(1, 1000, ends=False)
    assert RequestResponse(M1) in driver.hear(Verdict.SILENCE, 21_000)


def test_what_a_server_cannot_do_just_now_is_asked_for_once_more_and_then_the_caller_is_told() -> None:
    driver = conversing()
    refused = RequestRefused(M1, Request.RESPONSE, Fault.TRANSIENT, "rate_limit_exceeded")
    driver.take_turn(M1, A, 1000)
    assert driver.send(refused) == []
    assert RequestResponse(M1) in driver.hear(Verdict.SILENCE, 1100)
    out = driver.send(refused)
    assert [c.phrase for c in out if isinstance(c, SpeakPhrase)] == [Phrase.MODEL_LOST]
    assert CloseModel(M1) in out


@pytest.mark.parametrize("news", [ModelSilent(M1, 8.0), ModelStalled(M1)])
def test_a_former_session_that_is_frozen_is_not_waited_for(news: Event) -> None:
    driver = Driver(RENEWED)
    driver.converse()
    driver.hear(Verdict.SILENCE, 42_000)
    driver.send(ResponseStarted(M1, R1))
    driver.send(ModelReady(M2))
    out = driver.hear(Verdict.SILENCE, 12_000)
    assert [c for c in out if isinstance(c, NoteRenewal)] == [NoteRenewal(M2, M1)]
    assert CloseModel(M1) in driver.send(news)
    assert RequestResponse(M2) in [c for _, c in driver.log]
