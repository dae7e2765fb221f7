"""A session counts on its account from before the connect until it is gone, and tells it of refusals for a crowd."""

import pytest

from app.model.accounts import Account
from app.model.choice import ModelChoice
from app.model.leg import ModelLeg
from app.session.commands import CloseModel, OpenModel
from app.session.events import ModelLost, ModelReady
from app.session.words import ModelNumber
from tests.support.model_leg import FIRST, SETUP, run, running
from tests.support.model_peers import PEERS, Peer
from tests.support.stand_in_providers import CROWDED, NO_SUCH_MODEL

SECOND = ModelNumber(2)
OPENAI = PEERS[0]


def test_a_session_is_counted_while_it_lasts_and_one_too_many_is_not_tried() -> None:
    async def scenario() -> None:
        account = Account("openai", 1)
        async with OPENAI.serve() as model:
            leg = ModelLeg([ModelChoice(OPENAI.to(model), SETUP, account)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                assert account.open_sessions == 0  # asked for; it counts once it is tried
                await reports.until(ModelReady)
                assert account.open_sessions == 1
                leg.perform(OpenModel(SECOND))
                assert await reports.until(ModelLost) == ModelLost(SECOND, "sessions_full", is_crowded=True)
                assert (account.open_sessions, model.upgrades) == (1, 1)
                leg.perform(CloseModel(FIRST))
                await model.connections[0].closed()
                await leg_is_empty(leg)
                assert account.open_sessions == 0
        assert account.limit(1e12) == 1

    run(scenario())


def test_a_call_that_ends_gives_its_places_back() -> None:
    async def scenario() -> None:
        account = Account("openai", 2)
        async with OPENAI.serve() as model:
            leg = ModelLeg([ModelChoice(OPENAI.to(model), SETUP, account)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                leg.perform(OpenModel(SECOND))
                await reports.until(ModelReady, 2)
                assert account.open_sessions == 2
            assert account.open_sessions == 0

    run(scenario())


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.name in ("openai", "azure-key", "tokenlab")])
@pytest.mark.parametrize(("name", "learns"), [(CROWDED, True), (NO_SUCH_MODEL, False)])
def test_a_refusal_for_a_crowd_is_learnt_from_and_others_are_not(peer: Peer, name: str, learns: bool) -> None:
    async def scenario() -> None:
        account = Account(peer.name)
        async with peer.serve() as model:
            leg = ModelLeg([ModelChoice(peer.to(model, name=name), SETUP, account)])
            async with running(leg) as reports:
                leg.perform(OpenModel(FIRST))
                await reports.until(ModelLost)
                await leg_is_empty(leg)
        assert account.open_sessions == 0
        assert (account._learnt is not None) is learns

    run(scenario())


async def leg_is_empty(leg: ModelLeg) -> None:
    """Return when no session of the leg is left."""
    for task in list(leg._tasks.values()):
        await task
