"""The ledger of what the agent says: for every item, how much was generated, sent, heard.

The model speaks faster than real time and the carrier plays in real time. So what was generated waits here, and is sent
when its turn has come: the carrier holds a bounded lead, an interruption costs little, and what is known to be heard
stays true.

*Heard* is known by marks. Behind each piece goes a mark with a number; it comes back when the carrier has played all
before it; when it is due, and how late the carrier plays, is the send clock's to know (`send_clock.py`).

A `clear` sent at time t reaches the carrier one way later, and audio sent at its start reached it one way later too; so
what will have been played by then is what the send clock says at t, less the lateness. That is the position to which an
item is cut: the last mark that came back, plus the time since, plus the round trip; never beyond what was sent.
Source: OpenAI's realtime API reference (conversation.item.truncate), Twilio's media streams documentation.
"""

from collections import deque
from dataclasses import dataclass

from app.audio.formats import AudioFormat
from app.errors import InvariantError
from app.session.commands import Command, PlayAudio, SendMark
from app.session.item import Item
from app.session.send_clock import SendClock, Slot
from app.session.voicing import Part
from app.session.words import ItemId, ModelNumber, Phrase, PieceNumber, ResponseId

PIECE_MS = 100
"""What is sent at a time, once the lead is there; a mark behind each."""
CRUMB_MS = 20
"""Less than this is not sent by itself while more is on its way."""
GRACE_S = 0.010
"""So much before or behind its turn may a piece go along with something that happens, before it gets a step of its own.
The mark of a piece that has ended comes at that moment when the carrier is near."""
MAX_WAITING_MS = 120_000
PROOF_WAIT_S = 5.0
"""A mark that is so much later than its audio must have ended is given up."""


@dataclass(slots=True)
class _Mark:
    number: int
    item: Item
    position: int
    slot: Slot


@dataclass(frozen=True, slots=True)
class Cut:
    """What an interruption leaves: items heard to their end, the one that was sounding, those that nobody heard."""

    finished: list[Item]
    sounding: Item | None
    dropped: list[Item]


class Playback:
    """The one line to the caller's ear. Time is an argument, seconds."""

    __slots__ = (
        "_bytes_per_s",
        "_crumb_bytes",
        "_format",
        "_items",
        "_marks",
        "_number",
        "_over",
        "_piece_bytes",
        "clock",
        "generation",
        "is_held",
        "turn_at",
    )

    def __init__(self, audio: AudioFormat) -> None:
        """audio: of what is generated.

        turn_at: by when the next waiting audio is to be sent, as the last release left it; None when nothing can be.
        is_held: nothing is sent; what the carrier has plays on.
        """
        self._format = audio
        self._bytes_per_s = audio.bytes_per_ms * 1000
        self._piece_bytes = audio.bytes_of(PIECE_MS)
        self._crumb_bytes = audio.bytes_of(CRUMB_MS)
        self.clock = SendClock()
        self.generation = 1
        self.turn_at: float | None = None
        self.is_held = False
        self._items: deque[Item] = deque()  # in the order of speech, up to the last one that is not known as heard
        self._marks: deque[_Mark] = deque()
        self._number = 0
        # parts of items that are heard or cut: what still comes of them is late
        self._over: deque[tuple[ItemId, int]] = deque(maxlen=64)

    # --- what was generated -------------------------------------------------------------------------------------------

    @property
    def is_silent(self) -> bool:
        """Nothing sounds and nothing waits, not even for our voice to speak it."""
        for item in self._items:
            if item.generated > item.heard or (item.is_written and not item.is_complete):
                return False
        return True

    @property
    def has_sound(self) -> bool:
        """Does anything sound, or wait with its sound?"""
        return any(item.generated > item.heard for item in self._items)

    @property
    def is_empty(self) -> bool:
        return not self._items

    @property
    def has_more(self) -> bool:
        """Is there something that the carrier has not been sent whole?"""
        return any(not item.is_closed for item in self._items)

    def holds(self, phrase: Phrase) -> bool:
        """Does this phrase sound, or wait?"""
        return any(item.phrase is phrase for item in self._items)

    @property
    def waiting_ms(self) -> int:
        return self._format.ms_of(sum(item.waiting_bytes for item in self._items))

    def add_phrase(self, phrase: Phrase, piece: PieceNumber, text: str) -> None:
        item = Item(None, None, None, phrase=phrase, piece=piece, text=text)
        if phrase is Phrase.DISCLOSURE:
            self._items.appendleft(item)  # before what the model has said meanwhile
        else:
            self._items.append(item)

    def add_part(self, part: Part, piece: PieceNumber) -> None:
        """A piece of what the model writes will be spoken."""
        self._items.append(Item(part.model, part.response_id, part.item_id, part.number, piece=piece, text=part.text))

    def speech(self, piece: PieceNumber, audio: bytes) -> None:
        item = self.spoken_as(piece)
        if item is not None:
            item.add(audio)

    def speech_complete(self, piece: PieceNumber) -> bool:
        """No more of it comes. False: there was no sound in it at all."""
        item = self.spoken_as(piece)
        if item is None:
            return True
        if not item.generated:
            return False
        item.is_complete = True
        return True

    def spoken_as(self, piece: PieceNumber) -> Item | None:
        """Return the phrase, or the piece of what the model wrote, of that number."""
        return next((item for item in self._items if item.piece == piece), None)

    def drop_speech(self, piece: PieceNumber) -> None:
        """It cannot be spoken (on)."""
        item = self.spoken_as(piece)
        if item is not None:
            item.is_complete = True
            if not item.generated:
                self._items.remove(item)
                self._leave(item)

    def audio(
        self, model: ModelNumber, response_id: ResponseId, item_id: ItemId, content_index: int, audio: bytes
    ) -> None:
        if (item_id, content_index) not in self._over:
            self._of_model(model, response_id, item_id, content_index).add(audio)

    def words(self, model: ModelNumber, response_id: ResponseId, item_id: ItemId, text: str) -> str:
        """The next words of an item; return all of them so far, "" for one that is over."""
        part = next((item for item in reversed(self._items) if item.item_id == item_id and item.model == model), None)
        if part is None:
            if self.knows(item_id):
                return ""
            part = self._of_model(model, response_id, item_id, 0)
        part.text += text
        return "".join(item.text for item in self._items if item.item_id == item_id and item.model == model)

    def words_of(self, response_id: ResponseId) -> dict[ItemId, str]:
        """Return the words of a response's items that were not heard whole yet."""
        words: dict[ItemId, str] = {}
        for item in self._items:
            if item.response_id == response_id and item.item_id is not None:
                words[item.item_id] = words.get(item.item_id, "") + item.text
        return words

    def withdraw(self, response_id: ResponseId) -> list[Item]:
        """Take out what a response has waiting, none of which was sent; whatever still comes of it is late."""
        withdrawn = [item for item in self._items if item.response_id == response_id and not item.sent]
        for item in withdrawn:
            self._items.remove(item)
            self._leave(item)
        return withdrawn

    def knows(self, item_id: ItemId) -> bool:
        """Has anything of this item been in the ledger?"""
        return any(item.item_id == item_id for item in self._items) or any(over[0] == item_id for over in self._over)

    def bar(self, item_id: ItemId) -> None:
        """Whatever still comes of this item is late."""
        self._over.append((item_id, 0))

    def item_complete(self, item_id: ItemId) -> None:
        for item in self._items:
            if item.item_id == item_id and not item.is_written:
                item.is_complete = True

    def response_complete(self, response_id: ResponseId, *, is_shortened: bool = False) -> None:
        """No more of it comes. Items that never had audio are gone with it."""
        for item in self._items:
            if item.response_id == response_id:
                item.is_shortened = item.is_shortened or (is_shortened and (item.is_written or not item.is_complete))
                item.is_complete = item.is_complete or not item.is_written  # which is when it is spoken
        self._drop_empty()

    def has_response(self, response_id: ResponseId) -> bool:
        """Does anything of it sound or wait?"""
        return any(item.response_id == response_id for item in self._items)

    def is_whole(self, response_id: ResponseId) -> bool:
        """Has all that is here of a response come to its end?"""
        return all(item.is_complete or item.is_written for item in self._items if item.response_id == response_id)

    def model_gone(self) -> None:
        """No more comes of any item of the model's; what there is plays out."""
        for item in self._items:
            if item.response_id is not None and not item.is_written:
                item.is_complete = True
        self._drop_empty()

    def has_items_of(self, response_id: ResponseId | None, piece: PieceNumber | None) -> bool:
        return any(item.response_id == response_id and item.phrase_piece == piece for item in self._items)

    # --- what is sent -------------------------------------------------------------------------------------------------

    def release(self, at: float, *, only: Phrase | None = None) -> list[Command]:
        """Return the audio whose turn has come, with its marks. only: hold back everything but this phrase."""
        commands: list[Command] = []
        if self.turn_at is not None:
            self.clock.lagged(at - self.turn_at)  # a wake-up that came late
        self.turn_at = None
        while not self.is_held and (item := self._next()) is not None:
            if only is not None and item.phrase is not only:
                break
            size = min(item.waiting_bytes, self._piece_bytes)
            length_s = size / self._bytes_per_s
            turn_at = self.clock.turn_of(length_s)
            if size and at < turn_at - GRACE_S:
                self.turn_at = turn_at + GRACE_S
                break
            self._number += 1
            slot = self.clock.send(length_s, at)
            if size and item.started_at is None:
                item.started_at = slot.begins_at
                item.first_mark = f"{self.generation}:{self._number}"
            audio = item.take(size)
            ends = item.is_complete and not item.waiting_bytes
            item.is_closed = ends
            self._marks.append(_Mark(self._number, item, item.sent, slot))
            commands.append(PlayAudio(audio, ends))
            commands.append(SendMark(self.generation, self._number))
        return commands

    def hold(self) -> None:
        """Send nothing for now."""
        self.is_held = True
        self.turn_at = None

    def go_on(self) -> None:
        """Send on, from the sample behind the last one that was sent."""
        self.is_held = False

    # --- what was heard -----------------------------------------------------------------------------------------------

    def reached(self, generation: int, number: int, at: float) -> list[Item]:
        """A mark came back; return the items that are heard to their end by it. One of a cleared line means nothing."""
        if generation != self.generation or not self._marks or number > self._marks[-1].number:
            return []
        finished: list[Item] = []
        while self._marks and self._marks[0].number <= number:
            mark = self._marks.popleft()
            if mark.number == number:
                self.clock.returned(mark.slot, at)
            self._heard(mark, finished)
        return finished

    @property
    def proof_due_at(self) -> float | None:
        """When the oldest outstanding mark is given up."""
        return self._marks[0].slot.ends_at + PROOF_WAIT_S if self._marks else None

    def give_up(self, at: float) -> list[Item]:
        """Give up the marks that are too late; return the items that are held for heard without proof."""
        finished: list[Item] = []
        while self._marks and self._marks[0].slot.ends_at + PROOF_WAIT_S <= at:
            mark = self._marks.popleft()
            self._heard(mark, finished)
        return finished

    def cut(self, at: float) -> Cut:
        """Forget all that waits and all that sounds; the ledger of each item says what was heard when the clear lands.

        Begins a new generation: marks of the former one have no effect any more.
        """
        finished: list[Item] = []
        self.is_held = False
        self.turn_at = None
        played_until = at - self.clock.lateness_s
        while self._marks:
            mark = self._marks.popleft()
            if mark.slot.ends_at <= played_until:
                self._heard(mark, finished)
                continue
            if mark.slot.begins_at < played_until:
                missing = round((mark.slot.ends_at - played_until) * self._bytes_per_s)
                mark.item.heard = max(mark.item.heard, mark.position - missing)
            break
        self._marks.clear()
        sounding: Item | None = None
        dropped: list[Item] = []
        for item in self._items:
            item.waiting.clear()
            item.follows_heard = self._is_heard_before(item, sounding) and not any(
                other.item_id == item.item_id and not other.follows_heard for other in dropped
            )
            self._leave(item)
            if not item.heard <= item.sent <= item.generated:
                raise InvariantError(f"heard {item.heard}, sent {item.sent}, generated {item.generated} of an item")
            if item.heard and sounding is None:
                sounding = item
            else:
                dropped.append(item)
        self._items.clear()
        self.generation += 1
        self.clock.clear()
        return Cut(finished, sounding, dropped)

    # --- within -------------------------------------------------------------------------------------------------------

    def _is_heard_before(self, item: Item, sounding: Item | None) -> bool:
        """Was a part of this item before this one heard, or is it the one that was sounding?"""
        if item.item_id is None or not item.content_index:
            return False
        is_sounding = sounding is not None and sounding.item_id == item.item_id
        return is_sounding or any((item.item_id, index) in self._over for index in range(item.content_index))

    def _next(self) -> Item | None:
        """The item to send from: the first whose end is not sent, if it has something to send."""
        for item in self._items:
            if item.is_closed:
                continue
            if item.is_complete or item.generated - item.sent >= self._crumb_bytes:
                return item
            if item is self._items[-1] or item.generated:
                return None  # more of it is on its way
            # an item that has no audio yet does not hold up the ones behind it
        return None

    def _heard(self, mark: _Mark, finished: list[Item]) -> None:
        item = mark.item
        item.heard = max(item.heard, mark.position)
        if item.is_closed and mark.position == item.sent == item.heard and not self._has_marks_of(item):
            self._items.remove(item)
            self._leave(item)
            finished.append(item)

    def _leave(self, item: Item) -> None:
        if item.item_id is not None:
            self._over.append((item.item_id, item.content_index))

    def _has_marks_of(self, item: Item) -> bool:
        return any(mark.item is item for mark in self._marks)

    def _of_model(self, model: ModelNumber, response_id: ResponseId, item_id: ItemId, content_index: int) -> Item:
        for item in reversed(self._items):
            if item.item_id == item_id and item.content_index == content_index and item.model == model:
                return item
        for item in self._items:  # the parts of a response come one behind the other: a new one ends the former
            if item.response_id == response_id:
                item.is_complete = True
        item = Item(model, response_id, item_id, content_index)
        self._items.append(item)
        return item

    def _drop_empty(self) -> None:
        self._items = deque(item for item in self._items if item.generated or item.is_closed or not item.is_complete)
