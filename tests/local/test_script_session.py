"""What a scripted model sends over its socket, in order, and that the session survives what it should."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from app.errors import VoiceAgentError
from app.local.script_delivery import tone
from tests.support.local_session import silence, voice
from tests.support.scripted_model import Client, Event, Model, item_in, output_of, response_in, scripted, words_of

FAST = "pace: max\n"
MESSAGE = [
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
]
CALL = [
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "conversation.item.done",
    "response.output_item.done",
]


def play(script: str, scenario: Callable[[Client], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20), scripted(script) as model, model.client() as client:
            await scenario(client)

    asyncio.run(whole())


def test_a_response_may_have_several_messages_with_phases() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        response = await client.done()
        assert client.types(1) == ["response.created", *MESSAGE, *MESSAGE, "response.done", "rate_limits.updated"]
        items = [item_in(event) for event in client.of("response.output_item.done")]
        assert [(item["phase"], item["status"]) for item in items] == [
            ("commentary", "completed"),
            ("final_answer", "completed"),
        ]
        assert response["output"] == items
        assert client.audio(items[0]["id"]) == tone(300, 440)
        assert client.audio(items[1]["id"]) == tone(100, 660)

    play(
        FAST
        + "turns: [{reply: [{tone_ms: 300, phase: commentary}, {tone_ms: 100, tone_hz: 660, phase: final_answer}]}]",
        scenario,
    )


def test_words_are_spoken_by_the_mouth() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        response = await client.done()
        assert len(client.audio()) == 48 * 50 * len("Good morning.")
        assert words_of(output_of(response)[0]) == "Good morning."

    play(FAST + "turns: [say: Good morning.]", scenario)


@pytest.mark.parametrize("order", ["first", "last", "beside"])
def test_deltas_of_odd_sizes_are_the_whole_audio_and_the_words_come_where_the_script_wants_them(order: str) -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        await client.done()
        assert client.audio() == tone(100, 440)
        kinds = [
            str(event["type"])
            for event in client.events
            if event["type"] in {"response.output_audio.delta", "response.output_audio_transcript.delta"}
        ]
        audio, words = "response.output_audio.delta", "response.output_audio_transcript.delta"
        expected = {
            "first": [words, words, audio, audio, audio, audio],
            "last": [audio, audio, audio, audio, words, words],
            "beside": [words, audio, audio, audio, words, audio],
        }
        assert kinds == expected[order]
        deltas = client.of("response.output_audio.delta")
        assert [len(base64.b64decode(str(event["delta"]))) for event in deltas] == [1, 2401, 1, 2397]
        done = client.of("response.output_audio_transcript.done")[0]
        assert done["transcript"] == "one two"
        item = item_in(client.of("response.output_item.done")[0])
        await client.send(
            "conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=30
        )  # the words know where in the audio they are, whenever they were sent
        await client.until("conversation.item.truncated")

    play(FAST + f"transcript: {order}\nturns: [{{tone_ms: 100, words: one two, delta_bytes: [1, 2401]}}]", scenario)


def test_audio_comes_as_g711_where_the_session_wants_that() -> None:
    async def scenario(client: Client) -> None:
        await client.update(audio={"output": {"format": {"type": "audio/pcmu"}}})
        await client.ask()
        await client.done()
        assert len(client.audio()) == 8 * 250

    play(FAST + "turns: [tone_ms: 250]", scenario)


def test_a_session_of_text_is_given_the_words() -> None:
    async def scenario(client: Client) -> None:
        await client.ask(output_modalities=["text"])
        await client.done()
        assert (
            "".join(str(event["delta"]) for event in client.of("response.output_text.delta")) == "La la la la la la la"
        )
        assert client.audio() == b""

    play(FAST + "turns: [{tone_ms: 250, words: La la la la la la la}]", scenario)


def test_a_tool_call_follows_words_and_two_come_at_once() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        response = await client.done()
        assert client.types(1) == ["response.created", *MESSAGE, *CALL, *CALL, "response.done", "rate_limits.updated"]
        calls = output_of(response)[1:]
        assert [(call["name"], call["arguments"]) for call in calls] == [("find", '{"number":"1042"}'), ("find", "{")]
        deltas = [event["delta"] for event in client.of("response.function_call_arguments.delta")]
        assert deltas == ['{"num', 'ber":', '"1042', '"}', "{"]
        assert len({call["call_id"] for call in calls}) == 2

    script = """
turns:
  - reply:
      - tone_ms: 100
      - call: {name: find, arguments: {number: "1042"}, piece_chars: 5}
      - call: {name: find, arguments: "{"}
"""
    play(FAST + script, scenario)


def test_a_turn_answers_a_tool_or_the_callers_words_or_comes_in_its_order() -> None:
    async def said(client: Client, count: int) -> str:
        await client.ask()
        response = await client.done(count)
        return str(words_of(output_of(response)[-1]))

    async def write(client: Client, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})

    async def scenario(client: Client) -> None:
        await write(client, "Where is my ORDER?")
        await client.ask()
        (call,) = output_of(await client.done())
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "shipped"}
        await client.send("conversation.item.create", item=output)
        assert await said(client, 2) == "shipped"
        assert await said(client, 3) == "in order"
        await write(client, "And the other order?")
        assert await said(client, 4) == "again"
        assert await said(client, 5) == "otherwise"
        await write(client, "An order.")
        assert await said(client, 6) == "again"

    script = """
turns:
  - {when: {tool_answers: find}, tone_ms: 10, words: shipped}
  - {when: {caller_says: order}, call: {name: find}}
  - {when: {caller_says: [parcel, order]}, again: true, tone_ms: 10, words: again}
  - {tone_ms: 10, words: in order}
otherwise: {tone_ms: 10, words: otherwise}
"""
    play(FAST + script, scenario)


def test_a_response_that_failed_before_it_came_to_anything_leaves_what_it_was_to_answer() -> None:
    async def scenario(client: Client) -> None:
        content = [{"type": "input_text", "text": "an order"}]
        await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await client.ask()
        assert (await client.done())["status"] == "failed"
        await client.ask()
        assert words_of(output_of(await client.done(2))[0]) == "again"

    script = """
turns:
  - {end: {failed: server_error}}
  - {when: {caller_says: order}, tone_ms: 10, words: again}
"""
    play(FAST + script, scenario)


@pytest.mark.parametrize(
    ("end", "status", "details"),
    [
        (
            "{failed: server_error}",
            "failed",
            {"type": "server_error", "code": None, "message": "The server had an error while processing your request."},
        ),
        (
            "{failed: rate_limit_exceeded}",
            "failed",
            {"type": "rate_limit_error", "code": "rate_limit_exceeded", "message": "Rate limit reached."},
        ),
        (
            "{failed: insufficient_quota}",
            "failed",
            {
                "type": "insufficient_quota",
                "code": "insufficient_quota",
                "message": "You exceeded your current quota.",
            },
        ),
        ("{incomplete: max_output_tokens}", "incomplete", "max_output_tokens"),
        ("{incomplete: content_filter}", "incomplete", "content_filter"),
        ("{cancelled: turn_detected}", "cancelled", "turn_detected"),
    ],
)
def test_a_response_fails_or_ends_early_and_the_next_one_is_made(end: str, status: str, details: object) -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        response = await client.done()
        assert response["status"] == status
        told = response["status_details"]
        assert isinstance(told, dict)
        assert told["type"] == status
        assert (told["error"] if status == "failed" else told["reason"]) == details
        assert output_of(response)[0]["status"] == "incomplete"
        usage = response["usage"]
        assert isinstance(usage, dict)
        assert (usage["total_tokens"] == 0) == (status == "failed")
        await client.ask()
        assert (await client.done(2))["status"] == "completed"

    play(FAST + f"turns: [{{tone_ms: 500, words: I am, end: {end}}}]\notherwise: {{tone_ms: 10}}", scenario)


def test_a_response_that_never_ends_is_the_active_one_until_it_is_cancelled() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        await client.until("response.output_audio.delta")
        await client.ask()
        await client.until("error")
        assert client.errors()[0]["code"] == "conversation_already_has_active_response"
        await client.send("response.cancel")
        response = await client.done()
        assert (response["status"], response["status_details"]) == (
            "cancelled",
            {"type": "cancelled", "reason": "client_cancelled"},
        )
        await client.ask()
        assert (await client.done(2))["status"] == "completed"

    play(FAST + "turns: [{tone_ms: 10, end: never}]", scenario)


def test_a_cancelled_call_gives_its_arguments_and_is_left_incomplete() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        await client.until("response.function_call_arguments.delta")
        await client.send("response.cancel")
        await client.done()
        assert client.types(1)[-5:] == [
            "response.function_call_arguments.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
            "rate_limits.updated",
        ]
        done = client.of("response.function_call_arguments.done")[0]
        assert (done["name"], done["arguments"]) == ("find", "{")
        assert item_in(client.of("response.output_item.done")[0])["status"] == "incomplete"

    play(FAST + "turns: [call: {name: find, arguments: '{}', piece_chars: 1, piece_ms: 60000}]", scenario)


def test_late_deltas_come_after_a_cancel_and_the_end_after_the_next_beginning() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        await client.until("response.output_audio.delta")
        await client.send("response.cancel")
        await client.until("response.output_audio.delta", 3)
        await client.ask()
        await client.done(2)
        cut, following = (response_in(event)["id"] for event in client.of("response.created"))
        ends = [response_in(event) for event in client.of("response.done")]
        assert [(end["id"], end["status"]) for end in ends] == [(cut, "cancelled"), (following, "completed")]
        deltas = client.of("response.output_audio.delta")
        assert sum(delta["response_id"] == cut for delta in deltas) == 3
        late_end = client.events.index(client.of("response.done")[0])
        assert client.events.index(client.of("response.created")[1]) < late_end
        following_item = next(i for i in client.of("response.output_item.added") if i["response_id"] == following)
        assert late_end < client.events.index(following_item)

    script = """
turns:
  - tone_ms: 60000
    pace: 1
    delta_bytes: [480000, 480, 480]  # the first is followed by ten seconds of nothing
    when_cut: {late_deltas: 2, done: after_next, within_ms: 60000}
  - {tone_ms: 10}
"""
    play(FAST + script, scenario)


def test_a_late_end_does_not_wait_for_ever() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        await client.until("response.output_audio.delta")
        await client.send("response.cancel")
        assert (await client.done())["status"] == "cancelled"

    play("turns: [{tone_ms: 60000, when_cut: {done: after_next, within_ms: 20}}]", scenario)


@pytest.mark.parametrize("created", [True, False])
def test_speech_may_begin_between_the_request_and_the_response(created: bool) -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        response = await client.done()
        assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        assert client.types(1) == [
            "input_audio_buffer.speech_started",
            *(["response.created"] if created else []),
            "response.done",
            "rate_limits.updated",
        ]

    script = f"turns: [{{before: [speech_started: true], tone_ms: 10, when_cut: {{created: {str(created).lower()}}}}}]"
    play(FAST + script, scenario)


def test_speech_begins_where_the_audio_is_whatever_its_format() -> None:
    async def scenario(client: Client) -> None:
        await client.update(audio={"input": {"format": {"type": "audio/pcmu"}}})
        encoded = base64.b64encode(b"\xff" * 8 * 500).decode()
        await client.send("input_audio_buffer.append", audio=encoded)
        await client.ask()
        started = await client.until("input_audio_buffer.speech_started")
        await client.send("input_audio_buffer.append", audio=encoded)
        stopped = await client.until("input_audio_buffer.speech_stopped")
        assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (200, 1000)

    play(FAST + "caller: [Well.]\nvad: script\nturns: [before: [speech_ms: 400]]\notherwise: {tone_ms: 10}", scenario)


def test_speech_that_may_not_interrupt_lets_the_response_begin() -> None:
    async def scenario(client: Client) -> None:
        await client.set_turns(interrupt_response=False, create_response=False)
        await client.ask()
        assert (await client.done())["status"] == "completed"
        assert client.types(2)[:5] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
        ]
        ids = {
            event["item_id"]
            for kind in ("speech_started", "speech_stopped", "committed")
            for event in client.of(f"input_audio_buffer.{kind}")
        }
        assert len(ids) == 1

    script = "turns: [{delay_ms: 10, before: [speech_started: true, speech_stopped: true], tone_ms: 10}]"
    play(FAST + "caller: [Well.]\n" + script, scenario)


def test_the_callers_turns_are_taken_for_what_the_script_says() -> None:
    async def scenario(client: Client) -> None:
        await client.set_turns(create_response=False)
        for _ in range(5):
            await client.append(voice(300) + silence(400))
        await client.until("input_audio_buffer.committed", 5)
        begin = "conversation.item.input_audio_transcription"
        await client.until(f"{begin}.failed", 2)
        late = await client.until(f"{begin}.completed", 2)
        assert [event["transcript"] for event in client.of(f"{begin}.completed")] == ["Where is it?", "One."]
        turns = [event["item_id"] for event in client.of("input_audio_buffer.committed")]
        assert late["item_id"] == turns[1]
        errors = [cast("Event", event["error"]) for event in client.of(f"{begin}.failed")]
        assert [error["code"] for error in errors] == ["audio_unintelligible", "audio_unintelligible"]
        assert [event["item_id"] for event in client.of(f"{begin}.failed")] == [turns[2], turns[4]]
        await client.ask()
        response = await client.done()
        assert words_of(output_of(response)[0]) == "yes"

    script = """
caller: ["Where is it?", {says: "One.", after_ms: 20}, {fails: audio_unintelligible}, {says: "Unseen", after_ms: never}]
turns: [{when: {caller_says: unseen}, tone_ms: 10, words: "yes"}]
"""
    play(FAST + script, scenario)


def test_without_a_list_the_ears_listen() -> None:
    async def whole() -> None:
        async with scripted(FAST + "turns: [{when: {caller_says: order}, tone_ms: 10, words: found}]") as model:
            model.ears.script = ["my order"]
            async with model.client() as client:
                await client.append(voice(300) + silence(600))
                response = await client.done()
                assert words_of(output_of(response)[0]) == "found"

    asyncio.run(whole())


def test_a_real_interruption_cuts_a_scripted_reply_and_the_truncation_beyond_it_is_refused() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        await client.until("response.output_audio.delta", 2)
        await client.append(voice(300))
        response = await client.done()
        assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        item = output_of(response)[0]
        length_ms = len(client.audio()) // 48
        await client.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=length_ms + 1)
        await client.until("error")
        message = f"Audio content of {length_ms}ms is already shorter than {length_ms + 1}ms"
        assert client.errors() == [
            {
                "type": "invalid_request_error",
                "code": "invalid_value",
                "message": message,
                "param": None,
                "event_id": None,
            }
        ]
        await client.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=length_ms)
        await client.until("conversation.item.truncated")
        await client.send("conversation.item.delete", item_id=item["id"])
        await client.until("conversation.item.deleted")

    play("turns: [{tone_ms: 60000, delta_ms: 100, pace: 10}]", scenario)


@pytest.mark.parametrize(
    ("refusal", "code", "message", "event_id"),
    [
        ("error: too_long", "invalid_value", "Audio content of 99ms is already shorter than 100ms", None),
        (
            "error: unsupported_content_type",
            "unsupported_content_type",
            "Only model output audio messages can be truncated",
            "mine",
        ),
        (
            "error: item_truncate_invalid_item_id",
            "item_truncate_invalid_item_id",
            "Item with item_id 'ITEM' not found in conversation.",
            "mine",
        ),
        (
            "error: too_long, then_truncates: true",
            "invalid_value",
            "Audio content of 99ms is already shorter than 100ms",
            None,
        ),
    ],
)
def test_a_truncation_is_refused_as_the_script_says(
    refusal: str, code: str, message: str, event_id: str | None
) -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        item = output_of(await client.done())[0]
        truncation = {"item_id": item["id"], "content_index": 0, "audio_end_ms": 100, "event_id": "mine"}
        await client.send("conversation.item.truncate", **truncation)
        await client.until("error")
        (error,) = client.errors()
        assert (error["code"], error["message"]) == (code, message.replace("ITEM", str(item["id"])))
        assert error["event_id"] == event_id
        await client.send("conversation.item.truncate", **{**truncation, "audio_end_ms": 90})
        count = 2 if "then_truncates" in refusal else 1
        await client.until("conversation.item.truncated", count)
        told = [event["audio_end_ms"] for event in client.of("conversation.item.truncated")]
        assert told == [100, 90][-count:]

    play(
        FAST + f"turns: [tone_ms: 500]\nrefuse: [{{event: conversation.item.truncate, {refusal}}}]",
        scenario,
    )


def test_a_session_is_refused_at_its_opening() -> None:
    async def opened(model: Model) -> tuple[list[str], tuple[int | None, str | None]]:
        async with model.client(greeted=False) as client:
            ended = await client.closed() if client.types() == ["error"] else (None, None)
            return client.types(), ended

    async def whole() -> None:
        script = "play: once\notherwise: {tone_ms: 10}\nrefuse: [{event: session, error: invalid_model, nth: 2}]"
        async with asyncio.timeout(20), scripted(script) as model:
            assert await opened(model) == (["session.created"], (None, None))
            assert await opened(model) == (["error"], (4000, "invalid_request_error.invalid_model"))
            assert await opened(model) == (["session.created"], (None, None))

    asyncio.run(whole())


def test_any_event_can_be_refused_and_the_session_goes_on() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        await client.done()
        await client.send("response.create", event_id="second")
        await client.until("error")
        assert client.errors() == [
            {
                "type": "server_error",
                "code": None,
                "message": "Not now.",
                "param": None,
                "event_id": "second",
            }
        ]
        await client.ask()
        assert (await client.done(2))["status"] == "completed"

    refusal = "{event: response.create, nth: 2, error: server_error, message: Not now.}"
    play(FAST + f"otherwise: {{tone_ms: 10}}\nrefuse: [{refusal}]", scenario)


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        ("response_cancel_not_active", "invalid_request_error", "response_cancel_not_active"),
        ("unknown_parameter", "invalid_request_error", "unknown_parameter"),
        ("server_error", "server_error", None),
        ("rate_limit_exceeded", "rate_limit_error", "rate_limit_exceeded"),
        ("insufficient_quota", "insufficient_quota", "insufficient_quota"),
    ],
)
def test_an_error_in_the_middle_of_a_reply_leaves_the_session_open(code: str, kind: str, told: str | None) -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        assert (await client.done())["status"] == "completed"
        (error,) = client.errors()
        assert (error["type"], error["code"], error["event_id"]) == (kind, told, None)
        assert client.types(1) == [
            "response.created",
            *MESSAGE,
            "error",
            *MESSAGE,
            "response.done",
            "rate_limits.updated",
        ]

    play(FAST + f"turns: [reply: [tone_ms: 10, error: {code}, tone_ms: 10]]", scenario)


@pytest.mark.parametrize(
    ("step", "code", "reason"),
    [
        ("error: session_expired", 1001, "Your session hit the maximum duration of 60 minutes."),
        ("error: invalid_api_key", 3000, "invalid_request_error.invalid_api_key"),
        ("error: invalid_model", 4000, "invalid_request_error.invalid_model"),
        ("error: model_not_found", 4004, "invalid_request_error.model_not_found"),
        ("error: {code: server_error, close: 1011}", 1011, ""),
        ("close: 1012", 1012, ""),
        ("close: {code: 1000, reason: enough}", 1000, "enough"),
        ("drop: true", 1006, ""),
    ],
)
def test_a_session_ends_by_the_script(step: str, code: int, reason: str) -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        assert await client.closed() == (code, reason)
        assert client.types(1)[:-1] == ["response.created", *MESSAGE][: len(client.types(1)) - 1]
        assert (client.types()[-1] == "error") == step.startswith("error")

    play(FAST + f"turns: [{{reply: [{{tone_ms: 10}}, {{{step}}}]}}]", scenario)


def test_a_session_falls_silent_and_goes_on_listening() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        await client.until("response.created")
        await client.append(silence(200))
        assert await client.closed() == (1011, "")
        assert client.types(1) == ["response.created"]

    script = "turns: [{reply: [mute: true, tone_ms: 10]}]\ntimeline: [{at_ms: 200, close: 1011}]"
    play(FAST + script, scenario)


def test_things_happen_at_positions_in_the_callers_audio() -> None:
    async def scenario(client: Client) -> None:
        assert client.types() == ["session.created", "response.thinking.delta"]
        await client.set_turns(create_response=False)
        await client.append(silence(999))
        await client.update()
        assert client.of("input_audio_buffer.speech_started") == []
        await client.append(silence(601))
        stopped = await client.until("input_audio_buffer.speech_stopped")
        started = client.of("input_audio_buffer.speech_started")[0]
        assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (799, 1600)
        await client.until("conversation.item.input_audio_transcription.completed")

    script = """
vad: script
caller: ["Well."]
timeline:
  - {at_ms: 0, event: {type: response.thinking.delta, delta: "Hm."}}
  - {at_ms: 1600, speech_stopped: true}
  - {at_ms: 1000, speech_started: true}
otherwise: {tone_ms: 10}
"""
    play(FAST + script, scenario)


def test_where_the_script_alone_finds_turns_a_voice_begins_none() -> None:
    async def scenario(client: Client) -> None:
        await client.append(voice(500) + silence(500))
        await client.update()
        assert client.of("input_audio_buffer.speech_started") == []

    play("vad: script\notherwise: {tone_ms: 10}", scenario)


def test_events_carry_what_a_client_should_not_mind() -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        await client.done()
        deltas = [event for event in client.events if str(event["type"]).endswith(".delta")]
        assert deltas
        assert all(event["obfuscation"] for event in deltas)
        placed = [event for event in client.events if "previous_item_id" in event]
        assert len(placed) == 4
        assert all(event["previous_item_id"] is None for event in placed)
        assert client.types(1)[:3] == [
            "response.created",
            "response.scripted_unknown_event",
            "response.output_item.added",
        ]

    script = (
        "awkward: [obfuscation, null_previous_item_id, unknown_events]\nturns: [reply: [tone_ms: 10, call: {name: x}]]"
    )
    play(FAST + script, scenario)


def test_each_session_begins_the_script_anew_unless_it_is_played_once() -> None:
    async def said(model: Model) -> object:
        async with model.client() as client:
            await client.ask()
            return words_of(output_of(await client.done())[0])

    async def whole(play: str) -> list[object]:
        script = f"play: {play}\nturns: [{{tone_ms: 10, words: one}}, {{tone_ms: 10, words: two}}]"
        async with asyncio.timeout(20), scripted(FAST + script) as model:
            return [await said(model), await said(model)]

    assert asyncio.run(whole("every_session")) == ["one", "one"]
    assert asyncio.run(whole("once")) == ["one", "two"]


def test_a_script_that_is_at_its_end_answers_nothing_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(client: Client) -> None:
        await client.ask()
        response = await client.done()
        assert (response["status"], response["output"]) == ("completed", [])

    play("turns: []", scenario)
    assert "add otherwise" in caplog.text


def test_a_voice_that_is_not_there_is_a_tone_of_about_the_length(caplog: pytest.LogCaptureFixture) -> None:
    async def whole() -> None:
        async with scripted(FAST + "turns: [say: Good morning.]") as model, model.client() as client:
            model.mouth.failure = VoiceAgentError("no voice")
            await client.ask()
            response = await client.done()
            assert words_of(output_of(response)[0]) == "Good morning."
            assert 500 < len(client.audio()) // 48 < 1500

    asyncio.run(whole())
    assert "no voice" in caplog.text


def test_a_response_may_spend_no_more_than_its_tokens() -> None:
    async def scenario(client: Client) -> None:
        await client.ask(max_output_tokens=4)
        response = await client.done()
        assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
        assert len(client.audio()) == 48 * 200

    play(FAST + "turns: [{tone_ms: 5000, delta_ms: 100}]", scenario)


def test_a_response_out_of_band_takes_its_turn_and_leaves_no_item() -> None:
    async def scenario(client: Client) -> None:
        await client.ask(conversation="none", output_modalities=["text"])
        response = await client.done()
        assert response["conversation_id"] is None
        assert client.of("conversation.item.added") == []
        assert client.of("response.output_text.done")[0]["text"] == "Yes."

    play(FAST + "turns: [{tone_ms: 10, words: Yes.}]", scenario)
