"""The model's blocks: which models there are, and how turns are heard."""

import pytest
from pydantic import ValidationError

from app.model.config import OPENAI_VOICES, ModelBlock, TurnDetectionBlock


def test_without_a_word_it_is_the_embedded_model() -> None:
    model = ModelBlock()
    assert (model.provider, model.name, model.voice) == ("local", "local", "default")
    assert (model.audio_format, model.fallbacks) == ("pcm16", ())


def test_openai_has_its_own_defaults() -> None:
    model = ModelBlock(provider="openai")
    assert (model.name, model.voice) == ("gpt-realtime-2.1", "marin")


def test_the_embedded_model_takes_any_name_and_voice() -> None:
    model = ModelBlock(provider="local", name="gpt-realtime-2.1", voice="whoever")
    assert (model.name, model.voice) == ("gpt-realtime-2.1", "whoever")


@pytest.mark.parametrize("voice", OPENAI_VOICES)
def test_voices_of_openai(voice: str) -> None:
    assert ModelBlock(provider="openai", voice=voice).voice == voice


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"provider": "openai", "voice": "marina"}, r"did you mean marin\?"),
        ({"provider": "openai", "voice": "nova"}, r"write one of alloy, ash"),
        ({"provider": "openai", "voice": {"id": "voice_1"}}, "does not have custom voices yet"),
        ({"provider": "azure"}, "does not have azure yet"),
        ({"provider": "tokenlab"}, "does not have tokenlab yet"),
        ({"provider": "compatible"}, "does not have compatible yet"),
        ({"provider": "open_ai"}, r"did you mean openai\?"),
        ({"audio_format": "pcmu"}, "does not have pcmu yet"),
        ({"audio_format": "pcm"}, r"did you mean pcm16\?"),
        ({"fallbacks": [{"provider": "local"}]}, "does not have fallback models yet"),
        ({"name": "gpt realtime"}, "pattern"),
        ({"name": ""}, "pattern"),
        ({"name": "x" * 129}, "128"),
    ],
)
def test_what_a_model_block_may_not_say(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ModelBlock.model_validate(values)


def test_turn_detection_by_default() -> None:
    block = TurnDetectionBlock()
    assert (block.type, block.threshold, block.prefix_padding_ms, block.silence_duration_ms) == (
        "server_vad",
        0.5,
        300,
        500,
    )


@pytest.mark.parametrize("threshold", [0, 1, 0.7])
def test_the_threshold_is_a_share(threshold: float) -> None:
    assert TurnDetectionBlock(threshold=threshold).threshold == threshold


@pytest.mark.parametrize(
    "values",
    [
        {"threshold": -0.1},
        {"threshold": 1.1},
        {"threshold": "0.5"},
        {"threshold": True},
        {"prefix_padding_ms": -1},
        {"prefix_padding_ms": 1.5},
        {"silence_duration_ms": 10_001},
        {"type": "semantic_vad"},
        {"type": None},
    ],
)
def test_what_turn_detection_may_not_say(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TurnDetectionBlock.model_validate(values)
