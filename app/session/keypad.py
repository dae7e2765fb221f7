"""Digits of the caller, collected until # or two seconds of quiet and then given to the model as one text."""

QUIET_S = 2.0
MAX_DIGITS = 64


class Keypad:
    __slots__ = ("_digits", "due_at")

    def __init__(self) -> None:
        self._digits = ""
        self.due_at: float | None = None

    def press(self, digit: str, at: float) -> str | None:
        """Take in one key; return all of them when they are complete by it."""
        if digit == "#":
            return self.take()
        self._digits += digit
        self.due_at = at + QUIET_S
        return self.take() if len(self._digits) >= MAX_DIGITS else None

    def take(self) -> str | None:
        """Return what was pressed since the last time, if anything was."""
        digits, self._digits, self.due_at = self._digits, "", None
        return digits or None
