"""The responses of a session whose model is on a script: what is said, in which order, and what goes wrong in them."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.errors import InvariantError, VoiceAgentError
from app.local.conversation import Conversation
from app.local.dialogue import Entry
from app.local.faculties import Faculties
from app.local.generation import Generation
from app.local.hearing import Hearing
from app.local.items import Item
from app.local.protocol import Emit
from app.local.responses import Response
from app.local.script_delivery import ScriptDelivery, Sounds
from app.local.script_progress import Progress, latest
from app.local.script_steps import (
    CallTool,
    Cue,
    Quiet,
    Speak,
    Step,
    Tone,
    Turn,
    Wait,
    Wav,
)
from app.local.session_settings import SessionSettings

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Playing:
    """A response under way. turn, delivery: None: not yet chosen; known: the items that were there before it."""

    known: frozenset[str]
    turn: Turn | None = None
    delivery: ScriptDelivery | None = None


class ScriptedGeneration(Generation):
    """Makes the responses by a script. perform: lets happen what is no part of a response."""

    def __init__(
        self,
        progress: Progress,
        sounds: Sounds,
        perform: Callable[[Cue], None],
        faculties: Faculties,
        conversation: Conversation,
        hearing: Hearing,
        *,
        tasks: asyncio.TaskGroup,
        emit: Emit,
        ended: Callable[[Response], None],
    ) -> None:
        super().__init__(faculties, conversation, hearing, tasks=tasks, emit=emit, ended=ended)
        self._progress = progress
        self._sounds = sounds
        self._let_happen = perform
        self._playing: dict[str, _Playing] = {}
        self._lingering: set[asyncio.Task[None]] = set()
        self._next_created = asyncio.Event()
        self._known: frozenset[str] = frozenset()
        """The items that were there when the last response that came to anything was asked for, and its own."""

    def close(self) -> None:
        super().close()
        for task in self._lingering:
            task.cancel()

    def _announce(self, response: Response) -> None:
        """Say nothing yet: the turn, which is not known yet, may want something else first."""

    async def _generate(self, response: Response, settings: SessionSettings, given: Sequence[Item] | None) -> None:
        playing = self._playing[response.id] = _Playing(self._known)
        try:
            if self._progress.listens:
                await self._hearing.settled()
            await self._play(response, playing, self._choose(playing, given))
        except InvariantError:
            raise
        except VoiceAgentError as error:
            log.warning("a response failed: %s", error)
            self._begin(response)
            response.finish("failed", error={"type": "server_error", "code": None, "message": str(error)})
        self._forget(response)
        self._end(response)

    def _choose(self, playing: _Playing, given: Sequence[Item] | None) -> Turn:
        items = self._conversation.items if given is None else given
        entries = [entry for item in items for entry in item.entries()]
        news: list[Entry] = [entry for item in items if item.id not in self._known for entry in item.entries()]
        playing.turn = self._progress.turn_for(latest(news), entries)
        if given is None:
            self._known = frozenset(item.id for item in items)
        return playing.turn

    async def _play(self, response: Response, playing: _Playing, turn: Turn) -> None:
        await asyncio.sleep(turn.delay_ms / 1000)  # so long the script has the model think
        for quiet in turn.before:
            await self._wait_or_perform(quiet)
        self._begin(response)
        await asyncio.sleep(0)  # what waited for this beginning comes right behind it
        playing.delivery = ScriptDelivery(response, self._sounds, turn.manner)
        is_whole = turn.end is not None and turn.end.status == "completed"
        spoken = [place for place, step in enumerate(turn.reply) if not isinstance(step, Quiet)]
        for place, step in enumerate(turn.reply):
            await self._take(step, response, playing.delivery, stays_open=[place] == spoken[-1:] and not is_whole)
            if response.has_spent_its_tokens:
                response.finish("incomplete", reason="max_output_tokens")
                return
        if turn.end is None:
            await asyncio.Event().wait()  # nothing sets it: only a cut ends this response
            return
        error = None if turn.end.fault is None else turn.end.fault.failure()
        response.finish(turn.end.status, reason=turn.end.reason, error=error)

    async def _take(self, step: Step, response: Response, delivery: ScriptDelivery, *, stays_open: bool) -> None:
        match step:
            case CallTool():
                await self._call(step, response)
                if not stays_open:
                    response.close_call()
            case Speak() | Tone() | Wav():
                await delivery.deliver(step)
                if not (stays_open or response.has_spent_its_tokens):
                    response.close_message()
            case _:
                await self._wait_or_perform(step)

    async def _call(self, call: CallTool, response: Response) -> None:
        response.open_call(call.name)
        for begin in range(0, len(call.arguments), call.piece_chars):
            response.write_arguments(call.arguments[begin : begin + call.piece_chars])
            if call.piece_ms:
                await asyncio.sleep(call.piece_ms / 1000)  # and so long it takes for each piece

    async def _wait_or_perform(self, step: Quiet) -> None:
        if isinstance(step, Wait):
            await asyncio.sleep(step.ms / 1000)  # the script says: wait
            return
        self._let_happen(step)
        await asyncio.sleep(0)  # if it cut this response, it ends here

    def _begin(self, response: Response) -> None:
        if not response.is_announced:
            response.begin()
            self._next_created.set()
            self._next_created = asyncio.Event()

    def _finish_cut(self, response: Response, reason: Literal["client_cancelled", "turn_detected"]) -> None:
        playing = self._forget(response)
        turn = playing.turn if playing is not None and playing.turn is not None else Turn()
        if turn.when_cut.created:
            self._begin(response)
        delivery = None if playing is None else playing.delivery
        if not turn.when_cut.late_deltas and not turn.when_cut.done_after_next:
            response.finish("cancelled", reason=reason)
            return
        task = self._tasks.create_task(self._linger(response, reason, turn, delivery, self._next_created))
        self._lingering.add(task)
        task.add_done_callback(self._lingering.discard)

    async def _linger(
        self,
        response: Response,
        reason: str,
        turn: Turn,
        delivery: ScriptDelivery | None,
        next_created: asyncio.Event,
    ) -> None:
        """Do what a response still does when it is cut, and end it."""
        if delivery is not None:
            await delivery.give_late(turn.when_cut.late_deltas)
        if turn.when_cut.done_after_next:
            try:
                async with asyncio.timeout(turn.when_cut.within_ms / 1000):
                    await next_created.wait()
            except TimeoutError:
                pass  # no other response came
        response.finish("cancelled", reason=reason)

    def _forget(self, response: Response) -> _Playing | None:
        """Return how far a response that ends has come. What it did not answer is news again."""
        playing = self._playing.pop(response.id, None)
        if playing is None or response.is_out_of_band:
            return playing
        own = response.item_ids
        self._known = self._known | own if own else playing.known
        return playing
