"""JSON that others wrote, and how deep it may be nested: who reads it level by level must not run out of stack."""

import json

DEEPEST = 100
"""Levels. A tool's schema has about ten; the interpreter has stack for several hundred."""


class NestingError(ValueError):
    """It may be JSON, but nobody here goes down so far."""


def is_too_deep(value: object) -> bool:
    """Whether a decoded value has more than DEEPEST levels of arrays and objects."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            member
            for one in level
            if isinstance(one, list | dict)
            for member in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def read_json(text: str) -> object:
    """Return the value of a JSON text. Raises NestingError, or another ValueError for what is no JSON.

    Half a surrogate pair, which only an escape can write, becomes U+FFFD: no text with it could be sent.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise NestingError("nested too deep") from error
    if is_too_deep(value):
        raise NestingError(f"nested deeper than {DEEPEST} levels")
    if "\\u" in text:
        whole = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        value = json.loads(whole)
    return value
