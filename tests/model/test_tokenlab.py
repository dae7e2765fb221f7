"""TokenLab's catalogue: asked before the socket, kept for a while, and never the reason that a call is lost."""

import asyncio
import json

import pytest

from app.model.dialects import tokenlab_target
from app.model.opening import ConnectError
from app.model.tokenlab import KEPT_S, REFUSAL_KEPT_S, Catalogue
from tests.support.model_leg import opened, run
from tests.support.stand_in_model import StandInModel
from tests.support.stand_in_providers import CHAT_ONLY, NO_SUCH_MODEL, OPENAI, TOKENLAB


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def catalogue(model: StandInModel, name: str, clock: Clock, key: str = "sk-test") -> Catalogue:
    return Catalogue(model.base_url, {"Authorization": f"Bearer {key}"}, name, clock)


def test_the_models_detail_is_asked_before_the_socket_and_then_kept() -> None:
    async def scenario() -> None:
        async with StandInModel(provider=TOKENLAB) as model:
            clock = Clock()
            subject = catalogue(model, "gpt-realtime-2.1", clock)
            for _ in range(3):
                assert await subject.confirm() == {}
            assert model.asked == ["/v1/models/gpt-realtime-2.1"]
            clock.at += KEPT_S
            await subject.confirm()
            assert len(model.asked) == 2
            assert model.upgrades == 0

    run(scenario())


@pytest.mark.parametrize("name", [CHAT_ONLY, NO_SUCH_MODEL])
def test_a_model_without_realtime_is_refused_with_those_that_have_it(name: str) -> None:
    async def scenario() -> None:
        async with StandInModel(provider=TOKENLAB) as model:
            clock = Clock()
            subject = catalogue(model, name, clock)
            for _ in range(2):
                with pytest.raises(ConnectError) as raised:
                    await subject.confirm()
                assert (raised.value.reason, raised.value.is_final) == ("model_without_realtime", True)
                for other in ("gpt-realtime-2.1", "gpt-realtime-mini"):
                    assert other in str(raised.value)
                assert f"{CHAT_ONLY}," not in str(raised.value).partition("are: ")[2]
            assert model.asked == [f"/v1/models/{name}", "/v1/models"]
            clock.at += REFUSAL_KEPT_S  # it may have been added since
            with pytest.raises(ConnectError):
                await subject.confirm()
            assert len(model.asked) == 4

    run(scenario())


def test_a_key_that_the_catalogue_refuses_is_refused_for_good() -> None:
    async def scenario() -> None:
        async with StandInModel(provider=TOKENLAB) as model:
            with pytest.raises(ConnectError) as raised:
                await catalogue(model, "gpt-realtime-2.1", Clock(), key="sk-wrong").confirm()
            assert (raised.value.reason, raised.value.is_final) == ("http_401", True)

    run(scenario())


def test_a_catalogue_that_cannot_be_asked_leaves_the_word_to_the_socket() -> None:
    async def scenario() -> None:
        async with StandInModel() as gone:
            base_url = gone.base_url
        assert await Catalogue(base_url, {}, "gpt-realtime-2.1").confirm() == {}
        # A server with no catalogue at all answers such a request with something else than a detail.
        async with StandInModel(provider=OPENAI, refuse_with=503) as model:
            assert await catalogue(model, "gpt-realtime-2.1", Clock()).confirm() == {}

    run(scenario())


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_the_base_url_may_be_written_for_either_protocol(scheme: str) -> None:
    async def scenario() -> None:
        async with StandInModel(provider=TOKENLAB) as model:
            base_url = model.base_url.replace("http", scheme)
            async with opened(model, tokenlab_target(base_url, "sk-test", "gpt-realtime-2.1")):
                assert model.asked == ["/v1/models/gpt-realtime-2.1"]

    run(scenario())


class Gateway:
    """Answers `/v1/models…` with what it is given, by path, and else with 404."""

    def __init__(self, answers: dict[str, object]) -> None:
        self._answers = answers
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        path = request.split(b" ")[1].decode()
        answer = self._answers.get(path)
        body = json.dumps({} if answer is None else answer).encode()
        status = "404 Not Found" if answer is None else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


LISTED = {"data": [{"id": "voices", "type": "realtime"}, {"id": "writer", "type": "chat"}, "gpt-realtime"]}


@pytest.mark.parametrize(
    ("answers", "name", "refused"),
    [
        ({}, "voices", ""),
        ({"/v1/models": {"data": []}}, "voices", ""),
        ({"/v1/models": {"error": "no"}}, "voices", ""),
        ({"/v1/models": LISTED}, "voices", ""),
        ({"/v1/models": LISTED}, "gpt-realtime", ""),
        ({"/v1/models": LISTED}, "writer", "those that are: gpt-realtime, voices"),
        ({"/v1/models": LISTED}, "other", "those that are: gpt-realtime, voices"),
        ({"/v1/models/writer": {"type": "chat"}}, "writer", "its list of models names none"),
        ({"/v1/models/voices": {"capabilities": {"audio": True}}}, "voices", ""),
    ],
)
def test_a_gateway_refuses_by_the_catalogue_that_it_has(answers: dict[str, object], name: str, refused: str) -> None:
    async def scenario() -> None:
        async with Gateway(answers) as base_url:
            subject = Catalogue(base_url, {}, name)
            if refused:
                with pytest.raises(ConnectError, match=refused):
                    await subject.confirm()
            else:
                assert await subject.confirm() == {}

    run(scenario())


def test_a_catalogue_that_does_not_answer_does_not_hold_a_call_for_long() -> None:
    async def scenario() -> None:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()
            await writer.wait_closed()
            gone.set()

        gone = asyncio.Event()
        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            subject = Catalogue(f"http://127.0.0.1:{port}/v1", {}, "m", ask_timeout_s=0.05)
            assert await subject.confirm() == {}
            await gone.wait()
        finally:
            server.close()
            await server.wait_closed()

    run(scenario())
