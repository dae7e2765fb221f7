import copy
from dataclasses import replace
from typing import Any

import pytest

from app.model.confirmation import differing, dispensable, dispensable_in, ignored, is_about_audio, without
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
        ({"a": "x", "b": "y"}, {"a": "x"}, ["b"]),
        ({"a": "x", "b": "y", "c": "z"}, {"a": "x"}, []),  # a part of the session, or not ours
        ({"a": "x", "b": "y"}, {"a": "w"}, ["a", "b"]),
        ({"a": "x", "b": None}, {"a": "x"}, []),
        ({"a": "x", "b": []}, {"a": "x"}, []),
        ({"a": "x", "tool_choice": "auto", "truncation": "auto"}, {"a": "x"}, []),
        ({"a": "x", "truncation": "disabled"}, {"a": "x"}, ["truncation"]),
        ({"a": {"b": 1, "c": {"d": 2, "e": 3}}}, {"a": {"c": {"d": 2}}}, ["a.b", "a.c.e"]),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}, []),  # a tool's schema, as the server writes it
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


@pytest.mark.parametrize("dialect", list(Dialect))
def test_of_a_whole_session_what_is_not_there_is_named_and_of_a_part_nothing_is(dialect: Dialect) -> None:
    setup = replace(SETUP, noise_reduction="near_field", max_output_tokens=500)
    asked = session_settings(setup, dialect)
    quiet = {
        Dialect.GA: ("audio", "input", "noise_reduction"),
        Dialect.PREVIEW: ("input_audio_noise_reduction",),
    }[dialect]
    for missing in (quiet, ("instructions",)):
        assert differing(asked, without(asked, missing)) == [".".join(missing)]
    for part in ({}, {"type": "realtime"}, {"id": "sess_1", "object": "realtime.session", "model": "m"}):
        assert differing(asked, part) == []


def test_the_rate_of_pcm_need_not_be_said() -> None:
    asked = session_settings(SETUP)
    assert differing(asked, without(asked, ("audio", "input", "format", "rate"))) == []


@pytest.mark.parametrize("dialect", list(Dialect))
def test_what_no_call_can_be_held_without(dialect: Dialect) -> None:
    asked = session_settings(SETUP, dialect)
    above = {Dialect.GA: ("audio", "input"), Dialect.PREVIEW: ()}[dialect]

    def answered(key: str, value: object) -> dict[str, object]:
        answer = copy.deepcopy(asked)
        inner: Any = answer  # Any: nested dicts
        for step in above:
            inner = inner[step]
        inner[key] = value
        return answer

    spoken = "format" if dialect is Dialect.GA else "input_audio_format"
    assert ignored(asked, asked) == ignored(asked, {}) == ""
    assert ignored(asked, without(asked, (*above, "turn_detection"))) == ""
    assert ignored(asked, answered("turn_detection", {"type": "semantic_vad"})) == ""
    assert ignored(asked, answered("turn_detection", None)) == "turn_detection"
    assert ignored(asked, answered("turn_detection", {"type": "none"})) == "turn_detection"
    assert ignored(asked, answered(spoken, "g711_alaw")) == "audio_format"
    assert ignored({"voice": "marin"}, {"turn_detection": None}) == "", "nobody asked for it"


@pytest.mark.parametrize("dialect", list(Dialect))
def test_all_that_a_call_can_do_without_at_once(dialect: Dialect) -> None:
    asked = session_settings(replace(SETUP, noise_reduction="near_field", speed=1.1), dialect)
    keys = {".".join(steps) for steps in dispensable_in(asked)}
    detection = "audio.input.turn_detection" if dialect is Dialect.GA else "turn_detection"
    own = {
        Dialect.GA: {
            "audio.input.transcription",
            "audio.input.noise_reduction",
            "audio.output.voice",
            "audio.output.speed",
        },
        Dialect.PREVIEW: {"input_audio_transcription", "input_audio_noise_reduction", "voice", "speed"},
    }[dialect]
    of_detector = {f"{detection}.{key}" for key in ("threshold", "prefix_padding_ms", "silence_duration_ms")}
    assert keys == {"tool_choice", *own, *of_detector}
    for steps in dispensable_in(asked):
        asked = without(asked, steps)
    assert dispensable_in(asked) == []


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
