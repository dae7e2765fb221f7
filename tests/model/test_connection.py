"""One session with the model, once it is open, over a real socket against a stand-in that knows the vendor's schema."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from app.session.commands import (
    AddCue,
    AnswerToolCall,
    AppendInputAudio,
    CancelResponse,
    CloseModel,
    DeleteItem,
    ModelCommand,
    RequestResponse,
    SetTurnHandling,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTurnCommitted,
    ItemTaken,
    ModelLost,
    ModelReady,
    ModelStalled,
    RequestRefused,
    ResponseEnded,
    ResponseStarted,
    ToolCallRequested,
    TranscriptionBilled,
    TurnHandlingSet,
)
from app.session.words import (
    Fault,
    ItemId,
    ModelNumber,
    Request,
    ResponseId,
    ResponseStatus,
    ToolCallId,
)
from tests.support.model_events import EXAMPLES, tone
from tests.support.model_leg import FIRST, opened, run
from tests.support.stand_in_model import StandInModel

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
SECOND = ModelNumber(2)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_whole_turn_in_both_directions(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            for _ in range(50):
                leg.perform(AppendInputAudio(FIRST, tone(20)))
            await connection.hear(1000)
            assert bytes(connection.audio) == tone(20) * 50
            turn = ItemId(await connection.caller_speaks(audio_start_ms=100))
            await connection.caller_stops(turn, audio_end_ms=900)
            await reports.until(CallerTurnCommitted)
            leg.perform(RequestResponse(FIRST))
            event = await connection.expect("response.create")
            assert set(event) == {"type", "event_id"}
            reply = await connection.reply("Good morning.", ms=500, delta_ms=200)
            await connection.transcribe(turn, "Hello.")
            await reports.until(TranscriptionBilled)
            response, spoken = ResponseId(reply.response_id), ItemId(reply.item_id)
            assert [event for event in reports.events if not isinstance(event, ResponseEnded)] == [
                ModelReady(FIRST),
                CallerSpeechStarted(FIRST, turn, 100),
                CallerSpeechStopped(FIRST, turn, 900),
                CallerTurnCommitted(FIRST, turn),
                ResponseStarted(FIRST, response),
                AgentTranscript(FIRST, response, spoken, "Good "),
                AgentTranscript(FIRST, response, spoken, "morning. "),
                AgentAudio(FIRST, response, spoken, 0, tone(500)[:9600]),
                AgentAudio(FIRST, response, spoken, 0, tone(500)[9600:19200]),
                AgentAudio(FIRST, response, spoken, 0, tone(500)[19200:]),
                AgentAudioEnded(FIRST, response, spoken),
                CallerTranscript(FIRST, turn, "Hello."),
                TranscriptionBilled(FIRST, {"total_tokens": 25, "input_tokens": 20, "output_tokens": 5}),
            ]
            ended = await reports.until(ResponseEnded)
            assert (ended.status, ended.usage["output_token_details.audio_tokens"]) == (
                ResponseStatus.COMPLETED,
                10,
            )
            assert (leg.unknown_messages, leg.broken_messages) == (0, 0)

    run(scenario(), loop)


def test_an_interruption_reaches_the_model_in_order_and_at_once() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            reply = await connection.begin_reply()
            await reply.audio(tone(400))
            await reports.until(AgentAudio)
            response, spoken = ResponseId(reply.response_id), ItemId(reply.item_id)
            for command in (
                CancelResponse(FIRST, response),
                TruncateItem(FIRST, spoken, 0, 120),
                DeleteItem(FIRST, ItemId("item_unheard")),
            ):
                leg.perform(command)
            assert (await connection.expect("response.cancel"))["response_id"] == response
            truncate = await connection.expect("conversation.item.truncate")
            assert (truncate["item_id"], truncate["audio_end_ms"]) == (spoken, 120)
            assert (await connection.expect("conversation.item.delete"))["item_id"] == "item_unheard"
            ended = await reports.until(ResponseEnded)
            assert (ended.status, ended.reason) == (ResponseStatus.CANCELLED, "client_cancelled")

    run(scenario())


def test_a_tool_call_is_answered() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            call_id = await connection.call_tool("lookup_order", {"order_number": "1042"})
            asked = await reports.until(ToolCallRequested)
            assert (asked.tool_call_id, asked.name) == (ToolCallId(call_id), "lookup_order")
            assert asked.arguments == '{"order_number": "1042"}'
            leg.perform(AnswerToolCall(FIRST, ItemId("answer_1"), asked.tool_call_id, '{"status":"shipped"}'))
            await reports.until(ItemTaken)
            event = await connection.expect("conversation.item.create")
            assert event["item"] == {
                "id": "answer_1",
                "type": "function_call_output",
                "call_id": call_id,
                "output": '{"status":"shipped"}',
            }
            assert reports.of(ItemTaken) == [ItemTaken(FIRST, ItemId("answer_1"))]

    run(scenario())


def test_an_interrupted_tool_call_is_not_reported() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (_, reports, connection):
            await connection.call_tool("lookup_order", {}, status="incomplete")
            await reports.until(ResponseEnded)
            assert not reports.of(ToolCallRequested)

    run(scenario())


def test_how_turns_are_handled_is_confirmed() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            leg.perform(SetTurnHandling(FIRST, create_response=True, interrupt_response=True))
            assert await reports.until(TurnHandlingSet) == TurnHandlingSet(FIRST)
            audio = connection.session["audio"]
            assert isinstance(audio, dict)
            assert audio["input"]["turn_detection"] == {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 500,
                "create_response": True,
                "interrupt_response": True,
            }
            assert audio["output"]["voice"] == "marin"

    run(scenario())


@pytest.mark.parametrize(
    ("command", "kind", "error", "refused"),
    [
        (
            RequestResponse(FIRST),
            "response.create",
            {"code": "conversation_already_has_active_response"},
            RequestRefused(FIRST, Request.RESPONSE, Fault.BENIGN, "conversation_already_has_active_response"),
        ),
        (
            TruncateItem(FIRST, ItemId("i"), 0, 900),
            "conversation.item.truncate",
            {
                "code": "invalid_value",
                "message": "Audio content of 800ms is already shorter than 900ms",
                "event_id": None,
            },
            RequestRefused(FIRST, Request.TRUNCATE, Fault.BENIGN, "invalid_value"),
        ),
        (
            DeleteItem(FIRST, ItemId("i")),
            "conversation.item.delete",
            {"code": "item_delete_invalid_item_id"},
            RequestRefused(FIRST, Request.DELETE, Fault.BENIGN, "item_delete_invalid_item_id"),
        ),
        (
            AddCue(FIRST, ItemId("i"), "Begin."),
            "conversation.item.create",
            {"code": "string_above_max_length", "param": "item.id"},
            RequestRefused(FIRST, Request.ITEM, Fault.REQUEST, "string_above_max_length"),
        ),
        (
            SetTurnHandling(FIRST, create_response=True, interrupt_response=True),
            "session.update",
            {"code": "unknown_parameter", "param": "session.mood"},  # none of ours: nothing can be left out
            RequestRefused(FIRST, Request.SETTINGS, Fault.REQUEST, "unknown_parameter"),
        ),
        (
            RequestResponse(FIRST),
            "response.create",
            {"type": "server_error", "code": None},
            RequestRefused(FIRST, Request.RESPONSE, Fault.TRANSIENT, "server_error"),
        ),
    ],
)
def test_a_refused_request_is_told_and_the_conversation_goes_on(
    command: ModelCommand, kind: str, error: dict[str, object], refused: RequestRefused
) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            connection.refuse_next(kind, **error)
            leg.perform(command)
            assert await reports.until(RequestRefused) == refused
            await connection.reply(ms=20)
            await reports.until(ResponseEnded)
            assert not reports.of(ModelLost)

    run(scenario())


def test_cancelling_what_is_over_is_a_race_and_no_more() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, _):
            leg.perform(CancelResponse(FIRST, ResponseId("resp_over")))
            assert await reports.until(RequestRefused) == RequestRefused(
                FIRST, Request.CANCEL, Fault.BENIGN, "response_cancel_not_active"
            )

    run(scenario())


def test_a_minute_of_audio_in_one_message() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (_, reports, connection):
            reply = await connection.begin_reply()
            minute = tone(1000) * 60
            await reply.audio(minute)
            assert (await reports.until(AgentAudio)).audio == minute

    run(scenario())


def test_deltas_of_odd_sizes_are_whole_samples_and_nothing_is_lost() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (_, reports, connection):
            reply, pcm = await connection.begin_reply(), tone(1000)
            for at in range(0, len(pcm), 1001):
                await reply.audio(pcm[at : at + 1001])
            await reply.end()
            await reports.until(ResponseEnded)
            heard = [event.audio for event in reports.of(AgentAudio)]
            assert b"".join(heard) == pcm
            assert all(len(audio) % 2 == 0 for audio in heard)

    run(scenario())


def test_a_cancelled_response_may_end_after_the_next_has_begun() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (_, reports, connection):
            first = await connection.begin_reply("resp_a", "item_a")
            second = await connection.begin_reply("resp_b", "item_b")
            await first.audio(tone(20))
            await second.audio(tone(20))
            await first.end("cancelled", {"type": "cancelled", "reason": "turn_detected"})
            await second.end()
            await reports.until(ResponseEnded, 2)
            assert [(type(event).__name__, getattr(event, "response_id", "")) for event in reports.events[1:]] == [
                ("ResponseStarted", "resp_a"),
                ("ResponseStarted", "resp_b"),
                ("AgentAudio", "resp_a"),
                ("AgentAudio", "resp_b"),
                ("AgentAudioEnded", "resp_a"),
                ("ResponseEnded", "resp_a"),
                ("AgentAudioEnded", "resp_b"),
                ("ResponseEnded", "resp_b"),
            ]

    run(scenario())


def test_messages_that_are_unknown_or_broken_are_counted_and_passed_over() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            for message in ("nonsense", "[]", '{"type":"error"}', "{}", b"\x00\x01"):
                await connection.send_raw(message)
            await connection.send({"type": "response.sung", "how": "well"}, checked=False)
            bad = {**EXAMPLES["response.output_audio.delta"], "delta": "not base64"}
            await connection.send(bad)
            await connection.reply(ms=20)
            await reports.until(ResponseEnded)
            assert (leg.unknown_messages, leg.broken_messages) == (1, 6)
            assert len(reports.of(AgentAudio)) == 1

    run(scenario())


def test_a_server_that_pings_is_answered() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (_, _, connection):
            await (await connection._socket.ping(b"1234"))

    run(scenario())


def test_a_model_that_does_not_read_is_reported_once() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            connection.stop_reading()
            while not reports.of(ModelStalled):
                leg.perform(AppendInputAudio(FIRST, tone(1000)))
                await asyncio.sleep(0)
            for _ in range(20):
                leg.perform(AppendInputAudio(FIRST, tone(1000)))
            assert reports.of(ModelStalled) == [ModelStalled(FIRST)]
            connection.drop()

    run(scenario())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("code", [1000, 1001, 1008, 1009, 1011, 1012, 1013, 4000])
def test_a_peers_close_is_a_loss_with_its_code(code: int, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            await connection.close(code)
            await reports.until(ModelLost)
            leg.perform(AppendInputAudio(FIRST, tone(20)))
            leg.perform(CloseModel(FIRST))
            is_final = code in (1008, 1009, 4000)
            assert reports.events == [ModelReady(FIRST), ModelLost(FIRST, f"close_{code}", is_final)]

    run(scenario(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_breaks_is_a_loss(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (_, reports, connection):
            connection.drop()
            assert await reports.until(ModelLost) == ModelLost(FIRST, "close_1006")

    run(scenario(), loop)


@pytest.mark.parametrize("code", ["session_expired", "insufficient_quota", "billing_hard_limit_reached"])
def test_an_error_that_ends_everything_is_one_loss(code: str) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            await connection.fail(code, "Your session hit the maximum duration of 60 minutes.")
            await connection.close(1001)
            loss = ModelLost(FIRST, f"error_{code}", is_final=code != "session_expired")
            assert await reports.until(ModelLost) == loss
            leg.perform(RequestResponse(FIRST))
            await connection.closed()
            assert reports.events == [ModelReady(FIRST), loss]

    run(scenario())
