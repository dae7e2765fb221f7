"""What a voice of ours must do, whoever makes it."""

from typing import Protocol


class Synthesizer(Protocol):
    """A voice that speaks text."""

    @property
    def name(self) -> str:
        """Which voice this is: part of the key under which its sentences are kept."""

    async def speak(self, text: str, language: str) -> bytes:
        """Return the text spoken, PCM16 little-endian, 24 kHz mono. Raises VoiceAgentError when it cannot."""
