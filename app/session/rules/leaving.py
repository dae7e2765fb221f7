"""How a call ends by our own will, and what becomes of one whose disclosure cannot be spoken."""

from app.session.commands import CancelTool, CloseModel, NoteEnd
from app.session.disclosure import DisclosureState
from app.session.item import Item
from app.session.phase import Phase
from app.session.rules.beginning import begin
from app.session.rules.cutting import cut_playback, note_tool
from app.session.rules.heard import close_agent_turn_if_whole
from app.session.rules.saying import BEGIN, RECOVERED, hang_up, speak
from app.session.rules.state import CallState
from app.session.rules.voicing import cut_parts
from app.session.words import Outcome, Phrase, PieceNumber, ToolStatus

MOST_FAILURES = 3
"""After so many pieces in a row that our voice could not speak, the caller is not left in silence with it."""
LAST_WORDS_S = 10.0
"""How long the last words may take to come, and to be heard when there is no more time, before the line is closed."""
LAST_MARK_S = 3.0
"""How long after the last words must have ended their mark may come back."""
LOST_CALL_S = 19.0
"""A call whose model was lost ends within twenty seconds."""
DISCLOSURE_WAIT_S = 11.0
"""And for so long, of these, a disclosure is heard on: the last words behind it take up to eight, the carrier's too."""


def close(
    call: CallState, outcome: Outcome, phrase: Phrase | None, at: float, *, transfer_to: str | None = None
) -> None:
    """End the call by our own will, with last words if there are any. transfer_to: who takes it then."""
    if call.phase.phase is Phase.CLOSING:
        return
    call.outcome = outcome
    call.transfer_to = transfer_to
    leave(call, at)
    if phrase is not None and not call.disclosure.is_over:  # nothing else of ours is heard before it
        hang_up(call, at, say=call.terms.phrases.get(phrase))
        return
    piece = speak(call, phrase) if phrase is not None else None
    if piece is None:
        hang_up(call, at)
    else:
        call.last_piece = piece
        call.closing_by = _promised(call, at + LAST_WORDS_S, at)


def mind_last_words(call: CallState, piece: PieceNumber, at: float) -> None:
    """The last words are there, so it is known how long they take: they are heard to their end."""
    if piece == call.last_piece and call.closing_by is not None:
        call.closing_by = _promised(call, at + call.playback.waiting_ms / 1000 + LAST_MARK_S, at)


def _promised(call: CallState, by: float, at: float) -> float:
    """Return by when a call ends that would end by then: one that has lost its model, in the time that is promised."""
    if call.outcome is not Outcome.MODEL_LOST:
        return by
    return min(by, (at if call.line.down_since is None else call.line.down_since) + LOST_CALL_S)


def hang_up_now(call: CallState, outcome: Outcome, at: float) -> None:
    """End the call in this step, without another word."""
    if call.is_hanging_up:
        return
    if call.outcome is None:
        call.outcome = outcome
    leave(call, at)
    hang_up(call, at)


def leave(call: CallState, at: float) -> None:
    """Into CLOSING: nothing new begins, what was under way is cut or withdrawn."""
    if call.phase.phase is Phase.CLOSING:
        if not call.playback.is_empty:
            cut_playback(call, at, is_barge_in=False)
        return
    call.phase.move(Phase.CLOSING)  # before the cut: a disclosure that it finds at its end begins no conversation
    cut_playback(call, at, is_barge_in=False)
    call.keypad.take()
    call.responses.drop_wants()
    call.begin_by = None
    for tool_call in call.tools.withdraw_all():
        call.out.append(CancelTool(tool_call.tool_call_id))
        note_tool(call, tool_call, "", ToolStatus.WITHDRAWN, at)


def finish(call: CallState, at: float) -> None:
    """The last step: nothing is asked or taken in any more."""
    second = call.renewal.model if call.renewal.is_opening or call.renewal.is_beside else None
    for model in (call.line.model if call.line.is_open else None, second, call.renewal.former):
        if model is not None:
            call.out.append(CloseModel(model))
    note = call.disclosure.hung_up()
    if note is not None:
        call.out.append(note)
    call.out += call.caller_turns.close(call.ms(at))
    call.phase.move(Phase.ENDED)
    over_at = at if call.over_at is None else call.over_at  # for the caller it was over then
    call.out.append(NoteEnd(call.outcome or Outcome.ERROR, call.ms(over_at), call.cost.usd))


def give_up_on_model(call: CallState, at: float) -> None:
    """It is there, and of no use: the next one is tried, and without one the caller is told."""
    if call.phase.phase is not Phase.CONVERSING:
        return
    if call.line.give_way(at):
        if not call.responses.is_wanted:
            call.responses.want(RECOVERED, confirmed=True)
    else:
        close(call, Outcome.MODEL_LOST, Phrase.MODEL_LOST, at, transfer_to=call.terms.transfer_unserved)
        call.out.append(CloseModel(call.line.model))
        call.line.lost(at, is_final=True)


def unserved_at(call: CallState) -> float | None:
    """Return when the call ends for want of a model; None: it has one. While there is time, the disclosure is heard."""
    by, since = call.line.give_up_at, call.line.down_since
    if by is None or since is None or call.phase.phase is not Phase.DISCLOSING:
        return by
    return max(by, since + DISCLOSURE_WAIT_S)


def is_too_dear(call: CallState) -> bool:
    """Has the call cost what it may? One whose cost is not known is not ended for it."""
    limit = call.terms.max_cost_usd
    return limit is not None and (spent := call.cost.usd) is not None and spent >= limit


def disclose(call: CallState, at: float) -> None:
    """Say the disclosure, the first time or again."""
    call.disclosure.spoken(call.ms(at))
    if speak(call, Phrase.DISCLOSURE) is None:
        disclosure_failed(call, at)


def disclosure_failed(call: CallState, at: float) -> None:
    """Fail closed: a caller who was not told does not reach the model."""
    call.out.append(call.disclosure.settle(DisclosureState.FAILED, at_ms=call.ms(at)))
    call.outcome = Outcome.DISCLOSURE_FAILED
    leave(call, at)
    call.transfer_to = call.terms.transfer_undisclosed
    hang_up(call, at, say=None if call.transfer_to else call.terms.phrases.get(Phrase.MODEL_LOST))


def speech_failed(call: CallState, piece: PieceNumber, at: float) -> None:
    """Our voice could not speak a phrase: each has its own way out."""
    if piece not in call.speaking:
        return
    call.speaking.discard(piece)
    item = call.playback.spoken_as(piece)
    call.playback.drop_speech(piece)
    if item is None:
        return  # it was taken out meanwhile
    if item.is_written:
        _part_failed(call, item, at)
        return
    phrase = item.phrase
    if phrase is Phrase.DISCLOSURE and call.disclosure.state is DisclosureState.SPEAKING:
        disclosure_failed(call, at)
    elif piece == call.last_piece:
        hang_up(call, at, say=None if phrase is None else call.terms.phrases.get(phrase))
    elif phrase is Phrase.GREETING and not call.responses.is_wanted:
        call.responses.want(BEGIN, confirmed=True)


def _part_failed(call: CallState, item: Item, at: float) -> None:
    """The rest of what the model writes is spoken all the same; but a voice that fails again and again is lost."""
    if item.generated:
        item.is_shortened = True  # the beginning sounds, and is entered when it was heard
    else:
        cut_parts(call, [item])
        close_agent_turn_if_whole(call)
    call.voicing.failures += 1
    if call.voicing.failures >= MOST_FAILURES:
        close(call, Outcome.ERROR, Phrase.MODEL_LOST, at, transfer_to=call.terms.transfer_unserved)


def after_turn(call: CallState, at: float) -> None:
    """What has waited for the end of the caller's turn has its turn now."""
    if call.begin_by is None:
        return
    call.begin_by = None
    if call.phase.phase is Phase.DISCLOSING:
        disclose(call, at)  # it was cut, and is said again
    else:
        begin(call)
