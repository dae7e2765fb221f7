"""What a target prepares before every connect: within the connect's time, and its refusals are losses like others."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import pytest

from app.model.choice import ModelChoice
from app.model.leg import ModelLeg
from app.model.opening import ConnectError
from app.session.commands import CloseModel, OpenModel
from app.session.events import ModelLost, ModelReady
from app.session.words import ModelNumber
from tests.support.model_leg import FIRST, SETUP, run, running, target_of
from tests.support.stand_in_model import StandInModel

SECOND = ModelNumber(2)
Prepare = Callable[[], Awaitable[Mapping[str, str]]]


def leg_to(model: StandInModel, prepare: Prepare, *, connect_timeout_s: float = 5.0) -> ModelLeg:
    target = replace(target_of(model), prepare=prepare)
    return ModelLeg([ModelChoice(target, SETUP)], connect_timeout_s=connect_timeout_s)


def test_its_headers_are_sent_and_come_before_the_targets_own() -> None:
    async def scenario() -> None:
        given = iter(("one", "two"))

        async def prepare() -> Mapping[str, str]:
            return {"Authorization": "Bearer fresh", "X-Turn": next(given)}

        async with StandInModel() as model:
            leg = leg_to(model, prepare)
            async with running(leg) as reports:
                for number, turn in ((FIRST, "one"), (SECOND, "two")):
                    leg.perform(OpenModel(number))
                    server = await model.next_connection()
                    assert (server.headers["Authorization"], server.headers["X-Turn"]) == ("Bearer fresh", turn)
                await reports.until(ModelReady, 2)

    run(scenario())


@pytest.mark.parametrize("is_final", [True, False])
def test_its_refusal_is_a_loss_and_nobody_is_asked(is_final: bool) -> None:
    async def prepare() -> Mapping[str, str]:
        raise ConnectError("entra_refused", "no identity", is_final=is_final)

    async def scenario() -> None:
        async with StandInModel() as model:
            leg = leg_to(model, prepare)
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                assert await reports.until(ModelLost) == ModelLost(FIRST, "entra_refused", is_final)
            assert model.upgrades == 0

    run(scenario())


def test_one_that_takes_too_long_is_a_connect_that_did() -> None:
    async def prepare() -> Mapping[str, str]:
        await asyncio.get_running_loop().create_future()
        return {}

    async def scenario() -> None:
        async with StandInModel() as model:
            leg = leg_to(model, prepare, connect_timeout_s=0.05)
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                assert await reports.until(ModelLost) == ModelLost(FIRST, "connect_timeout")
            assert model.upgrades == 0

    run(scenario())


def test_a_session_that_is_closed_meanwhile_is_not_opened() -> None:
    async def scenario() -> None:
        asked = asyncio.Event()
        was_let_go = asyncio.Event()

        async def prepare() -> Mapping[str, str]:
            asked.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                was_let_go.set()
            return {}

        async with StandInModel() as model:
            leg = leg_to(model, prepare)
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                await asked.wait()
                leg.perform(CloseModel(FIRST))
                await was_let_go.wait()
                assert not reports.events
            assert model.upgrades == 0

    run(scenario())
