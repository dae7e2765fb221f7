"""Joins the legs of one call: event in, commands out to the legs, in one step.

No queue, no task switch, no await stands between a frame and its command: for every frame they would cost more than all
the rest together. The shell has no opinion; whatever is decided is decided in the session.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.session import commands as asked
from app.session.commands import Command, HangUp, ModelCommand, StreamCommand, ToolCommand, TransferCall, VoiceCommand
from app.session.events import DeadlinePassed, Event
from app.session.journal import Journal
from app.session.session import Session

Report = Callable[[Event], None]


class StreamLegLike(Protocol):
    """The caller's leg: the carrier's media stream."""

    async def run(self, report: Report) -> None: ...
    def perform(self, command: StreamCommand) -> None: ...


class ModelLegLike(Protocol):
    """The agent's leg: the realtime model."""

    async def run(self, report: Report) -> None: ...
    def perform(self, command: ModelCommand) -> None: ...


class VoiceLegLike(Protocol):
    """Our own voice."""

    async def run(self, report: Report) -> None: ...
    def perform(self, command: VoiceCommand) -> None: ...


class ToolLegLike(Protocol):
    """What the model may call."""

    async def run(self, report: Report) -> None: ...
    def perform(self, command: ToolCommand) -> None: ...


@dataclass(frozen=True, slots=True)
class Legs:
    stream: StreamLegLike
    model: ModelLegLike
    voice: VoiceLegLike
    tools: ToolLegLike


def _nobody(_: Command) -> None:
    """Notes are for the journal alone; and once the call is over, nobody is asked."""


class Bridge:
    """One call. `report` takes in events; `run` lives as long as the call does."""

    def __init__(
        self,
        session: Session,
        journal: Journal,
        legs: Legs,
        clock: Callable[[], float],
        said_last: Callable[[HangUp | TransferCall], None],
    ) -> None:
        """clock: monotonic seconds, of the running loop. said_last: told how the call goes on without our stream."""

        def leave(command: HangUp | TransferCall) -> None:
            said_last(command)  # before the socket closes: the carrier asks at once
            legs.stream.perform(command)

        self._session = session
        self._journal = journal
        self._clock = clock
        self._inbox: deque[Event] = deque()
        self._is_deciding = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._over: asyncio.Future[None] | None = None
        self._legs: tuple[VoiceLegLike | ToolLegLike | ModelLegLike | StreamLegLike, ...] = (
            legs.voice,
            legs.tools,
            legs.model,
            legs.stream,
        )
        self._perform: dict[type, Callable[..., None]] = {
            **dict.fromkeys(asked.StreamCommand.__args__, legs.stream.perform),
            **dict.fromkeys(asked.ModelCommand.__args__, legs.model.perform),
            **dict.fromkeys(asked.VoiceCommand.__args__, legs.voice.perform),
            **dict.fromkeys(asked.ToolCommand.__args__, legs.tools.perform),
            **dict.fromkeys(asked.Note.__args__, _nobody),
            HangUp: leave,
            TransferCall: leave,
        }

    async def run(self, first: Event) -> None:
        """Run the legs until the session has ended. first: the event that begins the call.

        Raises what any leg or the session raised.
        """
        loop = asyncio.get_running_loop()
        self._over = loop.create_future()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(leg.run(self.report)) for leg in self._legs]
                await asyncio.sleep(0)  # the legs have begun: they can be asked
                self.report(first)
                await self._over
                for task in tasks:
                    task.cancel()
        finally:
            self._over = None
            if self._timer is not None:
                self._timer.cancel()
            self._journal.close_run()
            # the legs know us: let go of them, so that of a call that is over nothing is left to the garbage collector
            self._legs = ()
            self._perform = dict.fromkeys(self._perform, _nobody)

    def report(self, event: Event) -> None:
        """Take in one event of any leg. Commands are performed at once, in order; performing never waits.

        Called from transport callbacks, where nobody would see an exception: it ends `run` instead.
        """
        inbox = self._inbox
        if self._is_deciding:  # a leg reported while performing: its turn comes next
            inbox.append(event)
            return
        self._is_deciding = True
        try:
            self._decide(event)
            while inbox:
                self._decide(inbox.popleft())
        except BaseException as error:  # a cancellation too: `run` must not wait for ever
            if self._over is None or self._over.done():
                raise
            self._over.set_exception(error)
        finally:
            self._is_deciding = False
        session = self._session
        if session.deadline is not None and session.deadline < self._timer_at:
            self._set_timer(session.deadline)

    def _decide(self, event: Event) -> None:
        at = self._clock()
        commands = self._session.receive(event, at=at)
        self._journal.note(at, event, commands)
        perform = self._perform
        for command in commands:
            perform[type(command)](command)
        if self._session.ended and self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _set_timer(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = asyncio.get_running_loop().call_at(deadline, self._wake)

    def _wake(self) -> None:
        """The timer's moment, which may be an earlier deadline than the present one: those move on, timers do not."""
        self._timer = None
        self._timer_at = float("inf")
        if self._over is None or self._over.done():
            return
        deadline = self._session.deadline
        if deadline is None:
            return
        if self._clock() >= deadline:
            self.report(DeadlinePassed())
        else:
            self._set_timer(deadline)
