"""The whole service: what a call costs by the bills of its model, and what becomes of callers it has no session for."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from app.carrier.call import CallPlan, place_call
from app.carrier.steps import AgentDoes, HangUp, Press, WaitForAgent, WaitHeard
from tests.support.scripted_model import scripted
from tests.support.service import ACCOUNT, ORDERS_AGENT, TOKEN, served
from tests.support.stand_in_model import StandInModel
from tests.support.stand_in_providers import OPENAI

TWILIO = {"TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_ACCOUNT_SID": ACCOUNT}

SCRIPT = """
pace: max
turns:
  - {tone_ms: 400, words: "What is your order number?"}
  - reply:
      - call: {name: lookup_order, arguments: {order_number: "1042"}}
  - when: {tool_answers: lookup_order}
    tone_ms: 900
    words: "It has shipped."
  - {end: {failed: server_error}}
otherwise: {tone_ms: 300, words: "Goodbye."}
"""

TEXT, AUDIO = (Fraction(4), Fraction("0.40"), Fraction(24)), (Fraction(32), Fraction("0.40"), Fraction(64))
"""gpt-realtime-2.1, US$ for a million tokens: input, cached input, output."""


@asynccontextmanager
async def relay(upstream: str, told: list[Any]) -> AsyncIterator[str]:
    """Stand between the service and a model and keep what the model tells. Gives the base URL."""

    async def pump(source: ClientConnection | ServerConnection, sink: ClientConnection | ServerConnection) -> None:
        try:
            async for message in source:
                if isinstance(source, ClientConnection):
                    told.append(json.loads(message))
                await sink.send(message)
        except ConnectionClosed:
            pass  # the other side's end is passed on below
        finally:
            await sink.close()

    async def join(client: ServerConnection) -> None:
        assert client.request is not None
        query = client.request.path.partition("?")[2]
        headers = {"Authorization": "Bearer any"}
        async with (
            connect(f"{upstream}?{query}", additional_headers=headers, proxy=None, max_size=None) as model,
            asyncio.TaskGroup() as pumps,
        ):
            pumps.create_task(pump(client, model))
            pumps.create_task(pump(model, client))

    async with serve(join, "127.0.0.1", 0, max_size=None, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1"


def bill(usage: Mapping[str, Any]) -> Fraction:
    """Millionths of a dollar for one response, in the words of its bill."""
    given, made = usage["input_token_details"], usage["output_token_details"]
    cached = given["cached_tokens_details"]
    assert given["text_tokens"] + given["audio_tokens"] == usage["input_tokens"]
    cost = Fraction(0)
    for kind, (fresh_price, cached_price, made_price) in {"text_tokens": TEXT, "audio_tokens": AUDIO}.items():
        cost += (given[kind] - cached[kind]) * fresh_price + cached[kind] * cached_price + made[kind] * made_price
    return cost


def test_a_scripted_call_costs_what_its_bills_come_to(tmp_path: Path) -> None:
    async def scenario() -> None:
        told: list[Any] = []
        agent = ORDERS_AGENT.replace("PROVIDER", "openai, name: gpt-realtime-2.1")
        async with scripted(SCRIPT) as model, relay(model.server.url, told) as base:
            environment = {"OPENAI_API_KEY": "any", "OPENAI_BASE_URL": base, **TWILIO}
            async with served(tmp_path, {"orders.yaml": agent}, **environment) as service:
                steps = (
                    WaitForAgent(AgentDoes.ENDS),
                    Press("1#"),
                    WaitForAgent(AgentDoes.ENDS),
                    Press("2#"),
                    WaitForAgent(AgentDoes.ENDS, silence_ms=1500),
                    HangUp(),
                )
                plan = CallPlan(service.url, auth_token=TOKEN, account_sid=ACCOUNT, steps=steps, max_s=40.0)
                report = await place_call(plan)
                assert report.ok, report.failures
                end = await service.logged("call.end")
                await service.logged("record.filed")
                record = service.record(report.call_sid)
                async with httpx.AsyncClient() as client:
                    metrics = (await client.get(f"{service.url}/metrics")).text
            usages = [event["response"]["usage"] for event in told if event["type"] == "response.done"]
            used = [usage for usage in usages if usage is not None and usage["total_tokens"]]
            assert len(used) >= 3
            assert any(usage["input_token_details"]["cached_tokens"] for usage in used)
            expected = float(sum(map(bill, used)) / 1_000_000)
            assert expected > 0.001
            assert abs(float(str(end["cost_usd"])) - expected) < 1e-9
            assert record["cost_usd"] == end["cost_usd"]
            totals = record["usage"]
            assert isinstance(totals, dict)
            assert totals["total_tokens"] == sum(usage["total_tokens"] for usage in used)
            assert f'dialtone_model_cost_usd_total{{agent="orders"}} {end["cost_usd"]}' in metrics
            assert 'dialtone_model_sessions{account="openai"} 0.0' in metrics
            assert 'dialtone_model_rate_limit_remaining{agent="orders",limit="tokens"}' in metrics

    asyncio.run(scenario())


def test_a_caller_without_a_session_is_forwarded_until_there_is_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        agent = ORDERS_AGENT.replace("PROVIDER", "openai") + (
            "on_full: {say: A colleague will help you., then: {transfer: '+15550111'}}\nbarge_in: {mode: immediate}\n"
        )
        async with StandInModel(provider=OPENAI) as model:
            environment = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": model.base_url, "OPENAI_MAX_SESSIONS": "1"}
            async with served(tmp_path, {"orders.yaml": agent}, **environment) as service:
                plan = CallPlan(service.url, steps=(WaitHeard(1000), HangUp()), max_s=40.0)
                assert (await service.ready()).status_code == 200
                calling = asyncio.create_task(place_call(plan))
                await service.logged("model.ready")
                ready = await service.ready()
                assert (ready.status_code, ready.json()["reason"]) == (503, "full")
                async with httpx.AsyncClient() as client:
                    form = {"CallSid": "CA2", "From": "+15550199", "To": "+15550100"}
                    answer = await client.post(f"{service.url}/twilio/voice", data=form)
                    metrics = (await client.get(f"{service.url}/metrics")).text
                response = ElementTree.fromstring(answer.text)  # noqa: S314 - our own document
                assert [verb.tag for verb in response] == ["Say", "Dial"]
                assert (response.findtext("Say"), response.findtext("Dial")) == (
                    "A colleague will help you.",
                    "+15550111",
                )
                assert 'dialtone_model_sessions{account="openai"} 1.0' in metrics
                assert 'dialtone_calls_refused_total{reason="models_full"} 1.0' in metrics
                assert (await service.logged("door.refused"))["reason"] == "models_full"
                report = await calling
                assert report.ok, report.failures
                await service.logged("record.filed")
                assert (await service.ready()).status_code == 200
                assert model.upgrades == 1

    asyncio.run(scenario())
