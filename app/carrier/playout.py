"""The play-out clock: what the caller hears of what the service sends, sample by sample, without a clock of its own.

A telephone line takes 8,000 samples a second, so time here is a whole number of samples since the stream's start and
nothing is ever rounded. Audio is queued and played strictly in order; a mark stands in the same queue and comes back
when all before it has been played; `clear` empties the queue and gives every mark in it back (Twilio, Media Streams).
Between two calls the queue plays by itself: each method first lets it play up to its `at`.
"""

from collections import deque
from dataclasses import dataclass

SILENCE = b"\xff"
LINE_HZ = 8_000


@dataclass(frozen=True, slots=True)
class Heard:
    """Bytes `offset` to `offset + size` of all that was sent sounded from sample `at` on, without a gap."""

    at: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """A `clear` came at sample `at` and threw bytes `offset` to `offset + size` away; `size` may be 0."""

    at: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class ReturnedMark:
    """A mark on its way back. played: all audio before it was heard; else a `clear` sent it back."""

    name: str
    sent_at: int
    returned_at: int
    played: bool


@dataclass(frozen=True, slots=True)
class SentMark:
    """A mark as it came: at sample `sent_at`, behind byte `offset`, after so many clears."""

    name: str
    sent_at: int
    offset: int
    clears: int


class PlayOut:
    """The carrier's buffer of one stream, and the record of it: 8 kB for each second that was sent."""

    def __init__(self, at: int = 0) -> None:
        self.now = at
        self.heard: list[Heard] = []
        self.cleared: list[Cleared] = []
        self.sent = bytearray()
        self.marks: list[SentMark] = []
        self._next = 0  # offset of the byte that sounds at `now`
        self._marks: deque[SentMark] = deque()

    @property
    def queued_bytes(self) -> int:
        """What was sent and has neither been heard nor thrown away."""
        return len(self.sent) - self._next

    @property
    def deadline(self) -> int | None:
        """The sample at which the next mark comes back, unless a `clear` comes first."""
        return self.now + self._marks[0].offset - self._next if self._marks else None

    def arrived(self, at: int, ulaw: bytes) -> list[ReturnedMark]:
        """Queue audio; it sounds at once if nothing is before it."""
        returned = self.advance(at)
        self.sent += ulaw
        return returned

    def mark(self, at: int, name: str) -> list[ReturnedMark]:
        """Queue a mark; it comes back at once if nothing is before it."""
        returned = self.advance(at)
        mark = SentMark(name, at, len(self.sent), len(self.cleared))
        self.marks.append(mark)
        self._marks.append(mark)
        return returned + self._due(self._next, self.now)

    def clear(self, at: int) -> list[ReturnedMark]:
        """Throw away what waits; returns the marks in it, after those that were reached before `at`."""
        returned = self.advance(at)
        self.cleared.append(Cleared(self.now, self._next, self.queued_bytes))
        self._next = len(self.sent)
        while self._marks:
            mark = self._marks.popleft()
            returned.append(ReturnedMark(mark.name, mark.sent_at, self.now, played=False))
        return returned

    def advance(self, at: int) -> list[ReturnedMark]:
        """Play until sample `at`; returns the marks that were reached. A time that is past already changes nothing."""
        size = min(at - self.now, self.queued_bytes)
        began, before = self._next, self.now
        if size > 0:
            self._sound(size)
        self.now = max(at, before)
        return self._due(began, before) if self._marks else []

    def _sound(self, size: int) -> None:
        last = self.heard[-1] if self.heard else None
        if last and last.at + last.size == self.now and last.offset + last.size == self._next:
            self.heard[-1] = Heard(last.at, last.offset, last.size + size)
        else:
            self.heard.append(Heard(self.now, self._next, size))
        self._next += size

    def _due(self, began: int, before: int) -> list[ReturnedMark]:
        """Marks up to the playing position, which was byte `began` at sample `before`."""
        returned = []
        while self._marks and self._marks[0].offset <= self._next:
            mark = self._marks.popleft()
            reached = before + max(0, mark.offset - began)
            returned.append(ReturnedMark(mark.name, mark.sent_at, reached, played=True))
        return returned

    def sound(self, begin: int, end: int) -> bytes:
        """Return what sounded from sample `begin` to `end` (not beyond `now`), silence where nothing did.

        Empty if nothing sounded at all: the usual case on a quiet line, and the cheap one.
        """
        pieces: list[Heard] = []
        for piece in reversed(self.heard):
            if piece.at + piece.size <= begin:
                break
            if piece.at < end:
                pieces.append(piece)
        if not pieces:
            return b""
        line = bytearray(SILENCE * (end - begin))
        for piece in pieces:
            first, last = max(begin, piece.at), min(end, piece.at + piece.size)
            offset = piece.offset + first - piece.at
            line[first - begin : last - begin] = self.sent[offset : offset + last - first]
        return bytes(line)
