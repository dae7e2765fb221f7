"""Who speaks: NOBODY, CALLER, AGENT, or both (CONTESTED)."""

from enum import Enum


class Floor(Enum):
    NOBODY = "nobody"
    CALLER = "caller"
    AGENT = "agent"
    CONTESTED = "contested"


_CALLER_STARTS = {
    Floor.NOBODY: Floor.CALLER,
    Floor.AGENT: Floor.CONTESTED,
    Floor.CALLER: Floor.CALLER,
    Floor.CONTESTED: Floor.CONTESTED,
}
_CALLER_STOPS = {
    Floor.CALLER: Floor.NOBODY,
    Floor.CONTESTED: Floor.AGENT,
    Floor.NOBODY: Floor.NOBODY,
    Floor.AGENT: Floor.AGENT,
}
_AGENT_STARTS = {
    Floor.NOBODY: Floor.AGENT,
    Floor.CALLER: Floor.CONTESTED,
    Floor.AGENT: Floor.AGENT,
    Floor.CONTESTED: Floor.CONTESTED,
}
_AGENT_STOPS = {
    Floor.AGENT: Floor.NOBODY,
    Floor.CONTESTED: Floor.CALLER,
    Floor.NOBODY: Floor.NOBODY,
    Floor.CALLER: Floor.CALLER,
}


class FloorMachine:
    """Told of each side's beginnings and ends; peers repeat themselves, so a second beginning changes nothing."""

    __slots__ = ("floor",)

    def __init__(self) -> None:
        self.floor = Floor.NOBODY

    @property
    def is_caller_speaking(self) -> bool:
        return self.floor is Floor.CALLER or self.floor is Floor.CONTESTED  # asked in every step: no hash of an enum

    @property
    def is_agent_speaking(self) -> bool:
        return self.floor is Floor.AGENT or self.floor is Floor.CONTESTED

    def caller_started(self) -> None:
        self.floor = _CALLER_STARTS[self.floor]

    def caller_stopped(self) -> None:
        self.floor = _CALLER_STOPS[self.floor]

    def agent_is(self, *, speaking: bool) -> None:
        if speaking is not self.is_agent_speaking:
            self.floor = (_AGENT_STARTS if speaking else _AGENT_STOPS)[self.floor]
