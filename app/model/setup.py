"""What a session with the model is set up with, and the wire's words for it (GA session object)."""

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
class ModelSetup:
    """Everything that a session with the model is told before it hears a word.

    instructions: the agent's own; on the wire the truth about the speaker stands before them.
    transcription_model: None leaves the caller's words unwritten. transcription_language: BCP 47; only an ISO 639-1
    language is passed on, which is what the vendors take. audio_format: of both directions.
    """

    instructions: str
    voice: str
    tools: tuple[FunctionTool, ...] = ()
    turn_detection: ServerVad = ServerVad()
    transcription_model: str | None = "gpt-4o-mini-transcribe"
    transcription_language: str | None = None
    audio_format: AudioFormat = PCM16_24K


def session_settings(setup: ModelSetup, dialect: Dialect = Dialect.GA) -> dict[str, object]:
    """Return the `session` of the first session.update: all settings, listening without answering by itself."""
    wire_format = _WIRE_FORMATS[setup.audio_format]
    if dialect is Dialect.PREVIEW:
        return _flat_settings(setup)
    return {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": truthful(setup.instructions, setup.transcription_language),
        "audio": {
            "input": {
                "format": wire_format,
                "transcription": _transcription(setup),
                "turn_detection": _turn_detection(setup, create_response=False, interrupt_response=False),
            },
            "output": {"format": wire_format, "voice": setup.voice},
        },
        "tools": _tools(setup),
        "tool_choice": "auto",
    }


def _flat_settings(setup: ModelSetup) -> dict[str, object]:
    wire_format = _FLAT_FORMATS[setup.audio_format]
    return {
        "modalities": ["text", "audio"],
        "instructions": truthful(setup.instructions, setup.transcription_language),
        "voice": setup.voice,
        "input_audio_format": wire_format,
        "output_audio_format": wire_format,
        "input_audio_transcription": _transcription(setup),
        "turn_detection": _turn_detection(setup, create_response=False, interrupt_response=False),
        "tools": _tools(setup),
        "tool_choice": "auto",
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


def _tools(setup: ModelSetup) -> list[dict[str, object]]:
    return [
        {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}
        for tool in setup.tools
    ]


def _turn_detection(setup: ModelSetup, *, create_response: bool, interrupt_response: bool) -> dict[str, object]:
    return {
        "type": "server_vad",
        "threshold": setup.turn_detection.threshold,
        "prefix_padding_ms": setup.turn_detection.prefix_padding_ms,
        "silence_duration_ms": setup.turn_detection.silence_duration_ms,
        "create_response": create_response,
        "interrupt_response": interrupt_response,
    }


def _transcription(setup: ModelSetup) -> dict[str, object] | None:
    if setup.transcription_model is None:
        return None
    language = (setup.transcription_language or "").partition("-")[0].lower()
    spoken = {"language": language} if len(language) == 2 else {}
    return {"model": setup.transcription_model, **spoken}
