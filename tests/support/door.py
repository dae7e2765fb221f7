"""A door on a real server at a free port: real HTTP, real WebSockets, and a call behind it that the test plays."""

import asyncio
import json
import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar
from xml.etree import ElementTree

import httpx
import uvicorn
import uvloop
import websockets
from starlette.applications import Starlette
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator

from app.agents.schema import AgentFile
from app.bridge.incoming import IncomingCall
from app.ingress.admission import Admission
from app.ingress.door import Door, Readiness
from app.ingress.routes import routes
from app.ingress.signature import PublicUrl, Signatures
from app.session.commands import HangUp, TransferCall
from app.session.events import Event
from app.stream.direct import DirectProtocol
from app.stream.leg import StreamLeg

TOKEN = "12345"
ACCOUNT = "AC" + "0" * 32
CALL = "CA" + "1" * 32
STREAM = "MZ" + "2" * 32

AGENT = AgentFile.model_validate(
    {
        "agent": "acme-orders",
        "phone_numbers": ["+15550100"],
        "prompt": "Be brief.",
        "disclosure": {"text": "You are speaking with an automated AI assistant."},
    }
)
KOREAN_AGENT = AgentFile.model_validate(
    {
        "agent": "acme-korea",
        "phone_numbers": ["+15550101"],
        "language": "ko-KR",
        "prompt": "Be brief.",
        "disclosure": {"text": "지금 인공지능 상담원과 통화하고 계십니다."},
    }
)

FRAME = b64encode(b"\xff" * 160).decode()
"""20 ms of silence."""

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody, and costs nothing: reading the usual certificates takes longer than a test."""

Result = TypeVar("Result")


@dataclass(slots=True)
class House:
    """What stands behind the door under test: the test sets what it answers, and reads what it was told."""

    events: list[Event] = field(default_factory=list)
    calls: list[IncomingCall] = field(default_factory=list)
    legs: list[StreamLeg] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    last_words: dict[str, HangUp | TransferCall] = field(default_factory=dict)
    was_on: set[str] = field(default_factory=set)
    readiness: Readiness = field(default_factory=lambda: Readiness(ok=True))
    is_rendered: bool = True
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    on_event: Callable[[StreamLeg, Event], None] = lambda leg, event: None
    live: set[str] = field(default_factory=set)

    async def run_call(self, call: IncomingCall, leg: StreamLeg) -> None:
        self.calls.append(call)
        self.legs.append(leg)
        self.live.add(call.call_sid)
        self._wake()

        def report(event: Event) -> None:
            self.events.append(event)
            self.on_event(leg, event)
            self._wake()

        try:
            await leg.run(report)
        finally:
            self.live.discard(call.call_sid)
            self._wake()

    def refused(self, reason: str) -> None:
        self.refusals.append(reason)
        self._wake()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return when it is so; asked again at everything that happens."""
        async with asyncio.timeout(10), self.news:
            await self.news.wait_for(is_so)

    def _wake(self) -> None:
        async def notify() -> None:
            async with self.news:
                self.news.notify_all()

        task = asyncio.get_running_loop().create_task(notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    _tasks: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(slots=True)
class Twilio:
    """The other side: signs, posts, opens sockets."""

    client: httpx.AsyncClient
    house: House
    door: Door
    port: int
    stop: Callable[[], Awaitable[None]]
    """Has the server stop as uvicorn does by itself."""
    token: str | None = TOKEN

    def sign(self, url: str, pairs: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
        if self.token is None:
            return {}
        signature = RequestValidator(self.token).compute_signature(url, form_of(pairs))
        return {"X-Twilio-Signature": signature}

    async def post(self, path: str, **fields: str) -> httpx.Response:
        pairs = {"CallSid": CALL, "AccountSid": ACCOUNT, "To": "+15550100", "From": "+15550199"} | fields
        headers = self.sign(self.door.public_url.page(path), pairs.items())
        return await self.client.post(path, data=pairs, headers=headers)

    async def ticket(self, call_sid: str = CALL) -> str:
        """Let a call in at the webhook, and return its stream's ticket."""
        response = await self.post("/twilio/voice", CallSid=call_sid)
        return parameters_of(response.text)["ticket"]

    def socket(self, *, signed: bool = True, **options: object) -> websockets.connect:
        headers = self.sign(self.door.public_url.socket("/twilio/media")) if signed else {}
        return websockets.connect(
            f"ws://127.0.0.1:{self.port}/twilio/media",
            additional_headers=headers,
            compression=None,
            proxy=None,
            **options,  # type: ignore[arg-type]  # each is one of connect's own
        )


def form_of(pairs: Iterable[tuple[str, str]]) -> FormData:
    """Return a form as starlette reads it, blank values and repeated names included."""
    return FormData([*pairs])


def parameters_of(twiml: str) -> dict[str, str]:
    """Return the stream's parameters in a TwiML document."""
    return {one.attrib["name"]: one.attrib["value"] for one in ElementTree.fromstring(twiml).iter("Parameter")}  # noqa: S314 - our own document


def connected() -> str:
    return '{"event":"connected","protocol":"Call","version":"1.0.0"}'


def start(ticket: str, call_sid: str = CALL, changes: Mapping[str, object] | None = None) -> str:
    body: dict[str, object] = {
        "streamSid": STREAM,
        "accountSid": ACCOUNT,
        "callSid": call_sid,
        "tracks": ["inbound"],
        "customParameters": {"ticket": ticket},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }
    return json.dumps(
        {"event": "start", "sequenceNumber": "1", "streamSid": STREAM, "start": body | dict(changes or {})}
    )


def media(number: int, payload: str = FRAME, track: str = "inbound") -> str:
    body = {"track": track, "chunk": str(number - 1), "timestamp": str(20 * (number - 2)), "payload": payload}
    return json.dumps({"event": "media", "sequenceNumber": str(number), "streamSid": STREAM, "media": body})


def said(event: str, number: int, body: Mapping[str, str]) -> str:
    """Return a message with a body of its own name: dtmf, mark, stop."""
    return json.dumps({"event": event, "sequenceNumber": str(number), "streamSid": STREAM, event: body})


@asynccontextmanager
async def served(*, ws: type[asyncio.Protocol] | str = DirectProtocol, **changes: object) -> AsyncIterator[Twilio]:
    """Serve a door on a loopback port. ws: uvicorn's WebSocket protocol; changes: of the Door."""
    house, numbers = House(), count(1)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    agents = {number: agent for agent in (AGENT, KOREAN_AGENT) for number in agent.phone_numbers}
    door = Door(
        public_url=PublicUrl.parse("https://voice.example.com"),
        signatures=Signatures(TOKEN),
        account_sid=ACCOUNT,
        admission=Admission(max_calls=2, new_token=lambda: f"ticket-{next(numbers)}"),
        agent_for=agents.get,
        disclosure_is_rendered=lambda agent: house.is_rendered,
        run_call=house.run_call,
        has_stream=house.live.__contains__,
        last_word=house.last_words.get,
        was_on=house.was_on.__contains__,
        call_completed=house.completed.append,
        readiness=lambda: house.readiness,
        metrics=lambda: b"calls 1\n",
        refused=house.refused,
    )
    door = replace(door, **changes)  # type: ignore[arg-type]  # each is one of Door's own
    config = uvicorn.Config(
        Starlette(routes=routes(door)),
        ws=ws,
        lifespan="off",
        log_config=None,
        proxy_headers=False,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])

    async def stop() -> None:
        if server.servers:
            await server.shutdown(sockets=[listener])
            server.servers = []

    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=NO_TLS) as client:
            yield Twilio(client, house, door, port, stop)
    finally:
        await stop()


def run(scenario: Coroutine[object, object, Result], *, fast_loop: bool = False) -> Result:
    """Run a scenario to its end, at most 20 s. fast_loop: on uvloop, as the service does."""

    async def bounded() -> Result:
        async with asyncio.timeout(20):
            return await scenario

    factory = uvloop.new_event_loop if fast_loop else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(bounded())
