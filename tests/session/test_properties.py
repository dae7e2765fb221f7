"""Random scripts of everything that can happen keep the invariants of a call (virtual time)."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.audio.formats import PCM16_24K
from app.session.commands import (
    AddAgentText,
    AnswerToolCall,
    AppendInputAudio,
    CancelResponse,
    CancelSpeech,
    ClearPlayback,
    CloseModel,
    Command,
    ListenClosely,
    NoteBargeIn,
    NoteDisclosure,
    NoteEnd,
    NoteFalseAlarm,
    NoteRenewal,
    NoteToolCall,
    NoteTurn,
    OpenModel,
    PlayAudio,
    RequestResponse,
    RunTool,
    SendMark,
    SetTurnHandling,
    Speak,
    SpeakPhrase,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentText,
    AgentTextEnded,
    AgentTranscript,
    CallCompleted,
    CallerAudio,
    CallerDigit,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTurnCommitted,
    DeadlinePassed,
    Event,
    ItemTaken,
    ModelLost,
    ModelReady,
    PlaybackReached,
    RequestRefused,
    ResponseEnded,
    ResponseStarted,
    ServiceStopping,
    SpeechAudio,
    SpeechEnded,
    SpeechFailed,
    StreamEnded,
    StreamStarted,
    ToolCallFinished,
    ToolCallRequested,
    TurnHandlingSet,
)
from app.session.session import Session
from app.session.terms import ModelTerms, Terms
from app.session.words import (
    BargeInMode,
    DisclosureResult,
    Fault,
    ItemId,
    ModelNumber,
    Phrase,
    PieceNumber,
    Request,
    ResponseId,
    ResponseStatus,
    StreamEnd,
    ToolCallId,
    ToolStatus,
    Verdict,
)
from tests.support.driver import TERMS

pytestmark = pytest.mark.core

PHRASE_TAG = {phrase: 200 + n for n, phrase in enumerate(Phrase)}
IDS = st.integers(1, 4)


@dataclass
class World:
    """Carrier, model, voice and tools at their worst: they speak in any order, but keep to their own ids."""

    terms: Terms
    session: Session = field(init=False)
    at: float = 50.0
    script: list[tuple[float, Event]] = field(default_factory=list)
    answers: list[list[Command]] = field(default_factory=list)
    model: int = 0
    opened: int = 0
    closed: set[int] = field(default_factory=set)
    pieces: dict[int, Phrase] = field(default_factory=dict)
    marks: list[SendMark] = field(default_factory=list)
    sent: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    generated: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    may_play_all: bool = False
    cancelled: set[str] = field(default_factory=set)
    item_response: dict[int, str] = field(default_factory=dict)
    generation: int = 1
    open_request: bool = False
    open_response: str | None = None
    tools: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    is_over: bool = False
    writes: bool = False
    """The model answers in writing, and the voice speaks."""
    written: dict[str, str] = field(default_factory=lambda: defaultdict(str))
    asked: list[PieceNumber] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = Session(self.terms)

    def send(self, event: Event) -> None:
        self.script.append((self.at, event))
        if isinstance(event, ResponseStarted) and event.model == self.model:
            self.open_request = False
            self.open_response = event.response_id
        if isinstance(event, ResponseEnded) and event.response_id == self.open_response and event.model == self.model:
            self.open_response = None
        if isinstance(event, ModelLost) and event.model == self.model:
            self.open_request, self.open_response = False, None
        if isinstance(event, RequestRefused) and event.request is Request.RESPONSE:
            self.open_request = False
        commands = self.session.receive(event, at=self.at)
        self.answers.append(commands)
        if self.is_over:
            assert commands == []
        for command in commands:
            self.check(command)
        for sound, behind in pairwise([*commands, None]):
            assert not isinstance(sound, PlayAudio) or isinstance(behind, SendMark), "its mark is what sends it"
        assert self.session.ended == self.is_over
        if self.is_over:
            assert self.session.deadline is None

    def check(self, command: Command) -> None:
        assert not self.is_over, command
        match command:
            case PlayAudio(audio):
                assert not self.session._call.interruption.is_judging, "the agent speaks on while a sound is judged"
                for tag in set(audio) if not self.writes else set():
                    self.sent[tag] += audio.count(tag)
                    assert self.sent[tag] <= self.generated[tag]
                    if tag != PHRASE_TAG[Phrase.DISCLOSURE]:
                        assert self.may_play_all, "something else plays before the disclosure is over"
                    if tag in self.item_response:
                        assert self.item_response[tag] not in self.cancelled
            case SendMark(generation, _):
                assert generation >= self.generation
                self.generation = generation
                self.marks.append(command)
            case ClearPlayback():
                self.generation += 1
            case NoteDisclosure(result):
                self.may_play_all = result in (DisclosureResult.HEARD, DisclosureResult.UNPROVEN)
            case OpenModel(model, choice):
                assert model == self.opened + 1
                assert choice in range(len(self.terms.models))
                self.opened = model
                if not self.session._call.renewal.is_about(model):
                    self.model = model
            case NoteRenewal(model, former):
                assert former == self.model
                self.model = model
                self.open_request, self.open_response = False, None
            case AppendInputAudio(model, audio):
                assert model in (self.model, self.opened)
                assert len(audio) == 960
            case CloseModel(model):
                assert model not in self.closed, "closed twice"
                self.closed.add(model)
                if model == self.model:
                    self.open_request, self.open_response = False, None
            case SpeakPhrase(piece, phrase):
                self.pieces[piece] = phrase
            case Speak(piece, text):
                assert not self.asked or piece > self.asked[-1]
                assert any(map(str.isalnum, text))
                self.asked.append(piece)
                assert len(self.asked) <= 2 + 1  # one more: a phrase was cut while it was being made
            case CancelSpeech(piece):
                self.asked = [one for one in self.asked if one != piece]
            case AddAgentText(_, _, text, after) if after is not None:
                words = iter(self.written[after].split())
                assert all(word in words for word in text.split()), "words that were never written, or in another order"
            case CancelResponse(_, response_id):
                self.cancelled.add(response_id)
            case RequestResponse():
                assert not self.open_request
                assert self.open_response is None or self.open_response in self.stuck
                self.open_request = True
            case TruncateItem(_, item_id, content_index, audio_end_ms):
                assert not self.writes, "a text cannot be truncated"
                tag = int(item_id.split("_")[1])
                assert audio_end_ms <= PCM16_24K.ms_of(self.sent[tag])
                assert audio_end_ms > 0 or content_index > 0
            case NoteBargeIn(_, _, heard_ms, generated_ms):
                assert heard_ms is None or generated_ms is None or heard_ms <= generated_ms
            case NoteFalseAlarm() | ListenClosely():
                assert self.terms.barge_in is BargeInMode.CONFIRMED
            case SetTurnHandling():
                assert self.terms.barge_in is BargeInMode.IMMEDIATE
            case RunTool(tool_call_id):
                self.tools[tool_call_id] += 1
                assert self.tools[tool_call_id] == 1
            case AnswerToolCall(_, _, tool_call_id):
                self.tools[tool_call_id] += 10
                assert self.tools[tool_call_id] == 11
            case NoteToolCall() | NoteTurn():
                if isinstance(command, NoteTurn):
                    assert command.start_ms <= command.end_ms
            case NoteEnd():
                self.is_over = True

    @property
    def stuck(self) -> set[str]:
        return self.cancelled  # a response that gave nothing for twenty seconds was cancelled and let go

    def wait(self, seconds: float) -> None:
        until = self.at + seconds
        for _ in range(5000):
            deadline = self.session.deadline
            if deadline is None or deadline > until:
                self.at = until
                return
            self.at = max(self.at, deadline)
            due_by = self.session._call.responses.deadline
            if self.open_request and due_by is not None and due_by <= self.at:
                self.open_request = False  # given up: neither begun nor refused
            self.send(DeadlinePassed())
        raise AssertionError("the deadline does not move on")


Action = tuple[str, int, int]
WHAT = [
    *("wait", "wait", "wait", "frame", "frame", "start", "stop", "commit", "words", "response", "audio", "audio"),
    *("audio", "done", "ended", "failed", "text", "tool", "finished", "mark", "mark", "mark", "digit", "hash"),
    *("voice", "voice", "voices", "voices", "sound", "quiet", "claim", "part", "cough"),
    *("second", "second", "second_lost", "second_hears", "second_commits"),
    *("play", "play", "say", "say", "say", "answer"),
    *("ready", "ready", "set", "lost", "refused", "piece", "piece", "spoken", "spoken", "nospeech", "taken"),
]
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(WHAT),
        IDS,
        st.integers(1, 1500),
    ),
    max_size=80,
)
ENDINGS = st.sampled_from(["stop", "lost", "closed", "completed", "stopping", "none"])


SENTENCES = ["", "Your order is shipped. ", "It will arrive on", " Friday. Is there any", "thing else?"]


def write(world: World, action: Action) -> bool:
    """What a model does that answers in writing, and the voice that speaks for it. False: the action is no such."""
    what, n, ms = action
    model, response_id, item_id = ModelNumber(world.model), ResponseId(f"resp_{n}"), ItemId(f"item_{n}")
    match what:
        case "audio" | "part" | "text" | "claim":
            text = "No, I am a real human being. " if what == "claim" else SENTENCES[1 + ms % 4]
            if world.item_response.setdefault(n, response_id) == response_id:
                world.written[item_id] += text
                world.send(AgentText(model, response_id, item_id, text))
        case "done":
            world.send(AgentTextEnded(model, response_id, item_id))
        case "piece" if world.asked:
            world.send(SpeechAudio(world.asked[0], bytes([100 + world.asked[0] % 100]) * PCM16_24K.bytes_of(ms)))
        case "spoken" if world.asked:
            world.send(SpeechEnded(world.asked.pop(0)))
        case "say" if world.asked:
            write(world, ("piece", n, ms))
            write(world, ("spoken", n, ms))
        case "nospeech" if world.asked and ms < 300:
            world.send(SpeechFailed(world.asked.pop(0), "timeout"))
        case _:
            return False
    return True


def act(world: World, action: Action) -> None:
    what, n, ms = action
    if world.writes and write(world, action):
        return
    model = ModelNumber(world.model)
    response_id, item_id, caller = ResponseId(f"resp_{n}"), ItemId(f"item_{n}"), ItemId(f"caller_{n}")
    piece = PieceNumber(max(world.pieces, default=1))
    match what:
        case "wait":
            world.wait(ms / 400)
        case "frame":
            world.send(CallerAudio(bytes(960)))
        case "voice":
            world.send(CallerAudio(bytes(960), Verdict.SPEECH))
        case "voices":
            for _ in range(n * 4):
                world.send(CallerAudio(bytes(960), Verdict.SPEECH))
        case "sound":
            world.send(CallerAudio(bytes(960), Verdict.SOUND))
        case "quiet":
            world.send(CallerAudio(bytes(960), Verdict.SILENCE))
        case "cough":
            world.send(CallerAudio(bytes(960), Verdict.SPEECH))
            world.send(CallerAudio(bytes(960), Verdict.SILENCE))
            world.wait(0.6)
        case "start":
            world.send(CallerSpeechStarted(model, caller, ms))
        case "stop":
            world.send(CallerSpeechStopped(model, caller, ms))
        case "commit":
            world.send(CallerTurnCommitted(model, caller))
        case "words":
            world.send(CallerTranscript(model, caller, "hello"))
        case "response":
            if world.open_response is None:
                world.send(ResponseStarted(model, response_id))
        case "audio":
            audio = bytes([n]) * PCM16_24K.bytes_of(ms)
            if world.item_response.setdefault(n, response_id) == response_id:
                world.generated[n] += len(audio)
                world.send(AgentAudio(model, response_id, item_id, 0, audio))
        case "part":
            if world.item_response.get(n) == response_id:
                world.generated[n] += 960
                world.send(AgentAudio(model, response_id, item_id, 1, bytes([n]) * 960))
        case "done":
            world.send(AgentAudioEnded(model, response_id, item_id))
        case "ended":
            world.send(ResponseEnded(model, response_id, ResponseStatus.COMPLETED, "", {}))
        case "failed":
            world.send(ResponseEnded(model, response_id, ResponseStatus.FAILED, "server_error", {}))
        case "text":
            world.send(AgentTranscript(model, response_id, item_id, "some words here "))
        case "claim":
            world.send(AgentTranscript(model, response_id, item_id, "No, I am a real human being. "))
        case "tool":
            world.send(ToolCallRequested(model, response_id, item_id, ToolCallId(f"call_{n}"), "find", "{}"))
        case "finished":
            world.send(ToolCallFinished(ToolCallId(f"call_{n}"), ToolStatus.OK, "{}"))
        case "play":
            world.wait(ms / 400)
            for mark in world.marks:
                world.send(PlaybackReached(mark.generation, mark.number))
            world.marks.clear()
        case "say":
            act(world, ("piece", n, ms))
            act(world, ("spoken", n, ms))
        case "answer":
            for step in ("response", "audio", "audio", "say"):
                act(world, (step, n, ms))
        case "mark":
            if world.marks:
                mark = world.marks.pop(0) if n > 1 else world.marks[-1]
                world.send(PlaybackReached(mark.generation, mark.number))
        case "digit":
            world.send(CallerDigit(str(n)))
        case "hash":
            world.send(CallerDigit("#"))
        case "ready":
            world.send(ModelReady(model))
        case "second":
            world.send(ModelReady(ModelNumber(world.opened)))
        case "second_lost":
            if ms < 500:
                world.send(ModelLost(ModelNumber(world.opened), "close_1006", ms < 100))
        case "second_hears":
            world.send(CallerSpeechStarted(ModelNumber(world.opened), caller, ms))
        case "second_commits":
            world.send(CallerTurnCommitted(ModelNumber(world.opened), caller))
        case "set":
            world.send(TurnHandlingSet(model))
        case "lost":
            if ms < 300:
                world.send(ModelLost(model, "close_1006"))
        case "refused":
            world.send(RequestRefused(model, Request.RESPONSE, Fault.BENIGN, "active"))
        case "piece":
            if world.pieces:
                tag = PHRASE_TAG[world.pieces[piece]]
                audio = bytes([tag]) * PCM16_24K.bytes_of(ms)
                world.generated[tag] += len(audio)
                world.send(SpeechAudio(piece, audio))
        case "spoken":
            world.send(SpeechEnded(piece))
        case "nospeech":
            if ms < 100:
                world.send(SpeechFailed(piece, "no_voice"))
        case "taken":
            world.send(ItemTaken(model, ItemId(f"dialtone_{n}")))


def end(world: World, ending: str) -> None:
    match ending:
        case "stop":
            world.send(StreamEnded(StreamEnd.STOPPED))
        case "lost":
            world.send(StreamEnded(StreamEnd.LOST))
        case "closed":
            world.send(StreamEnded(StreamEnd.CLOSED))
        case "completed":
            world.send(CallCompleted())
        case "stopping":
            world.send(ServiceStopping())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    actions=ACTIONS,
    ending=ENDINGS,
    interruptible=st.booleans(),
    greets=st.booleans(),
    mode=st.sampled_from(BargeInMode),
    limit_s=st.sampled_from([None, 4.0, 12.0]),
    writes=st.booleans(),
    begun=st.booleans(),
)
@example(  # no model is left before the disclosure was heard
    actions=[("wait", 1, 1000), ("second_lost", 1, 1), ("say", 1, 1)],
    ending="stop",
    interruptible=False,
    greets=False,
    mode=BargeInMode.CONFIRMED,
    limit_s=None,
    writes=False,
    begun=False,
)
@example(  # a session says a second time that it is ready, while another stands beside it
    actions=[("wait", 1, 600), ("second", 1, 1), ("ready", 1, 1), ("lost", 1, 1), ("wait", 1, 1), ("voice", 1, 1)],
    ending="stop",
    interruptible=False,
    greets=False,
    mode=BargeInMode.CONFIRMED,
    limit_s=4.0,
    writes=False,
    begun=True,
)
def test_every_script_keeps_the_invariants(
    actions: list[Action],
    ending: str,
    interruptible: bool,
    greets: bool,
    mode: BargeInMode,
    limit_s: float | None,
    writes: bool,
    begun: bool,
) -> None:
    phrases = dict(TERMS.phrases)
    if not greets:
        del phrases[Phrase.GREETING]
    terms = Terms(
        TERMS.audio,
        phrases,
        disclosure_interruptible=interruptible,
        max_call_s=60.0,
        barge_in=mode,
        models=(ModelTerms(session_limit_s=limit_s), ModelTerms(session_limit_s=20.0, reconnects=False)),
    )
    world = World(terms, writes=writes)
    world.send(StreamStarted())
    for what in ("say", "ready", "play", "set", "say", "play", "answer", "say") if begun else ():
        act(world, (what, 1, 400))
    for action in actions:
        act(world, action)
    end(world, ending)
    for action in actions[:10]:
        act(world, action)
    world.wait(120.0)  # without media for ten seconds a call ends by itself, whatever else
    assert world.is_over
    # each tool call that was run was answered or withdrawn, once; a withdrawn one is not answered
    notes = [command for commands in world.answers for command in commands if isinstance(command, NoteToolCall)]
    assert sum(1 for count in world.tools.values() if count) <= len(notes)
    # equal events give equal commands
    again = Session(terms)
    assert [again.receive(event, at=at) for at, event in world.script] == world.answers
