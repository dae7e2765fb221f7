"""Makes a caller's words ready for the line: text or WAV to G.711, at a level."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import numpy as np

from app.audio import mulaw, wav
from app.audio.formats import MODEL_HZ, TELEPHONE_HZ
from app.audio.resample import resample
from app.carrier.hearing import WINDOW, audible
from app.carrier.steps import BargeIn, Say, Step, Utterance, Wav, Words
from app.errors import VoiceAgentError

Speak = Callable[[str, str], Awaitable[bytes]]
"""A voice: text and BCP 47 language in, PCM16 at 24 kHz mono out."""

_PEAK = 32_000
_SPEECH_WINDOW = 160


async def prepare(
    steps: Sequence[Step], *, speak: Speak | None, language: str, level_dbfs: float | None
) -> tuple[Step, ...]:
    """Return the steps with every text and file turned into sound; words that were ready stay as they are.

    level_dbfs: of speech that does not name a level of its own; None leaves it as loud as it comes.
    Do it once for many calls with the same script. Raises VoiceAgentError when text has no voice or a file no sound.
    """
    spoken: dict[Words, Utterance] = {}
    ready: list[Step] = []
    for step in steps:
        words = step.words if isinstance(step, BargeIn) else step
        if isinstance(words, Say | Wav):
            if words not in spoken:
                spoken[words] = await _utterance(words, speak, language, level_dbfs)
            ready.append(replace(step, words=spoken[words]) if isinstance(step, BargeIn) else spoken[words])
        else:
            ready.append(step)
    return tuple(ready)


async def _utterance(words: Say | Wav, speak: Speak | None, language: str, level_dbfs: float | None) -> Utterance:
    if isinstance(words, Wav):
        text, pcm = words.path.name, wav.read(words.path).mono(TELEPHONE_HZ)
    elif speak is None:
        raise VoiceAgentError(
            f"no voice is at hand to say {words.text!r}; give WAV files, or install the extra `local`"
        )
    else:
        text = words.text
        pcm = resample(await speak(words.text, words.language or language), MODEL_HZ, TELEPHONE_HZ)
    level_dbfs = level_dbfs if words.level_dbfs is None else words.level_dbfs
    return utterance(text, pcm if level_dbfs is None else levelled(pcm, level_dbfs))


def utterance(text: str, pcm: bytes) -> Utterance:
    """Return words ready for the line. pcm: PCM16, 8 kHz mono. Raises VoiceAgentError if there is nothing to hear."""
    ulaw = mulaw.encode(pcm)
    sound = audible(ulaw + mulaw.SILENCE * WINDOW)
    if sound is None:
        raise VoiceAgentError(f"{text}: there is nothing to hear in it (no 5 ms above -50 dBFS); raise the level")
    return Utterance(text, ulaw, *sound)


def levelled(pcm: bytes, level_dbfs: float) -> bytes:
    """Return the sound with its speech (not its pauses) at so many dBFS RMS, less if it would clip."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    windows = samples[: len(samples) // _SPEECH_WINDOW * _SPEECH_WINDOW].reshape(-1, _SPEECH_WINDOW)
    if not len(windows) or not samples.any():
        return pcm
    power = (windows**2).mean(axis=1)
    speech = power[power > power.max() / 1000]  # within 30 dB of the loudest 20 ms
    gain = 32768.0 * 10 ** (level_dbfs / 20) / np.sqrt(speech.mean()) if len(speech) else 1.0
    gain = min(gain, _PEAK / np.abs(samples).max())
    return bytes(np.rint(samples * gain).astype("<i2").tobytes())


def spoken_ms(text: str) -> int:
    """Estimate how long a voice takes for a text: 15 letters, or 6 syllable signs (Hangul, Kana, Han), a second."""
    return 300 + sum(165 if ord(letter) >= 0x1100 else 66 for letter in text)
