"""Is it a voice? The two ears that can say so: the voice model's, and a strict cheap rule where none is installed.

The voice model judges 32 ms at a time. A voice begins when two of the last three pieces are one without a doubt, and
goes on while a piece is hardly less than that. Both bars are high for the sake of coughs, which the model finds as
probable as 0.9, but seldom for long; it finds a voice in speech of any level and in all but the worst noise with 0.95.
"""

from collections import deque
from typing import Protocol

from app.audio.formats import FRAME_MS, TELEPHONE_HZ
from app.audio.level import ratio, rms
from app.audio.resample import Resampler
from app.audio.voice_model import CHUNK_BYTES, CHUNK_HZ, CHUNK_MS, VoiceModel, VoiceModels

ONSET_MS = 2 * CHUNK_MS
"""How much of a voice has been heard, at least, when it is first said to be one."""
HANG_OVER_MS = 96
"""For how long after the last of a voice it is still said to be one: the gaps within a word are shorter."""

_BEGINS, _GOES_ON = 0.85, 0.8
_WINDOW_CHUNKS, _VOICED_CHUNKS = 3, 2
_WINDOW_FRAMES, _LOUD_FRAMES = 15, 12
_WELL_OVER = ratio(6)
"""A cough is over in 200 ms: what stays far above the floor for longer is taken for a voice, by the cheap rule."""


class CloseEar(Protocol):
    """Listens to one stretch of a call."""

    def hears_voice(self, pcm: bytes, echo: float, least: float) -> bool:
        """Take in the next audio; return whether somebody speaks at its end.

        pcm: PCM16, 8 kHz; echo: the level that the agent's own voice may have; least: that of a sound over the noise.
        """
        ...

    def end(self) -> None:
        """Listen no more."""
        ...


def close_ear(models: VoiceModels) -> CloseEar:
    """Return the best ear there is; it gives back what it borrows of `models` when it ends."""
    model = models.borrow()
    return LoudnessEar() if model is None else VoiceEar(model, models)


class VoiceEar:
    """The voice model's. A piece that is no louder than an echo may be is not the caller's, whatever it says."""

    __slots__ = ("_model", "_models", "_pending", "_recent", "_resampler", "_voiceless_ms")

    def __init__(self, model: VoiceModel, models: VoiceModels) -> None:
        self._model = model
        self._models = models
        self._resampler = Resampler(TELEPHONE_HZ, CHUNK_HZ)
        self._pending = b""
        self._recent: deque[bool] = deque(maxlen=_WINDOW_CHUNKS)
        self._voiceless_ms: int | None = None  # since the last of a voice; None: there is none

    def hears_voice(self, pcm: bytes, echo: float, least: float) -> bool:
        pending = self._pending + self._resampler.push(pcm)
        used = 0
        while len(pending) - used >= CHUNK_BYTES:
            chunk = pending[used : used + CHUNK_BYTES]
            used += CHUNK_BYTES
            probability = self._model.process_chunk(chunk)  # also of what will not count: it remembers
            self._take(probability if rms(chunk) > echo else 0.0)
        self._pending = pending[used:]
        return self._voiceless_ms is not None

    def end(self) -> None:
        self._models.give_back(self._model)

    def _take(self, probability: float) -> None:
        if self._voiceless_ms is None:
            self._recent.append(probability >= _BEGINS)
            if self._recent.count(True) >= _VOICED_CHUNKS:
                self._voiceless_ms = 0
        elif probability >= _GOES_ON:
            self._voiceless_ms = 0
        else:
            self._voiceless_ms += CHUNK_MS
            if self._voiceless_ms >= HANG_OVER_MS:
                self._voiceless_ms = None
                self._recent.clear()


class LoudnessEar:
    """The cheap rule, stricter than that for a sound: far above the noise, and for longer than a cough."""

    __slots__ = ("_quiet_ms", "_recent")

    def __init__(self) -> None:
        self._recent: deque[bool] = deque(maxlen=_WINDOW_FRAMES)
        self._quiet_ms: int | None = None

    def hears_voice(self, pcm: bytes, echo: float, least: float) -> bool:
        step = TELEPHONE_HZ * FRAME_MS // 1000 * 2
        for at in range(0, len(pcm), step):
            self._take(rms(pcm[at : at + step]) > max(echo, least) * _WELL_OVER)
        return self._quiet_ms is not None

    def end(self) -> None:
        pass

    def _take(self, is_loud: bool) -> None:
        self._recent.append(is_loud)
        if self._quiet_ms is None:
            if self._recent.count(True) >= _LOUD_FRAMES:
                self._quiet_ms = 0
        elif is_loud:
            self._quiet_ms = 0
        else:
            self._quiet_ms += FRAME_MS
            if self._quiet_ms >= HANG_OVER_MS:
                self._quiet_ms = None
                self._recent.clear()
