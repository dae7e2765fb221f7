"""The capability table: what each row says, and that each of its limits has an answer for who goes beyond it."""

from dataclasses import replace

import pytest

from app.model import suitability
from app.model.capabilities import OPENAI_VOICES, PROVIDERS, capabilities, family_of
from app.model.setup import Dialect

pytestmark = pytest.mark.core

GA, PREVIEW = Dialect.GA, Dialect.PREVIEW
MINIMAL_TO_HIGH = ("minimal", "low", "medium", "high")


@pytest.mark.parametrize(
    ("provider", "dialect", "turns", "limit_s", "reconnects", "has_temperature"),
    [
        ("local", GA, ("server_vad", "semantic_vad"), None, True, False),
        ("openai", GA, ("server_vad", "semantic_vad"), 3600, True, False),
        ("azure", GA, ("server_vad",), 1800, True, False),
        ("azure", PREVIEW, ("server_vad",), 1800, True, True),
        ("tokenlab", GA, ("server_vad", "semantic_vad"), None, False, False),
        ("compatible", GA, ("server_vad", "semantic_vad"), None, True, False),
    ],
)
def test_the_rows(
    provider: str,
    dialect: Dialect,
    turns: tuple[str, ...],
    limit_s: float | None,
    reconnects: bool,
    has_temperature: bool,
) -> None:
    can = capabilities(provider, None, dialect)
    assert (can.dialect, can.turn_detection) == (dialect, turns)
    assert (can.session_limit_s, can.reconnects) == (limit_s, reconnects)
    assert (can.temperature is not None) is has_temperature
    assert can.audio_formats == ("pcm16", "pcmu")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_default_is_within_its_own_row(provider: str) -> None:
    for dialect in (GA, PREVIEW) if provider == "azure" else (GA,):
        can = capabilities(provider, None, dialect)
        can = capabilities(provider, can.default_model, dialect)
        assert can.default_voice is None or suitability.refused_voice(can, can.default_voice) is None
        assert suitability.refused_transcription(can, can.transcription_model, None) is None
        assert suitability.refused_turn_detection(can, "server_vad") is None
        assert suitability.refused_audio_format(can, "pcm16") is None
        if can.default_model is not None:
            assert suitability.refused_model(provider, can.default_model) is None


@pytest.mark.parametrize(
    ("model", "reasons", "has_all_voices"),
    [
        ("gpt-realtime", False, True),
        ("gpt-realtime-2025-08-28", False, True),
        ("gpt-realtime-mini-2025-12-15", False, True),
        ("gpt-realtime-1.5", False, True),
        ("gpt-audio-mini-2025-10-06", False, True),
        ("gpt-realtime-2", True, True),
        ("gpt-realtime-2-2026-05-07", True, True),
        ("gpt-realtime-2.1", True, True),
        ("gpt-realtime-2.1-mini", True, True),
        ("gpt-4o-realtime-preview-2024-12-17", False, False),
        ("gpt-4o-mini-realtime-preview", False, False),
    ],
)
def test_families(model: str, reasons: bool, has_all_voices: bool) -> None:
    family = family_of(model)
    assert family is not None
    assert (family.reasons, family.voices == OPENAI_VOICES) == (reasons, has_all_voices)
    assert family.default_voice in family.voices
    can = capabilities("azure", model)
    assert can.reasoning_efforts == (MINIMAL_TO_HIGH if reasons else ())
    assert can.default_voice == family.default_voice


@pytest.mark.parametrize("model", ["gpt-realtime-3", "orders", "gpt-realtime-2.1-mini-x", "gpt-realtime-20", ""])
def test_other_names_are_of_no_family(model: str) -> None:
    assert family_of(model) is None


def test_a_deployment_tells_its_model_by_name_or_not_at_all() -> None:
    assert capabilities("azure", "gpt-realtime-2", is_deployment=True).reasoning_efforts == MINIMAL_TO_HIGH
    assert capabilities("azure", "orders", is_deployment=True).reasoning_efforts is None
    assert capabilities("azure", "orders", PREVIEW, is_deployment=True).reasoning_efforts == ()
    assert capabilities("azure", "orders").reasoning_efforts == MINIMAL_TO_HIGH, "whoever names a model means it"


def test_models_of_other_vendors_have_voices_of_their_own() -> None:
    assert capabilities("tokenlab", "of-another-vendor").voices is None
    assert capabilities("tokenlab", "gpt-realtime").voices == OPENAI_VOICES
    assert capabilities("compatible", "gpt-4o-realtime-preview").voices is None


def test_a_format_that_is_not_there_is_refused_with_those_that_are() -> None:
    can = replace(capabilities("compatible", "m"), audio_formats=("pcm16",))
    assert suitability.refused_audio_format(can, "pcmu") == "a compatible server does not take pcmu; write pcm16"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_setting_that_a_row_does_not_have_is_answered_with_what_to_do(provider: str) -> None:
    can = replace(
        capabilities(provider, None),
        turn_detection=("server_vad",),
        temperature=None,
        speed=None,
        custom_voices=False,
        noise_reduction=False,
        truncation=False,
        reasoning_efforts=(),
        voices=("marin",),
    )
    for answer in (
        suitability.refused_turn_detection(can, "semantic_vad"),
        suitability.refused_number(can, "temperature", 0.8),
        suitability.refused_number(can, "speed", 1.0),
        suitability.refused_number(can, "max_output_tokens", 100_000),
        suitability.refused_custom_voice(can),
        suitability.refused_voice(can, "nova"),
        suitability.refused_noise_reduction(can),
        suitability.refused_truncation(can),
        suitability.refused_reasoning(can, "m", "low"),
    ):
        assert answer is not None
        wrong, separator, instead = answer.partition("; ")
        assert wrong
        assert separator
        assert instead.startswith(("write", "leave it out", "did you mean")), answer
