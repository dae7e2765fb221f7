"""Band-limited resampling by a ratio of whole numbers, in a stream, exact to the sample and to the bit.

The filter is one Kaiser-windowed sinc, cut into blocks: `down·m` input samples make `up·m` output samples, so a block
is one product of a matrix that every instance of a ratio shares. The block takes in 32 samples (of the slower rate)
beyond either of its edges, which is what the filter holds back: 4 ms at 8 kHz.

The coefficients are whole numbers of 1/32768 and the arithmetic is float64, so every sum is exact (16 + 16 bits and the
number of taps stay far below 53 bits). That is why any split of the input gives the same output to the bit, whatever
order the processor adds in.

Alignment: output sample k is the input at time k/to_hz, without delay; `push` gives what can be known by now and
`flush` the rest, so an utterance of n samples comes out as ceil(n·to/from) samples.

A frame of 20 ms is far too little for numpy to be busy with: what costs is each call and each new array. So a push is
one gather, one product and three steps in place, all in arrays that are there already (_Workspace).
"""

import threading
from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Samples = NDArray[np.float64]
Pcm = NDArray[np.int16]

HALF_WIDTH = 32
"""Samples of the slower rate that the filter reaches to either side."""
_STOPBAND_DB = 66.0
_CUTOFF = 0.925
"""Of the slower rate's Nyquist frequency: 3.7 kHz at 8 kHz, the middle between 3.45 (passband) and 3.95 (stopband)."""
_UNIT = 1 << 15
_BLOCK = 16
"""Samples of the slower rate in a block: few, since a row spends its edges in vain; 20 ms are whole blocks."""
_PRODUCT = 1 << 18
"""Multiplications in one product: below the number at which a BLAS starts threads of its own."""
_LEAST = np.array(-32768.0)
_MOST = np.array(32767.0)


class _Matrix:
    """The filter of one ratio, shared by all its instances.

    inputs, outputs: of a block; reach: inputs that it needs beyond either edge; coefficients: inputs + 2·reach rows, a
    column for each output; blocks: how many are taken at a time at most.
    """

    def __init__(self, up: int, down: int) -> None:
        slower = max(up, down)
        half = HALF_WIDTH * slower
        beta = 0.1102 * (_STOPBAND_DB - 8.7)  # Kaiser's formula for more than 50 dB
        steps = np.arange(-half, half + 1)
        prototype = np.sinc(steps * _CUTOFF / slower) * np.kaiser(2 * half + 1, beta)
        coefficients = np.rint(prototype * (_UNIT * up / prototype.sum())) / _UNIT
        units = max(1, _BLOCK // min(up, down))
        self.inputs, self.outputs, self.reach = down * units, up * units, ceil(half / up)
        self.width = self.inputs + 2 * self.reach
        j = np.arange(-self.reach, self.inputs + self.reach)[:, None]
        k = np.arange(self.outputs)[None, :]
        tap = k * down - j * up + half
        inside = (tap >= 0) & (tap <= 2 * half)
        self.coefficients: Samples = np.ascontiguousarray(
            np.where(inside, coefficients[np.clip(tap, 0, 2 * half)], 0.0)
        )
        self.coefficients.setflags(write=False)
        self.blocks = max(4, _PRODUCT // self.coefficients.size)


@lru_cache(maxsize=32)
def _matrix(up: int, down: int) -> _Matrix:
    return _Matrix(up, down)


class _Workspace:
    """The arrays in which one thread works at one number of blocks of one ratio: nothing is kept in them.

    All calls use the same, which are therefore in the processor's nearest memory. window: PCM16, from `reach` inputs
    before the first block to `reach` behind the last.
    """

    __slots__ = ("_matrix", "_pcm", "_rows", "_sums", "_windows", "size", "window")

    def __init__(self, matrix: _Matrix, blocks: int) -> None:
        self.size = 2 * (blocks * matrix.inputs + 2 * matrix.reach)
        memory = bytearray(self.size)
        self.window = memoryview(memory)
        samples = np.frombuffer(memory, dtype="<i2")
        # one row for each block; they overlap by 2·reach, which no BLAS takes as it is
        self._windows: Pcm = as_strided(samples, (blocks, matrix.width), (2 * matrix.inputs, 2), writeable=False)
        self._rows: Samples = np.empty((blocks, matrix.width))
        self._matrix = matrix.coefficients
        self._sums: Samples = np.empty((blocks, matrix.outputs))
        self._pcm: Pcm = np.empty((blocks, matrix.outputs), dtype="<i2")

    def filtered(self) -> bytes:
        """Return the blocks' outputs, PCM16."""
        rows, sums, pcm = self._rows, self._sums, self._pcm
        rows[...] = self._windows
        np.dot(rows, self._matrix, out=sums)
        np.rint(sums, out=sums)
        np.minimum(sums, _MOST, out=sums)
        np.maximum(sums, _LEAST, out=sums)
        pcm[...] = sums
        return pcm.tobytes()


class _Workspaces(threading.local):
    """This thread's workspaces, by ratio and number of blocks."""

    def __init__(self) -> None:
        self.by_size: dict[tuple[int, int, int], _Workspace] = {}


_workspaces = _Workspaces()


class Resampler:
    """One direction of one stream of mono PCM16. Remembers the filter's surroundings; costs about 1 kB."""

    __slots__ = ("_block", "_emitted", "_kept", "_matrix", "_received", "down", "up")

    def __init__(self, from_hz: int, to_hz: int) -> None:
        divisor = gcd(from_hz, to_hz)
        self.up, self.down = to_hz // divisor, from_hz // divisor
        self._matrix = _matrix(self.up, self.down)
        self.reset()

    @property
    def held_back(self) -> int:
        """Output samples that are known only once later input has come."""
        return self._matrix.reach * self.up // self.down

    def reset(self) -> None:
        """Forget everything: the next push begins a new utterance."""
        self._kept = bytes(2 * self._matrix.reach)  # input from `reach` before the block on
        self._block = 0  # the first that is not yet given out whole
        self._received = 0
        self._emitted = 0

    def push(self, pcm: bytes | memoryview) -> bytes:
        """Return what can be known of the output. pcm: signed 16-bit little-endian, whole samples, any length."""
        most = 2 * (self._matrix.blocks - 1) * self._matrix.inputs  # of which one block may be begun already
        if len(pcm) <= most:
            return self._take(pcm, final=False)
        parts = [self._take(pcm[at : at + most], final=False) for at in range(0, len(pcm), most)]
        return b"".join(parts)

    def flush(self) -> bytes:
        """Return the tail of the utterance, as if silence followed, and begin a new one."""
        tail = self._take(b"", final=True)
        self.reset()
        return tail

    def _take(self, pcm: bytes | memoryview, *, final: bool) -> bytes:
        matrix = self._matrix
        outputs = matrix.outputs
        self._received += len(pcm) // 2
        emitted = self._emitted
        if final:
            known = -(-self._received * self.up // self.down)
        else:
            # output k reaches to input floor(k·down/up) + reach, which has to have come
            known = -(-(self._received - matrix.reach) * self.up // self.down)
        window = self._kept + pcm
        if known <= emitted:
            self._kept = window
            return b""
        block = self._block
        size = -(-known // outputs) - block
        workspace = self._workspace(size)
        if len(window) == workspace.size:
            workspace.window[:] = window
        else:  # what is behind the last known output, or not there yet, does not count
            workspace.window[:] = window[: workspace.size].ljust(workspace.size, b"\0")
        out = workspace.filtered()
        first = block * outputs
        self._block = known // outputs
        self._kept = window[2 * (self._block - block) * matrix.inputs :]
        self._emitted = known
        if emitted == first and known == first + size * outputs:
            return out
        return out[2 * (emitted - first) : 2 * (known - first)]

    def _workspace(self, blocks: int) -> _Workspace:
        by_size = _workspaces.by_size
        key = (self.up, self.down, blocks)
        workspace = by_size.get(key)
        if workspace is None:
            workspace = by_size[key] = _Workspace(self._matrix, blocks)
        return workspace


def resample(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """Return a whole recording (mono PCM16) at another rate: ceil(n·to/from) samples, not delayed."""
    if from_hz == to_hz:
        return pcm
    resampler = Resampler(from_hz, to_hz)
    return resampler.push(pcm) + resampler.flush()
