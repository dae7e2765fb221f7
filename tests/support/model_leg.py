"""A model leg at work, with everything it reports written down."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from app.model.choice import ModelChoice
from app.model.dialects import ModelTarget, openai_target
from app.model.leg import ModelLeg
from app.model.setup import FunctionTool, ModelSetup
from app.session.commands import OpenModel
from app.session.events import Event, ModelReady
from app.session.words import ModelNumber
from tests.support.stand_in_model import PATIENCE_S, StandInConnection, StandInModel

FIRST = ModelNumber(1)
SETUP = ModelSetup(
    instructions="Be brief.",
    voice="marin",
    tools=(FunctionTool("lookup_order", "Find an order.", {"type": "object", "properties": {}}),),
)
Happened = TypeVar("Happened")


def target_of(model: StandInModel) -> ModelTarget:
    return openai_target(model.base_url, "sk-test", "gpt-realtime-2.1")


def run(scenario: Awaitable[None], loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> None:
    """Run a scenario to its end on a fresh loop; fail if it leaves a task behind."""

    async def whole() -> None:
        before = asyncio.all_tasks()
        async with asyncio.timeout(3 * PATIENCE_S):
            await scenario
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        assert not left, left

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(whole())


class Reports:
    """What a leg has reported, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._came = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._came.set()

    async def until(self, kind: type[Happened], count: int = 1) -> Happened:
        """Return the last of so many events of this kind, waiting for them."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(self.of(kind)) < count:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError as error:
            raise AssertionError(f"no {kind.__name__} came, only {self.events}") from error
        return self.of(kind)[count - 1]

    def of(self, kind: type[Happened]) -> list[Happened]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def running(leg: ModelLeg) -> AsyncIterator[Reports]:
    """Run a leg while the context is open; what comes out of its run comes out of here."""
    reports = Reports()
    task = asyncio.create_task(leg.run(reports))
    await asyncio.sleep(0)  # it has begun
    try:
        yield reports
    finally:
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass  # ours


@asynccontextmanager
async def opened(
    model: StandInModel, target: ModelTarget | None = None, setup: ModelSetup = SETUP
) -> AsyncIterator[tuple[ModelLeg, Reports, StandInConnection]]:
    """A leg whose first session with the stand-in is ready, its session.update read."""
    leg = ModelLeg([ModelChoice(target or target_of(model), setup)])
    async with running(leg) as reports:
        leg.perform(OpenModel(FIRST))
        connection = await model.next_connection()
        await connection.expect("session.update")
        await reports.until(ModelReady)
        yield leg, reports, connection
