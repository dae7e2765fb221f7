"""What was measured of one bridge under one load."""

from dataclasses import dataclass

from scripts.benchmarks.measure import Spread

LATE_MS = 20.0


@dataclass(frozen=True, slots=True)
class Level:
    """What one bridge did with so many calls."""

    bridge: str
    calls: int
    seconds: float
    cpu_ms: float
    """Per second of call."""
    core_share: float
    quiet_share: float
    """Of the time, in which nobody else had the bridge's core or kept the load from its own: the delays are of that."""
    is_conclusive: bool
    """There was enough such time; otherwise the delays are those of the machine, and say nothing of the bridge."""
    up: Spread | None
    down: Spread | None
    clear: Spread | None
    clears_missing: int
    first_audio: Spread | None
    """Start message → first audio at the carrier; the naive bridge's is the model's."""
    frames: int
    lost: int
    failed: int
    """Calls that did not come about, or ended by themselves."""
    truncates: int
    refused: int
    errors: int
    rss_kb: float
    """Per call, over what the process has without calls."""
    uss_kb: float
    drift_kb: float | None
    """Growth of rss_kb in a minute, where that was watched."""
    load_late: Spread | None
    """How late the callers were with their own frames."""
    load_share: float
    """Of the time, in which the load had something to do."""

    @property
    def is_late(self) -> bool:
        is_up_late = self.up is None or self.up.p99 >= LATE_MS
        return self.lost > 0 or self.failed > 0 or (self.is_conclusive and is_up_late)

    @property
    def is_load_late(self) -> bool:
        """The load did not keep up, so the delays are not the bridge's alone."""
        return self.load_share > 0.85 or (self.load_late is not None and self.load_late.p99 > 5.0)
