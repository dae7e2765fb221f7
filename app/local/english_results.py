"""Fields of a result as English sentences: "Order 1042 has been shipped.", "It should arrive on Wednesday."."""

import re
from collections.abc import Sequence
from datetime import date

from app.local.outcomes import Detail
from app.local.parameters import name_words
from app.local.words import word_set

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HAPPENED = word_set(  # states that something was brought to: "has been"; any other state just is
    "shipped sent dispatched delivered cancelled canceled refunded paid confirmed returned received packed processed "
    "completed approved rejected closed created placed booked updated accepted declined invoiced collected scheduled "
    "rescheduled reserved assembled opened resolved sold posted mailed"
)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$")
_LONG = 6  # words of a status that is a text of its own


def sentence(subject: str, detail: Detail, name: str, value: object, *, is_first: bool) -> str:
    """Return what one field tells. subject: the thing it is about, named in the first sentence and "it" after."""
    it = subject if is_first else "it"
    words = _words(value)
    day = date_in_words(str(value), with_year=detail is not Detail.ARRIVAL)
    label = " ".join(name_words(name))
    if isinstance(value, bool):
        return _up(f"{it} {'is' if value else 'is not'} {label.removeprefix('is ')}.")
    if detail is Detail.STATUS:
        return _up(_status(it, words))
    if detail is Detail.ARRIVAL and day:
        return _up(f"{it} {'was delivered' if 'delivered' in label else 'should arrive'} on {day}.")
    if day and label.endswith((" at", " on")):
        return _up(f"{it} was {label[:-3]} on {day}.")
    if detail is Detail.DEPARTURE and day:
        return _up(f"{it} left on {day}.")
    if detail is Detail.PRICE and not isinstance(value, str):
        price = int(value) if isinstance(value, float) and value.is_integer() else value
        words = f"{price:,.2f}" if isinstance(price, float) else f"{price:,}"
    if detail is Detail.CARRIER:
        return _up(f"{words} delivers {it}.")
    if detail is Detail.CONTENTS and "," in words:
        return _up(f"{it} contains {words}.")
    of = f" of {subject}" if is_first and subject != "it" and not subject.endswith(f" {label}") else ""
    is_plural = label.endswith("s") and not label.endswith(("ss", "us"))
    return _up(f"the {label}{of} {'are' if is_plural else 'is'} {day or words}.")


def date_in_words(text: str, *, with_year: bool) -> str | None:
    """Return an ISO date or time as it is said, with its weekday; None when it is no date."""
    match = _ISO.match(text.strip())
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    try:
        weekday = _DAYS[date(year, month, day).weekday()]
    except ValueError:
        return None
    said = f"{weekday}, {MONTHS[month - 1]} {day}" + (f", {year}" if with_year else "")
    if match[4] is None or (match[4], match[5]) == ("00", "00"):
        return said
    hour = int(match[4])
    return f"{said} at {hour % 12 or 12}:{match[5]} {'AM' if hour < 12 else 'PM'}"


def listed(parts: Sequence[str], joint: str, comma: str = ",") -> str:
    """Return "a", "a or b", "a, b, or c"."""
    if len(parts) < 3:
        return f" {joint} ".join(parts)
    return f"{comma} ".join(parts[:-1]) + f"{comma} {joint} {parts[-1]}"


def with_article(noun: str) -> str:
    """Return "an order", "a booking", "opening hours"."""
    if noun.endswith("s") and not noun.endswith("ss"):
        return noun
    return f"{'an' if noun[:1] in set('aeiou') and not noun.startswith(('use', 'uni', 'one')) else 'a'} {noun}"


def _status(it: str, words: str) -> str:
    if len(words.split()) > _LONG or re.search(r"[.!?]", words):
        return f"the status of {it} is: {words.rstrip('.')}."
    plain = words.lower()
    if plain.split()[-1:] and plain.split()[-1] in _HAPPENED:
        return f"{it} has been {plain}."
    if plain.split()[:1] and plain.split()[0] in _HAPPENED:
        return f"{it} has been {plain}."
    return f"{it} is {plain}."


def _words(value: object) -> str:
    text = str(value).strip()
    return text.replace("_", " ") if re.fullmatch(r"[\w]+", text) else text


def _up(text: str) -> str:
    return text[:1].upper() + text[1:]
