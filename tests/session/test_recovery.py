"""A lost model: what is said again, what is gone on with, who is tried next, and how the call ends. By value."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.session.commands import (
    AddAgentText,
    AddCallerText,
    AddCue,
    AppendInputAudio,
    CancelSpeech,
    ClearPlayback,
    CloseModel,
    Command,
    HangUp,
    NoteDisclosure,
    NoteTurn,
    OpenModel,
    RequestResponse,
    RunTool,
    SpeakPhrase,
    TransferCall,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    CallerAudio,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTurnCommitted,
    ModelLost,
    ModelReady,
    ModelSilent,
    ResponseEnded,
    ResponseStarted,
    SpeechFailed,
    StreamStarted,
    ToolCallFinished,
    ToolCallRequested,
    TurnHandlingSet,
)
from app.session.terms import ModelTerms, Terms
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
    ToolCallId,
    ToolStatus,
    Verdict,
)
from tests.support.driver import GOODBYE, M1, SORRY, TERMS, Driver, pcm

pytestmark = pytest.mark.core

CONFIRMED = replace(
    TERMS, barge_in=BargeInMode.CONFIRMED, phrases={**TERMS.phrases, Phrase.COVER: "One moment, please."}
)
M2, M3 = ModelNumber(2), ModelNumber(3)
A, B = ItemId("caller_a"), ItemId("caller_b")
R1, I1 = ResponseId("resp_1"), ItemId("item_1")
FIND = ToolCallId("call_1")


def conversing(terms: Terms = CONFIRMED) -> Driver:
    driver = Driver(terms)
    driver.converse()
    driver.hear(Verdict.SILENCE, 1000)
    return driver


def only(commands: list[Command], *types: type) -> list[Command]:
    return [command for command in commands if isinstance(command, types)]


def kinds(commands: list[Command]) -> list[type]:
    return [type(command) for command in commands]


# --- the caller's words -----------------------------------------------------------------------------------------------


def test_a_turn_that_only_the_lost_model_has_heard_is_said_again_whole() -> None:
    driver = conversing()
    driver.take_turn(M1, A, 3000)
    driver.hear(Verdict.SILENCE, 100)
    driver.send(ModelLost(M1, "close_1006"))
    assert driver.wait(0.1) == [OpenModel(M2)]
    told = driver.send(ModelReady(M2))
    assert RequestResponse(M2) not in told, "it has not heard the question yet"
    driver.hear(Verdict.SILENCE, 3500)
    assert driver.given_ms(M2) >= 200 + 3000 + 1000, "the question, and what tells that it is over"
    driver.send(CallerSpeechStarted(M2, B, 0))
    driver.send(CallerSpeechStopped(M2, B, 3700))
    assert RequestResponse(M2) in driver.send(CallerTurnCommitted(M2, B))
    driver.send(CallerTranscript(M2, B, "Where is order 1042?"))
    turns = [c for _, c in driver.log if isinstance(c, NoteTurn) and c.speaker is Speaker.CALLER]
    assert [turn.heard for turn in turns] == ["Where is order 1042?"], "one turn, though two models heard it"


def test_a_turn_is_heard_again_from_its_beginning_however_long_the_outage_before_was() -> None:
    driver = conversing()
    driver.take_turn(M1, A, 3000)
    driver.send(ModelLost(M1, "close_1006"))
    driver.hear(Verdict.SILENCE, 4000)  # of which the next model is given one second
    driver.send(ModelReady(M2))
    driver.hear(Verdict.SILENCE, 500)
    driver.send(CallerSpeechStarted(M2, B, 200))
    driver.hear(Verdict.SILENCE, 3500)
    driver.send(CallerSpeechStopped(M2, B, 3900))
    driver.send(CallerTurnCommitted(M2, B))
    driver.send(ModelLost(M2, "close_1006"))
    assert OpenModel(M3) in driver.wait(0.6)
    driver.send(ModelReady(M3))
    driver.hear(Verdict.SILENCE, 4000)
    assert driver.loud_ms(M3) == 3000


def test_after_an_outage_times_are_those_of_the_stream_and_an_interruption_is_one() -> None:
    driver = conversing(replace(CONFIRMED, barge_in=BargeInMode.IMMEDIATE))
    driver.send(ModelLost(M1, "close_1006"))
    driver.hear(Verdict.SILENCE, 4000)
    driver.send(ModelReady(M2))
    driver.send(TurnHandlingSet(M2))
    driver.hear(Verdict.SILENCE, 3000)
    driver.send(ResponseStarted(M2, R1))
    driver.send(AgentAudio(M2, R1, I1, 0, pcm(8000)))
    driver.hear(Verdict.SILENCE, 2000)
    began_ms = driver.session._call.caller_bytes // 48
    start_ms = driver.given_ms(M2)
    assert start_ms < began_ms - 3000, "much of the pause was left out"
    driver.hear(Verdict.SOUND, 200)
    assert ClearPlayback() in driver.send(CallerSpeechStarted(M2, A, start_ms))
    driver.hear(Verdict.SOUND, 1000)
    driver.send(CallerSpeechStopped(M2, A, start_ms + 1200))
    driver.send(CallerTurnCommitted(M2, A))
    driver.send(CallerTranscript(M2, A, "Stop."))
    turn = next(c for _, c in driver.log if isinstance(c, NoteTurn) and c.speaker is Speaker.CALLER)
    assert abs(turn.start_ms - began_ms) <= 20
    assert turn.end_ms - turn.start_ms == 1200


def test_a_turn_that_is_written_down_is_told_and_not_said_again() -> None:
    driver = conversing()
    driver.take_turn(M1, A, 3000)
    driver.send(CallerTranscript(M1, A, "Where is order 1042?"))
    driver.hear(Verdict.SILENCE, 100)
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.1)
    told = driver.send(ModelReady(M2))
    assert AddCallerText(M2, A, "Where is order 1042?") in told
    assert told[-1] == RequestResponse(M2)
    driver.hear(Verdict.SILENCE, 1000)
    assert driver.given_ms(M2) <= 1000 + 100 + 120


def test_a_caller_in_the_middle_of_a_sentence_is_heard_from_its_beginning() -> None:
    driver = conversing()
    driver.hear(Verdict.SOUND, 200)
    driver.send(CallerSpeechStarted(M1, A, driver.session._call.caller_bytes // 48 - 500))
    driver.hear(Verdict.SOUND, 2000)
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.01)
    driver.hear(Verdict.SOUND, 300)
    assert RequestResponse(M2) not in driver.send(ModelReady(M2))
    driver.hear(Verdict.SOUND, 2500)
    assert driver.given_ms(M2) >= 2200 + 300 + 2500


def test_what_was_kept_is_sent_twice_as_fast_and_pauses_are_shortened() -> None:
    driver = conversing()
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.01)
    driver.hear(Verdict.SOUND, 1000)
    driver.hear(Verdict.SILENCE, 4000)
    driver.hear(Verdict.SOUND, 1000)
    driver.send(ModelReady(M2))
    per_frame = []
    for _ in range(400):
        driver.wait(0.02)
        out = driver.send(CallerAudio(pcm(20), Verdict.SOUND))
        per_frame.append(len(only(out, AppendInputAudio)))
    assert max(per_frame) == 2
    assert per_frame[-1] == 1, "caught up"
    # a second of the last pause, said before the loss, then a second, a second of the four, a second
    assert sum(per_frame) - len(per_frame) == pytest.approx((1000 + 1000 + 1000 + 1000) / 20, abs=3)


def test_a_sound_that_is_heard_late_does_not_interrupt_what_sounds_now() -> None:
    driver = conversing()
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.01)
    driver.hear(Verdict.SOUND, 1500)
    driver.hear(Verdict.SILENCE, 1200)
    piece = next(c.piece for _, c in reversed(driver.log) if isinstance(c, SpeakPhrase))
    driver.speak(piece, 2000)
    driver.send(ModelReady(M2))
    driver.hear(Verdict.SILENCE, 400)
    assert not driver.session._call.playback.is_silent
    driver.send(CallerSpeechStarted(M2, A, 700))
    driver.hear(Verdict.SILENCE, 2500)
    driver.send(CallerSpeechStopped(M2, A, 3000))
    assert RequestResponse(M2) in driver.send(CallerTurnCommitted(M2, A)), "it was taken for a cough"


# --- the agent's words ------------------------------------------------------------------------------------------------


def replying(ms: int = 2000) -> Driver:
    """The model is in the middle of a reply to a turn that is written down."""
    driver = conversing()
    driver.take_turn(M1, A, 1000)
    driver.send(CallerTranscript(M1, A, "Where is it?"))
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentTranscript(M1, R1, I1, "Your order has shipped"))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(ms)))
    driver.wait(0.5)
    return driver


def test_a_reply_that_was_lost_plays_out_and_is_gone_on_with() -> None:
    driver = replying()
    before = driver.sent_ms()
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.1)
    told = driver.send(ModelReady(M2))
    assert RequestResponse(M2) not in told, "it does not know yet what was heard"
    out = driver.wait(2.0)
    assert driver.sent_ms() - before > 1000
    assert kinds(only(out, AddAgentText, AddCue, RequestResponse)) == [AddAgentText, AddCue, RequestResponse]
    assert AddAgentText(M2, I1, "Your order has shipped") in out


def test_a_lost_reply_that_the_caller_interrupts_is_not_gone_on_with() -> None:
    driver = replying(6000)
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.1)
    driver.send(ModelReady(M2))
    out = driver.hear(Verdict.SPEECH, 400)
    out += driver.hear(Verdict.SPEECH, 3000)
    assert only(out, AddCue, RequestResponse) == []


def test_a_reply_that_is_whole_needs_no_other() -> None:
    driver = replying()
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.1)
    out = driver.send(ModelReady(M2)) + driver.wait(5.0)
    assert RequestResponse(M2) not in out


def test_a_reply_without_a_sound_yet_is_asked_for_again_at_once() -> None:
    driver = conversing()
    driver.take_turn(M1, A, 1000)
    driver.send(CallerTranscript(M1, A, "Where is it?"))
    driver.send(ResponseStarted(M1, R1))
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.1)
    assert driver.send(ModelReady(M2))[-1] == RequestResponse(M2)


# --- the cover line ---------------------------------------------------------------------------------------------------


def test_somebody_who_waits_in_silence_for_a_second_is_told_to() -> None:
    driver = conversing()
    driver.take_turn(M1, A, 1000)
    driver.send(CallerTranscript(M1, A, "Where is it?"))
    driver.send(ModelLost(M1, "close_1006"))
    assert only(driver.hear(Verdict.SILENCE, 440), SpeakPhrase) == [], "half a second has gone by before the loss"
    (spoken,) = only(driver.hear(Verdict.SILENCE, 200), SpeakPhrase)
    assert isinstance(spoken, SpeakPhrase)
    assert spoken.phrase is Phrase.COVER
    driver.speak(spoken.piece, 1000)
    assert only(driver.hear(Verdict.SILENCE, 2000), SpeakPhrase) == [], "once for each loss"


def test_nobody_is_told_to_wait_for_nothing() -> None:
    driver = conversing()
    driver.send(ModelLost(M1, "close_1006"))
    assert only(driver.hear(Verdict.SILENCE, 3000), SpeakPhrase) == []
    out = driver.hear(Verdict.SOUND, 400)
    assert only(out, SpeakPhrase) == [], "nobody is interrupted by it"
    out = driver.hear(Verdict.SILENCE, 1200)
    assert [c.phrase for c in only(out, SpeakPhrase) if isinstance(c, SpeakPhrase)] == [Phrase.COVER]


# --- who is tried next ------------------------------------------------------------------------------------------------


Opened = list[tuple[float, int]]


def lose_all(driver: Driver, seconds: float, *, is_final: bool = False) -> tuple[Opened, list[Command]]:
    """Every further session is refused at once. Returns when each was opened, with which model, and all commands."""
    began = driver.at
    opened: list[tuple[float, int]] = []
    said: list[Command] = []
    while driver.at < began + seconds:
        out = driver.hear(Verdict.SILENCE, 20)
        said += out
        for command in out:
            if isinstance(command, OpenModel):
                opened.append((round(driver.at - began, 1), command.choice))
                said += driver.send(ModelLost(command.model, "connect_refused", is_final))
            elif isinstance(command, SpeakPhrase):
                driver.speak(command.piece, 1000)
    return opened, said


def test_a_model_that_cannot_be_reached_gives_way_to_the_next() -> None:
    driver = conversing(replace(CONFIRMED, models=(ModelTerms(), ModelTerms())))
    driver.send(ModelLost(M1, "close_1006"))
    opened, said = lose_all(driver, 12.0)
    assert [choice for _, choice in opened][:5] == [0, 0, 0, 1, 1]
    assert opened[3][0] <= 1.7
    assert HangUp() in said


def test_what_can_only_fail_again_is_not_tried_again() -> None:
    driver = conversing(replace(CONFIRMED, models=(ModelTerms(), ModelTerms(), ModelTerms())))
    driver.send(ModelLost(M1, "http_401", is_final=True))
    opened, said = lose_all(driver, 3.0, is_final=True)
    assert [choice for _, choice in opened] == [1, 2]
    assert [c.phrase for c in said if isinstance(c, SpeakPhrase)] == [Phrase.MODEL_LOST]


def test_a_provider_that_must_not_be_reconnected_to_gives_way_at_once() -> None:
    driver = conversing(replace(CONFIRMED, models=(ModelTerms(reconnects=False), ModelTerms())))
    driver.send(ModelLost(M1, "close_1000"))
    assert driver.wait(0.1) == [OpenModel(M2, 1)]


def test_a_provider_that_must_not_be_reconnected_to_and_has_no_other_ends_the_call() -> None:
    driver = conversing(replace(CONFIRMED, models=(ModelTerms(reconnects=False),)))
    out = driver.send(ModelLost(M1, "close_1000"))
    assert [c.phrase for c in out if isinstance(c, SpeakPhrase)] == [Phrase.MODEL_LOST]


def test_a_model_that_does_not_answer_gives_way_too_from_the_first_connect_on() -> None:
    driver = Driver(replace(CONFIRMED, models=(ModelTerms(), ModelTerms())))
    assert OpenModel(M1, 0) in driver.send(StreamStarted())
    driver.speak(1, 2000)
    assert only(driver.wait(2.6), CloseModel, OpenModel) == [CloseModel(M1), OpenModel(M2, 1)]
    driver.speak(2, 500)
    driver.send(ModelReady(M2))
    assert driver.send(ModelReady(M1)) == []
    assert only(driver.wait(9.0), OpenModel) == []


def test_a_call_whose_model_stays_lost_is_put_through_where_the_agent_file_says() -> None:
    driver = conversing(replace(CONFIRMED, transfer_unserved="+15550100"))
    driver.send(ModelLost(M1, "close_1006"))
    _, said = lose_all(driver, 12.0)
    assert TransferCall("+15550100") in said
    assert HangUp() not in said


# --- tools that are running -------------------------------------------------------------------------------------------


def find_something(driver: Driver) -> list[Command]:
    """The model speaks a word and calls a tool; nothing says yet that the response is over."""
    out = driver.send(ResponseStarted(M1, R1))
    out += driver.send(AgentAudio(M1, R1, I1, 0, pcm(500)))
    out += driver.send(AgentAudioEnded(M1, R1, I1))
    return out + driver.send(ToolCallRequested(M1, R1, ItemId("call_item"), FIND, "find", "{}"))


@pytest.mark.parametrize("is_written", [True, False])
@pytest.mark.parametrize("is_answered", [True, False])
def test_a_tool_that_a_lost_model_has_called_runs_once_and_its_answer_is_the_next_ones(
    is_written: bool, is_answered: bool
) -> None:
    driver = conversing()
    driver.take_turn(M1, A, 2000)
    if is_written:
        driver.send(CallerTranscript(M1, A, "Where is order 1042?"))
    assert RunTool(FIND, "find", "{}") in find_something(driver)
    answer = ToolCallFinished(FIND, ToolStatus.OK, "shipped")
    if is_answered:
        driver.send(answer)
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.1)
    out = driver.send(ModelReady(M2))
    out += driver.hear(Verdict.SILENCE, 3000)
    assert driver.loud_ms(M2) == 0, "heard again, the question would be acted on again"
    if not is_answered:
        assert not only(out, RequestResponse)
        out += driver.send(answer)
        out += driver.hear(Verdict.SILENCE, 3000)
    cue = AddCue(M2, ItemId("dialtone_3"), "find was called with {} and answered shipped")
    assert cue in out
    assert only(out, RequestResponse) == [RequestResponse(M2)], "one answer"
    assert out.index(cue) < out.index(RequestResponse(M2))
    assert len(only(out, AddCue)) == 1, "no word of a voice that broke off"


def test_a_response_that_lacked_only_its_end_is_not_said_again() -> None:
    driver = conversing()
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentTranscript(M1, R1, I1, "It has been shipped."))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(1500)))
    driver.send(AgentAudioEnded(M1, R1, I1))
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.1)
    driver.send(ModelReady(M2))
    (cue,) = only(driver.hear(Verdict.SILENCE, 2000), AddCue)
    assert isinstance(cue, AddCue)
    assert "do not say them again" in cue.text


def test_no_cover_line_falls_on_the_heels_of_what_still_sounded() -> None:
    driver = conversing()
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(3000)))
    driver.send(ModelLost(M1, "close_1006"))
    driver.wait(0.1)
    driver.send(ModelReady(M2))
    assert not only(driver.hear(Verdict.SILENCE, 3800), SpeakPhrase), "what there was ended eight tenths ago"


def test_a_model_that_never_comes_is_given_up_within_the_time_of_a_lost_one() -> None:
    driver = Driver(CONFIRMED)
    driver.send(StreamStarted())
    driver.speak(1, 2000)
    driver.hear(Verdict.SILENCE, 2200)
    driver.speak(2, 500)
    driver.hear(Verdict.SILENCE, 2800)
    driver.send(ModelLost(M1, "first_event_timeout"))  # after five seconds
    out = driver.hear(Verdict.SILENCE, 3200)
    assert Phrase.MODEL_LOST in [c.phrase for c in only(out, SpeakPhrase) if isinstance(c, SpeakPhrase)]


def test_a_model_that_is_lost_for_good_lets_the_disclosure_be_heard_first() -> None:
    driver = Driver(CONFIRMED)
    driver.send(StreamStarted())
    driver.speak(1, 6000)
    driver.hear(Verdict.SILENCE, 300)
    out = driver.send(ModelLost(M1, "error_invalid_api_key", is_final=True))
    assert not only(out, SpeakPhrase), "nothing else of ours is heard before it"
    assert not only(out, ClearPlayback)
    out = driver.hear(Verdict.SILENCE, 6200)
    assert [c.result for c in out if isinstance(c, NoteDisclosure)] == [DisclosureResult.HEARD]
    assert CancelSpeech(PieceNumber(2)) in out, "no greeting to a call that nobody serves"
    assert [c.phrase for c in out if isinstance(c, SpeakPhrase)][-1] is Phrase.MODEL_LOST


def test_a_model_that_is_lost_for_good_is_not_waited_for_behind_a_long_disclosure() -> None:
    driver = Driver(CONFIRMED)
    driver.send(StreamStarted())
    driver.speak(1, 60_000)
    driver.send(ModelReady(M1))
    driver.hear(Verdict.SILENCE, 2000)
    driver.send(ModelLost(M1, "close_1006"))
    _, said = lose_all(driver, 10.9)
    assert not [c for c in said if isinstance(c, SpeakPhrase | HangUp)]
    out = driver.hear(Verdict.SILENCE, 200)
    assert only(out, HangUp) == [HangUp(SORRY)], "the carrier's voice says it, and has nine seconds for that"
    assert not only(out, SpeakPhrase)


def test_a_call_that_nobody_serves_is_put_through_with_a_word_behind_a_long_disclosure_too() -> None:
    driver = Driver(replace(CONFIRMED, transfer_unserved="+15550100"))
    driver.send(StreamStarted())
    driver.speak(1, 60_000)
    driver.send(ModelLost(M1, "error_invalid_api_key", is_final=True))
    assert only(driver.hear(Verdict.SILENCE, 11_100), TransferCall) == [TransferCall("+15550100", SORRY)]


def test_last_words_that_our_voice_cannot_speak_are_the_carriers_before_a_transfer_too() -> None:
    driver = conversing(replace(CONFIRMED, transfer_unserved="+15550100"))
    out = driver.send(ModelLost(M1, "error_invalid_api_key", is_final=True))
    (words,) = [c for c in out if isinstance(c, SpeakPhrase)]
    assert driver.send(SpeechFailed(words.piece, "not_rendered")) == [TransferCall("+15550100", SORRY)]


def test_the_last_words_behind_a_disclosure_end_within_twenty_seconds_of_the_loss() -> None:
    driver = Driver(CONFIRMED)
    lost_at = driver.at
    driver.send(StreamStarted())
    driver.speak(1, 10_800)
    driver.send(ModelLost(M1, "error_invalid_api_key", is_final=True))
    (words,) = [
        c for c in driver.hear(Verdict.SILENCE, 10_900) if isinstance(c, SpeakPhrase) and c.phrase is Phrase.MODEL_LOST
    ]
    driver.speak(words.piece, 12_000)
    driver.hear(Verdict.SILENCE, 10_000)
    (at,) = [at for at, command in driver.log if command == HangUp()]
    assert 18.0 < at - lost_at <= 20.0


def test_a_disclosure_whose_mark_is_on_its_way_back_when_nobody_serves_the_call_is_followed_by_the_last_words() -> None:
    driver = Driver(CONFIRMED, delay_s=0.15)
    driver.send(StreamStarted())
    driver.speak(1, 10_800)
    driver.send(ModelLost(M1, "error_invalid_api_key", is_final=True))
    out = driver.hear(Verdict.SILENCE, 11_100)
    assert [c.phrase for c in out if isinstance(c, SpeakPhrase)] == [Phrase.MODEL_LOST], (
        "no greeting to a call that nobody serves"
    )
    (disclosed,) = [c for c in out if isinstance(c, NoteDisclosure)]
    assert (disclosed.result, disclosed.mark) == (DisclosureResult.UNPROVEN, None)


def test_a_call_that_ends_before_its_disclosure_was_heard_has_its_last_words_from_the_carrier() -> None:
    driver = Driver(replace(CONFIRMED, max_call_s=5.0))
    driver.send(StreamStarted())
    driver.send(ModelReady(M1))
    driver.speak(1, 60_000)
    out = driver.hear(Verdict.SILENCE, 5100)
    assert only(out, HangUp) == [HangUp(GOODBYE)]
    assert not only(out, SpeakPhrase)


@settings(max_examples=60, deadline=None)
@given(
    disclosure_ms=st.integers(100, 16_000),
    words_ms=st.integers(0, 12_000),
    lost_ms=st.integers(0, 18_000),
    delay_s=st.sampled_from([0.0, 0.05, 0.4]),
    returns_marks=st.booleans(),
    is_final=st.booleans(),
)
def test_a_call_that_nobody_serves_ends_in_time_and_with_a_word(
    disclosure_ms: int, words_ms: int, lost_ms: int, delay_s: float, returns_marks: bool, is_final: bool
) -> None:
    driver = Driver(CONFIRMED, delay_s=delay_s)
    driver.returns_marks = returns_marks
    driver.send(StreamStarted())
    driver.speak(1, disclosure_ms)
    driver.send(ModelReady(M1))
    driver.hear(Verdict.SILENCE, lost_ms)
    lost_at = driver.at
    out = driver.send(ModelLost(M1, "close_1006", is_final))
    spoken: list[Phrase] = []
    while not only(out, HangUp):
        assert driver.at - lost_at <= 20.0
        out = out or driver.hear(Verdict.SILENCE, 20)
        for command in out:  # which grows meanwhile
            if isinstance(command, OpenModel):
                out += driver.send(ModelLost(command.model, "connect_refused", is_final))
            elif isinstance(command, SpeakPhrase):
                spoken.append(command.phrase)
                if command.phrase is Phrase.MODEL_LOST and not words_ms:
                    out += driver.send(SpeechFailed(command.piece, "not_rendered"))
                else:
                    out += driver.speak(command.piece, words_ms if command.phrase is Phrase.MODEL_LOST else 3000)
        out = only(out, HangUp)
    (said,) = [command.say for command in out if isinstance(command, HangUp)]
    assert driver.at - lost_at <= (20.0 if said is None else 12.0), "the carrier's voice takes up to eight seconds"
    assert said == (None if Phrase.MODEL_LOST in spoken and words_ms else SORRY)


def test_a_model_that_was_silent_before_it_was_known_to_be_lost_has_used_up_some_of_the_time() -> None:
    driver = conversing()
    driver.hear(Verdict.SOUND, 400)
    out = driver.send(ModelSilent(M1, 10.0))
    assert out[0] == CloseModel(M1)
    assert OpenModel(M2) in driver.wait(0.1), "it is tried once more all the same"
    out = driver.hear(Verdict.SILENCE, 2200)
    assert Phrase.MODEL_LOST in [c.phrase for c in only(out, SpeakPhrase) if isinstance(c, SpeakPhrase)]


def test_a_silent_model_that_nobody_waits_for_is_left_alone() -> None:
    driver = conversing()
    driver.hear(Verdict.SOUND, 400)
    driver.hear(Verdict.SILENCE, 7000)
    assert driver.send(ModelSilent(M1, 6.0)) == []
    driver.hear(Verdict.SOUND, 400)
    assert CloseModel(M1) in driver.send(ModelSilent(M1, 8.0))


def test_an_account_that_is_full_gives_way_at_once_if_there_is_another() -> None:
    driver = conversing(replace(CONFIRMED, models=(ModelTerms(), ModelTerms())))
    driver.send(ModelLost(M1, "sessions_full", is_crowded=True))
    assert driver.wait(0.0) == [OpenModel(M2, 1)]
    driver = conversing()
    driver.send(ModelLost(M1, "sessions_full", is_crowded=True))
    assert driver.wait(0.0) == [OpenModel(M2)]


def test_the_last_words_of_a_lost_call_end_within_twenty_seconds_of_the_loss() -> None:
    driver = conversing()
    lost_at = driver.at
    driver.send(ModelLost(M1, "invalid_api_key", is_final=True))
    driver.speak(3, 30_000)
    out = driver.hear(Verdict.SILENCE, 20_000)
    assert HangUp() in out
    (at,) = [at for at, command in driver.log if command == HangUp()]
    assert 18.0 < at - lost_at <= 20.0


def test_the_caller_can_interrupt_what_still_sounds_while_the_next_model_is_caught_up_with() -> None:
    driver = conversing()
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(20_000)))
    driver.hear(Verdict.SILENCE, 1000)
    driver.send(ModelLost(M1, "close_1006"))
    driver.hear(Verdict.SILENCE, 200)
    assert ClearPlayback() in driver.hear(Verdict.SPEECH, 400)


def test_a_cut_response_that_its_server_calls_failed_is_not_wanted_again() -> None:
    driver = conversing(replace(CONFIRMED, barge_in=BargeInMode.IMMEDIATE))
    for number in (1, 2):
        response_id, item_id = ResponseId(f"resp_{number}"), ItemId(f"item_{number}")
        driver.send(ResponseStarted(M1, response_id))
        driver.send(AgentAudio(M1, response_id, item_id, 0, pcm(3000)))
        driver.wait(0.5)
        driver.send(CallerSpeechStarted(M1, A, 9000))
        driver.send(ResponseEnded(M1, response_id, ResponseStatus.FAILED, "server_error", {}))
    out = driver.wait(1.0)
    assert not only(out, RequestResponse, SpeakPhrase)


def test_what_the_first_model_has_called_in_vain_is_not_held_against_the_next() -> None:
    driver = conversing(replace(CONFIRMED, models=(ModelTerms(), ModelTerms())))
    for number in range(12):
        response_id, tool_call_id = ResponseId(f"resp_{number}"), ToolCallId(f"call_{number}")
        driver.send(ResponseStarted(M1, response_id))
        driver.send(ToolCallRequested(M1, response_id, ItemId(f"call_item_{number}"), tool_call_id, "find", "{}"))
        driver.send(ResponseEnded(M1, response_id, ResponseStatus.COMPLETED, "", {}))
        driver.send(ToolCallFinished(tool_call_id, ToolStatus.OK, "{}"))
    driver.send(ModelLost(M1, "http_401", is_final=True))
    driver.wait(0.1)
    driver.send(ModelReady(M2))
    driver.send(ResponseStarted(M2, R1))
    driver.send(ToolCallRequested(M2, R1, ItemId("call_item"), FIND, "find", "{}"))
    driver.send(ResponseEnded(M2, R1, ResponseStatus.COMPLETED, "", {}))
    assert RequestResponse(M2) in driver.send(ToolCallFinished(FIND, ToolStatus.OK, "{}"))
