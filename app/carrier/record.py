"""The service's own record of a call, read as plain JSON: what of it the carrier can judge.

It shares no code with the service, so that one mistake cannot hide in both.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import VoiceAgentError

NO_RECORD = "the service's record of this call is not at hand"
_LOOK_S = 0.05


class RecordError(VoiceAgentError):
    """The service's record cannot be read."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An interruption as the service has it: how much it held for heard of the item that was sounding, if one was."""

    at_ms: int | None
    item_id: str | None
    heard_ms: int | None
    generated_ms: int | None
    mark: str | None


@dataclass(frozen=True, slots=True)
class Disclosed:
    """The disclosure as the service has it."""

    text: str
    result: str
    mark: str | None
    start_ms: int | None
    end_ms: int | None
    interruptions: int


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """What of a call's record is judged. interruptions: None when the record does not list them."""

    interruptions: tuple[Claim, ...] | None
    disclosure: Disclosed | None


def read_record(path: Path) -> ServiceRecord:
    """Read the record that the service has filed. Raises RecordError when the file is no record; OSError."""
    try:
        fields = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path}: not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise RecordError(f"{path}: the record of a call is a JSON object, this is {type(fields).__name__}")
    try:
        listed, disclosure = fields.get("interruptions"), fields.get("disclosure")
        return ServiceRecord(
            None if listed is None else tuple(_claim(each) for each in listed),
            None if disclosure is None else _disclosed(disclosure),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path}: not the record of a call: {error!r}") from error


def _claim(fields: Mapping[str, object]) -> Claim:
    return Claim(
        _whole(fields, "at_ms"),
        _text(fields, "item_id"),
        _whole(fields, "heard_ms"),
        _whole(fields, "generated_ms"),
        _text(fields, "mark"),
    )


def _disclosed(fields: Mapping[str, object]) -> Disclosed:
    return Disclosed(
        _text(fields, "text") or "",
        _text(fields, "result") or "",
        _text(fields, "mark"),
        _whole(fields, "start_ms"),
        _whole(fields, "end_ms"),
        _whole(fields, "interruptions") or 0,
    )


def _whole(fields: Mapping[str, object], name: str) -> int | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, int):
        raise TypeError(f"{name} is {value!r}, a whole number is needed")
    return value


def _text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, text is needed")
    return value


def await_record(path: Path, wait_s: float) -> ServiceRecord | str:
    """Return the record, or why there is none. wait_s: for a file that is not there yet; blocks so long at most."""
    give_up_at = time.monotonic() + wait_s
    while not path.exists() and time.monotonic() < give_up_at:
        time.sleep(_LOOK_S)  # another process writes the file, and tells nobody
    try:
        return read_record(path)
    except FileNotFoundError:
        return f"{NO_RECORD}: there is no {path}; DATA_DIR must be the service's own"
    except (OSError, RecordError) as error:
        return f"{NO_RECORD}: {error}"
