"""Band-limited resampling by a ratio of whole numbers, in a stream, exact to the sample and to the bit.

The filter is one Kaiser-windowed sinc, cut into blocks: `down·m` input samples make `up·m` output samples, so a block
is one product of a matrix that every instance of a ratio shares. The block takes in 32 samples (of the slower rate)
beyond either of its edges, which is what the filter holds back: 4 ms at 8 kHz.

The coefficients are whole numbers and the arithmetic is float64, so every sum is exact (16 + 16 bits and the number of
taps stay far below 53 bits). That is why any split of the input gives the same output to the bit, whatever order the
processor adds in.

Alignment: output sample k is the input at time k/to_hz, without delay; `push` gives what can be known by now and
`flush` the rest, so an utterance of n samples comes out as ceil(n·to/from) samples.
"""

from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Samples = NDArray[np.float64]

HALF_WIDTH = 32
"""Samples of the slower rate that the filter reaches to either side."""
_STOPBAND_DB = 66.0
_CUTOFF = 0.925
"""Of the slower rate's Nyquist frequency: 3.7 kHz at 8 kHz, the middle between 3.45 (passband) and 3.95 (stopband)."""
_UNIT = 1 << 15
_SCALE = 1.0 / _UNIT
_BLOCK_OUTPUTS = 48
_ROWS = 32
"""Blocks per product: below the size at which a BLAS starts threads of its own."""


@lru_cache(maxsize=32)
def _block_matrix(up: int, down: int) -> tuple[int, int, int, Samples]:
    """Return (inputs a block, outputs a block, reach in inputs, matrix of shape (inputs + 2·reach, outputs))."""
    slower = max(up, down)
    half = HALF_WIDTH * slower
    beta = 0.1102 * (_STOPBAND_DB - 8.7)  # Kaiser's formula for more than 50 dB
    steps = np.arange(-half, half + 1)
    prototype = np.sinc(steps * _CUTOFF / slower) * np.kaiser(2 * half + 1, beta)
    coefficients = np.rint(prototype * (_UNIT * up / prototype.sum()))
    blocks = max(1, _BLOCK_OUTPUTS // up)
    inputs, outputs, reach = down * blocks, up * blocks, ceil(half / up)
    j = np.arange(-reach, inputs + reach)[:, None]
    k = np.arange(outputs)[None, :]
    tap = k * down - j * up + half
    inside = (tap >= 0) & (tap <= 2 * half)
    matrix = np.where(inside, coefficients[np.clip(tap, 0, 2 * half)], 0.0)
    matrix.setflags(write=False)
    return inputs, outputs, reach, np.ascontiguousarray(matrix)


class Resampler:
    """One direction of one stream of mono PCM16. Remembers the filter's surroundings; costs about 2 kB."""

    __slots__ = ("_base", "_emitted", "_inputs", "_kept", "_matrix", "_outputs", "_reach", "_received", "down", "up")

    def __init__(self, from_hz: int, to_hz: int) -> None:
        divisor = gcd(from_hz, to_hz)
        self.up, self.down = to_hz // divisor, from_hz // divisor
        self._inputs, self._outputs, self._reach, self._matrix = _block_matrix(self.up, self.down)
        self.reset()

    @property
    def held_back(self) -> int:
        """Output samples that are known only once later input has come."""
        return self._reach * self.up // self.down

    def reset(self) -> None:
        """Forget everything: the next push begins a new utterance."""
        self._kept: Samples = np.zeros(self._reach)  # input from _base - reach on
        self._base = 0  # first input of the block that is not yet given out whole
        self._received = 0
        self._emitted = 0

    def push(self, pcm: bytes | memoryview) -> bytes:
        """Return what can be known of the output. pcm: signed 16-bit little-endian, whole samples, any length."""
        return self._take(np.frombuffer(pcm, dtype="<i2"), final=False)

    def flush(self) -> bytes:
        """Return the tail of the utterance, as if silence followed, and begin a new one."""
        tail = self._take(np.zeros(0, dtype="<i2"), final=True)
        self.reset()
        return tail

    def _take(self, samples: NDArray[np.int16], *, final: bool) -> bytes:
        inputs, outputs, reach = self._inputs, self._outputs, self._reach
        self._received += len(samples)
        if final:
            known = -(-self._received * self.up // self.down)
        else:
            # output k reaches to input floor(k·down/up) + reach, which has to have come
            known = max(self._emitted, -(-(self._received - reach) * self.up // self.down))
        first_block = self._base // inputs
        blocks = max(0, -(-known // outputs) - first_block)
        held = len(self._kept)
        need = blocks * inputs + 2 * reach
        window = np.zeros(max(need, held + len(samples)))
        window[:held] = self._kept
        window[held : held + len(samples)] = samples
        if blocks == 0 or known == self._emitted:
            self._kept = window[: held + len(samples)]
            return b""
        width = inputs + 2 * reach
        stride = window.strides[0]
        rows = as_strided(window, (blocks, width), (inputs * stride, stride), writeable=False)
        if blocks <= _ROWS:
            sums = rows.copy() @ self._matrix
        else:
            sums = np.concatenate([rows[i : i + _ROWS].copy() @ self._matrix for i in range(0, blocks, _ROWS)])
        start = first_block * outputs
        flat = sums.ravel()[self._emitted - start : known - start]
        flat *= _SCALE
        np.rint(flat, out=flat)
        np.minimum(flat, 32767.0, out=flat)
        np.maximum(flat, -32768.0, out=flat)
        self._emitted = known
        next_base = known // outputs * inputs
        self._kept = window[next_base - self._base : held + len(samples)].copy()
        self._base = next_base
        return flat.astype("<i2").tobytes()


def resample(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """Return a whole recording (mono PCM16) at another rate: ceil(n·to/from) samples, not delayed."""
    if from_hz == to_hz:
        return pcm
    resampler = Resampler(from_hz, to_hz)
    return resampler.push(pcm) + resampler.flush()
