"""Does the caller interrupt, or was it a cough? NOTHING → HEARING ⇄ WAITING → NOTHING.

While agent audio sounds or waits, a sound of the caller makes the agent pause: we stop sending, the little that the
carrier holds plays on. HEARING: our own detector hears a voice; once it has heard enough of it the interruption is
accepted. WAITING: the voice has ended too soon, or the model's detector spoke of one that ours has not heard. Nothing
more within the time to resume, and it was a false alarm: the agent goes on at the sample where it stopped.

The model's detector says only once that somebody speaks and notices the end late, so it can make us pause and lends the
sound its item; the evidence is ours. An item that was made of a false alarm is *dismissed*: deleted once it is
committed, unless the caller goes on within it and is heard after all.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from app.errors import InvariantError
from app.session.words import ItemId

ONSET_MS = 64
"""How much of a voice our detector has heard when it first says so: two of its pieces of 32 ms (close_listening.py)."""


class Doubt(Enum):
    NOTHING = "nothing"
    HEARING = "hearing"
    WAITING = "waiting"


_MOVES = {
    Doubt.NOTHING: {Doubt.HEARING, Doubt.WAITING},
    Doubt.HEARING: {Doubt.WAITING, Doubt.NOTHING},
    Doubt.WAITING: {Doubt.HEARING, Doubt.NOTHING},
}


@dataclass(frozen=True, slots=True)
class Sound:
    """What was judged. since: when the pause began.

    items: what the model makes of it, the latest last, and whether it has committed it; none if it has not noticed.
    """

    since: float
    speech_ms: int
    items: dict[ItemId, bool]

    @property
    def item_id(self) -> ItemId | None:
        """The item that the model made of it last."""
        return next(reversed(self.items), None)

    @property
    def is_committed(self) -> bool:
        """Is the turn over for the model?"""
        return bool(self.items) and self.items[next(reversed(self.items))]


class InterruptionMachine:
    """Judges one sound at a time. deadline: when a sound that was not borne out is held for a false alarm."""

    __slots__ = (
        "_dismissed",
        "_items",
        "_min_speech_ms",
        "_resume_after_s",
        "_since",
        "_speech_ms",
        "deadline",
        "doubt",
        "open_item",
    )

    def __init__(self, *, min_speech_ms: int, resume_after_ms: int) -> None:
        self._min_speech_ms = min_speech_ms
        self._resume_after_s = resume_after_ms / 1000
        self.doubt = Doubt.NOTHING
        self.deadline: float | None = None
        self.open_item: ItemId | None = None
        """What the model hears the caller say just now will be this item."""
        self._since = 0.0
        self._speech_ms = 0
        self._items: dict[ItemId, bool] = {}
        self._dismissed: deque[ItemId] = deque(maxlen=32)

    @property
    def is_judging(self) -> bool:
        return self.doubt is not Doubt.NOTHING

    @property
    def is_hearing(self) -> bool:
        return self.doubt is Doubt.HEARING

    @property
    def is_enough(self) -> bool:
        """Has so much of a voice been heard that it is an interruption?"""
        return self.doubt is Doubt.HEARING and self._speech_ms >= self._min_speech_ms

    def is_dismissed(self, item_id: ItemId) -> bool:
        return item_id in self._dismissed

    def is_about(self, item_id: ItemId) -> bool:
        """Is it the sound being judged that the model made this item of?"""
        return self.is_judging and item_id in self._items

    def voice_began(self, at: float) -> None:
        """Our detector hears a voice over the agent."""
        if self.doubt is Doubt.NOTHING:
            self._begin(at, self.open_item if self.open_item in self._dismissed else None)
        self._move(Doubt.HEARING)
        self._speech_ms += ONSET_MS
        self.deadline = None

    def voice_heard(self, ms: int) -> bool:
        """More of it; True once it is enough."""
        self._speech_ms += ms
        return self.is_enough

    def voice_ended(self, at: float) -> None:
        """Our detector hears no voice any more. Without effect when none was being judged."""
        if self.doubt is Doubt.HEARING:
            self._move(Doubt.WAITING)
            self.deadline = at + self._resume_after_s

    def reported(self, item_id: ItemId, at: float) -> None:
        """The model's detector hears the caller over the agent; it may cut one sound into several items."""
        if self.doubt is Doubt.NOTHING:
            self._begin(at, item_id)
            self._move(Doubt.WAITING)
            self.deadline = at + self._resume_after_s
        else:
            self._items.setdefault(item_id, False)

    def committed(self, item_id: ItemId) -> None:
        """The model has made an item of what the caller said."""
        if self.is_about(item_id):
            self._items[item_id] = True
        if item_id == self.open_item:
            self.open_item = None

    def settle(self) -> Sound:
        """End the judgement, whatever it is; return what was judged."""
        self._move(Doubt.NOTHING)
        self.deadline = None
        return Sound(self._since, self._speech_ms, self._items)

    def drop(self) -> None:
        """Judge no more: there is nothing left that could be interrupted."""
        if self.is_judging:
            self.settle()

    def dismiss(self, item_id: ItemId) -> None:
        """It was a false alarm."""
        if item_id not in self._dismissed:
            self._dismissed.append(item_id)

    def take_back(self, item_id: ItemId) -> None:
        """It was something after all."""
        if item_id in self._dismissed:
            self._dismissed.remove(item_id)

    def model_gone(self) -> None:
        """Its items are gone with it; the sound is judged on by our own ear."""
        self.open_item = None
        self._items = {}

    def _begin(self, at: float, item_id: ItemId | None) -> None:
        self._since = at
        self._speech_ms = 0
        self._items = {} if item_id is None else {item_id: False}

    def _move(self, to: Doubt) -> None:
        if to is not self.doubt and to not in _MOVES[self.doubt]:
            raise InvariantError(f"a sound that is {self.doubt.value} cannot become {to.value}")
        self.doubt = to
