"""The sessions with a model that a call has: which are open, how long they took to connect, which were lost."""

from app.session.commands import CloseModel, OpenModel
from app.session.events import ModelLost, ModelReady, StreamEnded
from app.session.journal import Entry
from app.session.words import ModelNumber


class ModelSessions:
    """Follows one call's journal. An event is asked about before its entry is read."""

    __slots__ = ("_opened_at",)

    def __init__(self) -> None:
        self._opened_at: dict[ModelNumber, float] = {}

    def connect_ms(self, event: ModelReady, at: float) -> int | None:
        """How long the session took from being asked for to being ready; None if the journal does not say."""
        opened_at = self._opened_at.get(event.model)
        return None if opened_at is None else round((at - opened_at) * 1000)

    def is_loss(self, event: ModelLost) -> bool:
        """Did the call lose a model that it had? Not when we had closed that session, nor after the caller had left."""
        return event.model in self._opened_at

    def read(self, entry: Entry) -> None:
        kind = type(entry.event)
        if kind is ModelLost and isinstance(entry.event, ModelLost):
            self._opened_at.pop(entry.event.model, None)
        elif kind is StreamEnded:
            self._opened_at.clear()
        for command in entry.commands:
            if type(command) is OpenModel:
                self._opened_at[command.model] = entry.at
            elif type(command) is CloseModel:
                self._opened_at.pop(command.model, None)
