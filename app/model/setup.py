"""What a session with the model is set up with, and the wire's words for it, in each dialect."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from app.audio.formats import PCM16_24K, ULAW_8K, AudioFormat
from app.model.truthfulness import truthful

_WIRE_FORMATS: Mapping[AudioFormat, Mapping[str, object]] = {
    PCM16_24K: {"type": "audio/pcm", "rate": 24000},
    ULAW_8K: {"type": "audio/pcmu"},
}

_FLAT_FORMATS: Mapping[AudioFormat, str] = {PCM16_24K: "pcm16", ULAW_8K: "g711_ulaw"}


class Dialect(Enum):
    """How a server words the realtime protocol."""

    GA = "ga"
    """The one that is generally available: a nested session object, `response.output_audio.delta`."""
    PREVIEW = "preview"
    """The beta before it, still spoken by Azure's preview: a flat session object, `response.audio.delta`."""


@dataclass(frozen=True, slots=True)
class FunctionTool:
    """A tool as the model is told of it. parameters: a JSON Schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ServerVad:
    """The model's voice detector by level. threshold: 0 to 1."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500


@dataclass(frozen=True, slots=True)
class SemanticVad:
    """The model's own judgement of whether the caller has finished. eagerness: low, medium, high or auto."""

    eagerness: str = "auto"


@dataclass(frozen=True, slots=True)
class VoiceId:
    """A voice of the account's own."""

    id: str


@dataclass(frozen=True, slots=True)
class NamedTool:
    """The one tool that every response is to call."""

    name: str


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of a conversation is kept when it has become too long. ratio: 0 to 1."""

    ratio: float


@dataclass(frozen=True, slots=True)
class ModelSetup:
    """Everything that a session with the model is told before it hears a word. None: it is not told; its provider's
    own choice holds.

    instructions: the agent's own; on the wire the truth about the speaker stands before them. language: the agent's,
    BCP 47: that truth is told in its words too. transcription_model: None leaves the caller's words unwritten.
    transcription_language: the caller's, when it is not the agent's; of both only an ISO 639-1 language is passed on,
    which is what the vendors take. audio_format: of both directions. noise_reduction: near_field or far_field.
    max_output_tokens: of one response; a number or "inf". tool_choice: auto, none, required or a tool. truncation:
    auto, disabled or a share. temperature is for the preview dialect alone, truncation and reasoning_effort for GA.
    speaks: False: it answers in writing, for a voice of ours to speak.
    """

    instructions: str
    voice: str | VoiceId | None
    tools: tuple[FunctionTool, ...] = ()
    turn_detection: ServerVad | SemanticVad = ServerVad()
    language: str | None = None
    transcription_model: str | None = "gpt-4o-mini-transcribe"
    transcription_language: str | None = None
    audio_format: AudioFormat = PCM16_24K
    noise_reduction: str | None = None
    max_output_tokens: int | str | None = None
    temperature: float | None = None
    speed: float | None = None
    tool_choice: str | NamedTool = "auto"
    truncation: str | Retention | None = None
    reasoning_effort: str | None = None
    speaks: bool = True


def session_settings(setup: ModelSetup, dialect: Dialect = Dialect.GA) -> dict[str, object]:
    """Return the `session` of the first session.update: all settings, listening without answering by itself."""
    if dialect is Dialect.PREVIEW:
        return _flat_settings(setup)
    wire_format = _WIRE_FORMATS[setup.audio_format]
    return {
        "type": "realtime",
        "output_modalities": ["audio" if setup.speaks else "text"],
        "instructions": truthful(setup.instructions, setup.language),
        "audio": {
            "input": {
                "format": wire_format,
                "transcription": _transcription(setup),
                **_set(noise_reduction=_noise_reduction(setup)),
                "turn_detection": _turn_detection(setup, create_response=False, interrupt_response=False),
            },
            **(_output(setup) if setup.speaks else {}),
        },
        "tools": _tools(setup),
        "tool_choice": _tool_choice(setup),
        **_set(
            max_output_tokens=setup.max_output_tokens,
            truncation=_truncation(setup),
            reasoning=None if setup.reasoning_effort is None else {"effort": setup.reasoning_effort},
        ),
    }


def _output(setup: ModelSetup) -> dict[str, object]:
    spoken = _set(voice=_voice(setup), speed=setup.speed)
    return {"output": {"format": _WIRE_FORMATS[setup.audio_format], **spoken}}


def _flat_settings(setup: ModelSetup) -> dict[str, object]:
    wire_format = _FLAT_FORMATS[setup.audio_format]
    spoken = {**_set(voice=_voice(setup), speed=setup.speed), "output_audio_format": wire_format}
    return {
        "modalities": ["text", "audio"] if setup.speaks else ["text"],
        "instructions": truthful(setup.instructions, setup.language),
        **(spoken if setup.speaks else {}),
        "input_audio_format": wire_format,
        "input_audio_transcription": _transcription(setup),
        **_set(input_audio_noise_reduction=_noise_reduction(setup)),
        "turn_detection": _turn_detection(setup, create_response=False, interrupt_response=False),
        "tools": _tools(setup),
        "tool_choice": _tool_choice(setup),
        **_set(temperature=setup.temperature, max_response_output_tokens=setup.max_output_tokens),
    }


def turn_settings(
    setup: ModelSetup,
    dialect: Dialect = Dialect.GA,
    *,
    create_response: bool,
    interrupt_response: bool,
) -> dict[str, object]:
    """Return the `session` of an update that changes only what the model does by itself.

    The detector's object is sent whole: a server replaces it, it does not merge it.
    """
    detection = _turn_detection(setup, create_response=create_response, interrupt_response=interrupt_response)
    if dialect is Dialect.PREVIEW:
        return {"turn_detection": detection}
    return {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}


def _set(**settings: object) -> dict[str, object]:
    """Return those settings that were made."""
    return {key: value for key, value in settings.items() if value is not None}


def _voice(setup: ModelSetup) -> object:
    return {"id": setup.voice.id} if isinstance(setup.voice, VoiceId) else setup.voice


def _tools(setup: ModelSetup) -> list[dict[str, object]]:
    return [
        {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}
        for tool in setup.tools
    ]


def _tool_choice(setup: ModelSetup) -> object:
    chosen = setup.tool_choice
    return {"type": "function", "name": chosen.name} if isinstance(chosen, NamedTool) else chosen


def _truncation(setup: ModelSetup) -> object:
    kept = setup.truncation
    return {"type": "retention_ratio", "retention_ratio": kept.ratio} if isinstance(kept, Retention) else kept


def _noise_reduction(setup: ModelSetup) -> dict[str, object] | None:
    return None if setup.noise_reduction is None else {"type": setup.noise_reduction}


def _turn_detection(setup: ModelSetup, *, create_response: bool, interrupt_response: bool) -> dict[str, object]:
    by_itself = {"create_response": create_response, "interrupt_response": interrupt_response}
    detection = setup.turn_detection
    if isinstance(detection, SemanticVad):
        return {"type": "semantic_vad", "eagerness": detection.eagerness, **by_itself}
    return {
        "type": "server_vad",
        "threshold": detection.threshold,
        "prefix_padding_ms": detection.prefix_padding_ms,
        "silence_duration_ms": detection.silence_duration_ms,
        **by_itself,
    }


def _transcription(setup: ModelSetup) -> dict[str, object] | None:
    if setup.transcription_model is None:
        return None
    language = (setup.transcription_language or setup.language or "").partition("-")[0].lower()
    spoken = {"language": language} if len(language) == 2 else {}
    return {"model": setup.transcription_model, **spoken}
