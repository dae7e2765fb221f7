"""A session under virtual time: an ideal carrier that plays what it is sent, for tests of the core."""

from dataclasses import dataclass, field

from app.audio.formats import PCM16_24K
from app.session.commands import AppendInputAudio, ClearPlayback, Command, PlayAudio, SendMark, SetTurnHandling
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    CallerAudio,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    DeadlinePassed,
    Event,
    ModelReady,
    PlaybackReached,
    ResponseEnded,
    ResponseStarted,
    SpeechAudio,
    SpeechEnded,
    StreamStarted,
    TurnHandlingSet,
)
from app.session.session import Session
from app.session.terms import Terms
from app.session.words import BargeInMode, ItemId, ModelNumber, Phrase, PieceNumber, ResponseId, ResponseStatus, Verdict

DISCLOSURE = "You are speaking with an automated AI assistant."
GREETING = "Thank you for calling Acme. How can I help?"
GOODBYE = "Goodbye."
SORRY = "I am sorry, something went wrong."
IDLE = "Are you still there?"

TERMS = Terms(
    PCM16_24K,
    {
        Phrase.DISCLOSURE: DISCLOSURE,
        Phrase.GREETING: GREETING,
        Phrase.IDLE: IDLE,
        Phrase.GOODBYE: GOODBYE,
        Phrase.MODEL_LOST: SORRY,
    },
    barge_in=BargeInMode.IMMEDIATE,
)
M1 = ModelNumber(1)


def pcm(ms: int) -> bytes:
    return bytes(PCM16_24K.bytes_of(ms))


@dataclass
class Line:
    """The carrier's play-out: audio that arrived and was not played, marks between it. One way takes `delay_s`."""

    delay_s: float = 0.0
    played_until: float = 0.0
    queue: list[tuple[float, SendMark]] = field(default_factory=list)
    heard_ms: float = 0.0


class Driver:
    """Feeds a session and plays what it sends. Time moves only by `wait`."""

    def __init__(self, terms: Terms = TERMS, *, delay_s: float = 0.0) -> None:
        self.session = Session(terms)
        self.at = 100.0
        self.log: list[tuple[float, Command]] = []
        self.line = Line(delay_s)
        self.returns_marks = True
        self.heard: list[CallerAudio] = []
        """The caller's frames, each with audio of its own."""

    def send(self, event: Event) -> list[Command]:
        """One event now; its commands are played and returned without audio and marks."""
        commands = self.session.receive(event, at=self.at)
        for command in commands:
            self.log.append((self.at, command))
            self._play(command)
        return [command for command in commands if not isinstance(command, PlayAudio | SendMark)]

    def wait(self, seconds: float) -> list[Command]:
        """Let time pass; marks come back and deadlines pass in their order. Returns what was asked meanwhile."""
        until = self.at + seconds
        out: list[Command] = []
        for _ in range(10_000):
            mark_at = self.line.queue[0][0] if self.line.queue and self.returns_marks else None
            deadline = self.session.deadline
            moments = [moment for moment in (mark_at, deadline) if moment is not None and moment <= until]
            if not moments:
                self.at = until
                return out
            self.at = max(self.at, min(moments))
            if mark_at is not None and mark_at <= self.at:
                _, mark = self.line.queue.pop(0)
                out += self.send(PlaybackReached(mark.generation, mark.number))
            else:
                out += self.send(DeadlinePassed())
        raise AssertionError("the session's deadline does not move on")

    def sent_ms(self) -> int:
        return sum(PCM16_24K.ms_of(len(c.audio)) for _, c in self.log if isinstance(c, PlayAudio))

    def _play(self, command: Command) -> None:
        line = self.line
        arrival = self.at + line.delay_s
        if isinstance(command, PlayAudio):
            line.played_until = max(line.played_until, arrival) + len(command.audio) / 48_000
        elif isinstance(command, SendMark):
            line.queue.append((max(line.played_until, arrival) + line.delay_s, command))
        elif isinstance(command, ClearPlayback):
            pending = [(at, mark) for at, mark in line.queue if at > arrival + line.delay_s]
            returned = [(arrival + line.delay_s, mark) for _, mark in pending]
            line.queue = [entry for entry in line.queue if entry not in pending] + returned
            line.played_until = arrival

    # --- scenes -------------------------------------------------------------------------------------------------------

    def speak(self, piece: int, ms: int) -> list[Command]:
        """Our own voice renders a piece."""
        return self.send(SpeechAudio(PieceNumber(piece), pcm(ms))) + self.send(SpeechEnded(PieceNumber(piece)))

    def hear(self, verdict: Verdict, ms: int = 20) -> list[Command]:
        """So much of the caller's side, in real time; returns what was asked, but for the frames' way to the model."""
        out: list[Command] = []
        for _ in range(ms // 20):
            out += self.wait(0.02)
            self.heard.append(CallerAudio(bytes(bytearray(PCM16_24K.bytes_of(20))), verdict))
            out += self.send(self.heard[-1])
        return [command for command in out if not isinstance(command, AppendInputAudio)]

    def connect(self) -> list[Command]:
        return self.send(ModelReady(M1))

    def converse(self, *, greeting_ms: int = 1000) -> None:
        """To the point where disclosure and greeting were heard and the model listens."""
        self.send(StreamStarted())
        self.speak(1, 2000)
        self.connect()
        self.wait(2.1)
        if any(isinstance(command, SetTurnHandling) for _, command in self.log):
            self.send(TurnHandlingSet(M1))
        self.speak(2, greeting_ms)
        self.wait(greeting_ms / 1000 + 0.1)

    def respond(self, number: int, ms: int, *, words: str = "", ends: bool = True) -> list[Command]:
        """The model gives a whole response of one item at once."""
        response_id, item_id = ResponseId(f"resp_{number}"), ItemId(f"item_{number}")
        out = self.send(ResponseStarted(M1, response_id))
        out += self.send(AgentTranscript(M1, response_id, item_id, words))
        out += self.send(AgentAudio(M1, response_id, item_id, 0, pcm(ms)))
        if ends:
            out += self.send(AgentAudioEnded(M1, response_id, item_id))
            out += self.send(ResponseEnded(M1, response_id, ResponseStatus.COMPLETED, "", {}))
        return out

    def given_ms(self, model: ModelNumber) -> int:
        """How much of the caller's audio a session was given."""
        return sum(PCM16_24K.ms_of(len(audio)) for audio in self._given(model))

    def loud_ms(self, model: ModelNumber) -> int:
        """How much of what a session was given came with a sound."""
        sounds = {id(e.audio) for e in self.heard if e.verdict is not Verdict.SILENCE}
        return 20 * sum(id(audio) in sounds for audio in self._given(model))

    def take_turn(self, model: ModelNumber, item_id: ItemId, ms: int) -> list[Command]:
        """The caller says something for so long, and the model commits it; returns what that calls for."""
        start_ms = self.given_ms(model)
        self.hear(Verdict.SOUND, 200)
        self.send(CallerSpeechStarted(model, item_id, start_ms))
        self.hear(Verdict.SOUND, ms - 200)
        self.hear(Verdict.SILENCE, 500)
        self.send(CallerSpeechStopped(model, item_id, start_ms + ms + 500))
        return self.send(CallerTurnCommitted(model, item_id))

    def _given(self, model: ModelNumber) -> list[bytes]:
        return [c.audio for _, c in self.log if isinstance(c, AppendInputAudio) and c.model == model]
