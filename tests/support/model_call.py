"""A whole call from the session to a stand-in model's socket: the real bridge and model leg, an ideal line and voice.

The line plays what it is sent in real time and returns the marks; the voice speaks every phrase in 60 ms; a tool
answers when the test says so.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from app.bridge.bridge import Bridge, Legs
from app.model.choice import ModelChoice
from app.model.leg import ModelLeg
from app.session.commands import (
    ClearPlayback,
    Command,
    HangUp,
    PlayAudio,
    RunTool,
    SendMark,
    SpeakPhrase,
    TransferCall,
)
from app.session.events import (
    CallerAudio,
    Event,
    PlaybackReached,
    SpeechAudio,
    SpeechEnded,
    StreamEnded,
    StreamStarted,
    ToolCallFinished,
    TurnHandlingSet,
)
from app.session.journal import Entry, FrameRun, Journal, JournalHead
from app.session.session import Session
from app.session.terms import Terms
from app.session.words import BargeInMode, StreamEnd, ToolStatus, Verdict
from tests.support.driver import TERMS, pcm
from tests.support.model_leg import SETUP, target_of
from tests.support.stand_in_model import PATIENCE_S, StandInConnection, StandInModel

PHRASE_MS = 60
BYTES_PER_S = 48_000
CONFIRMED = replace(TERMS, barge_in=BargeInMode.CONFIRMED)
"""We ask for every answer; the caller interrupts once our own ear has heard 250 ms of speech."""


class _Line:
    """The caller's leg: plays in real time. played_ms: of what was sent, how much has sounded."""

    def __init__(self) -> None:
        self.sent_ms = 0.0
        self.is_cleared = False
        self._played_until = 0.0
        self._report: Callable[[Event], None] | None = None
        self._marks: dict[asyncio.TimerHandle, SendMark] = {}

    async def run(self, report: Callable[[Event], None]) -> None:
        self._report = report
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            for timer in self._marks:
                timer.cancel()

    def perform(self, command: Command) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(command, PlayAudio):
            self.sent_ms += len(command.audio) * 1000 / BYTES_PER_S
            self._played_until = max(self._played_until, loop.time()) + len(command.audio) / BYTES_PER_S
        elif isinstance(command, SendMark):
            timer = loop.call_at(max(self._played_until, loop.time()), self._reached, command)
            self._marks[timer] = command
        elif isinstance(command, ClearPlayback):
            self.is_cleared = True
            self._played_until = loop.time()
            pending = [mark for timer, mark in self._marks.items() if timer.when() > loop.time()]
            for timer in self._marks:
                timer.cancel()
            self._marks.clear()
            for mark in pending:
                loop.call_soon(self._reached, mark)
        elif isinstance(command, HangUp | TransferCall):
            loop.call_soon(self._tell, StreamEnded(StreamEnd.CLOSED))

    def _reached(self, mark: SendMark) -> None:
        self._tell(PlaybackReached(mark.generation, mark.number))

    def _tell(self, event: Event) -> None:
        assert self._report is not None
        self._report(event)


class _Voice:
    def __init__(self) -> None:
        self._report: Callable[[Event], None] | None = None

    async def run(self, report: Callable[[Event], None]) -> None:
        self._report = report
        await asyncio.get_running_loop().create_future()

    def perform(self, command: Command) -> None:
        if isinstance(command, SpeakPhrase):
            assert self._report is not None
            self._report(SpeechAudio(command.piece, pcm(PHRASE_MS)))
            self._report(SpeechEnded(command.piece))


class _Tools:
    def __init__(self) -> None:
        self.running: list[RunTool] = []

    async def run(self, report: Callable[[Event], None]) -> None:
        await asyncio.get_running_loop().create_future()

    def perform(self, command: Command) -> None:
        if isinstance(command, RunTool):
            self.running.append(command)


class ModelCall:
    """A call under way, disclosure and greeting heard."""

    def __init__(self, model: StandInModel, terms: Terms) -> None:
        loop = asyncio.get_running_loop()
        self.line, self.tools = _Line(), _Tools()
        self.entries: list[Entry | FrameRun] = []
        self.leg = ModelLeg([ModelChoice(target_of(model), SETUP)])
        head = JournalHead("CA1", "orders", "v1", "en-US", 0.0, loop.time(), "This is an AI.")
        self.bridge = Bridge(
            Session(terms),
            Journal(head, [self]),
            Legs(self.line, self.leg, _Voice(), self.tools),
            loop.time,
            lambda last: None,
        )

    def read(self, entry: Entry | FrameRun) -> None:
        self.entries.append(entry)

    def commands(self, kind: type[Command]) -> list[Command]:
        """Return all commands of this kind so far."""
        entries = [entry for entry in self.entries if isinstance(entry, Entry)]
        return [command for entry in entries for command in entry.commands if isinstance(command, kind)]

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Return when it holds. The call's own clock is real, so it is looked at every few milliseconds."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds():  # noqa: ASYNC110 - what is awaited is a state of the session, which has no events
                    await asyncio.sleep(0.005)
        except TimeoutError as error:
            raise AssertionError(f"waited {PATIENCE_S} s for {what}; {self.entries[-20:]}") from error

    def model_answers(self, server: StandInConnection) -> bool:
        """Does the model answer turns by itself by now?"""
        session = json.dumps(server.session)
        return '"create_response": true, "interrupt_response": true' in session and self.is_done(TurnHandlingSet)

    def is_done(self, kind: type[Event]) -> bool:
        """Has such an event happened?"""
        return any(isinstance(entry, Entry) and isinstance(entry.event, kind) for entry in self.entries)

    def hear(self, verdict: Verdict = Verdict.SILENCE, ms: int = 20) -> None:
        """So much of the caller's side at once, for the session counts audio and not arrivals."""
        for _ in range(ms // 20):
            self.bridge.report(CallerAudio(pcm(20), verdict))

    def answer_tool(self, output: str) -> None:
        self.bridge.report(ToolCallFinished(self.tools.running[-1].tool_call_id, ToolStatus.OK, output))

    async def caller_turn(self, server: StandInConnection) -> str:
        """The caller says something, which is committed; return the item."""
        item_id = await server.caller_speaks(audio_start_ms=0)
        await server.caller_stops(item_id, audio_end_ms=0)
        return item_id


@asynccontextmanager
async def called(
    model: StandInModel, terms: Terms = CONFIRMED, *, until_greeted: bool = True
) -> AsyncIterator[tuple[ModelCall, StandInConnection]]:
    """A call, its greeting heard, and the server's side of its session with the model; broken off at the end."""
    call = ModelCall(model, terms)
    running = asyncio.create_task(call.bridge.run(StreamStarted()))
    try:
        server = await model.next_connection()
        for _ in range(2 if until_greeted else 0):  # the model is told what was heard: disclosure and greeting
            await server.wait_for("conversation.item.create")
        if until_greeted and terms.barge_in is BargeInMode.IMMEDIATE:
            await call.until(lambda: call.model_answers(server), "the model to be told that it answers turns")
        yield call, server
        assert not running.done(), running  # nothing has failed, and nobody has hung up
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
