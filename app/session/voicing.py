"""What a model answers in writing, on its way to our own voice: cut into pieces that can be spoken, a sentence each.

A piece is a part of the model's item, numbered from 0, and an item of the ledger like any other. It is cut as soon as
its end is certain, so that the first sentence sounds while the rest is being written.
"""

from collections import deque
from dataclasses import dataclass

from app.session.words import ItemId, ModelNumber, PieceNumber, ResponseId

LEAST_CHARS = 12
"""A shorter sentence waits for the next one: "Dr." and "No. 5" are none, and "Yes." sounds better with what follows."""
MOST_CHARS = 250
"""Voices take no more than 300 at a time; a longer sentence is cut at a comma, else between two words."""
_ENDS = ".?!…"
"""What ends a sentence if a space follows: not so in 3.5 or example.com."""
_FULL_ENDS = "。？！\n"
"""What ends one in any case."""
_CLOSERS = "\"'”’」』)）"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an item. number: which of its pieces, from 0."""

    model: ModelNumber
    response_id: ResponseId
    item_id: ItemId
    number: int
    text: str


@dataclass(slots=True)
class Writing:
    """An item that is being written. text: all of it so far; rest: what of that is no piece yet."""

    model: ModelNumber
    response_id: ResponseId
    item_id: ItemId
    text: str = ""
    rest: str = ""
    parts: int = 0

    def part(self, size: int) -> Part:
        text, self.rest = self.rest[:size], self.rest[size:]
        self.parts += 1
        return Part(self.model, self.response_id, self.item_id, self.parts - 1, text)


class Voicing:
    """due: the pieces that the voice has not been asked for, in order. failures: pieces that it failed at in a row."""

    __slots__ = ("_heard", "_spoilt", "_unheard", "_writings", "due", "failures")

    def __init__(self) -> None:
        self.due: deque[tuple[PieceNumber, str]] = deque()
        self.failures = 0
        self._writings: dict[ItemId, Writing] = {}
        self._unheard: dict[ItemId, int] = {}
        """By item: how many of its pieces are on their way to the caller."""
        self._heard: dict[ItemId, str] = {}
        self._spoilt: set[ItemId] = set()

    @property
    def waiting_chars(self) -> int:
        return sum(len(text) for _, text in self.due)

    @property
    def writings(self) -> list[Writing]:
        """The items that are being written."""
        return list(self._writings.values())

    def is_writing(self, item_id: ItemId) -> bool:
        return item_id in self._writings

    def is_open(self, item_id: ItemId) -> bool:
        """Is it being written, or on its way to the caller?"""
        return item_id in self._writings or item_id in self._unheard

    def write(self, model: ModelNumber, response_id: ResponseId, item_id: ItemId, text: str) -> list[Part]:
        """Take in the next words of an item; return the pieces that are whole by that."""
        writing = self._writings.setdefault(item_id, Writing(model, response_id, item_id))
        writing.text += text
        writing.rest += text
        parts = []
        while size := _whole(writing.rest):
            parts.append(self._cut_off(writing, size))
        return parts

    def text_of(self, item_id: ItemId) -> str:
        """Return all that was written so far of an item that is being written."""
        writing = self._writings.get(item_id)
        return "" if writing is None else writing.text

    def finish(self, item_id: ItemId, *, is_broken_off: bool = False) -> list[Part]:
        """No more of this item comes; return the piece that is left of it, if any. is_broken_off: it was not ended."""
        writing = self._writings.pop(item_id, None)
        if writing is None:
            return []
        if is_broken_off and " " in writing.rest:
            writing.rest = writing.rest[: writing.rest.rindex(" ") + 1]  # what is behind may be half a word
        return [self._cut_off(writing, len(writing.rest))] if _is_speakable(writing.rest) else []

    def heard(self, item_id: ItemId, text: str) -> None:
        """The next piece of an item is heard, to its end or to where it was cut off."""
        self._heard[item_id] = self._heard.get(item_id, "") + text
        self._unheard[item_id] -= 1
        if not self._unheard[item_id]:
            del self._unheard[item_id]

    def spoil(self, item_id: ItemId) -> None:
        """Something of this item will never be heard."""
        self._spoilt.add(item_id)

    def settle(self, item_id: ItemId) -> tuple[str, bool]:
        """Nothing of an item is left: return what was heard of it, and whether that is all of it."""
        is_whole = item_id not in self._spoilt
        self._spoilt.discard(item_id)
        return self._heard.pop(item_id, "").strip(), is_whole

    def _cut_off(self, writing: Writing, size: int) -> Part:
        self._unheard[writing.item_id] = self._unheard.get(writing.item_id, 0) + 1
        return writing.part(size)


def _whole(text: str) -> int:
    """Return how many characters of a text that goes on are a piece; 0: none is whole yet."""
    for at, char in enumerate(text[: MOST_CHARS + 1]):
        if char in _FULL_ENDS:
            end = at + 1
        elif char in _ENDS:
            end = at + 1
            while end < len(text) and text[end] in _CLOSERS:
                end += 1
            if end >= len(text) or not text[end].isspace():
                continue
        else:
            continue
        while end < len(text) and text[end].isspace():
            end += 1
        if len(text[:end].strip()) >= (LEAST_CHARS if char in _ENDS else 1) and _is_speakable(text[:end]):
            return end
    if len(text) <= MOST_CHARS:
        return 0
    for mark in (",", "、", "，", " "):
        at = text.rfind(mark, LEAST_CHARS, MOST_CHARS)
        if at > 0 and _is_speakable(text[:at]):
            return at + 1
    return MOST_CHARS


def _is_speakable(text: str) -> bool:
    return any(map(str.isalnum, text))
