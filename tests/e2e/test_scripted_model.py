"""The whole service against a model on a script: `dialtone model --script` and `dialtone serve`, each a process."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from app.carrier.call import CallPlan, place_call
from app.carrier.steps import AgentDoes, HangUp, Press, WaitForAgent
from tests.support.service import ACCOUNT, ORDERS_AGENT, ROOT, TOKEN, served

AGENT = ORDERS_AGENT.replace("PROVIDER", "openai") + "barge_in: {mode: immediate}\n"
SCRIPT = """
vad: script
pace: 20
delta_bytes: [1, 4801, 28799]
awkward: [obfuscation, null_previous_item_id, unknown_events]
caller: [{says: "Thank you.", after_ms: 100}]
turns:
  - when: {caller_says: "1042"}
    reply:
      - {tone_ms: 600, words: "One moment.", phase: commentary}
      - call: {name: lookup_order, arguments: {order_number: "1042"}, piece_chars: 3}
  - when: {tool_answers: lookup_order}
    reply:
      - {tone_ms: 1000, tone_hz: 500, words: "It has shipped.", phase: commentary}
      - {tone_ms: 6000, tone_hz: 700, words: "It arrives on Wednesday with the afternoon post.", phase: final_answer}
      - {tone_ms: 2000, tone_hz: 900, words: "That was all."}
      - wait_ms: 1800
      - speech_ms: 400
    when_cut: {done: after_next, within_ms: 2000}
  - when: {caller_says: thank}
    tone_ms: 700
    words: "Goodbye."
otherwise: {tone_ms: 300, words: "Nobody asked for this."}
refuse:
  - {event: conversation.item.truncate, error: too_long}
"""


@asynccontextmanager
async def scripted_model(script: Path) -> AsyncIterator[str]:
    """Start `dialtone model --script` on a free port and give the base URL that OPENAI_BASE_URL wants."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "model", "--port", "0", "--script", str(script)),
        cwd=ROOT,
        stdin=DEVNULL,
        stdout=PIPE,
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        yield url.replace("ws://", "http://").removesuffix("/realtime")
    finally:
        process.terminate()
        await process.communicate()


def test_a_call_gets_through_several_messages_a_tool_call_and_a_refused_truncation(tmp_path: Path) -> None:
    async def scenario() -> None:
        script = tmp_path / "reply.yaml"
        script.write_text(SCRIPT)
        async with (
            scripted_model(script) as base,
            served(
                tmp_path,
                {"orders.yaml": AGENT},
                OPENAI_API_KEY="any",
                OPENAI_BASE_URL=base,
                TWILIO_AUTH_TOKEN=TOKEN,
                TWILIO_ACCOUNT_SID=ACCOUNT,
                LOG_LEVEL="DEBUG",
            ) as service,
        ):
            steps = (
                WaitForAgent(AgentDoes.ENDS),
                Press("1042#"),
                WaitForAgent(AgentDoes.ENDS, silence_ms=2000),
                HangUp(),
            )
            report = await place_call(
                CallPlan(service.url, auth_token=TOKEN, account_sid=ACCOUNT, steps=steps, max_s=40.0)
            )
            assert report.ok, report.failures
            end = await service.logged("call.end")
            assert (end["outcome"], end["barge_ins"], end["tool_calls"]) == ("caller_hung_up", 1, 1)
            assert end["model_losses"] == 0
            refused = [line for line in service.lines if line["event"] == "model.refused"]
            assert [(line["request"], line["code"]) for line in refused] == [
                ("cancel", "response_cancel_not_active"),  # the response was over, though its end had not been told
                ("truncate", "invalid_value"),
            ]
            await service.logged("record.filed")
            record = service.record(report.call_sid)
            (call,) = cast("list[dict[str, object]]", record["tool_calls"])
            assert (call["name"], call["arguments"], call["status"]) == ("lookup_order", {"order_number": "1042"}, "ok")
            turns = cast("list[dict[str, str]]", record["turns"])
            assert [(turn["speaker"], turn["heard"]) for turn in (*turns[:2], *turns[3:])] == [
                ("agent", "Hello."),
                ("agent", "One moment."),
                ("caller", "Thank you."),
                ("agent", "Goodbye."),
            ]
            cut = turns[2]
            assert cut["generated"] == (
                "It has shipped. It arrives on Wednesday with the afternoon post. That was all."
            )
            assert cut["heard"].startswith("It has shipped.")  # the first message whole, the last one not at all
            assert len(cut["heard"]) < len("It has shipped. It arrives on Wednesday with the afternoon post.")

    asyncio.run(scenario())
