"""What every provider's dialect owes the session: one suite, unchanged for all, over real sockets.

The stand-in keeps each provider's door and wording and holds every event of ours against the vendor's schema (those of
the beta are read back into GA first); leaving its context fails if one was wrong.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from app.audio.formats import ULAW_8K
from app.model.choice import ModelChoice
from app.model.leg import ModelLeg
from app.model.setup import NamedTool, Retention, SemanticVad, ServerVad
from app.session.commands import (
    AddAgentText,
    AddCallerText,
    AddCue,
    AnswerToolCall,
    AppendInputAudio,
    CancelResponse,
    CloseModel,
    DeleteItem,
    OpenModel,
    RequestResponse,
    SetTurnHandling,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentText,
    AgentTextEnded,
    AgentTranscript,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTurnCommitted,
    ItemTaken,
    ModelLost,
    ModelReady,
    ModelSettingsDiffer,
    RateLimitsReported,
    RequestRefused,
    ResponseEnded,
    ResponseStarted,
    ToolCallRequested,
    TranscriptionBilled,
    TurnHandlingSet,
)
from app.session.words import Fault, ItemId, ModelNumber, Request, ResponseId, ResponseStatus
from tests.support.model_events import EXAMPLES, tone
from tests.support.model_leg import FIRST, SETUP, Reports, opened, run, running
from tests.support.model_peers import PEERS, Peer
from tests.support.stand_in_model import StandInConnection
from tests.support.stand_in_providers import CHAT_ONLY, CROWDED, NO_SUCH_MODEL, WRONG_KEY

SECOND = ModelNumber(2)
every_peer = pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)


@dataclass(frozen=True)
class Talk:
    """An open session: our leg, what it reports, and the server's side."""

    leg: ModelLeg
    reports: Reports
    server: StandInConnection


@asynccontextmanager
async def talk(peer: Peer) -> AsyncIterator[Talk]:
    async with peer.serve() as model, opened(model, peer.to(model)) as (leg, reports, connection):
        yield Talk(leg, reports, connection)


def at(session: object, path: str) -> object:
    """Return what a session has under a dotted path."""
    for step in path.split("."):
        assert isinstance(session, dict)
        session = session[step]
    return session


# --- opening ----------------------------------------------------------------------------------------------------------


@every_peer
def test_it_opens_with_the_credentials_and_the_settings_that_were_asked_for(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            assert call.server.path == peer.provider.path
            assert call.server.query == peer.query
            header, value = peer.header
            assert call.server.headers[header] == value
            assert "OpenAI-Beta" not in call.server.headers
            session = call.server.session
            assert "Be brief." in str(session["instructions"])
            assert session["output_modalities"] == ["audio"]
            assert at(session, "audio.output.voice") == "marin"
            assert at(session, "audio.input.format.type") == at(session, "audio.output.format.type") == "audio/pcm"
            for deed in ("create_response", "interrupt_response"):
                assert at(session, f"audio.input.turn_detection.{deed}") is False
            assert [tool["name"] for tool in session["tools"]] == ["lookup_order"]  # type: ignore[attr-defined]  # a list of dicts
            assert [type(event) for event in call.reports.events] == [ModelReady]

    run(scenario())


@every_peer
def test_g711_goes_both_ways_as_it_is(peer: Peer) -> None:
    async def scenario() -> None:
        setup = replace(SETUP, audio_format=ULAW_8K)
        async with peer.serve() as model, opened(model, peer.to(model), setup) as (leg, reports, server):
            for side in ("input", "output"):
                assert at(server.session, f"audio.{side}.format.type") == "audio/pcmu"
            leg.perform(AppendInputAudio(FIRST, b"\xff\x7f\x00" * 53))
            leg.perform(RequestResponse(FIRST))
            await server.expect("response.create")
            assert bytes(server.audio) == b"\xff\x7f\x00" * 53
            reply = await server.begin_reply()
            await reply.audio(b"\x12\x34\x56")
            assert (await reports.until(AgentAudio)).audio == b"\x12\x34\x56"

    run(scenario())


EVERYTHING = replace(
    SETUP,
    turn_detection=SemanticVad("low"),
    language="de-DE",
    noise_reduction="near_field",
    max_output_tokens=1024,
    speed=1.25,
    tool_choice=NamedTool("lookup_order"),
)
"""What both dialects have words for."""


@every_peer
def test_everything_that_can_be_set_arrives_and_is_compared(peer: Peer) -> None:
    async def scenario() -> None:
        of_its_own = {"temperature": 0.7} if peer.provider.is_beta else {"reasoning_effort": "low"}
        setup = replace(EVERYTHING, truncation=None if peer.provider.is_beta else Retention(0.8), **of_its_own)
        async with peer.serve() as model, opened(model, peer.to(model), setup) as (_, reports, server):
            session = server.session
            assert at(session, "audio.input.turn_detection.eagerness") == "low"
            assert at(session, "audio.input.transcription.language") == "de"
            assert at(session, "audio.input.noise_reduction.type") == "near_field"
            assert at(session, "audio.output.speed") == 1.25
            assert session["max_output_tokens"] == 1024
            assert at(session, "tool_choice.name") == "lookup_order"
            if peer.provider.is_beta:
                assert server.temperature == 0.7
            else:
                assert at(session, "truncation.retention_ratio") == 0.8
                assert at(session, "reasoning.effort") == "low"
            assert not reports.of(ModelSettingsDiffer)

    run(scenario())


@every_peer
def test_who_answers_a_turn_is_changed_and_confirmed(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            call.leg.perform(SetTurnHandling(FIRST, create_response=True, interrupt_response=False))
            assert await call.reports.until(TurnHandlingSet) == TurnHandlingSet(FIRST)
            assert at(call.server.session, "audio.input.turn_detection") == {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 500,
                "create_response": True,
                "interrupt_response": False,
            }
            assert at(call.server.session, "audio.output.voice") == "marin"
            assert not call.reports.of(ModelSettingsDiffer)

    run(scenario())


@every_peer
def test_settings_that_the_server_does_not_know_are_left_out_and_told_once(peer: Peer) -> None:
    async def scenario() -> None:
        unknown = frozenset({"audio.input.transcription", "audio.input.turn_detection.threshold"})
        setup = replace(SETUP, turn_detection=ServerVad(0.7))
        async with (
            peer.serve(unknown_settings=unknown) as model,
            opened(model, peer.to(model), setup) as (leg, reports, server),
        ):
            differ = await reports.until(ModelSettingsDiffer)
            assert [key.rpartition(".")[2] for key in differ.keys] in (
                ["transcription", "threshold"],
                ["input_audio_transcription", "threshold"],
            )
            assert at(server.session, "audio.output.voice") == "marin"
            leg.perform(SetTurnHandling(FIRST, create_response=True, interrupt_response=True))
            await reports.until(TurnHandlingSet)
            assert len(reports.of(ModelSettingsDiffer)) == 1
            assert not reports.of(RequestRefused)

    run(scenario())


DOORS = {
    "wrong_key": (WRONG_KEY, "gpt-realtime-2.1", True),
    "no_such_model": ("sk-test", NO_SUCH_MODEL, True),
    "no_realtime_model": ("sk-test", CHAT_ONLY, True),
    "too_many_sessions": ("sk-test", CROWDED, False),
}


DOORS_OF_PEERS = [
    pytest.param(peer, door, id=f"{peer.name}-{door}")
    for peer in PEERS
    for door in DOORS
    if not (door == "wrong_key" and peer.takes_any_key)
]


@pytest.mark.parametrize(("peer", "door"), DOORS_OF_PEERS)
def test_a_refusal_at_the_door_is_one_loss_that_says_whether_to_try_again(peer: Peer, door: str) -> None:
    async def scenario() -> None:
        key, name, is_final = DOORS[door]
        async with peer.serve() as model:
            leg = ModelLeg([ModelChoice(peer.to(model, key=key, name=name), SETUP)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                loss = await reports.until(ModelLost)
                assert reports.events == [loss]
                assert loss.is_final is is_final
                assert loss.reason.startswith(("http_4", "error_", "model_without_realtime"))

    run(scenario())


@pytest.mark.parametrize("status", [500, 502, 503])
@every_peer
def test_a_server_that_is_down_may_be_up_again(peer: Peer, status: int) -> None:
    async def scenario() -> None:
        async with peer.serve() as model:
            model.refuse_with = status
            leg = ModelLeg([ModelChoice(peer.to(model), SETUP)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                assert await reports.until(ModelLost) == ModelLost(FIRST, f"http_{status}")
                model.refuse_with = None
                leg.perform(OpenModel(SECOND))
                assert (await reports.until(ModelReady)).model == SECOND

    run(scenario())


@every_peer
def test_a_second_session_opens_beside_the_first(peer: Peer) -> None:
    async def scenario() -> None:
        async with peer.serve() as model, opened(model, peer.to(model)) as (leg, reports, first):
            leg.perform(OpenModel(SECOND))
            second = await model.next_connection()
            await reports.until(ModelReady, 2)
            for number, connection in ((FIRST, first), (SECOND, second)):
                leg.perform(AppendInputAudio(number, tone(20 * number)))
                await connection.hear(20 * number)
            assert [first.audio_ms, second.audio_ms] == [20, 40]
            if peer.name == "azure-entra":  # a token of its own for every connection
                assert second.headers["Authorization"] == "Bearer eyJ1"

    run(scenario())


# --- a conversation ---------------------------------------------------------------------------------------------------


@every_peer
def test_a_turn_goes_up_and_its_answer_comes_down(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            for _ in range(25):
                call.leg.perform(AppendInputAudio(FIRST, tone(20)))
            await call.server.hear(500)
            assert bytes(call.server.audio) == tone(20) * 25
            turn = ItemId(await call.server.caller_speaks(audio_start_ms=100))
            await call.server.caller_stops(turn, audio_end_ms=400)
            await call.reports.until(CallerTurnCommitted)
            call.leg.perform(RequestResponse(FIRST))
            assert set(await call.server.expect("response.create")) == {"type", "event_id"}
            reply = await call.server.reply("Good morning.", ms=300, delta_ms=200)
            await call.server.transcribe(turn, "Hello.")
            await call.reports.until(TranscriptionBilled)
            response, spoken = ResponseId(reply.response_id), ItemId(reply.item_id)
            ended = call.reports.of(ResponseEnded)[0]
            assert (ended.status, ended.usage["output_token_details.audio_tokens"]) == (ResponseStatus.COMPLETED, 6)
            assert call.reports.events[1:] == [
                CallerSpeechStarted(FIRST, turn, 100),
                CallerSpeechStopped(FIRST, turn, 400),
                CallerTurnCommitted(FIRST, turn),
                ResponseStarted(FIRST, response),
                AgentTranscript(FIRST, response, spoken, "Good "),
                AgentTranscript(FIRST, response, spoken, "morning. "),
                AgentAudio(FIRST, response, spoken, 0, tone(300)[:9600]),
                AgentAudio(FIRST, response, spoken, 0, tone(300)[9600:]),
                AgentAudioEnded(FIRST, response, spoken),
                ended,
                CallerTranscript(FIRST, turn, "Hello."),
                TranscriptionBilled(FIRST, {"total_tokens": 25, "input_tokens": 20, "output_tokens": 5}),
            ]
            assert (call.leg.unknown_messages, call.leg.broken_messages) == (0, 0)

    run(scenario())


@every_peer
def test_an_interruption_cancels_truncates_and_deletes(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            reply = await call.server.begin_reply()
            await reply.audio(tone(400))
            await call.reports.until(AgentAudio)
            await call.server.caller_speaks(audio_start_ms=20)
            await call.reports.until(CallerSpeechStarted)
            call.leg.perform(CancelResponse(FIRST, ResponseId(reply.response_id)))
            call.leg.perform(TruncateItem(FIRST, ItemId(reply.item_id), 0, 120))
            call.leg.perform(DeleteItem(FIRST, ItemId("item_unheard")))
            assert (await call.server.expect("response.cancel"))["response_id"] == reply.response_id
            truncate = await call.server.expect("conversation.item.truncate")
            assert (truncate["item_id"], truncate["content_index"], truncate["audio_end_ms"]) == (reply.item_id, 0, 120)
            assert (await call.server.expect("conversation.item.delete"))["item_id"] == "item_unheard"
            ended = await call.reports.until(ResponseEnded)
            assert (ended.status, ended.reason) == (ResponseStatus.CANCELLED, "client_cancelled")

    run(scenario())


@every_peer
def test_a_tool_is_called_and_answered(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            call_id = await call.server.call_tool("lookup_order", {"order_number": "1042"})
            asked = await call.reports.until(ToolCallRequested)
            assert (asked.tool_call_id, asked.arguments) == (call_id, '{"order_number": "1042"}')
            call.leg.perform(AnswerToolCall(FIRST, ItemId("answer_1"), asked.tool_call_id, '{"status":"shipped"}'))
            event = await call.server.expect("conversation.item.create")
            wanted = {"type": "function_call_output", "call_id": call_id, "output": '{"status":"shipped"}'}
            assert event["item"] == {"id": "answer_1", **wanted}
            await call.reports.until(ItemTaken)
            assert call.reports.of(ItemTaken) == [ItemTaken(FIRST, ItemId("answer_1"))]

    run(scenario())


@every_peer
def test_what_was_said_before_is_told_in_words_of_every_role(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            call.leg.perform(AddCue(FIRST, ItemId("cue"), "The order is 1042."))
            call.leg.perform(AddCallerText(FIRST, ItemId("caller"), "Where is it?"))
            call.leg.perform(AddAgentText(FIRST, ItemId("agent"), "On its way."))
            items = [at(await call.server.expect("conversation.item.create"), "item") for _ in range(3)]
            assert [(at(item, "role"), at(item, "content")) for item in items] == [
                ("system", [{"type": "input_text", "text": "The order is 1042."}]),
                ("user", [{"type": "input_text", "text": "Where is it?"}]),
                ("assistant", [{"type": "output_text", "text": "On its way."}]),
            ]
            await call.reports.until(ItemTaken, 3)
            assert [event.item_id for event in call.reports.of(ItemTaken)] == ["cue", "caller", "agent"]

    run(scenario())


@every_peer
def test_what_is_left_of_an_allowance_is_told(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            await call.server.send(EXAMPLES["rate_limits.updated"])
            assert await call.reports.until(RateLimitsReported) == RateLimitsReported(FIRST, {"tokens": 39_000})

    run(scenario())


@every_peer
def test_an_answer_in_text_is_told_as_failed_and_taken_back(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            silent = await call.server.reply_in_text()
            ended = await call.reports.until(ResponseEnded)
            assert (ended.status, ended.reason) == (ResponseStatus.FAILED, "text_without_audio")
            assert (await call.server.expect("conversation.item.delete"))["item_id"] == silent
            assert not call.reports.of(AgentTranscript)
            assert (call.leg.unknown_messages, call.leg.broken_messages) == (0, 0)

    run(scenario())


@every_peer
def test_a_model_that_is_to_write_is_taken_at_its_written_word(peer: Peer) -> None:
    async def scenario() -> None:
        setup = replace(SETUP, speaks=False)
        async with peer.serve() as model, opened(model, peer.to(model), setup) as (leg, reports, server):
            assert server.session["output_modalities"] == ["text"]
            item_id = ItemId(await server.reply_in_text("It is on its way."))
            ended = await reports.until(ResponseEnded)
            assert (ended.status, ended.reason) == (ResponseStatus.COMPLETED, "")
            response_id = ended.response_id
            assert reports.of(AgentText) == [AgentText(FIRST, response_id, item_id, "It is on its way.")]
            assert reports.of(AgentTextEnded) == [AgentTextEnded(FIRST, response_id, item_id)]

            # cut: what was heard is put behind it, and it is taken out
            leg.perform(AddAgentText(FIRST, ItemId("dialtone_1"), "It is", after=item_id))
            leg.perform(DeleteItem(FIRST, item_id))
            told = await server.expect("conversation.item.create")
            assert told["previous_item_id"] == item_id
            assert (await server.expect("conversation.item.delete"))["item_id"] == item_id

            # a server that speaks all the same: its words count, its sound does not
            await server.reply("And so on.", ms=400)
            await reports.until(ResponseEnded, count=2)
            assert "".join(event.text for event in reports.of(AgentText)[1:]).strip() == "And so on."
            assert not reports.of(AgentAudio)

    run(scenario())


@every_peer
def test_deltas_of_odd_sizes_are_whole_samples_and_nothing_is_lost(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            reply, audio = await call.server.begin_reply(), tone(500)
            for begin in range(0, len(audio), 1001):
                await reply.audio(audio[begin : begin + 1001])
            await reply.end()
            await call.reports.until(ResponseEnded)
            heard = [event.audio for event in call.reports.of(AgentAudio)]
            assert b"".join(heard) == audio
            assert all(len(piece) % 2 == 0 for piece in heard)

    run(scenario())


# --- what goes wrong --------------------------------------------------------------------------------------------------


@every_peer
def test_a_refused_request_is_told_and_nothing_goes_deaf(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            call.server.refuse_next("response.create", type="server_error", code=None)
            call.leg.perform(RequestResponse(FIRST))
            refused = RequestRefused(FIRST, Request.RESPONSE, Fault.TRANSIENT, "server_error")
            assert await call.reports.until(RequestRefused) == refused
            call.leg.perform(CancelResponse(FIRST, ResponseId("resp_over")))
            refused = RequestRefused(FIRST, Request.CANCEL, Fault.BENIGN, "response_cancel_not_active")
            assert await call.reports.until(RequestRefused, 2) == refused
            call.leg.perform(RequestResponse(FIRST))
            await call.server.wait_for("response.cancel")
            await call.server.expect("response.create")
            await call.server.reply(ms=40)
            assert (await call.reports.until(ResponseEnded)).status is ResponseStatus.COMPLETED
            assert not call.reports.of(ModelLost)

    run(scenario())


@every_peer
def test_a_tools_answer_that_is_refused_is_told_in_plain_words(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            call_id = await call.server.call_tool("lookup_order", {})
            asked = await call.reports.until(ToolCallRequested)
            call.server.refuse_next("conversation.item.create", code="invalid_value", param="item.call_id")
            call.leg.perform(AnswerToolCall(FIRST, ItemId("answer_1"), asked.tool_call_id, "shipped"))
            await call.server.expect("conversation.item.create")
            again = await call.server.expect("conversation.item.create")
            told = f"The answer of the tool call {call_id}: shipped"
            assert at(again, "item.role") == "system"
            assert at(again, "item.content") == [{"type": "input_text", "text": told}]
            assert await call.reports.until(ItemTaken) == ItemTaken(FIRST, ItemId("answer_1"))
            assert not call.reports.of(RequestRefused)

    run(scenario())


MID_CALL: dict[str, tuple[dict[str, str], int, ModelLost]] = {
    "expired": ({"code": "session_expired"}, 1001, ModelLost(FIRST, "error_session_expired")),
    "quota": ({"code": "insufficient_quota"}, 1000, ModelLost(FIRST, "error_insufficient_quota", is_final=True)),
    "going_away": ({}, 1001, ModelLost(FIRST, "close_1001")),
    "server_fault": ({}, 1011, ModelLost(FIRST, "close_1011")),
    "restart": ({}, 1012, ModelLost(FIRST, "close_1012")),
    "policy": ({}, 1008, ModelLost(FIRST, "close_1008", is_final=True)),
    "gateways_limit": ({}, 1000, ModelLost(FIRST, "close_1000")),
}


@pytest.mark.parametrize("fault", MID_CALL)
@every_peer
def test_the_end_of_a_session_is_one_loss_by_its_class(peer: Peer, fault: str) -> None:
    async def scenario() -> None:
        error, close_code, loss = MID_CALL[fault]
        async with talk(peer) as call:
            if error:
                await call.server.fail(**error)
            await call.server.close(close_code)
            await call.reports.until(ModelLost)
            call.leg.perform(AppendInputAudio(FIRST, tone(20)))
            assert call.reports.events[1:] == [loss]

    run(scenario())


@every_peer
def test_a_line_that_breaks_is_a_loss_and_the_next_session_opens(peer: Peer) -> None:
    async def scenario() -> None:
        async with peer.serve() as model, opened(model, peer.to(model)) as (leg, reports, connection):
            connection.drop()
            assert await reports.until(ModelLost) == ModelLost(FIRST, "close_1006")
            leg.perform(OpenModel(SECOND))
            assert (await reports.until(ModelReady, 2)).model == SECOND

    run(scenario())


@every_peer
def test_closing_says_goodbye_and_is_no_loss(peer: Peer) -> None:
    async def scenario() -> None:
        async with talk(peer) as call:
            call.leg.perform(CloseModel(FIRST))
            assert await call.server.closed() == 1000
            assert not call.reports.of(ModelLost)

    run(scenario())
