"""A conversation in writing with a realtime model: the caller's turns are texts, the tools are run, no line is there.

Over the same legs as a call, in place of a session that minds a telephone: each turn is asked, and over when the model
has answered and waits for no tool. What may pass is tried again, and told: a connect, an answer that failed, and a
session that was lost, unless a tool was run in that turn, which a second time might do twice what it does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.audio.transcoder import as_audio
from app.errors import ModelError
from app.model import refusals
from app.model.choice import ModelChoice
from app.model.leg import ModelLeg
from app.model.messages import ErrorBody
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
    ModelEvent,
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
PAUSES_S = (0.5, 1.0, 2.0)
"""Before a model that could not be reached, though it might be, is tried again."""


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


class _SessionLostError(ModelError):
    """The session is gone. is_final: another with the same provider would go the same way."""

    def __init__(self, model_name: str, lost: ModelLost) -> None:
        self.told = f"{model_name} was lost amid the conversation: {lost.reason}"
        self.is_final = lost.is_final
        super().__init__(f"{self.told} ({_advice(lost.reason)})")


class _PassingError(ModelError):
    """The answer failed through no fault of the question: asked again, it may come."""


class TypedTalk:
    """One conversation. turns: what there has been of it, also when it broke off."""

    def __init__(
        self,
        choices: Sequence[ModelChoice],
        catalogue: Catalogue,
        words: Callable[[str], None],
        note: Callable[[str], None],
        voice: Callable[[str], Awaitable[bytes]] | None = None,
        reconnects: Sequence[bool] = (),
    ) -> None:
        """choices: the first that can be reached is talked to. words: told the agent's, as they come; note: the rest,
        a line each. voice: speaks an answer that comes in writing, PCM16 24 kHz. reconnects: of each choice, whether a
        session that was lost may be opened again; all may unless it is said."""
        self.turns: list[TypedTurn] = []
        self._choices = choices
        self._reconnects = reconnects or [True] * len(choices)
        self._words = words
        self._note = note
        self._voice = voice
        self._model = ModelLeg(choices)
        self._tools = ToolsLeg(catalogue)
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._number = ModelNumber(0)
        self._position = 0
        """Of the choice that is talked to."""
        self._said: Sequence[str] = ()
        self._items = 0

    @property
    def model_name(self) -> str:
        """The name of the model that is talked to; before one was reached, the first one's."""
        return self._choices[self._position].target.name

    def audio_ms(self, turn: TypedTurn) -> int:
        """How long a turn's answer lasts."""
        return self._choices[self._position].setup.audio_format.ms_of(len(turn.audio))

    async def run(self, said: Sequence[str], texts: Sequence[str]) -> None:
        """Have the conversation. said: by the agent, before the first text.

        Raises an ExceptionGroup of one ModelError when the model cannot be reached, leaves or does not answer.
        """
        async with asyncio.TaskGroup() as legs:
            running = [legs.create_task(leg.run(self._events.put_nowait)) for leg in (self._model, self._tools)]
            self._said = said
            await self._open(0)
            for text in texts:
                self._note(f"> {text}")
                await self._turn(text)
            for leg in running:
                leg.cancel()

    async def _open(self, first: int) -> None:
        """Open a session with the first model that takes one, from that choice on, and tell it what there has been."""
        failures: list[str] = []
        for position in range(first, len(self._choices)):
            self._position = position
            lost = await self._connect()
            for pause_s in PAUSES_S:
                if lost is None or lost.is_final:
                    break
                self._note(f"{self.model_name} could not be reached: {lost.reason}; trying again in {pause_s:g} s")
                await asyncio.sleep(pause_s)  # a vendor that is crowded is not asked again at once; nobody is on a line
                lost = await self._connect()
            if lost is None:
                self._tell()
                return
            failures.append(self._unreached(lost))
            if position + 1 < len(self._choices):
                self._note(f"{failures[-1]}; trying {self._choices[position + 1].target.name}")
        raise ModelError("; ".join(failures))

    async def _connect(self) -> ModelLost | None:
        """Open a session with the present choice; return why there is none, if so."""
        self._number = ModelNumber(self._number + 1)
        self._model.perform(OpenModel(self._number, self._position))
        while True:
            event = await self._next_event()
            if isinstance(event, ModelReady):
                return None
            if isinstance(event, ModelLost):
                return event
            self._mention(event)

    def _unreached(self, lost: ModelLost) -> str:
        return f"{self.model_name} could not be reached: {lost.reason} ({_advice(lost.reason)})"

    def _tell(self) -> None:
        """Give a new session what was said before it: by the agent at first, then in the turns that are over."""
        for text in self._said:
            self._model.perform(AddAgentText(self._number, self._next_item(), text))
        for turn in self.turns[:-1]:
            self._model.perform(AddCallerText(self._number, self._next_item(), turn.text))
            if turn.answer.strip():
                self._model.perform(AddAgentText(self._number, self._next_item(), turn.answer.strip()))

    async def _turn(self, text: str) -> None:
        turn = TypedTurn(text)
        self.turns.append(turn)
        asked_at = asyncio.get_running_loop().time()
        try:
            await self._ask(turn, asked_at)
        except _SessionLostError as loss:
            position = self._position + (loss.is_final or not self._reconnects[self._position])
            if turn.tool_calls or position == len(self._choices):
                raise
            self._note(f"{loss.told}; asking again in a new session")
            self._take_back(turn, "", 0)
            await self._open(position)
            await self._ask(turn, asked_at)

    async def _ask(self, turn: TypedTurn, asked_at: float) -> None:
        """Ask for the answer to a turn until it is whole, running what tools it calls."""
        self._model.perform(AddCallerText(self._number, self._next_item(), turn.text))
        is_repeated = False
        for _ in range(MOST_RESPONSES):
            self._model.perform(RequestResponse(self._number))
            calls_before, answer_before, audio_before = len(turn.tool_calls), turn.answer, len(turn.audio)
            try:
                await self._take_response(turn, asked_at)
            except _PassingError as failure:
                if is_repeated or len(turn.tool_calls) > calls_before:
                    raise
                is_repeated = True
                self._note(f"{failure}; asking once more")
                self._take_back(turn, answer_before, audio_before)
                continue
            if len(turn.tool_calls) == calls_before:
                await self._speak(turn, asked_at)
                return
        raise ModelError(f"{self.model_name} calls tools on and on: {MOST_RESPONSES} responses have not ended the turn")

    async def _take_response(self, turn: TypedTurn, asked_at: float) -> None:
        """Take in one response to its end, and to the end of the tools that it calls."""
        running: dict[ToolCallId, TypedToolCall] = {}
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

    def _take_back(self, turn: TypedTurn, answer: str, audio_bytes: int) -> None:
        """Leave no more of an answer than there was before it went wrong."""
        if turn.answer != answer:
            self._words("\n")
        turn.answer = answer
        del turn.audio[audio_bytes:]
        if not turn.audio:
            turn.first_audio_ms = None

    async def _speak(self, turn: TypedTurn, asked_at: float) -> None:
        """Have an answer spoken that has come in writing."""
        if self._voice is not None and turn.answer.strip():
            sound = await self._voice(turn.answer)
            turn.first_audio_ms = round(1000 * (asyncio.get_running_loop().time() - asked_at))
            turn.audio += as_audio(sound, self._choices[self._position].setup.audio_format)

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
            message = f"{self.model_name} failed to answer: {ended.reason or 'no reason given'}"
            fault = refusals.fault_of(ErrorBody(code=ended.reason, type=ended.reason))
            raise _PassingError(message) if fault is Fault.TRANSIENT else ModelError(f"{message}; try again")
        if ended.status is not ResponseStatus.COMPLETED:
            self._note(f"the answer is not whole: {ended.reason or ended.status.value}")

    def _mention(self, event: Event) -> None:
        """Take in what is no part of an answer. Raises ModelError when there will be none."""
        match event:
            case ModelLost():
                raise _SessionLostError(self.model_name, event)
            case RequestRefused(request=Request.RESPONSE | Request.ITEM as request, fault=fault, code=code) if (
                fault is not Fault.BENIGN
            ):
                message = f"{self.model_name} would not take what it was asked: {code or fault.value}"
                is_passing = request is Request.RESPONSE and fault is Fault.TRANSIENT
                raise _PassingError(message) if is_passing else ModelError(message)
            case ModelSettingsDiffer(keys=keys):
                self._note(f"{self.model_name} has other settings than the agent file says: {', '.join(keys)}")
            case _:
                pass  # of a telephone call, or for information

    async def _next_event(self) -> Event:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    event = await self._events.get()
                    if not isinstance(event, ModelEvent) or event.model == self._number:  # a session before has no say
                        return event
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
