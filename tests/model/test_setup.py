import pytest

from app.audio.formats import ULAW_8K
from app.model.setup import FunctionTool, ModelSetup, ServerVad, session_settings, turn_settings
from app.model.truthfulness import TRUTHFULNESS
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


def _input(settings: dict[str, object]) -> dict[str, object]:
    audio = settings["audio"]
    assert isinstance(audio, dict)
    given = audio["input"]
    assert isinstance(given, dict)
    return given
