"""One call in virtual time: the real session and the real translator against the carrier's play-out over a bad line.

What is truly heard is known to the sample, for the audio goes through the transcoder and the carrier's own play-out
clock. Only the time that a decision takes is of the real clock.
"""

import random
import time
from collections import deque
from dataclasses import dataclass, field

from app.audio import mulaw
from app.audio.formats import PCM16_24K
from app.carrier.judge import heard_of_item
from app.carrier.line import Line, Passage
from app.carrier.messages import Clear, Mark, Media, Writer, read
from app.carrier.playout import LINE_HZ, PlayOut, ReturnedMark
from app.session.commands import ClearPlayback, Command, NoteBargeIn, NoteDisclosure, PlayAudio, SendMark
from app.session.events import (
    CallerAudio,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTurnCommitted,
    DeadlinePassed,
    Event,
    ModelReady,
    PlaybackReached,
    SpeechAudio,
    SpeechEnded,
    StreamStarted,
)
from app.session.session import Session
from app.session.terms import Terms
from app.session.words import BargeInMode, ItemId, ModelNumber, Phrase, PieceNumber, Verdict
from app.stream.messages import Start, decode
from app.stream.translate import Translator
from scripts.benchmarks.barge_in_model import EmulatedModel
from scripts.benchmarks.barge_in_scenes import Scene, reply

_M1 = ModelNumber(1)
_STREAM_SID = "MZ" + "0" * 32
_FRAME_S = 0.02
_FRAME = bytes(PCM16_24K.bytes_of(20))
_SPEECH_S = 0.9
_NOTICED_AFTER_S = 0.2
"""The model's detector is later than ours, where ours decides."""
_COMMITTED_AFTER_S = 0.5
_ANSWERED_AFTER_S = 0.3
_LATEST_WAKE_S = 0.003
"""A timer of an event loop is late by up to this."""
_LOUD = 4000
_LONGEST_S = 1200.0


@dataclass(frozen=True, slots=True)
class Interrupted:
    """One interruption: what the model was told, what was truly heard, how long the decision took."""

    scene: Scene
    told_ms: int
    truth_ms: float
    decided_s: float

    @property
    def error_ms(self) -> float:
        return self.told_ms - self.truth_ms


@dataclass(slots=True)
class Outcome:
    """What one call gave. heard_after: samples of a cut reply that sounded after its clear."""

    interrupted: list[Interrupted] = field(default_factory=list)
    decided_s: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    truncates: int = 0
    untrue: list[str] = field(default_factory=list)
    """Where note and truncation do not say the same."""
    heard_after: int = 0
    clears: int = 0


class VirtualCall:
    """Runs one scene until it has had enough interruptions."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        line: Line = scene.line
        self._line = line
        self._chance = random.Random(scene.seed)
        phrases = {Phrase.DISCLOSURE: "You are speaking with an automated AI assistant."}
        self._session = Session(Terms(PCM16_24K, phrases, barge_in=scene.mode, max_call_s=2 * _LONGEST_S))
        self._writer = Writer(stream_sid=_STREAM_SID, call_sid="CA0", account_sid="AC0")
        start = decode(self._writer.start({}).encode())
        if not isinstance(start, Start):
            raise RuntimeError(f"the service does not understand the carrier's start: {start}")
        self._translator = Translator(start)
        self._model = EmulatedModel()
        self._playout = PlayOut()
        self._to_carrier: Passage[str] = line.to_carrier()
        self._to_service: Passage[str] = line.to_service()
        self._held: deque[tuple[float, str]] = deque()
        self._plan: deque[tuple[float, Event]] = deque()
        """What the caller's side makes the model say, in order."""
        self._at = 0.0
        self._frame_at = _FRAME_S
        self._speaks: tuple[float, float] | None = None
        self._turns = 0
        self._reply_at: float | None = None
        self._wake: tuple[float, float] | None = None
        self._is_disclosed = self._is_over = False
        self._cuts: list[tuple[int, int]] = []
        self._replies_at: list[int] = []
        self._pending: list[tuple[NoteBargeIn, float]] = []
        self.outcome = Outcome()

    def run(self, interruptions: int) -> Outcome:
        self._tell(StreamStarted())
        self._tell(SpeechAudio(PieceNumber(1), bytes(PCM16_24K.bytes_of(800))))
        self._tell(SpeechEnded(PieceNumber(1)))
        self._tell(ModelReady(_M1))
        while len(self._pending) < interruptions and self._at < _LONGEST_S:
            self._step()
        self._is_over = True
        end = self._at + 2
        while self._at < end:
            self._step()
        self._judge()
        return self.outcome

    # --- time ---------------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        """Let the next thing happen."""
        deadline = self._session.deadline
        if deadline is not None and (self._wake is None or self._wake[0] != deadline):
            self._wake = (deadline, max(self._at, deadline) + self._chance.random() * _LATEST_WAKE_S)
        mark = self._playout.deadline
        moments = [
            (self._to_carrier.next_at, self._arrive),
            (None if mark is None else mark / LINE_HZ, self._play),
            (self._held[0][0] if self._held else None, self._give_mark_back),
            (self._to_service.next_at, self._return),
            (self._model.next_at, self._hear_model),
            (self._plan[0][0] if self._plan else None, self._hear_caller),
            (self._reply_at, self._reply),
            (self._frame_at, self._frame),
            (None if deadline is None or self._wake is None else self._wake[1], self._pass_deadline),
        ]
        when, what = min(
            ((moment, happens) for moment, happens in moments if moment is not None), key=lambda entry: entry[0]
        )
        self._at = max(self._at, when)
        what()

    def _tell(self, event: Event) -> None:
        before = time.perf_counter()
        commands = self._session.receive(event, at=self._at)
        is_timed = False
        for command in commands:
            if isinstance(command, PlayAudio | SendMark | ClearPlayback):
                for message in self._translator.messages(command):
                    self._to_carrier.enter(self._at, message.decode())
            if isinstance(command, ClearPlayback) and not is_timed:
                is_timed = True
                self.outcome.decided_s.append(time.perf_counter() - before)
        for command in commands:
            self._perform(command)

    def _perform(self, command: Command) -> None:
        match command:
            case NoteDisclosure():
                self._is_disclosed = True
                self._reply_at = None if self._reply_at is not None else self._at + 0.1
            case NoteBargeIn():
                if command.heard_ms is not None:
                    self._pending.append((command, self.outcome.decided_s[-1]))
            case _:
                self._model.perform(command, self._at)
                if self._model.wants_reply and self._is_disclosed:
                    self._model.wants_reply = False
                    self._reply_at = self._at + _ANSWERED_AFTER_S

    def _pass_deadline(self) -> None:
        self._wake = None
        self._tell(DeadlinePassed())

    # --- the carrier --------------------------------------------------------------------------------------------------

    def _sample(self) -> int:
        return int(self._at * LINE_HZ + 1e-6)

    def _arrive(self) -> None:
        for at, text in self._to_carrier.leave(self._at):
            sample = int(at * LINE_HZ + 1e-6)
            match read(text, _STREAM_SID):
                case Media(ulaw):
                    self._hold(self._playout.arrived(sample, ulaw))
                case Mark(name):
                    self._hold(self._playout.mark(sample, name))
                case Clear():
                    self._hold(self._playout.clear(sample))
                    self._cuts.append((self._playout.now, len(self._replies_at)))
                case wrong:
                    raise RuntimeError(f"the carrier does not take {text[:80]}: {wrong}")

    def _play(self) -> None:
        self._hold(self._playout.advance(self._playout.deadline or 0))

    def _hold(self, marks: list[ReturnedMark]) -> None:
        for mark in marks:
            self._held.append((self._line.mark_leaves_at(mark.returned_at / LINE_HZ), mark.name))

    def _give_mark_back(self) -> None:
        leaves_at, name = self._held.popleft()
        self._to_service.enter(leaves_at, self._writer.mark(name))

    def _return(self) -> None:
        for _, text in self._to_service.leave(self._at):
            message = decode(text.encode())
            event = self._translator.event(message) if not isinstance(message, Start) else None  # type: ignore[arg-type] # our own writer's
            if isinstance(event, PlaybackReached):
                self._tell(event)

    # --- the model and the caller -------------------------------------------------------------------------------------

    def _hear_model(self) -> None:
        self._tell(self._model.take())

    def _reply(self) -> None:
        """Begin a reply, and plan the interruption of it."""
        self._reply_at = None
        if self._is_over:
            return
        drawn = reply(self._chance)
        self._replies_at.append(self._sample())
        self._model.begin(drawn, self._at)
        self._plan_turn(self._at + self._line.to_carrier_ms / 1000 + drawn.interrupted_after_s)

    def _plan_turn(self, at: float) -> None:
        self._turns += 1
        item_id = ItemId(f"turn_{self._turns}")
        is_ours = self._scene.mode is BargeInMode.CONFIRMED
        self._speaks = (at, at + _SPEECH_S)
        noticed_at, stopped_at = at + (_NOTICED_AFTER_S if is_ours else 0.0), at + _SPEECH_S + _COMMITTED_AFTER_S
        self._plan.append((noticed_at, CallerSpeechStarted(_M1, item_id, round(at * 1000))))
        self._plan.append((stopped_at, CallerSpeechStopped(_M1, item_id, round(stopped_at * 1000))))
        self._plan.append((stopped_at, CallerTurnCommitted(_M1, item_id)))

    def _hear_caller(self) -> None:
        _, event = self._plan.popleft()
        if isinstance(event, CallerSpeechStarted) and self._scene.mode is BargeInMode.IMMEDIATE:
            self._model.cancel(self._at, "turn_detected")  # the server's own doing; the news of it comes behind
        self._tell(event)
        if isinstance(event, CallerTurnCommitted) and self._scene.mode is BargeInMode.IMMEDIATE:
            self._reply_at = self._at + _ANSWERED_AFTER_S

    def _frame(self) -> None:
        self._frame_at += _FRAME_S
        speaks = self._speaks is not None and self._speaks[0] <= self._at < self._speaks[1]
        self._tell(CallerAudio(_FRAME, Verdict.SPEECH if speaks else Verdict.SILENCE))

    # --- afterwards ---------------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        outcome, playout = self.outcome, self._playout
        outcome.refused = self._model.refused
        outcome.truncates = len(self._model.truncated)
        outcome.clears = len(playout.cleared)
        told = {each.item_id: each.audio_end_ms for each in self._model.truncated}
        for note, decided_s in self._pending:
            found = heard_of_item(playout, note.first_mark or "")
            if found is None or note.heard_ms is None or note.item_id is None:
                outcome.untrue.append(f"{note}: no such item at the carrier")
                continue
            if told.get(note.item_id, 0) != note.heard_ms:
                outcome.untrue.append(f"{note}: the model was told {told.get(note.item_id)}")
            outcome.interrupted.append(Interrupted(self._scene, note.heard_ms, found[1] / LINE_HZ * 1000, decided_s))
        for at, replies in self._cuts:
            until = self._replies_at[replies + 1] if replies + 1 < len(self._replies_at) else playout.now
            outcome.heard_after += self._sounded(at, until, is_positive=replies % 2 == 1)

    def _sounded(self, begin: int, end: int, *, is_positive: bool) -> int:
        """How many samples of that sign sounded: replies are told apart by it."""
        ulaw = self._playout.sound(begin, end)
        levels = memoryview(mulaw.decode(ulaw)).cast("h")
        return sum(1 for level in levels if (level > _LOUD if is_positive else level < -_LOUD))
