"""Agents of every provider in one service: what reaches the model, who steps in, who is not ready and why."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from app.carrier.call import CallPlan, place_call
from app.carrier.steps import HangUp, WaitHeard
from tests.support.service import ACCOUNT, TOKEN, Service, served
from tests.support.stand_in_model import StandInModel
from tests.support.stand_in_providers import AZURE, AZURE_PREVIEW, COMPATIBLE, OPENAI, TOKENLAB

TWILIO = {"TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_ACCOUNT_SID": ACCOUNT}


def agent(name: str, number: str, model: str, more: str = "") -> str:
    return (
        f'agent: {name}\nphone_numbers: ["{number}"]\nmodel: {model}\nprompt: Be brief.\n'
        f'disclosure: {{text: "This is an AI."}}\nbarge_in: {{mode: immediate}}\n{more}'
    )


async def call(service: Service, model: StandInModel, number: str) -> Any:  # Any: a JSON document
    """Place a call that the model answers; return the session it was set up with."""
    plan = CallPlan(
        service.url,
        to_number=number,
        auth_token=TOKEN,
        account_sid=ACCOUNT,
        steps=(WaitHeard(2500), HangUp()),
        max_s=40.0,
    )
    calling = asyncio.create_task(place_call(plan))
    connection = await model.next_connection()
    setup = await connection.expect("session.update")
    await connection.wait_for("response.create")
    await connection.reply("Good morning, how can I help?", ms=3000)
    report = await calling
    assert report.ok, report.failures
    return setup["session"]


def test_one_service_speaks_with_the_models_of_all_providers(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            preview, tokenlab, gateway = [
                await stack.enter_async_context(StandInModel(provider=provider))
                for provider in (AZURE_PREVIEW, TOKENLAB, COMPATIBLE)
            ]
            agents = {
                "azure.yaml": agent(
                    "azure",
                    "+15550101",
                    "{provider: azure, api_version: 2025-04-01-preview, temperature: 0.7, voice: sage}",
                ),
                "tokenlab.yaml": agent(
                    "tokenlab",
                    "+15550102",
                    "{provider: tokenlab, name: gpt-realtime-2.1, reasoning_effort: low, truncation: disabled}",
                    "turn_detection: {type: semantic_vad, eagerness: high}",
                ),
                "gateway.yaml": agent(
                    "gateway",
                    "+15550103",
                    f"{{provider: compatible, base_url: '{gateway.base_url}', name: m, api_key_env: GATEWAY_KEY, "
                    "audio_format: pcmu, max_output_tokens: 300}",
                ),
                "entra.yaml": agent("entra", "+15550104", "{provider: azure, auth: entra}"),
                "unsuited.yaml": agent("unsuited", "+15550106", "{provider: tokenlab, name: chat-only}"),
                "half.yaml": agent(
                    "half", "+15550107", "{provider: azure, fallbacks: [{provider: tokenlab, name: chat-only}]}"
                ),
                "keyless.yaml": agent("keyless", "+15550105", "{provider: tokenlab, fallbacks: [{provider: openai}]}"),
            }
            environment = {
                "AZURE_OPENAI_ENDPOINT": preview.base_url,
                "AZURE_OPENAI_API_KEY": "key-of-azure",
                "AZURE_OPENAI_DEPLOYMENT_NAME": "voices",
                "TOKENLAB_API_KEY": "sk-test",
                "TOKENLAB_BASE_URL": tokenlab.base_url,
                "GATEWAY_KEY": "sk-gateway",
            }
            service = await stack.enter_async_context(served(tmp_path, agents, **TWILIO, **environment))
            details = (await service.ready()).json()["details"]
            not_ready = details["agents_not_ready"]
            assert sorted(not_ready) == ["entra", "keyless", "unsuited"]
            unsuited = "chat-only is no realtime model of TokenLab; those that are: "
            assert not_ready["unsuited"].endswith("gpt-realtime-2.1, gpt-realtime-mini")
            assert unsuited in not_ready["unsuited"]
            assert unsuited in details["models_refused"]["half"][0]
            assert "auth is entra and AZURE_OPENAI_API_KEY is set" in not_ready["entra"]
            assert "model.fallbacks[0] (openai): the model's key is empty: set OPENAI_API_KEY" in not_ready["keyless"]

            flat, nested, straight = await asyncio.gather(
                call(service, preview, "+15550101"),
                call(service, tokenlab, "+15550102"),
                call(service, gateway, "+15550103"),
            )
            # the stand-in has read the flat session as the nested one it means; temperature has no place in that
            assert flat["audio"]["output"]["voice"] == "sage"
            assert flat["audio"]["input"]["transcription"] == {"model": "whisper-1", "language": "en"}
            assert preview.connections[0].query["deployment"] == ["voices"]
            assert nested["reasoning"] == {"effort": "low"}
            assert nested["truncation"] == "disabled"
            assert nested["audio"]["input"]["turn_detection"]["eagerness"] == "high"
            assert tokenlab.asked, "its catalogue was asked first"
            assert straight["audio"]["output"] == {"format": {"type": "audio/pcmu"}}, "and the server's own voice"
            assert straight["max_output_tokens"] == 300
            assert gateway.connections[0].headers["Authorization"] == "Bearer sk-gateway"

    asyncio.run(scenario())


def test_a_fallback_serves_a_call_whose_model_cannot_be_reached(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            own, fallback = [
                await stack.enter_async_context(StandInModel(provider=provider)) for provider in (OPENAI, AZURE)
            ]
            own.refuse_with = 503
            agents = {
                "falls.yaml": agent(
                    "falls", "+15550101", "{provider: openai, fallbacks: [{provider: azure, deployment: voices}]}"
                ),
                "local.yaml": agent("local", "+15550102", "{provider: openai, fallbacks: [{provider: local}]}"),
            }
            environment = {
                "OPENAI_API_KEY": "sk-test",
                "OPENAI_BASE_URL": own.base_url,
                "AZURE_OPENAI_ENDPOINT": fallback.base_url,
                "AZURE_OPENAI_API_KEY": "key-of-azure",
            }
            service = await stack.enter_async_context(served(tmp_path, agents, **TWILIO, **environment))
            assert (await service.logged("service.ready"))["agents"] == ["falls", "local"], "the embedded model runs"
            session = await call(service, fallback, "+15550101")
            assert session["audio"]["output"]["voice"] == "marin"
            assert session["audio"]["input"]["transcription"] is None, "azure's is a deployment, and none is named"
            assert (await service.logged("transcription.none"))["agent"] == "falls"
            assert own.upgrades >= 1

    asyncio.run(scenario())
