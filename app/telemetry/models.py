"""The sessions with a model that a call has: how long each took to connect, and when the call was left without one.

A loss is the moment at which a call that has, or awaits, a model is left without any. What fails after that, until
one is ready again, are attempts to mend it; a session that fails while another is ready takes nothing from the call.
That we close a session is a loss like any other where the call goes on and has no other: it was `useless`, or `slow` to
be ready. It is none when the call ends, or when the caller had left before.
"""

from dataclasses import dataclass

from app.session.commands import CloseModel, NoteEnd, OpenModel
from app.session.events import ModelLost, ModelReady, ModelSilent, ModelStalled, StreamEnded
from app.session.journal import Entry
from app.session.words import ModelNumber

_EVENTS = frozenset({ModelReady, ModelLost, ModelStalled, ModelSilent, StreamEnded})


@dataclass(frozen=True, slots=True)
class Connected:
    """choice: which of the agent's models. connect_ms: from the moment at which the session was asked for."""

    model: ModelNumber
    choice: int
    connect_ms: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The call is without a model from now on. is_final: another try with the same one would end so too."""

    model: ModelNumber
    choice: int
    reason: str
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Unreached:
    """One more session failed; the call has another, or was without one before."""

    model: ModelNumber
    choice: int
    reason: str
    is_final: bool = False


class ModelSessions:
    """Follows one call's journal. `read` takes every entry in order."""

    __slots__ = ("_asked", "_is_without", "_ready")

    def __init__(self) -> None:
        self._asked: dict[ModelNumber, tuple[float, int]] = {}  # when, and for which of the agent's models
        self._ready: set[ModelNumber] = set()
        self._is_without = False

    def read(self, entry: Entry) -> Connected | Lost | Unreached | None:
        """Return what the entry says of the call's models."""
        change = self._read_event(entry) if type(entry.event) in _EVENTS else None
        for command in entry.commands:
            if type(command) is OpenModel:
                self._asked[command.model] = (entry.at, command.choice)
            elif type(command) is CloseModel:
                change = self._given_up(command.model, entry) or change
        return change

    def _read_event(self, entry: Entry) -> Connected | Lost | Unreached | None:
        match entry.event:
            case ModelReady(model) if model in self._asked:
                self._ready.add(model)
                self._is_without = False
                asked_at, choice = self._asked[model]
                return Connected(model, choice, round((entry.at - asked_at) * 1000))
            case ModelLost(model, reason, is_final) if model in self._asked:
                return self._fail(model, reason, is_final=is_final)
            case ModelStalled(model) if model in self._asked and CloseModel(model) in entry.commands:
                return self._fail(model, "stalled")
            case ModelSilent(model) if model in self._asked and CloseModel(model) in entry.commands:
                return self._fail(model, "silent")
            case StreamEnded():
                self._asked.clear()
                self._ready.clear()
        return None

    def _fail(self, model: ModelNumber, reason: str, *, is_final: bool = False) -> Lost | Unreached:
        _, choice = self._asked[model]
        self._close(model)
        if self._ready or self._is_without:
            return Unreached(model, choice, reason, is_final)
        self._is_without = True
        return Lost(model, choice, reason, is_final)

    def _given_up(self, model: ModelNumber, entry: Entry) -> Lost | None:
        """We close a session. What was known to be lost before is not asked for any more, so it is told once."""
        was_asked, was_ready = model in self._asked, model in self._ready
        choice = self._asked[model][1] if was_asked else 0
        self._close(model)
        if not was_asked or self._ready or self._is_without or any(type(one) is NoteEnd for one in entry.commands):
            return None
        self._is_without = True
        return Lost(model, choice, "useless" if was_ready else "slow")

    def _close(self, model: ModelNumber) -> None:
        self._asked.pop(model, None)
        self._ready.discard(model)
