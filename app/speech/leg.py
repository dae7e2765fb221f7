"""The voice's leg: speaks the fixed sentences of one call, which were rendered before it."""

import asyncio
from collections.abc import Callable, Mapping

from app.session.commands import CancelSpeech, SpeakPhrase, VoiceCommand
from app.session.events import Event, SpeechAudio, SpeechEnded, SpeechFailed
from app.session.words import Phrase


class SpeechLeg:
    """sounds: the rendered sentences as the call's audio is written; one that is missing is reported as failed, in the
    same step."""

    def __init__(self, sounds: Mapping[Phrase, bytes]) -> None:
        self._sounds = sounds
        self._report: Callable[[Event], None] | None = None

    async def run(self, report: Callable[[Event], None]) -> None:
        """Be there until cancelled; nothing is spoken by itself."""
        self._report = report
        await asyncio.get_running_loop().create_future()

    def perform(self, command: VoiceCommand) -> None:
        """Speak, at once. Never waits, never raises."""
        if self._report is None:
            return
        match command:
            case SpeakPhrase(piece, phrase):
                sound = self._sounds.get(phrase)
                if sound is None:
                    self._report(SpeechFailed(piece, "not_rendered"))
                else:
                    self._report(SpeechAudio(piece, sound))
                    self._report(SpeechEnded(piece))
            case CancelSpeech():
                pass  # it was given whole; the ledger has dropped it
