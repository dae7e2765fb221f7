"""The pitfalls of OpenAI's realtime API that only a whole call can fall into, each a test by its number.

The real session, bridge and model leg over a real socket; those that concern the wire alone are in test_pitfalls.py.
"""

import base64

from app.session.commands import RequestResponse
from app.session.words import Verdict
from tests.support.driver import TERMS
from tests.support.model_call import called
from tests.support.model_events import Wire, function_call_item, response_object, tone
from tests.support.model_leg import run
from tests.support.stand_in_model import StandInConnection, StandInModel

TOO_LONG = "Audio content of 300ms is already shorter than 900ms"


def test_pitfall_01_a_truncation_counts_what_was_played_and_its_refusal_changes_nothing() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, called(model, TERMS) as (call, server):
            server.refuse_next("conversation.item.truncate", code="invalid_value", message=TOO_LONG, event_id=None)
            before_ms = call.line.sent_ms
            reply = await server.reply("A long tale.", ms=5000)
            await call.until(lambda: call.line.sent_ms > before_ms + 300, "audio on the line")
            turn = await server.caller_speaks()
            cut = await server.wait_for("conversation.item.truncate")
            assert cut["item_id"] == reply.item_id
            sent_ms = call.line.sent_ms - before_ms
            assert isinstance(cut["audio_end_ms"], int)
            assert 0 < cut["audio_end_ms"] <= sent_ms < 5000
            await server.caller_stops(turn)
            played_ms = call.line.sent_ms
            await server.reply("Yes?", ms=100)
            await call.until(lambda: call.line.sent_ms >= played_ms + 100, "the next reply")

    run(scenario())


def test_pitfall_03_a_request_that_meets_an_active_response_is_made_again() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, called(model) as (call, server):
            server.refuse_next("response.create", code="conversation_already_has_active_response")
            await call.caller_turn(server)
            await server.wait_for("response.create")
            await server.wait_for("response.create")
            before_ms = call.line.sent_ms
            await server.reply("Here I am.", ms=100)
            await call.until(lambda: call.line.sent_ms >= before_ms + 100, "the reply")

    run(scenario())


def test_pitfall_08_a_tool_is_run_once_and_its_answer_asked_for_when_the_response_is_over() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, called(model) as (call, server):
            await call.caller_turn(server)
            await server.wait_for("response.create")
            item = function_call_item("item_call", "call_1", "lookup_order", "{}")
            ids = {"response_id": "resp_tool", "output_index": 0}
            await server.send({"type": "response.created", "response": response_object("resp_tool", "in_progress")})
            about = {**ids, "item_id": "item_call", "call_id": "call_1"}
            arguments = {"name": "lookup_order", "arguments": "{}"}
            await server.send({"type": "response.function_call_arguments.done", **about, **arguments})
            await server.send({"type": "response.output_item.done", **ids, "item": item})
            await call.until(lambda: bool(call.tools.running), "the tool")
            asked = len(call.commands(RequestResponse))
            call.answer_tool('{"status":"shipped"}')
            answer = await server.wait_for("conversation.item.create")
            assert answer["item"]["output"] == '{"status":"shipped"}'  # type: ignore[index]  # an item is a dict
            assert len(call.commands(RequestResponse)) == asked
            done = response_object("resp_tool", "completed", None, [item])
            await server.send({"type": "response.done", "response": done})
            await server.expect("response.create")
            assert len(call.tools.running) == 1

    run(scenario())


def test_pitfall_10_an_answer_in_text_is_taken_back_and_asked_for_again() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, called(model) as (call, server):
            await call.caller_turn(server)
            await server.wait_for("response.create")
            silent = await server.reply_in_text()
            # The model is not left with the belief that it has answered, and is asked after that, not before.
            assert (await server.expect("conversation.item.delete"))["item_id"] == silent
            await server.expect("response.create")
            before_ms = call.line.sent_ms
            await server.reply("It is on its way.", ms=100)
            await call.until(lambda: call.line.sent_ms >= before_ms + 100, "the reply")

    run(scenario())


def test_pitfall_14_a_caller_who_speaks_before_the_response_is_born_is_answered_all_the_same() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, called(model) as (call, server):
            await call.caller_turn(server)
            await server.wait_for("response.create")
            turn = await server.caller_speaks()
            call.hear(Verdict.SPEECH, 400)
            cancelled: Wire = {"type": "cancelled", "reason": "turn_detected"}
            await server.send(
                {"type": "response.done", "response": response_object("resp_unborn", "cancelled", cancelled)}
            )
            await server.caller_stops(turn)
            call.hear(Verdict.SILENCE, 800)
            await server.wait_for("response.create")

    run(scenario())


def test_pitfall_15_what_comes_of_a_response_after_its_cancel_is_not_played() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, called(model, TERMS) as (call, server):
            before_ms = call.line.sent_ms
            old = await server.begin_reply("resp_old", "item_old")
            await old.audio(tone(3000))
            await call.until(lambda: call.line.sent_ms > before_ms + 100, "audio on the line")
            turn = await server.caller_speaks()
            await call.until(lambda: call.line.is_cleared, "the cut")
            played_ms = call.line.sent_ms
            await old.audio(tone(1000))
            await server.caller_stops(turn)
            new = await server.begin_reply("resp_new", "item_new")
            await old.end("cancelled", {"type": "cancelled", "reason": "turn_detected"})
            await new.audio(tone(100))
            await new.end()
            await call.until(lambda: call.line.sent_ms >= played_ms + 100, "the next reply")
            assert call.line.sent_ms - played_ms == 100

    run(scenario())


def test_pitfall_16_a_reply_that_is_generated_to_its_end_is_still_cut_where_it_sounds() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, called(model, TERMS) as (call, server):
            before_ms = call.line.sent_ms
            reply = await server.reply("A long tale.", ms=5000)  # response.done and all
            await call.until(lambda: call.line.sent_ms > before_ms + 300, "audio on the line")
            await server.caller_speaks()
            cut = await server.wait_for("conversation.item.truncate")
            assert cut["item_id"] == reply.item_id
            assert call.line.is_cleared
            # A response that is over is not cancelled: that would be refused.
            assert all(event["type"] != "response.cancel" for event in server.received)

    run(scenario())


def test_pitfall_24_what_waited_for_the_model_goes_up_at_twice_real_time_at_most() -> None:
    async def silent(connection: StandInConnection) -> None:
        """Greets when the test says so."""

    async def scenario() -> None:
        async with StandInModel(on_connect=silent) as model, called(model, until_greeted=False) as (call, server):
            call.hear(Verdict.SPEECH, 1000)
            await server.greet()
            await server.wait_for("session.update")
            await call.until(lambda: server.session["instructions"] != "Be helpful.", "the settings")
            await server.wait_for("conversation.item.create")
            for frames in range(1, 11):
                call.hear(Verdict.SILENCE, 20)
                await server.hear(40 * frames)
                assert server.audio_ms == 40 * frames

    run(scenario())


def test_pitfall_25_of_several_items_in_a_response_each_is_cut_by_its_own_length() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, called(model, TERMS) as (call, server):
            before_ms = call.line.sent_ms
            first = await server.begin_reply("resp_1", "item_commentary")
            await first.audio(tone(200))
            await server.send(
                {
                    "type": "response.output_audio.delta",
                    "response_id": "resp_1",
                    "item_id": "item_answer",
                    "output_index": 1,
                    "content_index": 0,
                    "delta": base64.b64encode(tone(3000)).decode(),
                }
            )
            await call.until(lambda: call.line.sent_ms > before_ms + 500, "audio of the second item")
            await server.caller_speaks()
            cut = await server.wait_for("conversation.item.truncate")
            assert cut["item_id"] == "item_answer"
            assert isinstance(cut["audio_end_ms"], int)
            assert 0 < cut["audio_end_ms"] <= call.line.sent_ms - before_ms - 200

    run(scenario())


def test_pitfall_26_a_response_that_the_servers_fault_ended_is_asked_for_again() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, called(model) as (call, server):
            await call.caller_turn(server)
            await server.wait_for("response.create")
            await server.send({"type": "response.created", "response": response_object("resp_1", "in_progress")})
            failed: Wire = {"type": "failed", "error": {"type": "server_error", "code": None}}
            await server.send({"type": "response.done", "response": response_object("resp_1", "failed", failed)})
            await server.wait_for("response.create")
            before_ms = call.line.sent_ms
            await server.reply("It is on its way.", ms=100)
            await call.until(lambda: call.line.sent_ms >= before_ms + 100, "the reply")

    run(scenario())
