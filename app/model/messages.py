"""The realtime protocol's wire: the server's events as typed structs, our own as bytes.

Names are the vendor's. A server may add fields and event types at any time, and sends null for what is not set, so only
what is used is read, and what is not known is told apart from what is broken. Source: OpenAI's realtime API, GA events.
"""

from collections.abc import Mapping

import msgspec
import pybase64

from app.errors import ModelError


class UnknownMessageError(ModelError):
    """An event type that this program has never heard of: peers grow."""


class BrokenMessageError(ModelError):
    """Not JSON, not an event, or an event without what it must carry."""


class _Event(msgspec.Struct, tag_field="type", gc=False):
    """What every server event is: tagged by its `type`."""


class ErrorBody(msgspec.Struct):
    """event_id: of the client's event that failed, when the server says so."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
    event_id: str | None = None


class Item(msgspec.Struct):
    """A conversation item, as far as it is read: its content is known from other events."""

    type: str
    id: str | None = None
    status: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class StatusError(msgspec.Struct):
    type: str | None = None
    code: str | None = None


class StatusDetails(msgspec.Struct):
    reason: str | None = None
    error: StatusError | None = None


class Content(msgspec.Struct):
    """A part of what an item says; its words are known from other events."""

    type: str | None = None


class OutputItem(msgspec.Struct):
    """An item of a response, as far as it tells what kind of answer it is."""

    type: str | None = None
    id: str | None = None
    content: list[Content] | None = None


class Response(msgspec.Struct):
    id: str
    status: str | None = None
    status_details: StatusDetails | None = None
    usage: dict[str, object] | None = None
    output: list[OutputItem] | None = None


class RateLimit(msgspec.Struct):
    name: str | None = None
    remaining: int | float | None = None


class ErrorEvent(_Event, tag="error"):
    error: ErrorBody


class SessionCreated(_Event, tag="session.created"):
    session: dict[str, object] | None = None


class SessionUpdated(_Event, tag="session.updated"):
    """session: the whole of it, as it is now in effect."""

    session: dict[str, object] | None = None


class RateLimitsUpdated(_Event, tag="rate_limits.updated"):
    rate_limits: list[RateLimit] | None = None


class SpeechStarted(_Event, tag="input_audio_buffer.speech_started"):
    item_id: str
    audio_start_ms: int


class SpeechStopped(_Event, tag="input_audio_buffer.speech_stopped"):
    item_id: str
    audio_end_ms: int


class Committed(_Event, tag="input_audio_buffer.committed"):
    item_id: str


class ItemAdded(_Event, tag="conversation.item.added"):
    item: Item


class ItemCreated(_Event, tag="conversation.item.created"):
    """What older servers say instead of added and done."""

    item: Item


class ItemDone(_Event, tag="conversation.item.done"):
    item: Item


class TranscriptionCompleted(_Event, tag="conversation.item.input_audio_transcription.completed"):
    item_id: str
    transcript: str | None = None
    usage: dict[str, object] | None = None


class TranscriptionFailed(_Event, tag="conversation.item.input_audio_transcription.failed"):
    item_id: str


class ResponseCreated(_Event, tag="response.created"):
    response: Response


class OutputItemDone(_Event, tag="response.output_item.done"):
    response_id: str
    item: Item


class AudioDelta(_Event, tag="response.output_audio.delta"):
    """delta: base64 text, since pybase64 decodes it five times as fast as msgspec would."""

    response_id: str
    item_id: str
    delta: str
    content_index: int = 0


class AudioDone(_Event, tag="response.output_audio.done"):
    response_id: str
    item_id: str
    content_index: int = 0


class TranscriptDelta(_Event, tag="response.output_audio_transcript.delta"):
    response_id: str
    item_id: str
    delta: str


class TextDelta(_Event, tag="response.output_text.delta"):
    """Words without a voice."""

    response_id: str
    item_id: str
    delta: str


class ResponseDone(_Event, tag="response.done"):
    response: Response


# The beta's names for the same events.


class BetaAudioDelta(AudioDelta, tag="response.audio.delta"):
    pass


class BetaAudioDone(AudioDone, tag="response.audio.done"):
    pass


class BetaTranscriptDelta(TranscriptDelta, tag="response.audio_transcript.delta"):
    pass


class BetaTextDelta(TextDelta, tag="response.text.delta"):
    pass


ServerMessage = (
    ErrorEvent
    | SessionCreated
    | SessionUpdated
    | SpeechStarted
    | SpeechStopped
    | Committed
    | ItemAdded
    | ItemCreated
    | ItemDone
    | TranscriptionCompleted
    | TranscriptionFailed
    | ResponseCreated
    | OutputItemDone
    | AudioDelta
    | AudioDone
    | TranscriptDelta
    | TextDelta
    | ResponseDone
    | RateLimitsUpdated
    | BetaAudioDelta
    | BetaAudioDone
    | BetaTranscriptDelta
    | BetaTextDelta
)

IGNORED_TYPES = frozenset(
    {
        # said again, in one piece, by another event that is read
        "response.output_item.added",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_audio_transcript.done",
        "response.audio_transcript.done",
        "response.output_text.done",
        "response.text.done",
        "response.function_call_arguments.delta",
        # also fires for a call that was interrupted: response.output_item.done is the one to trust
        "response.function_call_arguments.done",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.segment",
        # replies that nothing waits for
        "conversation.item.truncated",
        "conversation.item.deleted",
        "conversation.item.retrieved",
        "input_audio_buffer.cleared",
        # for information
        "conversation.created",
        # what our settings never ask for: idle timeouts, tools on the vendor's side
        "input_audio_buffer.timeout_triggered",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "response.mcp_call.failed",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "mcp_list_tools.failed",
        # other transports: WebRTC and SIP
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        "output_audio_buffer.cleared",
        "input_audio_buffer.dtmf_event_received",
    }
)
"""Event types that are known and passed over."""


class _Tag(msgspec.Struct):
    type: str


_event_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_decode_tag = msgspec.json.Decoder(_Tag).decode
_encode = msgspec.json.Encoder().encode
_APPEND = b'{"type":"input_audio_buffer.append","audio":"'
_READ_TYPES = frozenset(struct.__struct_config__.tag for struct in ServerMessage.__args__)


def decode(data: bytes | bytearray | memoryview) -> ServerMessage | None:
    """Return the server's event in a message, or None for one of IGNORED_TYPES.

    Raises UnknownMessageError or BrokenMessageError; neither is a reason to end anything.
    """
    try:
        return _event_decoder.decode(data)
    except msgspec.ValidationError as error:
        kind = _type_of(data)
        if kind in IGNORED_TYPES:
            return None
        if kind in _READ_TYPES:
            raise BrokenMessageError(f"{kind}: {error}") from error
        raise UnknownMessageError(f"unknown event type {kind[:80]!r}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # the last: a thousand brackets
        raise BrokenMessageError(f"expected a JSON event: {error}") from error


def _type_of(data: bytes | bytearray | memoryview) -> str:
    try:
        return _decode_tag(data).type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenMessageError(f"expected an object with a type: {error}") from error


def decode_audio(base64: str) -> bytes:
    """Return the bytes in a delta, or raise BrokenMessageError."""
    try:
        return pybase64.b64decode(base64, validate=True)
    except ValueError as error:  # binascii.Error, or a text that is not ASCII
        raise BrokenMessageError(f"a delta is not base64: {error}") from error


def encode_append(audio: bytes) -> bytes:
    """Return the input_audio_buffer.append for some audio. Fifty times a second in a call: a template, no encoder."""
    return b"".join((_APPEND, pybase64.b64encode(audio), b'"}'))


def encode(event: Mapping[str, object]) -> bytes:
    """Return a client event as the text of its message."""
    return _encode(event)
