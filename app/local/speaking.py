"""How a response's words leave: sentence by sentence, cut into deltas of audio and words, at a few times real time."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from app.audio.formats import PCM16_24K, ULAW_8K, AudioFormat
from app.audio.transcoder import Downlink
from app.local.responses import Response
from app.local.spoken import spoken
from app.local.voice import Voice, agent_voice

FIRST_DELTA_MS = 100
DELTA_MS = 200
_PAUSE_MS = 150
"""Between sentences, beside what their own edges leave."""
_SENTENCE = re.compile(r".+?(?:[.?!…]+[\"'”’)]*\s+|[。？！]+[」』”]*\s*|\Z)", re.DOTALL)
_DELTA_CHARS = 24


class Mouth(Protocol):
    """Speaks a text: PCM16 at 24 kHz. `workers.Mouth` is the real one."""

    async def speak(self, text: str, voice: Voice) -> bytes: ...


class Pace:
    """Holds audio back to a multiple of real time. speed: seconds of audio a second; `math.inf`: no holding back."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._due_s = 0.0

    def wait_s(self, audio_ms: float, *, now_s: float) -> float:
        """Return for how long to wait behind so much audio that was given out now."""
        self._due_s = max(self._due_s, now_s) + audio_ms / 1000 / self._speed
        return self._due_s - now_s


class Delivery:
    """Speaks or writes the messages of one response."""

    def __init__(self, response: Response, mouth: Mouth, *, language: str, speed: float) -> None:
        self._response = response
        self._mouth = mouth
        self._language = language
        voice = agent_voice(language)
        words_per_minute = round(voice.words_per_minute * response.settings.speed)
        self._voice = replace(voice, words_per_minute=words_per_minute)
        self._pace = Pace(speed)
        self._next_delta_ms = FIRST_DELTA_MS

    async def deliver(self, text: str) -> None:
        """Give out one message, until it is over or the response's tokens are spent."""
        self._response.open_message()
        if self._response.settings.modality == "text":
            for words, _, _ in shares(text, steps(len(text), _DELTA_CHARS, _DELTA_CHARS)):
                self._response.say(words, b"")
                if self._response.has_spent_its_tokens:
                    return
        else:
            await self._speak(text)
        if not self._response.has_spent_its_tokens:
            self._response.close_message()

    async def _speak(self, text: str) -> None:
        audio_format = self._response.settings.output_format
        encoder = Downlink() if audio_format == ULAW_8K else None
        pause = b""
        for sentence in sentences_of(text):
            pcm = await self._mouth.speak(spoken(sentence, self._language), self._voice)
            pcm = pause + pcm if pcm else b""
            pause = PCM16_24K.silence * (PCM16_24K.bytes_of(_PAUSE_MS) // PCM16_24K.sample_bytes)
            audio = pcm if encoder is None else encoder.push(pcm) + encoder.flush()
            await self._give(sentence, audio, audio_format)
            if self._response.has_spent_its_tokens:
                return

    async def _give(self, sentence: str, audio: bytes, audio_format: AudioFormat) -> None:
        if not audio:
            self._response.say(sentence, b"")
            return
        begin = 0
        ends = steps(len(audio), audio_format.bytes_of(self._next_delta_ms), audio_format.bytes_of(DELTA_MS))
        self._next_delta_ms = DELTA_MS
        for words, end, words_end in shares(sentence, ends):
            delta = audio[begin:end]
            self._response.say(words, delta, words_bytes=words_end - begin)
            begin = end
            if self._response.has_spent_its_tokens:
                return
            now_s = asyncio.get_running_loop().time()
            wait_s = self._pace.wait_s(audio_format.ms_of(len(delta)), now_s=now_s)
            await asyncio.sleep(wait_s)  # a model is faster than real time, and no faster than its pace


def sentences_of(text: str) -> list[str]:
    """Return the text cut behind its sentences; joined, they are the text."""
    return _SENTENCE.findall(text)


def steps(size: int, first: int, step: int) -> list[int]:
    """Return where the steps end that cover `size`: the first, then equal ones, the last of 0.5 to 1.5 steps."""
    ends = list(range(first, size, step))
    if ends and size - ends[-1] < step / 2:
        ends.pop()
    return [*ends, size]


def shares(text: str, ends: Sequence[int]) -> Iterator[tuple[str, int, int]]:
    """Give the text in whole words beside the steps of something: (words, end of the step, end of the words).

    The words of a step are those that begin in its share of the text; together they are the text.
    """
    size = ends[-1]
    begin = 0
    for end in ends:
        upto = len(text) if end == size else max(begin, _word_end(text, len(text) * end // size))
        yield text[begin:upto], end, size * upto // max(1, len(text))
        begin = upto


def _word_end(text: str, at: int) -> int:
    """Return the place behind the word (and its space) that `at` lies in."""
    space = text.find(" ", at)
    return len(text) if space < 0 else space + 1
