"""What a client may send, as shapes: each event, the session, an item, a response.

Left out, so refused with their name: A-law, MCP tools, images. This server has no use for them.
"""

from app.local.shapes import (
    RequestError,
    Shape,
    array,
    either,
    flag,
    int_or_inf,
    integer,
    mapping,
    number,
    one_of,
    or_null,
    tagged,
    text,
    whole_object,
)


def _modalities(value: object, path: str) -> None:
    array(one_of("audio", "text"))(value, path)
    if value not in (["audio"], ["text"]):
        raise RequestError("invalid_value", f"Invalid '{path}': write ['audio'] or ['text'].", path)


def _voice_name(value: object, path: str) -> None:
    text()(value, path)
    if not value:
        raise RequestError("invalid_value", f"Invalid '{path}': a voice has a name, such as 'marin'.", path)


_TAG = text()
_FORMAT = tagged(
    "type",
    {
        "audio/pcm": mapping({"type": _TAG, "rate": integer(24_000, 24_000)}, required=("type",)),
        "audio/pcmu": mapping({"type": _TAG}),
    },
)
_VOICE = either(_voice_name, mapping({"id": _voice_name}, required=("id",)))
_TOOL = tagged(
    "type",
    {
        "function": mapping(
            {"type": _TAG, "name": text(longest=64), "description": text(), "parameters": whole_object},
            required=("type", "name"),
        )
    },
)
_TOOL_CHOICE = either(
    one_of("auto", "none", "required"),
    tagged("type", {"function": mapping({"type": _TAG, "name": text()}, required=("type", "name"))}),
)
_PROMPT = or_null(
    mapping({"id": text(), "version": or_null(text()), "variables": or_null(whole_object)}, required=("id",))
)
_REASONING = mapping({"effort": one_of("minimal", "low", "medium", "high", "xhigh")})
_TURN_DETECTION = tagged(
    "type",
    {
        "server_vad": mapping(
            {
                "type": _TAG,
                "threshold": number(0.0, 1.0),
                "prefix_padding_ms": integer(0, 10_000),
                "silence_duration_ms": integer(0, 10_000),
                "idle_timeout_ms": or_null(integer(5_000, 30_000)),
                "create_response": flag,
                "interrupt_response": flag,
            }
        ),
        "semantic_vad": mapping(
            {
                "type": _TAG,
                "eagerness": one_of("low", "medium", "high", "auto"),
                "create_response": flag,
                "interrupt_response": flag,
            }
        ),
    },
)
_TRANSCRIPTION = mapping(
    {
        "model": text(),
        "language": or_null(text()),
        "languages": array(text()),
        "keywords": array(text()),
        "prompt": or_null(text()),
        "delay": one_of("minimal", "low", "medium", "high", "xhigh"),
    }
)
_TRUNCATION = either(
    one_of("auto", "disabled"),
    tagged(
        "type",
        {
            "retention_ratio": mapping(
                {
                    "type": _TAG,
                    "retention_ratio": number(0.0, 1.0),
                    "token_limits": or_null(mapping({"post_instructions": integer(0)})),
                },
                required=("type", "retention_ratio"),
            )
        },
    ),
)

SESSION = mapping(
    {
        "type": one_of("realtime"),
        "model": text(),
        "output_modalities": _modalities,
        "instructions": text(),
        "tools": array(_TOOL),
        "tool_choice": _TOOL_CHOICE,
        "parallel_tool_calls": flag,
        "reasoning": _REASONING,
        "max_output_tokens": int_or_inf(1, 4096),
        "truncation": _TRUNCATION,
        "tracing": or_null(
            either(
                one_of("auto"),
                mapping({"workflow_name": text(), "group_id": text(), "metadata": whole_object}),
            )
        ),
        "prompt": _PROMPT,
        "include": or_null(array(one_of("item.input_audio_transcription.logprobs"))),
        "audio": mapping(
            {
                "input": mapping(
                    {
                        "format": _FORMAT,
                        "transcription": or_null(_TRANSCRIPTION),
                        "noise_reduction": or_null(
                            mapping({"type": one_of("near_field", "far_field"), "strength": number(0.0, 1.0)})
                        ),
                        "turn_detection": or_null(_TURN_DETECTION),
                    }
                ),
                "output": mapping({"format": _FORMAT, "voice": _VOICE, "speed": number(0.25, 1.5)}),
            }
        ),
    },
    required=("type",),
)
"""The `session` of a `session.update`. MCP tools and A-law are not among what this server can do, and it says so."""

_STATUS = one_of("in_progress", "completed", "incomplete")
_COMMON: dict[str, Shape] = {
    "id": text(longest=64),
    "object": one_of("realtime.item"),
    "type": _TAG,
    "status": _STATUS,
}
_INPUT_TEXT = mapping({"type": _TAG, "text": text(longest=256_000)}, required=("type", "text"))
_OUTPUT_TEXT = mapping(
    {"type": _TAG, "text": text(), "transcript": or_null(text()), "audio": or_null(text())},
    required=("type", "text"),
)


def _message(*parts: tuple[str, Shape]) -> Shape:
    return mapping(
        {**_COMMON, "role": _TAG, "phase": or_null(text()), "content": array(tagged("type", dict(parts)))},
        required=("type", "role", "content"),
    )


_MESSAGE = tagged(
    "role",
    {
        "system": _message(("input_text", _INPUT_TEXT)),
        "user": _message(
            ("input_text", _INPUT_TEXT),
            (
                "input_audio",
                mapping({"type": _TAG, "audio": or_null(text()), "transcript": or_null(text())}),
            ),
        ),
        # An `output_audio` of the client's has no audio to it: its `text` is missing, says the real server.
        "assistant": _message(("output_text", _OUTPUT_TEXT), ("output_audio", _OUTPUT_TEXT)),
    },
)
_CALL_ID = text(longest=32)
_ITEM_VARIANTS: dict[str, Shape] = {
    "message": _MESSAGE,
    "function_call": mapping(
        {**_COMMON, "call_id": _CALL_ID, "name": text(), "arguments": text()}, required=("type", "name", "arguments")
    ),
    "function_call_output": mapping(
        {**_COMMON, "call_id": _CALL_ID, "output": text()}, required=("type", "call_id", "output")
    ),
}

ITEM = tagged("type", _ITEM_VARIANTS)
"""The `item` of a `conversation.item.create`."""


def _metadata(value: object, path: str) -> None:
    whole_object(value, path)
    pairs = value if isinstance(value, dict) else {}
    if len(pairs) > 16:
        raise RequestError(
            "object_above_max_properties", f"Invalid '{path}': at most 16 pairs, not {len(pairs)}.", path
        )
    for key, member in pairs.items():
        text(longest=64)(key, f"{path}.{key}")
        text(longest=512)(member, f"{path}.{key}")


RESPONSE = mapping(
    {
        "output_modalities": _modalities,
        "instructions": text(),
        "audio": mapping({"output": mapping({"format": _FORMAT, "voice": _VOICE})}),
        "tools": array(_TOOL),
        "tool_choice": _TOOL_CHOICE,
        "parallel_tool_calls": flag,
        "reasoning": _REASONING,
        "max_output_tokens": int_or_inf(1, 4096),
        "conversation": one_of("auto", "none"),
        "metadata": or_null(_metadata),
        "prompt": _PROMPT,
        "input": array(
            tagged(
                "type",
                {**_ITEM_VARIANTS, "item_reference": mapping({"type": _TAG, "id": text()}, required=("type", "id"))},
            )
        ),
    }
)
"""The `response` of a `response.create`."""

CLIENT_EVENTS: dict[str, Shape] = {
    "session.update": mapping({"session": whole_object}, required=("session",)),
    "input_audio_buffer.append": mapping({"audio": text()}, required=("audio",)),
    "input_audio_buffer.commit": mapping({}),
    "input_audio_buffer.clear": mapping({}),
    "conversation.item.create": mapping({"item": ITEM, "previous_item_id": or_null(text())}, required=("item",)),
    "conversation.item.retrieve": mapping({"item_id": text()}, required=("item_id",)),
    "conversation.item.truncate": mapping(
        {"item_id": text(), "content_index": integer(0), "audio_end_ms": integer(0)},
        required=("item_id", "content_index", "audio_end_ms"),
    ),
    "conversation.item.delete": mapping({"item_id": text()}, required=("item_id",)),
    "response.create": mapping({"response": RESPONSE}),
    "response.cancel": mapping({"response_id": text()}),
    "output_audio_buffer.clear": mapping({}),
}
"""What each event may carry beside `type` and `event_id`."""
