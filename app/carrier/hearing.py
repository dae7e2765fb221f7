"""When is somebody speaking? Stretches of audible sound on the line, as an ear would part them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.audio import mulaw

WINDOW = 40
"""Samples that are judged together: 5 ms. The edges are then found to the sample."""
AUDIBLE_DBFS = -50.0
GAP_MS = 200
"""A pause shorter than this does not end a stretch: words have stops in them."""
_GAP = GAP_MS * 8

_POWER: NDArray[np.float64] = (
    np.frombuffer(mulaw.decode(bytes(range(256))), dtype="<i2").astype(np.float64) / 32768.0
) ** 2
_AUDIBLE = 10 ** (AUDIBLE_DBFS / 10)


@dataclass(slots=True)
class Stretch:
    """Audible from sample `begin` to sample `end`; the last one of a line may still grow."""

    begin: int
    end: int


def audible(ulaw: bytes) -> tuple[int, int] | None:
    """Return where the first sound begins and the last one ends, None if all of it is silent.

    A 5 ms window is sound if it is louder than −50 dBFS (RMS); within it a sample counts that is as loud by itself.
    A broken last window is left out.
    """
    whole = len(ulaw) // WINDOW * WINDOW
    windows = _POWER[np.frombuffer(ulaw, dtype=np.uint8, count=whole)].reshape(-1, WINDOW)
    loud = (windows.sum(axis=1) > _AUDIBLE * WINDOW).nonzero()[0]
    if not len(loud):
        return None
    first, last = int(loud[0]), int(loud[-1])
    begin = first * WINDOW + int((windows[first] >= _AUDIBLE).argmax())
    end = (last + 1) * WINDOW - int((windows[last] >= _AUDIBLE)[::-1].argmax())
    return begin, end


class Hearing:
    """One listener on one line. Windows must come in order; those that are left out were silent."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []

    def hear(self, at: int, ulaw: bytes) -> None:
        """Take in what sounded from sample `at` on: whole windows."""
        for offset in range(0, len(ulaw), _GAP):  # within a gap's length nothing can be parted
            if sound := audible(ulaw[offset : offset + _GAP]):
                begin, end = at + offset + sound[0], at + offset + sound[1]
                if self.stretches and begin - self.stretches[-1].end < _GAP:
                    self.stretches[-1].end = end
                else:
                    self.stretches.append(Stretch(begin, end))

    def audible_since(self, sample: int) -> int:
        """Samples of audible stretches since then."""
        total = 0
        for stretch in reversed(self.stretches):
            if stretch.end <= sample:
                break
            total += stretch.end - max(stretch.begin, sample)
        return total
