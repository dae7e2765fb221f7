"""Every event and its commands, in order: what logs, metrics, the record and the story of a call all read.

It is a stream: readers take in each entry as it is written, memory holds the last few hundred. Audio stands in it by
its length only. A run of frames that called for nothing but their own AppendInputAudio is one entry, so that a call of
an hour is some thousand entries and not a hundred and eighty thousand.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.session.commands import AppendInputAudio, Command, PlayAudio
from app.session.events import AgentAudio, CallerAudio, Event, SpeechAudio
from app.session.words import Verdict

KEPT_ENTRIES = 300

_SILENT_PIECE = PlayAudio(b"")
_SILENT_END = PlayAudio(b"", ends=True)


@dataclass(frozen=True, slots=True)
class JournalHead:
    """What is known of a call before anything happens in it.

    started_at: seconds since 1970; at: the same moment on the clock that times the events.
    """

    call_sid: str
    agent: str
    agent_version: str
    language: str
    started_at: float
    at: float
    disclosure_text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event and the commands it called for; in both, audio is emptied and only its length kept.

    at: seconds, monotonic, as the session was given it. audio_bytes: of the event; played_bytes: of its PlayAudio.
    """

    at: float
    event: Event
    commands: tuple[Command, ...]
    audio_bytes: int = 0
    played_bytes: int = 0


@dataclass(frozen=True, slots=True)
class FrameRun:
    """Frames of the caller, one behind the other, that only went on to the model and were all judged the same."""

    at: float
    last_at: float
    count: int
    audio_bytes: int
    verdict: Verdict = Verdict.SILENCE


class Reader(Protocol):
    """Somebody who follows the journal as it is written."""

    def read(self, entry: Entry | FrameRun) -> None:
        """Take in the next entry. Called in the step that wrote it: never waits, never raises."""


class Journal:
    """The journal of one call. `note` is called for every event, a hundred times a second."""

    __slots__ = ("_bytes", "_count", "_first_at", "_last_at", "_readers", "_verdict", "head", "kept")

    def __init__(self, head: JournalHead, readers: Sequence[Reader] = ()) -> None:
        self.head = head
        self.kept: deque[Entry | FrameRun] = deque(maxlen=KEPT_ENTRIES)
        self._readers = tuple(readers)
        self._count = 0
        self._bytes = 0
        self._verdict = Verdict.SILENCE
        self._first_at = self._last_at = head.at

    def note(self, at: float, event: Event, commands: Sequence[Command]) -> None:
        if type(event) is CallerAudio and (
            not commands or (len(commands) == 1 and type(commands[0]) is AppendInputAudio)
        ):
            if self._count and event.verdict is not self._verdict:
                self.close_run()
            if not self._count:
                self._first_at = at
                self._verdict = event.verdict
            self._count += 1
            self._bytes += len(event.audio)
            self._last_at = at
            return
        self.close_run()
        audio_bytes = played_bytes = 0
        # written out rather than by `replace`, which costs as much as all the rest of an entry
        if type(event) is AgentAudio:
            audio_bytes = len(event.audio)
            event = AgentAudio(event.model, event.response_id, event.item_id, event.content_index, b"")
        elif type(event) is SpeechAudio:
            audio_bytes = len(event.audio)
            event = SpeechAudio(event.piece, b"")
        elif type(event) is CallerAudio:
            audio_bytes = len(event.audio)
            event = CallerAudio(b"", event.verdict)
        silent: list[Command] = []
        for command in commands:
            if type(command) is PlayAudio:
                played_bytes += len(command.audio)
                silent.append(_SILENT_END if command.ends else _SILENT_PIECE)
            elif type(command) is AppendInputAudio:
                silent.append(AppendInputAudio(command.model, b""))
            else:
                silent.append(command)
        self._write(Entry(at, event, tuple(silent), audio_bytes, played_bytes))

    def close_run(self) -> None:
        """Write down the frames that are still counted: before another entry, and at the end of the call."""
        if self._count:
            run = FrameRun(self._first_at, self._last_at, self._count, self._bytes, self._verdict)
            self._count = self._bytes = 0
            self._write(run)

    def _write(self, entry: Entry | FrameRun) -> None:
        self.kept.append(entry)
        for reader in self._readers:
            reader.read(entry)
