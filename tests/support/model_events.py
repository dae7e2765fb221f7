"""Events of the realtime protocol as a server sends them: the parts, and one whole event of each type."""

import base64
import functools
import math
import struct
from collections.abc import Mapping
from typing import TypeAlias

Wire: TypeAlias = dict[str, object]
BYTES_PER_MS = 48


@functools.lru_cache(maxsize=16)
def tone(ms: int, hz: float = 440.0) -> bytes:
    """Return so much of a quiet sine: PCM16, 24 kHz, mono."""
    samples = (round(6000 * math.sin(2 * math.pi * hz * n / 24_000)) for n in range(24 * ms))
    return struct.pack(f"<{24 * ms}h", *samples)


def message_item(item_id: str, role: str, content: list[Wire], status: str = "completed") -> Wire:
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": role,
        "content": content,
    }


def function_call_item(item_id: str, call_id: str, name: str, arguments: str, status: str = "completed") -> Wire:
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def response_object(
    response_id: str, status: str, details: Wire | None = None, output: list[Wire] | None = None, audio_ms: int = 0
) -> Wire:
    """Return a response as `response.created` and `response.done` carry it: with its usage once it is over."""
    tokens = audio_ms // 50
    usage: Wire = {
        "total_tokens": 100 + tokens,
        "input_tokens": 100,
        "output_tokens": tokens,
        "input_token_details": {
            "text_tokens": 60,
            "audio_tokens": 40,
            "image_tokens": 0,
            "cached_tokens": 32,
            "cached_tokens_details": {"text_tokens": 32, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": 0, "audio_tokens": tokens},
    }
    return {
        "object": "realtime.response",
        "id": response_id,
        "status": status,
        "status_details": details,
        "output": output or [],
        "conversation_id": "conv_1",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "metadata": None,
        "usage": None if status == "in_progress" else usage,
    }


def session_object() -> Wire:
    """Return the session as `session.created` shows it, before any settings of ours."""
    pcm: Wire = {"type": "audio/pcm", "rate": 24000}
    vad: Wire = {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_1",
        "model": "gpt-realtime-2.1",
        "output_modalities": ["audio"],
        "instructions": "Be helpful.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": 1_790_000_000,
        "include": None,
        "audio": {
            "input": {"format": pcm, "transcription": None, "noise_reduction": None, "turn_detection": vad},
            "output": {"format": pcm, "voice": "marin", "speed": 1.0},
        },
    }


def error_body(code: str | None, message: str = "No.", **fields: object) -> Wire:
    """Return an error's body; fields: type, param, event_id."""
    return {
        "type": "invalid_request_error",
        "code": code,
        "message": message,
        "param": None,
        "event_id": None,
        **fields,
    }


_PART: Wire = {"response_id": "resp_1", "output_index": 0}
_CONTENT: Wire = {**_PART, "item_id": "item_2", "content_index": 0}
_CALL: Wire = {**_PART, "item_id": "item_3", "call_id": "call_1"}
_TURN: Wire = {"item_id": "item_1", "content_index": 0}
_ERROR: Wire = {"type": "transcription_error", "code": "audio_unintelligible", "message": "No.", "param": None}
_SPOKEN = message_item("item_2", "assistant", [{"type": "output_audio", "transcript": "Good morning."}])
_HEARD = message_item("item_1", "user", [{"type": "input_audio", "transcript": None}])
_FUNCTION_CALL = function_call_item("item_3", "call_1", "lookup_order", '{"order_number":"1042"}')
_TRANSCRIPTION = "conversation.item.input_audio_transcription"

_FIELDS: Mapping[str, Wire] = {
    "conversation.created": {"conversation": {"id": "conv_1", "object": "realtime.conversation"}},
    "conversation.item.added": {"previous_item_id": None, "item": _HEARD},
    "conversation.item.created": {"previous_item_id": None, "item": _HEARD},
    "conversation.item.deleted": {"item_id": "item_1"},
    "conversation.item.done": {"previous_item_id": None, "item": _HEARD},
    f"{_TRANSCRIPTION}.completed": {
        **_TURN,
        "transcript": "Where is my order?",
        "logprobs": None,
        "usage": {
            "type": "tokens",
            "total_tokens": 30,
            "input_tokens": 24,
            "output_tokens": 6,
            "input_token_details": {"text_tokens": 0, "audio_tokens": 24},
        },
    },
    f"{_TRANSCRIPTION}.delta": {**_TURN, "delta": "Where", "logprobs": None},
    f"{_TRANSCRIPTION}.failed": {**_TURN, "error": _ERROR},
    f"{_TRANSCRIPTION}.segment": {
        **_TURN,
        "id": "seg_1",
        "text": "Where",
        "speaker": "A",
        "start": 0.1,
        "end": 0.6,
    },
    "conversation.item.retrieved": {"item": _HEARD},
    "conversation.item.truncated": {"item_id": "item_2", "content_index": 0, "audio_end_ms": 1200},
    "error": {"error": error_body("invalid_value", "No such thing.", param="item", event_id="item-i1")},
    "input_audio_buffer.cleared": {},
    "input_audio_buffer.committed": {"previous_item_id": None, "item_id": "item_1"},
    "input_audio_buffer.dtmf_event_received": {"event": "5", "received_at": 1_780_000_000},
    "input_audio_buffer.speech_started": {"audio_start_ms": 1040, "item_id": "item_1"},
    "input_audio_buffer.speech_stopped": {"audio_end_ms": 2310, "item_id": "item_1"},
    "input_audio_buffer.timeout_triggered": {"audio_start_ms": 0, "audio_end_ms": 9000, "item_id": "item_1"},
    "mcp_list_tools.completed": {"item_id": "item_4"},
    "mcp_list_tools.failed": {"item_id": "item_4"},
    "mcp_list_tools.in_progress": {"item_id": "item_4"},
    "output_audio_buffer.cleared": {"response_id": "resp_1"},
    "output_audio_buffer.started": {"response_id": "resp_1"},
    "output_audio_buffer.stopped": {"response_id": "resp_1"},
    "rate_limits.updated": {
        "rate_limits": [{"name": "tokens", "limit": 40_000, "remaining": 39_000, "reset_seconds": 1.5}]
    },
    "response.content_part.added": {**_CONTENT, "part": {"type": "audio", "transcript": ""}},
    "response.content_part.done": {**_CONTENT, "part": {"type": "audio", "transcript": "Good morning."}},
    "response.created": {"response": response_object("resp_1", "in_progress")},
    "response.done": {"response": response_object("resp_1", "completed", None, [_SPOKEN], 1200)},
    "response.function_call_arguments.delta": {**_CALL, "delta": '{"order'},
    "response.function_call_arguments.done": {
        **_CALL,
        "name": "lookup_order",
        "arguments": '{"order_number":"1042"}',
    },
    "response.mcp_call.completed": {"output_index": 0, "item_id": "item_4"},
    "response.mcp_call.failed": {"output_index": 0, "item_id": "item_4"},
    "response.mcp_call.in_progress": {"output_index": 0, "item_id": "item_4"},
    "response.mcp_call_arguments.delta": {**_PART, "item_id": "item_4", "delta": "{}"},
    "response.mcp_call_arguments.done": {**_PART, "item_id": "item_4", "arguments": "{}"},
    "response.output_audio.delta": {**_CONTENT, "delta": base64.b64encode(tone(20)).decode()},
    "response.output_audio.done": _CONTENT,
    "response.output_audio_transcript.delta": {**_CONTENT, "delta": "Good morning."},
    "response.output_audio_transcript.done": {**_CONTENT, "transcript": "Good morning."},
    "response.output_item.added": {**_PART, "item": {**_FUNCTION_CALL, "status": "in_progress", "arguments": ""}},
    "response.output_item.done": {**_PART, "item": _FUNCTION_CALL},
    "response.output_text.delta": {**_CONTENT, "delta": "Good"},
    "response.output_text.done": {**_CONTENT, "text": "Good morning."},
    "session.created": {"session": session_object()},
    "session.updated": {"session": session_object()},
}

EXAMPLES: Mapping[str, Wire] = {
    kind: {"type": kind, "event_id": f"event_{number}", **fields}
    for number, (kind, fields) in enumerate(_FIELDS.items())
}
"""One event of every type that a GA server may send."""
