"""What a line looks like: one JSON object, or something pleasant for a terminal, from the same fields.

Nothing personal is written: who must hand over a number or a word names its key `pii_…`, and it is dropped here
(rule and precedent: livekit/agents, REVIEW.md).
"""

import json
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Literal

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

LogFormat = Literal["json", "console"]
Render = Callable[[EventDict], str]

_FIRST_KEYS = ("timestamp", "level", "event", "call_sid")
_encoder = msgspec.json.Encoder(enc_hook=repr)


def time_stamp(seconds: float) -> str:
    """ISO 8601 in UTC, to the millisecond, of seconds since 1970: 2026-03-01T09:30:00.125Z."""
    moment = datetime.fromtimestamp(round(seconds, 3), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def drop_personal(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """Processor: what stands under a key that begins with pii_ goes, at any depth."""
    return dict(_without_personal(fields))


def _without_personal(fields: Mapping[str, object]) -> MutableMapping[str, object]:
    return {
        key: _without_personal(value) if isinstance(value, dict) else value
        for key, value in fields.items()
        if not (isinstance(key, str) and key.startswith("pii_"))
    }


def json_line(fields: EventDict) -> str:
    """One JSON object without line breaks; time, level, event and call come first."""
    ordered = {key: fields[key] for key in _FIRST_KEYS if key in fields}
    ordered.update(fields)
    try:
        return _encoder.encode(ordered).decode()
    except (ValueError, OverflowError, TypeError):  # half a surrogate pair, a key that is no text: said in ASCII
        return json.dumps({str(key): value for key, value in ordered.items()}, default=repr)


def console_line(*, colors: bool) -> Render:
    """How a line looks on a terminal."""
    renderer = structlog.dev.ConsoleRenderer(
        colors=colors,
        pad_event_to=24,
        exception_formatter=structlog.dev.plain_traceback,  # the rich one shows variables, which are a call's words
    )

    def render(fields: EventDict) -> str:
        return str(renderer(None, "", fields))

    return render
