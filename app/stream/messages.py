"""The wire of Twilio Media Streams as typed structs: what the carrier says, and the three things it accepts.

Numbers are strings except within `mediaFormat`, hence `strict=False`. Fields that nothing here depends on have
defaults: a carrier that leaves them out is understood all the same.
Source: Twilio, "Media Streams – WebSocket Messages".
"""

from enum import Enum

import msgspec
import pybase64


class Passed(Enum):
    """Why a message is passed over."""

    UNKNOWN = "unknown"
    """An event that we do not list; peers grow."""
    BROKEN = "broken"
    """Not JSON, or a known event with something missing or senseless in it."""


class _Message(msgspec.Struct, tag_field="event", rename="camel", frozen=True, gc=False):
    sequence_number: int = 0
    """Counts every message of the stream from 1, `start`; 0: not said."""


class Connected(_Message, tag="connected", frozen=True, gc=False):
    pass


class MediaFormat(msgspec.Struct, rename="camel", frozen=True, gc=False):
    encoding: str
    sample_rate: int
    channels: int


class StartBody(msgspec.Struct, rename="camel", frozen=True, gc=False):
    call_sid: str
    media_format: MediaFormat
    account_sid: str = ""
    stream_sid: str = ""
    custom_parameters: dict[str, str] = {}


class Start(_Message, tag="start", frozen=True, gc=False, kw_only=True):
    start: StartBody
    stream_sid: str = ""


class MediaBody(msgspec.Struct, rename="camel", frozen=True, gc=False):
    payload: bytes
    """G.711 μ-law, 8 kHz mono, any length; base64 on the wire."""
    timestamp: int = -1
    """Milliseconds from the stream's start; -1: not said."""
    track: str = "inbound"


class Media(_Message, tag="media", frozen=True, gc=False, kw_only=True):
    media: MediaBody


class DtmfBody(msgspec.Struct, rename="camel", frozen=True, gc=False):
    digit: str


class Dtmf(_Message, tag="dtmf", frozen=True, gc=False, kw_only=True):
    dtmf: DtmfBody


class MarkBody(msgspec.Struct, rename="camel", frozen=True, gc=False):
    name: str


class Mark(_Message, tag="mark", frozen=True, gc=False, kw_only=True):
    mark: MarkBody


class Stop(_Message, tag="stop", frozen=True, gc=False):
    pass


Message = Connected | Start | Media | Dtmf | Mark | Stop


class _Tag(msgspec.Struct, gc=False):
    event: str


_DECODER: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message, strict=False)
_TAG_DECODER = msgspec.json.Decoder(_Tag)
_KNOWN = frozenset(("connected", "start", "media", "dtmf", "mark", "stop"))


def decode(text: bytes) -> Message | Passed:
    """Return what a text message of the carrier says, or why it is passed over."""
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError:
        return _why(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # the last: thousands of brackets
        return Passed.BROKEN


def _why(text: bytes) -> Passed:
    try:
        event = _TAG_DECODER.decode(text).event
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Passed.BROKEN
    return Passed.BROKEN if event in _KNOWN else Passed.UNKNOWN


class Wording:
    """Words what one stream is sent. Twilio takes exactly these shapes: an extra field is its warning 31951."""

    __slots__ = ("_mark", "_media", "clear")

    def __init__(self, stream_sid: str) -> None:
        sid = msgspec.json.encode(stream_sid)
        self._media = b'{"event":"media","streamSid":' + sid + b',"media":{"payload":"'
        self._mark = b'{"event":"mark","streamSid":' + sid + b',"mark":{"name":"'
        self.clear = b'{"event":"clear","streamSid":' + sid + b"}"

    def media(self, ulaw: bytes) -> bytes:
        return self._media + pybase64.b64encode(ulaw) + b'"}}'

    def mark(self, generation: int, number: int) -> bytes:
        """The mark's name is generation:number, by which `translate` knows it again."""
        return self._mark + b"%d:%d" % (generation, number) + b'"}}'
