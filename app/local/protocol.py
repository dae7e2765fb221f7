"""The wire of the realtime protocol (OpenAI's GA events): reading what a client sends, refusing it, naming things.

An event is a plain JSON object here: what a session echoes, it echoes as it came, once `shapes` has found it right.
"""

import secrets
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from app.local.nesting import DEEPEST, is_too_deep
from app.local.requests import CLIENT_EVENTS
from app.local.shapes import RequestError, text

Wire: TypeAlias = dict[str, object]
Emit: TypeAlias = Callable[[Wire], None]
"""Takes an event without its event_id; it is on its way to the client, in order, when the call returns."""

_EVENT_ID = text(longest=512)


def new_id(prefix: str) -> str:
    """Return a fresh id as this protocol writes them: `item_…`, 20 hexadecimal digits."""
    return f"{prefix}_{secrets.token_hex(10)}"


def encode(event: Wire) -> str:
    """Return the text frame for an event."""
    return msgspec.json.encode(event).decode()


def error_event(refusal: RequestError, event_id: str | None) -> Wire:
    """Return the `error` event for a refusal."""
    return {
        "type": "error",
        "error": {
            "type": refusal.kind,
            "code": refusal.code,
            "message": refusal.message,
            "param": refusal.param,
            "event_id": event_id if refusal.answers else None,
        },
    }


def decode(message: str | bytes) -> Wire:
    """Return the JSON object in a message, or raise RequestError."""
    if isinstance(message, bytes):
        raise RequestError(
            "invalid_event", "Binary messages are not supported: send each event as a JSON text message."
        )
    try:
        event = msgspec.json.decode(message)
    except msgspec.DecodeError as error:
        raise RequestError("invalid_json", f"The message is not valid JSON: {error}.") from error
    except RecursionError as error:
        raise _nested_too_deep() from error
    if not isinstance(event, dict):
        raise RequestError("invalid_event", "An event is a JSON object with a 'type'.")
    return event


def client_event_id(event: Wire) -> str | None:
    """Return the id that the client gave its event, if it gave one that can be echoed."""
    event_id = event.get("event_id")
    return event_id if isinstance(event_id, str) and len(event_id) <= 512 else None


def checked(event: Wire) -> tuple[str, Wire]:
    """Return the event's type and its fields, or raise RequestError with what is wrong where."""
    if is_too_deep(event):
        raise _nested_too_deep()
    fields = dict(event)
    kind = fields.pop("type", None)
    if kind is None:
        raise RequestError("missing_required_parameter", "Missing required parameter: 'type'.", "type")
    shape = CLIENT_EVENTS.get(kind) if isinstance(kind, str) else None
    if shape is None or not isinstance(kind, str):
        allowed = ", ".join(f"'{name}'" for name in CLIENT_EVENTS)
        raise RequestError(
            "invalid_value", f"Invalid value: '{str(kind)[:64]}'. Supported values are: {allowed}.", "type"
        )
    if "event_id" in fields:
        _EVENT_ID(fields.pop("event_id"), "event_id")
    shape(fields, "")
    return kind, fields


def _nested_too_deep() -> RequestError:
    return RequestError("invalid_json", f"The message is nested deeper than the {DEEPEST} levels that are read here.")
