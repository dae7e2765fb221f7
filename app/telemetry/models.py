"""The sessions with a model that a call has: how long each took to connect, and when the call was left without one.

A loss is the moment at which a call that has, or awaits, a model is left without any. What fails after that, until
one is ready again, are attempts to mend it; a session that fails while another is ready takes nothing from the call.
Nor is it a loss when we had closed the session, or when the caller had left before.
"""

from dataclasses import dataclass

from app.session.commands import CloseModel, OpenModel
from app.session.events import ModelLost, ModelReady, ModelStalled, StreamEnded
from app.session.journal import Entry
from app.session.words import ModelNumber

_EVENTS = frozenset({ModelReady, ModelLost, ModelStalled, StreamEnded})


@dataclass(frozen=True, slots=True)
class Connected:
    """connect_ms: from the moment at which the session was asked for."""

    model: ModelNumber
    connect_ms: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The call is without a model from now on."""

    model: ModelNumber
    reason: str


@dataclass(frozen=True, slots=True)
class Unreached:
    """One more session failed; the call has another, or was without one before."""

    model: ModelNumber
    reason: str


class ModelSessions:
    """Follows one call's journal. `read` takes every entry in order."""

    __slots__ = ("_is_without", "_opened_at", "_ready")

    def __init__(self) -> None:
        self._opened_at: dict[ModelNumber, float] = {}
        self._ready: set[ModelNumber] = set()
        self._is_without = False

    def read(self, entry: Entry) -> Connected | Lost | Unreached | None:
        """Return what the entry says of the call's models."""
        change = self._read_event(entry) if type(entry.event) in _EVENTS else None
        for command in entry.commands:
            if type(command) is OpenModel:
                self._opened_at[command.model] = entry.at
            elif type(command) is CloseModel:
                self._close(command.model)
        return change

    def _read_event(self, entry: Entry) -> Connected | Lost | Unreached | None:
        match entry.event:
            case ModelReady(model) if model in self._opened_at:
                self._ready.add(model)
                self._is_without = False
                return Connected(model, round((entry.at - self._opened_at[model]) * 1000))
            case ModelLost(model, reason) if model in self._opened_at:
                return self._fail(model, reason)
            case ModelStalled(model) if model in self._opened_at and CloseModel(model) in entry.commands:
                return self._fail(model, "stalled")
            case StreamEnded():
                self._opened_at.clear()
                self._ready.clear()
        return None

    def _fail(self, model: ModelNumber, reason: str) -> Lost | Unreached:
        self._close(model)
        if self._ready or self._is_without:
            return Unreached(model, reason)
        self._is_without = True
        return Lost(model, reason)

    def _close(self, model: ModelNumber) -> None:
        self._opened_at.pop(model, None)
        self._ready.discard(model)
