"""Interruption judged by our own ear, over real sockets: a real cough, then real words, over a long reply."""

import asyncio
from pathlib import Path
from typing import Any

from app.carrier.call import CallPlan, place_call
from app.carrier.judge import heard_of_item
from app.carrier.steps import AgentDoes, BargeIn, HangUp, WaitForAgent, WaitMs, Wav
from tests.support.service import ACCOUNT, ORDERS_AGENT, TOKEN, served
from tests.support.stand_in_model import StandInModel

CLIPS = Path(__file__).parents[1] / "audio" / "clips"
COUGH = Wav(CLIPS / "noise" / "bursts" / "cough_male.wav", level_dbfs=-24.0)
WORDS = Wav(CLIPS / "speech" / "en_another_engineer.wav")
STEPS = (
    WaitForAgent(AgentDoes.ENDS),  # the disclosure and the greeting
    WORDS,
    BargeIn(1500, COUGH),
    WaitMs(2000),
    WORDS,
    WaitMs(2000),
    HangUp(),
)


def test_a_cough_pauses_the_agent_and_words_stop_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with StandInModel() as model:
            environment = {
                "OPENAI_API_KEY": "sk-test",
                "OPENAI_BASE_URL": model.url.split("/realtime")[0].replace("ws://", "http://"),
                "TWILIO_AUTH_TOKEN": TOKEN,
                "TWILIO_ACCOUNT_SID": ACCOUNT,
            }
            agent = ORDERS_AGENT.replace("PROVIDER", "openai")
            async with served(tmp_path, {"orders.yaml": agent}, **environment) as service:
                plan = CallPlan(service.url, auth_token=TOKEN, account_sid=ACCOUNT, steps=STEPS, max_s=60.0)
                calling = asyncio.create_task(place_call(plan))
                connection = await model.next_connection()
                for text in ("This is an AI.", "Hello."):  # told once they were heard
                    told = await connection.wait_for("conversation.item.create")
                    assert told["item"]["content"][0]["text"] == text  # type: ignore[index]  # JSON
                await connection.hear_voice()
                asked = await connection.caller_speaks()
                await connection.hear_quiet()
                await connection.caller_stops(asked)
                await connection.expect("response.create")  # no word of turn handling before: we ask for every answer
                reply = await connection.reply("one two three four five six seven eight nine ten", ms=20_000)

                await service.logged("barge_in.false_alarm")
                cough = await connection.caller_speaks()  # the model notices late
                await connection.caller_stops(cough)
                deleted = await connection.expect("conversation.item.delete")
                assert deleted["item_id"] == cough

                cut = await connection.wait_for("conversation.item.truncate")
                assert cut["item_id"] == reply.item_id
                words = await connection.caller_speaks()
                await connection.hear_quiet()
                await connection.caller_stops(words)
                await connection.expect("response.create")
                await connection.reply("Of course.", ms=300)

                report = await calling
                assert report.ok, report.failures
                end = await service.logged("call.end")
                assert end["barge_ins"] == 1
                await service.logged("record.filed")
                interruptions: Any = service.record(report.call_sid)["interruptions"]
                (claimed,) = interruptions
                assert claimed["heard_ms"] == cut["audio_end_ms"]
                found = heard_of_item(report.streams[0].playout, claimed["mark"])
                assert found is not None
                # of 20,000; how exact it is, scripts/bench barge-in measures: the machine may be busy here
                assert abs(claimed["heard_ms"] - found[1] / 8) <= 1000

    asyncio.run(scenario())
