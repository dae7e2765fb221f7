"""Whatever a client does in whatever order, what a session sends makes sense."""

import asyncio
import base64
from collections.abc import Callable
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.local_session import Event, Talk, silence, talk, voice

Deed: TypeAlias = Callable[[Talk], object]

VAD = {"type": "server_vad", "silence_duration_ms": 300}


def last_item(client: Talk) -> str:
    added = [event["item"] for event in client.of("conversation.item.added")]
    return str(added[-1]["id"]) if added and isinstance(added[-1], dict) else "item_none"


def say(ms: int) -> Deed:
    return lambda client: client.say(voice(ms), chunk_ms=100)


def be_silent(ms: int) -> Deed:
    return lambda client: client.say(silence(ms), chunk_ms=100)


def create(**response: object) -> Deed:
    return lambda client: client.send("response.create", response=response)


def detect(turn_detection: object) -> Deed:
    return lambda client: client.update(audio={"input": {"turn_detection": turn_detection}})


def truncate(ms: int) -> Deed:
    return lambda client: client.send(
        "conversation.item.truncate", item_id=last_item(client), content_index=0, audio_end_ms=ms
    )


def write(client: Talk) -> object:
    content = [{"type": "input_text", "text": "1042"}]
    return client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})


DEEDS: st.SearchStrategy[Deed] = st.one_of(
    st.integers(1, 600).map(say),
    st.integers(1, 6000).map(be_silent),
    st.just(create()),
    st.just(create(output_modalities=["text"])),
    st.just(create(conversation="none", input=[])),
    st.just(create(max_output_tokens=10)),
    st.integers(0, 2000).map(truncate),
    st.sampled_from([None, VAD, {**VAD, "create_response": False}, {**VAD, "interrupt_response": False}]).map(detect),
    st.just(detect({**VAD, "idle_timeout_ms": 5000})),
    st.just(write),
    st.just(lambda client: client.send("conversation.item.delete", item_id=last_item(client))),
    st.just(lambda client: client.send("response.cancel")),
    st.just(lambda client: client.send("input_audio_buffer.commit")),
    st.just(lambda client: client.send("input_audio_buffer.clear")),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(DEEDS, st.integers(0, 8)), max_size=25))
def test_responses_and_items_are_begun_once_and_ended_once(script: list[tuple[Deed, int]]) -> None:
    async def scenario() -> None:
        async with talk() as client:
            client.ears.script = [None if number % 3 else "hello" for number in range(200)]
            for deed, steps in script:
                deed(client)
                for _ in range(steps):  # let the tasks come a little further
                    await asyncio.sleep(0)
            await client.until_quiet()
            assert_sensible(client.events)

    asyncio.run(scenario())


def assert_sensible(events: list[Event]) -> None:
    active: str | None = None
    open_responses: dict[str, bool] = {}
    open_items: set[object] = set()
    finished: set[object] = set()
    announced: object = None
    for event in events:
        kind = str(event["type"])
        match event:
            case {"type": "response.created", "response": {"id": str(response_id), "conversation_id": conversation}}:
                assert response_id not in finished
                assert conversation is None or active is None, "one at a time writes to the conversation"
                active = response_id if conversation is not None else active
                open_responses[response_id] = conversation is not None
            case {"type": "response.done", "response": {"id": str(response_id), "output": list(output)}}:
                del open_responses[response_id]
                finished.add(response_id)
                active = None if response_id == active else active
                assert all(item["status"] in {"completed", "incomplete"} for item in output)
            case {"type": "response.output_item.added", "item": {"id": item_id}}:
                open_items.add(item_id)
            case {"type": "response.output_item.done", "item": {"id": item_id}}:
                open_items.remove(item_id)
            case {"type": "input_audio_buffer.speech_started", "item_id": item_id}:
                announced = item_id
            case {"type": "input_audio_buffer.speech_stopped", "item_id": item_id}:
                assert item_id == announced
            case {"type": "response.output_audio.delta", "delta": str(delta)}:
                assert 0 < len(base64.b64decode(delta)) <= 300 * 48
        if kind.startswith("response.") and "response_id" in event:
            assert event["response_id"] in open_responses, f"{kind} of a response that is not open"
        if kind.endswith(".delta") and "item_id" in event and kind.startswith("response."):
            assert event["item_id"] in open_items, f"{kind} of an item that is not open"
    assert not open_responses
    assert not open_items
