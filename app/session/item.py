"""A stretch of the agent's speech, and how much of it was generated, sent and heard."""

from collections import deque
from dataclasses import dataclass, field

from app.session.words import ItemId, ModelNumber, Phrase, PieceNumber, ResponseId


@dataclass(slots=True, eq=False)
class Item:
    """A stretch of speech: of the model (item_id, response_id), a phrase of our own voice (piece), or in that voice
    a piece of what the model has written (both). Positions in bytes."""

    model: ModelNumber | None
    response_id: ResponseId | None
    item_id: ItemId | None
    content_index: int = 0
    phrase: Phrase | None = None
    piece: PieceNumber | None = None
    text: str = ""
    generated: int = 0
    sent: int = 0
    heard: int = 0
    is_complete: bool = False
    is_closed: bool = False
    """Its end was sent."""
    is_shortened: bool = False
    """The model made more than we kept."""
    follows_heard: bool = False
    """A part of the same item before this one was heard."""
    started_at: float | None = None
    first_mark: str | None = None
    """The name of the mark behind its first piece."""
    waiting: deque[memoryview] = field(default_factory=deque)

    @property
    def waiting_bytes(self) -> int:
        return self.generated - self.sent

    @property
    def is_written(self) -> bool:
        """Is it a piece of what the model wrote, which our own voice speaks? content_index: which piece."""
        return self.piece is not None and self.item_id is not None

    @property
    def phrase_piece(self) -> PieceNumber | None:
        """The number of a phrase; None for what is the model's."""
        return self.piece if self.item_id is None else None

    def add(self, audio: bytes) -> None:
        """More of it was generated."""
        if audio and not self.is_closed and not self.is_complete:
            self.waiting.append(memoryview(audio))
            self.generated += len(audio)

    def take(self, size: int) -> bytes:
        """Return the next bytes of what waits; they are sent."""
        parts: list[memoryview] = []
        left = size
        while left:
            part = self.waiting.popleft()
            if len(part) > left:
                self.waiting.appendleft(part[left:])
                part = part[:left]
            parts.append(part)
            left -= len(part)
        self.sent += size
        return parts[0].tobytes() if len(parts) == 1 else b"".join(parts)
