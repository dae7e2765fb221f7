"""What is counted and timed, and what a process costs. Times are seconds of `time.monotonic`."""

import itertools
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass(slots=True)
class Tally:
    """What the callers and the scripted model saw in one stretch of time. Delays in seconds."""

    up: list[float] = field(default_factory=list)
    """A frame of the caller, sent → arrived at the model."""
    down: list[float] = field(default_factory=list)
    """The first delta of a reply, sent → its first bytes at the carrier."""
    clears: list[float] = field(default_factory=list)
    """The model's speech_started → the carrier's clear, when something was sounding."""
    clears_missing: int = 0
    frames: int = 0
    frames_lost: int = 0
    replies: int = 0
    truncates: int = 0
    truncates_refused: int = 0
    errors: int = 0
    """Other requests that the model refused; a cancel that comes too late is none."""
    late_ticks: list[float] = field(default_factory=list)
    """How late the load itself was with its frames."""


class Desk:
    """Where callers and model enter what they see. tally: of the present stretch."""

    def __init__(self) -> None:
        self.tally = Tally()


@dataclass(frozen=True, slots=True)
class Slice:
    """A quarter of a second. is_disturbed: somebody else had one of our cores, so that its delays say nothing."""

    tally: Tally
    is_disturbed: bool


def undisturbed(slices: Sequence[Slice]) -> list[Tally]:
    """Return the stretches in which, and before which, nobody was in the way: what piled up is worked off later."""
    return [now.tally for before, now in itertools.pairwise(slices) if not before.is_disturbed and not now.is_disturbed]


def stolen_s(core: int | None) -> float:
    """How long the machine below this one has kept the core from it by now; 0 where that is not told."""
    try:
        for line in Path("/proc/stat").read_text().splitlines():
            name, *ticks = line.split()
            if name == f"cpu{core}":
                return int(ticks[7]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        pass  # no Linux
    return 0.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles, in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    most: float


def spread(delays_s: Sequence[float]) -> Spread | None:
    """Return what the delays are like; None when there are none."""
    if not delays_s:
        return None
    ordered = sorted(delays_s)

    def percentile(share: float) -> float:
        return 1000 * ordered[max(0, math.ceil(share * len(ordered)) - 1)]  # nearest rank

    return Spread(len(ordered), percentile(0.5), percentile(0.95), percentile(0.99), 1000 * ordered[-1])


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return by how much y grows with each x, by least squares; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    across = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / across if across else 0.0


class Meter:
    """What one process costs, without its children."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._clock = (~pid << 3) | 2  # clock_getcpuclockid(3) of Linux: all threads, the ended ones too, to the ns
        self._schedule = Path(f"/proc/{pid}/schedstat")

    def cpu_s(self) -> float:
        """CPU time used by now, user and system."""
        try:
            return time.clock_gettime(self._clock)
        except OSError:  # no Linux: hundredths of a second have to do
            times = self._process.cpu_times()
            return float(times.user + times.system)

    def waited_s(self) -> float:
        """How long its main thread was ready to run and its core was taken by somebody else; 0 where unknown."""
        try:
            return int(self._schedule.read_text().split()[1]) / 1e9
        except (OSError, IndexError):
            return 0.0

    def rss_kb(self) -> float:
        return float(self._process.memory_info().rss) / 1024

    def uss_kb(self) -> float:
        """Memory that would be freed if it ended. Stops the process for some milliseconds: not while it is timed."""
        return float(self._process.memory_full_info().uss) / 1024
