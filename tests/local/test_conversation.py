"""The order of items, and what a cut leaves of what the agent said."""

import pytest

from app.audio.formats import PCM16_24K
from app.local.conversation import Conversation
from app.local.dialogue import AgentSaid, CallerSaid, CallerWrote, SystemSaid, ToolAnswered, ToolCalled
from app.local.items import AgentAudio, CallerAudio, Item, Message, Text, ToolCall, ToolOutput, item_from_wire
from app.local.shapes import RequestError

pytestmark = pytest.mark.core


def written(item_id: str) -> Message:
    return Message(item_id, "user", [Text(item_id)])


def spoken(item_id: str, *words: str) -> Message:
    audio = AgentAudio(PCM16_24K)
    for word in words:
        audio.add(word, PCM16_24K.bytes_of(100), PCM16_24K.bytes_of(100))
    return Message(item_id, "assistant", [audio])


def ids(conversation: Conversation) -> list[str]:
    return [item.id for item in conversation.items]


def test_items_stand_where_they_were_put() -> None:
    conversation = Conversation()
    assert conversation.add(written("b")) is None
    assert conversation.add(written("d"), None) == "b"
    assert conversation.add(written("a"), "root") is None
    assert conversation.add(written("c"), "b") == "b"
    assert ids(conversation) == ["a", "b", "c", "d"]
    assert conversation.last_id == "d"


@pytest.mark.parametrize(("item_id", "after", "param"), [("b", "nobody", "previous_item_id"), ("a", None, "item.id")])
def test_an_item_that_cannot_be_put_leaves_all_as_it_was(item_id: str, after: str | None, param: str) -> None:
    conversation = Conversation()
    conversation.add(written("a"))
    with pytest.raises(RequestError) as refused:
        conversation.add(written(item_id), after)
    assert (refused.value.code, refused.value.param) == ("invalid_value", param)
    assert ids(conversation) == ["a"]


def test_unknown_items_have_an_error_for_each_deed() -> None:
    conversation = Conversation()
    with pytest.raises(RequestError) as deleted:
        conversation.delete("nobody")
    with pytest.raises(RequestError) as retrieved:
        conversation.retrieve("nobody")
    with pytest.raises(RequestError) as truncated:
        conversation.truncate("nobody", 0, 100)
    assert [refused.value.code for refused in (deleted, retrieved, truncated)] == [
        "item_delete_invalid_item_id",
        "item_retrieve_invalid_item_id",
        "item_truncate_invalid_item_id",
    ]


def test_a_cut_leaves_the_words_that_were_heard() -> None:
    conversation = Conversation()
    item = spoken("a", "Order ", "1042 ", "has ", "shipped.")
    conversation.add(item)
    conversation.truncate("a", 0, 260)
    assert item.entries() == [AgentSaid("Order 1042 has")]
    assert item.wire()["content"] == [{"type": "output_audio", "transcript": None}]
    conversation.truncate("a", 0, 0)
    assert item.entries() == []
    with pytest.raises(RequestError, match="Audio content of 0ms is already shorter than 1ms") as refused:
        conversation.truncate("a", 0, 1)
    assert (refused.value.code, refused.value.answers) == ("invalid_value", False)


def test_nothing_is_added_behind_a_cut() -> None:
    audio = AgentAudio(PCM16_24K)
    audio.add("one ", 4800, 4800)
    audio.truncate(100)
    audio.add("two ", 4800, 4800)
    assert (audio.transcript, audio.duration_ms) == ("one ", 100)


@pytest.mark.parametrize("index", [0, 1])
def test_only_audio_of_the_agent_can_be_cut(index: int) -> None:
    conversation = Conversation()
    conversation.add(written("a"))
    conversation.add(ToolCall("c", "call_1", "look", "{}"))
    for item_id in ("a", "c"):
        with pytest.raises(RequestError) as refused:
            conversation.truncate(item_id, index, 0)
        assert refused.value.code == "unsupported_content_type"


def test_what_the_dialogue_reads() -> None:
    items: list[Item] = [
        Message("1", "system", [Text("Be brief.")]),
        Message("2", "user", [CallerAudio(500, "hello"), CallerAudio(500, ""), CallerAudio(100), Text("1042")]),
        Message("3", "assistant", [Text("Hi.")]),
        ToolCall("4", "call_1", "look", '{"a":1}'),
        ToolOutput("5", "call_1", "found"),
    ]
    assert [entry for item in items for entry in item.entries()] == [
        SystemSaid("Be brief."),
        CallerSaid("hello"),
        CallerSaid(None),
        CallerSaid(None),
        CallerWrote("1042"),
        AgentSaid("Hi."),
        ToolCalled("call_1", "look", '{"a":1}'),
        ToolAnswered("call_1", "found"),
    ]


def test_items_as_a_client_writes_them() -> None:
    audio = {"type": "input_audio", "audio": "AAAA" * 1200}
    item, unheard = item_from_wire({"type": "message", "role": "user", "content": [audio]}, PCM16_24K)
    assert isinstance(item, Message)
    assert item.id.startswith("item_")
    assert item.parts == [CallerAudio(75)]
    assert [(one.content_index, len(one.pcm)) for one in unheard] == [(0, 3600)]
    audio["audio"] = "not base64!"
    with pytest.raises(RequestError) as refused:
        item_from_wire({"type": "message", "role": "user", "content": [audio]}, PCM16_24K)
    assert (refused.value.code, refused.value.param) == ("invalid_value", "item.content[0].audio")


def test_tool_calls_are_known_by_their_id() -> None:
    conversation = Conversation()
    conversation.add(ToolCall("4", "call_1", "look", "{}"))
    assert conversation.has_tool_call("call_1")
    assert not conversation.has_tool_call("call_2")
