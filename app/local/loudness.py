"""Makes a synthesiser's sentence fit for the telephone: silences trimmed, rate 24 kHz, level always the same."""

import numpy as np
from numpy.typing import NDArray

from app.audio.formats import MODEL_HZ
from app.audio.resample import resample

Samples = NDArray[np.float64]

FULL_SCALE = 32768.0
ACTIVE_DBFS = -20.0
"""RMS of the parts with speech. What a telephone network expects, with room for peaks."""
_PEAK = 0.69 * FULL_SCALE  # -3.2 dBFS
_KNEE = 0.5 * FULL_SCALE
_FRAME_MS = 20
_PAUSE_BELOW_DB = 30.0
_LEADING_MS = 50
_TRAILING_MS = 100
_SOUND_OF_PEAK = 0.01


def level_dbfs(pcm: bytes, rate_hz: int) -> float:
    """Return the RMS of the active part of mono PCM16: of its 20 ms frames less than 30 dB below the loudest one.

    Minus infinity for silence.
    """
    return _active_dbfs(np.frombuffer(pcm, dtype="<i2").astype(np.float64), rate_hz)


def shape(pcm: bytes, rate_hz: int) -> bytes:
    """Return a sentence, mono PCM16 at any rate, as PCM16 at 24 kHz: -20 dBFS, peaks below -3 dBFS.

    At most 50 ms of silence stay in front and 100 ms behind. Silence alone gives nothing.
    """
    samples = np.frombuffer(_trim(np.frombuffer(pcm, dtype="<i2"), rate_hz), dtype="<i2")
    if not len(samples):
        return b""
    at_24k = np.frombuffer(resample(samples.tobytes(), rate_hz, MODEL_HZ), dtype="<i2").astype(np.float64)
    at_24k *= 10.0 ** ((ACTIVE_DBFS - _active_dbfs(at_24k, MODEL_HZ)) / 20.0)
    return np.rint(_limit(at_24k)).astype("<i2").tobytes()


def _active_dbfs(samples: Samples, rate_hz: int) -> float:
    frame = rate_hz * _FRAME_MS // 1000
    whole = len(samples) // frame * frame
    frames = samples[:whole].reshape(-1, frame) if whole else samples.reshape(1, -1)
    power = np.mean(frames**2, axis=1) if frames.size else np.zeros(1)
    if not power.max() > 0.0:
        return float("-inf")
    active = power[power > power.max() * 10.0 ** (-_PAUSE_BELOW_DB / 10.0)]
    return float(10.0 * np.log10(active.mean() / FULL_SCALE**2))


def _trim(samples: NDArray[np.int16], rate_hz: int) -> bytes:
    loudness = np.abs(samples.astype(np.int32))
    sounding = np.flatnonzero(loudness > max(1.0, _SOUND_OF_PEAK * float(loudness.max(initial=0))))
    if not len(sounding):
        return b""
    begin = max(0, int(sounding[0]) - rate_hz * _LEADING_MS // 1000)
    end = int(sounding[-1]) + 1 + rate_hz * _TRAILING_MS // 1000
    return samples[begin:end].tobytes()


def _limit(samples: Samples) -> Samples:
    """Bend what is above the knee towards the highest peak allowed, smoothly: that is not heard, a cut would be."""
    above = np.abs(samples) - _KNEE
    room = _PEAK - _KNEE
    bent = np.sign(samples) * (_KNEE + room * np.tanh(np.maximum(above, 0.0) / room))
    return np.where(above > 0.0, bent, samples)
