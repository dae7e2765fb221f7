"""How long nobody has done anything: the caller is asked once, and later let go.

Both times count from the last activity: speech, digits, audio of the agent. The question itself is none, or a silent
caller would be asked for ever.
"""

from enum import Enum

LOOK_AGAIN_S = 0.5


class Idle(Enum):
    PROMPT = "prompt"
    HANG_UP = "hang_up"


class Idleness:
    __slots__ = ("_active_at", "_hangup_s", "_is_prompted", "_prompt_s", "_put_off_until")

    def __init__(self, prompt_s: float, hangup_s: float) -> None:
        self._prompt_s = prompt_s
        self._hangup_s = hangup_s
        self._active_at = 0.0
        self._is_prompted = False
        self._put_off_until = 0.0

    def agent_was_active(self, at: float) -> None:
        self._active_at = at

    def caller_was_active(self, at: float) -> None:
        """Whoever answers the question may be asked again later."""
        self._active_at = at
        self._is_prompted = False

    @property
    def deadline(self) -> float:
        """When silence is news again."""
        if self._is_prompted:
            return self._active_at + self._hangup_s
        return max(self._active_at + self._prompt_s, self._put_off_until)

    def is_put_off(self, at: float) -> bool:
        """Somebody makes a sound: put the question off for a moment, but not for ever. False: it is not due, or was."""
        most_s = min(2 * self._prompt_s, (self._prompt_s + self._hangup_s) / 2)
        if self._is_prompted or at < self.deadline or at >= self._active_at + most_s:
            return False
        self._put_off_until = at + LOOK_AGAIN_S
        return True

    def check(self, at: float) -> Idle | None:
        """Return what is due by now, the question once."""
        if at >= self._active_at + self._hangup_s:
            return Idle.HANG_UP
        if not self._is_prompted and at >= self.deadline:
            self._is_prompted = True
            return Idle.PROMPT
        return None
