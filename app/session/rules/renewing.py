"""One session takes over from another while the call goes on: what it is given, when, and what becomes of the other."""

from app.session.backlog import Backlog
from app.session.commands import (
    AppendInputAudio,
    CancelResponse,
    CloseModel,
    Command,
    DeleteItem,
    NoteRenewal,
    OpenModel,
)
from app.session.conversation import Side
from app.session.events import (
    CallerSpeechStarted,
    CallerTranscript,
    CallerTranscriptFailed,
    CallerTurnCommitted,
    ModelEvent,
    ModelLost,
    ModelReady,
    ModelSilent,
    ModelStalled,
    ResponseStarted,
)
from app.session.phase import Phase
from app.session.renewal import FORMER_S
from app.session.rules.answering import follow_up, go_on_with
from app.session.rules.beginning import let_model_answer
from app.session.rules.heard import note_caller_turn
from app.session.rules.state import CallState
from app.session.rules.voicing import is_whole, response_written
from app.session.words import ItemId, ModelNumber, Verdict

MARGIN_MS = 200
"""Before what the model took for a turn's beginning, to be sure of it."""


def feed(
    backlog: Backlog, model: ModelNumber, position: int, frame: bytes, *, is_silent: bool, is_ready: bool
) -> list[Command]:
    """Give a session a frame, or what of its backlog comes first; without a session, keep it."""
    if is_ready and not backlog:
        backlog.had(position, frame, is_silent)
        return [AppendInputAudio(model, frame)]
    backlog.keep(position, frame, is_silent=is_silent)
    if not is_ready:
        return []
    return [AppendInputAudio(model, due) for due in backlog.next_two()]


def unheard_from(call: CallState) -> int:
    """Return from where on the stream, in bytes, a new session has to hear what the caller says."""
    if call.is_repeating:
        return call.repeat_from
    starts = call.caller_turns.unwritten.values()
    if starts:
        return call.terms.audio.bytes_of(max(0, min(starts) - MARGIN_MS))
    return call.turn_over_bytes


def mind_renewal(call: CallState, at: float) -> None:
    """Open the second session in time, and let it take over when that disturbs nobody."""
    renewal = call.renewal
    if renewal.is_due(at):
        renewal.opened(call.line.next_number_beside())
        call.out.append(OpenModel(renewal.model, call.line.choice_of(renewal.model)))
    if renewal.is_beside:
        _wait_beside(call, at)
    if renewal.former_until is not None and (at >= renewal.former_until or _owes_nothing(call)):
        close_former(call, at)


def _owes_nothing(call: CallState) -> bool:
    return call.renewal.response_id is None and not call.caller_turns.await_words


def _wait_beside(call: CallState, at: float) -> None:
    renewal = call.renewal
    if renewal.is_last_moment(at) and _hears_what_is_over(call):
        call.out.append(CloseModel(renewal.model))  # it would take a turn that was answered for a new one
        drop_second(call, at)
    elif is_quiet(call) or renewal.is_last_moment(at) or (renewal.is_overdue(at) and is_gap(call)):
        take_over(call, at)
    elif renewal.is_overdue(at) and call.beside is None:
        _listen_beside(call, call.caller_turns.unended)


def _hears_what_is_over(call: CallState) -> bool:
    """Is the second session so far behind that it is still in a turn of the caller's before the present one?"""
    if not call.beside or call.renewal.open_item is None or not call.floor.is_caller_speaking:
        return False
    begins = call.beside.place_of(call.terms.audio.bytes_of(call.renewal.speech_ms))
    return begins < call.turn_over_bytes


def _listen_beside(call: CallState, turns: dict[ItemId, int]) -> None:
    """From here on the second session hears the caller as well, turns that are under way from their beginning."""
    begins = call.caller_bytes
    if turns:
        begins = max(call.terms.audio.bytes_of(max(0, min(turns.values()) - MARGIN_MS)), call.backlog.oldest)
    call.beside = Backlog(call.terms.audio)
    call.beside.copy_from(call.backlog, begins)


def is_quiet(call: CallState) -> bool:
    """Does nobody speak, wait for an answer, or have one on the way?"""
    return not (
        call.is_somebody_speaking
        or call.verdict is not Verdict.SILENCE
        or call.responses.is_open
        or call.responses.is_wanted
        or call.tools.is_any_running
        or call.caller_turns.await_words
        or call.backlog
        or call.keypad.due_at is not None
    )


def is_gap(call: CallState) -> bool:
    """Is this between two words, and do both sessions hear the same of the caller?"""
    if call.beside is None or call.beside or call.verdict is not Verdict.SILENCE or call.responses.is_awaited:
        return False
    return call.floor.is_caller_speaking == (call.renewal.open_item is not None)


def take_over(call: CallState, at: float) -> None:
    """The second session is the call's from here on; the first one is kept for what it still owes."""
    renewal, former = call.renewal, call.line.model
    if call.beside is None:
        _listen_beside(call, call.caller_turns.unended)
    if call.beside is not None:
        call.backlog, call.beside = call.beside, None
    call.line.take_over(renewal.model, at)
    owed_until = renewal.ends_at
    if call.responses.response_id is None:
        owed_until = min(owed_until, at + FORMER_S)
    renewal.took_over(former, call.responses.hand_over(), owed_until)
    _adopt_turns(call, at)
    call.out += call.conversation.tell(call.line.model)
    if call.phase.phase is Phase.CONVERSING:
        let_model_answer(call)
    call.out.append(NoteRenewal(call.line.model, former))


def _adopt_turns(call: CallState, at: float) -> None:
    """What the second session has heard of the caller counts now, but for the turns that the first one has finished."""
    renewal, item_id = call.renewal, call.renewal.open_item
    for committed in renewal.committed:  # told as text
        call.out.append(DeleteItem(call.line.model, committed))
    call.interruption.model_gone()
    begins_ms = call.stream_ms(renewal.speech_ms, at)
    is_speaking = call.floor.is_caller_speaking
    if item_id is not None and not is_speaking and call.terms.audio.bytes_of(begins_ms) < call.turn_over_bytes:
        call.interruption.dismiss(item_id)
        item_id = None
    if not is_speaking:
        call.backlog.skip_to(call.turn_over_bytes)
    for unended in call.caller_turns.unended:
        call.caller_turns.forget(unended)
    call.interruption.open_item = item_id
    if item_id is not None:
        call.caller_turns.started(item_id, begins_ms)
        call.floor.caller_started()
    elif not call.backlog.holds_sound:
        call.floor.caller_stopped()


def close_former(call: CallState, at: float) -> None:
    """It has said its last word."""
    if call.renewal.former is not None:
        call.out.append(CloseModel(call.renewal.former))
        leave_former(call, at)


def leave_former(call: CallState, at: float) -> None:
    """It is gone; what is left of a response that it did not finish plays out, and is gone on with."""
    owed = call.renewal.response_id
    call.renewal.former_gone()
    if owed is None:
        return
    was_whole = is_whole(call, owed)
    response_written(call, owed, is_broken_off=True)
    go_on_with(call, owed, was_whole=was_whole)
    call.playback.response_complete(owed)
    follow_up(call, at)


def second_says(call: CallState, event: ModelEvent, at: float) -> None:
    """The session beside ours listens; what it makes of the caller counts once it has taken over."""
    renewal = call.renewal
    match event:
        case ModelReady():
            renewal.ready(limit_s(call, event), at)
        case ModelStalled(model) | ModelSilent(model):
            call.out.append(CloseModel(model))
            drop_second(call, at)
        case ModelLost():
            drop_second(call, at)
        case CallerSpeechStarted(_, item_id, audio_start_ms):
            renewal.open_item, renewal.speech_ms = item_id, audio_start_ms
        case CallerTurnCommitted(_, item_id):
            renewal.committed.append(item_id)
            if renewal.open_item == item_id:
                renewal.open_item = None
        case _:
            pass


def drop_second(call: CallState, at: float) -> None:
    """It is gone."""
    call.renewal.lost(at)
    call.beside = None


def former_says(call: CallState, event: ModelEvent, at: float) -> None:
    """Of a session that was taken over from, only the words of the turns that it has heard still count.

    What it says in the response that it owes is taken in like any other (`Renewal.is_owed`).
    """
    match event:
        case CallerTranscript(model, item_id, text):
            call.conversation.learnt(Side.CALLER, item_id, text, model)
            note_caller_turn(call, item_id, text, at)
            call.out += call.conversation.tell(call.line.model) if call.line.is_ready else []
        case CallerTranscriptFailed(_, item_id):
            note_caller_turn(call, item_id, None, at)
        case ResponseStarted(model, response_id):
            call.out.append(CancelResponse(model, response_id))  # asked for before, and of the present one again
        case ModelLost():
            leave_former(call, at)
        case ModelStalled() | ModelSilent():
            close_former(call, at)
        case _:
            pass


def limit_s(call: CallState, ready: ModelReady) -> float | None:
    """How much longer a session lasts that has just become ready; None: nobody knows, or no other may follow it."""
    if not call.line.may_be_renewed(ready.model):
        return None
    limits = [limit for limit in (call.line.limit_s_of(ready.model), ready.expires_in_s) if limit is not None]
    return min(limits, default=None)
