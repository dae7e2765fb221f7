"""When is somebody speaking? Stretches of audible sound on the line, as an ear would part them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.audio import mulaw

WINDOW = 40
"""Samples that are judged together: 5 ms. The edges are then found to the sample."""
AUDIBLE_DBFS = -50.0
GAP_MS = 200
"""A pause shorter than this does not end a stretch: words have stops in them."""

_AMPLITUDE: NDArray[np.float64] = (
    np.abs(np.frombuffer(mulaw.decode(bytes(range(256))), dtype="<i2").astype(np.float64)) / 32768.0
)
_AUDIBLE = 10 ** (AUDIBLE_DBFS / 20)


@dataclass(slots=True)
class Stretch:
    """Audible from sample `begin` to sample `end`; the last one of a line may still grow."""

    begin: int
    end: int


def audible(ulaw: bytes) -> Iterator[tuple[int, int]]:
    """Yield where sound begins and ends in each 5 ms window that is louder than −50 dBFS (RMS).

    Within such a window a sample counts that is as loud by itself; a broken last window is left out.
    """
    whole = len(ulaw) // WINDOW * WINDOW
    windows = _AMPLITUDE[np.frombuffer(ulaw, dtype=np.uint8, count=whole)].reshape(-1, WINDOW)
    for number in np.flatnonzero((windows**2).mean(axis=1) > _AUDIBLE**2).tolist():
        loud = np.flatnonzero(windows[number] >= _AUDIBLE)
        yield number * WINDOW + int(loud[0]), number * WINDOW + int(loud[-1]) + 1


class Hearing:
    """One listener on one line. Windows must come in order; those that are left out were silent."""

    def __init__(self, gap_ms: int = GAP_MS) -> None:
        self.stretches: list[Stretch] = []
        self._gap = gap_ms * 8

    def hear(self, at: int, ulaw: bytes) -> None:
        """Take in what sounded from sample `at` on: whole windows."""
        for begin, end in audible(ulaw):
            if self.stretches and at + begin - self.stretches[-1].end < self._gap:
                self.stretches[-1].end = at + end
            else:
                self.stretches.append(Stretch(at + begin, at + end))

    def audible_since(self, sample: int) -> int:
        """Samples of audible stretches since then."""
        total = 0
        for stretch in reversed(self.stretches):
            if stretch.end <= sample:
                break
            total += stretch.end - max(stretch.begin, sample)
        return total
