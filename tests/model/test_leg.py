"""The agent's leg, its sessions, its beginning and its end, over a real socket."""

import asyncio
import gc
from collections.abc import Callable

import pytest
import uvloop

from app.model import socket as model_socket
from app.model.choice import ModelChoice
from app.model.connection import Connection
from app.model.leg import ModelLeg
from app.model.socket import ModelSocket
from app.session.commands import (
    AddCallerText,
    AppendInputAudio,
    CloseModel,
    OpenModel,
    RequestResponse,
)
from app.session.events import (
    CallerSpeechStarted,
    Event,
    ModelLost,
    ModelReady,
    ModelStalled,
    ResponseEnded,
)
from app.session.words import (
    ItemId,
    ModelNumber,
)
from tests.support.model_events import EXAMPLES, tone
from tests.support.model_leg import FIRST, SETUP, opened, run, running, target_of
from tests.support.stand_in_model import StandInModel

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
SECOND = ModelNumber(2)


def test_what_was_asked_before_the_leg_ran_is_done_when_it_does() -> None:
    async def scenario() -> None:
        async with StandInModel() as model:
            leg = ModelLeg([ModelChoice(target_of(model), SETUP)])
            leg.perform(OpenModel(FIRST))
            leg.perform(OpenModel(SECOND))
            leg.perform(CloseModel(FIRST))
            async with running(leg) as reports:
                await reports.until(ModelReady)
                assert reports.events == [ModelReady(SECOND)]
            assert model.upgrades == 1

    run(scenario())


def test_one_that_is_lost_can_be_followed_by_another() -> None:
    async def scenario() -> None:
        async with StandInModel(refuse_with=503) as model:
            leg = ModelLeg([ModelChoice(target_of(model), SETUP)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                await reports.until(ModelLost)
                model.refuse_with = None
                leg.perform(OpenModel(SECOND))
                await reports.until(ModelReady)
                assert reports.events == [ModelLost(FIRST, "http_503"), ModelReady(SECOND)]

    run(scenario())


def test_two_sessions_are_told_apart() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, old):
            leg.perform(OpenModel(SECOND))
            new = await model.next_connection()
            await reports.until(ModelReady, 2)
            leg.perform(AppendInputAudio(FIRST, tone(20)))
            leg.perform(AppendInputAudio(SECOND, tone(40)))
            await old.hear(20)
            await new.hear(40)
            await new.caller_speaks(item_id="item_new", audio_start_ms=0)
            await reports.until(CallerSpeechStarted)
            leg.perform(CloseModel(FIRST))
            assert await old.closed() == 1000
            await new.caller_speaks(item_id="item_newer", audio_start_ms=0)
            await reports.until(CallerSpeechStarted, 2)
            assert [event.model for event in reports.of(CallerSpeechStarted)] == [SECOND, SECOND]
            assert not reports.of(ModelLost)

    run(scenario())


def test_a_session_is_opened_once() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, _, connection):
            leg.perform(OpenModel(FIRST))
            leg.perform(RequestResponse(FIRST))
            await connection.expect("response.create")
            assert model.upgrades == 1

    run(scenario())


@pytest.mark.parametrize("loop", LOOPS)
def test_closing_is_normal_and_no_loss(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            leg.perform(AppendInputAudio(FIRST, tone(20)))
            leg.perform(CloseModel(FIRST))
            leg.perform(AppendInputAudio(FIRST, tone(20)))
            leg.perform(CloseModel(FIRST))
            assert await connection.closed() == 1000
            assert connection.audio_ms == 20
            assert reports.events == [ModelReady(FIRST)]

    run(scenario(), loop)


def test_what_was_under_way_at_the_close_is_still_told() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            await connection.send(EXAMPLES["response.done"])
            leg.perform(CloseModel(FIRST))
            assert (await reports.until(ResponseEnded)).usage["total_tokens"] == 124
            await connection.closed()
            assert not reports.of(ModelLost)

    run(scenario())


@pytest.mark.parametrize("upgraded", [False, True])
def test_one_that_is_not_open_yet_can_be_closed(upgraded: bool) -> None:
    async def scenario() -> None:
        async with StandInModel(answers=False) as model:
            leg = ModelLeg([ModelChoice(target_of(model), SETUP)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                if upgraded:
                    connection = await model.next_connection()
                leg.perform(CloseModel(FIRST))
                if upgraded:
                    await connection.closed()
                leg.perform(OpenModel(SECOND))
                second = await model.next_connection()
                await second.greet()
                await second.expect("session.update")
                assert not reports.events

    run(scenario())


def test_commands_to_a_session_that_does_not_exist_do_nothing() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, reports, connection):
            for command in (
                AppendInputAudio(SECOND, b"\0\0"),
                RequestResponse(SECOND),
                AddCallerText(SECOND, ItemId("i"), "1"),
                CloseModel(SECOND),
            ):
                leg.perform(command)
            leg.perform(RequestResponse(FIRST))
            await connection.expect("response.create")
            assert reports.events == [ModelReady(FIRST)]

    run(scenario())


@pytest.mark.parametrize("loop", LOOPS)
def test_cancelling_the_leg_closes_its_sessions(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def scenario() -> None:
        async with StandInModel() as model:
            async with opened(model) as (leg, reports, connection):
                pass
            assert await connection.closed() == 1000
            assert reports.events == [ModelReady(FIRST)]
            leg.perform(RequestResponse(FIRST))
            leg.perform(OpenModel(SECOND))
            leg.perform(CloseModel(FIRST))
            assert model.upgrades == 1

    run(scenario(), loop)


def test_cancelling_the_leg_does_not_wait_for_a_dead_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_socket, "CLOSE_TIMEOUT_S", 0.05)

    async def scenario() -> None:
        async with StandInModel() as model:
            async with opened(model) as (_, _, connection):
                connection.stop_reading()
            connection.drop()

    run(scenario())


@pytest.mark.parametrize("loop", LOOPS)
def test_what_the_report_raises_comes_out_of_the_leg(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    class OursError(Exception):
        pass

    async def scenario() -> None:
        async with StandInModel() as model:
            heard: list[Event] = []

            def report(event: Event) -> None:
                heard.append(event)
                if isinstance(event, CallerSpeechStarted):
                    raise OursError

            leg = ModelLeg([ModelChoice(target_of(model), SETUP)])
            leg.perform(OpenModel(FIRST))
            running_leg = asyncio.create_task(leg.run(report))
            connection = await model.next_connection()
            await connection.expect("session.update")
            await connection.caller_speaks(audio_start_ms=0)
            await connection.caller_speaks(audio_start_ms=0)
            with pytest.raises(OursError):
                await running_leg
            assert len(heard) == 2
            assert await connection.closed() == 1000

    run(scenario(), loop)


def test_what_the_report_raises_while_a_command_is_performed_comes_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_socket, "CLOSE_TIMEOUT_S", 0.05)

    class OursError(Exception):
        pass

    async def scenario() -> None:
        async with StandInModel() as model:
            ready = asyncio.Event()

            def report(event: Event) -> None:
                ready.set()
                if isinstance(event, ModelStalled):
                    raise OursError

            leg = ModelLeg([ModelChoice(target_of(model), SETUP)])
            leg.perform(OpenModel(FIRST))
            running_leg = asyncio.create_task(leg.run(report))
            connection = await model.next_connection()
            await ready.wait()
            connection.stop_reading()
            while not running_leg.done():
                leg.perform(AppendInputAudio(FIRST, tone(1000)))
                await asyncio.sleep(0)
            with pytest.raises(OursError):
                await running_leg

    run(scenario())


def test_nothing_of_a_session_is_left_for_the_garbage_collector() -> None:
    def alive() -> int:
        return sum(type(thing) in (Connection, ModelSocket) for thing in gc.get_objects())

    async def scenario() -> None:
        async with StandInModel() as model:
            async with opened(model) as (leg, _, connection):
                assert alive() == 2
                leg.perform(CloseModel(FIRST))
                await connection.closed()
            assert alive() == 0

    gc.collect()
    gc.disable()
    try:
        run(scenario())
    finally:
        gc.enable()
