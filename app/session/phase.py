"""Where a call stands: OPENING → DISCLOSING → CONVERSING → CLOSING → ENDED, never back."""

from enum import Enum

from app.errors import InvariantError


class Phase(Enum):
    OPENING = "opening"
    """The carrier's stream is not there yet."""
    DISCLOSING = "disclosing"
    """The caller is being told that an AI speaks; nothing else plays."""
    CONVERSING = "conversing"
    CLOSING = "closing"
    """Last words, hanging up, and the model's last messages; nothing new begins."""
    ENDED = "ended"


_MOVES = {
    Phase.OPENING: {Phase.DISCLOSING, Phase.CONVERSING, Phase.CLOSING, Phase.ENDED},
    Phase.DISCLOSING: {Phase.CONVERSING, Phase.CLOSING, Phase.ENDED},
    Phase.CONVERSING: {Phase.CLOSING, Phase.ENDED},
    Phase.CLOSING: {Phase.ENDED},
    Phase.ENDED: set(),
}


class PhaseMachine:
    __slots__ = ("phase",)

    def __init__(self) -> None:
        self.phase = Phase.OPENING

    def move(self, to: Phase) -> None:
        if to not in _MOVES[self.phase]:
            raise InvariantError(f"the call is {self.phase.value} and cannot become {to.value}")
        self.phase = to
