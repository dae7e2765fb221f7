"""A model that answers in writing, spoken by the embedded voice, over real sockets: heard, cut in the middle, told."""

import asyncio
from pathlib import Path
from typing import Any

from app.carrier.call import CallPlan, place_call
from app.carrier.steps import HangUp, WaitMs
from tests.support.service import ACCOUNT, ORDERS_AGENT, TOKEN, served
from tests.support.stand_in_model import StandInModel

AGENT = ORDERS_AGENT.replace("PROVIDER", "openai") + "barge_in: {mode: immediate}\nvoice: {provider: local}\n"
FIRST = "Your order has been shipped, and it should arrive on Friday."
SECOND = "I can also tell you what it was, repeat the number, or look another order up for you if you like."


def test_written_answers_are_spoken_and_remembered_as_far_as_they_were_heard(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with StandInModel() as model:
            environment = {
                "OPENAI_API_KEY": "sk-test",
                "OPENAI_BASE_URL": model.base_url,
                "TWILIO_AUTH_TOKEN": TOKEN,
                "TWILIO_ACCOUNT_SID": ACCOUNT,
            }
            async with served(tmp_path, {"orders.yaml": AGENT}, **environment) as service:
                plan = CallPlan(
                    service.url, auth_token=TOKEN, account_sid=ACCOUNT, steps=(WaitMs(14_000), HangUp()), max_s=40.0
                )
                calling = asyncio.create_task(place_call(plan))
                connection = await model.next_connection()
                settings: Any = await connection.expect("session.update")
                assert settings["session"]["output_modalities"] == ["text"]
                assert list(settings["session"]["audio"]) == ["input"]
                for _ in range(2):  # the disclosure and the greeting, once they were heard
                    await connection.wait_for("conversation.item.create")
                asked = await connection.caller_speaks()
                await connection.caller_stops(asked)
                item_id = await connection.reply_in_text(f"{FIRST} {SECOND}")

                await connection.hear(connection.audio_ms + 5500)  # well into the second sentence
                await connection.caller_speaks(item_id="item_barge")
                told: Any = await connection.wait_for("conversation.item.create")
                assert told["previous_item_id"] == item_id
                assert told["item"]["role"] == "assistant"
                heard = told["item"]["content"][0]["text"]
                assert heard.startswith(FIRST)
                assert FIRST < heard < f"{FIRST} {SECOND}"
                assert f"{FIRST} {SECOND}".startswith(heard)
                deleted = await connection.expect("conversation.item.delete")
                assert deleted["item_id"] == item_id
                await connection.caller_stops("item_barge")
                await connection.reply_in_text("Goodbye.")

                report = await calling
                assert report.ok, report.failures
                await service.logged("record.filed")
                record: Any = service.record(report.call_sid)
                answer = next(turn for turn in record["turns"] if (turn["generated"] or "").startswith(FIRST))
                assert answer["generated"] == f"{FIRST} {SECOND}"
                assert answer["heard"] == heard

    asyncio.run(scenario())
