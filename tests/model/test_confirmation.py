import pytest

from app.model.confirmation import differing, dispensable, is_about_audio, without
from app.model.setup import Dialect, ModelSetup, session_settings

pytestmark = pytest.mark.core

SETUP = ModelSetup(instructions="Be brief.", voice="marin")


@pytest.mark.parametrize(
    ("asked", "answered", "keys"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 0.6}, {"a": 0.6000000238418579}, []),
        ({"a": 0.6}, {"a": 0.7}, ["a"]),
        ({"a": 1}, {"a": True}, ["a"]),
        ({"a": "x"}, {"a": " x\n"}, []),
        ({"a": "x"}, {"a": None}, ["a"]),
        ({"a": None}, {"a": None}, []),
        ({"a": None}, {}, []),
        ({"a": "x"}, {}, []),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2, "d": 3}}}, ["a.b.c"]),
        ({"a": {"b": 1}}, {"a": None}, ["a"]),
        ({"a": ["text", "audio"]}, {"a": ["audio", "text"]}, []),
        ({"a": ["audio"]}, {"a": ["audio", "text"]}, ["a"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}]}, []),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, ["a[1].b"]),
        ({"a": [{"b": 1}]}, {"a": []}, ["a"]),
        ({"a": ()}, {"a": []}, []),
        ({}, {"a": 1}, []),
    ],
)
def test_what_the_answer_says_otherwise_is_named(
    asked: dict[str, object], answered: dict[str, object], keys: list[str]
) -> None:
    assert differing(asked, answered) == keys


@pytest.mark.parametrize("dialect", list(Dialect))
def test_settings_agree_with_themselves(dialect: Dialect) -> None:
    asked = session_settings(SETUP, dialect)
    assert differing(asked, asked) == []


@pytest.mark.parametrize(
    ("key", "steps"),
    [
        ("temperature", ("temperature",)),
        ("audio.output.voice", ("audio", "output", "voice")),
        ("audio.output.voice.id", ("audio", "output", "voice")),
        ("audio.input.noise_reduction", ("audio", "input", "noise_reduction")),
        ("audio.input.noise_reduction.type", ("audio", "input", "noise_reduction")),
        ("audio.input.transcription.model", ("audio", "input", "transcription")),
        ("input_audio_transcription.model", ("input_audio_transcription",)),
        ("audio.input.transcription.language", ("audio", "input", "transcription", "language")),
        ("audio.input.turn_detection.eagerness", ("audio", "input", "turn_detection", "eagerness")),
        ("tool_choice", ("tool_choice",)),
        ("", None),
        ("type", None),
        ("instructions", None),
        ("audio", None),
        ("audio.input.format", None),
        ("audio.input.format.rate", None),
        ("input_audio_format", None),
        ("output_modalities", None),
        ("turn_detection", None),
        ("turn_detection.type", None),
        ("audio.input.turn_detection.create_response", None),
        ("turn_detection.interrupt_response", None),
        ("tools", None),
        ("tools[0].parameters", None),
        ("tools[0].strict", None),
    ],
)
def test_what_a_call_can_do_without(key: str, steps: tuple[str, ...] | None) -> None:
    assert dispensable(key) == steps


def test_leaving_a_key_out_leaves_the_rest_and_the_original() -> None:
    asked = {"a": {"b": 1, "c": 2}, "d": 3}
    assert without(asked, ("a", "b")) == {"a": {"c": 2}, "d": 3}
    assert without(asked, ("d",)) == {"a": {"b": 1, "c": 2}}
    assert without(asked, ("a", "x", "y")) == without(asked, ("d", "x")) == asked
    assert asked == {"a": {"b": 1, "c": 2}, "d": 3}


@pytest.mark.parametrize(
    ("key", "is_so"),
    [
        ("audio.input.format.type", True),
        ("audio.output.format", True),
        ("output_audio_format", True),
        ("audio.output.voice", False),
        ("turn_detection.threshold", False),
    ],
)
def test_what_is_about_the_way_audio_is_written(key: str, is_so: bool) -> None:
    assert is_about_audio(key) is is_so
