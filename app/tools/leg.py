"""The tools' leg of a call: runs what the model calls, each call a task of its own with its own time."""

import asyncio
from collections.abc import Callable, Mapping

import structlog
from pydantic import JsonValue

from app.errors import ToolError
from app.session.commands import CancelTool, Command, RunTool
from app.session.events import Event, ToolCallFinished
from app.session.words import ToolCallId, ToolStatus
from app.tools.catalogue import Catalogue, Tool
from app.tools.parameters import read_arguments
from app.tools.sql import LookupFailedError

log = structlog.get_logger(__name__)


class ToolsLeg:
    """One call's tools. A RunTool is answered with one ToolCallFinished, unless it is cancelled before."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._waiting: list[RunTool] = []
        self._tasks: dict[ToolCallId, asyncio.Task[None]] = {}
        self._report: Callable[[Event], None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self._is_over = False

    async def run(self, report: Callable[[Event], None]) -> None:
        """Run tools until cancelled; then cancel those that still run. What was asked before begins at once."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group, self._report = group, report
                del report  # this frame is left in a cycle of the TaskGroup's, which keeps its own cancellation
                waiting, self._waiting = self._waiting, []
                for command in waiting:
                    self._start(command)
                await asyncio.Event().wait()  # nothing sets it: a call needs its tools until it is over
        finally:
            self._is_over = True
            self._tasks.clear()
            self._group = self._report = None

    def perform(self, command: Command) -> None:
        """Begin or cancel a tool. Never waits, never raises; after the end of `run` it does nothing."""
        if self._is_over:
            return
        match command:
            case RunTool() if self._group is None:
                self._waiting.append(command)
            case RunTool():
                self._start(command)
            case CancelTool(tool_call_id):
                self._waiting = [waiting for waiting in self._waiting if waiting.tool_call_id != tool_call_id]
                if task := self._tasks.pop(tool_call_id, None):
                    task.cancel()
            case _:
                pass  # for another leg

    def _start(self, command: RunTool) -> None:
        if self._group is None or command.tool_call_id in self._tasks:
            return
        answer = self._answer(command, self._group)
        try:
            self._tasks[command.tool_call_id] = self._group.create_task(answer)
        except RuntimeError:  # the group is shutting down after a bug elsewhere: the call ends, nobody awaits an answer
            answer.close()

    async def _answer(self, command: RunTool, group: asyncio.TaskGroup) -> None:
        status, output = await self._outcome(command, group)
        self._tasks.pop(command.tool_call_id, None)
        assert self._report is not None  # it came with the group
        self._report(ToolCallFinished(command.tool_call_id, status, output))

    async def _outcome(self, command: RunTool, group: asyncio.TaskGroup) -> tuple[ToolStatus, str]:
        tool = self._catalogue.named(command.name)
        if tool is None:
            names = ", ".join(tool.name for tool in self._catalogue.tools) or "none"
            return ToolStatus.ERROR, f"There is no tool named {command.name[:64]}. The tools are: {names}."
        try:
            arguments = read_arguments(tool.parameters, command.arguments)
        except ToolError as error:
            return ToolStatus.ERROR, str(error)
        # A task of its own, so that the model is answered in time however long the runner takes to clean up.
        work = group.create_task(_work(tool, arguments))
        try:
            done, _ = await asyncio.wait({work}, timeout=tool.timeout_s)
            return work.result() if done else (ToolStatus.TIMEOUT, _too_slow(tool))
        finally:
            work.cancel()


async def _work(tool: Tool, arguments: Mapping[str, JsonValue]) -> tuple[ToolStatus, str]:
    try:
        return ToolStatus.OK, await tool.runner.run(arguments)
    except LookupFailedError as error:
        log.warning("tool.failed", tool=tool.name, detail=error.detail)
        return ToolStatus.ERROR, str(error)
    except ToolError as error:
        return ToolStatus.ERROR, str(error)


def _too_slow(tool: Tool) -> str:
    return (
        f"{tool.name} gave no answer within {tool.timeout_s:g} seconds. Tell the caller that it takes too long right "
        "now, and offer to try again."
    )
