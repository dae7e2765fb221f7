import asyncio
import logging
import os
import queue
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from app.model import socket as model_socket
from app.model.opening import MAX_MESSAGE_BYTES, ConnectError, is_loopback, open_socket, tls_context
from app.model.socket import ModelSocket
from tests.support.stand_in_model import CERTIFICATE, StandInModel

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


def run(scenario: Awaitable[None], loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20):
            await scenario

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(whole())


class Peer:
    """A server of our own, so that frames can be as strange as a test needs."""

    def __init__(self) -> None:
        self.socket: ServerConnection | None = None
        self.heard: list[str | bytes] = []
        self.came = asyncio.Condition()

    @property
    def wire(self) -> ServerConnection:
        assert self.socket is not None
        return self.socket

    async def serve(self, connection: ServerConnection) -> None:
        self.socket = connection
        try:
            async for message in connection:
                self.heard.append(message)
                async with self.came:
                    self.came.notify_all()
        except ConnectionClosed:
            pass  # how it ended is for the test to judge

    async def hear(self, count: int) -> list[str | bytes]:
        async with self.came:
            await self.came.wait_for(lambda: len(self.heard) >= count)
        return self.heard

    def frame(self, opcode: Opcode, data: bytes, *, fin: bool) -> None:
        self.wire.transport.write(Frame(opcode, data, fin).serialize(mask=False))


class Ear:
    """What a socket has handed on."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.reasons: list[str] = []
        self.came = asyncio.Event()

    def take(self, message: bytes | bytearray | memoryview) -> None:
        self.messages.append(bytes(message))
        self.came.set()

    def gone(self, reason: str) -> None:
        self.reasons.append(reason)
        self.came.set()

    async def hear(self, messages: int = 0, reasons: int = 0) -> None:
        while len(self.messages) < messages or len(self.reasons) < reasons:
            self.came.clear()
            await self.came.wait()


@asynccontextmanager
async def line() -> AsyncIterator[tuple[Peer, ModelSocket, Ear]]:
    peer, ear = Peer(), Ear()
    async with serve(peer.serve, "127.0.0.1", 0, max_size=None, close_timeout=1, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        connection = await open_socket(f"ws://127.0.0.1:{port}/v1/realtime", {"X-Test": "1"}, 5.0)
        connection.hand_on(ear.take, ear.gone)
        try:
            yield peer, connection, ear
        finally:
            await connection.leave()


@pytest.mark.parametrize("loop", LOOPS)
def test_messages_of_any_size_arrive_as_they_were_sent(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def scenario() -> None:
        # the lengths at which a frame's header changes (RFC 6455 §5.2), and a few hundred masks
        sizes = [0, 1, 125, 126, 127, 65535, 65536, 300_000, *range(2, 2000, 7)]
        sent = [os.urandom(size).hex()[:size].encode() for size in sizes]
        async with line() as (peer, connection, _):
            for text in sent:
                connection.send_now(text)
            assert await peer.hear(len(sent)) == [text.decode() for text in sent]

    run(scenario(), loop)


def test_no_mask_is_used_twice_in_a_row_and_none_is_empty() -> None:
    async def scenario() -> None:
        async with line() as (_, connection, _):
            masks = [connection._frame(b"\0" * 4)[-4:] for _ in range(3000)]  # masked zeros are the mask
        assert all(len(mask) == 4 for mask in masks)
        assert len(set(masks)) > 2990

    run(scenario())


@pytest.mark.parametrize("loop", LOOPS)
def test_what_came_with_the_handshake_is_handed_on_first(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def scenario() -> None:
        ear = Ear()
        said = asyncio.Event()

        async def speak_at_once(connection: ServerConnection) -> None:
            for number in range(3):
                await connection.send(str(number))
            said.set()
            await connection.wait_closed()

        async with serve(speak_at_once, "127.0.0.1", 0, close_timeout=1) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            connection = await open_socket(f"ws://127.0.0.1:{port}/", {}, 5.0)
            await said.wait()
            connection.hand_on(ear.take, ear.gone)
            await ear.hear(messages=3)
            assert ear.messages == [b"0", b"1", b"2"]
            await connection.leave()

    run(scenario(), loop)


def test_a_close_that_came_before_anybody_listened_is_told() -> None:
    async def scenario() -> None:
        ear = Ear()

        async def refuse(connection: ServerConnection) -> None:
            await connection.send("no")
            await connection.close(4000, "invalid_request_error.missing_model")

        async with serve(refuse, "127.0.0.1", 0, close_timeout=1) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            connection = await open_socket(f"ws://127.0.0.1:{port}/", {}, 5.0)
            await connection.wait_closed()
            connection.hand_on(ear.take, ear.gone)
            assert (ear.messages, ear.reasons) == ([b"no"], ["close_4000"])

    run(scenario())


def test_fragments_are_joined_and_control_frames_between_them_answered() -> None:
    async def scenario() -> None:
        async with line() as (peer, _, ear):
            peer.frame(Opcode.TEXT, b"one ", fin=False)
            pong = await peer.wire.ping()
            peer.frame(Opcode.CONT, b"two ", fin=False)
            peer.frame(Opcode.CONT, b"three", fin=True)
            peer.frame(Opcode.TEXT, b"four", fin=True)
            peer.frame(Opcode.TEXT, b"", fin=False)
            peer.frame(Opcode.CONT, b"", fin=True)
            peer.frame(Opcode.BINARY, b"\x00\xff", fin=True)
            await ear.hear(messages=4)
            await pong
            assert ear.messages == [b"one two three", b"four", b"", b"\x00\xff"]

    run(scenario())


def test_bytes_may_be_cut_anywhere_on_their_way() -> None:
    async def scenario() -> None:
        async with line() as (peer, _, ear):
            wire = b"".join(Frame(Opcode.TEXT, str(n).encode() * 50).serialize(mask=False) for n in range(8))
            for at in range(0, len(wire), 7):
                peer.wire.transport.write(wire[at : at + 7])
                await asyncio.sleep(0)
            await ear.hear(messages=8)
            assert ear.messages == [str(n).encode() * 50 for n in range(8)]

    run(scenario())


@pytest.mark.parametrize("step", [1, 2, 3, 5, 1000])
def test_the_answer_to_the_upgrade_may_be_cut_anywhere_too(step: int) -> None:
    async def scenario() -> None:
        ear = Ear()

        async def serve_bytes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            key = next(line.split(": ")[1] for line in request.splitlines() if line.startswith("Sec-WebSocket-Key"))
            head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            head += f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
            frames = [Frame(Opcode.TEXT, text).serialize(mask=False) for text in (b"0", b"1" * 300)]
            wire = b"".join([head.encode(), *frames])
            for at in range(0, len(wire), step):
                writer.write(wire[at : at + step])
                await asyncio.sleep(0)
            await reader.read(2)  # the close frame
            writer.close()

        server = await asyncio.start_server(serve_bytes, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            connection = await open_socket(f"ws://127.0.0.1:{port}/", {}, 5.0)
            connection.hand_on(ear.take, ear.gone)
            await ear.hear(messages=2)
            assert ear.messages == [b"0", b"1" * 300]
            await connection.leave()

    run(scenario())


def test_a_message_within_the_limit_is_taken_and_one_beyond_it_ends_the_connection() -> None:
    async def scenario() -> None:
        async with line() as (peer, _, ear):
            await peer.wire.send("x" * MAX_MESSAGE_BYTES)
            await ear.hear(messages=1)
            assert len(ear.messages[0]) == MAX_MESSAGE_BYTES
            try:
                await peer.wire.send("x" * (MAX_MESSAGE_BYTES + 1))
            except ConnectionClosed:
                pass  # the client may have left before all of it was written
            await ear.hear(reasons=1)
            assert ear.reasons == ["close_1009"]
            assert len(ear.messages) == 1

    run(scenario())


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013, 3000, 4000, 4004])
def test_a_peers_close_is_told_once_with_its_code(code: int) -> None:
    async def scenario() -> None:
        async with line() as (peer, connection, ear):
            await peer.wire.close(code)
            await ear.hear(reasons=1)
            await connection.wait_closed()
            assert ear.reasons == [f"close_{code}"]

    run(scenario())


def test_a_close_without_a_code_and_an_end_without_a_close() -> None:
    async def scenario() -> None:
        async with line() as (peer, _, ear):
            peer.frame(Opcode.CLOSE, b"", fin=True)
            await ear.hear(reasons=1)
            assert ear.reasons == ["close_1005"]
        async with line() as (peer, connection, ear):
            peer.wire.transport.abort()
            await ear.hear(reasons=1)
            await connection.wait_closed()
            assert ear.reasons == ["close_1006"]

    run(scenario())


def test_a_breach_of_the_protocol_ends_the_connection_without_waiting_for_the_peer() -> None:
    async def scenario() -> None:
        async with line() as (peer, _, ear):
            peer.wire.transport.write(Frame(Opcode.TEXT, b"masked by a server").serialize(mask=True))
            await ear.hear(reasons=1)
            assert ear.reasons == ["close_1002"]

    run(scenario())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_peer_that_does_not_agree_to_the_close_is_left_all_the_same(
    loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_socket, "CLOSE_TIMEOUT_S", 0.05)

    async def scenario() -> None:
        async with line() as (peer, connection, ear):
            peer.wire.transport.pause_reading()
            await connection.leave()
            assert connection.transport.is_closing()
            connection.send_now(b"after the end")  # does nothing
            connection.close_begun()
            await connection.leave()
            assert ear.reasons == ["close_1000"]
            peer.wire.transport.abort()

    run(scenario(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_leaving_works_while_much_waits_unsent(
    loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_socket, "CLOSE_TIMEOUT_S", 0.05)

    async def scenario() -> None:
        async with line() as (peer, connection, _):
            peer.wire.transport.pause_reading()
            while connection.unsent_bytes < 1_000_000:
                connection.send_now(b"x" * 100_000)
                await asyncio.sleep(0)
            await connection.leave()
            peer.wire.transport.abort()

    run(scenario(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_sending_on_a_line_that_has_just_broken_does_nothing(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def scenario() -> None:
        async with line() as (peer, connection, ear):
            peer.wire.transport.abort()
            while not ear.reasons:
                connection.send_now(b"x" * 1000)
                await asyncio.sleep(0)
            connection.send_now(b"x")

    run(scenario(), loop)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the kernel has no such limit here")
@pytest.mark.parametrize("loop", LOOPS)
def test_the_kernel_gives_a_dead_network_up_in_ten_seconds(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def scenario() -> None:
        async with line() as (_, connection, _):
            tcp = connection.transport.get_extra_info("socket")
            assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
            assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    run(scenario(), loop)


def test_a_peer_that_answers_no_ping_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_socket, "PING_INTERVAL_S", 0.02)
    monkeypatch.setattr(model_socket, "PING_TIMEOUT_S", 0.02)
    monkeypatch.setattr(model_socket, "CLOSE_TIMEOUT_S", 0.02)

    async def scenario() -> None:
        async with line() as (peer, _, ear):
            peer.wire.transport.pause_reading()
            await ear.hear(reasons=1)
            assert ear.reasons == ["ping_timeout"]
            peer.wire.transport.abort()

    run(scenario())


def test_what_a_peer_says_after_it_was_given_up_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_socket, "PING_INTERVAL_S", 0.02)
    monkeypatch.setattr(model_socket, "PING_TIMEOUT_S", 0.02)

    async def scenario() -> None:
        async with line() as (peer, connection, ear):
            peer.wire.transport.pause_reading()
            await ear.hear(reasons=1)
            peer.frame(Opcode.TEXT, b"late", fin=True)
            peer.wire.transport.close()
            await connection.wait_closed()
            assert (ear.messages, ear.reasons) == ([], ["ping_timeout"])

    run(scenario())


def test_it_is_told_how_long_a_peer_answers_no_ping_and_again_while_that_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model_socket, "PING_INTERVAL_S", 0.02)
    monkeypatch.setattr(model_socket, "SILENCE_S", 0.02)
    monkeypatch.setattr(model_socket, "_TELL_AGAIN_S", 0.01)
    monkeypatch.setattr(model_socket, "_READING_S", 0.01)

    async def scenario() -> None:
        told: asyncio.Queue[float] = asyncio.Queue()
        async with line() as (peer, connection, ear):
            connection.hand_on(ear.take, ear.gone, told.put_nowait)
            peer.wire.transport.pause_reading()
            first, second = await told.get(), await told.get()
            assert 0.02 <= first < second
            peer.wire.transport.resume_reading()
            assert await (await connection.ping()) >= 0
            assert ear.reasons == [], "it was only silent"

    run(scenario())


@contextmanager
def peer_elsewhere() -> Iterator[str]:
    """A server on another thread's loop, which answers pings while ours is busy."""
    ready: queue.Queue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def listen() -> None:
        over = asyncio.Event()

        async def hold(connection: ServerConnection) -> None:
            await over.wait()

        async with serve(hold, "127.0.0.1", 0, close_timeout=1, ping_interval=None) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            ready.put((port, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(listen()))
    thread.start()
    port, loop, over = ready.get(timeout=20)
    try:
        yield f"ws://127.0.0.1:{port}/v1/realtime"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(timeout=20)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_is_busy_for_longer_than_the_limit_keeps_a_peer_that_answers(
    loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_socket, "PING_INTERVAL_S", 0.01)
    monkeypatch.setattr(model_socket, "PING_TIMEOUT_S", 0.3)

    async def scenario(url: str) -> None:
        ear = Ear()
        connection = await open_socket(url, {}, 5.0)
        connection.hand_on(ear.take, ear.gone)
        send_ping = connection.ping
        pings = 0

        async def ping(data: None = None) -> Awaitable[float]:
            nonlocal pings
            pings += 1
            pong = await send_ping(data)
            if pings < 3:
                asyncio.get_running_loop().call_soon(time.sleep, 0.45)  # before the pong can be read
            return pong

        monkeypatch.setattr(connection, "ping", ping)
        while pings < 5 and not ear.reasons:  # noqa: ASYNC110 - of pings nobody is told
            await asyncio.sleep(0.01)
        assert not ear.reasons
        assert await (await send_ping()) >= 0
        await connection.leave()

    with peer_elsewhere() as url:
        run(scenario(url), loop)


class TestConnecting:
    def fails(self, url: str, *, timeout_s: float = 5.0) -> str:
        async def scenario() -> str:
            async with asyncio.timeout(20):
                with pytest.raises(ConnectError) as raised:
                    await open_socket(url, {"Authorization": "Bearer sk-secret"}, timeout_s)
            assert "sk-secret" not in str(raised.value)
            return raised.value.reason

        return asyncio.run(scenario())

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
    def test_a_refusal_by_http_is_named_by_its_status(self, status: int) -> None:
        async def scenario() -> None:
            async with StandInModel(refuse_with=status) as model:
                with pytest.raises(ConnectError) as raised:
                    await open_socket(model.url, {}, 5.0)
                assert raised.value.reason == f"http_{status}"

        run(scenario())

    def test_a_redirect_is_not_followed_so_that_no_key_travels_on(self) -> None:
        async def scenario() -> None:
            async with StandInModel() as elsewhere:

                async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                    await reader.readuntil(b"\r\n\r\n")
                    head = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
                    writer.write(head.encode())
                    await writer.drain()
                    writer.close()
                    await writer.wait_closed()

                async with await asyncio.start_server(redirect, "127.0.0.1", 0) as server:
                    port = server.sockets[0].getsockname()[1]
                    with pytest.raises(ConnectError) as raised:
                        await open_socket(f"ws://127.0.0.1:{port}/v1/realtime", {"api-key": "k"}, 5.0)
                assert raised.value.reason == "http_302"
                assert elsewhere.upgrades == 0

        run(scenario())

    def test_nobody_listens(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else can take it
            assert self.fails(f"ws://127.0.0.1:{taken.getsockname()[1]}/") == "connect_refused"

    def test_no_such_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        assert self.fails("ws://no-such-host.invalid/") == "dns_failed"

    def test_a_server_that_accepts_and_says_nothing(self) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            url = f"ws://127.0.0.1:{silent.getsockname()[1]}/"
            assert self.fails(url, timeout_s=0.05) == "connect_timeout"

    @pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"])
    def test_a_server_of_another_kind(self, answer: bytes) -> None:
        async def scenario() -> None:
            async def serve_strangely(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
                await writer.drain()
                writer.close()
                await writer.wait_closed()

            async with await asyncio.start_server(serve_strangely, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                with pytest.raises(ConnectError) as raised:
                    await open_socket(f"ws://127.0.0.1:{port}/", {}, 5.0)
            assert raised.value.reason == "handshake_failed"

        run(scenario())

    def test_tls_towards_a_server_without_it(self) -> None:
        async def scenario() -> None:
            async def answer_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read(1)
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                await writer.drain()
                writer.close()
                await writer.wait_closed()

            async with await asyncio.start_server(answer_plainly, "127.0.0.1", 0) as server:
                with pytest.raises(ConnectError) as raised:
                    await open_socket(f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}/", {}, 5.0)
            assert raised.value.reason == "tls_failed"

        run(scenario())

    def test_a_certificate_that_nobody_vouches_for(self) -> None:
        async def scenario() -> None:
            async with StandInModel(over_tls=True) as model:
                with pytest.raises(ConnectError) as raised:
                    await open_socket(model.url, {"Authorization": "Bearer sk-secret"}, 5.0)
                assert raised.value.reason == "tls_failed"
                assert model.upgrades == 0

        run(scenario())

    @pytest.mark.parametrize("loop", LOOPS)
    def test_everything_works_over_tls(
        self, loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def scenario() -> None:
            async with StandInModel(over_tls=True) as model:
                ear = Ear()
                opened = await open_socket(model.url, {}, 5.0)
                connection = await model.next_connection()
                opened.hand_on(ear.take, ear.gone)
                await ear.hear(messages=1)
                opened.send_now(b'{"type":"response.create","event_id":"response-1"}')
                await connection.expect("response.create")
                await opened.leave()
                assert await connection.closed() == 1000

        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        tls_context.cache_clear()
        try:
            run(scenario(), loop)
        finally:
            tls_context.cache_clear()

    def test_a_proxy_of_the_system_is_not_asked_for_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "socks_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)

        async def scenario() -> None:
            async with StandInModel() as model:
                connection = await open_socket(model.url, {}, 5.0)
                await connection.leave()

        run(scenario())

    def test_a_proxy_that_does_not_work_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
        assert self.fails("wss://model.example/v1/realtime") in ("connect_refused", "proxy_failed")
        monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:9")
        assert self.fails("wss://model.example/v1/realtime") in ("connect_refused", "proxy_failed")

    def test_headers_and_the_model_arrive_and_compression_is_not_offered(self) -> None:
        async def scenario() -> None:
            async with StandInModel() as model:
                opened = await open_socket(f"{model.url}?model=m%20x", {"Authorization": "Bearer sk-1"}, 5.0)
                connection = await model.next_connection()
                assert connection.headers["Authorization"] == "Bearer sk-1"
                assert connection.query == {"model": ["m x"]}
                assert "Sec-WebSocket-Extensions" not in connection.headers
                await opened.leave()

        run(scenario())

    def test_a_key_is_not_logged_whatever_the_level(self, caplog: pytest.LogCaptureFixture) -> None:
        async def scenario() -> None:
            async with StandInModel() as model:
                opened = await open_socket(model.url, {"Authorization": "Bearer sk-secret"}, 5.0)
                await opened.leave()

        with caplog.at_level(logging.DEBUG):
            run(scenario())
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("websockets.client")]
        assert not [line for line in ours if "sk-secret" in line]


@pytest.mark.parametrize(
    ("host", "is_so"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("model.localhost", True),
        ("api.openai.com", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_what_counts_as_this_machine(host: str, is_so: bool) -> None:
    assert is_loopback(host) is is_so
