"""The carrier's end of the media WebSocket: opened as Twilio opens it, messages stamped as they arrive.

`websockets` does the handshake, TLS, pings and closing; what is ours is that a message is stamped in the transport's
callback (the play-out clock computes with arrival times, not with when a task came round to them) and that sending
writes at once.
"""

import asyncio
import socket
import ssl
import struct
import time
from collections import deque

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

from app.carrier.signature import sign
from app.carrier.webhooks import tls_context
from app.errors import StreamError

_LARGEST_BYTES = 16 * 1024 * 1024
_OPEN_S = 10.0
_CLOSE_S = 5.0
_STALLED_BUFFER_BYTES = 64 * 1024


class StreamRefusedError(StreamError):
    """The media socket could not be opened; `code` is Twilio's number for it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class MediaSocket(ClientConnection):
    """inbox: (time of arrival, text or binary message), oldest first; None: the end. Times are of `time.monotonic`."""

    def __init__(self, protocol: ClientProtocol, **options: object) -> None:
        super().__init__(protocol, **options)  # type: ignore[arg-type] # handed through as websockets gives them
        self.inbox: deque[tuple[float, str | bytes | None]] = deque()
        self._is_closed = False
        self._pieces: list[bytes] = []
        self._is_text = True
        self._roused: asyncio.Future[None] | None = None

    def process_event(self, event: Event) -> None:
        if self.response is None or not isinstance(event, Frame):
            super().process_event(event)
            return
        if event.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._is_text = event.opcode is Opcode.TEXT
        if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._pieces.append(bytes(event.data))
            if event.fin:
                whole = b"".join(self._pieces)
                self._pieces.clear()
                # a broken encoding is passed on as it can be read: it will not be JSON, and be warned about
                self.inbox.append((time.monotonic(), whole.decode(errors="replace") if self._is_text else whole))
                self.rouse()
            return
        if event.opcode is Opcode.CLOSE:
            self._note_closed()
        super().process_event(event)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._note_closed()

    def _note_closed(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.inbox.append((time.monotonic(), None))
        self.rouse()

    def write(self, text: str) -> None:
        """Make a text message ready for `flush`; nothing happens on a socket that is no longer open."""
        if self.protocol.state is State.OPEN:
            self.protocol.send_text(text.encode())

    def flush(self) -> None:
        """Send what was written, in one go, without waiting."""
        if self.protocol.state is State.OPEN and (pieces := self.protocol.data_to_send()):
            self.transport.write(b"".join(pieces))

    def stall(self) -> None:
        """Read no more: what the service sends fills its own buffers. Ours is made small, so that it soon does."""
        if not self.transport.is_closing():
            self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _STALLED_BUFFER_BYTES)
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read again, after `stall`; nothing happens without one."""
        self.transport.resume_reading()

    def drop(self) -> None:
        """Reset the connection: no close frame, and what is under way is lost."""
        if not self.transport.is_closing():
            self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _socket(self) -> socket.socket:
        transport_socket: socket.socket = self.transport.get_extra_info("socket")
        return transport_socket

    def rouse(self) -> None:
        """Let `wait_until` return."""
        if self._roused is not None and not self._roused.done():
            self._roused.set_result(None)

    async def wait_until(self, when: float) -> None:
        """Return at that time of `time.monotonic`, or as soon as something has arrived or the socket has closed."""
        if self.inbox:
            return
        self._roused = self.loop.create_future()
        timer = self.loop.call_later(max(0.0, when - time.monotonic()), self.rouse)
        try:
            await self._roused
        finally:
            timer.cancel()
            self._roused = None


async def open_media_socket(url: str, auth_token: str | None) -> MediaSocket:
    """Open a media socket with the very headers of Twilio: agent and signature; no origin, extension or subprotocol.

    Raises StreamRefusedError with Twilio's number for the reason.
    """
    headers = {"Accept-Encoding": "gzip"}
    if auth_token:
        headers["X-Twilio-Signature"] = sign(url, (), auth_token)
    secure = url.startswith("wss:")
    try:
        connection = await connect(
            url,
            create_connection=MediaSocket,
            additional_headers=headers,
            user_agent_header="Twilio.TmeWs/1.0",
            compression=None,
            proxy=None,
            open_timeout=_OPEN_S,
            close_timeout=_CLOSE_S,
            ping_interval=None,
            max_size=_LARGEST_BYTES,
            max_queue=None,
            ssl=tls_context(secure) if secure else None,
        )
    except InvalidURI as error:
        raise StreamRefusedError(31923, f"{url!r} is no WebSocket URL") from error
    except InvalidStatus as error:
        status = error.response.status_code
        raise StreamRefusedError(31920, f"{url}: the handshake was answered {status}, 101 is needed") from error
    except InvalidHandshake as error:
        raise StreamRefusedError(31920, f"{url}: {error}") from error
    except TimeoutError as error:
        raise StreamRefusedError(31901, f"{url}: not open within {_OPEN_S:.0f} s") from error
    except ssl.SSLError as error:
        raise StreamRefusedError(31910, f"{url}: {error}") from error
    except socket.gaierror as error:
        raise StreamRefusedError(31901, f"{url}: {error}") from error
    except OSError as error:
        raise StreamRefusedError(31902, f"{url}: {error}") from error
    if not isinstance(connection, MediaSocket):
        raise StreamRefusedError(31924, f"{url}: the connection is not of our making")
    return connection
