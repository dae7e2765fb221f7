"""One session takes over from another before its provider ends it: when, with what, and without a gap. By value."""

from dataclasses import replace

import pytest

from app.session.commands import (
    AddAgentText,
    AddCallerText,
    AddCue,
    ClearPlayback,
    CloseModel,
    Command,
    DeleteItem,
    NoteRenewal,
    NoteTurn,
    OpenModel,
    RequestResponse,
    SetTurnHandling,
)
from app.session.events import (
    AgentAudio,
    AgentText,
    AgentTranscript,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTurnCommitted,
    ModelLost,
    ModelReady,
    ResponseEnded,
    ResponseStarted,
    StreamEnded,
    StreamStarted,
    ToolCallFinished,
    ToolCallRequested,
)
from app.session.terms import ModelTerms, Terms
from app.session.words import (
    BargeInMode,
    ItemId,
    ModelNumber,
    ResponseId,
    ResponseStatus,
    Speaker,
    StreamEnd,
    ToolCallId,
    ToolStatus,
    Verdict,
)
from tests.support.driver import DISCLOSURE, M1, TERMS, Driver, pcm

pytestmark = pytest.mark.core

CONFIRMED = replace(
    TERMS,
    barge_in=BargeInMode.CONFIRMED,
    models=(ModelTerms(session_limit_s=60.0),),
    idle_prompt_s=300,
    idle_hangup_s=600,
)
M2, M3 = ModelNumber(2), ModelNumber(3)
A, B = ItemId("caller_a"), ItemId("caller_b")
R1, I1 = ResponseId("resp_1"), ItemId("item_1")
BEGAN = 100.0


def only(commands: list[Command], *types: type) -> list[Command]:
    return [command for command in commands if isinstance(command, types)]


def until(driver: Driver, second: float, verdict: Verdict = Verdict.SILENCE) -> list[Command]:
    """The caller's side sounds so until that second of the call."""
    return driver.hear(verdict, round((BEGAN + second - driver.at) * 1000))


def conversing(terms: Terms = CONFIRMED) -> Driver:
    driver = Driver(terms)
    driver.converse()
    return driver


def test_a_session_is_renewed_in_a_quiet_moment_of_its_last_quarter() -> None:
    driver = conversing()
    assert only(until(driver, 44.9), OpenModel) == []
    assert only(until(driver, 45.1), OpenModel) == [OpenModel(M2)]
    out = driver.send(ModelReady(M2))
    assert AddAgentText(M2, ItemId("dialtone_1"), DISCLOSURE) in out
    assert NoteRenewal(M2, M1) in out
    assert out[-1] == CloseModel(M1) or CloseModel(M1) in driver.wait(0.1)
    before = driver.given_ms(M1)
    until(driver, 46.0)
    assert driver.given_ms(M1) == before
    assert driver.given_ms(M2) > 800


def test_it_is_renewed_again_and_again() -> None:
    driver = conversing()
    for number in range(2, 5):
        out = driver.hear(Verdict.SILENCE, 46_000)
        (opened,) = only(out, OpenModel)
        assert opened == OpenModel(ModelNumber(number))
        assert only(driver.send(ModelReady(ModelNumber(number))), NoteRenewal)


def test_what_the_provider_says_of_the_end_counts_when_it_comes_sooner() -> None:
    driver = Driver(CONFIRMED)
    driver.send(StreamStarted())
    driver.speak(1, 2000)
    driver.send(ModelReady(M1, 30.0))
    driver.wait(2.1)
    driver.speak(2, 500)
    assert only(until(driver, 22.0), OpenModel) == []
    assert only(until(driver, 22.7), OpenModel) == [OpenModel(M2)]


def test_the_time_that_a_session_has_waited_beside_the_other_is_of_its_own_limit() -> None:
    driver = conversing()
    until(driver, 45.0)
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(9000)))
    until(driver, 45.5)
    driver.send(ModelReady(M2))  # which its provider ends sixty seconds from now
    assert not [c for _, c in driver.log if isinstance(c, NoteRenewal)], "the agent speaks"
    until(driver, 53.0)  # half of what is left is over: between two words
    (taken,) = [at for at, c in driver.log if isinstance(c, NoteRenewal)]
    assert taken > BEGAN + 52.0
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    assert only(until(driver, 45.5 + 45.0 - 0.1), OpenModel) == []
    assert only(until(driver, 45.5 + 45.0 + 0.2), OpenModel) == [OpenModel(M3)]


def test_a_provider_that_wants_no_further_session_is_followed_by_the_fallback_or_by_none() -> None:
    never = ModelTerms(session_limit_s=60.0, reconnects=False)
    driver = conversing(replace(CONFIRMED, models=(never,)))
    assert only(until(driver, 59.0), OpenModel) == []
    driver = conversing(replace(CONFIRMED, models=(never, ModelTerms(session_limit_s=100.0))))
    assert only(until(driver, 45.1), OpenModel) == [OpenModel(M2, 1)]
    assert NoteRenewal(M2, M1) in driver.send(ModelReady(M2))
    assert only(until(driver, 45.1 + 74.0), OpenModel) == []
    assert only(until(driver, 45.1 + 76.0), OpenModel) == [OpenModel(M3, 1)]


def test_without_a_limit_nothing_is_renewed() -> None:
    driver = conversing(replace(CONFIRMED, models=(ModelTerms(),)))
    assert only(until(driver, 500.0), OpenModel) == []


def test_while_the_agent_speaks_a_quiet_moment_is_waited_for() -> None:
    driver = conversing()
    until(driver, 44.0)
    driver.respond(1, 4000, words="one two three four")
    until(driver, 45.1)
    assert only(driver.send(ModelReady(M2)), NoteRenewal) == []
    out = until(driver, 49.0)
    (renewed,) = only(out, NoteRenewal)
    assert renewed == NoteRenewal(M2, M1)
    assert AddAgentText(M2, ItemId("item_1"), "one two three four") in out


def test_a_reply_sounds_on_over_a_renewal_that_cannot_wait() -> None:
    driver = conversing()
    until(driver, 44.0)
    driver.respond(1, 20_000, words=" ".join(["word"] * 60))
    until(driver, 45.1)
    driver.send(ModelReady(M2))
    sent = driver.sent_ms()
    out = until(driver, 52.0)
    assert only(out, NoteRenewal) == []
    out = until(driver, 53.0)
    assert only(out, NoteRenewal) == [NoteRenewal(M2, M1)]
    assert ClearPlayback() not in out
    out = until(driver, 65.0)
    assert driver.sent_ms() - sent >= 18_700, "the reply was heard to its end"
    assert [c.model for c in only(out, AddAgentText) if isinstance(c, AddAgentText)] == [M2]


def test_a_caller_who_speaks_on_is_heard_by_both_until_a_gap_between_words() -> None:
    driver = conversing()
    until(driver, 44.0)
    out = until(driver, 45.1, Verdict.SOUND)
    until(driver, 50.2, Verdict.SOUND)
    driver.send(ModelReady(M2))
    driver.send(CallerSpeechStarted(M1, A, 49_500 - 3100))
    out = until(driver, 52.6, Verdict.SOUND)
    assert only(out, NoteRenewal) == []
    out = until(driver, 54.0, Verdict.SOUND)
    assert driver.given_ms(M2) > 3000, "from the turn's beginning, or what is kept of it"
    driver.send(CallerSpeechStarted(M2, B, 200))
    until(driver, 58.0, Verdict.SOUND)
    out = until(driver, 58.1)
    assert only(out, NoteRenewal) == [NoteRenewal(M2, M1)]
    assert RequestResponse(M2) not in out
    out = until(driver, 59.0)
    driver.send(CallerSpeechStopped(M2, B, 9000))
    assert RequestResponse(M2) in driver.send(CallerTurnCommitted(M2, B))
    driver.send(CallerTranscript(M2, B, "A very long sentence."))
    driver.send(StreamEnded(StreamEnd.STOPPED))
    driver.wait(3.0)
    turns = [c.heard for _, c in driver.log if isinstance(c, NoteTurn) and c.speaker is Speaker.CALLER]
    assert turns == ["A very long sentence."]


def test_a_turn_that_both_have_heard_stands_once_in_the_conversation() -> None:
    driver = conversing()
    until(driver, 45.1)
    driver.hear(Verdict.SOUND, 20)
    driver.send(ModelReady(M2))
    until(driver, 52.6, Verdict.SOUND)
    driver.send(CallerSpeechStarted(M1, A, 45_000))
    driver.send(CallerSpeechStarted(M2, B, 100))
    until(driver, 53.0, Verdict.SOUND)
    driver.send(CallerSpeechStopped(M1, A, 53_000))
    driver.send(CallerTurnCommitted(M1, A))
    driver.send(CallerSpeechStopped(M2, B, 8000))
    driver.send(CallerTurnCommitted(M2, B))
    driver.send(CallerTranscript(M1, A, "Where is it?"))
    driver.send(ResponseStarted(M1, R1))
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    out = until(driver, 54.0)
    assert NoteRenewal(M2, M1) in out
    assert DeleteItem(M2, B) in out
    assert AddCallerText(M2, A, "Where is it?") in out


def test_words_that_come_late_from_the_former_session_are_told_to_the_new_one() -> None:
    driver = conversing()
    until(driver, 44.0)
    driver.send(CallerSpeechStarted(M1, A, 43_500))
    until(driver, 45.1, Verdict.SOUND)
    driver.send(ModelReady(M2))
    until(driver, 52.0, Verdict.SOUND)
    driver.send(CallerSpeechStopped(M1, A, 52_000))
    driver.send(CallerTurnCommitted(M1, A))
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentTranscript(M1, R1, I1, "It has shipped."))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(8000)))
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    out = until(driver, 53.0)
    assert NoteRenewal(M2, M1) in out
    assert CloseModel(M1) not in out
    out = driver.send(CallerTranscript(M1, A, "Where is it?"))
    assert AddCallerText(M2, A, "Where is it?") in out
    assert CloseModel(M1) in out


def test_a_session_that_is_lost_while_its_successor_waits_is_taken_over_from_at_once() -> None:
    driver = conversing()
    until(driver, 45.1, Verdict.SOUND)
    driver.send(ModelReady(M2))
    out = driver.send(ModelLost(M1, "close_1001"))
    assert NoteRenewal(M2, M1) in out
    assert only(out + until(driver, 47.0), OpenModel) == []


def test_a_successor_that_does_not_come_about_is_tried_again() -> None:
    driver = conversing()
    until(driver, 45.1)
    driver.send(ModelLost(M2, "connect_refused"))
    assert only(until(driver, 47.0), OpenModel) == []
    assert only(until(driver, 47.3), OpenModel) == [OpenModel(M3)]
    assert NoteRenewal(M3, M1) in driver.send(ModelReady(M3))


def test_what_a_tool_answers_to_the_former_session_is_told_to_the_new_one() -> None:
    driver = conversing()
    until(driver, 52.0)
    driver.send(ResponseStarted(M1, R1))
    driver.send(ToolCallRequested(M1, R1, I1, ToolCallId("c1"), "lookup", '{"n": 1}'))
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    driver.send(ModelReady(M2))
    out = until(driver, 54.0)
    assert NoteRenewal(M2, M1) in out
    out = driver.send(ToolCallFinished(ToolCallId("c1"), ToolStatus.OK, "shipped"))
    assert out[-1] == RequestResponse(M2)


def test_the_new_session_handles_turns_as_the_mode_says() -> None:
    driver = conversing(replace(CONFIRMED, barge_in=BargeInMode.IMMEDIATE))
    until(driver, 45.1)
    out = driver.send(ModelReady(M2))
    assert SetTurnHandling(M2, create_response=True, interrupt_response=True) in out


def test_the_end_of_the_call_closes_every_session() -> None:
    driver = conversing()
    until(driver, 45.1)
    out = driver.send(StreamEnded(StreamEnd.STOPPED))
    assert only(out, CloseModel) == [CloseModel(M1), CloseModel(M2)]


def beside(driver: Driver) -> None:
    """The second session is there and waits for a quiet moment, for the first one has begun a response."""
    until(driver, 45.1)
    driver.send(ResponseStarted(M1, R1))
    driver.send(ModelReady(M2))


def test_a_response_that_had_no_sound_when_its_session_was_lost_is_asked_of_the_one_beside() -> None:
    driver = conversing()
    beside(driver)
    assert RequestResponse(M2) in driver.send(ModelLost(M1, "session_expired"))


@pytest.mark.parametrize("how", ["lost", "failed", "silent"])
def test_a_response_that_the_former_session_never_finished_is_asked_for_anew(how: str) -> None:
    driver = conversing()
    beside(driver)
    out = until(driver, 53.0)
    assert NoteRenewal(M2, M1) in out
    assert not only(out, RequestResponse), "the former one is to finish it"
    match how:
        case "lost":
            out = driver.send(ModelLost(M1, "close_1006"))
        case "failed":
            out = driver.send(ResponseEnded(M1, R1, ResponseStatus.FAILED, "server_error", {}))
        case "silent":
            out = until(driver, 62.0)
    assert RequestResponse(M2) in out


def test_a_written_answer_that_the_former_session_broke_off_is_gone_on_with_where_it_broke() -> None:
    driver = conversing()
    beside(driver)
    driver.send(AgentText(M1, R1, I1, "Your order has been shipped. It should arr"))
    driver.speak(3, 500)
    assert NoteRenewal(M2, M1) in until(driver, 53.0)
    driver.send(ResponseEnded(M1, R1, ResponseStatus.FAILED, "server_error", {}))
    driver.speak(4, 300)
    (cue,) = only(until(driver, 55.0), AddCue)
    assert isinstance(cue, AddCue)
    assert cue.text.startswith("Your voice broke off")


def test_with_a_turn_that_only_the_lost_session_knows_the_one_beside_does_not_take_over() -> None:
    driver = conversing()
    until(driver, 44.0)
    driver.send(CallerSpeechStarted(M1, A, 43_000))
    driver.hear(Verdict.SOUND, 1500)
    driver.hear(Verdict.SILENCE, 300)
    driver.send(ModelReady(M2))
    driver.send(CallerSpeechStopped(M1, A, 44_500))
    driver.send(CallerTurnCommitted(M1, A))
    assert CloseModel(M2) in driver.send(ModelLost(M1, "session_expired"))
    assert only(driver.wait(0.1), OpenModel) == [OpenModel(M3)]
    assert not only(driver.send(ModelReady(M3)), RequestResponse), "it has to hear the question first"


def test_a_model_that_is_of_no_use_does_not_get_its_place_back_by_a_renewal() -> None:
    driver = conversing(replace(CONFIRMED, models=(ModelTerms(session_limit_s=60.0), ModelTerms())))
    beside(driver)
    driver.send(ResponseEnded(M1, R1, ResponseStatus.FAILED, "server_error", {}))
    driver.wait(0.6)
    second = ResponseId("resp_2")
    driver.send(ResponseStarted(M1, second))
    driver.send(ResponseEnded(M1, second, ResponseStatus.FAILED, "server_error", {}))
    out = driver.wait(0.1)
    assert only(out, CloseModel, OpenModel) == [CloseModel(M1), CloseModel(M2), OpenModel(M3, 1)]


@pytest.mark.parametrize("mode", [BargeInMode.OFF, BargeInMode.IMMEDIATE])
def test_a_session_that_still_hears_an_answered_turn_at_the_last_moment_does_not_take_over(mode: BargeInMode) -> None:
    driver = conversing(replace(CONFIRMED, barge_in=mode))
    until(driver, 40.0)
    until(driver, 40.1, Verdict.SOUND)
    driver.send(CallerSpeechStarted(M1, A, 36_400))
    until(driver, 45.1, Verdict.SOUND)
    driver.send(ModelReady(M2))
    until(driver, 55.0, Verdict.SOUND)  # a turn of 15 s: from 52.5 on the second session is given it, twice as fast
    driver.send(CallerSpeechStarted(M2, B, 200))
    until(driver, 55.5)
    driver.send(CallerSpeechStopped(M1, A, 52_000))
    driver.send(CallerTurnCommitted(M1, A))
    driver.send(CallerTranscript(M1, A, "A long sentence."))
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(3000)))
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    until(driver, 55.8, Verdict.SOUND)
    driver.send(CallerSpeechStarted(M1, ItemId("caller_c"), 52_300))  # and the caller speaks again
    out = until(driver, 59.5, Verdict.SOUND)
    assert CloseModel(M2) in out
    assert not only(out, NoteRenewal)
    driver.send(ModelLost(M1, "session_expired"))
    assert OpenModel(M3) in driver.wait(0.1)
