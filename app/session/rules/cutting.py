"""Stopping the agent: on the line, in the model's generation, and in what the model remembers as said."""

from app.session.commands import (
    CancelResponse,
    CancelSpeech,
    ClearPlayback,
    DeleteItem,
    NoteBargeIn,
    NoteToolCall,
    TruncateItem,
)
from app.session.conversation import Side
from app.session.item import Item
from app.session.phase import Phase
from app.session.rules.heard import add_to_turn, item_finished, settle_written, tell_of_former
from app.session.rules.saying import say_to_model
from app.session.rules.state import CallState
from app.session.rules.voicing import break_off, cut_parts
from app.session.toolcalls import ToolCall
from app.session.turns import words_heard
from app.session.words import ItemId, ModelNumber, Phrase, ToolStatus


def cut_playback(call: CallState, at: float, *, is_barge_in: bool) -> Item | None:
    """Stop all that sounds or waits, on both sides of us, and enter what was heard of it; return what sounded."""
    call.interruption.drop()
    cut_response = call.responses.cut(at)
    had_sound = call.playback.has_sound
    written = break_off(call)
    cut = call.playback.cut(at)
    if had_sound:
        call.out.append(ClearPlayback())
    if cut_response is not None:
        call.out.append(CancelResponse(call.line.model, cut_response))
    owed, former = call.renewal.response_id, call.renewal.former
    if owed is not None and former is not None:
        call.renewal.response_id = None
        call.responses.bar(owed)
        call.out.append(CancelResponse(former, owed))
    for piece in sorted(call.speaking):
        call.out.append(CancelSpeech(piece))
    call.speaking.clear()
    for item in cut.finished:
        item_finished(call, item, at, mark=None, is_cut=True)
    if cut.sounding is not None:
        truncate(call, cut.sounding)
    delete_unheard(call, cut.dropped)
    if is_barge_in and had_sound:
        note_barge_in(call, cut.sounding)
    cut_parts(call, cut.dropped if cut.sounding is None else [cut.sounding, *cut.dropped])
    for writing in written:
        settle_written(call, writing.model, writing.response_id, writing.item_id)
    if cut.sounding is not None:
        add_to_turn(call, cut.sounding, at, interrupted=True)
    for item in cut.dropped:
        if call.agent_turns.present is not None and call.agent_turns.present.is_of(item):
            add_to_turn(call, item, at, interrupted=True)
    call.out += call.agent_turns.close()
    call.cut_off = None
    if cut.finished or cut.sounding is not None:
        call.idleness.agent_was_active(at)
    return cut.sounding


def truncate(call: CallState, item: Item) -> None:
    """Have the model remember no more of the sounding item than was heard; a phrase is told to it only now."""
    heard_ms = call.terms.audio.ms_of(item.heard)
    if item.item_id is None:
        if item.phrase is not Phrase.DISCLOSURE:  # which will be said again, and entered then
            say_to_model(call, Side.AGENT, words_heard(item.text, item.heard, item.generated))
        return
    if item.model is None or item.response_id is None or item.is_written:
        return  # what was written is entered behind the pieces of it that were heard to their end
    heard = words_heard(item.text, item.heard, item.generated)
    call.conversation.learnt(Side.AGENT, item.item_id, heard, item.model, part=item.content_index)
    if not call.line.is_current(item.model):
        tell_of_former(call, item.model, item.response_id, item.item_id)
        return
    if heard_ms > 0:
        call.out.append(TruncateItem(item.model, item.item_id, item.content_index, heard_ms))
    else:
        call.out.append(DeleteItem(item.model, item.item_id))


def delete_unheard(call: CallState, items: list[Item]) -> None:
    """Take out what nobody heard: whole items, or the later parts of one that was heard in part."""
    deleted: set[ItemId] = set()
    for item in items:
        if item.item_id is None or item.model is None or item.is_written or not call.line.is_current(item.model):
            continue
        if item.follows_heard:
            call.out.append(TruncateItem(item.model, item.item_id, item.content_index, 0))
        elif item.item_id not in deleted:
            deleted.add(item.item_id)
            call.conversation.forget(item.item_id)
            call.out.append(DeleteItem(item.model, item.item_id))


def drop_stray(call: CallState, model: ModelNumber, item_id: ItemId) -> None:
    """The model began this item before it learnt of the cut: nobody will hear it, so it is not to remember it."""
    if call.phase.phase is not Phase.CLOSING and not call.playback.knows(item_id):
        call.playback.bar(item_id)
        call.out.append(DeleteItem(model, item_id))


def note_barge_in(call: CallState, item: Item | None) -> None:
    """An interruption was accepted. item: what was sounding."""
    if item is None:
        call.out.append(NoteBargeIn(None, None, None, None))
    else:
        heard_ms, generated_ms = (call.terms.audio.ms_of(size) for size in (item.heard, item.generated))
        call.out.append(NoteBargeIn(item.response_id, item.item_id, heard_ms, generated_ms, item.first_mark))


def note_tool(call: CallState, tool_call: ToolCall, output: str, status: ToolStatus, at: float) -> None:
    """A tool call is answered or withdrawn."""
    duration_ms = round((at - tool_call.requested_at) * 1000)
    call.out.append(NoteToolCall(tool_call.name, tool_call.arguments, output, status, duration_ms))
