"""The socket under any ASGI server, against a server that the test plays."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from app.stream.outbox import OutboxSocket
from app.stream.receiver import STALLED_BYTES


@dataclass
class Noted:
    told: list[object] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    mistake: Exception | None = None

    def receive_text(self, text: bytes) -> None:
        if self.mistake is not None:
            raise self.mistake
        self._note(text)

    def receive_binary(self, size_bytes: int) -> None:
        self._note(("binary", size_bytes))

    def stalled(self) -> None:
        self._note("stalled")

    def gone(self, *, by_us: bool) -> None:
        self._note(("gone", by_us))

    def _note(self, what: object) -> None:
        self.told.append(what)
        self.news.set()

    async def next(self) -> object:
        async with asyncio.timeout(5):
            while not self.told:
                self.news.clear()
                await self.news.wait()
        return self.told.pop(0)


@dataclass
class Server:
    """Plays the server's half of ASGI."""

    inbound: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    sent: list[Message] = field(default_factory=list)
    may_send: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Exception | None = None

    async def receive(self) -> Message:
        return await self.inbound.get()

    async def send(self, message: Message) -> None:
        if message["type"] != "websocket.accept":
            await self.may_send.wait()
            if self.fault is not None:
                raise self.fault
        self.sent.append(message)

    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if message["type"] == "websocket.send"]

    def says(self, kind: str, **fields: object) -> None:
        self.inbound.put_nowait({"type": f"websocket.{kind}", **fields})


def play(scenario: Callable[[Server, OutboxSocket, Noted], Awaitable[None]], *, free: bool = True) -> Server:
    """Play a scenario on an accepted socket. free: whether the peer takes what is sent."""

    async def whole() -> Server:
        server, noted = Server(), Noted()
        if free:
            server.may_send.set()
        websocket = WebSocket({"type": "websocket"}, server.receive, server.send)
        server.says("connect")
        await websocket.accept()
        async with asyncio.timeout(10), OutboxSocket(websocket) as socket:
            socket.attach(noted)
            await scenario(server, socket, noted)
        assert len(asyncio.all_tasks()) == 1
        return server

    return asyncio.run(whole())


def test_messages_are_told_in_order() -> None:
    async def scenario(server: Server, socket: OutboxSocket, noted: Noted) -> None:
        server.says("receive", text="안녕")
        server.says("receive", bytes=b"x")
        server.says("receive", bytes=None, text="b")
        server.says("disconnect", code=1000)
        assert [await noted.next() for _ in range(4)] == ["안녕".encode(), ("binary", 1), b"b", ("gone", False)]

    play(scenario)


def test_what_waits_is_sent_before_the_close() -> None:
    async def scenario(server: Server, socket: OutboxSocket, noted: Noted) -> None:
        for number in range(50):
            socket.send_texts(b"%d" % number)
        socket.close(1008, "ticket")
        socket.close(1000)
        socket.send_texts(b"late")

    server = play(scenario)
    assert server.texts() == [str(number) for number in range(50)]
    assert server.sent[-1] == {"type": "websocket.close", "code": 1008, "reason": "ticket"}


def test_leaving_closes_with_1000() -> None:
    async def scenario(server: Server, socket: OutboxSocket, noted: Noted) -> None:
        pass

    assert play(scenario).sent[-1] == {"type": "websocket.close", "code": 1000, "reason": ""}


def test_nothing_is_told_behind_a_close() -> None:
    async def scenario(server: Server, socket: OutboxSocket, noted: Noted) -> None:
        server.says("receive", text="in time")
        assert await noted.next() == b"in time"
        socket.close(1000)
        server.says("receive", text="late")
        for _ in range(3):
            await asyncio.sleep(0)
        assert server.inbound.empty()
        assert noted.told == []

    play(scenario)


def test_the_servers_own_end_is_ours() -> None:
    async def scenario(server: Server, socket: OutboxSocket, noted: Noted) -> None:
        server.says("disconnect", code=1012)
        assert await noted.next() == ("gone", True)

    play(scenario)


@pytest.mark.parametrize("fault", [OSError("gone"), RuntimeError("Unexpected ASGI message, after sending close")])
def test_a_peer_that_is_found_gone_while_sending_is_told_once(fault: Exception) -> None:
    async def scenario(server: Server, socket: OutboxSocket, noted: Noted) -> None:
        server.fault = fault
        socket.send_texts(b"a")
        assert await noted.next() == ("gone", False)
        socket.send_texts(b"b")
        server.says("disconnect", code=1006)
        await asyncio.sleep(0)
        assert noted.told == []

    assert play(scenario).texts() == []


def test_a_peer_that_stops_reading_is_told() -> None:
    async def scenario(server: Server, socket: OutboxSocket, noted: Noted) -> None:
        socket.send_texts(b"x" * STALLED_BYTES)
        assert noted.told == []
        socket.send_texts(b"x")
        assert await noted.next() == "stalled"
        server.says("disconnect", code=1006)
        assert await noted.next() == ("gone", False)

    assert play(scenario, free=False).texts() == []


def test_a_mistake_of_ours_ends_the_stream_loudly() -> None:
    async def scenario(server: Server, socket: OutboxSocket, noted: Noted) -> None:
        noted.mistake = KeyError("ours")
        server.says("receive", text="a")
        assert await noted.next() == ("gone", False)

    with pytest.raises(KeyError, match="ours"):
        play(scenario)
