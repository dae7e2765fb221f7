"""Names of things from a tool's schema, put into another language as far as that is known."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.local.parameters import Kind, Parameter, name_words

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
    """Return the words in the other language, or `otherwise` when one of them is not known.

    known: words, and names of several words ("party size"), which go before their parts.
    """
    if (name := known.get(" ".join(words))) is not None:
        return name
    if any(word not in known for word in words):
        return otherwise
    return " ".join(dict.fromkeys(known[word] for word in words))


def own_words(parameter: Parameter, script: str) -> str:
    """Return the parameter's title or description where it is a name in this script, else an empty string."""
    text = re.sub(r"[.。:：(（,，、].*", "", parameter.description, flags=re.DOTALL).strip()
    return text if re.search(script, text) and len(text) <= _LONGEST_LABEL else ""


def name_of(parameter: Parameter, script: str, known: Mapping[str, str], number: str) -> str:
    """Return what to call a parameter: its own words in this script, else translated, else as the schema calls it.

    number: the word for a number that is asked for, which says more to a caller than foreign words.
    """
    is_number = parameter.kind is Kind.DIGITS and not parameter.is_amount
    otherwise = number if is_number else parameter.label
    return own_words(parameter, script) or translated(parameter.label.split(), known, otherwise)


def told_apart(parameters: Sequence[Parameter], name: Callable[[Parameter], str]) -> dict[str, str]:
    """Return what to call each parameter of a tool, by its name in the schema: of two that share a word, that name."""
    names = {one.name: name(one) for one in parameters}
    uses = Counter(names.values())
    return {key: said if uses[said] == 1 else " ".join(name_words(key)) for key, said in names.items()}


def date_parts(text: str) -> Day | None:
    """Return an ISO date or time in its parts, or None."""
    match = _DAY.match(text.strip())
    if match is None or not 1 <= int(match[2]) <= 12 or not 1 <= int(match[3]) <= 31:
        return None
    is_timed = match[4] is not None and (match[4], match[5]) != ("00", "00")
    hour, minute = (int(match[4]), int(match[5])) if is_timed else (None, 0)
    return Day(int(match[1]), int(match[2]), int(match[3]), hour, minute)
