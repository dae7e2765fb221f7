"""The model's side: its sessions, its responses and when one is asked for, its tool calls."""

from app.session.claims import claims_to_be_human
from app.session.commands import AnswerToolCall, CancelResponse, DeleteItem, RunTool
from app.session.conversation import Side
from app.session.events import ResponseEnded, ToolCallRequested
from app.session.phase import Phase
from app.session.playback import MAX_WAITING_MS
from app.session.rules.cutting import note_tool
from app.session.rules.heard import close_agent_turn_if_whole, note_without_words
from app.session.rules.judging import cut_claim, interrupt
from app.session.rules.leaving import after_turn, give_up_on_model, is_too_dear
from app.session.rules.saying import RECOVERED, say_to_model
from app.session.rules.state import CallState
from app.session.rules.voicing import is_whole, response_written
from app.session.toolcalls import ToolCall
from app.session.words import ItemId, ResponseId, ResponseStatus, ToolCallId, ToolStatus

CUT_OFF_CUE = (
    "Your voice broke off while you were speaking. The caller has heard your last words above and nothing behind them. "
    "Go on from there, and do not begin anew."
)
WHOLE_CUE = (
    "The line to you broke behind your last words above, which the caller has heard to their end: do not say them "
    "again. If you wanted to do something more, such as calling a tool, do it now; else ask whether there is anything "
    "else."
)
"""When all was there but the word that nothing follows."""
MOST_TOOL_ROUNDS = 12
"""A model that calls tools so often, and says nothing to the caller meanwhile, will not stop by itself."""
MAX_WAITING_CHARS = 1800
"""Of what our own voice has still to speak: about two minutes."""


def _is_claim(words: str) -> bool:
    """Do these words, to which no more will come, claim that a human speaks?"""
    return claims_to_be_human(words, is_whole=True)


def key_pressed(call: CallState, digit: str, at: float) -> None:
    """Digits are input: they count as activity and are collected."""
    if call.phase.phase in (Phase.DISCLOSING, Phase.CONVERSING):
        call.idleness.caller_was_active(at)
        digits = call.keypad.press(digit, at)
        is_input = digits is not None or call.keypad.due_at is not None  # a # alone is none
        if is_input and call.terms.digits_interrupt and call.phase.phase is Phase.CONVERSING:
            interrupt(call, at)
        keyed_in(call, digits)


def keyed_in(call: CallState, digits: str | None) -> None:
    """The collected digits go to the model as one text of the caller."""
    if digits is not None:
        call.responses.want(call.conversation.add(Side.CALLER, f"Keypad: {digits}"))


def turn_committed(call: CallState, item_id: ItemId, at: float) -> None:
    """The caller's turn stands in the model's conversation, and calls for an answer."""
    if call.phase.phase is Phase.CLOSING:
        return
    if item_id == call.interruption.open_item:
        call.floor.caller_stopped()  # an interruption that was accepted after the turn's end had begun it anew
    call.interruption.committed(item_id)
    call.turn_over_bytes = call.caller_bytes
    call.tool_rounds = 0
    if call.interruption.is_dismissed(item_id) and not call.interruption.is_about(item_id):
        call.out.append(DeleteItem(call.line.model, item_id))
        after_turn(call, at)
        return
    call.conversation.learnt(Side.CALLER, item_id, "", call.line.model)
    if call.is_repeating:
        call.is_repeating = False
        call.conversation.let_go()
    if call.interruption.is_about(item_id):
        return  # what becomes of it is being judged
    note_without_words(call, item_id, at)
    if call.phase.phase is Phase.CONVERSING and call.line.answers_turns:
        call.responses.expect(item_id, at)
    else:
        call.responses.want(item_id, confirmed=True)
    after_turn(call, at)


def bound_waiting(call: CallState, response_id: ResponseId, at: float) -> None:
    """Two minutes of unheard speech are enough: the response is cancelled, and what there is plays out."""
    if call.playback.waiting_ms <= MAX_WAITING_MS and call.voicing.waiting_chars <= MAX_WAITING_CHARS:
        return
    model = call.line.model
    if response_id == call.renewal.response_id and call.renewal.former is not None:
        model, call.renewal.response_id = call.renewal.former, None
        call.responses.bar(response_id)
    elif response_id != call.responses.response_id or call.responses.cut(at) is None:
        return
    response_written(call, response_id, is_broken_off=True)
    call.playback.response_complete(response_id, is_shortened=True)
    call.out.append(CancelResponse(model, response_id))


def response_ended(call: CallState, event: ResponseEnded, at: float) -> None:
    """The last word on a response, whatever became of it."""
    is_cut = call.responses.is_cut(event.response_id)
    is_owed = event.response_id == call.renewal.response_id
    was_whole = is_whole(call, event.response_id)
    response_written(call, event.response_id, is_broken_off=event.status is not ResponseStatus.COMPLETED)
    claim = next((item for item, words in call.playback.words_of(event.response_id).items() if _is_claim(words)), None)
    was_open = call.responses.ended(event.response_id)
    if is_owed:
        call.renewal.response_id = None
    call.playback.response_complete(event.response_id)
    close_agent_turn_if_whole(call)
    if is_owed and event.status is ResponseStatus.FAILED:
        go_on_with(call, event.response_id, was_whole=was_whole)
    elif was_open and event.status is ResponseStatus.FAILED and not is_cut:
        if not call.responses.failed(at):
            give_up_on_model(call, at)
    elif was_open:
        call.responses.succeeded()
        if event.status is ResponseStatus.COMPLETED:
            call.caller_turns.answered()
    if claim is not None:
        cut_claim(call, event.response_id, claim, at)
    follow_up(call, at)


def response_stuck(call: CallState, response_id: ResponseId, at: float) -> None:
    """It has given nothing for long, and was cancelled. Nobody is left without an answer for that."""
    turn = call.agent_turns.present
    if call.playback.has_response(response_id) or (turn is not None and turn.response_id == response_id):
        go_on_with(call, response_id, was_whole=False)
    elif not call.tools.goes_on(response_id) and not call.responses.failed(at):
        give_up_on_model(call, at)


def go_on_with(call: CallState, response_id: ResponseId | None, *, was_whole: bool) -> None:
    """A response was not finished by the session that began it; None: it had not begun. Its answer is still owed.

    What there is of it plays out before it is gone on with. was_whole: what had begun of it had come to its end.
    """
    if not call.is_begun or (response_id is not None and call.tools.goes_on(response_id)):
        return  # what its tools answer is gone on with anyway
    turn = call.agent_turns.present
    if response_id is not None and call.playback.has_response(response_id):
        call.cut_off, call.is_cut_off_whole = response_id, was_whole
    elif response_id is not None and turn is not None and turn.response_id == response_id:
        call.responses.want(say_to_model(call, Side.CUE, WHOLE_CUE))  # all that there was of it is heard
    else:
        call.responses.want(RECOVERED, confirmed=True)


def tool_requested(call: CallState, event: ToolCallRequested, at: float) -> None:
    """The model calls a tool; one of a response that was cut is withdrawn at once."""
    tool_call = ToolCall(
        event.tool_call_id, event.model, event.response_id, event.item_id, event.name, event.arguments, at
    )
    if not call.tools.request(tool_call):
        return
    if call.responses.is_cut(event.response_id) or call.phase.phase is not Phase.CONVERSING:
        call.tools.withdraw(tool_call)
        note_tool(call, tool_call, "", ToolStatus.WITHDRAWN, at)
        call.out.append(DeleteItem(event.model, event.item_id))
        return
    call.caller_turns.answered()  # the model has acted on them: heard again, they would be acted on again
    call.out.append(RunTool(tool_call.tool_call_id, tool_call.name, tool_call.arguments))


def tool_finished(call: CallState, tool_call_id: ToolCallId, status: ToolStatus, output: str, at: float) -> None:
    """A tool has answered: the model is told, and goes on once it will call no more in that response."""
    tool_call = call.tools.answer(tool_call_id)
    if tool_call is None:
        return
    note_tool(call, tool_call, output, status, at)
    if call.phase.phase is not Phase.CONVERSING:
        return
    if call.line.is_current(tool_call.model) and call.line.is_ready:
        item_id = call.conversation.next_id()
        call.out.append(AnswerToolCall(tool_call.model, item_id, tool_call.tool_call_id, output))
        known = f"{tool_call.name} was called with {tool_call.arguments} and answered {output}"
        call.conversation.learnt(Side.CUE, item_id, known, tool_call.model)
    else:  # the session that asked is gone: the next one is told
        known = f"{tool_call.name} was called with {tool_call.arguments} and answered {output}"
        item_id = say_to_model(call, Side.CUE, known)
    call.tools.told(tool_call, item_id)
    follow_up(call, at)


def follow_up(call: CallState, at: float) -> None:
    """Have the model go on with what its tools answered, once it will ask nothing more of them in that response."""
    for item_id in call.tools.follow_ups(open_response=call.responses.response_id):
        call.tool_rounds += 1
        if call.tool_rounds > MOST_TOOL_ROUNDS:
            give_up_on_model(call, at)
            return
        call.responses.want(item_id)


def may_request(call: CallState) -> bool:
    """May a response be asked for now? Not while words of the caller's, or of a lost response, are on their way."""
    return (
        call.line.is_ready
        and not call.line.is_useless
        and call.is_begun
        and call.responses.is_wanted
        and not is_too_dear(call)
        and call.renewal.response_id is None
        and not call.responses.is_open
        and not call.responses.is_expected
        and not call.floor.is_caller_speaking
        and not call.backlog.holds_sound
        and call.cut_off is None
    )
