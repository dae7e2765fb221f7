"""The responses of one session: at most one that writes to the conversation, others beside it, each in its task."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import msgspec

from app.errors import InvariantError, VoiceAgentError
from app.local.conversation import Conversation
from app.local.dialogue import CallTool, Entry, Say
from app.local.faculties import Faculties
from app.local.hearing import Hearing, language_in
from app.local.items import Item
from app.local.protocol import Emit, Wire
from app.local.responses import Response
from app.local.session_settings import ResponseSettings, SessionSettings
from app.local.shapes import RequestError
from app.local.speaking import Delivery
from app.local.usage import ContextPiece, text_tokens

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Running:
    response: Response
    task: asyncio.Task[None]


class Generation:
    """Makes the responses. ended: told of each one when its `response.done` is out."""

    def __init__(
        self,
        faculties: Faculties,
        conversation: Conversation,
        hearing: Hearing,
        *,
        tasks: asyncio.TaskGroup,
        emit: Emit,
        ended: Callable[[Response], None],
    ) -> None:
        self._faculties = faculties
        self._conversation = conversation
        self._hearing = hearing
        self._tasks = tasks
        self._emit = emit
        self._ended = ended
        self._running: dict[str, _Running] = {}
        self._context_before: tuple[ContextPiece, ...] = ()
        self._spoke = False

    @property
    def active(self) -> Response | None:
        """The response that writes to the conversation, if one is being made."""
        return next((one.response for one in self._running.values() if not one.response.is_out_of_band), None)

    @property
    def has_spoken(self) -> bool:
        """Whether any audio was given out, so that the voice is settled."""
        return self._spoke or any(one.response.audio_ms for one in self._running.values())

    def create(
        self, settings: SessionSettings, overrides: Mapping[str, object], given: Sequence[Item] | None = None
    ) -> None:
        """Begin a response, or raise RequestError.

        overrides: the checked `response` of a `response.create`. given: the items that take the place of the
        conversation, when it names an `input`.
        """
        out_of_band = overrides.get("conversation") == "none"
        active = self.active
        if active is not None and not out_of_band:
            raise RequestError(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {active.id}. "
                "Wait until the response is finished before creating a new one.",
            )
        made_with = settings.for_response(overrides, voice_is_fixed=self.has_spoken)
        context = _context(made_with, self._conversation.items if given is None else given)
        response = Response(
            made_with,
            emit=self._emit,
            conversation=None if out_of_band else self._conversation,
            context=context,
            before=self._context_before,
            metadata=cast("Mapping[str, object] | None", overrides.get("metadata")),
        )
        if not out_of_band:
            self._context_before = context
        self._announce(response)
        task = self._tasks.create_task(self._generate(response, settings, given))
        self._running[response.id] = _Running(response, task)

    def cancel(self, response_id: str | None) -> None:
        """End a response at the client's wish, or raise RequestError. None: the one of the conversation."""
        active = self.active
        wanted = response_id if response_id is not None else active.id if active else None
        running = self._running.get(wanted) if wanted is not None else None
        if running is None:
            raise RequestError("response_cancel_not_active", "Cancellation failed: no active response found")
        self._cut(running.response, "client_cancelled")

    def interrupt(self) -> None:
        """End the response of the conversation, if there is one, because the caller speaks."""
        active = self.active
        if active is not None:
            self._cut(active, "turn_detected")

    def close(self) -> None:
        """Give up all responses without a word."""
        for running in self._running.values():
            running.task.cancel()
        self._running.clear()

    def _announce(self, response: Response) -> None:
        response.begin()

    def _cut(self, response: Response, reason: Literal["client_cancelled", "turn_detected"]) -> None:
        self._running[response.id].task.cancel()
        self._finish_cut(response, reason)
        self._end(response)

    def _finish_cut(self, response: Response, reason: Literal["client_cancelled", "turn_detected"]) -> None:
        response.finish("cancelled", reason=reason)

    def _end(self, response: Response) -> None:
        self._spoke = self.has_spoken
        del self._running[response.id]
        self._ended(response)

    async def _generate(self, response: Response, settings: SessionSettings, given: Sequence[Item] | None) -> None:
        try:
            await self._perform(response, settings, given)
        except InvariantError:
            raise
        except VoiceAgentError as error:
            log.warning("a response failed: %s", error)
            response.finish("failed", error={"type": "server_error", "code": None, "message": str(error)})
        else:
            if response.has_spent_its_tokens:
                response.finish("incomplete", reason="max_output_tokens")
            else:
                response.finish("completed")
        self._end(response)

    async def _perform(self, response: Response, settings: SessionSettings, given: Sequence[Item] | None) -> None:
        await self._hearing.settled()
        items = self._conversation.items if given is None else given
        entries: list[Entry] = [entry for item in items for entry in item.entries()]
        made_with = response.settings
        language = language_in(settings, entries, made_with.instructions)
        moves = self._faculties.reply(
            entries,
            instructions=made_with.instructions,
            tools=made_with.tools,
            tool_choice=made_with.tool_choice,
            language=language,
        )
        delivery = Delivery(response, self._faculties.mouth, language=language, speed=self._faculties.speed)
        for move in moves:
            match move:
                case Say(text):
                    await delivery.deliver(text)
                case CallTool(name, arguments):
                    response.call_tool(name, arguments)
            if response.has_spent_its_tokens:
                return


def _context(made_with: ResponseSettings, items: Sequence[Item]) -> tuple[ContextPiece, ...]:
    """Return what a response is given, in the order in which a cache would meet it."""
    tools: list[Wire] = [
        {"name": tool.name, "description": tool.description, "parameters": tool.parameters} for tool in made_with.tools
    ]
    offered = msgspec.json.encode(tools).decode() if tools else ""
    return (
        ContextPiece(made_with.instructions, text_tokens(made_with.instructions), 0),
        ContextPiece(offered, text_tokens(offered), 0),
        *(item.context_piece() for item in items),
    )
