"""WebSockets as cheap as Python makes them: so that the load's own cost does not become the service's delay.

Only what both peers of this benchmark do is here: whole text frames, pings answered, a close answered. No library's
way, since a hundred calls' other ends have to fit on one core. RFC 6455.
"""

import asyncio
import base64
import hashlib
from typing import cast

from websockets.speedups import apply_mask

_TEXT, _CLOSE, _PING = 1, 8, 9
_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def server_frame(text: bytes) -> bytes:
    """Return a final text frame, not masked."""
    size = len(text)
    if size < 126:
        return bytes((0x81, size)) + text
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + text
    return b"\x81\x7f" + size.to_bytes(8, "big") + text


def client_frame(text: bytes) -> bytes:
    """Return a final text frame under a mask of zeros: to whoever unmasks it one mask is like another."""
    size = len(text)
    if size < 126:
        return bytes((0x81, 0x80 | size, 0, 0, 0, 0)) + text
    if size < 1 << 16:
        return b"\x81\xfe" + size.to_bytes(2, "big") + b"\0\0\0\0" + text
    raise ValueError(f"{size} bytes: nothing so long is sent by a caller")


class Peer(asyncio.Protocol):
    """One end of a WebSocket. `opened`, `received` and `closed` are for those who build on it."""

    def __init__(self) -> None:
        self.transport: asyncio.WriteTransport
        self.is_open = False
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)  # uvloop's are none by class

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self.closed()

    def opened(self) -> None:
        """The handshake is done."""

    def received(self, text: bytes) -> None:
        """A text message has come."""

    def closed(self) -> None:
        """The connection is gone."""

    def shake_hands(self, head: bytes) -> bool:
        """Take in the peer's part of the handshake, up to its empty line; False: it is none."""
        raise NotImplementedError

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        if not self.is_open:
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._rest = data
                return
            if not self.shake_hands(data[:at]):
                self.transport.close()
                return
            self.is_open = True
            self.opened()
        while end - at >= 2:
            second = data[at + 1]
            header, size = 2, second & 0x7F
            if size == 126:
                header, size = 4, int.from_bytes(data[at + 2 : at + 4], "big")
            elif size == 127:
                header, size = 10, int.from_bytes(data[at + 2 : at + 10], "big")
            if second & 0x80:
                header += 4
            body, after = at + header, at + header + size
            if after > end:
                break
            content = data[body:after]
            if second & 0x80:
                content = apply_mask(content, data[body - 4 : body])
            self._take(data[at] & 0x0F, content, masked=bool(second & 0x80))
            at = after
        self._rest = data[at:]

    def _take(self, opcode: int, content: bytes, *, masked: bool) -> None:
        if opcode == _TEXT:
            self.received(content)
        elif opcode in (_CLOSE, _PING) and not self.transport.is_closing():
            # who is spoken to with masks is the server, and answers without
            mask = b"" if masked else b"\0\0\0\0"
            answer = 0x88 if opcode == _CLOSE else 0x8A
            self.transport.write(bytes((answer, (0 if masked else 0x80) | len(content))) + mask + content)
            if opcode == _CLOSE:
                self.transport.close()


class Server(Peer):
    """The end that was connected to. path: as it was asked for."""

    path = ""

    def shake_hands(self, head: bytes) -> bool:
        lines = head.split(b"\r\n")
        self.path = lines[0].split(b" ")[1].decode()
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"sec-websocket-key":
                accept = base64.b64encode(hashlib.sha1(value.strip() + _ACCEPT, usedforsecurity=False).digest())
                self.transport.write(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
                )
                return True
        return False


class Client(Peer):
    """The end that connects. request: the lines of the upgrade that are its own, such as a signature."""

    def __init__(self, host: str, path: str, headers: dict[str, str]) -> None:
        super().__init__()
        own = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        key = base64.b64encode(b"one key as good ").decode()
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{own}\r\n"
        ).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.write(self._request)

    def shake_hands(self, head: bytes) -> bool:
        return head.startswith(b"HTTP/1.1 101")
