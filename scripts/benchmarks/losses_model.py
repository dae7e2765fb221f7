"""An emulated realtime model in virtual time: hears words in bytes, writes them down late, answers word by word.

Every word of caller and agent is a byte of its own, so that what was lost or said twice can be counted. As an ideal
model would, it answers what it was asked last, and goes on where it was cut off when it is told so.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from app.session.commands import (
    AddAgentText,
    AddCallerText,
    AddCue,
    AppendInputAudio,
    CancelResponse,
    DeleteItem,
    ModelCommand,
    RequestResponse,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTurnCommitted,
    Event,
    ItemTaken,
    ResponseEnded,
    ResponseStarted,
)
from app.session.words import ItemId, ModelNumber, ResponseId, ResponseStatus

FRAME_BYTES = 160
WORD_MS = 300
WORD_BYTES = WORD_MS * 8
QUESTION_WORDS = 6
ANSWER_WORDS = 14
_NETWORK_S = 0.02
_ONSET_FRAMES = 5
_SILENCE_FRAMES = 25
_PADDING_MS = 300
_FASTER = 4.0


def question(number: int) -> list[int]:
    """Return the words of a question, bytes from 1 on."""
    return [1 + number * QUESTION_WORDS + n for n in range(QUESTION_WORDS)]


def answer(number: int) -> list[int]:
    """Return the words that answer it, bytes from 101 on."""
    return [101 + number * ANSWER_WORDS + n for n in range(ANSWER_WORDS)]


def text_of(words: list[int]) -> str:
    return " ".join(f"w{word}" for word in words)


def words_of(text: str) -> list[int]:
    return [int(word[1:]) for word in text.split() if word[0] == "w" and word[1:].isdigit()]


@dataclass(slots=True)
class _Entry:
    item_id: ItemId
    role: str
    words: list[int]
    is_cut_off: bool = False


@dataclass
class EmulatedSession:
    """One session with the model. later: does something so much later; report: tells the call of an event."""

    number: ModelNumber
    chances: random.Random
    later: Callable[[float, Callable[[], None]], None]
    report: Callable[[Event], None]
    is_alive: bool = True
    entries: list[_Entry] = field(default_factory=list)
    position: int = 0
    _voiced: int = 0
    _quiet: int = 0
    _item: ItemId | None = None
    _frames: dict[int, int] = field(default_factory=dict)
    _count: int = 0
    _active: ResponseId | None = None

    def perform(self, command: ModelCommand) -> None:
        """Do what the session asks."""
        match command:
            case AppendInputAudio(_, audio):
                for at in range(0, len(audio), FRAME_BYTES):
                    self._hear(audio[at])
            case RequestResponse():
                self.later(self.chances.uniform(0.15, 0.4), self._respond)
            case CancelResponse(_, response_id):
                self._tell(ResponseEnded(self.number, response_id, ResponseStatus.CANCELLED, "", {}))
                self._active = None
            case AddCallerText(_, item_id, text) | AddAgentText(_, item_id, text) | AddCue(_, item_id, text):
                role = {AddCallerText: "caller", AddAgentText: "agent", AddCue: "cue"}[type(command)]
                self.entries.append(_Entry(item_id, role, words_of(text)))
                self._tell(ItemTaken(self.number, item_id))
            case TruncateItem(_, item_id, _, audio_end_ms):
                for entry in self.entries:
                    if entry.item_id == item_id:
                        entry.words = entry.words[: audio_end_ms // WORD_MS]
            case DeleteItem(_, item_id):
                self.entries = [entry for entry in self.entries if entry.item_id != item_id]
            case _:
                pass

    def _tell(self, event: Event, after_s: float = _NETWORK_S) -> None:
        self.later(after_s, lambda: self.report(event) if self.is_alive else None)

    def _hear(self, word: int) -> None:
        self.position += FRAME_BYTES
        at_ms = self.position // 8
        if word:
            self._quiet = 0
            self._voiced += 1
            self._frames[word] = self._frames.get(word, 0) + 1
            if self._item is None and self._voiced >= _ONSET_FRAMES:
                self._count += 1
                self._item = ItemId(f"heard_{self.number}_{self._count}")
                start_ms = max(0, at_ms - self._voiced * 20 - _PADDING_MS)
                self._tell(CallerSpeechStarted(self.number, self._item, start_ms))
            return
        self._quiet += 1
        if self._quiet >= _SILENCE_FRAMES:
            if self._item is not None:
                self._commit(self._item, at_ms)
            self._item = None
            self._voiced = 0
            self._frames = {}

    def _commit(self, item_id: ItemId, at_ms: int) -> None:
        heard = [word for word, frames in self._frames.items() if frames >= WORD_MS // 40]
        self.entries.append(_Entry(item_id, "caller", heard))
        self._tell(CallerSpeechStopped(self.number, item_id, at_ms))
        self._tell(CallerTurnCommitted(self.number, item_id))
        written = CallerTranscript(self.number, item_id, text_of(heard))
        self._tell(written, self.chances.uniform(0.2, 0.8))

    def _next_words(self) -> list[int]:
        asked = [at for at, entry in enumerate(self.entries) if entry.role == "caller" and entry.words]
        if not asked:
            return [250]
        last = asked[-1]
        wanted = answer((self.entries[last].words[0] - 1) // QUESTION_WORDS)
        since = self.entries[last + 1 :]
        said = [word for entry in since if entry.role == "agent" for word in entry.words]
        if any(entry.role == "cue" for entry in since):  # it was cut off: on from there
            return [word for word in wanted if word not in said] or [250]
        return wanted

    def _respond(self) -> None:
        if not self.is_alive or self._active is not None:
            return
        self._count += 1
        response_id, item_id = (
            ResponseId(f"resp_{self.number}_{self._count}"),
            ItemId(f"said_{self.number}_{self._count}"),
        )
        self._active = response_id
        self._tell(ResponseStarted(self.number, response_id))
        entry = _Entry(item_id, "agent", [])
        words = self._next_words()
        self.entries.append(entry)
        self.later(0.1, lambda: self._generate(response_id, entry, words))

    def _generate(self, response_id: ResponseId, entry: _Entry, words: list[int]) -> None:
        if not self.is_alive or self._active != response_id:
            return
        if not words:
            self._active = None
            self._tell(AgentAudioEnded(self.number, response_id, entry.item_id))
            self._tell(ResponseEnded(self.number, response_id, ResponseStatus.COMPLETED, "", {}))
            return
        word, rest = words[0], words[1:]
        entry.words.append(word)
        self._tell(AgentTranscript(self.number, response_id, entry.item_id, f"w{word} "))
        self._tell(AgentAudio(self.number, response_id, entry.item_id, 0, bytes([word]) * WORD_BYTES))
        self.later(WORD_MS / 1000 / _FASTER, lambda: self._generate(response_id, entry, rest))
