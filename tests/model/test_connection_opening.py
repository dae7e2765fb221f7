"""How a session with the model comes about, or does not, over a real socket."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model.choice import ModelChoice
from app.model.leg import ModelLeg
from app.model.setup import session_settings
from app.session.commands import (
    AppendInputAudio,
    OpenModel,
    RequestResponse,
)
from app.session.events import (
    Event,
    ModelLost,
    ModelReady,
    ModelSettingsDiffer,
    TranscriptionBilled,
)
from app.session.words import (
    ModelNumber,
)
from tests.support.model_events import EXAMPLES, session_object, tone
from tests.support.model_leg import FIRST, SETUP, opened, run, running, target_of
from tests.support.stand_in_model import StandInConnection, StandInModel

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
SECOND = ModelNumber(2)


async def lost(model: StandInModel, *, first_event_timeout_s: float = 5.0) -> ModelLost:
    """Open a session that does not come about; return the loss, which is all that was reported."""
    leg = ModelLeg([ModelChoice(target_of(model), SETUP)], first_event_timeout_s=first_event_timeout_s)
    async with running(leg) as reports:
        leg.perform(OpenModel(FIRST))
        loss = await reports.until(ModelLost)
    assert reports.events == [loss]
    return loss


@pytest.mark.parametrize("loop", LOOPS)
def test_greeting_settings_and_their_confirmation_come_before_anything_else(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def scenario() -> None:
        async with StandInModel(answers=False) as model:
            leg = ModelLeg([ModelChoice(target_of(model), SETUP)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                connection = await model.next_connection()
                leg.perform(AppendInputAudio(FIRST, tone(20)))
                assert not connection.received
                await connection.greet()
                update = await connection.expect("session.update")
                assert update["session"] == session_settings(SETUP)
                assert not reports.events
                leg.perform(AppendInputAudio(FIRST, tone(20)))
                leg.perform(RequestResponse(FIRST))
                await connection.send(EXAMPLES["session.updated"])
                await reports.until(ModelReady)
                leg.perform(AppendInputAudio(FIRST, tone(20)))
                leg.perform(RequestResponse(FIRST))
                await connection.expect("response.create")
                assert connection.appends == 1
                [ready, differ] = reports.events
                assert isinstance(ready, ModelReady)
                assert isinstance(differ, ModelSettingsDiffer)  # the example says what no update of ours has asked for

    run(scenario(), loop)


def test_the_target_is_asked_with_its_key_and_the_models_name() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (_, _, connection):
            assert connection.path == "/v1/realtime"
            assert connection.query == {"model": ["gpt-realtime-2.1"]}
            assert connection.headers["Authorization"] == "Bearer sk-test"
            assert "OpenAI-Beta" not in connection.headers

    run(scenario())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 503])
def test_a_refusal_by_http(status: int) -> None:
    async def scenario() -> None:
        async with StandInModel(refuse_with=status) as model:
            loss = ModelLost(FIRST, f"http_{status}", is_final=status < 429, is_crowded=status == 429)
            assert await lost(model) == loss

    run(scenario())


@pytest.mark.parametrize(
    ("code", "kind", "close_code", "reason"),
    [
        ("invalid_api_key", "invalid_request_error", 3000, "error_invalid_api_key"),
        (None, "invalid_request_error", 3000, "error_invalid_request_error"),
        ("missing_model", "invalid_request_error", 4000, "error_missing_model"),
        ("invalid_model", "invalid_request_error", 4000, "error_invalid_model"),
        ("model_not_found", "invalid_request_error", 4004, "error_model_not_found"),
        ("beta_api_shape_disabled", "invalid_request_error", 4000, "error_beta_api_shape_disabled"),
    ],
)
def test_an_upgrade_then_an_error_then_a_close_is_one_loss(
    code: str | None, kind: str, close_code: int, reason: str
) -> None:
    async def refuse(connection: StandInConnection) -> None:
        await connection.fail(code, type=kind)
        await connection.close(close_code, f"{kind}.{code}")

    async def scenario() -> None:
        async with StandInModel(on_connect=refuse) as model:
            assert await lost(model) == ModelLost(FIRST, reason, is_final=True)

    run(scenario())


def test_an_upgrade_then_a_close_without_a_word() -> None:
    async def refuse(connection: StandInConnection) -> None:
        await connection.close(1013)

    async def scenario() -> None:
        async with StandInModel(on_connect=refuse) as model:
            assert await lost(model) == ModelLost(FIRST, "close_1013")

    run(scenario())


def test_a_model_that_says_nothing() -> None:
    async def scenario() -> None:
        async with StandInModel(answers=False) as model:
            assert (await lost(model, first_event_timeout_s=0.05)).reason == "first_event_timeout"

    run(scenario())


def test_a_model_that_greets_and_does_not_confirm() -> None:
    async def scenario() -> None:
        async with StandInModel(answers=False, on_connect=StandInConnection.greet) as model:
            assert (await lost(model, first_event_timeout_s=0.05)).reason == "settings_timeout"

    run(scenario())


def test_a_confirmation_that_nobody_asked_for_is_none() -> None:
    async def confirm(connection: StandInConnection) -> None:
        await connection.send(EXAMPLES["session.updated"])

    async def scenario() -> None:
        async with StandInModel(on_connect=confirm) as model:
            assert (await lost(model, first_event_timeout_s=0.05)).reason == "first_event_timeout"

    run(scenario())


def test_a_server_that_cannot_be_reached() -> None:
    async def scenario() -> None:
        async with StandInModel() as model:
            target = target_of(model)
        leg = ModelLeg([ModelChoice(target, SETUP)])  # the port is free again: nobody listens
        async with running(leg) as reports:
            leg.perform(OpenModel(FIRST))
            assert await reports.until(ModelLost) == ModelLost(FIRST, "connect_refused")

    run(scenario())


@pytest.mark.parametrize(
    ("error", "reason", "is_final"),
    [
        ({"code": "unknown_parameter", "param": "session.mood"}, "settings_refused_unknown_parameter", True),
        ({"code": "invalid_value", "param": "session.instructions"}, "settings_refused_invalid_value", True),
        ({"code": "invalid_value", "param": "session.tools[0].name"}, "settings_refused_invalid_value", True),
        ({"code": None}, "settings_refused_invalid_request_error", True),
        ({"code": "invalid_value", "event_id": None}, "settings_refused_invalid_value", True),
        ({"code": "insufficient_quota", "event_id": None}, "error_insufficient_quota", True),
        ({"type": "server_error", "code": None, "event_id": None}, "error_server_error", False),
        ({"code": "rate_limit_exceeded", "event_id": None}, "error_rate_limit_exceeded", False),
    ],
)
def test_settings_that_are_refused_and_cannot_be_repaired(
    error: dict[str, object], reason: str, is_final: bool
) -> None:
    async def refuse_settings(connection: StandInConnection) -> None:
        for _ in range(2):  # as they are, and with nothing but what a call needs
            connection.refuse_next("session.update", **error)
        await connection.greet()

    async def scenario() -> None:
        async with StandInModel(on_connect=refuse_settings) as model:
            assert await lost(model) == ModelLost(FIRST, reason, is_final)

    run(scenario())


@pytest.mark.parametrize(
    "error",
    [
        {"code": "invalid_value"},
        {"code": None},
        {"code": "invalid_value", "event_id": None},
        {"code": "unknown_parameter", "param": "session.mood"},
        {"code": "invalid_value", "param": "session.audio.input.turn_detection.type"},
    ],
)
def test_settings_that_are_refused_for_no_key_that_can_be_left_out_are_reduced_to_the_needful(
    error: dict[str, object],
) -> None:
    async def refuse_settings(connection: StandInConnection) -> None:
        connection.refuse_next("session.update", **error)
        await connection.greet()

    async def scenario() -> None:
        async with StandInModel(on_connect=refuse_settings) as model, opened(model) as (_, reports, connection):
            differ = await reports.until(ModelSettingsDiffer)
            assert {"audio.input.transcription", "audio.output.voice", "tool_choice"} <= set(differ.keys)
            again = await connection.expect("session.update")
            assert again["session"] == {
                "type": "realtime",
                "output_modalities": ["audio"],
                "instructions": session_settings(SETUP)["instructions"],
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24000},
                        "turn_detection": {
                            "type": "server_vad",
                            "create_response": False,
                            "interrupt_response": False,
                        },
                    },
                    "output": {"format": {"type": "audio/pcm", "rate": 24000}},
                },
                "tools": session_settings(SETUP)["tools"],
            }
            assert not reports.of(ModelLost)

    run(scenario())


@pytest.mark.parametrize("detection", [None, {"type": "none"}])
def test_a_model_that_would_hear_nobody_is_no_model(detection: dict[str, object] | None) -> None:
    async def scenario() -> None:
        async with StandInModel(answers=False, on_connect=StandInConnection.greet) as model:
            leg = ModelLeg([ModelChoice(target_of(model), SETUP)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                connection = await model.next_connection()
                await connection.expect("session.update")
                session = session_object()
                session["audio"]["input"]["turn_detection"] = detection  # type: ignore[index]  # nested dicts
                await connection.send({"type": "session.updated", "session": session}, checked=False)
                loss = await reports.until(ModelLost)
                assert loss == ModelLost(FIRST, "settings_ignored_turn_detection", is_final=True)
                assert not reports.of(ModelReady)

    run(scenario())


TALK = (
    "response.created",
    "response.output_item.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.delta",
    "input_audio_buffer.speech_started",
    "response.output_audio.done",
    "response.output_item.done",
    "response.done",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "error",
    "conversation.item.input_audio_transcription.completed",
)
JUNK = (
    "nonsense",
    "",
    "[]",
    '{"type":"response.sung","response":{"id":"resp_1"}}',
    '{"type":"session.closed"}',
    '{"type":"error"}',
    '{"type":"response.done","response":{}}',
    '{"type":"input_audio_buffer.speech_started","item_id":"i","audio_start_ms":"soon"}',
    '{"type":"rate_limits.updated","rate_limits":null}',
    b"\x00\xff",
)


async def talked(junk: Sequence[tuple[int, str | bytes]]) -> tuple[list[Event], int]:
    """Hold a conversation, with this junk before the numbered steps; return what was reported, and the junk counted."""

    async def step(connection: StandInConnection, number: int) -> None:
        for _, message in (piece for piece in junk if piece[0] == number):
            await connection.send_raw(message)

    async with StandInModel(answers=False) as model:
        leg = ModelLeg([ModelChoice(target_of(model), SETUP)])
        async with running(leg) as reports:
            leg.perform(OpenModel(FIRST))
            connection = await model.next_connection()
            await step(connection, 0)
            await connection.greet()
            await step(connection, 1)
            await connection.expect("session.update")
            await connection.send(EXAMPLES["session.updated"])
            for number, kind in enumerate(TALK, 2):
                await step(connection, number)
                await connection.send(EXAMPLES[kind])
            await reports.until(TranscriptionBilled)
            return reports.events, leg.unknown_messages + leg.broken_messages


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, len(TALK) + 1), st.sampled_from(JUNK)), max_size=30))
def test_junk_between_any_two_messages_changes_nothing(junk: list[tuple[int, str | bytes]]) -> None:
    async def scenario() -> None:
        clean, _ = await talked([])
        events, counted = await talked(junk)
        assert events == clean
        assert len(events) == 15
        assert counted == sum(1 for _, message in junk if "rate_limits" not in str(message))

    run(scenario())
