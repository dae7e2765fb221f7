"""Whatever a script says and a client does: each response ends once, and all it sends lies within it and is valid."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.local_session import silence, voice
from tests.support.scripted_model import Client, item_in, response_in, scripted

Json = dict[str, object]


def _merged(*parts: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.tuples(*parts).map(lambda each: {key: value for part in each for key, value in part.items()})


CUES = st.sampled_from(
    [
        {"speech_ms": 40},
        {"speech_started": True},
        {"speech_stopped": True},
        {"error": "rate_limit_exceeded"},
        {"event": {"type": "response.thinking.delta", "delta": "Hm."}},
        {"wait_ms": 1},
    ]
)
CALL: Json = {"call": {"name": "find", "arguments": {"number": "1042"}, "piece_chars": 4, "piece_ms": 1}}
STEPS = st.one_of(
    st.sampled_from([10, 77, 300]).map(lambda ms: {"tone_ms": ms, "words": "one two three"}),
    st.just({"say": "Hello."}),
    st.just(CALL),
    CUES,
)
TURNS = _merged(
    st.lists(STEPS, max_size=4).map(lambda steps: {"reply": steps}),
    st.lists(CUES, max_size=2).map(lambda cues: {"before": cues}),
    st.sampled_from([{}, {"delay_ms": 2}]),
    st.sampled_from([{}, {"pace": 50, "delta_bytes": [1, 801]}, {"transcript": "first"}, {"transcript": "last"}]),
    st.sampled_from(
        [
            {},
            {"end": "never"},
            {"end": {"failed": "server_error"}},
            {"end": {"incomplete": "content_filter"}},
        ]
    ),
    st.sampled_from(
        [
            {},
            {"when_cut": {"created": False}},
            {"when_cut": {"late_deltas": 2}},
            {"when_cut": {"done": "after_next", "within_ms": 10, "late_deltas": 1}},
        ]
    ),
    st.sampled_from([{}, {"when": {"caller_says": "order"}}, {"when": {"tool_answers": "find"}}]),
)
SCRIPTS = st.fixed_dictionaries(
    {
        "pace": st.just("max"),
        "turns": st.lists(TURNS, max_size=5),
        "otherwise": st.just({"tone_ms": 20}),
        "caller": st.just(["My order.", {"fails": "server_error"}, {"says": "Well.", "after_ms": 1}]),
        "vad": st.sampled_from(["audio", "script"]),
        "awkward": st.just(["obfuscation", "null_previous_item_id", "unknown_events"]),
        "refuse": st.sampled_from([[], [{"event": "response.create", "error": "server_error", "nth": 2}]]),
    }
)
DEEDS = st.lists(
    st.sampled_from(["ask", "cancel", "speak", "be silent", "answer", "truncate", "delete", "write", "wait"]),
    max_size=12,
)


async def do(deed: str, client: Client) -> None:
    spoken = [event for event in client.of("response.output_item.added") if item_in(event)["type"] == "message"]
    match deed:
        case "ask":
            await client.ask()
        case "cancel":
            await client.send("response.cancel")
        case "speak":
            await client.append(voice(100))
        case "be silent":
            await client.append(silence(300))
        case "write":
            content = [{"type": "input_text", "text": "An order."}]
            await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        case "answer":
            for event in client.of("response.function_call_arguments.done"):
                output = {"type": "function_call_output", "call_id": event["call_id"], "output": "{}"}
                await client.send("conversation.item.create", item=output)
        case "truncate" if spoken:
            item_id = item_in(spoken[-1])["id"]
            await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=33)
        case "delete" if spoken:
            await client.send("conversation.item.delete", item_id=item_in(spoken[-1])["id"])
        case _:
            await client.update()


async def end_all(client: Client) -> None:
    """Cancel what runs and wait for the late ends, until nothing is left open."""
    await client.set_turns(create_response=False)
    while True:
        refused = sum(error["code"] == "response_cancel_not_active" for error in client.errors())
        await client.send("response.cancel")
        await client.update()
        if sum(error["code"] == "response_cancel_not_active" for error in client.errors()) > refused:
            break
    begun = {response_in(event)["id"] for event in client.of("response.created")}
    while begun - {response_in(event)["id"] for event in client.of("response.done")}:
        await client.until("response.done", len(client.of("response.done")) + 1)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS, DEEDS)
def test_each_response_ends_once_and_all_of_it_lies_within(script: Mapping[str, object], deeds: list[str]) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(20), scripted(json.dumps(script)) as model, model.client() as client:
            for deed in deeds:
                await do(deed, client)
            await end_all(client)
            check(client)

    asyncio.run(scenario())


def check(client: Client) -> None:
    created = Counter(response_in(event)["id"] for event in client.of("response.created"))
    done = Counter(response_in(event)["id"] for event in client.of("response.done"))
    assert set(created.values()) <= {1}
    assert set(done.values()) <= {1}
    assert set(created) <= set(done)  # one that was cut before it began may have an end alone
    is_open: set[object] = set()
    items: Counter[object] = Counter()
    for event in client.events:
        match event["type"]:
            case "response.created":
                is_open.add(response_in(event)["id"])
            case "response.done":
                is_open.discard(response_in(event)["id"])
                response = response_in(event)
                usage = response["usage"]
                assert isinstance(usage, dict)
                assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
            case "response.output_item.added":
                items[item_in(event)["id"]] += 1
            case "response.output_item.done":
                items[item_in(event)["id"]] -= 1
        if "response_id" in event:
            assert event["response_id"] in is_open, event
    assert not +items
