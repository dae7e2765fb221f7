"""The rows of a query as a JSON text that a model can use: bounded, and honest about what it leaves out."""

import json
import math
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal

from pydantic import JsonValue

from app.errors import ToolError

MAX_ROWS = 20
MAX_OUTPUT_BYTES = 8192
"""What is said on the telephone is far less; more would only fill the model's memory of the call."""

_TEXT_LIMITS = (1000, 200, 50)
_ROOM_FOR_NOTE_BYTES = 256


def output_of(names: Sequence[str], rows: Sequence[Sequence[object]], *, is_all: bool) -> str:
    """Return {"rows": [{column: value}]} as JSON, of at most MAX_OUTPUT_BYTES.

    Dates are ISO 8601, decimals texts. is_all: whether these are all rows there are. What was cut is said in "note".
    Raises ToolError when not even one row fits.
    """
    columns = _unique(names)
    for limit in _TEXT_LIMITS:
        shortened = [
            {column: _shortened(cell, limit) for column, cell in zip(columns, row, strict=True)} for row in rows
        ]
        fitting = _fitting(shortened)
        if fitting or not rows:
            notes = []
            if fitting < len(rows) or not is_all:
                notes.append(
                    f"Only the first {fitting} rows are here, there are more: ask the caller to be more precise."
                )
            if any(_is_cut(cell, limit) for row in rows[:fitting] for cell in row):
                notes.append(f"Texts are cut after {limit} characters.")
            answer: dict[str, JsonValue] = {"rows": [dict(row) for row in shortened[:fitting]]}
            return _json(answer | ({"note": " ".join(notes)} if notes else {}))
    raise ToolError("The answer is too long to be read. Tell the caller that this cannot be looked up by telephone.")


def _fitting(rows: Sequence[dict[str, JsonValue]]) -> int:
    """Return how many of the rows fit."""
    size = len('{"rows": []}') + _ROOM_FOR_NOTE_BYTES
    for count, row in enumerate(rows):
        size += len(_json(row).encode()) + len(", ")
        if size > MAX_OUTPUT_BYTES:
            return count
    return len(rows)


def _json(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _unique(names: Sequence[str]) -> list[str]:
    """Return the columns' names, later ones of the same name with a number behind: a join may bring two ids."""
    columns: list[str] = []
    for name in names:
        column, number = name, 2
        while column in columns:
            column, number = f"{name}_{number}", number + 1
        columns.append(column)
    return columns


def _is_cut(cell: object, limit: int) -> bool:
    value = _value(cell)
    return isinstance(value, str) and len(value) > limit


def _shortened(cell: object, limit: int) -> JsonValue:
    value = _value(cell)
    return value[:limit] + "…" if isinstance(value, str) and len(value) > limit else value


def _value(cell: object) -> JsonValue:
    match cell:
        case None | bool() | int():
            return cell
        case str():
            return cell.encode("utf-8", "replace").decode()  # SQLite may hold what is no Unicode
        case float():
            return cell if math.isfinite(cell) else str(cell)
        case Decimal():
            return f"{cell:f}" if cell.is_finite() else str(cell)
        case datetime() | date() | time():
            return cell.isoformat()
        case bytes() | bytearray() | memoryview():
            return f"({len(cell)} bytes, not a text)"
        case list() | tuple() | dict():
            return _json(_nested(cell))  # arrays and JSON of PostgreSQL, as a text, so that they are bounded too
        case _:
            return str(cell)


def _nested(cell: object) -> JsonValue:
    match cell:
        case list() | tuple():
            return [_nested(part) for part in cell]
        case dict():
            return {str(key): _nested(part) for key, part in cell.items()}
        case _:
            return _value(cell)
