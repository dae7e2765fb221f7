"""What a telephone line does to a voice: band, level, noise, G.711; and where the speech in a recording is."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.audio import mulaw, wav
from app.audio.formats import MODEL_HZ, TELEPHONE_HZ
from app.audio.resample import resample

Samples = NDArray[np.float64]

FULL_SCALE = 32768.0
LINE_NOISE_DBFS = -72.0
_LOWEST_HZ, _LOW_HZ, _HIGH_HZ, _HIGHEST_HZ = 150.0, 300.0, 3400.0, 3700.0
"""300 to 3400 Hz pass whole; the skirts are those of a line's filters (ITU-T G.712), not of a wall."""
_FRAME = TELEPHONE_HZ // 100  # 10 ms


def load(path: Path) -> Samples:
    """Return a WAV file as the line carries it, noise and G.711 apart: 8 kHz, 300 to 3400 Hz."""
    return from_pcm(wav.read(path).mono(TELEPHONE_HZ), TELEPHONE_HZ)


def from_pcm(pcm: bytes, rate_hz: int) -> Samples:
    """Return mono PCM16 at any rate as the line carries it, noise and G.711 apart: 8 kHz, 300 to 3400 Hz."""
    samples = np.frombuffer(resample(pcm, rate_hz, TELEPHONE_HZ), dtype="<i2").astype(np.float64)
    return band_passed(samples)


def band_passed(samples: Samples) -> Samples:
    """Return 8 kHz samples without what lies outside 300 to 3400 Hz (raised-cosine skirts, no delay)."""
    padded = len(samples) + _FRAME * 10  # so that the end does not ring into the beginning
    hz = np.fft.rfftfreq(padded, 1 / TELEPHONE_HZ)
    rise = np.clip((hz - _LOWEST_HZ) / (_LOW_HZ - _LOWEST_HZ), 0.0, 1.0)
    fall = np.clip((_HIGHEST_HZ - hz) / (_HIGHEST_HZ - _HIGH_HZ), 0.0, 1.0)
    gain = (0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall))
    return np.asarray(np.fft.irfft(np.fft.rfft(samples, padded) * gain, padded)[: len(samples)], dtype=np.float64)


def active_level_dbfs(samples: Samples) -> float:
    """Return the RMS of the parts with speech: of the 10 ms frames less than 30 dB below the loudest one."""
    power = _power(samples)
    return float(10 * np.log10(power[power > power.max() / 1e3].mean() / FULL_SCALE**2))


def at_level(samples: Samples, dbfs: float) -> Samples:
    """Return the samples with their speech at this level."""
    return samples * 10 ** ((dbfs - active_level_dbfs(samples)) / 20)


def silence(ms: int) -> Samples:
    """Return samples of nothing."""
    return np.zeros(TELEPHONE_HZ * ms // 1000)


def noise_at(noise: Samples, dbfs: float, size: int, begin: int = 0) -> Samples:
    """Return `size` samples of the noise from `begin` on, looped, with this RMS over the whole noise."""
    looped = np.take(noise, np.arange(begin, begin + size), mode="wrap")
    return looped * (10 ** (dbfs / 20) * FULL_SCALE / float(np.sqrt(np.mean(noise**2))))


def over_the_line(samples: Samples, *, seed: int = 0) -> bytes:
    """Return what the model is sent of these 8 kHz samples: line noise added, through μ-law, PCM16 at 24 kHz."""
    hiss = np.random.default_rng(seed).normal(0.0, FULL_SCALE * 10 ** (LINE_NOISE_DBFS / 20), len(samples))
    pcm = np.clip(np.rint(samples + hiss), -32768, 32767).astype("<i2").tobytes()
    return resample(mulaw.decode(mulaw.encode(pcm)), TELEPHONE_HZ, MODEL_HZ)


def utterances(samples: Samples, *, pause_ms: int = 300, least_ms: int = 200, below_db: float = 26.0) -> list[Samples]:
    """Return the stretches of speech between pauses, cut at their edges by energy.

    Speech is what lies less than `below_db` under the loudest 10 ms. Pauses shorter than `pause_ms` belong to an
    utterance; one shorter than `least_ms` is left out.
    """
    power = _power(samples)
    loud = np.flatnonzero(power > power.max() * 10 ** (-below_db / 10))
    cuts = np.flatnonzero(np.diff(loud) > pause_ms // 10)
    begins, ends = loud[np.concatenate([[0], cuts + 1])], loud[np.concatenate([cuts, [-1]])] + 1
    return [
        samples[begin * _FRAME : end * _FRAME]
        for begin, end in zip(begins, ends, strict=True)
        if (end - begin) * 10 >= least_ms
    ]


def _power(samples: Samples) -> Samples:
    whole = len(samples) // _FRAME * _FRAME
    return np.asarray(np.mean(samples[:whole].reshape(-1, _FRAME) ** 2, axis=1), dtype=np.float64)
