"""Fixed sentences, rendered once per text, voice and language, and kept on disk by the hash of the three.

Rendering costs tenths of a second and calls begin by the dozen: the disclosure has to be there when the stream is.
"""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from app.audio.formats import PCM16_24K, AudioFormat
from app.audio.transcoder import as_audio
from app.errors import VoiceAgentError
from app.speech.synthesizer import Synthesizer

MAX_SECONDS = 120
_MAX_BYTES = MAX_SECONDS * 48_000
_DIGEST_BYTES = hashlib.sha256().digest_size
"""A file begins with the digest of its sound: a disclosure that a crash cut short on disk must not pass for whole."""


class PhraseBook:
    """The rendered sentences of this process. Sound is kept as PCM16 24 kHz mono, and as μ-law where a call asks so."""

    def __init__(self, folder: Path, synthesizer: Synthesizer) -> None:
        self._folder = folder
        self._synthesizer = synthesizer
        self._sounds: dict[tuple[str, str], bytes] = {}
        self._narrow: dict[tuple[str, str, AudioFormat], bytes] = {}
        self.failures: dict[tuple[str, str], str] = {}
        """Why a sentence could not be rendered, by text and language."""

    def sound_of(self, text: str, language: str, audio: AudioFormat = PCM16_24K) -> bytes | None:
        """Return the rendered sentence, or None when it is not there.

        audio: PCM16 at 24 kHz, or μ-law at 8 kHz, to which a sentence is brought once: 0.4 ms for each second of it.
        """
        sound = self._sounds.get((text, language))
        if sound is None or audio == PCM16_24K:
            return sound
        if (text, language, audio) not in self._narrow:
            self._narrow[text, language, audio] = as_audio(sound, audio)
        return self._narrow[text, language, audio]

    async def render(self, sentences: Mapping[str, str], language: str) -> dict[str, str]:
        """Render what is not there yet. sentences: text by name; returns the reasons of those that failed, by name."""
        failed: dict[str, str] = {}
        reasons: dict[str, str] = {}
        for name, text in sentences.items():
            if (text, language) in self._sounds:
                continue
            if text in reasons:  # the same words under another name: they fail but once
                failed[name] = reasons[text]
                continue
            try:
                self._sounds[text, language] = await self._rendered(text, language)
                self.failures.pop((text, language), None)
            except VoiceAgentError as error:
                failed[name] = reasons[text] = self.failures[text, language] = str(error)
        return failed

    async def _rendered(self, text: str, language: str) -> bytes:
        key = hashlib.sha256("\0".join((self._synthesizer.name, language, text)).encode()).hexdigest()
        path = self._folder / f"{key}.phrase"
        kept = await asyncio.to_thread(_read, path)
        if kept is not None:
            return kept
        sound = await self._synthesizer.speak(text, language)
        if len(sound) > _MAX_BYTES:
            raise VoiceAgentError(f"the sentence lasts more than {MAX_SECONDS} s when spoken; make it shorter")
        await asyncio.to_thread(_write, path, sound)
        return sound


def _read(path: Path) -> bytes | None:
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    digest, sound = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
    return sound if sound and hashlib.sha256(sound).digest() == digest else None


def _write(path: Path, sound: bytes) -> None:
    """Keep the sound if the disk lets us: it is only a saving, a full disk costs nothing but the next start's time."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(hashlib.sha256(sound).digest() + sound)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):  # where the folder is none, there is nothing to take away either
            temporary.unlink(missing_ok=True)
