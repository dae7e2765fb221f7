"""The embedded voice: no key, no network. The speech libraries run in worker processes of their own.

It is borrowed from `app/local`, the other side of a wire otherwise: the one exception to the layers that
pyproject.toml lays down.
"""

from app.errors import VoiceAgentError
from app.local.spoken import spoken
from app.local.voice import agent_voice
from app.local.workers import Mouth


class LocalSynthesizer:
    """Speaks every language of espeak-ng, and the European ones of Pico more smoothly. Close it at the end."""

    name = "local-1"

    def __init__(self) -> None:
        self._mouth = Mouth()

    def speaks(self, language: str) -> bool:
        """Is a voice for this language (BCP 47) installed here?"""
        return self._mouth.speaks(language)

    async def speak(self, text: str, language: str) -> bytes:
        """Return the text spoken, PCM16 24 kHz. Raises VoiceAgentError when no voice for the language is installed."""
        pcm = await self._mouth.speak(spoken(text, language), agent_voice(language))
        if not pcm:
            raise VoiceAgentError(f"the embedded voice gave no sound for a sentence in {language}")
        return pcm

    async def close(self) -> None:
        """End the worker processes."""
        await self._mouth.close()
