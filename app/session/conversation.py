"""Who said what, and how much of it was heard: what the model knows, and what a new model session is given.

Each entry is told to a model session once, in order, as soon as there is one. Spoken turns of the caller and the
model's own items arise in the model's conversation by themselves: they are kept here for the next session only.
"""

from dataclasses import dataclass, field
from enum import Enum

from app.session.commands import AddAgentText, AddCallerText, AddCue, Command
from app.session.words import ItemId, ModelNumber

MAX_ENTRIES = 200


class Side(Enum):
    CALLER = "caller"
    AGENT = "agent"
    CUE = "cue"


@dataclass(slots=True)
class _Entry:
    """text: all of it. part: which content part of the item that is, as long as it is the only one; parts: else."""

    side: Side
    item_id: ItemId
    text: str
    known_to: ModelNumber
    part: int = 0
    is_held: bool = False
    parts: dict[int, str] | None = None

    def learn(self, part: int, text: str) -> None:
        if self.parts is None and part == self.part:
            self.text = text
            return
        if self.parts is None:
            self.parts = {self.part: self.text}
        self.parts[part] = text
        self.text = " ".join(words for _, words in sorted(self.parts.items()) if words)


@dataclass(slots=True)
class Conversation:
    """The words of one call. Bounded: of a very long call a new model session is given the last 200 entries."""

    _entries: list[_Entry] = field(default_factory=list)
    _count: int = 0

    def add(self, side: Side, text: str) -> ItemId:
        """Enter words that no model session knows of yet; `tell` hands them over."""
        item_id = self.next_id()
        self._enter(_Entry(side, item_id, text, ModelNumber(0)))
        return item_id

    def next_id(self) -> ItemId:
        """Return an id for an item of our own making, unlike any other of this call."""
        self._count += 1
        return ItemId(f"dialtone_{self._count}")

    def learnt(self, side: Side, item_id: ItemId, text: str, model: ModelNumber, *, part: int = 0) -> None:
        """Enter words that stand in that model session's conversation already; said again, they replace the former.

        part: which content part of the item they are.
        """
        for entry in reversed(self._entries):
            if entry.item_id == item_id:
                entry.learn(part, text)
                return
        self._enter(_Entry(side, item_id, text, model, part))

    def forget(self, item_id: ItemId) -> None:
        """Take words out again: they were not heard after all."""
        self._entries = [entry for entry in self._entries if entry.item_id != item_id]

    def hold(self, item_id: ItemId, *, only_behind: bool = False) -> None:
        """Do not tell this and what came behind it yet: something before it is to be said again first."""
        is_behind = False
        for entry in self._entries:
            entry.is_held = entry.is_held or is_behind or (entry.item_id == item_id and not only_behind)
            is_behind = is_behind or entry.item_id == item_id

    def let_go(self) -> None:
        """What was held may be told now, and stands behind all else."""
        self._entries.sort(key=lambda entry: entry.is_held)
        for entry in self._entries:
            entry.is_held = False

    def tell(self, model: ModelNumber) -> list[Command]:
        """Return what this model session has to be told, in order, and hold it for told."""
        commands: list[Command] = []
        for entry in self._entries:
            if entry.known_to >= model:
                continue
            if not entry.text or entry.is_held:
                continue  # its words, or its turn, may still come
            entry.known_to = model
            match entry.side:
                case Side.CALLER:
                    commands.append(AddCallerText(model, entry.item_id, entry.text))
                case Side.AGENT:
                    commands.append(AddAgentText(model, entry.item_id, entry.text))
                case Side.CUE:
                    commands.append(AddCue(model, entry.item_id, entry.text))
        return commands

    def _enter(self, entry: _Entry) -> None:
        self._entries.append(entry)
        if len(self._entries) > MAX_ENTRIES:
            del self._entries[0]
