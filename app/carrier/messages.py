"""The wire of Twilio Media Streams, from the carrier's side: what it says, and what it accepts.

Numbers are strings except within `mediaFormat`. Of the service it takes exactly three shapes, in text frames: an
unknown type, a missing or an extra field, a wrong streamSid is warning 31951, a binary frame 31950 (Twilio, Media
Streams).
"""

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pybase64

BINARY_MESSAGE = 31950
INVALID_MESSAGE = 31951

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'


@dataclass(frozen=True, slots=True)
class Media:
    ulaw: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    pass


@dataclass(frozen=True, slots=True)
class Violation:
    """A message that Twilio would ignore, with the number of its warning."""

    code: int
    reason: str


Inbound = Media | Mark | Clear | Violation

_FIELDS = {
    "media": {"event", "streamSid", "media"},
    "mark": {"event", "streamSid", "mark"},
    "clear": {"event", "streamSid"},
}


def read(message: str | bytes, stream_sid: str) -> Inbound:
    """Return what a message of the service means, or how it breaks the rules."""
    if isinstance(message, bytes):
        return Violation(BINARY_MESSAGE, f"a binary message of {len(message)} bytes; only text frames are read")
    try:
        fields = json.loads(message)
    except (ValueError, RecursionError) as error:
        return Violation(INVALID_MESSAGE, f"not JSON: {error}")
    if not isinstance(fields, dict):
        return Violation(INVALID_MESSAGE, f"a JSON object is needed, this is {type(fields).__name__}")
    event = fields.get("event")
    if not isinstance(event, str) or event not in _FIELDS:
        return Violation(INVALID_MESSAGE, f"event {event!r}; media, mark and clear are known")
    if wrong := _keys_wrong(fields, _FIELDS[event], f"a {event} message"):
        return Violation(INVALID_MESSAGE, wrong)
    if fields["streamSid"] != stream_sid:
        return Violation(INVALID_MESSAGE, f"streamSid {fields['streamSid']!r}; this stream is {stream_sid}")
    match event:
        case "media":
            payload = _only_text(fields["media"], "payload", "media")
            if isinstance(payload, Violation):
                return payload
            try:
                return Media(pybase64.b64decode(payload, validate=True))
            except (binascii.Error, ValueError) as error:
                return Violation(INVALID_MESSAGE, f"media.payload is not base64: {error}")
        case "mark":
            name = _only_text(fields["mark"], "name", "mark")
            return name if isinstance(name, Violation) else Mark(name)
        case _:
            return Clear()


def _keys_wrong(fields: Mapping[str, object], known: set[str], what: str) -> str:
    if fields.keys() == known:
        return ""
    missing, extra = sorted(known - fields.keys()), sorted(fields.keys() - known)
    parts = [f"lacks {', '.join(missing)}"] if missing else []
    parts += [f"has {', '.join(extra)} besides"] if extra else []
    return f"{what} {' and '.join(parts)}"


def _only_text(value: object, key: str, what: str) -> str | Violation:
    if not isinstance(value, dict):
        return Violation(INVALID_MESSAGE, f"{what} must be an object with {key}")
    if wrong := _keys_wrong(value, {key}, f"the object {what}"):
        return Violation(INVALID_MESSAGE, wrong)
    text = value[key]
    return text if isinstance(text, str) else Violation(INVALID_MESSAGE, f"{what}.{key} must be a string")


class Writer:
    """Words the carrier's messages of one stream and counts them: sequence numbers from 1 at `start`, chunks from 1."""

    def __init__(self, *, stream_sid: str, call_sid: str, account_sid: str) -> None:
        self._stream_sid, self._call_sid, self._account_sid = stream_sid, call_sid, account_sid
        self._sequence = 0
        self._chunk = 0

    def start(self, custom_parameters: Mapping[str, str]) -> str:
        return self._message(
            "start",
            {
                "streamSid": self._stream_sid,
                "accountSid": self._account_sid,
                "callSid": self._call_sid,
                "tracks": ["inbound"],
                "customParameters": dict(custom_parameters),
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            },
        )

    def media(self, ulaw: bytes, timestamp_ms: int) -> str:
        """timestamp_ms: from the stream's start to the beginning of this audio."""
        self._sequence += 1
        self._chunk += 1
        payload = pybase64.b64encode_as_string(ulaw)
        # written out: it is sent fifty times a second, and json.dumps costs several times as much
        return (
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound","chunk":"{self._chunk}",'
            f'"timestamp":"{timestamp_ms}","payload":"{payload}"}},"streamSid":"{self._stream_sid}"}}'
        )

    def dtmf(self, digit: str) -> str:
        return self._message("dtmf", {"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> str:
        return self._message("mark", {"name": name})

    def stop(self) -> str:
        return self._message("stop", {"accountSid": self._account_sid, "callSid": self._call_sid})

    def _message(self, event: str, body: Mapping[str, object]) -> str:
        self._sequence += 1
        fields = {
            "event": event,
            "sequenceNumber": str(self._sequence),
            "streamSid": self._stream_sid,
            event: body,
        }
        return json.dumps(fields, separators=(",", ":"))
