"""Somebody who calls the embedded model over its socket: speaks at their own pace in audio time, and listens.

The audio is sent as fast as the server takes it. Its voice detection counts audio, not moments, so a call of twenty
seconds takes one or two.
"""

import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from websockets.asyncio.client import ClientConnection, connect

from app.audio.formats import PCM16_24K
from tests.support.realtime_schema import client_faults, server_faults

Event = dict[str, object]

LOOKUP_ORDER: Event = {
    "type": "function",
    "name": "lookup_order",
    "description": "Find an order by its number and give its status and its expected day of arrival.",
    "parameters": {
        "type": "object",
        "properties": {
            "order_number": {
                "type": "string",
                "description": "The order number, four digits.",
                "pattern": "^[0-9]{4}$",
            }
        },
        "required": ["order_number"],
    },
}
INSTRUCTIONS = (
    "You answer the telephone for Acme, a mail-order shop.\n"
    "Callers want to know where their order is and when it arrives. Ask for the order number, read it back, look it up "
    "with lookup_order, and say its status and the expected day of arrival.\n"
    "Be brief and friendly: one or two short sentences at a time. Say numbers digit by digit."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent said and did in one response."""

    status: str
    said: str
    calls: tuple[Mapping[str, str], ...]
    audio_ms: int


@dataclass(slots=True)
class Caller:
    """One call. heard: what the model made of the turns, in order; None: not understood."""

    socket: ClientConnection
    heard: list[str | None] = field(default_factory=list)
    _asked: str | None = None
    _audio_bytes: Counter[str] = field(default_factory=Counter)

    async def send(self, kind: str, /, **fields: object) -> None:
        event = {"type": kind, **fields}
        assert not client_faults(event), client_faults(event)
        await self.socket.send(json.dumps(event))

    async def receive(self) -> Event:
        event = cast(Event, json.loads(await self.socket.recv()))
        if not str(event["type"]).endswith(".delta"):  # there are hundreds, all alike
            assert not server_faults(event), server_faults(event)
        match event:
            case {"type": "conversation.item.input_audio_transcription.completed", "transcript": str(transcript)}:
                self.heard.append(transcript)
            case {"type": "conversation.item.input_audio_transcription.failed"}:
                self.heard.append(None)
            case {"type": "response.created", "response": {"id": str(response_id)}}:
                self._asked = response_id
            case {"type": "response.output_audio.delta", "response_id": str(response_id), "delta": str(delta)}:
                self._audio_bytes[response_id] += len(base64.b64decode(delta))
            case {"type": "error"}:
                raise AssertionError(event["error"])
        return event

    async def update(self, **session: object) -> None:
        """Change the session and wait until it holds."""
        await self.send("session.update", session={"type": "realtime", **session})
        while (await self.receive())["type"] != "session.updated":
            pass

    async def speak(self, pcm: bytes) -> Answer:
        """Send a turn (PCM16, 24 kHz, with the silence that ends it) and return the answer to the whole of it.

        Where the model takes it for two turns, that is the answer behind the second.
        """
        self._asked = None
        size = PCM16_24K.bytes_of(100)
        for begin in range(0, len(pcm), size):
            encoded = base64.b64encode(pcm[begin : begin + size]).decode()
            await self.socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": encoded}))
        await self.update()  # it is answered in its turn: whatever the audio called for was begun before
        return await self._answer()

    async def ask(self) -> Answer:
        """Have the agent speak without a turn of the caller."""
        self._asked = None
        await self.send("response.create")
        await self.update()
        return await self._answer()

    async def give_output(self, call: Mapping[str, str], output: object) -> Answer:
        """Answer a tool call and return what the agent makes of it."""
        item = {"type": "function_call_output", "call_id": call["call_id"], "output": json.dumps(output)}
        await self.send("conversation.item.create", item=item)
        return await self.ask()

    async def _answer(self) -> Answer:
        assert self._asked is not None, "the turn was not noticed"
        while True:
            match await self.receive():
                case {
                    "type": "response.done",
                    "response": {"id": self._asked, "status": str(status), "output": output},
                }:
                    return self._read(status, cast(Sequence[Mapping[str, object]], output))

    def _read(self, status: str, output: Sequence[Mapping[str, object]]) -> Answer:
        assert self._asked is not None
        parts = [part for item in output for part in cast(Sequence[Mapping[str, str]], item.get("content", ()))]
        calls = tuple(cast(Mapping[str, str], item) for item in output if item["type"] == "function_call")
        audio_ms = PCM16_24K.ms_of(self._audio_bytes[self._asked])
        return Answer(status, " ".join(part["transcript"] for part in parts), calls, audio_ms)


@asynccontextmanager
async def call(url: str, **session: object) -> AsyncIterator[Caller]:
    """Open a session that is set up as a telephone agent's."""
    key = {"Authorization": "Bearer any"}
    async with connect(f"{url}?model=any", additional_headers=key, proxy=None, max_size=None) as socket:
        caller = Caller(socket)
        assert (await caller.receive())["type"] == "session.created"
        detection = {"type": "server_vad", "silence_duration_ms": 500}
        listening = {"transcription": {"model": "any", "language": "en"}, "turn_detection": detection}
        await caller.update(
            **{"instructions": INSTRUCTIONS, "tools": [LOOKUP_ORDER], "audio": {"input": listening}, **session}
        )
        yield caller
