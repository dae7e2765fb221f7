"""The rules of a call: what happened and when → what to do.

Takes in one event at a time and answers with the commands that it calls for, in order. No clock, socket, await, log or
random: time is an argument, silence is news by `deadline`. The small machines (phase, floor, disclosure, responses,
playback, tool calls, turns, keypad, line, interruption) do not know each other; they are joined here, and in the rules
beside this file (`rules/`), which import downwards: saying, beginning, heard, voicing, cutting, leaving, judging,
answering, renewing, recovering, silence.
"""

from typing import assert_never

from app.session.claims import claims_to_be_human
from app.session.commands import AppendInputAudio, CancelResponse, CloseModel, Command, RequestResponse
from app.session.conversation import Side
from app.session.disclosure import DisclosureState
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentText,
    AgentTextEnded,
    AgentTranscript,
    CallCompleted,
    CallerAudio,
    CallerDigit,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTranscriptFailed,
    CallerTurnCommitted,
    DeadlinePassed,
    Event,
    ItemTaken,
    ModelEvent,
    ModelLost,
    ModelReady,
    ModelSettingsDiffer,
    ModelSilent,
    ModelStalled,
    PlaybackReached,
    RateLimitsReported,
    RequestRefused,
    ResponseEnded,
    ResponseStarted,
    ServiceStopping,
    SpeechAudio,
    SpeechEnded,
    SpeechFailed,
    StreamEnded,
    StreamStalled,
    StreamStarted,
    ToolCallFinished,
    ToolCallRequested,
    TranscriptionBilled,
    TurnHandlingSet,
)
from app.session.phase import Phase
from app.session.rules.answering import (
    bound_waiting,
    key_pressed,
    may_request,
    response_ended,
    tool_finished,
    tool_requested,
    turn_committed,
)
from app.session.rules.beginning import settle_disclosure
from app.session.rules.cutting import drop_stray
from app.session.rules.heard import item_finished, note_caller_turn
from app.session.rules.judging import (
    accept_interruption,
    cut_claim,
    is_news,
    mind_dismissed,
    mind_listening,
    speech_reported,
    verdict_given,
)
from app.session.rules.leaving import (
    close,
    disclose,
    finish,
    give_up_on_model,
    hang_up_now,
    is_too_dear,
    leave,
    mind_last_words,
    speech_failed,
    unserved_at,
)
from app.session.rules.recovering import (
    mind_recovery,
    model_lost,
    model_ready,
    model_silent,
    open_model,
)
from app.session.rules.renewing import feed, former_says, mind_renewal, second_says, unheard_from
from app.session.rules.silence import deadline_passed, next_deadline
from app.session.rules.state import CallState
from app.session.rules.voicing import item_written, mind_voice, part_spoken, write
from app.session.terms import Terms
from app.session.words import Fault, Outcome, Phrase, Request, StreamEnd, Verdict

LINGER_S = 2.0
"""How long the model's socket stays open after the stream's end, for the last response.done and transcripts."""
_OUTCOMES = {
    StreamEnd.STOPPED: Outcome.CALLER_HUNG_UP,
    StreamEnd.LOST: Outcome.STREAM_LOST,
    StreamEnd.CLOSED: Outcome.INTERRUPTED,  # not by our command, which has an outcome of its own: the process ends
}


class Session:
    """One call. `deadline`: the next moment at which silence itself is news, or None; `ended`: nothing follows."""

    def __init__(self, terms: Terms) -> None:
        self.deadline: float | None = None
        self.ended = False  # attributes both: they are asked for behind every event
        self._call = CallState(terms)

    def receive(self, event: Event, *, at: float) -> list[Command]:
        """Take in one event; return the commands it calls for, in order. at: seconds, monotonic."""
        call = self._call
        if type(event) is CallerAudio and not is_news(call, event):  # fifty times a second: moves no pacing, no timers
            return _caller_audio(call, event, at)
        if self.ended:
            return []
        out = call.out = []
        _take(call, event, at)
        if not call.ended:
            _go_on(call, at)
        self.ended = call.ended
        self.deadline = None if self.ended else next_deadline(call, at)
        return out


def _take(call: CallState, event: Event, at: float) -> None:
    match event:
        case CallerAudio(_, verdict):
            call.out += _caller_audio(call, event, at)
            verdict_given(call, verdict, at)
        case StreamStarted(disclosure_said):
            _stream_started(call, at, disclosure_said=disclosure_said)
        case CallerDigit(digit):
            key_pressed(call, digit, at)
        case PlaybackReached(generation, number):
            for item in call.playback.reached(generation, number, at):
                item_finished(call, item, at, mark=f"{generation}:{number}")
        case StreamEnded(end):
            _stream_ended(call, end, at)
        case StreamStalled():
            hang_up_now(call, Outcome.STREAM_LOST, at)
        case CallCompleted():
            hang_up_now(call, Outcome.CALLER_HUNG_UP, at)
        case ServiceStopping():
            hang_up_now(call, Outcome.INTERRUPTED, at)
        case SpeechAudio(piece, audio):
            call.playback.speech(piece, audio)
        case SpeechEnded(piece):
            if call.playback.speech_complete(piece):
                call.speaking.discard(piece)
                part_spoken(call, piece)
                mind_last_words(call, piece, at)
            else:
                speech_failed(call, piece, at)  # it was spoken without a sound
        case SpeechFailed(piece, _):
            speech_failed(call, piece, at)
        case ToolCallFinished(tool_call_id, status, output):
            tool_finished(call, tool_call_id, status, output, at)
        case DeadlinePassed():
            deadline_passed(call, at)
        case TranscriptionBilled(model, usage):
            call.cost.charge_transcription(call.line.choice_of(model), usage)
        case ModelSettingsDiffer() | RateLimitsReported():
            pass  # for the journal's readers
        case _:
            if type(event) is ResponseEnded:  # billed whichever session it was, and whether or not it was heard
                call.cost.charge(call.line.choice_of(event.model), event.usage)
            if call.line.is_current(event.model) or call.renewal.is_owed(event):
                _take_from_model(call, event, at)
            elif call.renewal.is_about(event.model):
                second_says(call, event, at)
            elif event.model == call.renewal.former:
                former_says(call, event, at)


def _take_from_model(call: CallState, event: ModelEvent, at: float) -> None:
    match event:
        case AgentAudio(model, response_id, item_id, content_index, audio):
            if call.takes_in(response_id) and not call.responses.is_over(response_id):
                call.responses.heard_from(response_id, at)
                call.tool_rounds = 0
                call.playback.audio(model, response_id, item_id, content_index, audio)
                bound_waiting(call, response_id, at)
            else:
                drop_stray(call, model, item_id)
        case AgentAudioEnded(_, _, item_id):
            call.playback.item_complete(item_id)
        case AgentTranscript(model, response_id, item_id, text):
            if call.takes_in(response_id):
                words = call.playback.words(model, response_id, item_id, text)
                if claims_to_be_human(words):
                    cut_claim(call, response_id, item_id, at)
        case AgentText(model, response_id, item_id):
            if call.takes_in(response_id) and not call.responses.is_over(response_id):
                call.responses.heard_from(response_id, at)
                call.tool_rounds = 0
                words = write(call, event)
                if claims_to_be_human(words):
                    cut_claim(call, response_id, item_id, at)
                else:
                    bound_waiting(call, response_id, at)
            else:
                drop_stray(call, model, item_id)
        case AgentTextEnded(_, response_id, item_id):
            if claims_to_be_human(call.voicing.text_of(item_id), is_whole=True):
                cut_claim(call, response_id, item_id, at)
            item_written(call, item_id)
        case ModelReady():
            model_ready(call, event, at)
        case TurnHandlingSet():
            call.line.turn_handling_confirmed()
        case ModelStalled(model):
            call.out.append(CloseModel(model))
            model_lost(call, at)
        case ModelSilent(_, silent_s):
            model_silent(call, silent_s, at)
        case ModelLost(_, _, is_final, is_crowded):
            model_lost(call, at, is_final=is_final, is_crowded=is_crowded)
        case CallerSpeechStarted(_, item_id, audio_start_ms):
            call.floor.caller_started()
            call.caller_turns.started(item_id, call.stream_ms(audio_start_ms, at))
            call.idleness.caller_was_active(at)
            speech_reported(call, item_id, audio_start_ms, at)
        case CallerSpeechStopped(_, item_id, audio_end_ms):
            call.floor.caller_stopped()
            if call.interruption.is_about(item_id) or not call.interruption.is_dismissed(item_id):
                call.caller_turns.stopped(item_id, call.stream_ms(audio_end_ms, at))
            call.idleness.caller_was_active(at)
            if call.line.answers_turns and call.phase.phase is Phase.CONVERSING:
                call.responses.expect(item_id, at)
        case CallerTurnCommitted(_, item_id):
            turn_committed(call, item_id, at)
        case CallerTranscript(model, item_id, text):
            if call.interruption.is_about(item_id):  # of a sound that is still judged there may be no turn
                if not text.strip():
                    return
                accept_interruption(call, at)
            if not call.interruption.is_dismissed(item_id):
                call.conversation.learnt(Side.CALLER, item_id, text, model)
                note_caller_turn(call, item_id, text, at)
        case CallerTranscriptFailed(_, item_id):
            if not call.interruption.is_about(item_id):
                note_caller_turn(call, item_id, None, at)
        case ItemTaken(_, item_id):
            call.responses.confirm(item_id)
        case ResponseStarted(model, response_id):
            call.cover_at = None
            call.caller_turns.asked()
            is_one_too_many = call.phase.phase is Phase.CLOSING or is_too_dear(call)
            if call.responses.started(response_id, at) or is_one_too_many:
                call.responses.cut(at)
                call.out.append(CancelResponse(model, response_id))
        case ToolCallRequested():
            tool_requested(call, event, at)
        case ResponseEnded():
            response_ended(call, event, at)
        case RequestRefused(_, request, fault, _):
            if request is Request.RESPONSE:
                if fault not in (Fault.BENIGN, Fault.TRANSIENT):
                    call.responses.drop_wants()
                if not call.responses.refused(at, is_transient=fault is Fault.TRANSIENT):
                    give_up_on_model(call, at)
        case _:
            assert_never(event)


def _caller_audio(call: CallState, event: CallerAudio, at: float) -> list[Command]:
    phase = call.phase.phase
    if phase is not Phase.CONVERSING and phase is not Phase.DISCLOSING:
        return []
    call.frame_at = at
    frame, is_silent, position = event.audio, event.verdict is Verdict.SILENCE, call.caller_bytes
    call.caller_bytes = position + len(frame)
    line, backlog = call.line, call.backlog
    if line.is_ready and not backlog.is_due and call.beside is None:  # as nearly always
        backlog.had(position, frame, is_silent)
        return [AppendInputAudio(line.model, frame)]
    out = feed(backlog, line.model, position, frame, is_silent=is_silent, is_ready=line.is_ready)
    if call.beside is not None:
        out += feed(call.beside, call.renewal.model, position, frame, is_silent=is_silent, is_ready=True)
    return out


def _stream_started(call: CallState, at: float, *, disclosure_said: bool) -> None:
    if call.phase.phase is not Phase.OPENING:
        return
    call.began_at = call.frame_at = at
    call.idleness.caller_was_active(at)
    call.phase.move(Phase.DISCLOSING)
    open_model(call, at)
    if disclosure_said:
        call.conversation.add(Side.AGENT, call.terms.phrases.get(Phrase.DISCLOSURE, ""))
        settle_disclosure(call, DisclosureState.HEARD, at, mark=None)
    else:
        disclose(call, at)


def _stream_ended(call: CallState, end: StreamEnd, at: float) -> None:
    call.is_stream_over = True
    call.over_at = at
    if call.phase.phase is Phase.OPENING:
        call.began_at = at
    if call.outcome is None:
        call.outcome = _OUTCOMES[end]
    leave(call, at)
    call.closing_by = at + LINGER_S


def _go_on(call: CallState, at: float) -> None:
    phase = call.phase.phase
    has_begun = phase is Phase.CONVERSING or phase is Phase.DISCLOSING
    if has_begun and (unserved := unserved_at(call)) is not None and at >= unserved:
        close(call, Outcome.MODEL_LOST, Phrase.MODEL_LOST, at, transfer_to=call.terms.transfer_unserved)
    elif phase is Phase.CONVERSING:
        if is_too_dear(call) and call.playback.is_silent and not call.responses.is_open:
            close(call, Outcome.MAX_COST, Phrase.GOODBYE, at)  # what was paid for is heard to its end
        else:
            mind_recovery(call, at)
            mind_renewal(call, at)
        if may_request(call):
            call.out += call.conversation.tell(call.line.model)
            call.responses.request(at)
            call.out.append(RequestResponse(call.line.model))
    is_needed = call.is_repeating or call.caller_turns.has_unwritten
    call.backlog.needed_from = unheard_from(call) if is_needed else None
    if call.beside is not None:
        call.beside.needed_from = call.backlog.needed_from
    if call.phase.phase is Phase.CLOSING and call.is_stream_over and not _is_awaiting_model(call, at):
        finish(call, at)
        return
    if not call.is_stream_over:
        if call.interruption.is_judging:
            call.playback.hold()
        else:
            call.playback.go_on()
        call.out += call.playback.release(at, only=call.only_phrase())
        mind_voice(call)
        mind_listening(call)
    is_silent = call.playback.is_silent
    if is_silent and call.floor.is_agent_speaking:
        call.agent_quiet_since = at
        mind_dismissed(call, at)
    call.floor.agent_is(speaking=not is_silent)


def _is_awaiting_model(call: CallState, at: float) -> bool:
    """After the stream's end: are there last words of the model that the record wants?"""
    if call.closing_by is not None and at >= call.closing_by:
        return False
    return call.line.is_ready and (call.responses.is_open or call.caller_turns.await_words)
