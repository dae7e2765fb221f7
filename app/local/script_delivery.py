"""The sound of a script's messages, and how it is cut into deltas and given out."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from app.audio import wav
from app.audio.formats import MODEL_HZ, PCM16_24K, ULAW_8K, AudioFormat
from app.audio.transcoder import Downlink
from app.errors import VoiceAgentError
from app.local.responses import Response
from app.local.script_steps import Manner, Message, Speak, Tone, Transcript, Wav
from app.local.speaking import Mouth, Pace, shares
from app.local.spoken import spoken
from app.local.voice import agent_voice

log = logging.getLogger(__name__)

_AMPLITUDE = 4634  # of a sine at -20 dBFS RMS
_FADE_MS = 5
_MS_A_CHARACTER = 65  # about 170 words a minute
_DELTA_CHARS = 24


@dataclass(frozen=True, slots=True)
class Delta:
    """What is given out at once. words_bytes: how far from the beginning of this audio the words last."""

    words: str
    audio: bytes
    words_bytes: int


class Sounds:
    """Makes the messages' audio. mouth: speaks them; language: BCP 47."""

    def __init__(self, mouth: Mouth, language: str) -> None:
        self._mouth = mouth
        self._language = language

    async def of(self, message: Message) -> bytes:
        """Return PCM16 at 24 kHz. Raises VoiceAgentError when a WAV file can no longer be read."""
        match message:
            case Tone(ms, hz):
                return tone(ms, hz)
            case Wav(path):
                try:
                    return wav.read(path).mono(MODEL_HZ)
                except OSError as error:
                    raise VoiceAgentError(f"{path} can no longer be read: {error}") from error
            case Speak(text):
                try:
                    return await self._mouth.speak(spoken(text, self._language), agent_voice(self._language))
                except VoiceAgentError as error:
                    log.warning("a tone instead of the words, since they cannot be spoken: %s", error)
                    return tone(_MS_A_CHARACTER * len(text), Tone(1).hz)


class ScriptDelivery:
    """Gives out the messages of one response in a script's manner."""

    def __init__(self, response: Response, sounds: Sounds, manner: Manner) -> None:
        self._response = response
        self._sounds = sounds
        self._manner = manner
        self._pace = Pace(manner.pace)
        self._left: deque[Delta] = deque()

    async def deliver(self, message: Message) -> None:
        """Begin a message and give it out, or as much as the response's tokens last for; it stays open."""
        words = message.text if isinstance(message, Speak) else message.words
        audio_format = self._response.settings.output_format
        if self._response.settings.modality == "text":
            self._left = deque(
                Delta(words[at : at + _DELTA_CHARS], b"", 0) for at in range(0, len(words), _DELTA_CHARS)
            )
            self._response.open_message(message.phase)
        else:
            pcm = await self._sounds.of(message)
            self._response.open_message(message.phase)
            self._left = deque(deltas_of(words, _in_format(pcm, audio_format), audio_format, self._manner))
        for _ in range(len(self._left)):
            await asyncio.sleep(self._give_next())  # the pace that the script asks for
            if self._response.has_spent_its_tokens:
                return

    async def give_late(self, count: int) -> None:
        """Give out so many more deltas of the message, or what is left, the first one at once."""
        self._pace = Pace(self._manner.pace)
        for number in range(min(count, len(self._left))):
            wait_s = self._give_next()
            if number < count - 1:
                await asyncio.sleep(wait_s)  # late deltas, too, come at the pace that the script asks for

    def _give_next(self) -> float:
        """Give out the next delta; return for how long to wait behind it."""
        delta = self._left.popleft()
        self._response.say(delta.words, delta.audio, words_bytes=delta.words_bytes)
        audio_ms = len(delta.audio) / self._response.settings.output_format.bytes_per_ms
        return self._pace.wait_s(audio_ms, now_s=asyncio.get_running_loop().time())


def tone(ms: int, hz: int) -> bytes:
    """Return a sine of exactly this length at -20 dBFS, PCM16 at 24 kHz, without clicks at its ends."""
    samples = _AMPLITUDE * np.sin(2 * np.pi * hz / MODEL_HZ * np.arange(MODEL_HZ * ms // 1000))
    fade = min(MODEL_HZ * _FADE_MS // 1000, len(samples) // 2)
    ramp = np.arange(fade) / max(1, fade)
    samples[:fade] *= ramp
    samples[len(samples) - fade :] *= ramp[::-1]
    return bytes(np.rint(samples).astype("<i2").tobytes())


def deltas_of(words: str, audio: bytes, audio_format: AudioFormat, manner: Manner) -> Iterator[Delta]:
    """Give the message cut as the manner says; joined, the words and the audio are whole."""
    if not audio:
        yield Delta(words, b"", 0)
        return
    begin = 0
    spread: list[Delta] = []
    said: list[tuple[str, int]] = []  # words, and where they end in the audio
    for piece, end, words_end in shares(words, _ends(len(audio), audio_format, manner)):
        spread.append(Delta(piece, audio[begin:end], words_end - begin))
        if piece:
            said.append((piece, words_end))
        begin = end
    if manner.transcript is Transcript.BESIDE:
        yield from spread
        return
    if manner.transcript is Transcript.FIRST:
        yield from (Delta(piece, b"", end) for piece, end in said)
    yield from (Delta("", delta.audio, 0) for delta in spread)
    if manner.transcript is Transcript.LAST:
        yield from (Delta(piece, b"", end - len(audio)) for piece, end in said)


def _ends(size: int, audio_format: AudioFormat, manner: Manner) -> list[int]:
    ends: list[int] = []
    end = 0
    for step in cycle(manner.delta_bytes or (audio_format.bytes_of(manner.delta_ms),)):
        end += step
        if end >= size:
            return [*ends, size]
        ends.append(end)
    raise AssertionError("a cycle of sizes does not end")


def _in_format(pcm: bytes, audio_format: AudioFormat) -> bytes:
    if audio_format != ULAW_8K:
        assert audio_format == PCM16_24K
        return pcm
    encoder = Downlink()
    return encoder.push(pcm) + encoder.flush()
