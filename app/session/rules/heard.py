"""What an item's end means once it was heard: the disclosure is proven, a turn grows or is whole, a call may end."""

from app.session.commands import AddAgentText, DeleteItem, TruncateItem
from app.session.conversation import Side
from app.session.disclosure import DisclosureState
from app.session.item import Item
from app.session.rules.beginning import settle_disclosure
from app.session.rules.saying import hang_up, say_to_model
from app.session.rules.state import CallState
from app.session.words import ItemId, ModelNumber, Phrase, ResponseId


def item_finished(call: CallState, item: Item, at: float, mark: str | None, *, is_cut: bool = False) -> None:
    """An item was heard to its end. mark: which proves it; None: it must have been, but no mark has come back.

    is_cut: what is behind it is being cut, and may belong to the same turn.
    """
    if item.phrase is Phrase.DISCLOSURE:
        call.conversation.add(Side.AGENT, item.text)
        state = DisclosureState.UNPROVEN if mark is None else DisclosureState.HEARD
        if call.disclosure.state is DisclosureState.SPEAKING:
            settle_disclosure(call, state, at, mark=mark)
        return
    if item.phrase is None:
        call.idleness.agent_was_active(at)
        if item.item_id is None or item.model is None or item.response_id is None:
            pass
        elif item.is_written:
            call.voicing.heard(item.item_id, item.text)
            if item.is_shortened:
                call.voicing.spoil(item.item_id)
            settle_written(call, item.model, item.response_id, item.item_id)
        else:
            call.conversation.learnt(Side.AGENT, item.item_id, item.text.strip(), item.model, part=item.content_index)
            if item.is_shortened and call.line.is_current(item.model):
                end_ms = call.terms.audio.ms_of(item.generated)
                call.out.append(TruncateItem(item.model, item.item_id, item.content_index, end_ms))
            tell_of_former(call, item.model, item.response_id, item.item_id)
    else:
        say_to_model(call, Side.AGENT, item.text)
        if item.phrase is not Phrase.IDLE:
            call.idleness.agent_was_active(at)
    add_to_turn(call, item, at, interrupted=False)
    if not is_cut:
        close_agent_turn_if_whole(call)
    if item.piece is not None and item.piece == call.last_piece:
        hang_up(call, at)


def settle_written(call: CallState, model: ModelNumber, response_id: ResponseId, item_id: ItemId) -> None:
    """Once nothing of an item that the model wrote is left: have the model remember what was heard of it, no more."""
    if call.voicing.is_open(item_id):
        return
    heard, is_whole = call.voicing.settle(item_id)
    if not call.line.is_current(model) or is_whole:
        if heard:
            call.conversation.learnt(Side.AGENT, item_id, heard, model)
            tell_of_former(call, model, response_id, item_id)
        return
    call.playback.bar(item_id)
    if heard:  # a text cannot be truncated: the heard words are put behind it, and it is taken out
        told = call.conversation.next_id()
        call.conversation.learnt(Side.AGENT, told, heard, model)
        call.out.append(AddAgentText(model, told, heard, after=item_id))
    call.out.append(DeleteItem(model, item_id))


def tell_of_former(call: CallState, model: ModelNumber, response_id: ResponseId, item_id: ItemId) -> None:
    """What a former session had generated is told to the present one as soon as it is known how much was heard."""
    if call.line.is_current(model):
        return
    if call.is_repeating and response_id == call.cut_off:
        call.conversation.hold(item_id)  # the question that it answers is being said again
    elif call.line.is_ready:
        call.out += call.conversation.tell(call.line.model)


def add_to_turn(call: CallState, item: Item, at: float, *, interrupted: bool) -> None:
    """Add an item to the agent's turn."""
    if item.phrase is Phrase.DISCLOSURE:
        return
    started_at = at if item.started_at is None else item.started_at
    call.out += call.agent_turns.enter(item, call.ms(started_at), call.ms(at), interrupted=interrupted)


def close_agent_turn_if_whole(call: CallState) -> None:
    """A turn is whole when no more of it will sound: nothing of it waits, and its response is over."""
    turn = call.agent_turns.present
    if turn is None or call.playback.has_items_of(turn.response_id, turn.piece):
        return
    if turn.response_id is None or turn.response_id != call.responses.response_id:
        call.out += call.agent_turns.close()


def note_caller_turn(call: CallState, item_id: ItemId, text: str | None, at: float) -> None:
    """The caller's words of a turn have come, or will not (None)."""
    note = call.caller_turns.written(item_id, text, call.ms(at))
    if note is not None:
        call.out.append(note)


def note_without_words(call: CallState, item_id: ItemId, at: float) -> None:
    """A turn is committed: where nobody writes down what was said, no words of it are waited for."""
    if not call.line.transcribes:
        note_caller_turn(call, item_id, None, at)
