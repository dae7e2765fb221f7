"""The stand-in for a model notices what a client does wrong: the tests that use it rest on that."""

import asyncio

import pytest

from app.session.commands import RequestResponse, TruncateItem
from app.session.words import ItemId
from tests.support.model_leg import FIRST, opened, run
from tests.support.stand_in_model import StandInModel


async def truncate(audio_end_ms: float) -> None:
    async with StandInModel() as model, opened(model) as (leg, _, connection):
        leg.perform(TruncateItem(FIRST, ItemId("i"), 0, audio_end_ms))  # type: ignore[arg-type] # the mistake
        await connection.wait_for("conversation.item.truncate")


def test_an_event_against_the_schema_fails_the_test() -> None:
    run(truncate(1200))
    with pytest.raises(AssertionError, match="audio_end_ms"):
        run(truncate(1200.5))


def test_a_step_out_of_order_fails_the_test() -> None:
    async def scenario() -> None:
        async with StandInModel() as model, opened(model) as (leg, _, connection):
            leg.perform(RequestResponse(FIRST))
            await connection.expect("response.cancel")

    with pytest.raises(AssertionError, match=r"expected response\.cancel, came .*response\.create"):
        run(scenario())


def test_a_client_that_leaves_is_not_waited_for() -> None:
    async def scenario() -> None:
        async with StandInModel() as model:
            async with opened(model) as (_, _, connection):
                pass
            async with asyncio.timeout(5):
                await connection.expect("response.create")

    with pytest.raises(AssertionError, match="the client left"):
        run(scenario())
