"""Turns as the record tells them: when each side spoke, and what of it the other side heard.

An agent's turn is one response of the model, or one phrase; its items follow each other. A caller's turn is what the
model's voice detector cut out; its words come later, or never.
"""

from dataclasses import dataclass, field

from app.session.commands import NoteTurn
from app.session.item import Item
from app.session.words import ItemId, PieceNumber, ResponseId, Speaker


def words_heard(text: str, heard: int, generated: int) -> str:
    """Return the beginning of a text that was heard for `heard` of `generated` bytes, cut at a word: an estimate.

    Realtime models give no times of words. A text without spaces (Japanese) is cut at the letter.
    """
    if heard <= 0:
        return ""
    if heard >= generated:
        return text
    end = len(text) * heard // generated
    if end < len(text) and not text[end].isspace() and " " in text:
        end = text.rfind(" ", 0, end) + 1
    return text[:end].rstrip()


def _joined(texts: list[str]) -> str:
    return " ".join(words for text in texts if (words := text.strip()))


@dataclass(slots=True)
class AgentTurn:
    """The agent's turn that is being heard."""

    response_id: ResponseId | None
    piece: PieceNumber | None
    start_ms: int
    end_ms: int
    generated: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    interrupted: bool = False
    item_id: ItemId | None = None
    """The last one's."""

    def note(self) -> NoteTurn:
        return NoteTurn(
            Speaker.AGENT,
            _joined(self.generated),
            _joined(self.heard),
            self.start_ms,
            self.end_ms,
            self.interrupted,
        )

    def is_of(self, item: Item) -> bool:
        return (self.response_id, self.piece) == (item.response_id, item.phrase_piece)

    def add(self, item: Item, heard: str, end_ms: int, *, interrupted: bool) -> None:
        if item.is_written and item.item_id == self.item_id:  # another piece of the same text
            self.generated[-1] += item.text
            self.heard[-1] += heard
        else:
            self.generated.append(item.text)
            self.heard.append(heard)
        self.item_id = item.item_id
        self.end_ms = max(self.end_ms, end_ms)
        self.interrupted = self.interrupted or interrupted


class AgentTurns:
    """The agent's turns, one behind the other. present: the one that is being heard."""

    __slots__ = ("present",)

    def __init__(self) -> None:
        self.present: AgentTurn | None = None

    def enter(self, item: Item, start_ms: int, end_ms: int, *, interrupted: bool) -> list[NoteTurn]:
        """Add an item that was heard, or cut; return the turn that it ends by belonging to another."""
        notes = [] if self.present is None or self.present.is_of(item) else self.close()
        if self.present is None:
            self.present = AgentTurn(item.response_id, item.phrase_piece, start_ms, start_ms)
        heard = words_heard(item.text, item.heard, item.generated) if interrupted else item.text
        self.present.add(item, heard, end_ms, interrupted=interrupted)
        return notes

    def close(self) -> list[NoteTurn]:
        """Note the present turn, if there is one: it is whole."""
        turn, self.present = self.present, None
        return [] if turn is None else [turn.note()]


@dataclass(slots=True)
class CallerTurn:
    """is_asked: a response began that knows it. is_answered: the model has answered it, so it has heard it, whether or
    not its words ever come. is_noted: they will not come, and the record knows that."""

    start_ms: int
    end_ms: int | None = None
    is_asked: bool = False
    is_answered: bool = False
    is_noted: bool = False

    def note(self, text: str | None, now_ms: int) -> NoteTurn:
        end_ms = now_ms if self.end_ms is None else self.end_ms
        return NoteTurn(Speaker.CALLER, None, text, min(self.start_ms, end_ms), end_ms)


class CallerTurns:
    """The caller's turns whose words have not come yet, or are not known and not answered; by the item they become."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[ItemId, CallerTurn] = {}

    @property
    def await_words(self) -> bool:
        return any(turn.end_ms is not None and not turn.is_noted for turn in self._open.values())

    def started(self, item_id: ItemId, start_ms: int) -> None:
        self._open.setdefault(item_id, CallerTurn(start_ms))

    def stopped(self, item_id: ItemId, end_ms: int) -> None:
        turn = self._open.setdefault(item_id, CallerTurn(end_ms))
        turn.end_ms = end_ms

    def asked(self) -> None:
        """A response begins: it knows what was heard to its end by now."""
        for turn in self._open.values():
            turn.is_asked = turn.end_ms is not None

    def answered(self) -> None:
        """The model has answered what was heard to its end when its response began."""
        for item_id, turn in list(self._open.items()):
            turn.is_answered = turn.is_asked
            if turn.is_answered and turn.is_noted:
                del self._open[item_id]

    @property
    def unended(self) -> dict[ItemId, int]:
        """The turns that the caller has not finished, by the item; → where on the stream each begins, ms."""
        return {item_id: turn.start_ms for item_id, turn in self._open.items() if turn.end_ms is None}

    @property
    def unwritten(self) -> dict[ItemId, int]:
        """The turns that only the model knows, by the item; → where on the stream each begins, ms."""
        return {item_id: turn.start_ms for item_id, turn in self._open.items() if not turn.is_answered}

    @property
    def has_unwritten(self) -> bool:
        """Is there a turn that only the model knows? Asked in every step, and mostly none is open."""
        return bool(self._open) and bool(self.unwritten)

    @property
    def has_ended_unwritten(self) -> bool:
        """Has the caller finished a turn that only the model knows, and has not answered?"""
        return any(turn.end_ms is not None and not turn.is_answered for turn in self._open.values())

    def forget(self, item_id: ItemId) -> None:
        """It was no turn after all, or is to become another item."""
        self._open.pop(item_id, None)

    def written(self, item_id: ItemId, text: str | None, now_ms: int) -> NoteTurn | None:
        """Its words came (None: they could not be made out); None when the turn is not known or was noted before.

        A turn without words is the caller's all the same, and only the model that heard it knows it until it answers.
        """
        turn = self._open.get(item_id)
        if turn is None:
            return None
        if text or turn.is_answered:
            del self._open[item_id]
        was_noted, turn.is_noted = turn.is_noted, True
        return None if was_noted else turn.note(text, now_ms)

    def close(self, now_ms: int) -> list[NoteTurn]:
        """Note the turns whose words will not come any more."""
        notes = [turn.note(None, now_ms) for turn in self._open.values() if not turn.is_noted]
        self._open.clear()
        return notes
