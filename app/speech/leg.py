"""The voice's leg: speaks the fixed sentences of one call, which were rendered before it, and what a model writes."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping

from app.audio.formats import PCM16_24K, AudioFormat
from app.audio.transcoder import as_audio
from app.errors import VoiceAgentError
from app.session.commands import CancelSpeech, Speak, SpeakPhrase, VoiceCommand
from app.session.events import Event, SpeechAudio, SpeechEnded, SpeechFailed
from app.session.words import Phrase

PIECE_TIMEOUT_S = 8.0
"""For one sentence: a caller does not wait longer for a voice."""


class SpeechLeg:
    """sounds: the rendered sentences as the call's audio is written; one that is missing is reported as failed, in the
    same step. voice: speaks a text, PCM16 24 kHz, or raises VoiceAgentError. audio: the call's format."""

    def __init__(
        self,
        sounds: Mapping[Phrase, bytes],
        voice: Callable[[str], Coroutine[None, None, bytes]] | None = None,
        audio: AudioFormat = PCM16_24K,
    ) -> None:
        self._sounds = sounds
        self._voice = voice
        self._audio = audio
        self._asked: deque[Speak] = deque()
        self._is_asked = asyncio.Event()
        self._speaking: asyncio.Future[bytes] | None = None
        self._report: Callable[[Event], None] | None = None

    async def run(self, report: Callable[[Event], None]) -> None:
        """Be there until cancelled; nothing is spoken by itself. What a model writes is spoken in order."""
        self._report = report
        while True:
            await self._is_asked.wait()
            while self._asked:
                await self._speak(self._asked[0], report)
            self._is_asked.clear()

    def perform(self, command: VoiceCommand) -> None:
        """Speak a phrase at once, and a text as soon as those before it are spoken. Never waits, never raises."""
        if self._report is None:
            return
        match command:
            case Speak():
                self._asked.append(command)
                self._is_asked.set()
            case SpeakPhrase(piece, phrase):
                sound = self._sounds.get(phrase)
                if sound is None:
                    self._report(SpeechFailed(piece, "not_rendered"))
                else:
                    self._report(SpeechAudio(piece, sound))
                    self._report(SpeechEnded(piece))
            case CancelSpeech(piece):  # a phrase was given whole; the ledger has dropped it
                if self._asked and self._asked[0].piece == piece and self._speaking is not None:
                    self._speaking.cancel()
                self._asked = deque(asked for asked in self._asked if asked.piece != piece)

    async def _speak(self, asked: Speak, report: Callable[[Event], None]) -> None:
        sound, reason = b"", "no_voice"
        if self._voice is not None:
            self._speaking = speaking = asyncio.ensure_future(self._voice(asked.text))
            try:
                done, _ = await asyncio.wait({speaking}, timeout=PIECE_TIMEOUT_S)
                sound, reason = (speaking.result(), "silent") if done else (b"", "timeout")
            except VoiceAgentError:
                reason = "not_spoken"
            except asyncio.CancelledError:
                if not speaking.cancelled():
                    raise  # the leg itself is to end
            finally:
                self._speaking = None
                speaking.cancel()
        if not self._asked or self._asked[0] is not asked:
            return  # cancelled meanwhile
        self._asked.popleft()
        if not sound:
            report(SpeechFailed(asked.piece, reason))
            return
        report(SpeechAudio(asked.piece, as_audio(sound, self._audio)))
        report(SpeechEnded(asked.piece))
