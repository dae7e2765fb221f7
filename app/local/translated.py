"""Names of things from a tool's schema, put into another language as far as that is known."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.local.parameters import Parameter

_LONGEST_LABEL = 16  # characters: longer than that a description is a sentence, not a name
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}).*)?$")


@dataclass(frozen=True, slots=True)
class Day:
    """A date of a result, with the time of day if it has one."""

    year: int
    month: int
    day: int
    hour: int | None = None
    minute: int = 0


def translated(words: Sequence[str], known: Mapping[str, str], otherwise: str) -> str:
    """Return the words in the other language, or `otherwise` when one of them is not known."""
    if any(word not in known for word in words):
        return otherwise
    return " ".join(dict.fromkeys(known[word] for word in words))


def own_words(parameter: Parameter, script: str) -> str:
    """Return the parameter's title or description where it is a name in this script, else an empty string."""
    text = re.sub(r"[.。:：].*", "", parameter.description).strip()
    return text if re.search(script, text) and len(text) <= _LONGEST_LABEL else ""


def date_parts(text: str) -> Day | None:
    """Return an ISO date or time in its parts, or None."""
    match = _DAY.match(text.strip())
    if match is None or not 1 <= int(match[2]) <= 12 or not 1 <= int(match[3]) <= 31:
        return None
    is_timed = match[4] is not None and (match[4], match[5]) != ("00", "00")
    hour, minute = (int(match[4]), int(match[5])) if is_timed else (None, 0)
    return Day(int(match[1]), int(match[2]), int(match[3]), hour, minute)
