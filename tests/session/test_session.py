"""A call by value: what happened in, what to do out."""

from dataclasses import replace

import pytest

from app.session.commands import (
    AddAgentText,
    AddCallerText,
    AnswerToolCall,
    AppendInputAudio,
    CancelResponse,
    CancelTool,
    ClearPlayback,
    CloseModel,
    Command,
    DeleteItem,
    HangUp,
    NoteBargeIn,
    NoteDisclosure,
    NoteEnd,
    NoteToolCall,
    NoteTurn,
    OpenModel,
    PlayAudio,
    RequestResponse,
    RunTool,
    SetTurnHandling,
    SpeakPhrase,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    CallCompleted,
    CallerAudio,
    CallerDigit,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTurnCommitted,
    DeadlinePassed,
    Event,
    ItemTaken,
    ModelLost,
    ModelReady,
    PlaybackReached,
    RequestRefused,
    ResponseEnded,
    ResponseStarted,
    ServiceStopping,
    SpeechFailed,
    StreamEnded,
    StreamStarted,
    ToolCallFinished,
    ToolCallRequested,
    TurnHandlingSet,
)
from app.session.session import Session
from app.session.terms import ModelTerms
from app.session.words import (
    DisclosureResult,
    Fault,
    ItemId,
    ModelNumber,
    Outcome,
    Phrase,
    PieceNumber,
    Request,
    ResponseId,
    ResponseStatus,
    Speaker,
    StreamEnd,
    ToolCallId,
    ToolStatus,
    Verdict,
)
from tests.support.driver import DISCLOSURE, GREETING, M1, SORRY, TERMS, Driver, pcm

pytestmark = pytest.mark.core

R1, I1, I2, CALLER = ResponseId("resp_1"), ItemId("item_1"), ItemId("item_2"), ItemId("caller_1")
ANSWERING = SetTurnHandling(M1, create_response=True, interrupt_response=True)


def audio_sent(driver: Driver) -> list[PlayAudio]:
    return [command for _, command in driver.log if isinstance(command, PlayAudio) and command.audio]


# --- the beginning ----------------------------------------------------------------------------------------------------


def test_the_stream_opens_the_model_and_starts_the_disclosure() -> None:
    driver = Driver()
    assert driver.send(StreamStarted()) == [OpenModel(M1), SpeakPhrase(PieceNumber(1), Phrase.DISCLOSURE)]
    assert driver.speak(1, 2000) == []
    assert driver.sent_ms() == 200  # the lead, at once


def test_nothing_of_the_model_is_sent_before_the_disclosures_mark_came_back() -> None:
    driver = Driver()
    driver.returns_marks = False
    driver.send(StreamStarted())
    driver.speak(1, 1000)
    driver.connect()
    driver.respond(1, 500, words="Hello.")
    driver.wait(3.0)
    assert driver.sent_ms() == 1000
    driver.returns_marks = True
    out = driver.wait(0.0)
    assert NoteDisclosure(DisclosureResult.HEARD, 0, 3000, "1:10", 0) in out
    driver.wait(1.0)
    assert driver.sent_ms() == 1500


def test_after_the_mark_come_settings_and_greeting() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    driver.speak(1, 2000)
    assert driver.connect() == []
    assert driver.wait(2.1) == [
        NoteDisclosure(DisclosureResult.HEARD, 0, 2000, "1:20", 0),
        AddAgentText(M1, ItemId("dialtone_1"), DISCLOSURE),
        ANSWERING,
        SpeakPhrase(PieceNumber(2), Phrase.GREETING),
    ]


def test_without_a_greeting_the_model_begins() -> None:
    driver = Driver(replace(TERMS, phrases={Phrase.DISCLOSURE: DISCLOSURE}))
    driver.send(StreamStarted())
    driver.speak(1, 100)
    driver.connect()
    assert driver.wait(0.2)[-2:] == [ANSWERING, RequestResponse(M1)]


def test_a_model_that_comes_late_is_told_what_was_said() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    driver.speak(1, 100)
    driver.wait(0.2)
    driver.speak(2, 100)
    driver.wait(0.2)
    assert driver.connect() == [
        AddAgentText(M1, ItemId("dialtone_1"), DISCLOSURE),
        AddAgentText(M1, ItemId("dialtone_2"), GREETING),
        ANSWERING,
    ]


def test_a_caller_who_speaks_through_the_disclosure_does_not_cut_it_and_is_answered_after_the_greeting() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    driver.speak(1, 2000)
    driver.connect()
    driver.wait(0.5)
    assert driver.send(CallerSpeechStarted(M1, CALLER, 300)) == []
    driver.wait(0.5)
    assert driver.send(CallerSpeechStopped(M1, CALLER, 900)) == []
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == []
    assert driver.wait(1.1)[2:] == [ANSWERING, SpeakPhrase(PieceNumber(2), Phrase.GREETING), RequestResponse(M1)]


def test_a_caller_who_speaks_when_the_disclosure_ends_is_heard_out_first() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    driver.speak(1, 1000)
    driver.connect()
    driver.wait(0.8)
    driver.send(CallerSpeechStarted(M1, CALLER, 300))
    assert driver.wait(0.5)[-1] == ANSWERING
    driver.send(TurnHandlingSet(M1))
    driver.send(CallerSpeechStopped(M1, CALLER, 900))
    # the model has confirmed that it answers by itself: only the greeting is ours
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == [SpeakPhrase(PieceNumber(2), Phrase.GREETING)]


def test_a_turn_committed_before_the_model_confirmed_is_asked_for_by_us() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    driver.speak(1, 1000)
    driver.connect()
    driver.wait(1.1)
    driver.speak(2, 100)
    driver.send(CallerSpeechStarted(M1, CALLER, 300))
    driver.send(CallerSpeechStopped(M1, CALLER, 900))
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == [RequestResponse(M1)]


def test_a_mark_that_never_comes_back_is_given_up_after_five_seconds() -> None:
    driver = Driver()
    driver.returns_marks = False
    driver.send(StreamStarted())
    driver.speak(1, 1000)
    driver.connect()
    assert driver.wait(5.9) == []
    out = driver.wait(0.2)
    assert out[0] == NoteDisclosure(DisclosureResult.UNPROVEN, 0, 6000, None, 0)
    assert out[-1] == SpeakPhrase(PieceNumber(2), Phrase.GREETING)


def test_a_caller_who_hangs_up_before_the_mark_is_back_leaves_a_disclosure_without_proof() -> None:
    driver = Driver()
    driver.returns_marks = False
    driver.send(StreamStarted())
    driver.speak(1, 1000)
    driver.connect()
    driver.wait(1.1)
    out = driver.send(StreamEnded(StreamEnd.STOPPED))
    assert NoteDisclosure(DisclosureResult.UNPROVEN, 0, 1100, None, 0) in out
    assert not [command for command in out if isinstance(command, SpeakPhrase)]


def test_a_disclosure_that_cannot_be_spoken_ends_the_call_before_the_model() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    assert driver.send(SpeechFailed(PieceNumber(1), "no_voice")) == [
        NoteDisclosure(DisclosureResult.FAILED, 0, None, None, 0),
        HangUp(SORRY),
    ]
    assert driver.send(StreamEnded(StreamEnd.CLOSED)) == [CloseModel(M1), NoteEnd(Outcome.DISCLOSURE_FAILED, 0, 0.0)]


def test_a_disclosure_that_the_carrier_has_spoken_is_proven_by_the_streams_start() -> None:
    driver = Driver()
    assert driver.send(StreamStarted(disclosure_said=True)) == [
        OpenModel(M1),
        NoteDisclosure(DisclosureResult.HEARD, None, 0, None, 0),
        SpeakPhrase(PieceNumber(1), Phrase.GREETING),
    ]
    assert driver.connect()[0] == AddAgentText(M1, ItemId("dialtone_1"), DISCLOSURE)


def test_an_interruptible_disclosure_is_said_again_until_it_was_heard_whole() -> None:
    driver = Driver(replace(TERMS, disclosure_interruptible=True))
    driver.send(StreamStarted())
    driver.speak(1, 2000)
    driver.connect()
    driver.wait(0.5)
    assert driver.send(CallerSpeechStarted(M1, CALLER, 300))[0] == ClearPlayback()
    driver.send(CallerSpeechStopped(M1, CALLER, 900))
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == [SpeakPhrase(PieceNumber(2), Phrase.DISCLOSURE)]
    driver.speak(2, 1000)
    driver.wait(0.9)
    assert driver.wait(0.2)[0] == NoteDisclosure(DisclosureResult.HEARD, 500, 1500, "2:17", 1)


def test_a_caller_who_leaves_during_the_disclosure_is_recorded_so() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    driver.speak(1, 2000)
    driver.wait(0.5)
    out = driver.send(StreamEnded(StreamEnd.STOPPED))
    assert out[-2:] == [
        NoteDisclosure(DisclosureResult.HANGUP, 0, None, None, 0),
        NoteEnd(Outcome.CALLER_HUNG_UP, 500, 0.0),
    ]
    assert driver.session.ended
    assert driver.session.deadline is None


# --- the caller's audio -----------------------------------------------------------------------------------------------


def test_audio_from_before_the_model_is_kept_and_sent_at_twice_real_time() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    frames = [bytes([n]) * 960 for n in range(6)]
    for frame in frames[:3]:
        assert driver.send(CallerAudio(frame)) == []
    driver.connect()
    assert driver.send(CallerAudio(frames[3])) == [AppendInputAudio(M1, frames[0]), AppendInputAudio(M1, frames[1])]
    assert driver.send(CallerAudio(frames[4])) == [AppendInputAudio(M1, frames[2]), AppendInputAudio(M1, frames[3])]
    assert driver.send(CallerAudio(frames[5])) == [AppendInputAudio(M1, frames[4]), AppendInputAudio(M1, frames[5])]
    assert driver.send(CallerAudio(frames[0])) == [AppendInputAudio(M1, frames[0])]


def test_what_is_kept_for_the_model_is_bounded() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    for n in range(600):
        driver.send(CallerAudio(n.to_bytes(2, "little") * 480, Verdict.SOUND))
    driver.connect()
    first = driver.send(CallerAudio(pcm(20)))[0]
    assert first == AppendInputAudio(M1, (101).to_bytes(2, "little") * 480)  # the last ten seconds


def test_a_frame_moves_no_timer() -> None:
    driver = Driver()
    driver.converse()
    before = driver.session.deadline
    driver.wait(0.1)
    driver.send(CallerAudio(pcm(20)))
    assert driver.session.deadline == before


# --- interruption -----------------------------------------------------------------------------------------------------


def test_an_interruption_clears_cancels_and_truncates_at_what_was_heard() -> None:
    driver = Driver()
    driver.converse()
    driver.respond(1, 4000, words="Your order has shipped and will arrive on Friday.", ends=False)
    driver.wait(1.5)
    start = CallerSpeechStarted(M1, CALLER, 4000)
    assert driver.send(start) == [
        ClearPlayback(),
        CancelResponse(M1, R1),
        TruncateItem(M1, I1, 0, 1500),
        NoteBargeIn(R1, I1, 1500, 4000, "1:31"),
        NoteTurn(
            Speaker.AGENT,
            "Your order has shipped and will arrive on Friday.",
            "Your order has",
            3200,
            4700,
            interrupted=True,
        ),
    ]
    # what comes late has no effect: audio of the cut response, marks of the cleared line
    sent = driver.sent_ms()
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(1000)))
    driver.wait(1.0)
    assert driver.sent_ms() == sent
    assert driver.send(ResponseEnded(M1, R1, ResponseStatus.CANCELLED, "turn_detected", {})) == []


def test_with_network_delay_the_cut_is_where_the_clear_lands() -> None:
    driver = Driver(delay_s=0.1)
    driver.converse()
    driver.wait(0.5)
    driver.respond(1, 4000, ends=False)
    driver.wait(1.0)
    out = driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    # sent at 0, began to play at 0.1, the clear lands at 1.1: a second was played
    assert TruncateItem(M1, I1, 0, 1000) in out


def test_an_item_whose_generation_is_over_is_truncated_without_a_cancel() -> None:
    driver = Driver()
    driver.converse()
    driver.respond(1, 3000)
    driver.wait(1.0)
    out = driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    assert out[:2] == [ClearPlayback(), TruncateItem(M1, I1, 0, 1000)]


def test_of_several_items_the_sounding_one_is_cut_and_the_unheard_are_deleted() -> None:
    driver = Driver()
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    for item in (I1, I2, ItemId("item_3")):
        driver.send(AgentAudio(M1, R1, item, 0, pcm(1000)))
        driver.send(AgentAudioEnded(M1, R1, item))
    driver.wait(1.4)
    out = driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    assert out[:4] == [
        ClearPlayback(),
        CancelResponse(M1, R1),
        TruncateItem(M1, I2, 0, 400),
        DeleteItem(M1, ItemId("item_3")),
    ]


def test_what_was_not_begun_is_deleted_not_truncated() -> None:
    driver = Driver()
    driver.converse()
    driver.respond(1, 3000)
    assert driver.send(CallerSpeechStarted(M1, CALLER, 4000))[:2] == [ClearPlayback(), DeleteItem(M1, I1)]


def test_a_cut_greeting_enters_the_conversation_with_the_heard_words_only() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    driver.speak(1, 1000)
    driver.connect()
    driver.wait(1.1)
    driver.send(TurnHandlingSet(M1))
    driver.speak(2, 2000)
    driver.wait(1.0)
    assert driver.send(CallerSpeechStarted(M1, CALLER, 1900)) == [
        ClearPlayback(),
        AddAgentText(M1, ItemId("dialtone_2"), "Thank you for calling"),
        NoteBargeIn(None, None, 1000, 2000, "1:11"),
        NoteTurn(Speaker.AGENT, GREETING, "Thank you for calling", 1100, 2100, interrupted=True),
    ]


def test_speech_while_nobody_else_speaks_interrupts_nothing() -> None:
    driver = Driver()
    driver.converse()
    assert driver.send(CallerSpeechStarted(M1, CALLER, 4000)) == []


def test_a_response_asked_for_before_the_caller_spoke_is_cancelled_when_it_begins() -> None:
    driver = Driver()
    driver.converse()
    driver.send(CallerDigit("1"))
    assert driver.send(CallerDigit("#"))[-1] == RequestResponse(M1)
    driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    assert driver.send(ResponseStarted(M1, R1)) == [CancelResponse(M1, R1)]
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(100)))
    assert driver.sent_ms() == 3000


def test_two_minutes_of_waiting_speech_cancel_the_response_and_what_there_is_plays_out() -> None:
    driver = Driver()
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    out = []
    for _ in range(125):
        out += driver.send(AgentAudio(M1, R1, I1, 0, pcm(1000)))
    assert out == [CancelResponse(M1, R1)]
    driver.send(ResponseEnded(M1, R1, ResponseStatus.CANCELLED, "client_cancelled", {}))
    ended = frames(driver, 125)
    assert TruncateItem(M1, I1, 0, 121_000) in ended
    assert driver.sent_ms() == 3000 + 121_000


# --- what is heard ----------------------------------------------------------------------------------------------------


def test_the_carrier_never_holds_more_than_the_lead() -> None:
    driver = Driver()
    driver.converse()
    driver.respond(1, 10_000)
    begin = driver.at
    for _ in range(40):
        driver.wait(0.05)
        assert driver.sent_ms() - 3000 <= (driver.at - begin) * 1000 + 200.001
    assert driver.sent_ms() - 3000 >= 2000


@pytest.mark.parametrize("delay_s", [0.0, 0.001, 0.004, 0.02, 0.12])
def test_a_piece_goes_along_with_the_mark_of_the_last_one_where_the_carrier_is_near(delay_s: float) -> None:
    driver = Driver(delay_s=delay_s)
    driver.converse(greeting_ms=3000)
    driver.respond(1, 20_000)
    driver.line.played_until -= 0.003  # the way down holds back so much, so that marks come sooner
    driver.wait(3.0)
    begins = len(driver.log)
    steps: list[type[Event]] = []

    def receive(event: Event, *, at: float) -> list[Command]:
        steps.append(type(event))
        return Session.receive(driver.session, event, at=at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver.session, "receive", receive)
        for _ in range(500):
            driver.hear(Verdict.SILENCE, 20)
            assert 0 < driver.line.played_until - driver.at - delay_s <= 0.21 + 1e-9
    pieces = sum(isinstance(command, PlayAudio) for _, command in driver.log[begins:])
    assert 99 <= pieces <= 100
    assert steps.count(DeadlinePassed) == (0 if delay_s <= 0.004 else pieces), "far from it, each has a step of its own"


def test_late_wake_ups_are_made_up_for_never_doubled() -> None:
    driver = Driver()
    driver.converse()
    driver.respond(1, 5000)
    driver.at += 0.9  # a busy loop
    driver.wait(0.0)
    driver.wait(0.0)
    # the carrier had run dry: a fresh lead, longer than the first, not nine hundred at once
    assert driver.sent_ms() - 3000 == 200 + 500


def test_a_turn_is_noted_when_it_was_heard_not_when_it_was_generated() -> None:
    driver = Driver()
    driver.converse()
    out = driver.respond(1, 2000, words="It has shipped.")
    assert out == []
    assert driver.wait(1.9) == []
    assert driver.wait(0.2) == [NoteTurn(Speaker.AGENT, "It has shipped.", "It has shipped.", 3200, 5200)]


# --- the caller's turns -----------------------------------------------------------------------------------------------


def test_a_callers_turn_is_noted_with_its_words() -> None:
    driver = Driver()
    driver.converse()
    driver.send(CallerSpeechStarted(M1, CALLER, 3000))
    driver.wait(1.0)
    driver.send(CallerSpeechStopped(M1, CALLER, 3900))
    driver.send(CallerTurnCommitted(M1, CALLER))
    assert driver.send(CallerTranscript(M1, CALLER, "Where is it?")) == [
        NoteTurn(Speaker.CALLER, None, "Where is it?", 3000, 3900)
    ]


def test_a_turn_that_the_model_leaves_unanswered_is_asked_for() -> None:
    driver = Driver()
    driver.converse()
    driver.send(CallerSpeechStarted(M1, CALLER, 3000))
    driver.send(CallerSpeechStopped(M1, CALLER, 3900))
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == []
    assert driver.wait(3.9) == []
    assert driver.wait(0.2) == [RequestResponse(M1)]


def test_digits_are_one_text_and_are_answered() -> None:
    driver = Driver()
    driver.converse()
    for digit in "1042":
        assert driver.send(CallerDigit(digit)) == []
    assert driver.wait(2.1) == [AddCallerText(M1, ItemId("dialtone_3"), "Keypad: 1042"), RequestResponse(M1)]


def test_digits_during_the_disclosure_wait_for_its_mark() -> None:
    driver = Driver()
    driver.send(StreamStarted())
    driver.speak(1, 2000)
    driver.connect()
    for digit in "42#":
        assert driver.send(CallerDigit(digit)) == []
    assert driver.wait(2.1)[1:] == [
        AddCallerText(M1, ItemId("dialtone_1"), "Keypad: 42"),
        AddAgentText(M1, ItemId("dialtone_2"), DISCLOSURE),
        ANSWERING,
        SpeakPhrase(PieceNumber(2), Phrase.GREETING),
        RequestResponse(M1),
    ]


# --- tools ------------------------------------------------------------------------------------------------------------

T1, T2 = ToolCallId("call_1"), ToolCallId("call_2")


def lookup(tool_call_id: ToolCallId = T1) -> ToolCallRequested:
    return ToolCallRequested(M1, R1, I1, tool_call_id, "lookup_order", '{"order_number": "1042"}')


def test_a_tool_is_run_answered_once_and_then_a_response_is_asked_for() -> None:
    driver = Driver()
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    assert driver.send(lookup()) == [RunTool(T1, "lookup_order", '{"order_number": "1042"}')]
    assert driver.send(lookup()) == []
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    driver.wait(0.25)
    done = ToolCallFinished(T1, ToolStatus.OK, '{"rows": []}')
    assert driver.send(done) == [
        NoteToolCall("lookup_order", '{"order_number": "1042"}', '{"rows": []}', ToolStatus.OK, 250),
        AnswerToolCall(M1, ItemId("dialtone_3"), T1, '{"rows": []}'),
        RequestResponse(M1),
    ]
    assert driver.send(done) == []


def test_the_answer_waits_for_the_end_of_the_response_and_for_the_other_tool() -> None:
    driver = Driver()
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(lookup())
    driver.send(lookup(T2))
    assert RequestResponse(M1) not in driver.send(ToolCallFinished(T1, ToolStatus.OK, "{}"))
    assert RequestResponse(M1) not in driver.send(ToolCallFinished(T2, ToolStatus.OK, "{}"))
    assert driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {})) == [RequestResponse(M1)]


def test_a_tool_result_that_the_models_own_answer_knows_is_not_asked_for_again() -> None:
    driver = Driver()
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(lookup())
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    driver.send(ToolCallFinished(T1, ToolStatus.OK, "{}"))
    driver.send(ItemTaken(M1, ItemId("dialtone_3")))
    driver.send(CallerSpeechStopped(M1, CALLER, 4500))
    driver.send(CallerTurnCommitted(M1, CALLER))
    driver.send(ResponseStarted(M1, ResponseId("resp_2")))
    assert driver.send(ResponseEnded(M1, ResponseId("resp_2"), ResponseStatus.COMPLETED, "", {})) == []


def test_a_tool_result_that_crossed_with_the_models_own_answer_is_asked_for() -> None:
    driver = Driver()
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(lookup())
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    driver.send(CallerSpeechStopped(M1, CALLER, 4500))
    driver.send(CallerTurnCommitted(M1, CALLER))
    driver.send(ToolCallFinished(T1, ToolStatus.OK, "{}"))  # told while the model begins
    driver.send(ResponseStarted(M1, ResponseId("resp_2")))
    driver.send(ItemTaken(M1, ItemId("dialtone_3")))
    out = driver.send(ResponseEnded(M1, ResponseId("resp_2"), ResponseStatus.COMPLETED, "", {}))
    assert out == [RequestResponse(M1)]


def test_a_request_refused_for_another_response_is_made_again_after_it() -> None:
    driver = Driver()
    driver.converse()
    driver.send(CallerDigit("1"))
    driver.send(CallerDigit("#"))
    driver.send(ResponseStarted(M1, R1))  # the model's own, not the one we asked for
    driver.send(RequestRefused(M1, Request.RESPONSE, Fault.BENIGN, "conversation_already_has_active_response"))
    assert driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {})) == [RequestResponse(M1)]


def test_refusals_do_not_make_a_loop() -> None:
    driver = Driver()
    driver.converse()
    driver.send(CallerDigit("1"))
    driver.send(CallerDigit("#"))
    refused = RequestRefused(M1, Request.RESPONSE, Fault.BENIGN, "conversation_already_has_active_response")
    assert driver.send(refused) == []
    assert driver.wait(0.9) == []
    assert driver.wait(0.2) == [RequestResponse(M1)]
    assert driver.send(RequestRefused(M1, Request.RESPONSE, Fault.REQUEST, "invalid_value")) == []
    assert driver.wait(5.0) == []


def test_a_failed_response_is_tried_once_more() -> None:
    driver = Driver()
    driver.converse()
    driver.send(CallerDigit("1"))
    driver.send(CallerDigit("#"))
    driver.send(ResponseStarted(M1, R1))
    assert driver.send(ResponseEnded(M1, R1, ResponseStatus.FAILED, "rate_limit_exceeded", {})) == []
    assert driver.wait(0.4) == [], "what was too much a moment ago is not asked again at once"
    assert driver.wait(0.2) == [RequestResponse(M1)]
    driver.send(ResponseStarted(M1, ResponseId("resp_2")))
    out = driver.send(ResponseEnded(M1, ResponseId("resp_2"), ResponseStatus.FAILED, "rate_limit_exceeded", {}))
    assert out == [SpeakPhrase(PieceNumber(3), Phrase.MODEL_LOST), CloseModel(M1)], "nobody is left in silence"


def test_a_model_whose_responses_fail_gives_way_to_the_next() -> None:
    driver = Driver(replace(TERMS, models=(ModelTerms(), ModelTerms())))
    driver.converse()
    driver.send(CallerDigit("1"))
    driver.send(CallerDigit("#"))
    driver.send(ResponseStarted(M1, R1))
    driver.send(ResponseEnded(M1, R1, ResponseStatus.FAILED, "server_error", {}))
    driver.wait(0.6)
    driver.send(ResponseStarted(M1, ResponseId("resp_2")))
    assert driver.send(ResponseEnded(M1, ResponseId("resp_2"), ResponseStatus.FAILED, "server_error", {})) == []
    second = ModelNumber(2)
    assert driver.wait(0.1) == [CloseModel(M1), OpenModel(second, 1)]
    out = driver.send(ModelReady(second))
    assert AddCallerText(second, ItemId("dialtone_3"), "Keypad: 1") in out
    assert RequestResponse(second) in out, "what was asked is answered by the other"


def test_a_model_that_does_nothing_but_call_tools_is_given_up() -> None:
    driver = Driver()
    driver.converse()
    driver.send(CallerDigit("1"))
    out: list[object] = list(driver.send(CallerDigit("#")))
    rounds = 0
    while RequestResponse(M1) in out:
        rounds += 1
        response_id, tool_call_id = ResponseId(f"resp_{rounds}"), ToolCallId(f"call_{rounds}")
        driver.send(ResponseStarted(M1, response_id))
        driver.send(ToolCallRequested(M1, response_id, ItemId(f"call_item_{rounds}"), tool_call_id, "find", "{}"))
        driver.send(ResponseEnded(M1, response_id, ResponseStatus.COMPLETED, "", {}))
        out = list(driver.send(ToolCallFinished(tool_call_id, ToolStatus.OK, "{}")))
    assert rounds == 13
    assert SpeakPhrase(PieceNumber(3), Phrase.MODEL_LOST) in out


def test_a_tool_call_of_a_cut_response_is_withdrawn() -> None:
    driver = Driver()
    driver.converse()
    driver.respond(1, 1000, ends=False)
    driver.wait(0.3)
    driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    event = ToolCallRequested(M1, R1, I2, T1, "lookup_order", "{}")
    assert driver.send(event) == [
        NoteToolCall("lookup_order", "{}", "", ToolStatus.WITHDRAWN, 0),
        DeleteItem(M1, I2),
    ]


# --- silence and the end ----------------------------------------------------------------------------------------------


def frames(driver: Driver, seconds: float) -> list[object]:
    """Time with a caller's line that is open and quiet."""
    out: list[object] = []
    for _ in range(round(seconds)):
        out += [c for c in driver.send(CallerAudio(pcm(20))) if not isinstance(c, AppendInputAudio)]
        out += driver.wait(1.0)
    return out


def test_a_silent_caller_is_asked_once_and_then_let_go() -> None:
    driver = Driver()
    driver.converse()
    assert frames(driver, 11) == []
    assert frames(driver, 2) == [SpeakPhrase(PieceNumber(3), Phrase.IDLE)]
    driver.speak(3, 1000)
    assert SpeakPhrase(PieceNumber(4), Phrase.GOODBYE) not in frames(driver, 16)
    assert SpeakPhrase(PieceNumber(4), Phrase.GOODBYE) in frames(driver, 2)
    driver.speak(4, 1000)
    assert HangUp() in frames(driver, 2)
    out = driver.send(StreamEnded(StreamEnd.CLOSED))
    assert isinstance(out[-1], NoteEnd)
    assert out[-1].outcome is Outcome.IDLE


def test_a_call_is_not_longer_than_it_may_be() -> None:
    driver = Driver(replace(TERMS, max_call_s=5.0))
    driver.converse()
    out = frames(driver, 3)
    assert SpeakPhrase(PieceNumber(3), Phrase.GOODBYE) in out
    driver.speak(3, 500)
    assert HangUp() in driver.wait(1.0)


def test_the_caller_hangs_up_while_the_agent_speaks() -> None:
    driver = Driver()
    driver.converse()
    driver.respond(1, 4000, words="One two three four.", ends=False)
    driver.wait(1.0)
    out = driver.send(StreamEnded(StreamEnd.STOPPED))
    assert CancelResponse(M1, R1) in out
    assert CloseModel(M1) not in out  # the last response.done is waited for
    out = driver.send(ResponseEnded(M1, R1, ResponseStatus.CANCELLED, "client_cancelled", {"total_tokens": 9}))
    assert out == [CloseModel(M1), NoteEnd(Outcome.CALLER_HUNG_UP, 4200, 0.0)]
    assert driver.send(CallerDigit("1")) == []


def test_the_model_is_waited_for_two_seconds_at_most() -> None:
    driver = Driver()
    driver.converse()
    driver.respond(1, 4000, ends=False)
    driver.send(StreamEnded(StreamEnd.LOST))
    assert driver.wait(1.9) == []
    assert driver.wait(0.2) == [CloseModel(M1), NoteEnd(Outcome.STREAM_LOST, 3200, 0.0)]


def test_a_running_tool_is_withdrawn_at_the_end() -> None:
    driver = Driver()
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(lookup())
    driver.send(ResponseEnded(M1, R1, ResponseStatus.COMPLETED, "", {}))
    out = driver.send(StreamEnded(StreamEnd.STOPPED))
    assert CancelTool(T1) in out
    assert NoteToolCall("lookup_order", '{"order_number": "1042"}', "", ToolStatus.WITHDRAWN, 0) in out
    assert driver.session.ended


@pytest.mark.parametrize(
    ("event", "outcome"),
    [(ServiceStopping(), Outcome.INTERRUPTED), (CallCompleted(), Outcome.CALLER_HUNG_UP)],
)
def test_the_call_can_be_ended_from_outside(event: Event, outcome: Outcome) -> None:
    driver = Driver()
    driver.converse()
    assert driver.send(event) == [HangUp()]
    assert driver.send(StreamEnded(StreamEnd.CLOSED)) == [CloseModel(M1), NoteEnd(outcome, 3200, 0.0)]


def test_a_stream_without_media_is_held_for_lost() -> None:
    driver = Driver()
    driver.converse()
    driver.send(CallerAudio(pcm(20)))
    assert HangUp() not in driver.wait(9.9)
    assert HangUp() in driver.wait(0.2)
    assert driver.wait(2.1)[-1] == NoteEnd(Outcome.STREAM_LOST, 15200, 0.0)


# --- a lost model -----------------------------------------------------------------------------------------------------


def test_a_lost_model_is_opened_anew_and_told_the_conversation() -> None:
    driver = Driver()
    driver.converse()
    driver.send(CallerSpeechStarted(M1, CALLER, 3000))
    driver.send(CallerSpeechStopped(M1, CALLER, 3900))
    driver.send(CallerTurnCommitted(M1, CALLER))
    driver.send(CallerTranscript(M1, CALLER, "Where is it?"))
    driver.send(ModelLost(M1, "close_1006"))
    m2 = ModelNumber(2)
    assert driver.wait(0.1) == [OpenModel(m2)]
    assert driver.send(ModelReady(M1)) == []
    assert driver.send(ModelReady(m2)) == [
        AddAgentText(m2, ItemId("dialtone_1"), DISCLOSURE),
        AddAgentText(m2, ItemId("dialtone_2"), GREETING),
        AddCallerText(m2, CALLER, "Where is it?"),
        SetTurnHandling(m2, create_response=True, interrupt_response=True),
        RequestResponse(m2),
    ]


def test_a_model_that_stays_lost_ends_the_call_with_a_word_within_twenty_seconds() -> None:
    driver = Driver()
    driver.converse()
    lost_at = driver.at
    model = 1
    out: list[object] = [*driver.send(ModelLost(M1, "close_1006"))]
    for _ in range(200):
        driver.send(CallerAudio(pcm(20)))
        new = driver.wait(0.1)
        for command in new:
            if isinstance(command, OpenModel):
                model = command.model
                out += driver.send(ModelLost(command.model, "connect_refused"))
        out += new
        if SpeakPhrase(PieceNumber(3), Phrase.MODEL_LOST) in new:
            driver.speak(3, 3000)
        if HangUp() in new:
            break
    assert HangUp() in out
    assert driver.at - lost_at < 20
    assert 3 < model < 12
    ended = driver.send(StreamEnded(StreamEnd.CLOSED))
    assert isinstance(ended[-1], NoteEnd)
    assert ended[-1].outcome is Outcome.MODEL_LOST


def test_a_model_that_is_lost_as_soon_as_it_is_there_is_given_up_too() -> None:
    driver = Driver()
    driver.converse()
    model = M1
    out: list[object] = []
    for _ in range(12):
        out = [*driver.send(ModelLost(model, "close_1011"))]
        driver.send(CallerAudio(pcm(20)))
        out += driver.wait(4.1)
        opened = [command.model for command in out if isinstance(command, OpenModel)]
        if not opened:
            break
        model = opened[0]
        driver.send(ModelReady(model))
    assert any(isinstance(command, SpeakPhrase) and command.phrase is Phrase.MODEL_LOST for command in out), out


def test_after_the_end_nothing_is_taken_in() -> None:
    driver = Driver()
    driver.converse()
    driver.send(StreamEnded(StreamEnd.STOPPED))
    assert driver.session.ended
    late: list[Event] = [
        CallerAudio(pcm(20)),
        PlaybackReached(1, 1),
        AgentTranscript(M1, R1, I1, "x"),
        ModelLost(M1, "close_1000"),
        StreamEnded(StreamEnd.LOST),
    ]
    for event in late:
        assert driver.send(event) == []


def test_before_the_stream_nothing_is_sent() -> None:
    session = Session(TERMS)
    assert session.receive(CallerAudio(pcm(20)), at=1.0) == []
    assert session.receive(StreamEnded(StreamEnd.LOST), at=2.0)[-1] == NoteEnd(Outcome.STREAM_LOST, 0, 0.0)


def test_last_words_are_heard_to_their_end_however_long_they_are() -> None:
    driver = Driver(replace(TERMS, max_call_s=10.0))
    driver.converse()
    assert SpeakPhrase(PieceNumber(3), Phrase.GOODBYE) in frames(driver, 10)
    driver.speak(3, 25_000)
    assert frames(driver, 24) == []
    out = frames(driver, 2)
    assert HangUp() in out
    (turn,) = [c for c in out if isinstance(c, NoteTurn)]
    assert not turn.interrupted


def test_nobody_who_is_making_a_sound_is_asked_whether_they_are_there_but_not_for_ever() -> None:
    driver = Driver(replace(TERMS, idle_prompt_s=4.0))
    driver.converse()
    assert SpeakPhrase(PieceNumber(3), Phrase.IDLE) not in driver.hear(Verdict.SOUND, 7500)
    assert SpeakPhrase(PieceNumber(3), Phrase.IDLE) in driver.hear(Verdict.SOUND, 1000)
    driver = Driver(replace(TERMS, idle_prompt_s=4.0))
    driver.converse()
    driver.hear(Verdict.SOUND, 5000)
    assert SpeakPhrase(PieceNumber(3), Phrase.IDLE) in driver.hear(Verdict.SILENCE, 600)
