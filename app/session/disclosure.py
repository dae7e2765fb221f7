"""The notice that an AI speaks: DUE → SPEAKING → HEARD, UNPROVEN or FAILED; cut, it is DUE again.

The proof is the mark behind its last sample. One that has not come back some seconds after the audio must have ended is
given up: the caller has most likely heard it, but we cannot show it.
"""

from enum import Enum

from app.errors import InvariantError
from app.session.commands import NoteDisclosure
from app.session.words import DisclosureResult


class DisclosureState(Enum):
    DUE = "due"
    SPEAKING = "speaking"
    HEARD = "heard"
    UNPROVEN = "unproven"
    FAILED = "failed"


_MOVES = {
    DisclosureState.DUE: {DisclosureState.SPEAKING, DisclosureState.HEARD, DisclosureState.FAILED},
    DisclosureState.SPEAKING: {
        DisclosureState.DUE,
        DisclosureState.HEARD,
        DisclosureState.UNPROVEN,
        DisclosureState.FAILED,
    },
    DisclosureState.HEARD: set(),
    DisclosureState.UNPROVEN: set(),
    DisclosureState.FAILED: set(),
}
_RESULTS = {
    DisclosureState.HEARD: DisclosureResult.HEARD,
    DisclosureState.UNPROVEN: DisclosureResult.UNPROVEN,
    DisclosureState.FAILED: DisclosureResult.FAILED,
}


class DisclosureMachine:
    """One disclosure of one call. interruptible: the caller may cut it, and then it is said again from the start."""

    __slots__ = ("_interruptible", "interruptions", "start_ms", "state")

    def __init__(self, *, interruptible: bool) -> None:
        self._interruptible = interruptible
        self.state = DisclosureState.DUE
        self.interruptions = 0
        self.start_ms: int | None = None

    @property
    def is_over(self) -> bool:
        """May anything else play?"""
        return self.state in (DisclosureState.HEARD, DisclosureState.UNPROVEN)

    @property
    def may_be_cut(self) -> bool:
        return self._interruptible and self.state is DisclosureState.SPEAKING

    def _move(self, to: DisclosureState) -> None:
        if to not in _MOVES[self.state]:
            raise InvariantError(f"the disclosure is {self.state.value} and cannot become {to.value}")
        self.state = to

    def spoken(self, at_ms: int) -> None:
        """Our voice begins with it, the first time or again."""
        self._move(DisclosureState.SPEAKING)
        self.start_ms = at_ms

    def cut(self) -> None:
        self._move(DisclosureState.DUE)
        self.interruptions += 1

    def hung_up(self) -> NoteDisclosure | None:
        """The call is over: what the journal is to know, unless it was settled before."""
        if self.state not in (DisclosureState.DUE, DisclosureState.SPEAKING):
            return None
        return NoteDisclosure(DisclosureResult.HANGUP, self.start_ms, None, None, self.interruptions)

    def settle(self, state: DisclosureState, *, at_ms: int, mark: str | None = None) -> NoteDisclosure:
        """End it as HEARD, UNPROVEN or FAILED and return what the journal is to know."""
        self._move(state)
        end_ms = at_ms if state is not DisclosureState.FAILED else None
        return NoteDisclosure(_RESULTS[state], self.start_ms, end_ms, mark, self.interruptions)
