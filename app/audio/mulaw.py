"""G.711 μ-law, one byte a sample, to and from signed 16-bit little-endian. Source: ITU-T G.711.

The standard library's `audioop` up to Python 3.12, `audioop-lts` (the same C code) from 3.13 on.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the standard module, before 3.13: known, and why we have -lts
    import audioop

SILENCE = b"\xff"
"""One sample of silence."""


def decode(ulaw: bytes) -> bytes:
    """Return PCM16 of the same rate: two bytes for each byte of `ulaw`."""
    pcm: bytes = audioop.ulaw2lin(ulaw, 2)
    return pcm


def encode(pcm: bytes) -> bytes:
    """Return μ-law of the same rate: one byte for each two of `pcm` (signed 16-bit little-endian)."""
    ulaw: bytes = audioop.lin2ulaw(pcm, 2)
    return ulaw
