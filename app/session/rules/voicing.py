"""What the model writes is spoken by our own voice: piece by piece, and not much further ahead than it is heard."""

from collections.abc import Iterable, Sequence

from app.session.commands import Speak
from app.session.events import AgentText
from app.session.item import Item
from app.session.rules.heard import settle_written
from app.session.rules.state import CallState
from app.session.turns import words_heard
from app.session.voicing import Part, Writing
from app.session.words import ItemId, PieceNumber, ResponseId

AT_ONCE = 2
"""How many pieces the voice is asked for at a time: the next is made while one is sent."""
AHEAD_MS = 4000
"""With so much speech waiting, no more is asked for: what a caller interrupts was not made for nothing."""


def write(call: CallState, event: AgentText) -> str:
    """Take in the next words of an item; return all of them so far."""
    if not call.voicing.is_writing(event.item_id):
        if call.playback.knows(event.item_id):
            return ""  # a straggler of an item that is over
        response_written(call, event.response_id)  # its items come one behind the other: a new one ends the former
    _enter(call, call.voicing.write(event.model, event.response_id, event.item_id, event.text))
    return call.voicing.text_of(event.item_id)


def item_written(call: CallState, item_id: ItemId) -> None:
    """No more of this item comes."""
    for writing in call.voicing.writings:
        if writing.item_id == item_id:
            _finish(call, writing)


def response_written(call: CallState, response_id: ResponseId, *, is_broken_off: bool = False) -> None:
    """No more of this response comes. is_broken_off: it was not ended by its model."""
    for writing in call.voicing.writings:
        if writing.response_id == response_id:
            _finish(call, writing, is_broken_off=is_broken_off)


def is_whole(call: CallState, response_id: ResponseId) -> bool:
    """Has all that there is of a response come to its end? Whether more was to follow, nobody knows."""
    is_being_written = any(writing.response_id == response_id for writing in call.voicing.writings)
    return call.playback.is_whole(response_id) and not is_being_written


def break_off(call: CallState) -> list[Writing]:
    """No more of anything comes: what there is enters the ledger. Returns what was being written."""
    begun = call.voicing.writings
    for writing in begun:
        call.voicing.spoil(writing.item_id)  # the model may have written more than has come
        _enter(call, call.voicing.finish(writing.item_id, is_broken_off=True))
    return begun


def cut_parts(call: CallState, items: Iterable[Item]) -> None:
    """These were cut, or withdrawn: enter what was heard of them."""
    for item in items:
        if item.is_written and item.model is not None and item.response_id is not None and item.item_id is not None:
            call.voicing.spoil(item.item_id)
            call.voicing.heard(item.item_id, words_heard(item.text, item.heard, item.generated))
            settle_written(call, item.model, item.response_id, item.item_id)


def mind_voice(call: CallState) -> None:
    """Have the voice speak what is due."""
    due = call.voicing.due
    while due and len(call.speaking) < AT_ONCE and call.playback.waiting_ms < AHEAD_MS:
        piece, text = due.popleft()
        if call.playback.spoken_as(piece) is not None:  # else it was withdrawn
            call.speaking.add(piece)
            call.out.append(Speak(piece, text))


def part_spoken(call: CallState, piece: PieceNumber) -> None:
    """The voice has managed one, if it was one."""
    item = call.playback.spoken_as(piece)
    if item is not None and item.is_written:
        call.voicing.failures = 0


def _finish(call: CallState, writing: Writing, *, is_broken_off: bool = False) -> None:
    _enter(call, call.voicing.finish(writing.item_id, is_broken_off=is_broken_off))
    settle_written(call, writing.model, writing.response_id, writing.item_id)


def _enter(call: CallState, parts: Sequence[Part]) -> None:
    for part in parts:
        call.pieces += 1
        piece = PieceNumber(call.pieces)
        call.playback.add_part(part, piece)
        call.voicing.due.append((piece, part.text.strip()))
