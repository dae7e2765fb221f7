"""The door over real sockets: who comes in, what the others are told, and how sessions end."""

import asyncio
import base64
import json
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app.local.faculties import Faculties
from app.local.server import RealtimeServer
from tests.support.local_session import (
    Event,
    LoudnessDetector,
    ScriptedEars,
    ScriptedReply,
    SteadyMouth,
    silence,
    voice,
)
from tests.support.realtime_schema import server_faults

KEY = {"Authorization": "Bearer any"}


class Model:
    """A server on a free port, whose ears and replies are on a script."""

    def __init__(self, *, session_limit_s: float = 3600.0) -> None:
        self.ears = ScriptedEars()
        self.mouth = SteadyMouth()
        self.reply = ScriptedReply()
        faculties = Faculties(self.ears, self.mouth, self.reply, LoudnessDetector, math.inf)
        self.server = RealtimeServer(faculties, session_limit_s=session_limit_s)

    def connect(
        self,
        query: str = "?model=any",
        *,
        headers: dict[str, str] | None = None,
        subprotocols: Sequence[str] | None = None,
    ) -> connect:
        return connect(
            self.server.url + query,
            additional_headers=KEY if headers is None else headers,
            subprotocols=[Subprotocol(name) for name in subprotocols] if subprotocols else None,
            proxy=None,
        )


def run(scenario: Callable[[Model], Awaitable[None]], *, session_limit_s: float = 3600.0) -> None:
    async def whole() -> None:
        model = Model(session_limit_s=session_limit_s)
        before = asyncio.all_tasks()
        async with asyncio.timeout(20), model.server:
            await scenario(model)
        assert asyncio.all_tasks() == before, "nothing goes on behind a closed server"

    asyncio.run(whole())


async def receive(socket: ClientConnection) -> Event:
    event = json.loads(await socket.recv(decode=True))
    assert not server_faults(event), server_faults(event)
    return cast(Event, event)


async def until(socket: ClientConnection, kind: str) -> Event:
    while (event := await receive(socket))["type"] != kind:
        pass
    return event


@asynccontextmanager
async def session(model: Model) -> AsyncIterator[ClientConnection]:
    async with model.connect() as socket:
        assert (await receive(socket))["type"] == "session.created"
        yield socket


def test_a_conversation_over_a_socket() -> None:
    async def scenario(model: Model) -> None:
        model.ears.script = ["hello"]
        async with session(model) as socket:
            audio = base64.b64encode(voice(500) + silence(500)).decode()
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
            done = await until(socket, "response.done")
            assert isinstance(done["response"], dict)
            assert done["response"]["status"] == "completed"
            assert (await receive(socket))["type"] == "rate_limits.updated"

    run(scenario)


@pytest.mark.parametrize(
    ("query", "headers", "subprotocols", "code", "close_code", "reason"),
    [
        ("?model=any", {}, None, None, 3000, "invalid_request_error"),
        ("", KEY, None, "missing_model", 4000, "invalid_request_error.missing_model"),
        ("?model=", KEY, None, "missing_model", 4000, "invalid_request_error.missing_model"),
        (
            "?model=any",
            {**KEY, "OpenAI-Beta": "realtime=v1"},
            None,
            "beta_api_shape_disabled",
            4000,
            "invalid_request_error.beta_api_shape_disabled",
        ),
        (
            "?model=any",
            {},
            ["realtime", "openai-insecure-api-key.k", "openai-beta.realtime-v1"],
            "beta_api_shape_disabled",
            4000,
            "invalid_request_error.beta_api_shape_disabled",
        ),
    ],
)
def test_who_may_not_come_in_is_told_so_behind_the_upgrade(
    query: str,
    headers: dict[str, str],
    subprotocols: list[str] | None,
    code: str | None,
    close_code: int,
    reason: str,
) -> None:
    async def scenario(model: Model) -> None:
        async with model.connect(query, headers=headers, subprotocols=subprotocols) as socket:
            error = (await receive(socket))["error"]
            assert isinstance(error, dict)
            assert (error["type"], error["code"], error["event_id"]) == ("invalid_request_error", code, None)
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (close_code, reason)

    run(scenario)


def test_a_browser_brings_its_key_as_a_subprotocol() -> None:
    async def scenario(model: Model) -> None:
        offered = ["realtime", "openai-insecure-api-key.any"]
        async with model.connect(headers={}, subprotocols=offered) as socket:
            assert socket.subprotocol == "realtime"
            assert (await receive(socket))["type"] == "session.created"

    run(scenario)


def test_a_client_of_azure_brings_its_key_in_a_header_of_its_own() -> None:
    async def scenario(model: Model) -> None:
        async with model.connect(headers={"api-key": "any"}) as socket:
            assert (await receive(socket))["type"] == "session.created"

    run(scenario)


def test_elsewhere_there_is_nothing() -> None:
    async def scenario(model: Model) -> None:
        base = model.server.url.replace("ws://", "http://").removesuffix("/v1/realtime")
        async with httpx.AsyncClient(trust_env=False) as client:
            upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", **KEY}
            wrong = await client.get(f"{base}/v1/live?model=any", headers=upgrade)
            plain = await client.get(f"{base}/v1/realtime?model=any", headers=KEY)
        assert wrong.status_code == 404
        assert wrong.json()["error"]["type"] == "invalid_request_error"
        assert "/v1/realtime" in wrong.json()["error"]["message"]
        assert plain.status_code == 426

    run(scenario)


def test_nonsense_is_answered_and_the_session_goes_on() -> None:
    async def scenario(model: Model) -> None:
        async with session(model) as socket:
            for message, code in ((b"\x00\x01", "invalid_event"), ("{", "invalid_json")):
                await socket.send(message)
                error = (await receive(socket))["error"]
                assert isinstance(error, dict)
                assert error["code"] == code
            await socket.send(json.dumps({"type": "response.create"}))
            await until(socket, "response.done")

    run(scenario)


def test_a_session_expires() -> None:
    async def scenario(model: Model) -> None:
        async with session(model) as socket:
            error = (await receive(socket))["error"]
            assert isinstance(error, dict)
            assert (error["code"], error["event_id"]) == ("session_expired", None)
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, error["message"])

    run(scenario, session_limit_s=0.05)


def test_what_is_under_way_ends_with_the_socket() -> None:
    async def scenario(model: Model) -> None:
        model.ears.script = ["hello"]
        model.ears.hold.clear()
        model.mouth.hold.clear()
        async with model.connect() as socket:
            await socket.send(json.dumps({"type": "response.create"}))
            audio = base64.b64encode(voice(500) + silence(500)).decode()
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
            await until(socket, "input_audio_buffer.committed")
            socket.transport.abort()  # no goodbye: the line is cut

    run(scenario)


def test_closing_the_server_says_goodbye_to_its_clients() -> None:
    async def scenario(model: Model) -> None:
        async with session(model) as socket:
            await model.server.__aexit__(None, None, None)
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001

    run(scenario)


def test_our_own_mistake_ends_one_session_loudly_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(model: Model) -> None:
        async with session(model) as broken, session(model) as sound:
            model.reply.failure = LookupError("a mistake of ours")
            await broken.send(json.dumps({"type": "response.create"}))
            with pytest.raises(ConnectionClosed) as closed:
                await until(broken, "response.done")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011
            model.reply.failure = None
            await sound.send(json.dumps({"type": "response.create"}))
            await until(sound, "response.done")

    with caplog.at_level(logging.ERROR):
        run(scenario)
    assert "a mistake of ours" in caplog.text
