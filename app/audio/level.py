"""How loud a stretch of sound is: its root mean square, in the units of 16-bit samples (full scale: 32768)."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the standard module, before 3.13, as in mulaw.py
    import audioop

FULL_SCALE = 32768


def rms(pcm: bytes) -> int:
    """Return the root mean square of PCM16 samples, whole and rounded down; 0 of none."""
    level: int = audioop.rms(pcm, 2)
    return level


def peak(pcm: bytes) -> int:
    """Return the greatest magnitude among PCM16 samples; 0 of none."""
    level: int = audioop.max(pcm, 2)
    return level


def from_dbfs(dbfs: float) -> float:
    """Return the root mean square that lies so many dB over (below zero: under) full scale."""
    return FULL_SCALE * ratio(dbfs)


def ratio(db: float) -> float:
    """Return the ratio of two levels that lie so many dB apart."""
    return float(10 ** (db / 20))
