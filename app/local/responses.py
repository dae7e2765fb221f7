"""One response as the client sees it: the order of its events, and its object at every moment.

Nothing here waits or speaks. Whoever makes the response calls `begin`, then says, writes and calls tools, and `finish`
ends it from any point with all the `*.done` events that are still owed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import pybase64

from app.errors import InvariantError
from app.local.conversation import Conversation
from app.local.items import AgentAudio, Item, Message, Text, ToolCall
from app.local.protocol import Emit, Wire, new_id
from app.local.session_settings import ResponseSettings
from app.local.usage import ContextPiece, Usage, agent_audio_tokens, text_tokens, usage_of

ResponseStatus = Literal["in_progress", "completed", "cancelled", "failed", "incomplete"]
_ARGUMENTS_DELTA_CHARS = 12
_TOKENS_A_MINUTE = 1_000_000
"""What `rate_limits.updated` names. This server limits nothing; clients expect a figure."""


@dataclass(slots=True)
class _OpenCall:
    """The tool call that is being written."""

    item: ToolCall
    output_index: int
    previous_item_id: str | None


@dataclass(slots=True)
class _OpenMessage:
    """The message that is being spoken or written. previous_item_id: its place in the conversation."""

    item: Message
    part: AgentAudio | Text
    output_index: int
    previous_item_id: str | None


class Response:
    """One generation, from `response.created` to `response.done`.

    conversation: where its items go; None: out of band, it leaves no trace. context and before: what it was given and
    what the response before it was given, for the usage.
    """

    def __init__(
        self,
        settings: ResponseSettings,
        *,
        emit: Emit,
        conversation: Conversation | None,
        context: Sequence[ContextPiece] = (),
        before: Sequence[ContextPiece] = (),
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        self.id = new_id("resp")
        self.settings = settings
        self.status: ResponseStatus = "in_progress"
        self.is_announced = False
        self._emit = emit
        self._conversation = conversation
        self._context = context
        self._before = before
        self._metadata = metadata
        self._output: list[Item] = []
        self._open: _OpenMessage | None = None
        self._open_call: _OpenCall | None = None
        self._audio_bytes = 0
        self._words: list[str] = []
        self._details: Wire | None = None
        self._usage: Usage | None = None

    @property
    def is_open(self) -> bool:
        return self.status == "in_progress"

    @property
    def is_out_of_band(self) -> bool:
        return self._conversation is None

    @property
    def item_ids(self) -> frozenset[str]:
        """The items that it has begun."""
        return frozenset(item.id for item in self._output)

    @property
    def has_spent_its_tokens(self) -> bool:
        """Whether `max_output_tokens` is reached."""
        longest = self.settings.max_output_tokens
        return longest is not None and self._text_tokens + agent_audio_tokens(self.audio_ms) >= longest

    @property
    def audio_ms(self) -> int:
        """How much audio was given out."""
        return self.settings.output_format.ms_of(self._audio_bytes)

    @property
    def _text_tokens(self) -> int:
        return text_tokens("".join(self._words))

    def wire(self) -> Wire:
        """Return the response object."""
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": self.status,
            "status_details": self._details,
            "output": [item.wire() for item in self._output],
            "conversation_id": self._conversation.id if self._conversation else None,
            "output_modalities": [self.settings.modality],
            "max_output_tokens": self.settings.max_output_tokens or "inf",
            "audio": {"output": {"format": self.settings.wire_format, "voice": self.settings.voice}},
            "metadata": self._metadata,
            "usage": self._usage.wire() if self._usage else None,
        }

    def begin(self) -> None:
        """Announce it."""
        self.is_announced = True
        self._emit({"type": "response.created", "response": self.wire()})

    def open_message(self, phase: str | None = None) -> None:
        """Begin a message of the agent, spoken or written as the settings say. phase: what the message is for."""
        part: AgentAudio | Text
        part = AgentAudio(self.settings.output_format) if self.settings.modality == "audio" else Text("")
        item = Message(new_id("item"), "assistant", [], "in_progress", phase)
        previous = self._add(item)
        self._open = _OpenMessage(item, part, len(self._output) - 1, previous)
        item.parts.append(part)  # only now: the item is announced without content
        empty: Wire = (
            {"type": "audio", "transcript": ""} if isinstance(part, AgentAudio) else {"type": "text", "text": ""}
        )
        self._emit({"type": "response.content_part.added", **self._place(), "part": empty})

    def say(self, words: str, audio: bytes, *, words_bytes: int | None = None) -> None:
        """Give out more of the message: audio in the output format, and the words that begin in it; one may be empty.

        words_bytes: how far from the beginning of this audio the words last; None: as long as it.
        """
        opened = self._opened()
        if isinstance(opened.part, Text):
            opened.part.text += words
            if words:
                self._emit({"type": "response.output_text.delta", **self._place(), "delta": words})
        else:
            opened.part.add(words, len(audio), len(audio) if words_bytes is None else words_bytes)
            self._audio_bytes += len(audio)
            if words:
                self._emit({"type": "response.output_audio_transcript.delta", **self._place(), "delta": words})
            if audio:
                encoded = pybase64.b64encode_as_string(audio)
                self._emit({"type": "response.output_audio.delta", **self._place(), "delta": encoded})
        self._words.append(words)

    def close_message(self, status: Literal["completed", "incomplete"] = "completed") -> None:
        """End the message."""
        opened, place = self._opened(), self._place()
        opened.item.status = status
        if isinstance(opened.part, Text):
            self._emit({"type": "response.output_text.done", **place, "text": opened.part.text})
            part: Wire = {"type": "text", "text": opened.part.text}
        else:
            words = opened.part.transcript
            self._emit({"type": "response.output_audio.done", **place})
            self._emit({"type": "response.output_audio_transcript.done", **place, "transcript": words})
            part = {"type": "audio", "transcript": words}
        self._emit({"type": "response.content_part.done", **place, "part": part})
        self._open = None
        self._close(opened.item, opened.output_index, opened.previous_item_id)

    def call_tool(self, name: str, arguments: Mapping[str, object]) -> None:
        """Ask the client to run a tool."""
        written = msgspec.json.encode(arguments).decode()
        self.open_call(name)
        for begin in range(0, len(written), _ARGUMENTS_DELTA_CHARS):
            self.write_arguments(written[begin : begin + _ARGUMENTS_DELTA_CHARS])
        self.close_call()

    def open_call(self, name: str) -> None:
        """Begin a tool call, whose arguments follow."""
        item = ToolCall(new_id("item"), new_id("call"), name, "", "in_progress")
        previous = self._add(item)
        self._open_call = _OpenCall(item, len(self._output) - 1, previous)
        self._words.append(name)

    def write_arguments(self, delta: str) -> None:
        """Give out more of the call's arguments, which are JSON when all is written."""
        opened = self._opened_call()
        opened.item.arguments += delta
        self._words.append(delta)
        self._emit({"type": "response.function_call_arguments.delta", **self._call_place(), "delta": delta})

    def close_call(self, status: Literal["completed", "incomplete"] = "completed") -> None:
        """End the call; only a completed one is to be run."""
        opened = self._opened_call()
        item = opened.item
        item.status = status
        written: Wire = {"name": item.name, "arguments": item.arguments}
        self._emit({"type": "response.function_call_arguments.done", **self._call_place(), **written})
        self._open_call = None
        self._close(item, opened.output_index, opened.previous_item_id)

    def finish(
        self,
        status: Literal["completed", "cancelled", "failed", "incomplete"],
        *,
        reason: str | None = None,
        error: Wire | None = None,
    ) -> None:
        """End the response, whatever it is doing; what is under way is left incomplete unless all went well."""
        if self._open_call is not None:
            self.close_call("completed" if status == "completed" else "incomplete")
        if self._open is not None:
            self.close_message("completed" if status == "completed" else "incomplete")
        self.status = status
        if status == "failed":
            self._details = {"type": "failed", "error": error}
            self._usage = Usage()
        else:
            self._details = {"type": status, "reason": reason} if reason else None
            self._usage = usage_of(
                self._context,
                self._before,
                output_text=self._text_tokens,
                output_audio=agent_audio_tokens(self.audio_ms),
                longest=self.settings.max_output_tokens,
            )
        self._emit({"type": "response.done", "response": self.wire()})
        left = max(0, _TOKENS_A_MINUTE - self._usage.total)
        limit = {"name": "tokens", "limit": _TOKENS_A_MINUTE, "remaining": left, "reset_seconds": 0.0}
        self._emit({"type": "rate_limits.updated", "rate_limits": [limit]})

    def _opened(self) -> _OpenMessage:
        if self._open is None:
            raise InvariantError(f"response {self.id} speaks without an open message")
        return self._open

    def _opened_call(self) -> _OpenCall:
        if self._open_call is None:
            raise InvariantError(f"response {self.id} writes arguments without an open call")
        return self._open_call

    def _call_place(self) -> Wire:
        opened = self._opened_call()
        return {
            "response_id": self.id,
            "item_id": opened.item.id,
            "output_index": opened.output_index,
            "call_id": opened.item.call_id,
        }

    def _place(self) -> Wire:
        opened = self._opened()
        return {
            "response_id": self.id,
            "item_id": opened.item.id,
            "output_index": opened.output_index,
            "content_index": 0,
        }

    def _add(self, item: Item) -> str | None:
        self._output.append(item)
        index = len(self._output) - 1
        self._emit(
            {
                "type": "response.output_item.added",
                "response_id": self.id,
                "output_index": index,
                "item": item.wire(),
            }
        )
        if self._conversation is None:
            return None
        previous = self._conversation.add(item)
        self._emit({"type": "conversation.item.added", "previous_item_id": previous, "item": item.wire()})
        return previous

    def _close(self, item: Item, output_index: int, previous_item_id: str | None) -> None:
        if self._conversation is not None:
            self._emit({"type": "conversation.item.done", "previous_item_id": previous_item_id, "item": item.wire()})
        self._emit(
            {
                "type": "response.output_item.done",
                "response_id": self.id,
                "output_index": output_index,
                "item": item.wire(),
            }
        )
