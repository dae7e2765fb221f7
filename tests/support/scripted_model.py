"""A scripted model on a real loopback socket, and a client that keeps every event it is sent.

async with scripted(SCRIPT) as model, model.client() as client:
    await client.ask()                          # response.create
    await client.until("response.done")
    assert client.types(since) == [...]
"""

import asyncio
import base64
import json
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.audio.formats import PCM16_24K
from app.local.faculties import Faculties
from app.local.script import parse
from app.local.script_steps import Script
from app.local.server import RealtimeServer
from tests.support.local_session import LoudnessDetector, ScriptedEars, SteadyMouth
from tests.support.realtime_schema import SERVER_TYPES, client_faults, server_faults

Event = dict[str, object]
PATIENCE_S = 30.0


class Client:
    """A client of one session. events: what it was sent, in order; known ones are held against the vendor's schema."""

    def __init__(self, socket: ClientConnection) -> None:
        self.events: list[Event] = []
        self._socket = socket
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code

    @property
    def close_reason(self) -> str | None:
        return self._socket.close_reason

    async def send(self, kind: str, /, **fields: object) -> None:
        event = {"type": kind, **fields}
        assert not client_faults(event), client_faults(event)
        await self._socket.send(json.dumps(event))

    async def ask(self, **response: object) -> None:
        """Ask for a response."""
        await self.send("response.create", **({"response": response} if response else {}))

    async def append(self, pcm: bytes) -> None:
        """Append audio, PCM16 at 24 kHz, 100 ms at a time."""
        size = PCM16_24K.bytes_of(100)
        for begin in range(0, len(pcm), size):
            encoded = base64.b64encode(pcm[begin : begin + size]).decode()
            await self.send("input_audio_buffer.append", audio=encoded)

    async def update(self, **session: object) -> None:
        """Change the session; when this returns, all that was sent before has been taken in."""
        count = len(self.of("session.updated"))
        await self.send("session.update", session={"type": "realtime", **session})
        await self.until("session.updated", count + 1)

    async def set_turns(self, **detection: object) -> None:
        """Change the server's voice activity detection; transcription is on."""
        audio = {"transcription": {"model": "whisper-1"}, "turn_detection": {"type": "server_vad", **detection}}
        await self.update(audio={"input": audio})

    async def until(self, kind: str, count: int = 1) -> Event:
        """Return the `count`-th event of this type, when it is there."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: len(self.of(kind)) >= count or self._reading.done())
        found = self.of(kind)
        assert len(found) >= count, f"the connection ended without {kind}; came: {self.types()}"
        return found[count - 1]

    async def news(self) -> None:
        """Return when anything has come."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: bool(self.events))

    async def done(self, count: int = 1) -> Mapping[str, object]:
        """Return the `count`-th response that is over, when what follows it is there too."""
        await self.until("rate_limits.updated", count)
        return response_in(self.of("response.done")[count - 1])

    async def closed(self) -> tuple[int | None, str | None]:
        """Return the close code and its reason, when the connection is over."""
        async with asyncio.timeout(PATIENCE_S):
            await self._reading
        return self._socket.close_code, self._socket.close_reason

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]

    def types(self, since: int = 0) -> list[str]:
        """Return the types of the events from the `since`-th on, runs of the same one as one."""
        types: list[str] = []
        for event in self.events[since:]:
            kind = str(event["type"])
            if types[-1:] != [kind]:
                types.append(kind)
        return types

    def audio(self, item_id: object = None) -> bytes:
        """Return the audio of all deltas, or of one item's."""
        deltas = self.of("response.output_audio.delta")
        return b"".join(base64.b64decode(str(one["delta"])) for one in deltas if item_id in (None, one["item_id"]))

    def errors(self) -> list[Mapping[str, object]]:
        return [cast("Mapping[str, object]", event["error"]) for event in self.of("error")]

    async def leave(self) -> None:
        await self._socket.close()
        await self._reading

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                event: Event = json.loads(message)
                if event["type"] in SERVER_TYPES:
                    assert not server_faults(event), server_faults(event)
                async with self._news:
                    self.events.append(event)
                    self._news.notify_all()
        except ConnectionClosed:
            pass  # how it ended is in close_code
        finally:
            async with self._news:
                self._news.notify_all()


class Model:
    """The server. mouth: speaks 50 ms a character; ears: hear what is put on their script."""

    def __init__(self, script: Script) -> None:
        self.mouth = SteadyMouth()
        self.ears = ScriptedEars()
        faculties = Faculties(self.ears, self.mouth, new_detector=LoudnessDetector, speed=math.inf)
        self.server = RealtimeServer(faculties, script=script)

    @asynccontextmanager
    async def client(self, *, greeted: bool = True) -> AsyncIterator[Client]:
        """Open a session that has been greeted. greeted: False: or not; its first event is there."""
        headers = {"Authorization": "Bearer any"}
        async with connect(
            f"{self.server.url}?model=any", additional_headers=headers, proxy=None, max_size=None
        ) as socket:
            client = Client(socket)
            try:
                await (client.until("session.created") if greeted else client.news())
                yield client
            finally:
                await client.leave()


@asynccontextmanager
async def scripted(text: str, path: Path = Path("script.yaml")) -> AsyncIterator[Model]:
    """Serve a script; nothing goes on behind the closed server."""
    before = asyncio.all_tasks()
    model = Model(parse(text, path))
    async with model.server:
        yield model
    assert asyncio.all_tasks() == before, "something goes on behind a closed server"


def response_in(event: Event) -> Mapping[str, object]:
    """Return the response object of an event."""
    return cast("Mapping[str, object]", event["response"])


def item_in(event: Event) -> Mapping[str, object]:
    """Return the item of an event."""
    return cast("Mapping[str, object]", event["item"])


def output_of(response: Mapping[str, object]) -> list[Event]:
    """Return the items of a response object."""
    return cast("list[Event]", response["output"])


def words_of(item: Mapping[str, object]) -> object:
    """Return the transcript of a spoken item."""
    (part,) = cast("list[Event]", item["content"])
    return part["transcript"]
