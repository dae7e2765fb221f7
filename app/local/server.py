"""The server's door: which URL, who may come in, and one session for each socket.

Faults of the opening are told as the vendor tells them: the upgrade succeeds, an `error` event follows, then a close
with a code of its own. Only an unknown path is an HTTP status.
"""

import asyncio
import http
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request
from websockets.http11 import Response as HttpResponse
from websockets.typing import Subprotocol

from app.local.faculties import Faculties
from app.local.protocol import Wire, encode, error_event, new_id
from app.local.realtime_session import RealtimeSession
from app.local.script_progress import Stage
from app.local.script_session import ScriptedSession
from app.local.script_steps import Close, Script
from app.local.shapes import RequestError

PATH = "/v1/realtime"
SESSION_LIMIT_S = 3600.0
_LARGEST_MESSAGE_BYTES = 24 << 20
"""15 MiB of audio, as the vendor allows in one append, in base64 and its envelope."""
_PING_S = 20.0
_SUBPROTOCOL = Subprotocol("realtime")
_KEY_SUBPROTOCOL = "openai-insecure-api-key."
_BETA_SUBPROTOCOL = "openai-beta."


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a client may not come in. code: of the `error` event; it and the close code are what clients match on."""

    code: str | None
    message: str
    close_code: int

    @property
    def close_reason(self) -> str:
        return f"invalid_request_error.{self.code}" if self.code else "invalid_request_error"


class Outbox:
    """Events on their way to one client, in order. Putting never waits; one task writes."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket
        self._waiting: deque[Wire | Close] = deque()
        self._something = asyncio.Event()

    def put(self, event: Wire | Close) -> None:
        """Send an event, or close the connection, as soon as the events before it are sent."""
        self._waiting.append(event)
        self._something.set()

    async def run(self) -> None:
        """Write until the socket is closed."""
        try:
            while True:
                await self._something.wait()
                self._something.clear()
                await self.flush()
        except ConnectionClosed:
            return  # the reader sees it too, and ends the session

    async def flush(self) -> None:
        """Write what waits."""
        while self._waiting:
            match self._waiting.popleft():
                case Close(code, reason):
                    if code is None:
                        self._socket.transport.abort()
                    else:
                        await self._socket.close(code, reason)
                case event:
                    await self._socket.send(encode(event))


class RealtimeServer:
    """`ws://HOST:PORT/v1/realtime`; use it as an async context manager, which listens while it is open.

    port 0 takes a free one. session_limit_s: after so long a session is told that it expired, and closed. script: what
    the model says and does, instead of the dialogue.
    """

    def __init__(
        self,
        faculties: Faculties,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        session_limit_s: float = SESSION_LIMIT_S,
        script: Script | None = None,
    ) -> None:
        self._faculties = faculties
        self._stage = None if script is None else Stage(script)
        self._host = host
        self._port = port
        self._session_limit_s = session_limit_s
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where it listens, `ws://127.0.0.1:43210/v1/realtime`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._port}{PATH}"

    async def __aenter__(self) -> Self:
        self._server = await listen(
            self._converse,
            self._host,
            self._port,
            process_request=_only_our_path,
            select_subprotocol=_select_subprotocol,
            compression=None,
            max_size=_LARGEST_MESSAGE_BYTES,
            ping_interval=_PING_S,
            ping_timeout=3 * _PING_S,
            close_timeout=2.0,
            server_header="dialtone",
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _converse(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        refusal = _refusal(socket.request)
        outbox = Outbox(socket)
        try:
            if refusal is not None:
                event = error_event(RequestError(refusal.code, refusal.message), None)
                outbox.put({"event_id": new_id("event"), **event})
                await outbox.flush()
                await socket.close(refusal.close_code, refusal.close_reason)
                return
            await self._hold_session(socket, outbox)
        except ConnectionClosed:
            return

    async def _hold_session(self, socket: ServerConnection, outbox: Outbox) -> None:
        assert socket.request is not None
        model = _query(socket.request)["model"][0]
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(outbox.run())
            session = self._new_session(model, outbox, tasks)
            session.open()
            try:
                async with asyncio.timeout(self._session_limit_s):
                    async for message in socket:
                        session.receive(message)
            except TimeoutError:
                await self._expire(socket, session, outbox)
            except ConnectionClosed:
                pass  # without a proper goodbye; the session ends all the same
            finally:
                session.close()
                writer.cancel()

    def _new_session(self, model: str, outbox: Outbox, tasks: asyncio.TaskGroup) -> RealtimeSession:
        expires_at = int(time.time() + self._session_limit_s)
        if self._stage is None:
            return RealtimeSession(model, self._faculties, expires_at=expires_at, emit=outbox.put, tasks=tasks)
        return ScriptedSession(
            model,
            self._faculties,
            self._stage,
            expires_at=expires_at,
            emit=outbox.put,
            leave=outbox.put,
            tasks=tasks,
        )

    async def _expire(self, socket: ServerConnection, session: RealtimeSession, outbox: Outbox) -> None:
        message = f"Your session hit the maximum duration of {self._session_limit_s / 60:g} minutes."
        session.close()
        session.tell_error("session_expired", message)
        await outbox.flush()
        await socket.close(1001, message)


def _query(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.path).query)


def _only_our_path(socket: ServerConnection, request: Request) -> HttpResponse | None:
    path = urlsplit(request.path).path
    if path.rstrip("/") == PATH:
        return None
    error: Wire = {
        "message": f"Not found: {path}. The realtime model is at {PATH}.",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
    body = msgspec.json.encode({"error": error})
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
    return HttpResponse(http.HTTPStatus.NOT_FOUND, "Not Found", headers, body)


def _select_subprotocol(socket: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return _SUBPROTOCOL if _SUBPROTOCOL in offered else None


def _refusal(request: Request) -> _Refusal | None:
    """Return why this client may not come in; None: it may. Any key will do, but there has to be one.

    Clients of OpenAI bring it as a bearer token or, in a browser, as a subprotocol; those of Azure in `api-key`.
    """
    offered = [name.strip() for line in request.headers.get_all("Sec-WebSocket-Protocol") for name in line.split(",")]
    _, _, key = request.headers.get("Authorization", "").partition(" ")
    has_key = bool(key.strip() or request.headers.get("api-key", "").strip()) or any(
        name.startswith(_KEY_SUBPROTOCOL) for name in offered
    )
    if not has_key:
        return _Refusal(
            None, "Missing bearer authentication: send the header 'Authorization: Bearer KEY'; any key will do.", 3000
        )
    beta = request.headers.get("OpenAI-Beta", "")
    if "realtime" in beta or any(name.startswith(_BETA_SUBPROTOCOL) for name in offered):
        return _Refusal(
            "beta_api_shape_disabled",
            "The beta shape of the Realtime API is not served: leave out the OpenAI-Beta header and use the GA events.",
            4000,
        )
    if not _query(request).get("model"):
        return _Refusal(
            "missing_model", f"You must provide a model parameter: {PATH}?model=NAME; any name will do.", 4000
        )
    return None
