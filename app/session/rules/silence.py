"""Silence as news: when something is due because nothing came, and what it means."""

from app.session.commands import CancelResponse
from app.session.idleness import Idle
from app.session.phase import Phase
from app.session.rules.answering import follow_up, keyed_in, response_stuck
from app.session.rules.heard import item_finished
from app.session.rules.judging import go_on_speaking, not_noticed
from app.session.rules.leaving import after_turn, close, hang_up_now, unserved_at
from app.session.rules.recovering import cover, give_way, open_model
from app.session.rules.saying import hang_up, speak
from app.session.rules.state import CallState
from app.session.rules.voicing import response_written
from app.session.words import Outcome, Phrase, Verdict

STREAM_SILENCE_S = 10.0
"""Media comes every 20 ms, silence too: none for so long, and the socket is half open."""


def deadline_passed(call: CallState, at: float) -> None:
    """The moment has come at which silence itself is news, of somebody: see whose."""
    for item in call.playback.give_up(at):
        item_finished(call, item, at, mark=None)
    stuck = call.responses.overdue(at)
    if stuck is not None and call.line.is_ready:
        call.out.append(CancelResponse(call.line.model, stuck))
        response_written(call, stuck, is_broken_off=True)
        call.playback.response_complete(stuck)
        response_stuck(call, stuck, at)
    follow_up(call, at)
    phase = call.phase.phase
    if phase is Phase.CLOSING:
        if not call.is_stream_over and call.closing_by is not None and at >= call.closing_by:
            if call.is_hanging_up:  # the carrier does not even take our leave
                call.is_stream_over = True
            else:
                hang_up(call, at)
        return
    if call.interruption.deadline is not None and at >= call.interruption.deadline:
        go_on_speaking(call, at)
    if call.unheard_by is not None and at >= call.unheard_by:
        not_noticed(call, at)
    if call.keypad.due_at is not None and at >= call.keypad.due_at:
        keyed_in(call, call.keypad.take())
    if call.begin_by is not None and at >= call.begin_by:
        after_turn(call, at)
    if call.line.reopen_at is not None and at >= call.line.reopen_at:
        open_model(call, at)
    if call.line.impatient_at is not None and at >= call.line.impatient_at:
        give_way(call, at)
    if call.cover_at is not None and at >= call.cover_at and phase is Phase.CONVERSING:
        cover(call, at)
    if at >= call.frame_at + STREAM_SILENCE_S:  # as the deadline is reckoned: floats round
        hang_up_now(call, Outcome.STREAM_LOST, at)
    elif at >= call.began_at + call.terms.max_call_s:
        close(call, Outcome.MAX_DURATION, Phrase.GOODBYE, at)
    elif phase is Phase.CONVERSING:
        _mind_idleness(call, at)


def _mind_idleness(call: CallState, at: float) -> None:
    if call.is_somebody_speaking:
        return
    if call.verdict is not Verdict.SILENCE and call.idleness.is_put_off(at):
        return  # nobody who is making a sound is asked whether they are there
    match call.idleness.check(at):
        case Idle.PROMPT:
            speak(call, Phrase.IDLE)
        case Idle.HANG_UP:
            close(call, Outcome.IDLE, Phrase.GOODBYE, at)


def next_deadline(call: CallState, at: float) -> float | None:
    """Return the next such moment; None: there is none."""
    phase = call.phase.phase
    turn_at = None if call.is_stream_over else call.playback.turn_at
    times: tuple[float | None, ...] = (call.playback.proof_due_at, call.responses.deadline, turn_at)
    if phase is Phase.CLOSING:
        times += (call.closing_by,)
    elif phase is not Phase.OPENING:
        times += (
            call.began_at + call.terms.max_call_s,
            call.frame_at + STREAM_SILENCE_S,
            call.interruption.deadline,
            call.unheard_by,
            call.keypad.due_at,
            call.begin_by,
            call.line.reopen_at,
            call.line.impatient_at,
            unserved_at(call),
        )
        if phase is Phase.CONVERSING:
            times += (
                None if call.is_somebody_speaking else call.idleness.deadline,
                call.cover_at,
                call.repeated_by,
                call.renewal.deadline(at),
                call.renewal.former_until,
            )
    first: float | None = None
    for time in times:  # in every step, so without a generator
        if time is not None and (first is None or time < first):
            first = time
    return first
