"""Listening to the caller's turns: one task for each, its words written into the item and told to the client."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import msgspec

from app.errors import InvariantError, VoiceAgentError
from app.local.dialogue import Entry, language_of
from app.local.faculties import HEARD_LANGUAGE, Ears
from app.local.items import CallerAudio
from app.local.protocol import Emit, Wire
from app.local.session_settings import SessionSettings, Transcription
from app.local.usage import caller_audio_tokens, text_tokens
from app.local.vocabulary import ToolOffer, Vocabulary, vocabulary_of

_Recognizing: TypeAlias = asyncio.Task[str | VoiceAgentError | None]
"""The words, None if there are none to be understood, or why it could not be tried."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A turn that is listened to although it may go on."""

    pcm: bytes
    task: _Recognizing


class Hearing:
    """The ears of one session. tasks: what they run in."""

    def __init__(self, ears: Ears, *, tasks: asyncio.TaskGroup, emit: Emit) -> None:
        self._ears = ears
        self._tasks = tasks
        self._emit = emit
        self._open: set[asyncio.Task[None]] = set()
        self._listening: set[_Recognizing] = set()
        self._ahead: _Ahead | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._vocabulary = Vocabulary((), {})
        self._listened_for: object = None

    def listen_for(self, settings: SessionSettings) -> None:
        """Learn the words of these settings beforehand, so that the first turn need not wait for it."""
        asked = (settings.instructions, settings.tools)
        if asked == self._listened_for:
            return
        self._listened_for = asked
        self._vocabulary = _vocabulary(settings.instructions, msgspec.json.encode(settings.tools))
        if self._deafness(settings, ()) is None:
            self._preparing = self._tasks.create_task(self._prepare(self._vocabulary))

    def hear(
        self,
        part: CallerAudio,
        pcm: bytes,
        settings: SessionSettings,
        *,
        entries: Sequence[Entry],
        item_id: str,
        content_index: int = 0,
    ) -> None:
        """Listen to a turn (PCM16 at 24 kHz); its part gets the words, and the client if transcription is on.

        entries: the conversation before it.
        """
        self.listen_for(settings)
        place: Wire = {"item_id": item_id, "content_index": content_index}
        failure = self._deafness(settings, entries)
        recognizing = None if failure else self._recognizing(pcm)
        task = self._tasks.create_task(self._hear(place, part, recognizing, failure, settings.transcription))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    def listen_ahead(self, pcm: bytes, settings: SessionSettings, *, entries: Sequence[Entry]) -> None:
        """Begin with a turn that may be over; if it ends as it is, its words come the earlier."""
        self.listen_for(settings)
        if self._deafness(settings, entries) is None:
            self._ahead = _Ahead(pcm, self._recognizing(pcm))

    async def settled(self) -> None:
        """Wait until every turn so far has been listened to."""
        while self._open:
            await asyncio.wait(self._open)

    def close(self) -> None:
        """Give up listening."""
        for task in (*self._open, *self._listening, self._preparing):
            if task is not None:
                task.cancel()

    async def _prepare(self, vocabulary: Vocabulary) -> None:
        try:
            await self._ears.prepare(vocabulary)
        except InvariantError:
            raise
        except VoiceAgentError as error:  # said again, to the client, by the turn that it spoils
            log.warning("the recogniser could not be prepared: %s", error)

    def _deafness(self, settings: SessionSettings, entries: Sequence[Entry]) -> Wire | None:
        """Return the failure that every turn ends in, since nothing can be heard; None: it can."""
        language = _language_heard(settings, entries)
        if language.lower().split("-")[0] != HEARD_LANGUAGE:
            message = f"The local model hears English only, not '{language}': offer the keypad."
            return transcription_failure("unsupported_language", message)
        if not self._ears.available:
            return transcription_failure("recognizer_unavailable", self._ears.reason or "There is no recogniser.")
        return None

    def _recognizing(self, pcm: bytes) -> _Recognizing:
        """Return the task that listens to this, which may have begun ahead."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.pcm == pcm:
            return ahead.task
        if ahead is not None:
            ahead.task.cancel()
        task = self._tasks.create_task(self._recognize(pcm, self._vocabulary))
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)
        return task

    async def _recognize(self, pcm: bytes, vocabulary: Vocabulary) -> str | VoiceAgentError | None:
        try:
            return await self._ears.recognize(pcm, vocabulary)
        except InvariantError:
            raise
        except VoiceAgentError as error:
            log.warning("a turn was not recognised: %s", error)
            return error

    async def _hear(
        self,
        place: Wire,
        part: CallerAudio,
        recognizing: _Recognizing | None,
        failure: Wire | None,
        transcription: Transcription | None,
    ) -> None:
        match await recognizing if recognizing else None:
            case VoiceAgentError() as error:
                failure = transcription_failure(None, str(error), kind="server_error")
            case words:
                part.transcript = words
        self._tell(place, part, failure, transcription)

    def _tell(self, place: Wire, part: CallerAudio, failure: Wire | None, transcription: Transcription | None) -> None:
        """Tell the client what a turn was, or why that is not known, if transcription is on."""
        if transcription is None:
            return
        begin = "conversation.item.input_audio_transcription"
        if failure is None and not part.transcript:
            failure = transcription_failure("audio_unintelligible", "The audio was not understood.")
        if failure is not None:
            self._emit({"type": f"{begin}.failed", **place, "error": failure})
            return
        words = part.transcript or ""
        self._emit({"type": f"{begin}.delta", **place, "delta": words})
        usage = _usage(part.duration_ms, words, transcription.model)
        self._emit({"type": f"{begin}.completed", **place, "transcript": words, "usage": usage})


@lru_cache(maxsize=32)
def _vocabulary(instructions: str, tools: bytes) -> Vocabulary:
    """Return what to listen for. Kept, since the calls of one agent ask for the same, and it takes a tenth of a second.

    tools: the offers as JSON, which is what a cache can keep them by.
    """
    return vocabulary_of(instructions, msgspec.json.decode(tools, type=list[ToolOffer]))


def _language_heard(settings: SessionSettings, entries: Sequence[Entry]) -> str:
    """Return what the caller speaks: what the client says, even if the agent has no words of it; else the agent's."""
    asked = settings.transcription.language if settings.transcription else None
    return asked or language_in(settings, entries)


def language_in(settings: SessionSettings, entries: Sequence[Entry], instructions: str | None = None) -> str:
    """Return the language that the agent speaks, by the session's transcription, its instructions and what was said."""
    transcription = settings.transcription
    asked = transcription.language if transcription else None
    return language_of(settings.instructions if instructions is None else instructions, entries, asked)


def transcription_failure(code: str | None, message: str, *, kind: str = "transcription_error") -> Wire:
    """Return the `error` of a turn that could not be written down."""
    return {"type": kind, "code": code, "message": message, "param": None}


def _usage(duration_ms: int, words: str, model: str) -> Wire:
    """Return what a transcription counts as: Whisper by time, the others by tokens, as the vendor bills them."""
    if "whisper" in model or not model:
        return {"type": "duration", "seconds": round(duration_ms / 1000, 3)}
    audio, text = caller_audio_tokens(duration_ms), text_tokens(words)
    return {
        "type": "tokens",
        "total_tokens": audio + text,
        "input_tokens": audio,
        "output_tokens": text,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
    }
