"""The bridge: one step from event to command, whoever reports while performing; and whatever goes wrong comes out."""

import asyncio
from collections.abc import Callable

import pytest

from app.bridge.bridge import Bridge, Legs
from app.session.commands import Command, HangUp, NoteEnd, OpenModel, PlayAudio, SpeakPhrase, TransferCall
from app.session.events import (
    DeadlinePassed,
    Event,
    ServiceStopping,
    SpeechAudio,
    SpeechEnded,
    StreamEnded,
    StreamStarted,
)
from app.session.journal import Entry, FrameRun, Journal, JournalHead
from app.session.session import Session
from app.session.words import Outcome, StreamEnd
from tests.support.driver import TERMS, pcm

Report = Callable[[Event], None]


class Leg:
    """Takes everything down; answers a command in the step in which it is asked, as the voice does."""

    def __init__(self, answer: Callable[[Report, Command], None] | None = None) -> None:
        self.asked: list[Command] = []
        self.report: Report | None = None
        self.answer = answer
        self.was_cancelled = False
        self.was_asked = asyncio.Event()

    async def run(self, report: Report) -> None:
        self.report = report
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise

    def perform(self, command: Command) -> None:
        self.asked.append(command)
        self.was_asked.set()
        if self.answer is not None and self.report is not None:
            self.answer(self.report, command)


class Reading:
    def __init__(self) -> None:
        self.entries: list[Entry | FrameRun] = []
        self.deadline_passed = asyncio.Event()

    def read(self, entry: Entry | FrameRun) -> None:
        self.entries.append(entry)
        if isinstance(entry, Entry) and isinstance(entry.event, DeadlinePassed):
            self.deadline_passed.set()


def speaks(report: Report, command: Command) -> None:
    if isinstance(command, SpeakPhrase):
        report(SpeechAudio(command.piece, pcm(300)))
        report(SpeechEnded(command.piece))


class Scene:
    def __init__(self) -> None:
        self.stream, self.model, self.voice, self.tools = Leg(), Leg(), Leg(speaks), Leg()
        self.reading = Reading()
        self.last_words: list[HangUp | TransferCall] = []
        loop = asyncio.get_running_loop()
        head = JournalHead("CA1", "orders", "v1", "en-US", 0.0, loop.time(), "This is an AI.")
        self.bridge = Bridge(
            Session(TERMS),
            Journal(head, [self.reading]),
            Legs(self.stream, self.model, self.voice, self.tools),
            loop.time,
            self.last_words.append,
        )

    async def begun(self) -> asyncio.Task[None]:
        running = asyncio.create_task(self.bridge.run(StreamStarted()))
        async with asyncio.timeout(5):
            await self.stream.was_asked.wait()
        return running


def test_what_a_leg_reports_while_performing_has_its_turn_after_the_step() -> None:
    async def scenario() -> None:
        scene = Scene()
        running = await scene.begun()
        kinds = [type(entry.event).__name__ for entry in scene.reading.entries if isinstance(entry, Entry)]
        assert kinds == ["StreamStarted", "SpeechAudio", "SpeechEnded"]
        first = scene.reading.entries[0]
        assert isinstance(first, Entry)
        assert [type(command) for command in first.commands] == [OpenModel, SpeakPhrase]
        assert scene.model.asked == [OpenModel(first.commands[0].model)]  # type: ignore[union-attr]  # an OpenModel
        assert [type(command).__name__ for command in scene.stream.asked[:2]] == ["PlayAudio", "SendMark"]
        scene.bridge.report(StreamEnded(StreamEnd.STOPPED))
        await running
        assert scene.stream.was_cancelled
        assert scene.tools.was_cancelled

    asyncio.run(scenario())


def test_a_call_ends_when_its_session_has_and_deadlines_wake_it() -> None:
    async def scenario() -> None:
        scene = Scene()
        running = await scene.begun()
        # of the 300 ms of the disclosure 200 were sent at once; the rest comes by the timer
        async with asyncio.timeout(5):
            await scene.reading.deadline_passed.wait()
        assert len([command for command in scene.stream.asked if isinstance(command, PlayAudio)]) == 3
        scene.bridge.report(StreamEnded(StreamEnd.LOST))
        await running
        last = scene.reading.entries[-1]
        assert isinstance(last, Entry)
        assert isinstance(last.commands[-1], NoteEnd)
        assert last.commands[-1].outcome is Outcome.STREAM_LOST

    asyncio.run(scenario())


def test_the_last_word_is_said_before_the_stream_is_closed() -> None:
    async def scenario() -> None:
        scene = Scene()
        running = await scene.begun()
        known_when_closed: list[bool] = []

        def closes(report: Report, command: Command) -> None:
            if isinstance(command, HangUp):
                known_when_closed.append(bool(scene.last_words))
                report(StreamEnded(StreamEnd.CLOSED))

        scene.stream.answer = closes
        scene.bridge.report(ServiceStopping())
        await running
        assert scene.last_words == [HangUp()]
        assert known_when_closed == [True]

    asyncio.run(scenario())


def test_what_a_leg_raises_ends_the_call_and_comes_out() -> None:
    async def scenario() -> None:
        scene = Scene()

        def breaks(_: Report, command: Command) -> None:
            raise ValueError("a bug of ours")

        scene.voice.answer = breaks
        with pytest.raises(ExceptionGroup) as caught:
            await scene.bridge.run(StreamStarted())
        assert isinstance(caught.value.exceptions[0], ValueError)
        assert scene.stream.was_cancelled

    asyncio.run(scenario())
