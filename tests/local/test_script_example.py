"""The example that shows everything is read, and plays to its end."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from app.local.script import load
from app.local.script_steps import Script
from tests.support.local_session import silence
from tests.support.realtime_schema import SERVER_TYPES
from tests.support.scripted_model import Client, output_of, response_in, scripted, words_of

EXAMPLE = Path(__file__).parents[2] / "deploy" / "model-scripts" / "awkward.yaml"


async def write(client: Client, text: str) -> None:
    """Add a turn of the caller in words."""
    content = [{"type": "input_text", "text": text}]
    await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})


async def answer_calls(client: Client, output: list[dict[str, object]]) -> None:
    """Give each tool call of a response its result."""
    for item in output:
        if item["type"] == "function_call":
            result = {"type": "function_call_output", "call_id": item["call_id"], "output": "{}"}
            await client.send("conversation.item.create", item=result)


def test_it_shows_every_kind_of_reply() -> None:
    script: Script = load(EXAMPLE)
    steps = [step for turn in script.turns for step in turn.reply]
    assert {type(step).__name__ for step in steps} >= {"Speak", "Tone", "CallTool", "Wait", "SendError", "SendEvent"}
    ends = {
        (turn.end.status, turn.end.reason or (turn.end.fault and turn.end.fault.name))
        for turn in script.turns
        if turn.end is not None
    }
    assert ends >= {
        ("failed", "server_error"),
        ("failed", "rate_limit_exceeded"),
        ("failed", "insufficient_quota"),
        ("incomplete", "max_output_tokens"),
        ("incomplete", "content_filter"),
    }
    assert {refusal.fault.name for refusal in script.refuse} >= {
        "too_long",
        "unsupported_content_type",
        "item_truncate_invalid_item_id",
    }


def test_it_plays_from_its_beginning_to_its_end() -> None:
    script = EXAMPLE.read_text(encoding="utf-8").replace("pace: 5 ", "pace: max ")

    async def scenario(client: Client) -> None:
        asked = 0

        async def ask() -> list[dict[str, object]]:
            nonlocal asked
            asked += 1
            await client.ask()
            return output_of(await client.done(asked))

        assert [(words_of(item), item["phase"]) for item in await ask()] == [
            ("Hello.", "commentary"),
            ("How can I help?", "final_answer"),
        ]
        await write(client, "Where is my order?")
        said, call = await ask()
        assert (words_of(said), call["arguments"]) == ("One moment, please.", '{"order_number":"1042"}')
        await answer_calls(client, [call])

        asked += 1  # the burst is cut, and its end told behind the next beginning
        given = len(client.of("response.output_audio.delta"))
        await client.ask()
        await client.until("response.output_audio.delta", given + 4)
        await client.send("response.cancel")
        await write(client, "It is one zero four two.")
        await ask()
        ends = {response_in(event)["status"]: event for event in client.of("response.done")[2:4]}
        calls = output_of(response_in(ends["completed"]))
        assert [call["type"] for call in calls] == ["function_call", "function_call"]
        late = ends["cancelled"]
        assert client.events.index(late) > client.events.index(client.of("response.created")[3])
        sounding = output_of(response_in(late))[0]
        truncation = {"item_id": sounding["id"], "content_index": 0, "audio_end_ms": 9_000}
        codes = ("invalid_value", "unsupported_content_type", "item_truncate_invalid_item_id")
        for count in range(1, 4):
            await client.send("conversation.item.truncate", **truncation)
            await client.until("error", count)
        assert tuple(error["code"] for error in client.errors()) == codes
        assert len(client.of("conversation.item.truncated")) == 1  # behind the first refusal
        await answer_calls(client, calls)

        assert await ask() == []  # the caller spoke before it began
        assert len(client.of("response.created")) == asked - 1
        await client.append(silence(500))  # ends the speech, which is answered
        asked += 1
        (broken,) = output_of(await client.done(asked))
        assert broken["arguments"] == '{"order_number": '

        for _ in range(6):
            await ask()
        early = [response_in(event) for event in client.of("response.done")[6:]]
        assert [(end["status"], _reason(end)) for end in early] == [
            ("failed", None),
            ("failed", "rate_limit_exceeded"),
            ("failed", "insufficient_quota"),
            ("incomplete", "max_output_tokens"),
            ("incomplete", "content_filter"),
            ("cancelled", "turn_detected"),
        ]
        await client.ask()  # the twelfth time
        await client.until("error", 4)
        assert [words_of(item) for item in (await ask())] == ["Listen.", "That was all."]
        assert [error["code"] for error in client.errors()[3:]] == [
            "conversation_already_has_active_response",
            "response_cancel_not_active",
            "unknown_parameter",
            None,
        ]
        refused = len(client.errors())
        unknown = [kind for kind in client.types() if kind not in SERVER_TYPES]
        assert "response.thinking.delta" in unknown
        assert await ask() == []
        assert [words_of(item) for item in (await ask())] == ["I see."]
        assert len(client.errors()) == refused

    async def whole() -> None:
        async with asyncio.timeout(20), scripted(script, EXAMPLE) as model, model.client() as client:
            await scenario(client)

    asyncio.run(whole())


def _reason(response: Mapping[str, object]) -> object:
    details = cast("dict[str, object]", response["status_details"])
    error = cast("dict[str, object] | None", details.get("error"))
    return details.get("reason") if error is None else error["code"]
