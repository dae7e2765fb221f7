"""The pieces of a conversation: messages of the three roles, tool calls and their outputs.

Each can write itself for the wire, say what the dialogue reads in it, and count itself as context.
"""

import binascii
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast

import pybase64

from app.audio.formats import ULAW_8K, AudioFormat
from app.audio.transcoder import Uplink
from app.local.dialogue import (
    AgentSaid,
    CallerSaid,
    CallerSilent,
    CallerWrote,
    Entry,
    SystemSaid,
    ToolAnswered,
    ToolCalled,
)
from app.local.protocol import Wire, new_id
from app.local.shapes import RequestError
from app.local.usage import ContextPiece, agent_audio_tokens, caller_audio_tokens, text_tokens

Status = Literal["in_progress", "completed", "incomplete"]
Role = Literal["system", "user", "assistant"]


@dataclass(slots=True)
class Text:
    """Words that were written, by whoever the message is from."""

    text: str


@dataclass(slots=True)
class CallerAudio:
    """A spoken turn. Its sound is gone once it was listened to; transcript: None until then, or not understood.

    is_silence: nobody began to speak in it.
    """

    duration_ms: int
    transcript: str | None = None
    is_silence: bool = False


@dataclass(slots=True)
class AgentAudio:
    """What the agent spoke: the words beside the audio that carries them, so that a cut in one cuts the other."""

    format: AudioFormat
    size_bytes: int = 0
    is_truncated: bool = False
    _pieces: list[tuple[str, int]] = field(default_factory=list)  # words, and the byte at which they end

    @property
    def duration_ms(self) -> int:
        return self.format.ms_of(self.size_bytes)

    @property
    def transcript(self) -> str:
        """The words that are left."""
        return "".join(words for words, _ in self._pieces)

    def add(self, words: str, size_bytes: int, words_bytes: int) -> None:
        """Take in more audio, and the words that begin in it. Nothing is added behind a cut.

        words_bytes: how far, from the beginning of this audio, the words last; a long one goes beyond it.
        """
        if not self.is_truncated:
            if words:
                self._pieces.append((words, self.size_bytes + words_bytes))
            self.size_bytes += size_bytes

    def truncate(self, audio_end_ms: int) -> None:
        """Leave the first milliseconds, and the words that are left by half or more."""
        self.is_truncated = True
        self.size_bytes = min(self.size_bytes, self.format.bytes_of(audio_end_ms))
        left: list[tuple[str, int]] = []
        begin = 0
        for words, end in self._pieces:
            if (begin + end) / 2 <= self.size_bytes:
                left.append((words, end))
            begin = end
        self._pieces = left


Part: TypeAlias = Text | CallerAudio | AgentAudio


@dataclass(slots=True)
class Message:
    """Something said or written. phase: what the agent says it for; None: it does not tell."""

    id: str
    role: Role
    parts: list[Part]
    status: Status = "completed"
    phase: str | None = None

    def wire(self) -> Wire:
        wire: Wire = {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "status": self.status,
            "role": self.role,
            "content": [self._part(part) for part in self.parts],
        }
        return wire if self.phase is None else {**wire, "phase": self.phase}

    def _part(self, part: Part) -> Wire:
        match part:
            case Text(text):
                return {"type": "output_text" if self.role == "assistant" else "input_text", "text": text}
            case CallerAudio():
                return {"type": "input_audio", "transcript": part.transcript}
            case AgentAudio():  # a cut takes the transcript with it
                return {"type": "output_audio", "transcript": None if part.is_truncated else part.transcript}

    def entries(self) -> list[Entry]:
        """Return what the dialogue reads here; of the agent's speech only what is left after a cut."""
        entries: list[Entry] = []
        for part in self.parts:
            match part, self.role:
                case CallerAudio(), _ if part.is_silence and not part.transcript:
                    entries.append(CallerSilent())
                case CallerAudio(), _:
                    entries.append(CallerSaid(part.transcript or None))
                case Text(text), "user":
                    entries.append(CallerWrote(text))
                case Text(text), "system":
                    entries.append(SystemSaid(text))
                case Text(text), _:
                    entries.append(AgentSaid(text))
                case AgentAudio(), _ if words := part.transcript.strip():
                    entries.append(AgentSaid(words))
        return entries

    def context_piece(self) -> ContextPiece:
        text = audio = 0
        for part in self.parts:
            match part:
                case Text(words):
                    text += text_tokens(words)
                case CallerAudio():
                    audio += caller_audio_tokens(part.duration_ms)
                case AgentAudio():
                    text += text_tokens(part.transcript)
                    audio += agent_audio_tokens(part.duration_ms)
        return ContextPiece(self.id, text, audio)


@dataclass(slots=True)
class ToolCall:
    """A tool that the agent wants run; arguments: JSON as text."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: Status = "completed"

    def wire(self) -> Wire:
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "function_call",
            "status": self.status,
            "call_id": self.call_id,
            "name": self.name,
            "arguments": self.arguments,
        }

    def entries(self) -> list[Entry]:
        return [ToolCalled(self.call_id, self.name, self.arguments)]

    def context_piece(self) -> ContextPiece:
        return ContextPiece(self.id, text_tokens(self.name) + text_tokens(self.arguments), 0)


@dataclass(slots=True)
class ToolOutput:
    """What a tool gave back."""

    id: str
    call_id: str
    output: str
    status: Status = "completed"

    def wire(self) -> Wire:
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "function_call_output",
            "status": self.status,
            "call_id": self.call_id,
            "output": self.output,
        }

    def entries(self) -> list[Entry]:
        return [ToolAnswered(self.call_id, self.output)]

    def context_piece(self) -> ContextPiece:
        return ContextPiece(self.id, text_tokens(self.output), 0)


Item: TypeAlias = Message | ToolCall | ToolOutput


@dataclass(frozen=True, slots=True)
class Unheard:
    """Audio that came with an item and is still to be listened to: PCM16 at 24 kHz."""

    part: CallerAudio
    content_index: int
    pcm: bytes


def decode_audio(encoded: str, param: str) -> bytes:
    """Return the bytes of base64 audio, or raise RequestError."""
    try:
        return pybase64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError("invalid_value", f"Invalid '{param}': it is not valid base64 ({error}).", param) from error


def item_from_wire(wire: Wire, input_format: AudioFormat) -> tuple[Item, list[Unheard]]:
    """Return the item that a client wrote, complete, and what of it is still to be listened to.

    wire: checked against `requests.ITEM`. Raises RequestError for audio that is not base64.
    """
    item_id = str(wire.get("id") or new_id("item"))
    if wire["type"] == "function_call":
        call_id = str(wire.get("call_id") or new_id("call"))
        return ToolCall(item_id, call_id, str(wire["name"]), str(wire["arguments"])), []
    if wire["type"] == "function_call_output":
        return ToolOutput(item_id, str(wire["call_id"]), str(wire["output"])), []
    parts: list[Part] = []
    unheard: list[Unheard] = []
    for index, content in enumerate(cast(list[Wire], wire["content"])):
        if content["type"] != "input_audio":
            parts.append(Text(str(content["text"])))
            continue
        audio = decode_audio(str(content.get("audio") or ""), f"item.content[{index}].audio")
        transcript = content.get("transcript")
        part = CallerAudio(input_format.ms_of(len(audio)), transcript if isinstance(transcript, str) else None)
        parts.append(part)
        if audio and part.transcript is None:
            pcm = Uplink().push(audio) if input_format == ULAW_8K else audio[: len(audio) & ~1]
            unheard.append(Unheard(part, index, pcm))
    return Message(item_id, cast(Role, wire["role"]), parts), unheard
