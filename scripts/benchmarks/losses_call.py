"""A call in virtual time whose model is lost at some moment: what its caller heard of each answer, and when."""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from app.audio.formats import ULAW_8K
from app.session.commands import (
    ClearPlayback,
    CloseModel,
    Command,
    HangUp,
    ListenClosely,
    ModelCommand,
    NoteEnd,
    NoteRenewal,
    NoteTurn,
    OpenModel,
    PlayAudio,
    SendMark,
    SpeakPhrase,
)
from app.session.events import (
    CallerAudio,
    DeadlinePassed,
    Event,
    ModelLost,
    ModelReady,
    PlaybackReached,
    SpeechAudio,
    SpeechEnded,
    StreamEnded,
    StreamStarted,
)
from app.session.session import Session
from app.session.terms import ModelTerms, Terms
from app.session.words import BargeInMode, ModelNumber, Outcome, Phrase, Speaker, StreamEnd, Verdict
from scripts.benchmarks.losses_model import (
    FRAME_BYTES,
    QUESTION_WORDS,
    WORD_MS,
    EmulatedSession,
    answer,
    question,
    words_of,
)

_FRAME_S = 0.02
_WORD_FRAMES = WORD_MS // 20
_BREATH_FRAMES = 2
"""Between two words."""
_MANNERS_S = 0.8
"""The caller asks on when the agent has been silent for so long."""
_PATIENCE_S = 15.0
_LONGEST_S = 180.0
_PHRASE_BYTE = {Phrase.DISCLOSURE: 251, Phrase.GREETING: 252, Phrase.IDLE: 253, Phrase.COVER: 254}
_PHRASE_MS = 1600
"""What the embedded voice takes for "One moment, please."."""


@dataclass(frozen=True, slots=True)
class Loss:
    """at_s: of the call; refusals: how many connects fail before one comes about."""

    at_s: float
    refusals: int = 0
    is_final: bool = False


@dataclass(slots=True)
class Told:
    """What a call was like for its caller. gap_s: the longest silence while an answer was waited for or being said."""

    outcome: Outcome | None = None
    unanswered: list[int] = field(default_factory=list)
    missing: int = 0
    twice: int = 0
    turns_lost: int = 0
    turns_twice: int = 0
    gap_s: float = 0.0
    covers: int = 0
    lost_during: str = ""
    seconds: float = 0.0


class LossCall:
    """One call of a few questions and answers."""

    def __init__(
        self, seed: int, losses: Sequence[Loss], *, session_limit_s: float | None = None, questions: int = 3
    ) -> None:
        self._chances = random.Random(seed)
        self._losses = losses
        self._questions = questions
        self.at = 0.0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        models = (ModelTerms(session_limit_s=session_limit_s), ModelTerms())
        phrases = {phrase: phrase.value for phrase in (*_PHRASE_BYTE, Phrase.GOODBYE, Phrase.MODEL_LOST)}
        self._session = Session(
            Terms(ULAW_8K, phrases, models=models, barge_in=BargeInMode.CONFIRMED, idle_prompt_s=60, idle_hangup_s=90)
        )
        self._models: dict[ModelNumber, EmulatedSession] = {}
        self._refusals = 0
        self._is_listening = False
        self._is_over = False
        self._marks: list[tuple[float, SendMark]] = []
        self._played_until = 0.0
        self.heard: list[tuple[float, float, int]] = []
        """Begin, end and byte of what was played."""
        self._asking: list[int] = []
        self._asked = -1
        self._asked_at = 0.0
        self._last_word_at = 0.0
        self.spoken: list[tuple[float, float]] = []
        self.notes: list[NoteTurn] = []
        self.renewals = 0
        self.told = Told()

    # --- time ---------------------------------------------------------------------------------------------------------

    def later(self, after_s: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (self.at + after_s, next(self._order), do))

    def run(self) -> Told:
        """Play the call to its end."""
        self.later(0.0, lambda: self.send(StreamStarted()))
        self.later(_FRAME_S, self._frame)
        for loss in self._losses:
            self.later(loss.at_s, partial(self._lose, loss))
        while not self._is_over and self.at < _LONGEST_S:
            deadline = self._session.deadline
            next_at = self._heap[0][0] if self._heap else float("inf")
            if deadline is not None and deadline < next_at:
                self.at = max(self.at, deadline)
                self.send(DeadlinePassed())
            else:
                self.at, _, do = heapq.heappop(self._heap)
                do()
        return self._judge()

    def send(self, event: Event) -> None:
        if self._is_over:
            return
        for command in self._session.receive(event, at=self.at):
            self._do(command)

    # --- what the session asks ----------------------------------------------------------------------------------------

    def _do(self, command: Command) -> None:
        match command:
            case OpenModel(model):
                self._open(model)
            case CloseModel(model):
                if model in self._models:
                    self._models[model].is_alive = False
            case PlayAudio(audio):
                self._play(audio)
            case SendMark():
                at = max(self._played_until, self.at) + 0.02
                self.later(at - self.at, lambda: self.send(PlaybackReached(command.generation, command.number)))
            case ClearPlayback():
                self.heard = [(begin, min(end, self.at), byte) for begin, end, byte in self.heard if begin < self.at]
                self._played_until = self.at
            case ListenClosely(on):
                self._is_listening = on
            case SpeakPhrase(piece, phrase):
                sound = bytes([_PHRASE_BYTE.get(phrase, 255)]) * (_PHRASE_MS * 8)
                self.told.covers += phrase is Phrase.COVER
                self.later(0.005, lambda: self.send(SpeechAudio(piece, sound)))
                self.later(0.005, lambda: self.send(SpeechEnded(piece)))
            case HangUp():
                self.later(0.05, lambda: self.send(StreamEnded(StreamEnd.CLOSED)))
            case NoteRenewal():
                self.renewals += 1
            case NoteTurn():
                self.notes.append(command)
            case NoteEnd(outcome):
                self.told.outcome = outcome
                self._is_over = True
            case _ if isinstance(command, ModelCommand):
                session = self._models.get(command.model)
                if session is not None and session.is_alive:
                    session.perform(command)
            case _:
                pass

    def _open(self, model: ModelNumber) -> None:
        if self._refusals:
            self._refusals -= 1
            self.later(0.05, lambda: self.send(ModelLost(model, "connect_refused")))
            return
        session = EmulatedSession(model, self._chances, self.later, self.send)
        self._models[model] = session
        connect_s = self._chances.uniform(0.08, 0.4)
        self.later(connect_s, lambda: self.send(ModelReady(model)) if session.is_alive else None)

    def _lose(self, loss: Loss) -> None:
        alive = [session for session in self._models.values() if session.is_alive]
        if not alive:
            return
        session = alive[-1]
        session.is_alive = False
        call = self._session._call
        if call.floor.is_caller_speaking:
            self.told.lost_during = "caller speaks"
        elif call.responses.is_open:
            self.told.lost_during = "answer is generated"
        elif not call.playback.is_silent:
            self.told.lost_during = "agent speaks"
        else:
            self.told.lost_during = "silence"
        self._refusals = loss.refusals
        self.send(ModelLost(session.number, "close_1006", loss.is_final))

    def _play(self, audio: bytes) -> None:
        begin = max(self._played_until, self.at)
        for at in range(0, len(audio), FRAME_BYTES):
            piece = audio[at : at + FRAME_BYTES]
            end = begin + len(piece) / 8000
            if self.heard and self.heard[-1][2] == piece[0] and begin - self.heard[-1][1] < 1e-6:
                self.heard[-1] = (self.heard[-1][0], end, piece[0])
            else:
                self.heard.append((begin, end, piece[0]))
            begin = end
        self._played_until = begin

    # --- the caller ---------------------------------------------------------------------------------------------------

    def _frame(self) -> None:
        word = self._asking.pop(0) if self._asking else 0
        if word:
            self._last_word_at = self.at
            if self.spoken and self.at - self.spoken[-1][1] < 0.1:
                self.spoken[-1] = (self.spoken[-1][0], self.at)
            else:
                self.spoken.append((self.at, self.at))
        verdict = Verdict.SILENCE if not word else Verdict.SPEECH if self._is_listening else Verdict.SOUND
        self.send(CallerAudio(bytes([word]) * FRAME_BYTES, verdict))
        if not self._asking:
            self._consider()
        self.later(_FRAME_S, self._frame)

    def _consider(self) -> None:
        """Ask on, or hang up, once the answer was heard and the agent is silent, or patience is over."""
        quiet_s = self.at - max(self._played_until, self._last_word_at)
        if quiet_s < _MANNERS_S or self.at < 3.0:
            return
        answered = self._asked < 0 or answer(self._asked)[-1] in {byte for _, _, byte in self.heard}
        if not answered and quiet_s < _PATIENCE_S:
            return
        if not answered:
            self.told.unanswered.append(self._asked)
        self._asked += 1
        if self._asked >= self._questions:
            self.send(StreamEnded(StreamEnd.STOPPED))
            return
        self._asked_at = self.at
        for word in question(self._asked):
            self._asking += [word] * _WORD_FRAMES + [0] * _BREATH_FRAMES

    # --- what came of it ----------------------------------------------------------------------------------------------

    def _judge(self) -> Told:
        told = self.told
        told.seconds = self.at
        heard = [byte for begin, end, byte in self.heard if end - begin > WORD_MS / 2000]
        for number in range(min(self._asked + 1, self._questions)):
            counts = [heard.count(word) for word in answer(number)]
            told.missing += sum(1 for count in counts if not count)
            told.twice += sum(1 for count in counts if count > 1)
        written = [word for note in self.notes if note.speaker is Speaker.CALLER for word in words_of(note.heard or "")]
        for number in range(min(self._asked, self._questions)):
            counts = [written.count(word) for word in question(number)]
            told.turns_lost += any(not count for count in counts)
            told.turns_twice += sum(1 for count in counts if count > 1) > QUESTION_WORDS // 2
        told.gap_s = self._longest_gap()
        return told

    def _longest_gap(self) -> float:
        """The longest stretch from a question's last word to its answer's last one in which nobody makes a sound."""
        longest = 0.0
        sounds = sorted([(begin, end) for begin, end, _ in self.heard] + self.spoken)
        answers = [[end for _, end, byte in self.heard if byte in answer(number)] for number in range(self._questions)]
        ends_at = [max(ends, default=0.0) for ends in answers]
        until = 0.0
        for begin, end in sounds:
            waits = any(
                spoken_end - 1e-6 <= until < ends_at[number]
                for number, (_, spoken_end) in enumerate(self.spoken)
                if number < self._questions
            )
            if waits:
                longest = max(longest, begin - until)
            until = max(until, end)
        return longest
