"""When garbage is collected, and that a call leaves none."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app import server
from app.bridge import call
from app.bridge.bridge import Bridge, Legs
from app.carrier.call import CallPlan, place_call
from app.carrier.steps import HangUp, WaitMs
from app.garbage import MOST_S, WHOLE_EVERY_S, collect_garbage
from app.session.journal import Journal
from app.session.session import Session
from tests.support.service import ACCOUNT, TOKEN
from tests.support.service_here import service_here
from tests.support.stand_in_model import StandInModel

AGENT = """
agent: orders
phone_numbers: ["+15550100"]
model: {provider: openai}
prompt: p
disclosure: {text: "I am an automated AI assistant."}
"""


class Knot:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


class Scene:
    """A collector that is run round by round. calls: how many are on; now_s: what its clock says."""

    def __init__(self) -> None:
        self.calls = 0
        self.now_s = 0.0
        self._rounds = 0
        self._news = asyncio.Event()
        self.task = asyncio.create_task(
            collect_garbage(self._is_idle, young_every_s=0.0, clock=lambda: self.now_s), name="garbage"
        )

    def _is_idle(self) -> bool:
        self._rounds += 1
        self._news.set()
        return not self.calls

    async def rounds(self, count: int) -> None:
        """Return when so many more have been begun and the last but one of them has ended."""
        until = self._rounds + count + 1
        async with asyncio.timeout(5):
            while self._rounds < until:
                self._news.clear()
                await self._news.wait()


def knot() -> "tuple[list[Knot], weakref.ref[Knot]]":
    made = Knot()
    return [made], weakref.ref(made)


def run(scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        scene = Scene()
        try:
            await scenario(scene)
        finally:
            scene.task.cancel()
            await asyncio.gather(scene.task, return_exceptions=True)

    asyncio.run(whole())


@pytest.fixture(autouse=True)
def _no_other_garbage() -> None:
    gc.collect()


def test_while_a_call_is_on_only_what_is_young_is_collected_and_the_rest_when_it_is_over() -> None:
    async def scenario(scene: Scene) -> None:
        scene.calls = 1
        await scene.rounds(1)
        young = knot()[1]
        old_held, old = knot()
        await scene.rounds(1)
        assert young() is None
        old_held.clear()
        await scene.rounds(3)
        assert old() is not None
        scene.calls = 0
        await scene.rounds(1)
        assert old() is None

    run(scenario)


@pytest.mark.parametrize(("calls", "wait_s"), [(0, WHOLE_EVERY_S), (1, MOST_S)])
def test_after_a_while_all_is_collected_whoever_is_on(calls: int, wait_s: float) -> None:
    async def scenario(scene: Scene) -> None:
        scene.calls = calls
        await scene.rounds(1)
        held, old = knot()
        await scene.rounds(1)
        held.clear()
        scene.now_s += wait_s - 1
        await scene.rounds(2)
        assert old() is not None
        scene.now_s += 1
        await scene.rounds(1)
        assert old() is None

    run(scenario)


def test_the_interpreter_collects_by_itself_before_and_afterwards_and_not_between() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.rounds(1)
        assert not gc.isenabled()
        scene.task.cancel()
        await asyncio.gather(scene.task, return_exceptions=True)
        assert gc.isenabled()

    run(scenario)


def test_of_a_call_that_is_over_nothing_is_left_to_the_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(_: Callable[[], bool]) -> None:
        """Collects nothing, so that what was left would still be there."""

    async def scenario() -> None:
        parts: set[str] = set()
        gone = asyncio.Event()

        def left(part: str) -> None:
            parts.remove(part)
            if not parts:
                gone.set()

        def watched(session: Session, journal: Journal, legs: Legs, *more: Any) -> Bridge:
            bridge = Bridge(session, journal, legs, *more)
            # not the tools' leg: it is in a cycle of asyncio.TaskGroup's own, and holds nothing any more
            for one in (bridge, session, legs.stream, legs.model, legs.voice):
                parts.add(type(one).__name__)
                weakref.finalize(one, left, type(one).__name__)
            return bridge

        monkeypatch.setattr(call, "Bridge", watched)
        async with StandInModel() as model, service_here(tmp_path, model, AGENT) as (url, _):
            steps = (WaitMs(500), HangUp())
            await place_call(CallPlan(url, to_number="+15550100", auth_token=TOKEN, account_sid=ACCOUNT, steps=steps))
            try:
                async with asyncio.timeout(10):
                    await gone.wait()
            except TimeoutError:
                pytest.fail(f"still there: {sorted(parts)}")

    monkeypatch.setattr(server, "collect_garbage", nobody)
    gc.disable()
    try:
        asyncio.run(scenario())
    finally:
        gc.enable()
