"""The tools' leg: each call answered once, in its time, or cancelled."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import pytest
from pydantic import JsonValue

from app.errors import ToolError
from app.session.commands import CancelTool, ClearPlayback, Command, RunTool
from app.session.events import Event, ToolCallFinished
from app.session.words import ToolCallId, ToolStatus
from app.tools.catalogue import Catalogue, Tool
from app.tools.leg import ToolsLeg
from app.tools.parameters import Schema
from app.tools.sql import LookupFailedError

ORDER: Schema = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}


@dataclass
class Lookup:
    """A runner that answers when it is told to. begun, ended: set when a run has; may_answer: lets it answer."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    given: Mapping[str, JsonValue] | None = None
    was_cancelled: bool = False

    async def run(self, arguments: Mapping[str, JsonValue]) -> str:
        self.given = arguments
        self.begun.set()
        try:
            await self.may_answer.wait()
            if self.error:
                raise self.error
            return "found"
        except asyncio.CancelledError:
            self.was_cancelled = True
            await self.may_end.wait()
            raise
        finally:
            self.ended.set()


@dataclass
class Heard:
    """What the leg reported. change: notified at each."""

    events: list[Event] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def report(self, event: Event) -> None:
        self.events.append(event)
        self.changed.set()

    async def until(self, count: int) -> list[Event]:
        while len(self.events) < count:
            self.changed.clear()
            await self.changed.wait()
        return self.events


Scenario = Callable[[ToolsLeg, Heard], Awaitable[None]]


def play(lookups: Mapping[str, Lookup], scenario: Scenario, timeout_s: float = 30.0) -> list[Event]:
    """Run a leg with these tools while the scenario plays; then end it as a call does, and return what it reported."""
    tools = [Tool(name, "", ORDER, timeout_s, lookup) for name, lookup in lookups.items()]

    async def call() -> list[Event]:
        leg, heard = ToolsLeg(Catalogue(tuple(tools))), Heard()
        async with asyncio.timeout(10):
            running = asyncio.create_task(leg.run(heard.report))
            await asyncio.sleep(0)
            await scenario(leg, heard)
            running.cancel()
            await asyncio.wait([running])
            assert running.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing of the leg outlives it"
        return heard.events

    return asyncio.run(call())


def asked(name: str = "find", arguments: str = '{"number": 1042}', call: str = "call_1") -> RunTool:
    return RunTool(ToolCallId(call), name, arguments)


def finished(status: ToolStatus, output: str, call: str = "call_1") -> ToolCallFinished:
    return ToolCallFinished(ToolCallId(call), status, output)


def test_an_answer_is_reported() -> None:
    find = Lookup()

    async def scenario(leg: ToolsLeg, heard: Heard) -> None:
        leg.perform(asked())
        await find.begun.wait()
        assert heard.events == [], "performing does not wait"
        find.may_answer.set()
        await heard.until(1)

    assert play({"find": find}, scenario) == [finished(ToolStatus.OK, "found")]
    assert find.given == {"number": "1042"}


def test_what_was_asked_before_the_leg_runs_is_done_when_it_does() -> None:
    find = Lookup()
    find.may_answer.set()

    async def call() -> list[Event]:
        leg, heard = ToolsLeg(Catalogue((Tool("find", "", ORDER, 5, find),))), Heard()
        leg.perform(asked())
        leg.perform(asked(call="call_2"))
        leg.perform(CancelTool(ToolCallId("call_2")))
        async with asyncio.timeout(10):
            running = asyncio.create_task(leg.run(heard.report))
            await heard.until(1)
            running.cancel()
            await asyncio.wait([running])
        return heard.events

    assert asyncio.run(call()) == [finished(ToolStatus.OK, "found")]


def test_a_tool_that_cannot_do_its_work_says_why() -> None:
    find = Lookup(error=ToolError("There is no such shop."))
    find.may_answer.set()

    async def scenario(leg: ToolsLeg, heard: Heard) -> None:
        leg.perform(asked())
        await heard.until(1)

    assert play({"find": find}, scenario) == [finished(ToolStatus.ERROR, "There is no such shop.")]


def test_a_failed_lookup_is_logged_and_told_politely(capsys: pytest.CaptureFixture[str]) -> None:
    find = Lookup(error=LookupFailedError("OperationalError: no such table: orders"))
    find.may_answer.set()

    async def scenario(leg: ToolsLeg, heard: Heard) -> None:
        leg.perform(asked())
        await heard.until(1)

    (event,) = play({"find": find}, scenario)
    assert isinstance(event, ToolCallFinished)
    assert event.status is ToolStatus.ERROR
    assert "no such table" not in event.output
    printed = capsys.readouterr().out
    assert "tool.failed" in printed
    assert "no such table: orders" in printed
    assert "1042" not in printed


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (asked(name="lookup"), "There is no tool named lookup. The tools are: find."),
        (
            asked(arguments="1042"),
            'The arguments are not a JSON object. Call again with an object such as {"number": "…"}.',
        ),
        (asked(arguments="{"), 'The arguments are not JSON. Call again with an object such as {"number": "…"}.'),
        (asked(arguments="{}"), "The tool was not run. number is missing: ask the caller for it and give a string."),
    ],
)
def test_a_call_that_makes_no_sense_is_told_what_would(command: RunTool, told: str) -> None:
    find = Lookup()

    async def scenario(leg: ToolsLeg, heard: Heard) -> None:
        leg.perform(command)
        await heard.until(1)

    assert play({"find": find}, scenario) == [finished(ToolStatus.ERROR, told)]
    assert not find.begun.is_set()


def test_a_tool_that_takes_too_long_is_given_up_without_waiting_for_its_end() -> None:
    find = Lookup()

    async def scenario(leg: ToolsLeg, heard: Heard) -> None:
        leg.perform(asked())
        await heard.until(1)
        assert not find.ended.is_set(), "it still cleans up"
        find.may_end.set()
        await find.ended.wait()

    told = (
        "find gave no answer within 0.01 seconds. Tell the caller that it takes too long right now, "
        "and offer to try again."
    )
    assert play({"find": find}, scenario, timeout_s=0.01) == [finished(ToolStatus.TIMEOUT, told)]
    assert find.was_cancelled


def test_a_cancelled_call_is_not_answered() -> None:
    find, other = Lookup(), Lookup()
    find.may_end.set()

    async def scenario(leg: ToolsLeg, heard: Heard) -> None:
        leg.perform(asked())
        leg.perform(asked(name="other", call="call_2"))
        await find.begun.wait()
        leg.perform(CancelTool(ToolCallId("call_1")))
        leg.perform(CancelTool(ToolCallId("call_1")))
        leg.perform(CancelTool(ToolCallId("call_unknown")))
        await find.ended.wait()
        other.may_answer.set()
        await heard.until(1)

    assert play({"find": find, "other": other}, scenario) == [finished(ToolStatus.OK, "found", "call_2")]
    assert find.was_cancelled


def test_calls_run_side_by_side() -> None:
    first, second = Lookup(), Lookup()

    async def scenario(leg: ToolsLeg, heard: Heard) -> None:
        leg.perform(asked(name="first"))
        leg.perform(asked(name="second", call="call_2"))
        await first.begun.wait()
        await second.begun.wait()
        second.may_answer.set()
        await heard.until(1)
        first.may_answer.set()
        await heard.until(2)

    assert play({"first": first, "second": second}, scenario) == [
        finished(ToolStatus.OK, "found", "call_2"),
        finished(ToolStatus.OK, "found", "call_1"),
    ]


def test_a_call_that_is_asked_twice_runs_once() -> None:
    find = Lookup()

    async def scenario(leg: ToolsLeg, heard: Heard) -> None:
        leg.perform(asked())
        leg.perform(asked())
        find.may_answer.set()
        await heard.until(1)
        await find.ended.wait()

    assert play({"find": find}, scenario) == [finished(ToolStatus.OK, "found")]


def test_the_end_of_the_call_cancels_what_runs() -> None:
    find = Lookup()
    find.may_end.set()

    async def scenario(leg: ToolsLeg, heard: Heard) -> None:
        leg.perform(asked())
        await find.begun.wait()

    assert play({"find": find}, scenario) == []
    assert find.was_cancelled


def test_after_the_end_nothing_is_done() -> None:
    find = Lookup()

    async def call() -> None:
        leg, heard = ToolsLeg(Catalogue((Tool("find", "", ORDER, 5, find),))), Heard()
        running = asyncio.create_task(leg.run(heard.report))
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        leg.perform(asked())
        leg.perform(CancelTool(ToolCallId("call_1")))
        await asyncio.sleep(0)
        assert not find.begun.is_set()
        assert heard.events == []

    asyncio.run(call())


def test_commands_of_other_legs_are_passed_over() -> None:
    command: Command = ClearPlayback()

    async def scenario(leg: ToolsLeg, heard: Heard) -> None:
        leg.perform(command)

    assert play({}, scenario) == []


def test_a_runner_with_a_bug_ends_the_leg() -> None:
    find = Lookup(error=ZeroDivisionError("a bug"))
    find.may_answer.set()

    async def call() -> None:
        leg, heard = ToolsLeg(Catalogue((Tool("find", "", ORDER, 5, find),))), Heard()
        leg.perform(asked())
        with pytest.raises(ExceptionGroup) as failure:
            async with asyncio.timeout(10):
                await leg.run(heard.report)
        assert failure.group_contains(ZeroDivisionError)
        leg.perform(asked(call="call_2"))
        assert heard.events == []

    asyncio.run(call())
