"""Keys of the telephone in a text item of the caller: "Keypad: 1042#", or keys and nothing else."""

import re

_KEYS = re.compile(r"^\s*(?:[^\d*#:：]{0,40}[:：]\s*)?([0-9*#][0-9*# ]*)\s*$")
_TOLD = re.compile(r"\b(?:keypad|pressed|dtmf|keyed in|entered)\b[^0-9*#]*([0-9*#]+)", re.IGNORECASE)


def keys_in(text: str) -> str | None:
    """Return the keys pressed, or None when this is no line of the keypad."""
    match = _KEYS.match(text) or _TOLD.search(text)
    return match[1].replace(" ", "") if match else None
