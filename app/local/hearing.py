"""Listening to the caller's turns: one task for each, its words written into the item and told to the client."""

import asyncio
import logging
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from app.errors import InvariantError, VoiceAgentError
from app.local.dialogue import Entry, language_of
from app.local.faculties import HEARD_LANGUAGE, Ears
from app.local.items import CallerAudio
from app.local.protocol import Emit, Wire
from app.local.session_settings import SessionSettings, Transcription
from app.local.usage import caller_audio_tokens, text_tokens
from app.local.vocabulary import ToolOffer, Vocabulary, vocabulary_of

log = logging.getLogger(__name__)


class Hearing:
    """The ears of one session. tasks: what they run in."""

    def __init__(self, ears: Ears, *, tasks: asyncio.TaskGroup, emit: Emit) -> None:
        self._ears = ears
        self._tasks = tasks
        self._emit = emit
        self._open: set[asyncio.Task[None]] = set()
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
        if self._ears.available and _hears(_language_heard(settings, ())):
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
        task = self._tasks.create_task(
            self._hear(place, part, pcm, _language_heard(settings, entries), settings.transcription)
        )
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def settled(self) -> None:
        """Wait until every turn so far has been listened to."""
        while self._open:
            await asyncio.wait(self._open)

    def close(self) -> None:
        """Give up listening."""
        for task in (*self._open, self._preparing):
            if task is not None:
                task.cancel()

    async def _prepare(self, vocabulary: Vocabulary) -> None:
        try:
            await self._ears.prepare(vocabulary)
        except InvariantError:
            raise
        except VoiceAgentError as error:  # said again, to the client, by the turn that it spoils
            log.warning("the recogniser could not be prepared: %s", error)

    async def _hear(
        self, place: Wire, part: CallerAudio, pcm: bytes, language: str, transcription: Transcription | None
    ) -> None:
        failure: Wire | None = None
        if not _hears(language):
            failure = _failure(
                "unsupported_language", f"The local model hears English only, not '{language}': offer the keypad."
            )
        elif not self._ears.available:
            failure = _failure("recognizer_unavailable", self._ears.reason or "There is no recogniser.")
        else:
            try:
                part.transcript = await self._ears.recognize(pcm, self._vocabulary)
            except InvariantError:
                raise
            except VoiceAgentError as error:
                log.warning("a turn was not recognised: %s", error)
                failure = _failure(None, str(error), kind="server_error")
        if transcription is None:
            return
        begin = "conversation.item.input_audio_transcription"
        if failure is None and not part.transcript:
            failure = _failure("audio_unintelligible", "The audio was not understood.")
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


def _hears(language: str) -> bool:
    """Whether the recogniser knows a language (BCP 47)."""
    return language.lower().split("-")[0] == HEARD_LANGUAGE


def _language_heard(settings: SessionSettings, entries: Sequence[Entry]) -> str:
    """Return what the caller speaks: what the client says, even if the agent has no words of it; else the agent's."""
    asked = settings.transcription.language if settings.transcription else None
    return asked or language_in(settings, entries)


def language_in(settings: SessionSettings, entries: Sequence[Entry], instructions: str | None = None) -> str:
    """Return the language that the agent speaks, by the session's transcription, its instructions and what was said."""
    transcription = settings.transcription
    asked = transcription.language if transcription else None
    return language_of(settings.instructions if instructions is None else instructions, entries, asked)


def _failure(code: str | None, message: str, *, kind: str = "transcription_error") -> Wire:
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
