from dataclasses import replace

import pytest

from app.audio.formats import ULAW_8K
from app.model.setup import (
    Dialect,
    FunctionTool,
    ModelSetup,
    NamedTool,
    Retention,
    SemanticVad,
    ServerVad,
    VoiceId,
    session_settings,
    turn_settings,
)
from app.model.truthfulness import TRUTHFULNESS, truthful
from tests.support.realtime_schema import client_faults

pytestmark = pytest.mark.core

TOOL = FunctionTool("lookup_order", "Find an order.", {"type": "object", "properties": {"n": {"type": "string"}}})
SETUP = ModelSetup(
    instructions="Be brief.",
    voice="marin",
    tools=(TOOL,),
    turn_detection=ServerVad(threshold=0.6, prefix_padding_ms=200, silence_duration_ms=700),
    transcription_language="en-US",
)


def test_the_first_settings_say_everything_and_answer_nothing_by_themselves() -> None:
    settings = session_settings(SETUP)
    assert settings == {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": f"{TRUTHFULNESS}\n\nBe brief.",
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.6,
                    "prefix_padding_ms": 200,
                    "silence_duration_ms": 700,
                    "create_response": False,
                    "interrupt_response": False,
                },
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"},
        },
        "tools": [
            {
                "type": "function",
                "name": "lookup_order",
                "description": "Find an order.",
                "parameters": {"type": "object", "properties": {"n": {"type": "string"}}},
            }
        ],
        "tool_choice": "auto",
    }
    assert client_faults({"type": "session.update", "session": settings}) == []


def test_how_turns_are_handled_is_told_with_the_detector_whole() -> None:
    settings = turn_settings(SETUP, create_response=True, interrupt_response=False)
    assert settings == {
        "type": "realtime",
        "audio": {
            "input": {
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.6,
                    "prefix_padding_ms": 200,
                    "silence_duration_ms": 700,
                    "create_response": True,
                    "interrupt_response": False,
                }
            }
        },
    }
    assert client_faults({"type": "session.update", "session": settings}) == []


EVERYTHING = replace(
    SETUP,
    voice=VoiceId("voice_1"),
    turn_detection=SemanticVad("low"),
    language="en-US",
    noise_reduction="far_field",
    max_output_tokens=500,
    speed=1.1,
    tool_choice=NamedTool("lookup_order"),
    truncation=Retention(0.8),
    reasoning_effort="low",
)


def test_what_was_set_is_sent_where_the_protocol_has_it() -> None:
    settings = session_settings(EVERYTHING)
    audio = settings["audio"]
    assert isinstance(audio, dict)
    assert audio["input"]["noise_reduction"] == {"type": "far_field"}
    assert audio["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": False,
        "interrupt_response": False,
    }
    assert audio["output"] == {"format": {"type": "audio/pcm", "rate": 24000}, "voice": {"id": "voice_1"}, "speed": 1.1}
    assert settings["tool_choice"] == {"type": "function", "name": "lookup_order"}
    assert settings["max_output_tokens"] == 500
    assert settings["truncation"] == {"type": "retention_ratio", "retention_ratio": 0.8}
    assert settings["reasoning"] == {"effort": "low"}
    assert client_faults({"type": "session.update", "session": settings}) == []


@pytest.mark.parametrize(
    ("setup", "key", "value"),
    [
        (replace(SETUP, truncation="disabled"), "truncation", "disabled"),
        (replace(SETUP, max_output_tokens="inf"), "max_output_tokens", "inf"),
        (replace(SETUP, tool_choice="required"), "tool_choice", "required"),
    ],
)
def test_words_are_sent_as_they_are(setup: ModelSetup, key: str, value: str) -> None:
    settings = session_settings(setup)
    assert settings[key] == value
    assert client_faults({"type": "session.update", "session": settings}) == []


def test_without_a_voice_the_server_speaks_with_its_own() -> None:
    settings = session_settings(replace(SETUP, voice=None))
    assert settings["audio"]["output"] == {"format": {"type": "audio/pcm", "rate": 24000}}  # type: ignore[index] # a dict
    assert "voice" not in session_settings(replace(SETUP, voice=None), Dialect.PREVIEW)
    assert client_faults({"type": "session.update", "session": settings}) == []


def test_the_preview_dialect_has_a_flat_session_without_a_type() -> None:
    assert session_settings(SETUP, Dialect.PREVIEW) == {
        "modalities": ["text", "audio"],
        "instructions": f"{TRUTHFULNESS}\n\nBe brief.",
        "voice": "marin",
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
        "turn_detection": {
            "type": "server_vad",
            "threshold": 0.6,
            "prefix_padding_ms": 200,
            "silence_duration_ms": 700,
            "create_response": False,
            "interrupt_response": False,
        },
        "tools": session_settings(SETUP)["tools"],
        "tool_choice": "auto",
    }


def test_what_was_set_is_worded_in_the_preview_dialect_too() -> None:
    setup = replace(
        SETUP,
        audio_format=ULAW_8K,
        transcription_model=None,
        noise_reduction="near_field",
        max_output_tokens="inf",
        temperature=0.7,
        speed=0.9,
        tool_choice=NamedTool("lookup_order"),
    )
    settings = session_settings(setup, Dialect.PREVIEW)
    assert settings == session_settings(SETUP, Dialect.PREVIEW) | {
        "input_audio_format": "g711_ulaw",
        "output_audio_format": "g711_ulaw",
        "input_audio_transcription": None,
        "input_audio_noise_reduction": {"type": "near_field"},
        "max_response_output_tokens": "inf",
        "temperature": 0.7,
        "speed": 0.9,
        "tool_choice": {"type": "function", "name": "lookup_order"},
    }


def test_how_turns_are_handled_stands_at_the_top_in_the_preview_dialect() -> None:
    flat = turn_settings(SETUP, Dialect.PREVIEW, create_response=True, interrupt_response=False)
    nested = turn_settings(SETUP, create_response=True, interrupt_response=False)
    assert nested == {"type": "realtime", "audio": {"input": flat}}


@pytest.mark.parametrize("dialect", Dialect)
def test_the_truth_is_told_in_the_agents_language_whatever_the_caller_is_written_down_in(dialect: Dialect) -> None:
    setup = replace(SETUP, language="ko-KR", transcription_language="en")
    assert session_settings(setup, dialect)["instructions"] == truthful("Be brief.", "ko-KR")


def test_the_caller_is_written_down_in_the_agents_language_unless_another_is_said() -> None:
    korean = ModelSetup("", "marin", language="ko-KR")
    assert _input(session_settings(korean))["transcription"] == {"model": "gpt-4o-mini-transcribe", "language": "ko"}
    english = replace(korean, transcription_language="en")
    assert _input(session_settings(english))["transcription"] == {"model": "gpt-4o-mini-transcribe", "language": "en"}


@pytest.mark.parametrize(
    ("language", "passed_on"),
    [("en", "en"), ("ko-KR", "ko"), ("JA", "ja"), ("yue-HK", None), ("", None), (None, None)],
)
def test_the_caller_is_written_down_in_a_language_the_vendors_know(language: str | None, passed_on: str | None) -> None:
    setup = ModelSetup("", "marin", transcription_model="whisper-1", transcription_language=language)
    expected = {"model": "whisper-1"} | ({"language": passed_on} if passed_on else {})
    assert _input(session_settings(setup))["transcription"] == expected


def test_without_a_transcription_model_nothing_is_written_down() -> None:
    assert _input(session_settings(ModelSetup("", "marin", transcription_model=None)))["transcription"] is None


def test_telephone_audio_goes_straight_through_where_it_is_asked_for() -> None:
    settings = session_settings(ModelSetup("", "marin", audio_format=ULAW_8K))
    assert _input(settings)["format"] == {"type": "audio/pcmu"}
    assert client_faults({"type": "session.update", "session": settings}) == []


@pytest.mark.parametrize("dialect", Dialect)
def test_a_model_that_only_writes_is_asked_for_no_voice(dialect: Dialect) -> None:
    settings = session_settings(replace(SETUP, speaks=False), dialect)
    if dialect is Dialect.GA:
        assert settings["output_modalities"] == ["text"]
        audio = settings["audio"]
        assert isinstance(audio, dict)
        assert list(audio) == ["input"]
        assert client_faults({"type": "session.update", "session": settings}) == []
    else:
        assert settings["modalities"] == ["text"]
        assert not {"voice", "output_audio_format", "speed"} & set(settings)
        assert settings["input_audio_format"] == "pcm16"


def _input(settings: dict[str, object]) -> dict[str, object]:
    audio = settings["audio"]
    assert isinstance(audio, dict)
    given = audio["input"]
    assert isinstance(given, dict)
    return given
