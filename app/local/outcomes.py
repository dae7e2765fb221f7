"""What a tool gave back, read: found, nothing found, done, failed; and which of its fields answers which question."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from app.local.nesting import NestingError, read_json
from app.local.parameters import name_words

_LISTS = ("rows", "results", "items", "records", "matches", "data", "entries", "orders", "bookings", "result", "output")
_VERDICTS = {"ok", "success", "successful", "found", "done", "count", "total_count", "row_count", "rows_affected"}
_MOST_FIELDS = 8
_MOST_CHARACTERS = 400


class Verdict(Enum):
    """How a tool call went."""

    FOUND = "found"
    NOTHING = "nothing"
    DONE = "done"
    FAILED = "failed"
    ASK_FIRST = "ask_first"  # the service wants the caller's yes before it runs the tool
    TOLD = "told"  # plain words, to be said as they are


@dataclass(frozen=True, slots=True)
class Outcome:
    """One tool's answer. records: rows of fields, scalars only; text: words of a TOLD or FAILED one."""

    verdict: Verdict
    records: tuple[Mapping[str, object], ...] = ()
    text: str = ""


class Detail(Enum):
    """What a caller may ask about a thing that was found."""

    STATUS = "status"
    ARRIVAL = "arrival"
    DEPARTURE = "departure"
    PRICE = "price"
    CARRIER = "carrier"
    TRACKING = "tracking number"
    PLACE = "place"
    CONTENTS = "contents"
    QUANTITY = "quantity"
    TIME = "time"
    DATE = "date"
    NAME = "name"
    REASON = "reason"
    OTHER = "other"


# A field's words → what it tells. The first row with a word in common decides, so the particular ones stand first.
_FIELD_WORDS: tuple[tuple[Detail, frozenset[str]], ...] = tuple(
    (detail, frozenset(words.split()))
    for detail, words in (
        (Detail.TRACKING, "tracking track"),
        (Detail.ARRIVAL, "eta arrival arrives arrive delivery delivered delivers due expected estimated"),
        (Detail.STATUS, "status state stage phase progress condition situation"),
        (Detail.CARRIER, "carrier courier shipper"),
        (Detail.DEPARTURE, "shipped dispatched departure departs sent"),
        (Detail.PRICE, "price total amount cost balance fee charge sum paid owed"),
        (Detail.PLACE, "address city location place street store warehouse branch depot room gate where"),
        (Detail.CONTENTS, "item items product products contents article articles description title sku"),
        (Detail.QUANTITY, "quantity count qty guests seats pieces number"),
        (Detail.TIME, "time hour hours opens closes open"),
        (Detail.DATE, "date day created ordered placed booked at"),
        (Detail.NAME, "name customer holder contact"),
        (Detail.REASON, "reason note notes message comment cause"),
    )
)


def detail_of(field: str) -> Detail:
    """Return what a field of a result tells ("eta" → ARRIVAL); OTHER when its name says nothing known."""
    words = set(name_words(field))
    if words & {"address", "street", "city"}:  # "delivery_address" is a place, not a time
        return Detail.PLACE
    if words & {"fee", "cost", "price"}:
        return Detail.PRICE
    return next((detail for detail, known in _FIELD_WORDS if words & known), Detail.OTHER)


def read_outcome(output: str, *, is_look_up: bool) -> Outcome:
    """Return a tool's output as an outcome, whatever its shape: rows, an object, a list, an error, words, nothing.

    is_look_up: the tool was to find something; from any other an answer with nothing in it means that it is done.
    """
    text = output.strip()
    try:
        value = read_json(text) if text else None
    except NestingError as error:
        return Outcome(Verdict.FAILED, text=str(error))
    except ValueError:
        return _of_words(text)
    if not is_look_up and value in (None, "", {}, []):
        return Outcome(Verdict.DONE)
    return _of_value(value)


def _of_value(value: object) -> Outcome:
    if value is None:
        return Outcome(Verdict.NOTHING)
    if isinstance(value, bool):
        return Outcome(Verdict.DONE if value else Verdict.NOTHING)
    if isinstance(value, str):
        return _of_words(value.strip())
    if isinstance(value, int | float):
        return Outcome(Verdict.FOUND, ({"result": value},))
    if isinstance(value, Mapping):
        return _of_object(value)
    if isinstance(value, Sequence):
        records = tuple(_flat(one) for one in value if one is not None)
        return Outcome(Verdict.FOUND, records) if records else Outcome(Verdict.NOTHING)
    return _of_words(str(value))


def _of_object(value: Mapping[str, object]) -> Outcome:
    for key in ("error", "errors", "exception"):
        if value.get(key):
            return _of_error(_words_of_error(value[key]))
    if value.get("status") in ("error", "failed", "failure", "timeout", "withdrawn") or value.get("isError") is True:
        return _of_error(_words_of_error(value.get("message") or value.get("detail") or ""))
    if any(value.get(key) is False for key in ("ok", "success", "successful", "done")):
        return _of_error(_words_of_error(value.get("message") or value.get("reason") or ""))
    if value.get("found") is False:
        return Outcome(Verdict.NOTHING)
    for key in _LISTS:
        if isinstance(value.get(key), list | Mapping) and not set(value) - {key, *_VERDICTS, "columns", "truncated"}:
            return _of_value(value[key])
        if key in value and value[key] is None and len(value) == 1:
            return Outcome(Verdict.NOTHING)
    if len(value) == 1 and isinstance(only := next(iter(value.values())), str) and set(value) & {"result", "output"}:
        return _of_words(only)
    affected = next((value[key] for key in ("rows_affected", "affected", "row_count") if key in value), None)
    record = _flat({key: one for key, one in value.items() if key not in _VERDICTS | {"rows_affected", "affected"}})
    if record:
        return Outcome(Verdict.FOUND, (record,))
    if affected == 0 or not value:
        return Outcome(Verdict.NOTHING)
    return Outcome(Verdict.DONE)


def _of_words(text: str) -> Outcome:
    lowered = text.lower()
    if not text or re.match(r"(no|none|nothing|not found|no \w+ (was |were )?found)\b\W*$", lowered):
        return Outcome(Verdict.NOTHING)
    if re.match(r"(ok|okay|done|success|true|yes)\W*$", lowered):
        return Outcome(Verdict.DONE)
    if re.match(r"(error|failed|failure|exception|timeout|timed out)\b", lowered):
        return _of_error(text)
    if _wants_a_yes(lowered):
        return Outcome(Verdict.ASK_FIRST)
    return Outcome(Verdict.TOLD, text=text[:_MOST_CHARACTERS])


def _of_error(text: str) -> Outcome:
    lowered = text.lower()
    if _wants_a_yes(lowered):
        return Outcome(Verdict.ASK_FIRST)
    if re.search(
        r"\b(not found|no such|does not exist|doesn't exist|unknown (order|number|id)|no \w+ found)\b", lowered
    ):
        return Outcome(Verdict.NOTHING)
    return Outcome(Verdict.FAILED, text=text[:_MOST_CHARACTERS])


def _wants_a_yes(text: str) -> bool:
    return bool(re.search(r"\b(confirm|ask the caller|ask first|confirmation)\b", text)) and bool(
        re.search(r"\b(again|first|before|needs?|required?|must)\b", text)
    )


def _words_of_error(error: object) -> str:
    if isinstance(error, Mapping):
        return str(error.get("message") or error.get("detail") or error.get("code") or "")
    if isinstance(error, list):
        return _words_of_error(error[0]) if error else ""
    return str(error) if not isinstance(error, bool) else ""


def _flat(value: object) -> dict[str, object]:
    """Return an object's fields as scalars: nested ones joined by their names, lists of words by commas."""
    if not isinstance(value, Mapping):
        return {"result": value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)}
    fields: dict[str, object] = {}
    for key, one in value.items():
        if isinstance(one, Mapping):
            fields.update({f"{key}_{inner}": deep for inner, deep in _flat(one).items()})
        elif isinstance(one, list):
            fields[str(key)] = ", ".join(str(_name_in(part)) for part in one[:_MOST_FIELDS]) or None
        else:
            fields[str(key)] = one
    return dict(list(fields.items())[:_MOST_FIELDS])


def _name_in(part: object) -> object:
    if isinstance(part, Mapping):
        return next((part[key] for key in ("name", "title", "product", "description") if key in part), "one")
    return part
