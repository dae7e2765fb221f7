"""Defaults, updates that hold as a whole or not at all, and the settings that act."""

import pytest

from app.audio.formats import PCM16_24K, ULAW_8K
from app.local.session_settings import SessionSettings, Transcription
from app.local.shapes import RequestError

pytestmark = pytest.mark.core

SETTINGS = SessionSettings("gpt-realtime-2.1")


def updated(before: SessionSettings = SETTINGS, *, voice_is_fixed: bool = False, **patch: object) -> SessionSettings:
    return before.updated({"type": "realtime", **patch}, voice_is_fixed=voice_is_fixed)


def refusal(patch: object, *, voice_is_fixed: bool = False) -> RequestError:
    with pytest.raises(RequestError) as refused:
        SETTINGS.updated(patch, voice_is_fixed=voice_is_fixed)
    return refused.value


def test_the_defaults_are_those_that_a_client_of_the_vendor_finds() -> None:
    session = SETTINGS.wire()
    assert session["type"] == "realtime"
    assert session["model"] == "gpt-realtime-2.1"
    assert session["audio"] == {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 200,
                "idle_timeout_ms": None,
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "alloy", "speed": 1.0},
    }
    rest = {key: session[key] for key in ("output_modalities", "tools", "tool_choice", "max_output_tokens")}
    assert rest == {"output_modalities": ["audio"], "tools": [], "tool_choice": "auto", "max_output_tokens": "inf"}
    assert (session["truncation"], session["tracing"], session["prompt"], session["include"]) == (
        "auto",
        None,
        None,
        None,
    )


def test_an_update_changes_the_keys_it_names_and_no_others() -> None:
    first = updated(
        audio={"input": {"transcription": {"model": "whisper-1", "language": "ko"}}}, instructions="Be kind."
    )
    second = updated(first, audio={"output": {"voice": "marin"}})
    assert second.instructions == "Be kind."
    assert second.transcription == Transcription("whisper-1", "ko")
    assert SETTINGS.transcription is None, "the settings before are as they were"
    off = updated(second, audio={"input": {"transcription": None}})
    assert off.transcription is None


def test_turn_detection_keeps_its_other_keys_within_a_kind_and_begins_anew_with_another() -> None:
    first = updated(audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 500}}})
    second = updated(first, audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}})
    assert second.turn_detection is not None
    assert (second.turn_detection.silence_duration_ms, second.turn_detection.create_response) == (500, False)
    semantic = updated(second, audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}})
    assert semantic.turn_detection is not None
    assert (semantic.turn_detection.silence_duration_ms, semantic.turn_detection.create_response) == (300, True)
    none = updated(semantic, audio={"input": {"turn_detection": None}})
    assert none.turn_detection is None


@pytest.mark.parametrize(("eagerness", "silence_ms"), [("low", 800), ("medium", 500), ("auto", 500), ("high", 300)])
def test_eagerness_is_a_length_of_silence(eagerness: str, silence_ms: int) -> None:
    settings = updated(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}}})
    assert settings.turn_detection is not None
    assert settings.turn_detection.silence_duration_ms == silence_ms
    assert settings.turn_detection.idle_timeout_ms is None


def test_formats() -> None:
    assert SETTINGS.input_format == PCM16_24K
    settings = updated(
        audio={"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcmu"}}}
    )
    assert settings.input_format == ULAW_8K
    assert settings.for_response({}, voice_is_fixed=False).output_format == ULAW_8K


@pytest.mark.parametrize(
    ("patch", "code", "param"),
    [
        ({}, "missing_required_parameter", "session.type"),
        ({"type": "transcription"}, "invalid_value", "session.type"),
        ({"type": "realtime", "temperature": 0.8}, "unknown_parameter", "session.temperature"),
        ({"type": "realtime", "voice": "alloy"}, "unknown_parameter", "session.voice"),
        ({"type": "realtime", "instructions": 3}, "invalid_type", "session.instructions"),
        ({"type": "realtime", "instructions": None}, "invalid_type", "session.instructions"),
        ({"type": "realtime", "output_modalities": ["text", "audio"]}, "invalid_value", "session.output_modalities"),
        ({"type": "realtime", "model": "another"}, "invalid_value", "session.model"),
        ({"type": "realtime", "max_output_tokens": 0}, "integer_below_min_value", "session.max_output_tokens"),
        ({"type": "realtime", "max_output_tokens": 4097}, "integer_above_max_value", "session.max_output_tokens"),
        ({"type": "realtime", "tools": [{"type": "mcp"}]}, "invalid_value", "session.tools[0].type"),
        ({"type": "realtime", "tools": [{"type": "function"}]}, "missing_required_parameter", "session.tools[0].name"),
        ({"type": "realtime", "tool_choice": "sometimes"}, "invalid_value", "session.tool_choice"),
    ],
)
def test_a_mistake_is_named_with_its_place(patch: dict[str, object], code: str, param: str) -> None:
    fault = refusal(patch)
    assert (fault.code, fault.param) == (code, param)


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("input.format", {"type": "audio/pcm", "rate": 16000}, "integer_below_min_value"),
        ("input.format", {"type": "audio/pcma"}, "invalid_value"),
        ("input.turn_detection", {"type": "none"}, "invalid_value"),
        ("input.turn_detection", {"type": "server_vad", "threshold": 1.5}, "decimal_above_max_value"),
        ("input.turn_detection", {"type": "server_vad", "idle_timeout_ms": 4000}, "integer_below_min_value"),
        ("input.turn_detection", {"type": "semantic_vad", "threshold": 0.5}, "unknown_parameter"),
        ("input.turn_detection", {"type": "server_vad", "create_response": 1}, "invalid_type"),
        ("input.noise_reduction", {"type": "mid_field"}, "invalid_value"),
        ("output.voice", "", "invalid_value"),
        ("output.voice", 5, "invalid_type"),
        ("output.speed", 2.0, "decimal_above_max_value"),
    ],
)
def test_a_mistake_in_the_audio_settings_spoils_the_whole_update(path: str, value: object, code: str) -> None:
    side, key = path.split(".")
    fault = refusal({"type": "realtime", "instructions": "New.", "audio": {side: {key: value}}})
    assert fault.code == code
    assert str(fault.param).startswith(f"session.audio.{path}")
    assert SETTINGS.instructions != "New."


def test_any_model_may_be_named_again_and_any_voice_chosen() -> None:
    settings = updated(model="gpt-realtime-2.1", audio={"output": {"voice": {"id": "voice_1"}}})
    assert settings.for_response({}, voice_is_fixed=True).voice == {"id": "voice_1"}


def test_the_voice_cannot_change_once_it_was_heard() -> None:
    fault = refusal({"type": "realtime", "audio": {"output": {"voice": "cedar"}}}, voice_is_fixed=True)
    assert fault.code == "cannot_update_voice"
    assert updated(audio={"output": {"voice": "alloy"}}, voice_is_fixed=True).instructions == SETTINGS.instructions
    with pytest.raises(RequestError, match="voice"):
        SETTINGS.for_response({"audio": {"output": {"voice": "cedar"}}}, voice_is_fixed=True)


def test_a_response_is_made_with_the_sessions_settings_under_its_own() -> None:
    tool = {"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object"}}
    session = updated(instructions="A", tools=[tool], tool_choice="required", max_output_tokens=100)
    plain = session.for_response({}, voice_is_fixed=False)
    assert (plain.instructions, plain.tool_choice, plain.modality, plain.max_output_tokens) == (
        "A",
        "required",
        "audio",
        100,
    )
    assert [offer.name for offer in plain.tools] == ["look"]
    own = session.for_response(
        {
            "instructions": "B",
            "tools": [],
            "tool_choice": {"type": "function", "name": "look"},
            "output_modalities": ["text"],
            "max_output_tokens": "inf",
            "audio": {"output": {"format": {"type": "audio/pcmu"}}},
        },
        voice_is_fixed=False,
    )
    assert (own.instructions, own.tools, own.tool_choice, own.modality) == ("B", (), "look", "text")
    assert (own.max_output_tokens, own.output_format, own.voice) == (None, ULAW_8K, "alloy")
