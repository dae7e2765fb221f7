"""The straight way through uvicorn's protocol gives what the library's own way gives, whatever the bytes look like."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from app.stream.direct import EXTENSION, DirectProtocol
from app.stream.receiver import MAX_MESSAGE_BYTES, STALLED_BYTES

HANDSHAKE = (
    b"GET /twilio/media HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class NotedTransport(asyncio.Transport):
    """Notes what is written, and what its protocol asks of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.writes = 0
        self.high_bytes: int | None = None
        self.is_closed = False
        self.is_aborted = False

    def write(self, data: "bytes | bytearray | memoryview[int]") -> None:
        self.written += bytes(data)
        self.writes += 1

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high_bytes = high


@dataclass
class Noted:
    """A receiver that notes what it is told."""

    told: list[object] = field(default_factory=list)

    def receive_text(self, text: bytes) -> None:
        self.told.append(bytes(text))

    def receive_binary(self, size_bytes: int) -> None:
        self.told.append(("binary", size_bytes))

    def stalled(self) -> None:
        self.told.append("stalled")

    def gone(self, *, by_us: bool) -> None:
        self.told.append(("gone", by_us))


class Bench:
    """One protocol object on a noted transport, its handshake done and accepted."""

    def __init__(self, *, attached: bool = True) -> None:
        self.loop = asyncio.new_event_loop()
        config = uvicorn.Config(self._app, interface="asgi3", lifespan="off", log_config=None, proxy_headers=False)
        config.load()
        self.protocol = DirectProtocol(config, ServerState(), {}, self.loop)
        self.transport = NotedTransport()
        self.receiver = Noted()
        self._done = self.loop.create_future()
        self.protocol.connection_made(self.transport)
        self.protocol.data_received(HANDSHAKE)
        self._turn()
        assert b" 101 " in self.transport.written
        self.transport.written = b""
        if attached:
            self.protocol.attach(self.receiver)

    def close(self) -> None:
        self._done.set_result(None)
        if self.protocol.close_timer is not None:
            self.protocol.close_timer.cancel()
        self._turn()
        self.loop.close()

    def _turn(self) -> None:
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.run_until_complete(asyncio.sleep(0))

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["extensions"][EXTENSION] is self.protocol
        await send({"type": "websocket.accept"})
        await self._done


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def text_frame(text: bytes) -> bytes:
    return Frame(Opcode.TEXT, text).serialize(mask=True)


texts = st.one_of(st.binary(max_size=200), st.sampled_from((125, 126, 127, 128, 1000, 65_535, 65_536)).map(bytes))
messages = st.lists(
    st.one_of(
        st.tuples(st.just("text"), texts),
        st.tuples(st.just("binary"), texts),
        st.tuples(st.just("fragments"), st.lists(st.binary(max_size=50), min_size=2, max_size=4)),
        st.tuples(st.just("ping"), st.binary(max_size=125)),
        st.tuples(st.just("pong"), st.binary(max_size=125)),
    ),
    max_size=8,
)


def encoded(kind: str, body: Any) -> bytes:
    match kind:
        case "text":
            return text_frame(body)
        case "fragments":
            first, *middle, last = body
            frames = [Frame(Opcode.TEXT, first, fin=False)]
            frames += [Frame(Opcode.PING, b"amid"), *(Frame(Opcode.CONT, one, fin=False) for one in middle)]
            return b"".join(frame.serialize(mask=True) for frame in (*frames, Frame(Opcode.CONT, last)))
        case _:
            return Frame(Opcode[kind.upper()], body).serialize(mask=True)


@settings(deadline=None)
@given(messages, st.lists(st.integers(min_value=0, max_value=2000), max_size=20))
def test_however_the_bytes_are_cut_the_same_messages_come_out(script: list[tuple[str, Any]], cuts: list[int]) -> None:
    bench = Bench()
    wire = b"".join(encoded(kind, body) for kind, body in script)
    for cut in cuts:
        bench.protocol.data_received(wire[:cut])
        wire = wire[cut:]
    bench.protocol.data_received(wire)
    expected: list[object] = []
    pongs = b""
    for kind, body in script:
        if kind == "text":
            expected.append(body)
        elif kind == "fragments":
            expected.append(b"".join(body))
            pongs += Frame(Opcode.PONG, b"amid").serialize(mask=False)
        elif kind == "binary":
            expected.append(("binary", len(body)))
        elif kind == "ping":
            pongs += Frame(Opcode.PONG, body).serialize(mask=False)
    assert bench.receiver.told == expected
    assert bench.transport.written == pongs
    bench.close()


def test_a_text_message_does_not_pass_through_the_library(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(bench.protocol.conn, "parser")
    bench.protocol.data_received(text_frame(b"one") + text_frame(b"two" * 100))
    assert bench.receiver.told == [b"one", b"two" * 100]


def test_what_came_between_accept_and_attach_is_told() -> None:
    bench = Bench(attached=False)
    bench.protocol.data_received(text_frame(b"one") + Frame(Opcode.BINARY, b"x").serialize(mask=True))
    bench.protocol.attach(bench.receiver)
    bench.protocol.data_received(text_frame(b"two"))
    assert bench.receiver.told == [b"one", ("binary", 1), b"two"]
    bench.close()


def test_who_left_between_accept_and_attach_is_gone() -> None:
    bench = Bench(attached=False)
    bench.protocol.connection_lost(None)
    bench.protocol.attach(bench.receiver)
    assert bench.receiver.told == [("gone", False)]
    bench.close()


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (text_frame(bytes(MAX_MESSAGE_BYTES + 1)), 1009),
        (text_frame(bytes(MAX_MESSAGE_BYTES + 1))[:20], 1009),
        (b"\x81\xff" + (1 << 62).to_bytes(8, "big"), 1009),
        (
            Frame(Opcode.TEXT, bytes(MAX_MESSAGE_BYTES), fin=False).serialize(mask=True)
            + Frame(Opcode.CONT, b"x").serialize(mask=True),
            1009,
        ),
        (Frame(Opcode.TEXT, b"not masked").serialize(mask=False), 1002),
        (b"\x81\x00", 1002),  # not masked, and shorter than any frame of a client
        (b"\xc1\x80mask", 1002),  # a reserved bit
        (b"\x83\x80mask", 1002),  # a reserved opcode
        (Frame(Opcode.TEXT, b"a", fin=False).serialize(mask=True) + text_frame(b"b"), 1002),
        (Frame(Opcode.CONT, b"a").serialize(mask=True), 1002),
    ],
    ids=[
        "too_long",
        "said_to_be_too_long",
        "said_to_be_huge",
        "too_long_in_fragments",
        "not_masked",
        "not_masked_and_short",
        "reserved_bit",
        "reserved_opcode",
        "text_amid_fragments",
        "nothing_to_continue",
    ],
)
def test_what_breaks_the_protocol_ends_it_with_its_code(bench: Bench, wire: bytes, code: int) -> None:
    bench.protocol.data_received(text_frame(b"before"))
    bench.protocol.data_received(wire + text_frame(b"behind"))
    assert bench.receiver.told == [b"before", ("gone", False)]
    assert bench.transport.is_closed
    assert bench.transport.written[:1] == b"\x88"
    assert bench.transport.written[2:4] == code.to_bytes(2, "big")


def test_the_peers_close_is_echoed_and_told_once(bench: Bench) -> None:
    close = Frame(Opcode.CLOSE, (1000).to_bytes(2, "big"))
    bench.protocol.data_received(close.serialize(mask=True) + text_frame(b"behind"))
    bench.protocol.connection_lost(None)
    assert bench.receiver.told == [("gone", False)]
    assert bench.transport.written == close.serialize(mask=False)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_what_is_sent_is_one_text_frame(bench: Bench, size: int) -> None:
    bench.protocol.send_texts(b"x" * size)
    assert bench.transport.written == Frame(Opcode.TEXT, b"x" * size).serialize(mask=False)


def test_texts_that_are_sent_together_are_frames_in_one_write(bench: Bench) -> None:
    bench.transport.writes = 0  # the handshake's
    bench.protocol.send_texts(b"x" * 200, b"y")
    frames = Frame(Opcode.TEXT, b"x" * 200).serialize(mask=False) + Frame(Opcode.TEXT, b"y").serialize(mask=False)
    assert bench.transport.written == frames
    assert bench.transport.writes == 1


def test_nothing_is_sent_or_told_behind_a_close(bench: Bench) -> None:
    bench.protocol.close(1008, "ticket")
    bench.protocol.send_texts(b"late")
    bench.protocol.close(1000)
    bench.protocol.data_received(text_frame(b"late"))
    bench.protocol.connection_lost(None)
    assert bench.transport.written == Frame(Opcode.CLOSE, (1008).to_bytes(2, "big") + b"ticket").serialize(mask=False)
    assert bench.receiver.told == []


def test_nothing_is_sent_to_who_has_left(bench: Bench) -> None:
    bench.protocol.connection_lost(None)
    bench.transport.is_closed = True
    bench.protocol.send_texts(b"late")
    bench.protocol.close(1000)
    assert bench.transport.written == b""


def test_a_close_that_is_never_answered_aborts(bench: Bench) -> None:
    bench.protocol.close_timeout = 0
    bench.protocol.close(1000)
    bench.loop.run_until_complete(asyncio.sleep(0))
    assert bench.transport.is_aborted


def test_a_stall_is_told_when_the_transport_says_so(bench: Bench) -> None:
    assert bench.transport.high_bytes == STALLED_BYTES
    bench.protocol.pause_writing()
    assert bench.receiver.told == ["stalled"]


def test_the_servers_end_is_our_own(bench: Bench) -> None:
    bench.protocol.shutdown()
    bench.protocol.connection_lost(None)
    assert bench.receiver.told == [("gone", True)]
    assert bench.transport.written[2:4] == (1012).to_bytes(2, "big")


def test_a_silent_peer_is_gone(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    bench.protocol.keepalive_timeout()
    bench.protocol.connection_lost(None)
    assert bench.receiver.told == [("gone", False)]
    assert bench.transport.is_aborted
