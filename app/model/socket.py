"""The WebSocket to the model: a client connection of `websockets` that neither queues nor waits.

Handshake, TLS, pings, the rules of fragments, size limits and the closing handshake are the library's. Ours is the way
of a message: none waits in a queue for a task to be switched to, and what is sent goes to the transport in the same
step. Frames are built here, with masks from pages of random bytes: the library's way costs four times as much, fifty
times a second in each call. And messages that come whole are cut out before the library's parser (`frames.py`).
"""

import asyncio
import os
import socket
import struct
import time
from collections.abc import Callable

from websockets import frames
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

from app.model.frames import ServerFrames

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the library's part in C
    from websockets.utils import apply_mask

CLOSE_TIMEOUT_S = 1.0
"""For the peer to agree that a connection is over."""
PING_INTERVAL_S = 4.0
"""A peer that has said nothing for so long is pinged."""
SILENCE_S = 6.0
"""When it has said nothing at all since then, no pong and no part of an event, that is told, and again now and then."""
PING_TIMEOUT_S = 30.0
"""And after so long it is given up, whoever waits for it or not. Shorter limits are known to lose connections that are
well."""
_TELL_AGAIN_S = 2.0
_READING_S = 0.1
"""For a loop that was busy to read what lay there before it judges."""
UNACKNOWLEDGED_MS = 10_000
"""So long may what we sent stay unacknowledged before the kernel gives the connection up: a dead network, not a busy
peer. It bears our loop being late, which a ping does not."""
_MASK_PAGE_BYTES = 4096
_SILENT = "no answer to a ping"

_short_header = struct.Struct("!BB").pack
_medium_header = struct.Struct("!BBH").pack
_long_header = struct.Struct("!BBQ").pack
_END_OF_HEAD = b"\r\n\r\n"
_FINAL_TEXT = 0x81  # FIN and opcode 1 (RFC 6455 §5.2)
_MASKED = 0x80


class ModelSocket(ClientConnection):
    """A connection to the model. Its `recv` and `send` are not used: see `hand_on` and `send_now`."""

    _take: Callable[[bytes | bytearray | memoryview], None] | None = None
    _gone: Callable[[str], None] | None = None
    _silent: Callable[[float], None] | None = None
    _is_gone = False
    _reads = 0
    _read_at: float | None = None
    _masks = b""
    _mask_at = 0
    _early: list[bytes | bytearray | memoryview]
    _fragments: list[bytes | bytearray | memoryview]
    _head_end = b""
    _frames: ServerFrames | None = None
    """From the handshake's end on."""

    def hand_on(
        self,
        take: Callable[[bytes | bytearray | memoryview], None],
        gone: Callable[[str], None],
        silent: Callable[[float], None] | None = None,
    ) -> None:
        """Give each message to `take` as it comes, the ones that are here already first; then `gone`, once, with why.

        silent: told when the peer answers no ping, now and then, for how many seconds it has been silent.
        take, gone, silent: called from the transport's callbacks, so they must not raise.
        """
        self._take, self._gone, self._silent = take, gone, silent
        early, self._early = self._early, []
        for message in early:
            take(message)
        if self._is_gone:
            gone(self._why_gone())

    @property
    def unsent_bytes(self) -> int:
        """How much waits in our own buffer because the peer does not read."""
        return self.transport.get_write_buffer_size()

    @property
    def silent_s(self) -> float:
        """For how long nothing has come of the peer, not even a pong."""
        return 0.0 if self._read_at is None else time.monotonic() - self._read_at

    def send_now(self, text: bytes) -> None:
        """Send a text message (UTF-8). Never waits, never raises; does nothing on a connection that is not open."""
        # The protocol's own writes are sent in the step that makes them, so nothing of it can be waiting.
        transport = self.transport
        if self.protocol.state is State.OPEN and not transport.is_closing():
            transport.write(self._frame(text))

    async def leave(self) -> None:
        """Close the connection with 1000, giving the peer CLOSE_TIMEOUT_S to agree; return when it is gone."""
        self.close_begun()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.wait_closed()
        except TimeoutError:
            pass  # the peer had its time: what follows is for all
        finally:  # of a cancellation too, which is how a call ends that does not wait
            self.transport.abort()
            self._report_gone()
            self._take = self._gone = self._silent = None  # each knew the other: nothing is left to collect
        await self.wait_closed()

    def close_begun(self) -> None:
        """Send the close frame (1000) now; `leave` waits for the rest."""
        if self.protocol.state is State.OPEN and not self.transport.is_closing():
            self.protocol.send_close(frames.CloseCode.NORMAL_CLOSURE)
            self.send_data()

    def _frame(self, text: bytes) -> bytes:
        # RFC 6455 §5.3: a fresh mask for every frame, from a strong source. A page of it at a time costs a fifth.
        at = self._mask_at
        if at >= len(self._masks):
            self._masks, at = os.urandom(_MASK_PAGE_BYTES), 0
        mask = self._masks[at : at + 4]
        self._mask_at = at + 4
        size = len(text)
        if size < 126:
            header = _short_header(_FINAL_TEXT, _MASKED | size)
        elif size < 65536:
            header = _medium_header(_FINAL_TEXT, _MASKED | 126, size)
        else:
            header = _long_header(_FINAL_TEXT, _MASKED | 127, size)
        return b"".join((header, mask, apply_mask(text, mask)))

    # --- what the library calls ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._early = []
        self._fragments = []
        tcp = transport.get_extra_info("socket")
        if tcp is not None and hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)

    def process_event(self, event: Event) -> None:
        if not isinstance(event, Frame) or event.opcode not in frames.DATA_OPCODES:
            super().process_event(event)
            return
        # Opcodes of text and binary are not told apart: what is no event is found out by whoever reads it.
        message = event.data
        if not event.fin or event.opcode is Opcode.CONT:
            self._fragments.append(message)
            if not event.fin:
                return
            message = b"".join(self._fragments)
            self._fragments.clear()
        self._deliver(message)

    def _deliver(self, message: bytes | bytearray | memoryview) -> None:
        if self._take is None:
            self._early.append(message)
        else:
            self._take(message)

    async def keepalive(self) -> None:
        """Ping a peer that is silent, and give it up when it has said nothing since: no pong, and nothing else.

        In place of the library's, which a loop that was busy for longer than the limit can make give up a peer that has
        answered: its timer then runs before whoever waits for the pong.
        """
        while True:
            quiet_s = max(0.0, PING_INTERVAL_S - self.silent_s)
            await asyncio.sleep(quiet_s)  # one timer for a connection, none for a read
            if self.silent_s < PING_INTERVAL_S:
                continue
            try:
                pong, reads = await self.ping(), self._reads
            except ConnectionClosed:
                return  # it is being left
            if not await self._answers(asyncio.ensure_future(pong), reads):
                self.protocol.fail(frames.CloseCode.INTERNAL_ERROR, _SILENT)
                self.send_data()
                self._report_gone()
                return

    async def _answers(self, pong: asyncio.Future[float], reads: int) -> bool:
        """Return whether anything comes after a ping in time; meanwhile tell of the silence."""
        waited_s, wait_s = 0.0, SILENCE_S
        while waited_s < PING_TIMEOUT_S:
            wait_s = min(wait_s, PING_TIMEOUT_S - waited_s)
            await asyncio.wait([pong], timeout=wait_s)
            if self._reads == reads:
                await asyncio.sleep(_READING_S)  # what lies there unread is an answer as well
            if self._reads != reads:
                return True
            waited_s, wait_s = waited_s + wait_s, _TELL_AGAIN_S
            if self._silent is not None and waited_s < PING_TIMEOUT_S:
                self._silent(self.silent_s)
        return False

    def data_received(self, data: bytes) -> None:
        self._reads += 1
        self._read_at = time.monotonic()
        if self._frames is None:
            data = self._shake_hands(data)
            if self._frames is None:
                return
        for piece, is_message in self._frames.cut(data):
            if not is_message:
                self._give_library(piece)
            elif not self._is_gone:
                self._deliver(piece)

    def _shake_hands(self, data: bytes) -> bytes:
        """Give the library the answer to our upgrade; return what is behind that, of a connection that is open now."""
        seen = self._head_end + data
        end = seen.find(_END_OF_HEAD)
        if end < 0:
            self._head_end = seen[1 - len(_END_OF_HEAD) :]
            self._give_library(data)
            return b""
        behind = end + len(_END_OF_HEAD) - len(self._head_end)
        self._head_end = b""
        self._give_library(data[:behind])
        if self.protocol.state is State.OPEN:
            self._frames = ServerFrames()
            return data[behind:]
        if behind < len(data):
            self._give_library(data[behind:])  # a refusal's body
        return b""

    def _give_library(self, data: bytes) -> None:
        super().data_received(data)
        # A peer's close frame, or a breach that the library answers with one, ends the conversation: that the
        # connection itself ends may take the peer seconds more.
        if self.protocol.state is State.CLOSING or self.protocol.state is State.CLOSED:
            self._report_gone()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._report_gone()

    def _report_gone(self) -> None:
        if self._is_gone:
            return
        self._is_gone = True
        if self._gone is not None:
            self._gone(self._why_gone())

    def _why_gone(self) -> str:
        received, sent = self.protocol.close_rcvd, self.protocol.close_sent
        if received is not None:
            return f"close_{received.code}"
        if sent is not None and sent.reason == _SILENT:
            return "ping_timeout"
        return f"close_{sent.code if sent is not None else frames.CloseCode.ABNORMAL_CLOSURE.value}"
