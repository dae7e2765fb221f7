"""A small real telephone service (starlette, uvicorn, loopback, a free port): it keeps Twilio's contract, or breaks it.

It answers the voice webhook with TwiML, runs what a test gives it on the media socket, and writes down what it was
asked.
"""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

Json = dict[str, object]


@dataclass(slots=True)
class Asked:
    """One HTTP request: form is the pairs as they came, blank values kept."""

    method: str
    url: str
    headers: Mapping[str, str]
    form: list[tuple[str, str]]


@dataclass(slots=True)
class Media:
    """One media socket: what came, and the ways to answer."""

    websocket: WebSocket
    start: Json = field(default_factory=dict)
    received: list[Json] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    closed: bool = False

    @property
    def stream_sid(self) -> str:
        return str(self.start["streamSid"])

    async def send(self, message: Json) -> None:
        await self.websocket.send_text(json.dumps(message))

    async def play(self, ulaw: bytes) -> None:
        payload = base64.b64encode(ulaw).decode()
        await self.send({"event": "media", "streamSid": self.stream_sid, "media": {"payload": payload}})

    async def mark(self, name: str) -> None:
        await self.send({"event": "mark", "streamSid": self.stream_sid, "mark": {"name": name}})

    async def clear(self) -> None:
        await self.send({"event": "clear", "streamSid": self.stream_sid})

    async def until(self, holds: Callable[[], bool], within_s: float = 20) -> None:
        """Wait for what has been received to make `holds` true."""
        async with asyncio.timeout(within_s), self.news:
            await self.news.wait_for(lambda: holds() or self.closed)
        assert holds(), "the stream ended first"

    async def marked(self, name: str) -> None:
        """Wait until this mark has come back."""
        await self.until(lambda: name in self.marks())

    def of(self, event: str) -> list[Json]:
        return [message for message in self.received if message["event"] == event]

    def marks(self) -> list[str]:
        return [str(part(message, "mark")["name"]) for message in self.of("mark")]

    def heard(self) -> bytes:
        """All that the caller has said so far, μ-law."""
        return b"".join(base64.b64decode(str(part(message, "media")["payload"])) for message in self.of("media"))


def part(message: Json, name: str) -> Json:
    value = message[name]
    assert isinstance(value, dict)
    return value


Conversation = Callable[[Media], Awaitable[None]]

STREAM = (
    '<Response><Connect action="/twilio/after">'
    '<Stream url="{media_url}" statusCallback="/twilio/stream-status">'
    '<Parameter name="ticket" value="secret-1"/></Stream></Connect></Response>'
)


async def listen(media: Media) -> None:
    """The agent that never speaks and waits for the caller to leave."""
    await media.until(lambda: bool(media.of("stop")) or media.closed)


@dataclass(slots=True)
class PhoneService:
    """voice, after, redirect: TwiML answers ({media_url} stands for the socket's); conversation: the agent's part."""

    conversation: Conversation = listen
    voice: str = STREAM
    after: str = "<Response><Hangup/></Response>"
    voice_status: int = 200
    content_type: str = "text/xml"
    accept: bool = True
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    streams: list[Media] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def media_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/twilio/media"

    def asked_for(self, path: str) -> list[Asked]:
        return [each for each in self.asked if each.url.partition("?")[0].endswith(path)]

    async def _voice(self, request: Request) -> Response:
        await self._write_down(request)
        body = self.voice.replace("{media_url}", self.media_url)
        return Response(body, self.voice_status, media_type=self.content_type)

    async def _after(self, request: Request) -> Response:
        await self._write_down(request)
        return Response(self.after.replace("{media_url}", self.media_url), media_type="text/xml")

    async def _callback(self, request: Request) -> Response:
        await self._write_down(request)
        return Response(status_code=204)

    async def _moved(self, request: Request) -> Response:
        await self._write_down(request)
        return Response(status_code=307, headers={"location": "/twilio/voice"})

    async def _write_down(self, request: Request) -> None:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        self.asked.append(Asked(request.method, str(request.url), request.headers, pairs))

    async def _media(self, websocket: WebSocket) -> None:
        if not self.accept:
            await websocket.close()
            return
        await websocket.accept()
        media = Media(websocket)
        self.streams.append(media)
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(self._read(media))
            await media.until(lambda: bool(media.start))
            await self.conversation(media)
            if not media.closed:
                await websocket.close()
            await reader

    @staticmethod
    async def _read(media: Media) -> None:
        try:
            while True:
                message = json.loads(await media.websocket.receive_text())
                async with media.news:
                    media.received.append(message)
                    if message["event"] == "start":
                        media.start = message["start"]
                    media.news.notify_all()
        except WebSocketDisconnect:
            pass  # the caller has left
        async with media.news:
            media.closed = True
            media.news.notify_all()


@asynccontextmanager
async def serving(service: PhoneService) -> AsyncIterator[PhoneService]:
    """Serve it on a free port of the loopback until the block ends."""
    app = Starlette(
        routes=[
            Route("/twilio/voice", service._voice, methods=["POST", "GET"]),
            Route("/twilio/after", service._after, methods=["POST", "GET"]),
            Route("/twilio/status", service._callback, methods=["POST"]),
            Route("/twilio/stream-status", service._callback, methods=["POST"]),
            Route("/moved/twilio/voice", service._moved, methods=["POST"]),
            WebSocketRoute("/twilio/media", service._media),
        ]
    )
    listener = socket.create_server(("127.0.0.1", 0))  # listening from here on: who connects early waits
    service.port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="websockets-sansio"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield service
    finally:
        server.should_exit = True
        await task
        listener.close()
