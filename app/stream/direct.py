"""uvicorn's sans-I/O WebSocket protocol, with a straight way for a phone call's messages.

Between the bytes of a frame and the leg uvicorn has the websockets parser (a generator), a queue, a task switch and a
pause of the transport, which for fifty messages a second and call cost more than all the rest together. Here whole,
final text frames are taken from the bytes as they arrive and handed to the attached receiver in the same callback, and
what is sent goes to the transport with its header. Everything else stays the library's: the handshake, control frames,
fragments, whatever breaks the protocol, the closing; and all messages while nobody is attached.

For that the library is given whole frames only, so that it always stands between two frames (`_framing`). Where that
cannot be told, or a frame is unusual, the rest of the connection goes its way, and only the queue is left out.

RFC 6455 §5.2 is the frame. Built on uvicorn 0.54 and websockets 17; pyproject.toml bounds both.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import OPEN

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without a wheel of websockets
    from websockets.utils import apply_mask

from app.stream.receiver import MAX_MESSAGE_BYTES, STALLED_BYTES, Receiver

EXTENSION = "dialtone.direct"
"""The ASGI extension under which an application finds this protocol in its scope."""

_FINAL_TEXT = 0x81
_MASKED = 0x80
_SHORT = 126
_LONG = 127
_HEADERS = tuple(bytes((_FINAL_TEXT, size)) for size in range(_SHORT))


class DirectProtocol(WebSocketsSansIOProtocol):
    """A StreamSocket. Give the class to uvicorn: `Config(app, ws=DirectProtocol)`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],  # Any: uvicorn's lifespan state, handed through
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._receiver: Receiver | None = None
        self._framing = False
        self._rest = b""  # the beginning of a frame whose end has not come

    # --- StreamSocket -------------------------------------------------------------------------------------------------

    def attach(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.conn.max_message_size = MAX_MESSAGE_BYTES
        self.transport.set_write_buffer_limits(high=STALLED_BYTES)
        while not self.queue.empty():  # what came between accept and attach
            event = self.queue.get_nowait()
            if event["type"] == "websocket.receive":
                text = event.get("text")
                if text is not None:
                    receiver.receive_text(text.encode())
                else:
                    receiver.receive_binary(len(event.get("bytes") or b""))
            elif event["type"] == "websocket.disconnect":
                receiver.gone(by_us=False)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def send_texts(self, *texts: bytes) -> None:
        if self._receiver is None:  # closed, or the peer is gone
            return
        parts: list[bytes] = []
        for text in texts:
            size = len(text)
            if size < _SHORT:
                parts.append(_HEADERS[size])
            elif size < 1 << 16:
                parts.append(b"\x81\x7e" + size.to_bytes(2, "big"))
            else:
                parts.append(b"\x81\x7f" + size.to_bytes(8, "big"))
            parts.append(text)
        self.transport.write(b"".join(parts))  # at once: what costs is the call into the kernel

    def close(self, code: int, reason: str = "") -> None:
        self._receiver = None
        if self.close_sent or self.disconnected or self.conn.state is not OPEN:
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        # as uvicorn's own close, but a peer that has stopped reading cannot hold the connection open
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    # --- what arrives -------------------------------------------------------------------------------------------------

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions = self.scope["extensions"]
            assert extensions is not None
            extensions[EXTENSION] = self  # type: ignore[assignment]  # uvicorn types this dict for its own extensions

    def data_received(self, data: bytes) -> None:
        if not self._framing:
            before_handshake = not self.handshake_initiated
            super().data_received(data)
            # nothing behind the handshake's last byte: the next byte begins a frame
            self._framing = before_handshake and self.handshake_initiated and not self.conn.reader.buffer
            return
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 6:  # two bytes of header and four of mask
            second = data[at + 1]
            header, size = 6, second & ~_MASKED
            if size == _SHORT:
                if end - at < 8:
                    break
                header, size = 8, data[at + 2] << 8 | data[at + 3]
            limit = self.conn.max_message_size
            if second < _MASKED or (size == _LONG and header == 6) or (limit is not None and size > limit):
                # not masked, or long, or too long: the library knows what to do
                self._framing = False
                self._rest = b""
                super().data_received(data[at:])
                return
            body, after = at + header, at + header + size
            if after > end:
                break
            receiver = self._receiver
            if receiver is not None and data[at] == _FINAL_TEXT and self.conn.current_size is None:
                receiver.receive_text(apply_mask(data[body:after], data[body - 4 : body]))
            else:
                super().data_received(data[at:after])
                if self.transport.is_closing():
                    return
            at = after
        self._rest = data[at:]

    def send_receive_event_to_app(self) -> None:
        receiver = self._receiver
        if receiver is None:
            super().send_receive_event_to_app()
            return
        frames, self.frames = self.frames, []
        if self.curr_msg_data_type == "text":
            receiver.receive_text(b"".join(frames))
        else:
            receiver.receive_binary(sum(map(len, frames)))

    # --- what becomes of the connection -------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._receiver is not None:
            self._receiver.stalled()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._tell_gone(by_us=False)

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        self._tell_gone(by_us=False)

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._tell_gone(by_us=False)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._tell_gone(by_us=False)
        self.transport.abort()  # what waits unsent to a dead peer would hold a polite close for minutes

    def shutdown(self) -> None:
        super().shutdown()
        self._tell_gone(by_us=True)

    def _tell_gone(self, *, by_us: bool) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.gone(by_us=by_us)
