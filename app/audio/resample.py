"""Band-limited resampling by a ratio of whole numbers, in a stream, exact to the sample and to the bit.

The filter is one Kaiser-windowed sinc, cut into blocks: `down·m` input samples make `up·m` output samples, so a block
is one product of a matrix that every instance of a ratio shares. The block takes in 24 samples (of the slower rate)
beyond either of its edges, which is what the filter holds back: 3 ms at 8 kHz.

The coefficients are whole numbers of 1/32768 and the arithmetic is float64, so every sum is exact (16 + 16 bits and the
number of taps stay far below 53 bits). That is why any split of the input gives the same output to the bit, whatever
order the processor adds in. A last row of the matrix adds a number so great that no bit of the sum lies beyond its last
one (_OFFSET): the whole part of the sum then stands in the third and fourth byte of the float, and is read there.

Alignment: output sample k is the input at time k/to_hz, without delay; `push` gives what can be known by now and
`flush` the rest, so an utterance of n samples comes out as ceil(n·to/from) samples.

A frame of 20 ms is far too little for numpy to be busy with: what costs is each call and each new array. So a push is
one gather, one product and one read, all in arrays that are there already (_Workspace); only what is so loud that it
could go beyond 16 bits is bounded.
"""

import threading
from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from app.audio.level import peak

Samples = NDArray[np.float64]
Pcm = NDArray[np.int16]

HALF_WIDTH = 24
"""Samples of the slower rate that the filter reaches to either side."""
_STOPBAND_DB = 66.0
_CUTOFF = 0.915
"""Of the slower rate's Nyquist frequency: 3.66 kHz at 8 kHz, so that 3.4 kHz is -0.15 dB and 4 kHz below -65 dB."""
_UNIT = 1 << 15
_BLOCK_UP, _BLOCK_DOWN = 10, 20
"""Samples of the slower rate in a block: few, since a row spends its edges in vain, and not too few, since each is
gathered by itself. 20 ms are whole blocks."""
_PRODUCT = 1 << 18
"""Multiplications in one product: below the number at which a BLAS starts threads of its own."""
_OFFSET = 1.5 * 2.0**36 + 0.5
"""The last bit of a float64 of this size is 1/65536: what is added to it in whole 1/32768 is exact, in any order, and
bits 16 to 31 are the whole part in two's complement; by the half they are rounded."""
_LEAST = np.array(_OFFSET - 32768)
_MOST = np.array(_OFFSET + 32767)
_WHOLE_PART = 1
"""Of the four 16-bit parts of a float64. audioop, too, knows only the machine's own order of bytes: little-endian."""


class _Filter:
    """The filter of one ratio, shared by all its instances.

    inputs, outputs: of a block; reach: inputs that it needs beyond either edge; matrix: inputs + 2·reach rows and one
    for the offset, a column for each output; harmless: the level up to which no output can go beyond 16 bits; blocks:
    how many are taken at a time at most. The rest are the same in bytes.
    """

    def __init__(self, up: int, down: int) -> None:
        self.up, self.down = up, down
        slower = max(up, down)
        half = HALF_WIDTH * slower
        beta = 0.1102 * (_STOPBAND_DB - 8.7)  # Kaiser's formula for more than 50 dB
        steps = np.arange(-half, half + 1)
        prototype = np.sinc(steps * _CUTOFF / slower) * np.kaiser(2 * half + 1, beta)
        coefficients = np.rint(prototype * (_UNIT * up / prototype.sum())) / _UNIT
        units = max(1, (_BLOCK_UP if up > down else _BLOCK_DOWN) // min(up, down))
        self.inputs, self.outputs, self.reach = down * units, up * units, ceil(half / up)
        j = np.arange(-self.reach, self.inputs + self.reach)[:, None]
        k = np.arange(self.outputs)[None, :]
        tap = k * down - j * up + half
        inside = (tap >= 0) & (tap <= 2 * half)
        taps = np.where(inside, coefficients[np.clip(tap, 0, 2 * half)], 0.0)
        self.harmless = int(32767 / np.abs(taps).sum(axis=0).max())
        self.matrix: Samples = np.vstack((taps, np.full((1, self.outputs), _OFFSET)))
        self.matrix.setflags(write=False)
        self.blocks = max(4, _PRODUCT // self.matrix.size)
        self.block_bytes = 2 * self.inputs
        self.edges_bytes = 4 * self.reach
        self.most_bytes = (self.blocks - 1) * self.block_bytes  # of a push: one more block may have begun
        self._workspaces = _Workspaces(self)

    def workspace(self, blocks: int) -> "_Workspace":
        """Return this thread's arrays for so many blocks."""
        workspaces = self._workspaces
        workspace = workspaces.by_blocks.get(blocks)
        if workspace is None:
            workspace = workspaces.by_blocks[blocks] = _Workspace(self, blocks, workspaces)
        return workspace


@lru_cache(maxsize=32)
def _filter(up: int, down: int) -> _Filter:
    return _Filter(up, down)


class _Workspaces(threading.local):
    """The arrays in which one thread works at one ratio; nothing is kept in them. by_blocks: as they are used.

    All streams use the same, which are therefore in the processor's nearest memory.
    """

    def __init__(self, shape: _Filter) -> None:
        self.window = bytearray(shape.blocks * shape.block_bytes + shape.edges_bytes)
        self.rows: Samples = np.ones((shape.blocks, len(shape.matrix)))  # the last of each row stays 1, for the offset
        self.sums: Samples = np.empty((shape.blocks, shape.outputs))
        self.pcm: Pcm = self.sums.reshape(-1).view("<i2")[_WHOLE_PART::4]
        self.by_blocks: dict[int, _Workspace] = {}


class _Workspace:
    """As much of these arrays as one number of blocks takes."""

    __slots__ = ("_harmless", "_inputs", "_matrix", "_pcm", "_rows", "_sums", "_window", "_windows", "size_bytes")

    def __init__(self, shape: _Filter, blocks: int, whole: _Workspaces) -> None:
        self.size_bytes = blocks * shape.block_bytes + shape.edges_bytes
        self._window = memoryview(whole.window)[: self.size_bytes]
        # one row for each block; they overlap by 2·reach, which no BLAS takes as it is
        samples = np.frombuffer(whole.window, dtype="<i2")
        size = (blocks, shape.inputs + 2 * shape.reach)
        self._windows: Pcm = as_strided(samples, size, (shape.block_bytes, 2), writeable=False)
        self._rows = whole.rows[:blocks]
        self._inputs = self._rows[:, :-1]
        self._matrix = shape.matrix
        self._sums = whole.sums[:blocks]
        self._pcm = whole.pcm[: blocks * shape.outputs]
        self._harmless = shape.harmless

    def filtered(self, window: bytes) -> bytes:
        """Return the blocks' outputs, PCM16. window: size_bytes, from `reach` inputs before them to `reach` behind."""
        sums = self._sums
        self._window[:] = window
        self._inputs[...] = self._windows
        self._rows.dot(self._matrix, sums)  # np.dot would first ask in Python whose arrays these are
        if peak(window) > self._harmless:
            np.minimum(sums, _MOST, out=sums)
            np.maximum(sums, _LEAST, out=sums)
        return self._pcm.tobytes()


class Resampler:
    """One direction of one stream of mono PCM16. Remembers the filter's surroundings; costs less than 1 kB."""

    __slots__ = ("_filter", "_kept")

    def __init__(self, from_hz: int, to_hz: int) -> None:
        divisor = gcd(from_hz, to_hz)
        self._filter = _filter(to_hz // divisor, from_hz // divisor)
        self.reset()

    @property
    def up(self) -> int:
        """Output samples for each `down` input samples."""
        return self._filter.up

    @property
    def down(self) -> int:
        return self._filter.down

    @property
    def reach(self) -> int:
        """Input samples that have to come behind one before the output there can be known."""
        return self._filter.reach

    def reset(self) -> None:
        """Forget everything: the next push begins a new utterance."""
        # input from `reach` before the first block that is not given out whole; where that stands in the utterance does
        # not matter, since blocks begin at whole samples of both rates
        self._kept = bytes(2 * self._filter.reach)

    def push(self, pcm: bytes | memoryview) -> bytes:
        """Return what can be known of the output. pcm: signed 16-bit little-endian, whole samples, any length."""
        shape = self._filter
        size = len(pcm)
        if size > shape.most_bytes:
            step = shape.most_bytes
            return b"".join([self._take(pcm[at : at + step], final=False) for at in range(0, size, step)])
        if len(self._kept) != shape.edges_bytes or size % shape.block_bytes or not size:
            return self._take(pcm, final=False)
        # whole blocks upon whole blocks, as all frames of a telephone call are: the general way in short
        window = self._kept + pcm
        self._kept = window[size:]
        return shape.workspace(size // shape.block_bytes).filtered(window)

    def flush(self) -> bytes:
        """Return the tail of the utterance, as if silence followed, and begin a new one."""
        tail = self._take(b"", final=True)
        self.reset()
        return tail

    def _take(self, pcm: bytes | memoryview, *, final: bool) -> bytes:
        shape = self._filter
        reach, outputs = shape.reach, shape.outputs
        window = self._kept + pcm
        emitted = self._known(len(self._kept) // 2 - 2 * reach)
        known = self._known(len(window) // 2 - (reach if final else 2 * reach))
        if known <= emitted:
            self._kept = window
            return b""
        workspace = shape.workspace(-(-known // outputs))
        size = workspace.size_bytes
        # what is behind the last known output, or not there yet, does not count
        out = workspace.filtered(window if len(window) == size else window[:size].ljust(size, b"\0"))
        self._kept = window[known // outputs * shape.block_bytes :]
        return out[2 * emitted : 2 * known]

    def _known(self, inputs: int) -> int:
        """Return how many outputs stand before the input of that number, both counted from the first block kept."""
        # output k reaches to input floor(k·down/up) + reach, which has to have come
        return max(0, -(-inputs * self._filter.up // self._filter.down))


def resample(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """Return a whole recording (mono PCM16) at another rate: ceil(n·to/from) samples, not delayed."""
    if from_hz == to_hz:
        return pcm
    resampler = Resampler(from_hz, to_hz)
    return resampler.push(pcm) + resampler.flush()
