"""The line to the model comes about and breaks: what a new session is told, how no word of the caller's is lost."""

from app.session.commands import CloseModel, OpenModel
from app.session.conversation import Side
from app.session.events import ModelReady
from app.session.phase import Phase
from app.session.rules.answering import CUT_OFF_CUE, WHOLE_CUE, follow_up, go_on_with
from app.session.rules.beginning import COVER_AFTER_S, let_model_answer
from app.session.rules.heard import settle_written
from app.session.rules.renewing import drop_second, leave_former, limit_s, take_over, unheard_from
from app.session.rules.saying import RECOVERED, say_to_model, speak
from app.session.rules.state import CallState
from app.session.rules.voicing import break_off, is_whole
from app.session.words import Phrase, Verdict

SILENCE_S = 1.0
"""Of both sides, while somebody waits: after that something is said."""
COVER_AGAIN_S = 0.1
"""How often it is looked whether somebody waits in silence."""
REPEAT_WAIT_S = 2.0
"""How long a model may take to make a turn of what was said to it again."""


def open_model(call: CallState, at: float) -> None:
    """Begin a session with the model."""
    model = call.line.open(at)
    call.out.append(OpenModel(model, call.line.choice))


def model_ready(call: CallState, event: ModelReady, at: float) -> None:
    """The session can be used: it is told what it does not know yet."""
    if call.phase.phase is Phase.CLOSING or call.line.is_ready:
        return
    call.line.ready(at)
    call.renewal.begin(limit_s(call, event), at)
    call.out += call.conversation.tell(call.line.model)
    if call.phase.phase is Phase.CONVERSING:
        let_model_answer(call)


def model_lost(
    call: CallState, at: float, *, is_final: bool = False, is_crowded: bool = False, silent_s: float = 0.0
) -> None:
    """What was under way with it is over; what is wanted stays wanted, and what it alone has heard is said again."""
    call.tool_rounds = 0
    if call.renewal.is_beside and not call.caller_turns.has_ended_unwritten:
        take_over(call, at)  # another is here already, and knows all that is known
        leave_former(call, at)
        return
    if call.line.is_ready:
        call.cover_at = at + COVER_AFTER_S
    _close_second(call, at)
    lost = call.responses.response_id
    was_answering = call.responses.is_expected or (
        call.responses.is_open and not (lost is not None and call.responses.is_cut(lost))
    )
    call.line.lost(at, is_final=is_final, is_crowded=is_crowded, silent_s=silent_s)
    call.responses.abandon()
    call.interruption.model_gone()
    call.is_unheard = False
    call.unheard_by = None
    call.floor.caller_stopped()
    unwritten = call.caller_turns.unwritten
    if unwritten:
        call.is_answer_owed = was_answering or call.caller_turns.has_ended_unwritten
        call.repeat_from = unheard_from(call)
    call.backlog.begin_again(unheard_from(call))
    for item_id in unwritten:
        call.caller_turns.forget(item_id)
        call.conversation.hold(item_id, only_behind=True)
        call.conversation.forget(item_id)
        call.responses.unwant(item_id)
    call.is_repeating = call.is_repeating or bool(unwritten)
    call.repeated_by = None
    was_whole = lost is not None and is_whole(call, lost)
    for writing in break_off(call):
        settle_written(call, writing.model, writing.response_id, writing.item_id)
    if was_answering and (not unwritten or (lost is not None and call.playback.has_response(lost))):
        go_on_with(call, lost, was_whole=was_whole)  # else the question is said again, and answered then
    call.playback.model_gone()
    follow_up(call, at)


def model_silent(call: CallState, silent_s: float, at: float) -> None:
    """It answers nothing. While nobody needs it, that may be; but nobody shall wait for a peer that is frozen."""
    has_spoken = call.verdict is not Verdict.SILENCE or call.quiet_since >= at - silent_s
    if has_spoken or call.responses.is_open or call.responses.is_wanted or call.responses.is_awaited:
        call.out.append(CloseModel(call.line.model))
        model_lost(call, at, silent_s=silent_s)


def mind_recovery(call: CallState, at: float) -> None:
    """Have the next session go on with a lost response, once what is left of it was heard and its question repeated."""
    if not call.is_repeating or not call.line.is_ready or call.backlog.holds_sound or call.floor.is_caller_speaking:
        call.repeated_by = None
    elif call.repeated_by is None:
        call.repeated_by = at + REPEAT_WAIT_S
    elif at >= call.repeated_by:
        call.is_repeating = False  # it has heard no turn in it
        call.repeated_by = None
        call.conversation.let_go()
        if call.is_answer_owed:
            call.responses.want(RECOVERED, confirmed=True)
    if call.cut_off is None or call.is_repeating or call.playback.has_response(call.cut_off):
        return
    call.cut_off = None
    call.responses.want(say_to_model(call, Side.CUE, WHOLE_CUE if call.is_cut_off_whole else CUT_OFF_CUE))


def cover(call: CallState, at: float) -> None:
    """Nobody shall wait in silence for a model that is being replaced, or has yet to hear what was said meanwhile."""
    waits = call.responses.is_wanted or call.backlog.holds_sound or call.is_repeating or call.cut_off is not None
    if call.line.is_ready and not waits:
        call.cover_at = None
        return
    is_quiet = call.verdict is Verdict.SILENCE and at >= max(call.quiet_since, call.agent_quiet_since) + SILENCE_S
    if waits and is_quiet and call.playback.is_silent:
        call.cover_at = None
        speak(call, Phrase.COVER)
    else:
        call.cover_at = at + COVER_AGAIN_S


def give_way(call: CallState, at: float) -> None:
    """It is not ready in time, or of no use, and there is another."""
    call.out.append(CloseModel(call.line.model))
    _close_second(call, at)  # which is with the same model
    model_lost(call, at, is_final=True)


def _close_second(call: CallState, at: float) -> None:
    renewal = call.renewal
    if renewal.is_opening or renewal.is_beside:
        call.out.append(CloseModel(renewal.model))
        drop_second(call, at)
    renewal.stop()
