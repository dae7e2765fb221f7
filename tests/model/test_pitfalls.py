"""The known pitfalls of OpenAI's realtime API, each a test by its number, over a real socket.

They are what its reference asks for and what its users ran into. Numbers 1, 3, 8, 10, 14, 15, 16, 24, 25 and 26 need a
whole call: they are in test_pitfalls_in_a_call.py. Left out: 28 (the agent's own echo interrupts it), which is sound
and no word on this wire: the caller's leg and the session judge it, and the tests of interruption hold them to it. Of 5
only the error can be met, for nothing here ever commits the caller's audio by hand; of 18 only the event, for the
model's idle timeout is never set.
"""

import json
import time
from dataclasses import replace

import pytest

from app.model import socket as model_socket
from app.model.choice import ModelChoice
from app.model.dialects import openai_target
from app.model.leg import ModelLeg
from app.session.commands import (
    AddAgentText,
    AnswerToolCall,
    AppendInputAudio,
    CancelResponse,
    OpenModel,
    RequestResponse,
    SetTurnHandling,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    CallerTranscriptFailed,
    CallerTurnCommitted,
    ItemTaken,
    ModelLost,
    ModelReady,
    ModelSettingsDiffer,
    RequestRefused,
    ResponseEnded,
    TurnHandlingSet,
)
from app.session.words import Fault, ItemId, Request, ResponseId, ResponseStatus, ToolCallId
from tests.support.model_events import EXAMPLES, Wire, message_item, response_object, session_object, tone
from tests.support.model_leg import FIRST, SETUP, opened, run, running, target_of
from tests.support.model_peers import PEERS
from tests.support.stand_in_model import StandInConnection, StandInModel
from tests.support.stand_in_providers import AZURE, CHAT_ONLY

AZURE_BY_KEY = next(peer for peer in PEERS if peer.name == "azure-key")
AZURE_PREVIEW = next(peer for peer in PEERS if peer.name == "azure-preview")


def test_pitfall_02_an_item_without_audio_cannot_be_truncated_and_is_deleted() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, server):
            for event_id in ({}, {"event_id": None}):  # the server names our event, or has forgotten it
                server.refuse_next("conversation.item.truncate", code="unsupported_content_type", **event_id)
                leg.perform(TruncateItem(FIRST, ItemId("item_mute"), 0, 120))
                await server.expect("conversation.item.truncate")
                assert (await server.expect("conversation.item.delete"))["item_id"] == "item_mute"
            assert not reports.of(RequestRefused)

    run(scenario())


def test_pitfall_04_a_cancel_that_crosses_with_the_end_is_let_go() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, server):
            reply = await server.reply(ms=20)
            leg.perform(CancelResponse(FIRST, ResponseId(reply.response_id)))
            refused = await reports.until(RequestRefused)
            assert (refused.request, refused.fault) == (Request.CANCEL, Fault.BENIGN)
            assert not reports.of(ModelLost)

    run(scenario())


def test_pitfall_05_a_commit_of_nothing_is_let_go() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (_, reports, server):
            await server.fail("input_audio_buffer_commit_empty", "Expected at least 100ms of audio.")
            assert (await reports.until(RequestRefused)).fault is Fault.BENIGN
            await server.reply(ms=20)
            await reports.until(ResponseEnded)
            assert not reports.of(ModelLost)

    run(scenario())


def test_pitfall_06_no_update_after_the_first_names_the_voice() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, server):
            await server.reply(ms=20)
            await reports.until(ResponseEnded)
            leg.perform(SetTurnHandling(FIRST, create_response=True, interrupt_response=True))
            update = await server.expect("session.update")
            assert "voice" not in json.dumps(update)
            await reports.until(TurnHandlingSet)
            await server.fail("cannot_update_voice", "Cannot update a conversation's voice.")
            assert (await reports.until(RequestRefused)).fault is Fault.REQUEST
            assert not reports.of(ModelLost)

    run(scenario())


def test_pitfall_07_when_a_session_will_end_is_told_and_its_end_is_no_dead_end() -> None:
    async def scenario() -> None:
        async with StandInModel() as model:
            leg = ModelLeg([ModelChoice(target_of(model), SETUP)], wall_clock=lambda: 1_790_000_000.0 - 3600)
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                server = await model.next_connection()
                assert await reports.until(ModelReady) == ModelReady(FIRST, expires_in_s=3600.0)
                await server.fail("session_expired", "Your session hit the maximum duration of 60 minutes.")
                await server.close(1001)
                assert await reports.until(ModelLost) == ModelLost(FIRST, "error_session_expired", is_final=False)

    run(scenario())


def test_pitfall_09_the_agents_words_are_restored_in_the_spelling_that_the_server_takes() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, server):
            leg.perform(AddAgentText(FIRST, ItemId("a1"), "Good morning."))
            item = (await server.expect("conversation.item.create"))["item"]
            assert item["content"] == [{"type": "output_text", "text": "Good morning."}]  # type: ignore[index]  # a dict
            await reports.until(ItemTaken)

    run(scenario())


def test_pitfall_09_a_server_that_wants_the_other_spelling_gets_it_from_then_on() -> None:
    async def scenario() -> None:
        async with AZURE_PREVIEW.serve() as model, opened(model, AZURE_PREVIEW.to(model)) as (leg, reports, server):
            # Speaks the preview's words but for this one.
            where = {"code": "invalid_value", "param": "item.content[0].type"}
            server.refuse_next("conversation.item.create", **where)
            server.tolerates_ga_text = True
            leg.perform(AddAgentText(FIRST, ItemId("a1"), "Good morning."))
            await reports.until(ItemTaken)
            assert server.agent_spellings == ["text", "output_text"]
            leg.perform(AddAgentText(FIRST, ItemId("a2"), "How can I help?"))
            await reports.until(ItemTaken, 2)
            assert server.agent_spellings == ["text", "output_text", "output_text"]
            assert not reports.of(RequestRefused)

    run(scenario())


def test_pitfall_11_an_id_that_is_too_long_does_not_lose_a_tools_answer() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, server):
            foreign = "call_of_another_server_that_likes_long_names_very_much"
            server.refuse_next("conversation.item.create", code="string_above_max_length", param="item.call_id")
            leg.perform(AnswerToolCall(FIRST, ItemId("a1"), ToolCallId(foreign), "shipped"))
            answer = await server.expect("conversation.item.create")
            assert len(answer["item"]["call_id"]) <= 32  # type: ignore[index]  # an item is a dict
            again = await server.expect("conversation.item.create")
            assert "shipped" in json.dumps(again)
            assert again["item"]["type"] == "message"  # type: ignore[index]  # an item is a dict
            await reports.until(ItemTaken)

    run(scenario())


def test_pitfall_12_one_setting_too_many_does_not_cost_the_others() -> None:
    async def scenario() -> None:
        unknown = frozenset({"audio.input.transcription"})
        async with StandInModel(unknown_settings=unknown) as model, opened(model) as (_, reports, server):
            assert (await reports.until(ModelSettingsDiffer)).keys == ("audio.input.transcription",)
            assert "Be brief." in str(server.session["instructions"])
            assert not reports.of(ModelLost)

    run(scenario())


def test_pitfall_12_a_setting_that_is_quietly_ignored_is_told_by_its_key() -> None:
    async def ignore_the_voice(server: StandInConnection) -> None:
        server.pinned = {"audio": {"output": {"voice": "alloy"}}}
        await server.greet()

    async def scenario() -> None:
        async with StandInModel(on_connect=ignore_the_voice) as model, opened(model) as (leg, reports, _):
            assert await reports.until(ModelSettingsDiffer) == ModelSettingsDiffer(FIRST, ("audio.output.voice",))
            leg.perform(SetTurnHandling(FIRST, create_response=True, interrupt_response=True))
            await reports.until(TurnHandlingSet)
            assert len(reports.of(ModelSettingsDiffer)) == 1

    run(scenario())


def test_pitfall_12_a_detector_that_is_switched_off_later_leaves_no_call_deaf() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, server):
            server.pinned = {"audio": {"input": {"turn_detection": None}}}
            leg.perform(SetTurnHandling(FIRST, create_response=True, interrupt_response=True))
            loss = await reports.until(ModelLost)
            assert loss == ModelLost(FIRST, "settings_ignored_turn_detection", is_final=True)
            assert not reports.of(TurnHandlingSet)

    run(scenario())


def test_pitfall_13_no_audio_goes_up_before_its_format_holds_and_none_if_it_never_does() -> None:
    async def ignore_the_format(server: StandInConnection) -> None:
        server.pinned = {"audio": {"input": {"format": {"type": "audio/pcma"}}}}
        await server.greet()

    async def scenario() -> None:
        async with StandInModel(on_connect=ignore_the_format) as model:
            leg = ModelLeg([ModelChoice(target_of(model), SETUP)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                server = await model.next_connection()
                leg.perform(AppendInputAudio(FIRST, tone(20)))
                loss = await reports.until(ModelLost)
                assert loss == ModelLost(FIRST, "settings_ignored_audio_format", is_final=True)
                leg.perform(AppendInputAudio(FIRST, tone(20)))
                await server.closed()
                assert server.appends == 0

    run(scenario())


def test_pitfall_17_both_deeds_of_the_detector_are_always_said() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, server):
            for create, interrupt in ((True, True), (True, False), (False, False)):
                leg.perform(SetTurnHandling(FIRST, create_response=create, interrupt_response=interrupt))
            await reports.until(TurnHandlingSet)
            for update in server.received:
                deeds = update["session"]["audio"]["input"]["turn_detection"]  # type: ignore[index]  # nested dicts
                assert {"create_response", "interrupt_response"} <= set(deeds)

    run(scenario())


def test_pitfall_18_a_stale_idle_timeout_is_passed_over() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, server):
            await server.send(EXAMPLES["input_audio_buffer.timeout_triggered"])
            await server.send(EXAMPLES["input_audio_buffer.committed"])
            await reports.until(CallerTurnCommitted)
            assert "idle_timeout_ms" not in json.dumps(server.received)
            assert (leg.unknown_messages, leg.broken_messages) == (0, 0)
            assert [type(event) for event in reports.events] == [ModelReady, CallerTurnCommitted]

    run(scenario())


def test_pitfall_19_nulls_new_shapes_and_unknown_events_break_nothing() -> None:
    async def odd(server: StandInConnection) -> None:
        session = session_object()
        session["audio"]["output"]["voice"] = {"id": "voice_1"}  # type: ignore[index]  # nested dicts
        await server.send({"type": "session.created", "session": {**session, "expires_at": None}}, checked=False)

    async def scenario() -> None:
        async with StandInModel(on_connect=odd) as model, opened(model) as (leg, reports, server):
            item = message_item("item_1", "assistant", [{"type": "text", "text": None}])
            null: Wire = {"previous_item_id": None}
            await server.send({"type": "conversation.item.added", "item": item, **null}, checked=False)
            await server.send({"type": "response.sung", "song": {}}, checked=False)
            nulls = {**response_object("resp_1", "completed"), "usage": None, "output": None, "status_details": None}
            await server.send({"type": "response.done", "response": nulls}, checked=False)
            assert (await reports.until(ResponseEnded)).status is ResponseStatus.COMPLETED
            assert (leg.unknown_messages, leg.broken_messages) == (1, 0)

    run(scenario())


def test_pitfall_20_azures_ga_path_takes_no_version_and_no_key_as_a_bearer() -> None:
    async def scenario() -> None:
        async with AZURE_BY_KEY.serve() as model, opened(model, AZURE_BY_KEY.to(model)) as (_, _, server):
            assert set(server.query) == {"model"}
            assert "Authorization" not in server.headers
            assert "Sec-WebSocket-Protocol" not in server.headers
        async with StandInModel(provider=AZURE) as model:
            wrong_way = openai_target(f"{model.base_url}/openai/v1", "sk-test", "gpt-realtime-2.1")
            leg = ModelLeg([ModelChoice(wrong_way, SETUP)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                assert await reports.until(ModelLost) == ModelLost(FIRST, "http_401", is_final=True)

    run(scenario())


def test_pitfall_21_a_transcription_model_that_is_no_deployment_costs_the_transcript_alone() -> None:
    async def refuse_it(server: StandInConnection) -> None:
        server.refuse_next("session.update", code="invalid_value", param="session.audio.input.transcription.model")
        await server.greet()

    async def scenario() -> None:
        async with (
            StandInModel(provider=AZURE, on_connect=refuse_it) as model,
            opened(model, AZURE_BY_KEY.to(model)) as (_, reports, server),
        ):
            assert (await reports.until(ModelSettingsDiffer)).keys == ("audio.input.transcription",)
            again = await server.expect("session.update")
            assert "transcription" not in again["session"]["audio"]["input"]  # type: ignore[index]  # nested dicts
            await server.send(EXAMPLES["conversation.item.input_audio_transcription.failed"])
            await reports.until(CallerTranscriptFailed)

    run(scenario())


def test_pitfall_22_a_deployment_that_is_no_realtime_model_is_a_final_loss_by_its_name() -> None:
    async def scenario() -> None:
        async with AZURE_BY_KEY.serve() as model:
            leg = ModelLeg([ModelChoice(AZURE_BY_KEY.to(model, name=CHAT_ONLY), SETUP)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                loss = ModelLost(FIRST, "http_400_OpperationNotSupported", is_final=True)
                assert await reports.until(ModelLost) == loss

    run(scenario())


def test_pitfall_23_a_loop_that_is_busy_for_a_while_keeps_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_socket.PING_TIMEOUT_S >= 20
    monkeypatch.setattr(model_socket, "PING_INTERVAL_S", 0.02)
    monkeypatch.setattr(model_socket, "PING_TIMEOUT_S", 5.0)

    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (_, reports, server):
            for _ in range(3):
                time.sleep(0.1)  # noqa: ASYNC251 - the loop is to be busy: five pings' time
                await server.reply(ms=20)
            await reports.until(ResponseEnded, 3)
            assert not reports.of(ModelLost)

    run(scenario())


def test_pitfall_27_a_response_that_the_account_cannot_pay_ends_the_session_and_a_rate_does_not() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, server):
            for number, code in enumerate(("rate_limit_exceeded", "insufficient_quota"), 1):
                leg.perform(RequestResponse(FIRST))
                await server.expect("response.create")
                details: Wire = {"type": "failed", "error": {"type": "tokens", "code": code}}
                await server.send(
                    {"type": "response.created", "response": response_object(f"r{number}", "in_progress")}
                )
                done = response_object(f"r{number}", "failed", details)
                await server.send({"type": "response.done", "response": done})
                ended = await reports.until(ResponseEnded, number)
                assert (ended.status, ended.reason) == (ResponseStatus.FAILED, code)
                assert bool(reports.of(ModelLost)) is (code == "insufficient_quota")
            assert reports.of(ModelLost) == [ModelLost(FIRST, "response_insufficient_quota", is_final=True)]

    run(scenario())


def test_pitfall_29_an_item_is_taken_whether_it_was_created_or_added_and_done() -> None:
    async def scenario() -> None:
        for words in (["created"], ["added", "done"], ["created", "added", "done"]):
            async with StandInModel(answers=False, on_connect=StandInConnection.greet) as model:
                leg = ModelLeg([ModelChoice(target_of(model), replace(SETUP, voice="alloy"))])
                async with running(leg) as reports:
                    leg.perform(OpenModel(FIRST))
                    server = await model.next_connection()
                    await server.expect("session.update")
                    await server.send(EXAMPLES["session.updated"])
                    await reports.until(ModelReady)
                    leg.perform(AddAgentText(FIRST, ItemId("a1"), "Hello."))
                    item = (await server.expect("conversation.item.create"))["item"]
                    for word in words:
                        event: Wire = {"type": f"conversation.item.{word}", "previous_item_id": None, "item": item}
                        await server.send(event)
                    await server.reply(ms=20)
                    await reports.until(AgentAudio)
                    assert reports.of(ItemTaken) == [ItemTaken(FIRST, ItemId("a1"))]

    run(scenario())
