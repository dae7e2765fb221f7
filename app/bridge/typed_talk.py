"""A conversation in writing with a realtime model: the caller's turns are texts, the tools are run, no line is there.

Over the same legs as a call, in place of a session that minds a telephone: each turn is asked, and over when the model
has answered and waits for no tool.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.audio.transcoder import as_audio
from app.errors import ModelError
from app.model.choice import ModelChoice
from app.model.leg import ModelLeg
from app.session.commands import (
    AddAgentText,
    AddCallerText,
    AnswerToolCall,
    OpenModel,
    RequestResponse,
    RunTool,
)
from app.session.events import (
    AgentAudio,
    AgentText,
    AgentTranscript,
    Event,
    ModelLost,
    ModelReady,
    ModelSettingsDiffer,
    RequestRefused,
    ResponseEnded,
    ToolCallFinished,
    ToolCallRequested,
)
from app.session.words import Fault, ItemId, ModelNumber, Request, ResponseStatus, ToolCallId, ToolStatus
from app.tools.catalogue import Catalogue
from app.tools.leg import ToolsLeg

PATIENCE_S = 60.0
"""For the next thing to happen: a model that says nothing for so long will not."""
MOST_RESPONSES = 12
"""In one turn: a model that calls tools more often than that will not stop."""


@dataclass(slots=True)
class TypedToolCall:
    """A tool that the model called. arguments: a JSON text, as the model wrote it."""

    name: str
    arguments: str
    item_id: ItemId
    status: ToolStatus = ToolStatus.WITHDRAWN
    result: str = ""


@dataclass(slots=True)
class TypedTurn:
    """What was asked and what came of it. audio: as the model's session writes it.

    first_audio_ms: from the question to the first of it, None: there was none. usage: token counts, summed.
    """

    text: str
    answer: str = ""
    audio: bytearray = field(default_factory=bytearray)
    first_audio_ms: int | None = None
    tool_calls: list[TypedToolCall] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)

    def add_usage(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            self.usage[name] = self.usage.get(name, 0) + count


class TypedTalk:
    """One conversation. turns: what there has been of it, also when it broke off."""

    def __init__(
        self,
        choices: Sequence[ModelChoice],
        catalogue: Catalogue,
        words: Callable[[str], None],
        note: Callable[[str], None],
        voice: Callable[[str], Awaitable[bytes]] | None = None,
    ) -> None:
        """choices: the first that can be reached is talked to. words: told the agent's, as they come; note: the rest,
        a line each. voice: speaks an answer that comes in writing, PCM16 24 kHz."""
        self.turns: list[TypedTurn] = []
        self._choices = choices
        self._words = words
        self._note = note
        self._voice = voice
        self._model = ModelLeg(choices)
        self._tools = ToolsLeg(catalogue)
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._number = ModelNumber(0)
        self._items = 0

    @property
    def model_name(self) -> str:
        """The name of the model that is talked to; before one was reached, the first one's."""
        return self._choices[max(0, self._number - 1)].target.name

    def audio_ms(self, turn: TypedTurn) -> int:
        """How long a turn's answer lasts."""
        return self._choices[max(0, self._number - 1)].setup.audio_format.ms_of(len(turn.audio))

    async def run(self, said: Sequence[str], texts: Sequence[str]) -> None:
        """Have the conversation. said: by the agent, before the first text.

        Raises an ExceptionGroup of one ModelError when the model cannot be reached, leaves or does not answer.
        """
        async with asyncio.TaskGroup() as legs:
            running = [legs.create_task(leg.run(self._events.put_nowait)) for leg in (self._model, self._tools)]
            await self._open()
            for text in said:
                self._model.perform(AddAgentText(self._number, self._next_item(), text))
            for text in texts:
                self._note(f"> {text}")
                await self._turn(text)
            for leg in running:
                leg.cancel()

    async def _open(self) -> None:
        """Open a session with the first model that takes one."""
        failures: list[str] = []
        for position, choice in enumerate(self._choices):
            self._number = ModelNumber(position + 1)
            self._model.perform(OpenModel(self._number, position))
            while True:
                event = await self._next_event()
                if isinstance(event, ModelReady):
                    return
                if isinstance(event, ModelLost):
                    break
                self._mention(event)
            failures.append(f"{choice.target.name} could not be reached: {event.reason} ({_advice(event.reason)})")
            if position + 1 < len(self._choices):
                self._note(f"{failures[-1]}; trying {self._choices[position + 1].target.name}")
        raise ModelError("; ".join(failures))

    async def _turn(self, text: str) -> None:
        turn = TypedTurn(text)
        self.turns.append(turn)
        asked_at = asyncio.get_running_loop().time()
        running: dict[ToolCallId, TypedToolCall] = {}
        self._model.perform(AddCallerText(self._number, self._next_item(), text))
        for _ in range(MOST_RESPONSES):
            self._model.perform(RequestResponse(self._number))
            calls_before = len(turn.tool_calls)
            item_id: ItemId | None = None
            is_over = False
            while not is_over or running:
                event = await self._next_event()
                match event:
                    case AgentTranscript() | AgentText():
                        if item_id != event.item_id:
                            item_id = event.item_id
                            self._begin_message(turn)
                        turn.answer += event.text
                        self._words(event.text)
                    case AgentAudio():
                        if turn.first_audio_ms is None:
                            turn.first_audio_ms = round(1000 * (asyncio.get_running_loop().time() - asked_at))
                        turn.audio += event.audio
                    case ToolCallRequested():
                        call = TypedToolCall(event.name, event.arguments, event.item_id)
                        turn.tool_calls.append(call)
                        running[event.tool_call_id] = call
                        self._tools.perform(RunTool(event.tool_call_id, event.name, event.arguments))
                    case ToolCallFinished():
                        self._answer(running.pop(event.tool_call_id), event)
                    case ResponseEnded():
                        is_over = True
                        self._ended(turn, event)
                    case _:
                        self._mention(event)
            if len(turn.tool_calls) == calls_before:
                await self._speak(turn, asked_at)
                return
        raise ModelError(f"{self.model_name} calls tools on and on: {MOST_RESPONSES} responses have not ended the turn")

    async def _speak(self, turn: TypedTurn, asked_at: float) -> None:
        """Have an answer spoken that has come in writing."""
        if self._voice is not None and turn.answer.strip():
            sound = await self._voice(turn.answer)
            turn.first_audio_ms = round(1000 * (asyncio.get_running_loop().time() - asked_at))
            turn.audio += as_audio(sound, self._choices[self._number - 1].setup.audio_format)

    def _begin_message(self, turn: TypedTurn) -> None:
        if turn.answer:
            turn.answer += "\n"
            self._words("\n")

    def _answer(self, call: TypedToolCall, finished: ToolCallFinished) -> None:
        call.status, call.result = finished.status, finished.output
        self._note(f"tool {call.name}: {call.status.value}")
        self._model.perform(AnswerToolCall(self._number, self._next_item(), finished.tool_call_id, finished.output))

    def _ended(self, turn: TypedTurn, ended: ResponseEnded) -> None:
        turn.add_usage(ended.usage)
        if ended.status is ResponseStatus.FAILED:
            raise ModelError(f"{self.model_name} failed to answer: {ended.reason or 'no reason given'}; try again")
        if ended.status is not ResponseStatus.COMPLETED:
            self._note(f"the answer is not whole: {ended.reason or ended.status.value}")

    def _mention(self, event: Event) -> None:
        """Take in what is no part of an answer. Raises ModelError when there will be none."""
        match event:
            case ModelLost(reason=reason):
                raise ModelError(f"{self.model_name} was lost amid the conversation: {reason} ({_advice(reason)})")
            case RequestRefused(request=Request.RESPONSE | Request.ITEM, fault=fault, code=code) if (
                fault is not Fault.BENIGN
            ):
                raise ModelError(f"{self.model_name} would not take what it was asked: {code or fault.value}")
            case ModelSettingsDiffer(keys=keys):
                self._note(f"{self.model_name} has other settings than the agent file says: {', '.join(keys)}")
            case _:
                pass  # of a telephone call, or for information

    async def _next_event(self) -> Event:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._events.get()
        except TimeoutError as error:
            raise ModelError(f"{self.model_name} has said nothing for {PATIENCE_S:g} s; try again") from error

    def _next_item(self) -> ItemId:
        self._items += 1
        return ItemId(f"dialtone_{self._items}")


_ADVICE = (
    (("http_401", "http_403", "invalid_api_key"), "check the key"),
    (("http_404", "model_not_found"), "check the model's name, and its base URL or deployment"),
    (("http_429", "sessions_full", "insufficient_quota"), "the account allows no more right now; see its limits"),
    (("dns", "connect", "tls", "proxy", "handshake"), "check the base URL, and the network between"),
    (("settings",), "check the agent's model block with `dialtone check`, or try the provider's default model"),
)


def _advice(reason: str) -> str:
    """Return what to look at, for the short word of a ModelLost."""
    for words, advice in _ADVICE:
        if any(word in reason for word in words):
            return advice
    return "try again"
