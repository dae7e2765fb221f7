"""A conversation in writing, against a model on a real loopback socket."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest
from pydantic import JsonValue

from app.bridge import typed_talk
from app.bridge.typed_talk import TypedTalk
from app.errors import ModelError, ToolError
from app.model.choice import ModelChoice
from app.model.dialects import openai_target
from app.session.words import ToolStatus
from app.tools.catalogue import Catalogue, Tool
from tests.support.model_events import tone
from tests.support.model_leg import SETUP, run
from tests.support.stand_in_model import StandInConnection, StandInModel

Play = Callable[[StandInConnection], Awaitable[None]]


class Orders:
    """A tool's runner that knows one order."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, JsonValue]] = []

    async def run(self, arguments: Mapping[str, JsonValue]) -> str:
        self.asked.append(arguments)
        if arguments["order_number"] != "1042":
            raise ToolError("There is no such order.")
        return '{"status": "shipped"}'


class Talk:
    """A talk with the first of some models that can be reached, and what was told of it."""

    def __init__(self, *base_urls: str, reconnects: Sequence[bool] = ()) -> None:
        self.orders = Orders()
        self.words: list[str] = []
        self.notes: list[str] = []
        self.when_noted: Callable[[], object] = list
        parameters: dict[str, JsonValue] = {
            "type": "object",
            "properties": {"order_number": {"type": "string"}},
            "required": ["order_number"],
        }
        catalogue = Catalogue((Tool("lookup_order", "Find an order.", parameters, 5.0, self.orders),))
        choices = [
            ModelChoice(openai_target(base_url, "sk-test", f"model-{number}"), SETUP)
            for number, base_url in enumerate(base_urls, 1)
        ]
        self.talk = TypedTalk(choices, catalogue, self.words.append, self._noted, reconnects=reconnects)

    def _noted(self, text: str) -> None:
        self.notes.append(text)
        self.when_noted()

    async def have(self, *texts: str, said: Sequence[str] = ()) -> str:
        """Have it; return why it broke off, or nothing."""
        try:
            await self.talk.run(said, texts)
        except* ModelError as errors:
            (failure,) = errors.exceptions
        else:
            return ""
        return str(failure)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed_talk, "PAUSES_S", (0.0, 0.0, 0.0))


def played(play: Play, *texts: str, said: Sequence[str] = (), then: Play | None = None) -> tuple[Talk, str]:
    """Have a talk with a stand-in that plays its part; return it, and why it broke off.

    then: the part in a second session.
    """
    results: list[tuple[Talk, str]] = []

    async def scenario() -> None:
        async with StandInModel() as model:
            talk = Talk(model.base_url)
            having = asyncio.create_task(talk.have(*texts, said=said))
            await play(await model.next_connection())
            if then is not None:
                await then(await model.next_connection())
            results.append((talk, await having))

    run(scenario())
    return results[0]


def test_each_text_is_a_turn_and_what_comes_is_told_and_kept() -> None:
    async def play(connection: StandInConnection) -> None:
        asked = [await connection.expect(kind) for kind in ("session.update", *3 * ["conversation.item.create"])]
        items = [event["item"] for event in asked[1:]]
        assert [(item["role"], item["content"][0]["text"]) for item in items] == [  # type: ignore[index]  # JSON
            ("assistant", "This is an AI."),
            ("assistant", "Hello."),
            ("user", "Good morning."),
        ]
        await connection.expect("response.create")
        await connection.reply("Good morning to you.", ms=1000)
        item = (await connection.expect("conversation.item.create"))["item"]
        assert item["content"] == [{"type": "input_text", "text": "Goodbye."}]  # type: ignore[index]  # JSON
        await connection.expect("response.create")
        await connection.reply("Bye.", ms=400)

    talk, failure = played(play, "Good morning.", "Goodbye.", said=("This is an AI.", "Hello."))
    assert failure == ""
    assert "".join(talk.words) == "Good morning to you. Bye. "
    assert len(talk.words) == 5  # as they came
    first, second = talk.talk.turns
    assert (first.answer.strip(), second.answer.strip()) == ("Good morning to you.", "Bye.")
    assert [talk.talk.audio_ms(turn) for turn in (first, second)] == [1000, 400]
    assert first.first_audio_ms is not None
    assert first.usage["total_tokens"] == 120
    assert talk.notes == ["> Good morning.", "> Goodbye."]


def test_tools_are_run_and_the_turn_goes_on_until_none_is_called() -> None:
    async def play(connection: StandInConnection) -> None:
        await connection.wait_for("response.create")
        await connection.call_tool("lookup_order", {"order_number": "1042"}, call_id="call_1")
        item = (await connection.expect("conversation.item.create"))["item"]
        assert (item["call_id"], item["output"]) == ("call_1", '{"status": "shipped"}')  # type: ignore[index]  # JSON
        await connection.expect("response.create")
        await connection.call_tool("lookup_order", {"order_number": "7"})
        await connection.expect("conversation.item.create")
        await connection.expect("response.create")
        await connection.call_tool("send_flowers", {})
        item = (await connection.expect("conversation.item.create"))["item"]
        assert "lookup_order" in item["output"]  # type: ignore[index]  # JSON
        await connection.expect("response.create")
        await connection.reply("It has shipped.")

    talk, failure = played(play, "Where is order 1042?")
    assert failure == ""
    (turn,) = talk.talk.turns
    assert [(call.name, call.status) for call in turn.tool_calls] == [
        ("lookup_order", ToolStatus.OK),
        ("lookup_order", ToolStatus.ERROR),
        ("send_flowers", ToolStatus.ERROR),
    ]
    assert talk.orders.asked == [{"order_number": "1042"}, {"order_number": "7"}]
    assert talk.notes[1:] == ["tool lookup_order: ok", "tool lookup_order: error", "tool send_flowers: error"]
    assert turn.answer.strip() == "It has shipped."


def test_a_model_that_calls_tools_on_and_on_is_left() -> None:
    async def play(connection: StandInConnection) -> None:
        for _ in range(typed_talk.MOST_RESPONSES):
            await connection.wait_for("response.create")
            await connection.call_tool("lookup_order", {"order_number": "1042"})

    _, failure = played(play, "Where is order 1042?")
    assert "calls tools on and on" in failure


def test_two_messages_of_one_answer_are_two_lines() -> None:
    async def play(connection: StandInConnection) -> None:
        await connection.wait_for("response.create")
        await connection.begin_reply("resp_a", "item_a")
        (reply,) = connection.replies
        await reply.words("One moment.")
        reply.item_id = "item_b"
        await reply.words("Here it is.")
        await reply.end()

    talk, _ = played(play, "Well?")
    assert talk.talk.turns[0].answer == "One moment.\nHere it is."
    assert talk.words == ["One moment.", "\n", "Here it is."]


@pytest.mark.parametrize(
    ("status", "details", "failure", "note"),
    [
        ("failed", {"type": "failed", "error": {"type": "tokens", "code": "content_policy"}}, "content_policy", ""),
        ("incomplete", {"type": "incomplete", "reason": "max_output_tokens"}, "", "not whole: max_output_tokens"),
    ],
)
def test_an_answer_that_is_not_whole_is_told(status: str, details: dict[str, object], failure: str, note: str) -> None:
    async def play(connection: StandInConnection) -> None:
        await connection.wait_for("response.create")
        reply = await connection.begin_reply()
        await reply.words("I am")
        await reply.end(status, details)

    talk, why = played(play, "Well?")
    assert failure in why
    assert bool(why) == bool(failure)
    assert note in talk.notes[-1]
    assert talk.talk.turns[0].answer == "I am"


SERVER_ERROR: dict[str, object] = {"type": "failed", "error": {"type": "server_error", "code": None}}


def test_an_answer_that_fails_in_passing_is_asked_for_once_more() -> None:
    async def play(connection: StandInConnection) -> None:
        await connection.wait_for("response.create")
        reply = await connection.begin_reply()
        await reply.words("I am")
        await reply.audio(tone(200))
        await reply.end("failed", SERVER_ERROR)
        await connection.expect("response.create")
        await connection.reply("Good morning.", ms=300)

    talk, failure = played(play, "Well?")
    assert failure == ""
    (turn,) = talk.talk.turns
    assert (turn.answer.strip(), talk.talk.audio_ms(turn)) == ("Good morning.", 300)
    assert turn.usage["input_tokens"] == 200, "what failed is billed too"
    assert talk.notes == ["> Well?", "model-1 failed to answer: server_error; asking once more"]
    assert talk.words[:2] == ["I am", "\n"]


def test_an_answer_that_fails_again_is_told() -> None:
    async def play(connection: StandInConnection) -> None:
        for _ in range(2):
            await connection.wait_for("response.create")
            await (await connection.begin_reply()).end("failed", SERVER_ERROR)

    _, failure = played(play, "Well?")
    assert failure == "model-1 failed to answer: server_error"


def test_a_response_that_is_refused_in_passing_is_asked_for_once_more() -> None:
    async def play(connection: StandInConnection) -> None:
        connection.refuse_next("response.create", code="rate_limit_exceeded")
        await connection.wait_for("response.create")
        await connection.wait_for("response.create")
        await connection.reply("Good morning.", ms=300)

    talk, failure = played(play, "Well?")
    assert (failure, talk.talk.turns[0].answer.strip()) == ("", "Good morning.")
    assert talk.notes[1] == "model-1 would not take what it was asked: rate_limit_exceeded; asking once more"


async def lose(connection: StandInConnection) -> None:
    await connection.wait_for("response.create")
    connection.drop()


def test_a_session_that_is_lost_is_opened_again_once_and_told_what_there_was() -> None:
    async def play(connection: StandInConnection) -> None:
        await connection.wait_for("response.create")
        await connection.reply("Good morning.", ms=300)
        await connection.wait_for("response.create")
        reply = await connection.begin_reply()
        await reply.words("I am")
        connection.drop()

    async def go_on(connection: StandInConnection) -> None:
        asked = [await connection.expect(kind) for kind in ("session.update", *4 * ["conversation.item.create"])]
        items = [event["item"] for event in asked[1:]]
        assert [(item["role"], item["content"][0]["text"]) for item in items] == [  # type: ignore[index]  # dicts
            ("assistant", "This is an AI."),
            ("user", "Good morning."),
            ("assistant", "Good morning."),
            ("user", "How are you?"),
        ]
        await connection.expect("response.create")
        await connection.reply("I am fine.", ms=400)

    talk, failure = played(play, "Good morning.", "How are you?", said=["This is an AI."], then=go_on)
    assert failure == ""
    assert [turn.answer.strip() for turn in talk.talk.turns] == ["Good morning.", "I am fine."]
    told = "model-1 was lost amid the conversation: close_1006; asking again in a new session"
    assert talk.notes == ["> Good morning.", "> How are you?", told]


def test_a_model_that_leaves_again_is_told_and_what_there_was_is_kept() -> None:
    async def play(connection: StandInConnection) -> None:
        await connection.wait_for("response.create")
        await connection.reply("Good morning.", ms=300)
        await lose(connection)

    talk, failure = played(play, "Good morning.", "How are you?", then=lose)
    assert "model-1 was lost amid the conversation: close_1006" in failure
    assert [turn.answer.strip() for turn in talk.talk.turns] == ["Good morning.", ""]


def test_no_tool_is_run_twice_for_a_session_that_was_lost() -> None:
    async def play(connection: StandInConnection) -> None:
        await connection.wait_for("response.create")
        await connection.call_tool("lookup_order", {"order_number": "1042"})
        await lose(connection)

    talk, failure = played(play, "Where is order 1042?")
    assert "was lost amid the conversation" in failure
    assert len(talk.orders.asked) == 1


@pytest.mark.parametrize(("close_code", "reconnects"), [(1008, True), (1011, False)])
def test_a_lost_session_that_is_not_opened_again_is_gone_on_from_with_the_next_model(
    close_code: int, reconnects: bool
) -> None:
    async def scenario() -> None:
        async with StandInModel() as first, StandInModel() as second:
            talk = Talk(first.base_url, second.base_url, reconnects=[reconnects, True])
            having = asyncio.create_task(talk.have("Well?"))
            connection = await first.next_connection()
            await connection.wait_for("response.create")
            await connection.close(close_code)
            other = await second.next_connection()
            await other.wait_for("response.create")
            await other.reply("Here I am.")
            assert await having == ""
            assert talk.talk.model_name == "model-2"
            assert len(first.connections) == 1

    run(scenario())


def test_a_lost_session_without_another_way_is_told() -> None:
    async def play(connection: StandInConnection) -> None:
        await connection.wait_for("response.create")
        await connection.close(1008)

    _, failure = played(play, "Well?")
    assert "model-1 was lost amid the conversation: close_1008" in failure


def test_a_request_that_is_refused_is_told() -> None:
    async def play(connection: StandInConnection) -> None:
        connection.refuse_next("conversation.item.create", code="string_above_max_length")
        await connection.wait_for("conversation.item.create")

    _, failure = played(play, "x" * 1000)
    assert failure == "model-1 would not take what it was asked: string_above_max_length"


def test_a_model_that_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed_talk, "PATIENCE_S", 0.05)

    async def scenario() -> None:
        async with StandInModel(answers=False) as model:
            talk = Talk(model.base_url)
            assert "has said nothing for 0.05 s" in await talk.have("Well?")

    run(scenario())


def test_the_first_model_that_can_be_reached_is_talked_to() -> None:
    async def scenario() -> None:
        async with StandInModel(refuse_with=401) as down, StandInModel() as model:
            talk = Talk(down.base_url, model.base_url)
            having = asyncio.create_task(talk.have("Well?"))
            connection = await model.next_connection()
            await connection.wait_for("response.create")
            await connection.reply("Here I am.")
            assert await having == ""
            assert talk.talk.model_name == "model-2"
            assert talk.notes[0] == "model-1 could not be reached: http_401 (check the key); trying model-2"

    run(scenario())


def test_a_connect_that_may_succeed_is_tried_again_before_the_next_model_is() -> None:
    async def scenario() -> None:
        async with StandInModel(refuse_with=503) as crowded, StandInModel() as other:
            talk = Talk(crowded.base_url, other.base_url)
            having = asyncio.create_task(talk.have("Well?"))
            connection = await other.next_connection()
            await connection.wait_for("response.create")
            await connection.reply("Here I am.")
            assert await having == ""
            assert crowded.upgrades == 4
            again = "model-1 could not be reached: http_503; trying again in 0 s"
            assert talk.notes[:4] == [
                *3 * [again],
                "model-1 could not be reached: http_503 (try again); trying model-2",
            ]

    run(scenario())


def test_a_connect_that_succeeds_at_the_second_try_is_enough() -> None:
    async def scenario() -> None:
        async with StandInModel(refuse_with=503) as model:
            talk = Talk(model.base_url)
            talk.when_noted = lambda: setattr(model, "refuse_with", None)
            having = asyncio.create_task(talk.have("Well?"))
            connection = await model.next_connection()
            await connection.wait_for("response.create")
            await connection.reply("Here I am.")
            assert await having == ""

    run(scenario())


def test_when_none_can_be_reached_each_is_named_with_what_to_look_at() -> None:
    async def scenario() -> None:
        async with StandInModel() as gone:
            nowhere = gone.base_url
        async with StandInModel(refuse_with=404) as down:
            failure = await Talk(down.base_url, nowhere).have("Well?")
        assert "model-1 could not be reached: http_404 (check the model's name, and its base URL" in failure
        assert "model-2 could not be reached: connect_refused (check the base URL" in failure

    run(scenario())
