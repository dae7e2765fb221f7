"""The agent's leg of a call: its sessions with the realtime model; two are alive while one takes over from another."""

import asyncio
import time
from collections.abc import Callable, Sequence

from app.model.choice import ModelChoice
from app.model.connection import Connection, MessageCounts
from app.session.commands import AppendInputAudio, CloseModel, ModelCommand, OpenModel
from app.session.events import Event
from app.session.words import ModelNumber


class ModelLeg:
    """Opens a session with the model for each OpenModel, says what happens in it, does what is asked of it.

    choices: the agent's own model, then its fallbacks; OpenModel.choice counts them.
    connect_timeout_s: for name, TCP, TLS and upgrade. first_event_timeout_s: for the model's first event, and again for
    its answer to our settings. wall_clock: Unix seconds, by which providers say when a session ends.
    """

    def __init__(
        self,
        choices: Sequence[ModelChoice],
        *,
        connect_timeout_s: float = 5.0,
        first_event_timeout_s: float = 5.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._choices = choices
        self._connect_timeout_s = connect_timeout_s
        self._first_event_timeout_s = first_event_timeout_s
        self._wall_clock = wall_clock
        self._counts = MessageCounts()
        self._asked: list[OpenModel] = []
        """Sessions asked for before `run` had begun."""
        self._connections: dict[ModelNumber, Connection] = {}
        self._tasks: dict[ModelNumber, asyncio.Task[None]] = {}
        self._report: Callable[[Event], None] | None = None
        self._failure: asyncio.Future[None] | None = None

    @property
    def unknown_messages(self) -> int:
        """Messages of an event type that is not known."""
        return self._counts.unknown

    @property
    def broken_messages(self) -> int:
        """Messages that were no event, or lacked what theirs must have."""
        return self._counts.broken

    async def run(self, report: Callable[[Event], None]) -> None:
        """Keep the sessions with the model until cancelled. What `report` raises comes out of here."""
        self._failure = failure = asyncio.get_running_loop().create_future()
        self._report = report
        asked, self._asked = self._asked, []
        for command in asked:
            self._open(command)
        try:
            await failure
        finally:
            failure.cancel()
            tasks = list(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._report = None

    def perform(self, command: ModelCommand) -> None:
        """Do what is asked, at once. Never waits, never raises; for a session that is not open it does nothing."""
        connection = self._connections.get(command.model)
        if isinstance(command, AppendInputAudio):  # fifty times a second, so before all others
            if connection is not None:
                connection.append(command.audio)
            return
        if isinstance(command, OpenModel):
            self._open(command)
            return
        if connection is None:
            if isinstance(command, CloseModel):
                self._asked = [asked for asked in self._asked if asked.model != command.model]
        elif isinstance(command, CloseModel):
            self._close(command.model, connection)
        else:
            connection.perform(command)

    def _open(self, command: OpenModel) -> None:
        if self._failure is None:
            self._asked.append(command)
            return
        number = command.model
        if self._failure.done() or number in self._connections:
            return
        connection = Connection(
            number,
            self._choices[command.choice],
            self._tell,
            self._counts,
            connect_timeout_s=self._connect_timeout_s,
            first_event_timeout_s=self._first_event_timeout_s,
            wall_clock=self._wall_clock,
        )
        self._connections[number] = connection
        task = asyncio.get_running_loop().create_task(connection.run(), name=f"model-{number}")
        self._tasks[number] = task
        task.add_done_callback(lambda done: self._ended(number, done))

    def _close(self, number: ModelNumber, connection: Connection) -> None:
        connection.close()
        if connection.is_connecting:
            self._tasks[number].cancel()

    def _ended(self, number: ModelNumber, task: asyncio.Task[None]) -> None:
        del self._connections[number]
        del self._tasks[number]
        if not task.cancelled() and task.exception() is not None:
            self._fail(task.exception())

    def _tell(self, event: Event) -> None:
        if self._report is None or self._failure is None or self._failure.done():
            return
        try:
            self._report(event)
        except Exception as error:  # noqa: BLE001 - the transport's callbacks would lose it: run() raises it instead
            self._fail(error)

    def _fail(self, error: BaseException | None) -> None:
        if error is not None and self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)
