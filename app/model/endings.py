"""What the end of a response says of it: why it failed, what it cost, whether anything of it could be heard. Pure."""

from collections.abc import Mapping

from app.model.messages import ErrorBody, Response, StatusDetails, StatusError
from app.session.words import ItemId

_TEXT = frozenset({"text", "output_text"})
"""The beta's word and GA's."""


def error_of(response: Response) -> ErrorBody:
    """Return why a response failed: an error that comes in its details alone (pitfall 27)."""
    details = response.status_details or StatusDetails()
    error = details.error or StatusError()
    return ErrorBody(type=error.type, code=error.code)


def silent_items(response: Response) -> list[ItemId]:
    """Return the items of an answer that is text and nothing else; none when it has audio or calls a tool."""
    silent: list[ItemId] = []
    for item in response.output or []:
        kinds = {part.type for part in item.content or []}
        if item.type != "message" or not kinds <= _TEXT:
            return []
        if kinds and item.id:
            silent.append(ItemId(item.id))
    return silent


def flat_usage(usage: Mapping[str, object] | None) -> dict[str, int]:
    """Return a usage object's whole numbers by dotted name: `input_token_details.cached_tokens`.

    Transcription billed by time has `seconds`, a fraction; it comes as `duration_ms`.
    """
    counts: dict[str, int] = {}
    for name, value in (usage or {}).items():
        if isinstance(value, dict):
            counts.update({f"{name}.{inner}": count for inner, count in flat_usage(value).items()})
        elif name == "seconds" and isinstance(value, int | float):
            counts["duration_ms"] = round(value * 1000)
        elif isinstance(value, int) and not isinstance(value, bool):
            counts[name] = value
    return counts
