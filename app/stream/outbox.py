"""A stream's socket under any ASGI server: one reader, one outbox, one writer."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from app.stream.receiver import STALLED_BYTES, Receiver

_CLOSE_S = 10.0
"""How long the last messages and the close may take; a peer that has stopped reading would hold them for ever."""
_SERVICE_RESTART = 1012
"""The code under which uvicorn ends the sockets that are open when it stops."""


class OutboxSocket:
    """A StreamSocket. Its reader and its writer live as long as its `async with`, which sends what still waits."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._receiver: Receiver | None = None
        self._attached = asyncio.Event()
        self._outbox: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._news = asyncio.Event()
        self._closing: tuple[int, str] | None = None
        self._is_gone = False

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read(), name="stream reader")
        self._writer = asyncio.create_task(self._write(), name="stream writer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(1000)
        try:
            if not self._is_gone:
                await asyncio.wait((self._writer,), timeout=_CLOSE_S)
        finally:
            self._reader.cancel()
            self._writer.cancel()
            ends = await asyncio.gather(self._reader, self._writer, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and error is None:
                raise end  # a mistake of ours; what the peer may do is answered below

    def attach(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._attached.set()

    def send_texts(self, *texts: bytes) -> None:
        if self._closing is not None or self._is_gone:
            return
        self._outbox.extend(texts)
        self._waiting_bytes += sum(map(len, texts))
        self._news.set()
        if self._waiting_bytes > STALLED_BYTES and self._receiver is not None:
            self._receiver.stalled()

    def close(self, code: int, reason: str = "") -> None:
        self._receiver = None
        if self._closing is None:
            self._closing = (code, reason)
            self._news.set()

    async def _read(self) -> None:
        await self._attached.wait()
        try:
            while self._receiver is not None:
                message = await self._websocket.receive()
                receiver = self._receiver
                if receiver is None:
                    return
                if message["type"] == "websocket.disconnect":
                    self._tell_gone(by_us=message.get("code") == _SERVICE_RESTART)
                    return
                text = message.get("text")
                if text is not None:
                    receiver.receive_text(text.encode())
                else:
                    receiver.receive_binary(len(message.get("bytes") or b""))
        except WebSocketDisconnected:
            self._tell_gone(by_us=False)  # the writer has found out first
        finally:
            if self._receiver is not None:
                self._tell_gone(by_us=False)  # nobody reads any more, whatever the reason

    async def _write(self) -> None:
        try:
            while True:
                while self._outbox:
                    text = self._outbox[0]
                    await self._websocket.send_text(text.decode())
                    self._outbox.popleft()
                    self._waiting_bytes -= len(text)
                if self._closing is not None:
                    await self._websocket.close(*self._closing)
                    return
                self._news.clear()
                await self._news.wait()
        except (WebSocketDisconnect, OSError, RuntimeError):
            # the last is how starlette and uvicorn refuse what comes behind a close, whoever has closed
            self._tell_gone(by_us=False)

    def _tell_gone(self, *, by_us: bool) -> None:
        self._is_gone = True
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.gone(by_us=by_us)
