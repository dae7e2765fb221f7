"""The blocks of the agent file that belong to the realtime model: which one, and how it hears a turn's end."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StrictFloat, StrictInt, ValidationInfo, field_validator

from app.session.block import Block, choice, nearest, not_yet, wrong

OPENAI_VOICES = ("alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse")
"""What a GA realtime session takes (reference: realtime API, voices); fable, onyx and nova are voices of other APIs."""

DEFAULT_NAMES = {"local": "local", "openai": "gpt-realtime-2.1"}
DEFAULT_VOICES = {"local": "default", "openai": "marin"}

_PLAIN_NAME = r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"
PlainName = Annotated[str, Field(max_length=128, pattern=_PLAIN_NAME)]


def _default_name(data: dict[str, Any]) -> str:  # Any: pydantic hands over the fields before, whatever they are
    return DEFAULT_NAMES[data.get("provider", "local")]


def _default_voice(data: dict[str, Any]) -> str:  # Any: as above
    return DEFAULT_VOICES[data.get("provider", "local")]


class ModelBlock(Block):
    """The realtime model that hears the caller and speaks as the agent."""

    provider: Annotated[
        Literal["local", "openai"],
        choice(
            "local",
            "openai",
            later={
                "azure": "write openai, or local to try the agent without a key",
                "tokenlab": "write openai with OPENAI_BASE_URL set to the gateway, or local",
                "compatible": "write openai with OPENAI_BASE_URL set to the server, or local",
            },
        ),
    ] = "local"
    """Who serves the model: local is the embedded one, which needs neither key nor network."""

    name: PlainName = Field(default_factory=_default_name, examples=["gpt-realtime-2.1"])
    """The model's name at its provider; openai: gpt-realtime-2.1 unless said otherwise; local takes any."""

    voice: PlainName = Field(default_factory=_default_voice, examples=["marin"])
    """The voice the model speaks with; openai: marin unless said otherwise; local takes any."""

    audio_format: Annotated[
        Literal["pcm16"], choice("pcm16", later={"pcmu": "write pcm16, or leave audio_format out"})
    ] = "pcm16"
    """How audio travels to and from the model; pcm16 is 16-bit linear PCM at 24 kHz."""

    fallbacks: tuple[()] = ()
    """Further models for when this one cannot be reached; this version has none, so the list is empty."""

    later: ClassVar[Mapping[str, str]] = {
        "base_url": "leave it out and set OPENAI_BASE_URL",
        "api_key_env": "leave it out and set OPENAI_API_KEY",
        "deployment": "leave it out and write name",
        "api_version": "leave it out",
        "auth": "leave it out",
        "transcription": "leave it out: what the caller says is transcribed as it is",
        "noise_reduction": "leave it out",
        "max_output_tokens": "leave it out and ask for brevity in the prompt",
        "temperature": "leave it out",
        "speed": "leave it out and ask for a pace in the prompt",
        "tool_choice": "leave it out: the model chooses",
        "truncation": "leave it out",
        "reasoning_effort": "leave it out",
        "session_limit_s": "leave it out and limit the call with limits.max_call_s",
        "reconnect": "leave it out",
    }

    @field_validator("voice", mode="before")
    @classmethod
    def _is_a_name(cls, voice: object) -> object:
        if isinstance(voice, dict):
            raise wrong(not_yet("custom voices", "write the name of a voice, such as marin"))
        return voice

    @field_validator("voice")
    @classmethod
    def _is_known_to_the_provider(cls, voice: str, info: ValidationInfo) -> str:
        if info.data.get("provider") == "openai" and voice not in OPENAI_VOICES:
            meant = nearest(voice, OPENAI_VOICES)
            listing = ", ".join(OPENAI_VOICES)
            advice = f"did you mean {meant}?" if meant else f"write one of {listing}"
            raise wrong(f"{voice} is no voice of openai's realtime models; {advice}")
        return voice

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _has_none(cls, fallbacks: object) -> object:
        if isinstance(fallbacks, list) and fallbacks:
            raise wrong(not_yet("fallback models", "write fallbacks: [] or leave it out"))
        return fallbacks


Milliseconds = Annotated[StrictInt, Field(ge=0, le=10_000)]


class TurnDetectionBlock(Block):
    """How the model hears that the caller begins and has ended a turn."""

    type: Annotated[
        Literal["server_vad"],
        choice("server_vad", later={"semantic_vad": "write server_vad, with silence_duration_ms for its patience"}),
    ] = "server_vad"
    """server_vad: a turn ends with a silence."""

    threshold: Annotated[StrictFloat, Field(ge=0, le=1)] = 0.5
    """How sure the detector must be that this is speech, from 0 to 1; higher for noisy lines."""

    prefix_padding_ms: Milliseconds = 300
    """How much audio before the detected onset belongs to the turn."""

    silence_duration_ms: Milliseconds = 500
    """How long a silence ends a turn."""

    later: ClassVar[Mapping[str, str]] = {
        "eagerness": "leave it out and set silence_duration_ms",
        "idle_timeout_ms": "leave it out and set limits.idle_prompt_s",
    }
