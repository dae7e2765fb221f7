"""A session as its client sees it, without a socket: what is obeyed, what is refused, and what follows from a turn."""

import asyncio
import base64
import json
from collections.abc import Mapping
from itertools import pairwise

import pytest

from app.audio.formats import PCM16_24K
from app.errors import VoiceAgentError
from app.local.dialogue import AgentSaid, CallerSaid, CallerSilent, CallerWrote, CallTool, Say, ToolAnswered, ToolCalled
from tests.support.local_session import MS_A_CHARACTER, Event, Talk, error_of, run, silence, talk, voice

pytestmark = pytest.mark.core

TOOL = {"type": "function", "name": "lookup_order", "description": "Find an order.", "parameters": {"type": "object"}}


def audio_ms(talk: Talk, item_id: object) -> int:
    deltas = [event for event in talk.of("response.output_audio.delta") if event["item_id"] == item_id]
    return PCM16_24K.ms_of(sum(len(base64.b64decode(str(event["delta"]))) for event in deltas))


def item_of(event: Event) -> Mapping[str, object]:
    item = event["item"]
    assert isinstance(item, dict)
    return item


def written(text: str) -> dict[str, object]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


# The session


def test_it_greets_with_the_whole_session() -> None:
    async def scenario(talk: Talk) -> None:
        (created,) = talk.events
        assert created["type"] == "session.created"
        session = created["session"]
        assert isinstance(session, dict)
        assert (session["model"], session["object"], session["expires_at"]) == (
            "any",
            "realtime.session",
            1_900_000_000,
        )
        assert str(session["id"]).startswith("sess_")
        (updated,) = talk.update(instructions="Be brief.")
        assert updated["type"] == "session.updated"
        assert isinstance(updated["session"], dict)
        assert updated["session"] == {**session, "instructions": "Be brief."}

    run(scenario)


def test_a_mistaken_update_is_refused_whole_and_names_the_clients_event() -> None:
    async def scenario(talk: Talk) -> None:
        session = {"type": "realtime", "instructions": "New.", "temperature": 0.8}
        error = error_of(talk.send("session.update", session=session, event_id="mine"))
        assert (error["code"], error["param"], error["event_id"]) == (
            "unknown_parameter",
            "session.temperature",
            "mine",
        )
        (updated,) = talk.update()
        assert isinstance(updated["session"], dict)
        assert updated["session"]["instructions"] != "New."

    run(scenario)


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ("{", "invalid_json", None),
        ("[" * 100_000, "invalid_json", None),
        (
            '{"type": "response.create", "event_id": null, "response": {"metadata": ' + "[" * 400 + "]" * 400 + "}}",
            "invalid_json",
            None,
        ),
        ("[]", "invalid_event", None),
        (b"\x00", "invalid_event", None),
        ("{}", "missing_required_parameter", "type"),
        ('{"type": "response.begin"}', "invalid_value", "type"),
        ('{"type": ["response.create"]}', "invalid_value", "type"),
        ('{"type": "transcription_session.update", "session": {}}', "invalid_value", "type"),
        ('{"type": "response.cancel", "why": 1}', "unknown_parameter", "why"),
        ('{"type": "session.update"}', "missing_required_parameter", "session"),
        ('{"type": "session.update", "session": {}}', "missing_required_parameter", "session.type"),
        ('{"type": "input_audio_buffer.append"}', "missing_required_parameter", "audio"),
        ('{"type": "input_audio_buffer.append", "audio": "a?"}', "invalid_value", "audio"),
        ('{"type": "conversation.item.truncate", "item_id": "a"}', "missing_required_parameter", "content_index"),
        ('{"type": "response.create", "event_id": 5}', "invalid_type", "event_id"),
        (
            '{"type": "response.create", "response": {"modalities": ["text"]}}',
            "unknown_parameter",
            "response.modalities",
        ),
        ('{"type": "output_audio_buffer.clear"}', "invalid_value", "type"),
    ],
)
def test_what_makes_no_sense_is_an_error_and_the_session_goes_on(
    message: str | bytes, code: str, param: str | None
) -> None:
    async def scenario(talk: Talk) -> None:
        error = error_of(talk.send_text(message))
        assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
        talk.send("response.create")
        await talk.until_done()

    run(scenario)


# The caller's turns


def test_a_turn_is_found_committed_written_down_and_answered() -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(audio={"input": {"transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"}}})
        talk.reply.script = [[Say("It has shipped.")]]
        before = len(talk.events)
        at_once = talk.say(silence(1000)) + talk.take_turn("where is my order")
        assert [event["type"] for event in at_once] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
        ]
        started, stopped, committed, added, done, _ = at_once
        assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (700, 1800)
        item = item_of(added)
        assert {started["item_id"], stopped["item_id"], committed["item_id"], item["id"]} == {item["id"]}
        assert (item["role"], item["status"], item["content"]) == (
            "user",
            "completed",
            [{"type": "input_audio", "transcript": None}],
        )
        assert item_of(done) == item
        response = await talk.until_done()
        assert response["status"] == "completed"
        (transcribed,) = talk.of("conversation.item.input_audio_transcription.completed")
        assert (transcribed["item_id"], transcribed["transcript"]) == (item["id"], "where is my order")
        assert talk.reply.asked == [(CallerSaid("where is my order"),)]
        assert talk.ears.heard == [silence(300) + voice(600) + silence(200)]
        assert len(talk.events) > before

    run(scenario)


def test_a_turn_is_listened_to_ahead_of_its_end_and_again_if_it_goes_on() -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 500}}})
        talk.ears.script = ["where is", "where is my order"]
        talk.say(silence(500) + voice(300) + silence(300))
        await asyncio.sleep(0)
        assert len(talk.ears.heard) == 1, "it may be over"
        talk.say(voice(300) + silence(300))
        await asyncio.sleep(0)
        assert len(talk.ears.heard) == 2, "it was not"
        talk.say(silence(300))
        await talk.until_done()
        assert talk.reply.asked == [(CallerSaid("where is my order"),)]
        assert talk.ears.heard[1] == silence(300) + voice(300) + silence(300) + voice(300) + silence(200)
        assert len(talk.ears.heard) == 2, "and what was heard ahead is not heard again"

    run(scenario)


def test_what_was_heard_ahead_counts_only_for_the_turn_that_ended_there() -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 500}}})
        talk.ears.script = ["where is", "where is my order"]
        talk.say(silence(500) + voice(300) + silence(300))
        await asyncio.sleep(0)
        talk.say(voice(300) + silence(600), chunk_ms=1000)
        await talk.until_done()
        assert talk.reply.asked == [(CallerSaid("where is my order"),)]

    run(scenario)


def test_the_answer_waits_for_the_words() -> None:
    async def scenario(talk: Talk) -> None:
        talk.ears.hold.clear()
        talk.take_turn("where is my order")
        for _ in range(20):
            await asyncio.sleep(0)
        assert talk.reply.asked == []
        talk.ears.hold.set()
        await talk.until_done()
        assert talk.reply.asked == [(CallerSaid("where is my order"),)]

    run(scenario)


def test_transcription_is_off_unless_asked_for_and_the_agent_hears_all_the_same() -> None:
    async def scenario(talk: Talk) -> None:
        talk.take_turn("hello")
        await talk.until_done()
        assert talk.reply.asked == [(CallerSaid("hello"),)]
        assert not [kind for kind in talk.types() if "transcription" in kind]

    run(scenario)


@pytest.mark.parametrize(
    ("heard", "language", "code"),
    [
        (None, "en", "audio_unintelligible"),
        ("", "en-GB", "audio_unintelligible"),
        ("x", "ko", "unsupported_language"),
        ("x", "de", "unsupported_language"),
    ],
)
def test_a_turn_that_was_not_understood_says_so_and_is_answered(heard: str | None, language: str, code: str) -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(audio={"input": {"transcription": {"model": "whisper-1", "language": language}}})
        talk.take_turn(heard)
        await talk.until_done()
        (failed,) = talk.of("conversation.item.input_audio_transcription.failed")
        assert isinstance(failed["error"], dict)
        assert (failed["error"]["type"], failed["error"]["code"]) == ("transcription_error", code)
        assert talk.reply.asked == [(CallerSaid(None),)]
        assert talk.reply.languages == ["ko" if language == "ko" else "en"], "it speaks what it has sentences for"

    run(scenario)


def test_without_ears_turns_are_found_and_not_understood() -> None:
    async def scenario(talk: Talk) -> None:
        talk.ears.available, talk.ears.reason = False, "the recogniser is not installed"
        talk.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        talk.take_turn("nobody hears this")
        await talk.until_done()
        (failed,) = talk.of("conversation.item.input_audio_transcription.failed")
        assert isinstance(failed["error"], dict)
        assert failed["error"]["message"] == "the recogniser is not installed"
        assert talk.ears.heard == []

    run(scenario)


def test_a_recogniser_that_fails_spoils_the_turn_and_not_the_session() -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        talk.ears.script.append(VoiceAgentError("the worker died"))
        talk.say(voice(600) + silence(600))
        await talk.until_done()
        (failed,) = talk.of("conversation.item.input_audio_transcription.failed")
        assert isinstance(failed["error"], dict)
        assert (failed["error"]["type"], failed["error"]["code"]) == ("server_error", None)
        assert talk.reply.asked == [(CallerSaid(None),)]

    run(scenario)


def test_turns_need_not_be_answered() -> None:
    async def scenario(talk: Talk) -> None:
        detection = {"type": "server_vad", "create_response": False}
        talk.update(audio={"input": {"turn_detection": detection}})
        at_once = talk.take_turn("hello")
        assert at_once[-1]["type"] == "conversation.item.done"
        talk.send("response.create")
        await talk.until_done()
        assert talk.reply.asked == [(CallerSaid("hello"),)], "and yet are heard"

    run(scenario)


def test_without_detection_the_client_commits_and_asks() -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(audio={"input": {"turn_detection": None}})
        assert talk.say(voice(500) + silence(900)) == []
        talk.ears.script.append("hello")
        committed = talk.send("input_audio_buffer.commit")
        assert [event["type"] for event in committed] == [
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
        ]
        error = error_of(talk.send("input_audio_buffer.commit", event_id="e1"))
        assert (error["code"], error["event_id"]) == ("input_audio_buffer_commit_empty", "e1")
        talk.say(voice(500))
        assert [event["type"] for event in talk.send("input_audio_buffer.clear")] == ["input_audio_buffer.cleared"]
        assert error_of(talk.send("input_audio_buffer.commit"))["code"] == "input_audio_buffer_commit_empty"
        talk.send("response.create")
        await talk.until_done()
        assert talk.reply.asked == [(CallerSaid("hello"),)]

    run(scenario)


def test_silence_behind_the_agent_is_a_turn_when_it_was_asked_for() -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}})
        talk.reply.script = [[Say("Are you there?")], [Say("Hello?")]]
        talk.send("response.create")
        await talk.until_done()
        spoken_ms = MS_A_CHARACTER * len("Are you there?")
        talk.ears.script.append(None)
        at_once = talk.say(silence(spoken_ms + 5000))
        assert [event["type"] for event in at_once] == [
            "input_audio_buffer.timeout_triggered",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
        ]
        await talk.until_done(2)
        assert talk.reply.asked[1] == (AgentSaid("Are you there?"), CallerSilent())

    run(scenario)


def test_what_is_out_of_band_does_not_begin_the_wait_for_an_answer() -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}})
        talk.send("response.create", response={"conversation": "none"})
        await talk.until_done()
        assert talk.say(silence(9000)) == []

    run(scenario)


# Interruption


def test_a_caller_who_speaks_cuts_the_response() -> None:
    async def scenario(talk: Talk) -> None:
        talk.reply.script = [[Say("One two three four five six seven eight nine ten.")], [Say("Yes?")]]
        talk.send("response.create")
        await talk.until("response.output_audio.delta", 2)
        at_once = talk.say(voice(100))
        kinds = [str(event["type"]) for event in at_once]
        assert kinds == [
            "input_audio_buffer.speech_started",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
            "rate_limits.updated",
        ]
        response = await talk.until_done()
        assert (response["status"], response["status_details"]) == (
            "cancelled",
            {"type": "cancelled", "reason": "turn_detected"},
        )
        item = item_of(at_once[4])
        assert item["status"] == "incomplete"
        generated_ms = audio_ms(talk, item["id"])
        usage = response["usage"]
        assert isinstance(usage, dict)
        assert usage["output_token_details"]["audio_tokens"] == -(-generated_ms // 50)
        assert 0 < generated_ms < MS_A_CHARACTER * 49

        too_far = error_of(
            talk.send(
                "conversation.item.truncate",
                item_id=item["id"],
                content_index=0,
                audio_end_ms=generated_ms + 1,
                event_id="t1",
            )
        )
        assert too_far["message"] == f"Audio content of {generated_ms}ms is already shorter than {generated_ms + 1}ms"
        assert (too_far["code"], too_far["event_id"]) == ("invalid_value", None)
        (truncated,) = talk.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=200)
        assert (truncated["type"], truncated["audio_end_ms"]) == ("conversation.item.truncated", 200)

        before = len(talk.events)
        talk.ears.script.append("what")
        talk.say(silence(600))
        await talk.until("response.done", since=before)
        assert talk.reply.asked[1] == (AgentSaid("One"), CallerSaid("what")), "only what was heard is remembered"

    run(scenario, speed=20.0)


def test_a_cut_before_the_first_sound_leaves_nothing() -> None:
    async def scenario(talk: Talk) -> None:
        talk.ears.hold.clear()
        talk.take_turn("where is my order")
        talk.say(voice(100))
        response = await talk.until_done()
        assert (response["status"], response["output"]) == ("cancelled", [])
        talk.ears.script.append("the number is one zero four two")
        talk.say(silence(600))
        talk.ears.hold.set()
        await talk.until_done(2)
        assert talk.reply.asked == [(CallerSaid("where is my order"), CallerSaid("the number is one zero four two"))]

    run(scenario)


def test_a_response_that_may_not_be_interrupted_ends_and_then_the_turn_is_answered() -> None:
    async def scenario(talk: Talk) -> None:
        detection = {"type": "server_vad", "interrupt_response": False}
        talk.update(audio={"input": {"turn_detection": detection}})
        talk.reply.script = [[Say("A long answer.")], [Say("Yes?")]]
        talk.mouth.hold.clear()
        talk.send("response.create")
        at_once = talk.take_turn("hello")
        assert at_once[-1]["type"] == "conversation.item.done"
        talk.mouth.hold.set()
        first = await talk.until_done(1)
        second = await talk.until_done(2)
        assert [first["status"], second["status"]] == ["completed", "completed"]
        assert talk.reply.asked[1][-1] == AgentSaid("A long answer.")

    run(scenario)


def test_turns_may_interrupt_without_being_answered() -> None:
    async def scenario(talk: Talk) -> None:
        detection = {"type": "server_vad", "create_response": False}
        talk.update(audio={"input": {"turn_detection": detection}})
        talk.mouth.hold.clear()
        talk.send("response.create")
        talk.take_turn("hello")
        assert (await talk.until_done())["status"] == "cancelled"
        assert len(talk.of("response.created")) == 1

    run(scenario)


def test_the_client_cancels() -> None:
    async def scenario(talk: Talk) -> None:
        error = error_of(talk.send("response.cancel", event_id="c1"))
        assert (error["code"], error["event_id"]) == ("response_cancel_not_active", "c1")
        talk.mouth.hold.clear()
        talk.send("response.create")
        assert error_of(talk.send("response.cancel", response_id="resp_other"))["code"] == "response_cancel_not_active"
        talk.send("response.cancel")
        response = await talk.until_done()
        assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        assert (
            error_of(talk.send("response.cancel", response_id=response["id"]))["code"] == "response_cancel_not_active"
        )

    run(scenario)


# Responses


def test_one_response_at_a_time_writes_to_the_conversation() -> None:
    async def scenario(talk: Talk) -> None:
        talk.mouth.hold.clear()
        talk.send("response.create")
        error = error_of(talk.send("response.create", event_id="second"))
        assert (error["code"], error["event_id"]) == ("conversation_already_has_active_response", "second")
        beside = {"conversation": "none", "output_modalities": ["text"], "metadata": {"topic": "mood"}, "input": []}
        (created,) = talk.send("response.create", response=beside)
        assert created["type"] == "response.created"
        response = await talk.until_done()
        assert (response["conversation_id"], response["metadata"]) == (None, {"topic": "mood"})
        assert response["output_modalities"] == ["text"]
        talk.mouth.hold.set()
        assert (await talk.until_done(2))["conversation_id"] is not None
        assert talk.reply.asked == [(), ()]

    run(scenario)


def test_a_caller_who_speaks_does_not_cut_what_is_out_of_band() -> None:
    async def scenario(talk: Talk) -> None:
        talk.mouth.hold.clear()
        (created,) = talk.send("response.create", response={"conversation": "none"})
        talk.say(voice(100))
        assert talk.of("response.done") == []
        response = created["response"]
        assert isinstance(response, dict)
        talk.send("response.cancel", response_id=response["id"])
        assert (await talk.until_done())["status"] == "cancelled"

    run(scenario)


def test_a_response_has_settings_of_its_own() -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(instructions="A", tools=[TOOL])
        (kept,) = [
            event
            for event in talk.send("conversation.item.create", item=written("Kept."))
            if "added" in str(event["type"])
        ]
        talk.send("conversation.item.create", item=written("Left out."))
        reference = {"type": "item_reference", "id": item_of(kept)["id"]}
        talk.send(
            "response.create",
            response={
                "instructions": "B",
                "tools": [],
                "tool_choice": "none",
                "output_modalities": ["text"],
                "input": [reference, written("Given.")],
            },
        )
        await talk.until_done()
        assert talk.reply.asked == [(CallerWrote("Kept."), CallerWrote("Given."))]
        assert (talk.reply.instructions, talk.reply.tools, talk.reply.tool_choices) == (["B"], [()], ["none"])
        assert talk.of("response.output_text.done")[0]["text"] == "Yes."
        talk.send("response.create")
        await talk.until_done(2)
        assert (talk.reply.instructions[1], talk.reply.tool_choices[1], len(talk.reply.tools[1])) == ("A", "auto", 1)
        unknown = {"type": "item_reference", "id": "item_unknown"}
        error = error_of(talk.send("response.create", response={"input": [unknown]}))
        assert error["code"] == "item_retrieve_invalid_item_id"

    run(scenario)


def test_a_tool_is_called_answered_and_its_result_said() -> None:
    async def scenario(talk: Talk) -> None:
        talk.reply.script = [[CallTool("lookup_order", {"order_number": "1042"})], [Say("It has shipped.")]]
        talk.update(tools=[TOOL])
        talk.take_turn("order one zero four two")
        response = await talk.until_done()
        output = response["output"]
        assert isinstance(output, list)
        (call,) = output
        assert (call["type"], call["name"], call["status"]) == ("function_call", "lookup_order", "completed")
        assert json.loads(call["arguments"]) == {"order_number": "1042"}
        unknown = {"type": "function_call_output", "call_id": "call_other", "output": "{}"}
        error = error_of(talk.send("conversation.item.create", item=unknown))
        assert (error["code"], error["param"]) == ("invalid_value", "item.call_id")
        answer = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"status": "shipped"}'}
        added, done = talk.send("conversation.item.create", item=answer)
        assert (added["type"], done["type"]) == ("conversation.item.added", "conversation.item.done")
        assert added["previous_item_id"] == call["id"]
        talk.send("response.create")
        await talk.until_done(2)
        assert talk.reply.asked[1] == (
            CallerSaid("order one zero four two"),
            ToolCalled(call["call_id"], "lookup_order", call["arguments"]),
            ToolAnswered(call["call_id"], '{"status": "shipped"}'),
        )

    run(scenario)


def test_several_tools_at_once() -> None:
    async def scenario(talk: Talk) -> None:
        talk.reply.script = [[CallTool("lookup_order", {"order_number": number}) for number in ("1", "2")]]
        talk.send("response.create")
        output = (await talk.until_done())["output"]
        assert isinstance(output, list)
        assert len({call["call_id"] for call in output}) == 2
        for call in reversed(output):
            answer = {"type": "function_call_output", "call_id": call["call_id"], "output": "found"}
            talk.send("conversation.item.create", item=answer)
        talk.send("response.create")
        await talk.until_done(2)
        assert len(talk.reply.asked[1]) == 4

    run(scenario)


def test_a_voice_that_fails_fails_the_response_and_not_the_session() -> None:
    async def scenario(talk: Talk) -> None:
        talk.mouth.failure = VoiceAgentError("the voice is not installed")
        talk.send("response.create")
        response = await talk.until_done()
        assert response["status_details"] == {
            "type": "failed",
            "error": {"type": "server_error", "code": None, "message": "the voice is not installed"},
        }
        talk.mouth.failure = None
        talk.send("response.create")
        assert (await talk.until_done(2))["status"] == "completed"

    run(scenario)


def test_the_words_stop_when_the_tokens_are_spent() -> None:
    async def scenario(talk: Talk) -> None:
        talk.reply.script = [[Say("One two three four five six seven. Eight nine ten.")]]
        talk.send("response.create", response={"max_output_tokens": 20})
        response = await talk.until_done()
        assert (response["status"], response["status_details"]) == (
            "incomplete",
            {"type": "incomplete", "reason": "max_output_tokens"},
        )
        output = response["output"]
        assert isinstance(output, list)
        assert output[0]["status"] == "incomplete"
        usage = response["usage"]
        assert isinstance(usage, dict)
        assert usage["output_tokens"] == 20
        assert len(talk.mouth.spoken) == 1

    run(scenario)


def test_deltas_are_small_interleaved_and_faster_than_real_time() -> None:
    async def scenario() -> None:
        async with talk(speed=100.0) as client:
            client.reply.script = [[Say("One two three four five. Six seven eight nine ten.")]]
            client.send("response.create")
            await client.until_done()
            sizes = [len(base64.b64decode(str(event["delta"]))) for event in client.of("response.output_audio.delta")]
            assert sizes[0] == PCM16_24K.bytes_of(100)
            assert max(sizes) == PCM16_24K.bytes_of(200)
            words = "".join(str(event["delta"]) for event in client.of("response.output_audio_transcript.delta"))
            assert words == "One two three four five. Six seven eight nine ten."
            kinds = [str(event["type"]) for event in client.events]
            deltas = [kind for kind in kinds if kind.endswith(".delta")]
            swaps = sum(a != b for a, b in pairwise(deltas))
            assert swaps >= 10, "words and audio take turns"

    asyncio.run(scenario())


def test_the_context_is_counted_again_and_what_was_there_before_is_cached() -> None:
    async def scenario(talk: Talk) -> None:
        talk.take_turn("hello", ms=600)
        first = (await talk.until_done())["usage"]
        talk.take_turn("goodbye", ms=600)
        second = (await talk.until_done(2))["usage"]
        assert isinstance(first, dict)
        assert isinstance(second, dict)
        assert first["input_token_details"]["cached_tokens"] == 0
        assert first["input_token_details"]["audio_tokens"] == 8, "600 ms of speech and 200 of silence"
        assert second["input_token_details"]["cached_tokens_details"]["audio_tokens"] == 8
        agent = first["output_token_details"]["audio_tokens"]
        assert second["input_token_details"]["audio_tokens"] == 8 + agent + 11, "with the prefix of the second turn"

    run(scenario)


# The conversation


def test_items_are_put_in_order_retrieved_and_deleted() -> None:
    async def scenario(talk: Talk) -> None:
        added, done = talk.send("conversation.item.create", item={**written("B"), "id": "item_b"})
        assert (added["previous_item_id"], item_of(added)["status"]) == (None, "completed")
        assert item_of(done) == item_of(added)
        talk.send("conversation.item.create", item={**written("A"), "id": "item_a"}, previous_item_id="root")
        last, _ = talk.send("conversation.item.create", item=written("C"), previous_item_id="item_b")
        assert last["previous_item_id"] == "item_b"
        error = error_of(talk.send("conversation.item.create", item=written("D"), previous_item_id="item_x"))
        assert (error["code"], error["param"]) == ("invalid_value", "previous_item_id")
        (retrieved,) = talk.send("conversation.item.retrieve", item_id="item_a")
        assert item_of(retrieved)["content"] == [{"type": "input_text", "text": "A"}]
        (deleted,) = talk.send("conversation.item.delete", item_id="item_b")
        assert (deleted["type"], deleted["item_id"]) == ("conversation.item.deleted", "item_b")
        assert (
            error_of(talk.send("conversation.item.delete", item_id="item_b"))["code"] == "item_delete_invalid_item_id"
        )
        talk.send("response.create")
        await talk.until_done()
        assert talk.reply.asked == [(CallerWrote("A"), CallerWrote("C"))]

    run(scenario)


def test_history_is_restored_as_text_and_not_as_audio() -> None:
    async def scenario(talk: Talk) -> None:
        said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
        call = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
        for item in (said, call, {"type": "function_call_output", "call_id": "call_1", "output": "found"}):
            talk.send("conversation.item.create", item=item)
        audio = {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "Hello."}]}
        error = error_of(talk.send("conversation.item.create", item=audio))
        assert (error["code"], error["param"]) == ("missing_required_parameter", "item.content[0].text")
        error = error_of(talk.send("conversation.item.create", item={**call, "call_id": "c" * 33}))
        assert (error["code"], error["param"]) == ("string_above_max_length", "item.call_id")
        talk.send("response.create")
        await talk.until_done()
        assert talk.reply.asked == [
            (AgentSaid("Hello."), ToolCalled("call_1", "look", "{}"), ToolAnswered("call_1", "found"))
        ]

    run(scenario)


def test_audio_in_an_item_is_listened_to() -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        talk.ears.script.append("hello")
        audio = {"type": "input_audio", "audio": base64.b64encode(voice(500)).decode()}
        talk.send("conversation.item.create", item={"type": "message", "role": "user", "content": [audio]})
        completed = await talk.until("conversation.item.input_audio_transcription.completed")
        assert (completed["transcript"], completed["usage"]) == ("hello", {"type": "duration", "seconds": 0.5})
        assert talk.ears.heard == [voice(500)]

    run(scenario)


def test_only_the_agents_audio_can_be_truncated() -> None:
    async def scenario(talk: Talk) -> None:
        talk.send("conversation.item.create", item={**written("A"), "id": "item_a"})
        cases = {"item_a": "unsupported_content_type", "item_x": "item_truncate_invalid_item_id"}
        for item_id, code in cases.items():
            events = talk.send(
                "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0, event_id="t"
            )
            assert (error_of(events)["code"], error_of(events)["event_id"]) == (code, "t")

    run(scenario)


def test_the_voice_is_settled_with_the_first_sound() -> None:
    async def scenario(talk: Talk) -> None:
        assert talk.update(audio={"output": {"voice": "cedar"}})[0]["type"] == "session.updated"
        talk.send("response.create")
        await talk.until_done()
        assert error_of(talk.update(audio={"output": {"voice": "marin"}}))["code"] == "cannot_update_voice"
        response = {"audio": {"output": {"voice": "marin"}}}
        assert error_of(talk.send("response.create", response=response))["code"] == "cannot_update_voice"

    run(scenario)


def test_both_formats_both_ways() -> None:
    async def scenario(talk: Talk) -> None:
        pcmu = {"format": {"type": "audio/pcmu"}}
        talk.update(audio={"input": pcmu, "output": pcmu})
        talk.reply.script = [[Say("Good morning. It has shipped.")]]
        talk.ears.script.append("hello")
        ulaw = b"\x10" * 8 * 600 + b"\xff" * 8 * 600
        talk.send("input_audio_buffer.append", audio=base64.b64encode(ulaw).decode())
        await talk.until_done()
        assert talk.reply.asked == [(CallerSaid("hello"),)]
        audio = b"".join(base64.b64decode(str(event["delta"])) for event in talk.of("response.output_audio.delta"))
        spoken_ms = [MS_A_CHARACTER * len(text) for text, _ in talk.mouth.spoken]
        assert len(spoken_ms) == 2
        assert len(audio) == 8 * (sum(spoken_ms) + 150), "to the last sample, with a pause between the sentences"
        (item,) = [item_of(event) for event in talk.of("response.output_item.done")]
        ms = len(audio) // 8
        refused = talk.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=ms + 1)
        assert error_of(refused)["code"] == "invalid_value"
        (done,) = talk.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=ms)
        assert done["type"] == "conversation.item.truncated"

    run(scenario)


def test_the_recogniser_learns_its_words_beforehand() -> None:
    async def scenario(talk: Talk) -> None:
        talk.update(instructions="You answer for Acme.", tools=[TOOL])
        talk.update(audio={"output": {"speed": 1.2}})
        talk.take_turn("hello")
        await talk.until_done()
        assert len(talk.ears.prepared) == 1
        assert talk.mouth.spoken[0][1].words_per_minute == round(170 * 1.2)

    run(scenario)


@pytest.mark.parametrize(
    "parameters",
    [
        {"required": [{}, [], None, 5]},
        {"properties": {"order_number": {"type": "string", "pattern": "(" * 5000}}, "required": ["order_number"]},
        {"properties": {"order_number": {"pattern": "a{99999999999999999999}", "enum": [{}, []]}}},
        {"properties": [{}]},
    ],
)
def test_a_tool_whose_schema_makes_no_sense_does_not_end_the_session(parameters: Mapping[str, object]) -> None:
    async def scenario(talk: Talk) -> None:
        (updated,) = talk.update(tools=[{**TOOL, "parameters": parameters}])
        assert updated["type"] == "session.updated"

    run(scenario)
