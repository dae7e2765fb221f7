"""How long the caller waited: from the stream's start to the first sound, and from the end of a turn to its answer.

A wait begins at the model's word that the caller has stopped speaking, which includes nothing of the silence by which
the model knew it, and ends when the first audio of a response begun since then is sent. What still plays of
something earlier (the disclosure, a greeting) is not the answer, so a wait ends only where an item begins.
"""

from app.session.commands import ClearPlayback, PlayAudio, TruncateItem
from app.session.events import (
    AgentAudio,
    AgentText,
    CallerSpeechStarted,
    CallerSpeechStopped,
    ResponseStarted,
    StreamStarted,
)
from app.session.journal import Entry
from app.session.words import ResponseId


class ResponseTimes:
    """The waits of one call, measured on its journal. `read` takes every entry in order."""

    __slots__ = ("_answered", "_answers", "_sending", "_started_at", "_stopped_at", "first_audio_ms")

    def __init__(self) -> None:
        self.first_audio_ms: int | None = None
        self._started_at: float | None = None
        self._stopped_at: float | None = None  # the caller waits since then
        self._answers: set[ResponseId] = set()  # responses begun since then
        self._answered = False  # one of them has audio, or words for our own voice
        self._sending = False  # an item is being sent and has not ended

    def read(self, entry: Entry) -> int | None:
        """Return how many ms the caller waited if the answer begins to play in this entry, else None."""
        kind = type(entry.event)
        if kind is AgentAudio or kind is AgentText:
            self._note_answer(entry)
        elif kind is ResponseStarted:
            self._note_response(entry)
        elif kind is CallerSpeechStopped:
            self._stopped_at = entry.at
        elif kind is CallerSpeechStarted:
            self._stopped_at, self._answered = None, False
            self._answers.clear()
        elif kind is StreamStarted:
            self._started_at = entry.at
        return self._note_playback(entry)

    def _note_response(self, entry: Entry) -> None:
        if self._stopped_at is not None and isinstance(entry.event, ResponseStarted):
            self._answers.add(entry.event.response_id)

    def _note_answer(self, entry: Entry) -> None:
        event = entry.event
        if self._answers and isinstance(event, AgentAudio | AgentText) and event.response_id in self._answers:
            self._answered = True

    def _note_playback(self, entry: Entry) -> int | None:
        waited_ms = None
        left_bytes = entry.played_bytes
        for command in entry.commands:
            if type(command) is PlayAudio:
                # the journal tells the bytes of all of an entry's audio, which is nearly always one piece
                if left_bytes and not self._sending:
                    waited_ms = self._note_begin(entry.at) if waited_ms is None else waited_ms
                self._sending = not command.ends
            elif type(command) is ClearPlayback or type(command) is TruncateItem:  # cut while nothing of it sounded
                self._sending = False
        return waited_ms

    def _note_begin(self, at: float) -> int | None:
        if self.first_audio_ms is None and self._started_at is not None:
            self.first_audio_ms = round((at - self._started_at) * 1000)
        if not self._answered or self._stopped_at is None:
            return None
        waited_ms = round((at - self._stopped_at) * 1000)
        self._stopped_at, self._answered = None, False
        self._answers.clear()
        return waited_ms
