"""The order of a response's events, its object, and how it ends from any point; all held against the schema."""

import json

import pytest

from app.audio.formats import PCM16_24K
from app.errors import InvariantError
from app.local.conversation import Conversation
from app.local.items import Message, Text
from app.local.protocol import Wire, encode
from app.local.responses import Response
from app.local.session_settings import SessionSettings
from app.local.usage import ContextPiece
from tests.support.realtime_schema import server_faults

pytestmark = pytest.mark.core

TENTH = b"\x00\x00" * (PCM16_24K.bytes_of(100) // 2)


class Client:
    """Keeps the events of one response, checked."""

    def __init__(self, *, out_of_band: bool = False, **overrides: object) -> None:
        self.events: list[dict[str, object]] = []
        self.conversation = Conversation()
        self.conversation.add(Message("item_before", "user", [Text("Hello.")]))
        self.response = Response(
            SessionSettings("any").for_response(overrides, voice_is_fixed=False),
            emit=self.take,
            conversation=None if out_of_band else self.conversation,
            context=[ContextPiece("prompt", 10, 0), ContextPiece("item_before", 2, 0)],
            before=[ContextPiece("prompt", 10, 0)],
            metadata={"for": "test"},
        )

    def take(self, event: Wire) -> None:
        event = json.loads(encode({"event_id": "event_1", **event}))
        assert not server_faults(event), server_faults(event)
        self.events.append(event)

    def types(self) -> list[str]:
        return [str(event["type"]) for event in self.events]

    def done(self) -> dict[str, object]:
        (event,) = (event["response"] for event in self.events if event["type"] == "response.done")
        assert isinstance(event, dict)
        return event


def test_a_spoken_message() -> None:
    client = Client()
    client.response.begin()
    client.response.open_message()
    client.response.say("Good ", TENTH)
    client.response.say("", TENTH)
    client.response.say("day.", TENTH)
    client.response.close_message()
    client.response.finish("completed")
    assert client.types() == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    added, done = client.events[2], client.events[12]
    assert (added["previous_item_id"], done["previous_item_id"]) == ("item_before", "item_before")
    assert isinstance(added["item"], dict)
    assert isinstance(done["item"], dict)
    assert (added["item"]["status"], added["item"]["content"]) == ("in_progress", [])
    assert (done["item"]["status"], done["item"]["content"]) == (
        "completed",
        [{"type": "output_audio", "transcript": "Good day."}],
    )
    response = client.done()
    assert (response["status"], response["status_details"], response["metadata"]) == (
        "completed",
        None,
        {"for": "test"},
    )
    assert response["conversation_id"] == client.conversation.id
    assert response["output"] == [done["item"]]
    usage = response["usage"]
    assert isinstance(usage, dict)
    assert usage["output_token_details"] == {"text_tokens": 3, "audio_tokens": 6}
    assert (usage["input_tokens"], usage["input_token_details"]["cached_tokens"]) == (12, 10)


def test_a_written_message() -> None:
    client = Client(output_modalities=["text"])
    client.response.begin()
    client.response.open_message()
    client.response.say("Good ", b"")
    client.response.say("day.", b"")
    client.response.close_message()
    client.response.finish("completed")
    assert client.types()[3:9] == [
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
    ]
    output = client.done()["output"]
    assert isinstance(output, list)
    assert output[0]["content"] == [{"type": "output_text", "text": "Good day."}]


def test_a_tool_call_behind_a_message() -> None:
    client = Client()
    client.response.begin()
    client.response.open_message()
    client.response.say("Just a moment.", TENTH)
    client.response.close_message()
    client.response.call_tool("lookup_order", {"order_number": "1042", "note": "아"})
    client.response.finish("completed")
    tool = [event for event in client.events if event.get("output_index") == 1]
    deltas = [event for event in tool if event["type"] == "response.function_call_arguments.delta"]
    assert [event["type"] for event in tool if event not in deltas] == [
        "response.output_item.added",
        "response.function_call_arguments.done",
        "response.output_item.done",
    ]
    (done,) = (event for event in tool if event["type"] == "response.function_call_arguments.done")
    assert len(deltas) > 1
    assert "".join(str(delta["delta"]) for delta in deltas) == done["arguments"]
    assert json.loads(str(done["arguments"])) == {"order_number": "1042", "note": "아"}
    item = tool[-1]["item"]
    assert isinstance(item, dict)
    assert (item["status"], item["call_id"], item["name"]) == ("completed", done["call_id"], "lookup_order")
    assert client.conversation.has_tool_call(str(done["call_id"]))


@pytest.mark.parametrize("opened", [False, True])
def test_a_cut_owes_all_that_was_begun(opened: bool) -> None:
    client = Client()
    client.response.begin()
    if opened:
        client.response.open_message()
        client.response.say("Good ", TENTH)
    client.response.finish("cancelled", reason="turn_detected")
    owed = [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
    ]
    assert client.types()[-7:-2] == owed if opened else owed[0] not in client.types()
    response = client.done()
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    output = response["output"]
    assert isinstance(output, list)
    assert [item["status"] for item in output] == (["incomplete"] if opened else [])
    assert not client.response.is_open


def test_a_failure_counts_nothing() -> None:
    client = Client()
    client.response.begin()
    client.response.finish("failed", error={"type": "server_error", "code": None, "message": "No voice."})
    response = client.done()
    assert response["status_details"] == {
        "type": "failed",
        "error": {"type": "server_error", "code": None, "message": "No voice."},
    }
    assert isinstance(response["usage"], dict)
    assert response["usage"]["total_tokens"] == 0


def test_out_of_band_leaves_no_trace() -> None:
    client = Client(out_of_band=True)
    client.response.begin()
    client.response.open_message()
    client.response.say("Good day.", TENTH)
    client.response.close_message()
    client.response.finish("completed")
    assert not [kind for kind in client.types() if kind.startswith("conversation.")]
    assert client.done()["conversation_id"] is None
    assert [item.id for item in client.conversation.items] == ["item_before"]


def test_tokens_run_out() -> None:
    client = Client(max_output_tokens=5)
    client.response.begin()
    client.response.open_message()
    client.response.say("Good", TENTH)
    assert not client.response.has_spent_its_tokens, "one of text, two of audio"
    client.response.say("", TENTH)
    assert client.response.has_spent_its_tokens
    client.response.say("", TENTH)
    client.response.finish("incomplete", reason="max_output_tokens")
    usage = client.done()["usage"]
    assert isinstance(usage, dict)
    assert (usage["output_tokens"], usage["output_token_details"]) == (5, {"text_tokens": 1, "audio_tokens": 4})
    assert client.done()["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}


def test_speaking_without_a_message_is_our_own_fault() -> None:
    with pytest.raises(InvariantError):
        Client().response.say("Good", TENTH)
