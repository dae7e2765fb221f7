"""What a session is set to: the defaults, what a `session.update` makes of them, and the few settings that act here.

The rest (model, noise reduction, truncation, tracing, …) is taken, checked and echoed without effect.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from app.audio.formats import PCM16_24K, ULAW_8K, AudioFormat
from app.local.protocol import Wire
from app.local.requests import SESSION
from app.local.shapes import RequestError
from app.local.vocabulary import ToolOffer

DEFAULT_INSTRUCTIONS = "You are a friendly voice agent on the telephone. Be brief."

_SILENCE_MS_BY_EAGERNESS = {"low": 800, "medium": 500, "auto": 500, "high": 300}
_SERVER_VAD: Wire = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_SEMANTIC_VAD: Wire = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
_JOINED = (("audio",), ("audio", "input"), ("audio", "output"), ("audio", "input", "transcription"))
"""Objects of which a `session.update` changes only the keys it names. Any other value is replaced whole."""


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """How the caller's turns are found and what a turn sets off."""

    threshold: float
    prefix_padding_ms: int
    silence_duration_ms: int
    idle_timeout_ms: int | None
    create_response: bool
    interrupt_response: bool


@dataclass(frozen=True, slots=True)
class Transcription:
    """That the caller's turns are to be written down. language: ISO-639-1 or BCP 47, if the client knows it."""

    model: str
    language: str | None


@dataclass(frozen=True, slots=True)
class ResponseSettings:
    """What one response is made with: the session's settings under the overrides of a `response.create`."""

    instructions: str
    tools: tuple[ToolOffer, ...]
    tool_choice: str
    modality: Literal["audio", "text"]
    output_format: AudioFormat
    wire_format: Wire
    voice: object
    speed: float
    max_output_tokens: int | None


def _defaults(model: str) -> Wire:
    return {
        "type": "realtime",
        "model": model,
        "output_modalities": ["audio"],
        "instructions": DEFAULT_INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "truncation": "auto",
        "tracing": None,
        "prompt": None,
        "include": None,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24_000},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(_SERVER_VAD),
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "alloy", "speed": 1.0},
        },
    }


class SessionSettings:
    """The settings of one session at one moment; an update makes new ones."""

    __slots__ = ("_session",)

    def __init__(self, model: str) -> None:
        self._session = _defaults(model)

    def updated(self, patch: object, *, voice_is_fixed: bool) -> "SessionSettings":
        """Return the settings after a `session.update`, or raise RequestError; then nothing of it holds.

        patch: the event's `session`. voice_is_fixed: audio has been made, so that the voice can no longer change.
        """
        if isinstance(patch, dict) and patch.get("type") == "transcription":
            raise RequestError(
                "invalid_value",
                "Passing a transcription session update to a realtime session is not allowed.",
                "session.type",
            )
        SESSION(patch, "session")
        changes = cast(Wire, patch)
        if changes.get("model", self.model) != self.model:
            raise RequestError(
                "invalid_value",
                f"The model of a session cannot be changed: it is '{self.model}' until the session ends.",
                "session.model",
            )
        after = SessionSettings(self.model)
        after._session = copy.deepcopy(self._session)
        _join(after._session, copy.deepcopy(changes), ())
        if voice_is_fixed and after._output["voice"] != self._output["voice"]:
            raise _voice_is_fixed("session.audio.output.voice")
        return after

    def wire(self) -> Wire:
        """Return the whole effective session as the protocol writes it, but for what names it (id, expires_at)."""
        return copy.deepcopy(self._session)

    @property
    def _input(self) -> Wire:
        return _object(_object(self._session["audio"])["input"])

    @property
    def _output(self) -> Wire:
        return _object(_object(self._session["audio"])["output"])

    @property
    def model(self) -> str:
        return str(self._session["model"])

    @property
    def instructions(self) -> str:
        return str(self._session["instructions"])

    @property
    def tools(self) -> tuple[ToolOffer, ...]:
        return _tools(self._session["tools"])

    @property
    def input_format(self) -> AudioFormat:
        return _format(self._input["format"])

    @property
    def transcription(self) -> Transcription | None:
        """How the caller's turns are written down; None: they are not."""
        asked = self._input["transcription"]
        if not isinstance(asked, dict):
            return None
        language = asked.get("language")
        return Transcription(str(asked.get("model", "")), language if isinstance(language, str) else None)

    @property
    def turn_detection(self) -> TurnDetection | None:
        """How turns are found; None: the client commits them."""
        asked = self._input["turn_detection"]
        if not isinstance(asked, dict):
            return None
        if asked["type"] == "semantic_vad":
            vad: Wire = {**_SERVER_VAD, "silence_duration_ms": _SILENCE_MS_BY_EAGERNESS[str(asked["eagerness"])]}
            vad |= {"create_response": asked["create_response"], "interrupt_response": asked["interrupt_response"]}
        else:
            vad = asked
        return TurnDetection(
            threshold=cast(float, vad["threshold"]),
            prefix_padding_ms=cast(int, vad["prefix_padding_ms"]),
            silence_duration_ms=cast(int, vad["silence_duration_ms"]),
            idle_timeout_ms=cast("int | None", vad["idle_timeout_ms"]),
            create_response=cast(bool, vad["create_response"]),
            interrupt_response=cast(bool, vad["interrupt_response"]),
        )

    def for_response(self, overrides: Mapping[str, object], *, voice_is_fixed: bool) -> ResponseSettings:
        """Return what a response is made with. overrides: the checked `response` of a `response.create`."""
        output = dict(self._output)
        audio = overrides.get("audio")
        if isinstance(audio, dict):
            output |= _object(audio.get("output", {}))
        if voice_is_fixed and output["voice"] != self._output["voice"]:
            raise _voice_is_fixed("response.audio.output.voice")
        merged = {**self._session, **overrides}
        longest = merged["max_output_tokens"]
        return ResponseSettings(
            instructions=str(merged["instructions"]),
            tools=_tools(merged["tools"]),
            tool_choice=_tool_choice(merged["tool_choice"]),
            modality="text" if merged["output_modalities"] == ["text"] else "audio",
            output_format=_format(output["format"]),
            wire_format=_object(output["format"]),
            voice=output["voice"],
            speed=float(cast(float, output["speed"])),
            max_output_tokens=longest if isinstance(longest, int) else None,
        )


def _voice_is_fixed(param: str) -> RequestError:
    return RequestError(
        "cannot_update_voice",
        "Cannot update a conversation's voice if assistant audio is present: open a new session for another voice.",
        param,
    )


def _join(session: Wire, changes: Wire, path: tuple[str, ...]) -> None:
    """Write the changes into the session, key by key where `_JOINED` says so."""
    for key, value in changes.items():
        below = (*path, key)
        before = session.get(key)
        if below == ("audio", "input", "turn_detection"):
            session[key] = _turn_detection(before, value)
        elif below in _JOINED and isinstance(value, dict) and isinstance(before, dict):
            _join(before, value, below)
        elif key == "format" and isinstance(value, dict) and value["type"] == "audio/pcm":
            session[key] = {"type": "audio/pcm", "rate": 24_000}
        else:
            session[key] = value


def _turn_detection(before: object, change: object) -> object:
    """Return the turn detection after a change: keys of the same kind stay, another kind begins with its defaults."""
    if not isinstance(change, dict):
        return None
    defaults = _SERVER_VAD if change["type"] == "server_vad" else _SEMANTIC_VAD
    kept = before if isinstance(before, dict) and before["type"] == change["type"] else {}
    return {**defaults, **kept, **change}


def _object(value: object) -> Wire:
    return cast(Wire, value)


def _format(value: object) -> AudioFormat:
    return ULAW_8K if _object(value)["type"] == "audio/pcmu" else PCM16_24K


def _tools(value: object) -> tuple[ToolOffer, ...]:
    return tuple(
        ToolOffer(str(tool["name"]), str(tool.get("description", "")), _object(tool.get("parameters", {})))
        for tool in cast(list[Wire], value)
    )


def _tool_choice(value: object) -> str:
    """Return auto, none, required, or the name of the one tool that is asked for."""
    return str(value["name"]) if isinstance(value, dict) else str(value)
