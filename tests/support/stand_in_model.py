"""A realtime model on a real loopback socket that does what a test says, and otherwise what the vendor's server does.

It checks every event it is sent against the vendor's schema, and leaving the context fails if one was wrong. Its own
events are checked too, and made as awkward as real ones are: `obfuscation` in every delta, null for what is not set.

    async with StandInModel() as model:
        ...                                            # something connects to model.url
        connection = await model.next_connection()     # greeted, its session.update confirmed
        await connection.expect("response.create")
        reply = await connection.reply("Good morning.", ms=1200)
        await connection.caller_speaks(audio_start_ms=800)

With a `provider` it keeps that one's door and wording; whatever that is, the test reads and writes GA events.
"""

import asyncio
import base64
import http
import itertools
import json
import ssl
from array import array
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.support.model_events import (
    BYTES_PER_MS,
    Wire,
    error_body,
    function_call_item,
    message_item,
    response_object,
    session_object,
    tone,
)
from tests.support.realtime_schema import client_faults, server_faults
from tests.support.stand_in_providers import (
    LENIENT,
    Denial,
    Door,
    Provider,
    assistant_content,
    beta_key,
    catalogue_answer,
    from_beta,
    to_beta,
)

PATIENCE_S = 30.0
LOUD = 3_000
"""Of 32,767: far over the noise of a line, well under a voice."""
CERTIFICATE = Path(__file__).parent / "loopback.pem"
"""Its own authority: a client that is to trust it is given it as SSL_CERT_FILE."""


class Reply:
    """One response of one spoken item, played step by step; `StandInConnection.reply` plays a whole one."""

    def __init__(self, connection: "StandInConnection", response_id: str, item_id: str) -> None:
        self.response_id = response_id
        self.item_id = item_id
        self.audio_ms = 0
        self.text = ""
        self._connection = connection

    async def begin(self) -> None:
        """Send everything up to the first audio."""
        send = self._connection.send
        await send({"type": "response.created", "response": self._response("in_progress")})
        item = self._item("in_progress", said=False)
        await send(self._part("response.output_item.added", item=item, output_index=0))
        await send({"type": "conversation.item.added", "previous_item_id": None, "item": item})
        await send(self._content("response.content_part.added", part={"type": "audio", "transcript": ""}))

    async def words(self, text: str) -> None:
        self.text += text
        await self._connection.send(self._content("response.output_audio_transcript.delta", delta=text))

    async def audio(self, pcm: bytes) -> None:
        """Send one delta."""
        self.audio_ms += len(pcm) // BYTES_PER_MS
        delta = base64.b64encode(pcm).decode()
        await self._connection.send(self._content("response.output_audio.delta", delta=delta))

    async def end(self, status: str = "completed", details: Wire | None = None) -> None:
        """Send everything from the last audio on, as the server does for a cancelled response too."""
        send = self._connection.send
        item = self._item("completed" if status == "completed" else "incomplete", said=True)
        await send(self._content("response.output_audio.done"))
        await send(self._content("response.output_audio_transcript.done", transcript=self.text))
        await send(self._content("response.content_part.done", part={"type": "audio", "transcript": self.text}))
        await send({"type": "conversation.item.done", "previous_item_id": None, "item": item})
        await send(self._part("response.output_item.done", item=item, output_index=0))
        await send({"type": "response.done", "response": self._response(status, details, [item])})
        self._connection.close_reply(self)

    def _response(self, status: str, details: Wire | None = None, output: list[Wire] | None = None) -> Wire:
        return response_object(self.response_id, status, details, output or [], self.audio_ms)

    def _item(self, status: str, *, said: bool) -> Wire:
        content: list[Wire] = [{"type": "output_audio", "transcript": self.text}] if said else []
        return message_item(self.item_id, "assistant", content, status)

    def _part(self, kind: str, **fields: object) -> Wire:
        return {"type": kind, "response_id": self.response_id, **fields}

    def _content(self, kind: str, **fields: object) -> Wire:
        return self._part(kind, item_id=self.item_id, output_index=0, content_index=0, **fields)


class StandInConnection:
    """The server's side of one session."""

    def __init__(
        self,
        socket: ServerConnection,
        faults: list[str],
        *,
        answers: bool,
        provider: Provider = LENIENT,
        unknown_settings: frozenset[str] = frozenset(),
    ) -> None:
        self.received: list[Wire] = []
        """Every event of the client but the appends, in GA's words."""
        self.audio = bytearray()
        """What was appended."""
        self.appends = 0
        self.session: Wire = session_object()
        self.replies: list[Reply] = []
        """The responses under way."""
        self._socket = socket
        self._faults = faults
        self._answers = answers
        self._provider = provider
        self.unknown_settings = unknown_settings
        """Settings, dotted, for which a whole session.update is refused."""
        self.pinned: Wire = {}
        """Settings that stay as they are, whatever an update says."""
        self.agent_spellings: list[str] = []
        """The type of every assistant's content that came, as it came."""
        self.temperature = 0.8
        """Under the beta: as the last session.update left it."""
        self.tolerates_ga_text = False
        """Under the beta: an assistant's content may be called as GA calls it."""
        self._refusals: dict[str, list[Wire]] = {}
        self._read = 0
        self._arrived = asyncio.Condition()
        self._ids = itertools.count(1)
        self._is_closed = False

    @property
    def path(self) -> str:
        assert self._socket.request is not None
        return urlsplit(self._socket.request.path).path

    @property
    def query(self) -> dict[str, list[str]]:
        assert self._socket.request is not None
        return parse_qs(urlsplit(self._socket.request.path).query)

    @property
    def headers(self) -> Mapping[str, str]:
        assert self._socket.request is not None
        return self._socket.request.headers

    @property
    def audio_ms(self) -> int:
        return len(self.audio) // BYTES_PER_MS

    @property
    def close_code(self) -> int | None:
        """The client's close code, once the connection is closed."""
        return self._socket.close_code

    # --- what the client says -----------------------------------------------------------------------------------------

    async def expect(self, kind: str) -> Wire:
        """Return the client's next event (appends apart), which must be of this type."""
        event = await self._next()
        assert event["type"] == kind, f"expected {kind}, came {event}"
        return event

    async def wait_for(self, kind: str) -> Wire:
        """Return the client's next event of this type, passing over others."""
        while True:
            event = await self._next()
            if event["type"] == kind:
                return event

    async def hear(self, ms: int) -> None:
        """Return when the client has appended so much audio in all."""
        await self._until(lambda: self.audio_ms >= ms, f"{ms} ms of audio")

    async def hear_voice(self) -> None:
        """Return when what is appended from now on is loud."""
        begin = len(self.audio)
        await self._until(lambda: max(array("h", bytes(self.audio[begin:])), default=0) > LOUD, "a voice")

    async def hear_quiet(self, ms: int = 700) -> None:
        """Return when what was appended last is so much without a voice."""
        size = ms * BYTES_PER_MS
        await self._until(lambda: max(array("h", bytes(self.audio[-size:])), default=0) < LOUD, "a pause")

    async def closed(self) -> int | None:
        """Return the close code when the connection is gone."""
        async with asyncio.timeout(PATIENCE_S):
            await self._socket.wait_closed()
        return self._socket.close_code

    def unread(self) -> list[Wire]:
        """Return the events that no `expect` has asked for yet."""
        return self.received[self._read :]

    async def _next(self) -> Wire:
        await self._until(lambda: len(self.received) > self._read, "an event")
        self._read += 1
        return self.received[self._read - 1]

    async def _until(self, is_so: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S), self._arrived:
                await self._arrived.wait_for(lambda: is_so() or self._is_closed)
        except TimeoutError as error:
            raise AssertionError(f"waited {PATIENCE_S} s for {what}; unread: {self.unread()}") from error
        assert is_so(), f"the client left ({self.close_code}) while {what} was awaited"

    # --- what we say --------------------------------------------------------------------------------------------------

    async def send(self, event: Wire, *, checked: bool = True) -> None:
        """Send an event; its event_id is added, and obfuscation to deltas. checked: it must keep to the schema."""
        event = {"type": event["type"], "event_id": f"event_{next(self._ids)}", **event}
        if str(event["type"]).endswith(".delta"):
            event["obfuscation"] = "x7Fq"
        if checked:
            faults = server_faults(event)
            assert not faults, faults
        for worded in to_beta(event, self.temperature) if self._provider.is_beta else (event,):
            await self.send_raw(json.dumps(worded))

    async def send_raw(self, message: str | bytes) -> None:
        try:
            await self._socket.send(message)
        except ConnectionClosed:
            pass  # the client has gone: what it misses is its business

    async def refuse(self, event: Wire, code: str | None, message: str = "No.", **fields: object) -> None:
        """Answer an event with an error that names it."""
        await self.fail(code, message, event_id=event.get("event_id"), **fields)

    async def fail(self, code: str | None, message: str = "No.", **fields: object) -> None:
        """Send an error; fields: type, param, event_id."""
        await self.send({"type": "error", "error": error_body(code, message, **fields)})

    def refuse_next(self, kind: str, **error: object) -> None:
        """Answer the client's next event of this type with an error instead. error: its fields, code and so on.

        event_id: None leaves it out of the error, as the server does now and then.
        """
        self._refusals.setdefault(kind, []).append(error)

    async def begin_reply(self, response_id: str | None = None, item_id: str | None = None) -> Reply:
        number = next(self._ids)
        reply = Reply(self, response_id or f"resp_{number}", item_id or f"item_reply_{number}")
        self.replies.append(reply)
        await reply.begin()
        return reply

    async def reply(self, words: str = "Hello there.", *, ms: int = 1000, delta_ms: int = 200) -> Reply:
        """Say something from beginning to end, as fast as it goes."""
        reply = await self.begin_reply()
        pcm = tone(ms)
        for text in words.split(" "):
            await reply.words(text + " ")
        for at in range(0, len(pcm), delta_ms * BYTES_PER_MS):
            await reply.audio(pcm[at : at + delta_ms * BYTES_PER_MS])
        await reply.end()
        return reply

    async def reply_in_text(self, text: str = "It is on its way.") -> str:
        """Say something without a sound; return the item."""
        number = next(self._ids)
        response_id, item_id = f"resp_{number}", f"item_text_{number}"
        item = message_item(item_id, "assistant", [{"type": "output_text", "text": text}])
        where: Wire = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
        await self.send({"type": "response.created", "response": response_object(response_id, "in_progress")})
        await self.send({"type": "conversation.item.added", "previous_item_id": None, "item": item})
        await self.send({"type": "response.output_text.delta", **where, "delta": text})
        await self.send({"type": "response.output_text.done", **where, "text": text})
        whole: Wire = {"response_id": response_id, "output_index": 0, "item": item}
        await self.send({"type": "response.output_item.done", **whole})
        done = response_object(response_id, "completed", None, [item])
        await self.send({"type": "response.done", "response": done})
        return item_id

    async def call_tool(
        self, name: str, arguments: Wire, *, call_id: str | None = None, status: str = "completed"
    ) -> str:
        """Send a response that consists of a tool call; return its call_id."""
        number = next(self._ids)
        response_id, item_id, call_id = f"resp_{number}", f"item_call_{number}", call_id or f"call_{number}"
        text = json.dumps(arguments)

        def item(state: str, written: str) -> Wire:
            return function_call_item(item_id, call_id, name, written, state)

        ids: Wire = {"response_id": response_id, "output_index": 0}
        about: Wire = {**ids, "item_id": item_id, "call_id": call_id}
        await self.send({"type": "response.created", "response": response_object(response_id, "in_progress")})
        await self.send({"type": "response.output_item.added", **ids, "item": item("in_progress", "")})
        await self.send({"type": "conversation.item.added", "previous_item_id": None, "item": item("in_progress", "")})
        await self.send({"type": "response.function_call_arguments.delta", **about, "delta": text})
        await self.send({"type": "response.function_call_arguments.done", **about, "name": name, "arguments": text})
        await self.send({"type": "conversation.item.done", "previous_item_id": None, "item": item(status, text)})
        await self.send({"type": "response.output_item.done", **ids, "item": item(status, text)})
        over = "completed" if status == "completed" else "cancelled"
        done = response_object(response_id, over, None, [item(status, text)])
        await self.send({"type": "response.done", "response": done})
        return call_id

    async def caller_speaks(self, *, audio_start_ms: int | None = None, item_id: str | None = None) -> str:
        """Say that the caller has begun to speak; return the id of the item that it will be."""
        item_id = item_id or f"item_caller_{next(self._ids)}"
        start_ms = self.audio_ms if audio_start_ms is None else audio_start_ms
        await self.send({"type": "input_audio_buffer.speech_started", "item_id": item_id, "audio_start_ms": start_ms})
        return item_id

    async def caller_stops(self, item_id: str, *, audio_end_ms: int | None = None) -> None:
        """Say that the caller's turn is over, and commit it."""
        end_ms = self.audio_ms if audio_end_ms is None else audio_end_ms
        await self.send({"type": "input_audio_buffer.speech_stopped", "item_id": item_id, "audio_end_ms": end_ms})
        await self.send({"type": "input_audio_buffer.committed", "item_id": item_id, "previous_item_id": None})
        item = message_item(item_id, "user", [{"type": "input_audio", "transcript": None}])
        await self.send({"type": "conversation.item.added", "previous_item_id": None, "item": item})
        await self.send({"type": "conversation.item.done", "previous_item_id": None, "item": item})

    async def transcribe(self, item_id: str, text: str) -> None:
        """Say what the caller's turn was, in words."""
        about: Wire = {"item_id": item_id, "content_index": 0}
        kind = "conversation.item.input_audio_transcription"
        usage: Wire = {"type": "tokens", "total_tokens": 25, "input_tokens": 20, "output_tokens": 5}
        await self.send({"type": f"{kind}.delta", **about, "delta": text})
        await self.send({"type": f"{kind}.completed", **about, "transcript": text, "usage": usage})

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._socket.close(code, reason)

    def drop(self) -> None:
        """Break the connection off without a word: the client sees 1006."""
        self._socket.transport.abort()

    def stop_reading(self) -> None:
        """Leave what the client sends in the network's buffers from here on."""
        self._socket.transport.pause_reading()

    def close_reply(self, reply: Reply) -> None:
        if reply in self.replies:
            self.replies.remove(reply)

    # --- what we do by ourselves --------------------------------------------------------------------------------------

    async def greet(self) -> None:
        await self.send({"type": "session.created", "session": self.session})

    async def serve(self) -> None:
        """Take in the client's events until it leaves."""
        try:
            async for message in self._socket:
                await self._take(message)
        except ConnectionClosed:
            pass  # how it left is in close_code
        finally:
            self._is_closed = True
            async with self._arrived:
                self._arrived.notify_all()

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self._faults.append("a binary message")
            return
        event: Wire = json.loads(message)
        if event["type"] == "conversation.item.create":
            self.agent_spellings += assistant_content(event)
        if self._provider.is_beta:
            session = event.get("session")
            if isinstance(session, dict):
                self.temperature = session.get("temperature", self.temperature)
            event = from_beta(event, [] if self.tolerates_ga_text else self._faults)
        # Appends are many and all alike: of those with the usual keys the first few are held against the schema.
        if self.appends < 10 or event.keys() != {"type", "audio"}:
            self._faults.extend(client_faults(event))
        if event["type"] == "input_audio_buffer.append":
            self.appends += 1
            self.audio += base64.b64decode(str(event["audio"]), validate=True)
        else:
            if not event.get("event_id"):
                self._faults.append(f"no event_id: {event}")
            self.received.append(event)
            await self._answer(event)
        async with self._arrived:
            self._arrived.notify_all()

    async def _answer(self, event: Wire) -> None:
        refusals = self._refusals.get(str(event["type"]))
        if refusals:
            error = {**error_body("invalid_value", event_id=event.get("event_id")), **refusals.pop(0)}
            await self.send({"type": "error", "error": error})
        elif event["type"] == "session.update" and (unknown := self._unknown_setting(event)):
            param = f"session.{beta_key(unknown) if self._provider.is_beta else unknown}"
            await self.refuse(event, "unknown_parameter", f"Unknown parameter: '{param}'.", param=param)
        elif self._answers and event["type"] in _ANSWERS:
            await _ANSWERS[str(event["type"])](self, event)

    def _unknown_setting(self, event: Wire) -> str | None:
        for path in sorted(self.unknown_settings):
            value: object = event["session"]
            for step in path.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            if value is not None:
                return path
        return None


def _merged(old: Wire, new: Wire) -> Wire:
    merged = dict(old)
    for key, value in new.items():
        before = merged.get(key)
        if key in ("audio", "input", "output") and isinstance(before, dict) and isinstance(value, dict):
            merged[key] = _merged(before, value)
        else:
            merged[key] = value
    return merged


async def _update_session(connection: StandInConnection, event: Wire) -> None:
    session = event["session"]
    assert isinstance(session, dict)
    connection.session = _merged(_merged(connection.session, session), connection.pinned)
    await connection.send({"type": "session.updated", "session": connection.session})


async def _create_item(connection: StandInConnection, event: Wire) -> None:
    given = event["item"]
    assert isinstance(given, dict)
    item = {"object": "realtime.item", "status": "completed", **given}
    for kind in ("conversation.item.added", "conversation.item.done"):
        await connection.send({"type": kind, "previous_item_id": None, "item": item})


async def _truncate_item(connection: StandInConnection, event: Wire) -> None:
    kept = {key: event[key] for key in ("item_id", "content_index", "audio_end_ms")}
    await connection.send({"type": "conversation.item.truncated", **kept})


async def _delete_item(connection: StandInConnection, event: Wire) -> None:
    await connection.send({"type": "conversation.item.deleted", "item_id": event["item_id"]})


async def _cancel_response(connection: StandInConnection, event: Wire) -> None:
    wanted = event.get("response_id")
    for reply in connection.replies:
        if wanted in (None, reply.response_id):
            await reply.end("cancelled", {"type": "cancelled", "reason": "client_cancelled"})
            return
    message = "Cancellation failed: no active response found"
    await connection.refuse(event, "response_cancel_not_active", message)


_ANSWERS: Mapping[str, Callable[[StandInConnection, Wire], Awaitable[None]]] = {
    "session.update": _update_session,
    "conversation.item.create": _create_item,
    "conversation.item.truncate": _truncate_item,
    "conversation.item.delete": _delete_item,
    "response.cancel": _cancel_response,
}


class StandInModel:
    """Listens on a free loopback port while its context is open.

    answers: greets, confirms settings, takes items, truncates, deletes and cancels by itself; otherwise the test sends
    every event. refuse_with: an HTTP status that upgrades are refused with; may be changed between connections.
    on_connect: what to do instead of greeting, such as an error and a close. over_tls: with the tests' own certificate.
    provider: whose door and wording it keeps. unknown_settings: dotted GA names that it refuses a session.update for.
    """

    def __init__(
        self,
        *,
        answers: bool = True,
        refuse_with: int | None = None,
        on_connect: Callable[[StandInConnection], Awaitable[None]] | None = None,
        over_tls: bool = False,
        provider: Provider = LENIENT,
        unknown_settings: frozenset[str] = frozenset(),
    ) -> None:
        self.answers = answers
        self.refuse_with = refuse_with
        self.on_connect = on_connect
        self.over_tls = over_tls
        self.provider = provider
        self.unknown_settings = unknown_settings
        self.asked: list[str] = []
        """Paths that were asked for by plain HTTP."""
        self.connections: list[StandInConnection] = []
        self.upgrades = 0
        """How often somebody knocked, refused or not."""
        self.faults: list[str] = []
        """What was wrong with the client's events, by the schema."""
        self._fresh: asyncio.Queue[StandInConnection] = asyncio.Queue()
        self._server: Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None, "the context is not open"
        port = next(iter(self._server.sockets)).getsockname()[1]
        assert isinstance(port, int)
        return port

    @property
    def base_url(self) -> str:
        """What a setting such as OPENAI_BASE_URL would be."""
        return f"{'https' if self.over_tls else 'http'}://127.0.0.1:{self.port}{self.provider.base_path}"

    @property
    def url(self) -> str:
        """The realtime socket's address, without a model's name."""
        return f"{'wss' if self.over_tls else 'ws'}://127.0.0.1:{self.port}{self.provider.path}"

    async def next_connection(self) -> StandInConnection:
        """Return the next session that was opened; its first session.update is not read yet."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._fresh.get()
        except TimeoutError as error:
            raise AssertionError(f"nobody connected within {PATIENCE_S} s") from error

    async def __aenter__(self) -> Self:
        tls = None
        if self.over_tls:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(CERTIFICATE)
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._admit,
            compression=None,
            max_size=None,
            ping_interval=None,
            close_timeout=1,
            ssl=tls,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        for connection in self.connections:
            if connection.close_code is None:
                connection.drop()
        self._server.close()
        await self._server.wait_closed()
        if kind is None:
            assert not self.faults, self.faults

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if self.provider.has_catalogue and path.startswith("/v1/models"):
            self.asked.append(path)
            status, body = catalogue_answer(path, request.headers.get("Authorization", ""))
            return socket.respond(http.HTTPStatus(status), json.dumps(body))
        self.upgrades += 1
        if self.refuse_with is not None:
            return socket.respond(http.HTTPStatus(self.refuse_with), "no")
        if path != self.provider.path:
            return socket.respond(http.HTTPStatus.NOT_FOUND, "")
        denial = self._denial(request)
        if denial is not None and denial.status != 101:
            return socket.respond(http.HTTPStatus(denial.status), denial.body)
        return None

    def _denial(self, request: Request) -> Denial | None:
        address = urlsplit(request.path)
        return self.provider.deny(Door(address.path, parse_qs(address.query), request.headers))

    async def _serve(self, socket: ServerConnection) -> None:
        connection = StandInConnection(
            socket,
            self.faults,
            answers=self.answers,
            provider=self.provider,
            unknown_settings=self.unknown_settings,
        )
        assert socket.request is not None
        denial = self._denial(socket.request)
        if denial is not None:
            await connection.fail(denial.code, type=denial.kind)
            await connection.close(denial.close_code, f"{denial.kind}.{denial.code}")
            return
        self.connections.append(connection)
        self._fresh.put_nowait(connection)
        if self.on_connect is not None:
            await self.on_connect(connection)
        elif self.answers:
            await connection.greet()
        await connection.serve()
