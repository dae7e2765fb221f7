"""How the figures are shown."""

import sys
from collections.abc import Sequence

from scripts.benchmarks.level import LATE_MS, Level
from scripts.benchmarks.measure import Spread
from scripts.benchmarks.rows import Row

_COLUMNS = (
    ("calls", 5),
    ("bridge", 7),
    ("CPU", 6),
    ("×", 5),
    ("core", 5),
    ("caller → model", 19),
    ("model → caller", 19),
    ("clear", 12),
    ("lost", 5),
    ("refused", 8),
    ("memory", 11),
    ("drift", 6),
    ("first", 12),
    ("load", 9),
    ("quiet", 5),
)
_UNITS = (
    "",
    "",
    "ms/s",
    "naive",
    "",
    "p50   p95   p99 ms",
    "p50   p95   p99 ms",
    "p50   p95 ms",
    "",
    "of",
    "RSS USS kB",
    "kB/min",
    "p50   p95 ms",
    "p99 ms %",
    "",
)


_AUDIO = {
    "pcm16": "The service transcodes (audio_format: pcm16); the naive bridge passes G.711 straight through.",
    "pcmu": "The service passes G.711 straight through (audio_format: pcmu), as the naive bridge does.",
}


def heading(core: int | None, others: set[int], seconds: float, audio_format: str) -> str:
    """Return what stands above the lines."""
    where = (
        f"The bridge alone on core {core}, callers and scripted model on {', '.join(map(str, sorted(others)))}"
        if core is not None
        else "Fewer than two cores, or no way to bind to one: the bridge shares its core with the load"
    )
    words = f"{where}; {seconds:g} s measured at each level.\n{_AUDIO[audio_format]}\n"
    names = "  ".join(name.rjust(width) for name, width in _COLUMNS)
    units = "  ".join(unit.rjust(width) for unit, (_, width) in zip(_UNITS, _COLUMNS, strict=True))
    return f"{words}{names}\n{units}"


def line(level: Level, measured: Sequence[Level]) -> str:
    """Return a level's line. measured: among them the naive bridge's of the same number of calls, if there is one."""
    naive = next((other for other in measured if other.bridge == "naive" and other.calls == level.calls), None)
    service = next((other for other in measured if other.bridge == "service" and other.calls == level.calls), None)
    ratio = f"{service.cpu_ms / naive.cpu_ms:.2f}" if naive and service and level.bridge == "naive" else ""
    cells = (
        str(level.calls),
        level.bridge,
        f"{level.cpu_ms:.2f}",
        ratio,
        f"{level.core_share:.0%}",
        _delays(level.up, mark="*" if level.is_late else "" if level.is_conclusive else "?"),
        _delays(level.down),
        _delays(level.clear, short=True),
        str(level.lost),
        f"{level.refused}/{level.truncates}",
        f"{level.rss_kb:.0f} {level.uss_kb:.0f}",
        "" if level.drift_kb is None else f"{level.drift_kb:+.0f}",
        _delays(level.first_audio, short=True),
        f"{_p99(level.load_late)} {level.load_share:.0%}{'!' if level.is_load_late else ''}",
        f"{level.quiet_share:.0%}",
    )
    return cleared() + "  ".join(cell.rjust(width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True))


def _p99(measured: Spread | None) -> str:
    return "-" if measured is None else f"{measured.p99:.1f}"


def _delays(measured: Spread | None, *, short: bool = False, mark: str = "") -> str:
    if measured is None:
        return "-"
    percentiles = (measured.p50, measured.p95) if short else (measured.p50, measured.p95, measured.p99)
    return " ".join(f"{ms:5.2f}" if ms < 100 else f"{ms:5.0f}" for ms in percentiles) + mark


def notes(measured: Sequence[Level]) -> str:
    """Return what has to be said about these figures."""
    words = [
        "",
        "CPU: of the bridge, per second of call. ×: service to naive. first: start message → first audio (the",
        "service's is its disclosure, the naive bridge's the model's reply). load: how late the callers were with",
        "their frames, and how much of its core that used. quiet: share of the time in which nobody else had the",
        "bridge's core or kept the load from its own; the delays are of that time alone, if it is two seconds.",
    ]
    if any(level.is_late for level in measured):
        words.append(f"*: late: p99 of {LATE_MS:g} ms or more, or something lost; that bridge has no higher levels.")
    if not all(level.is_conclusive for level in measured):
        words.append("?: the machine was never quiet for long enough: the delays of that line are not the bridge's.")
    if any(level.is_load_late for level in measured):
        words.append("!: callers and model did not keep up themselves: delays of that line are not the bridge's alone.")
    words += [
        f"{level.bridge}, {level.calls} calls: {level.failed} calls failed, {level.errors} requests refused by the "
        f"model, {level.clears_missing} interruptions without a clear."
        for level in measured
        if level.failed or level.errors or level.clears_missing
    ]
    return "\n".join(words)


def verdicts(rows: Sequence[Row]) -> str:
    """Return the promises and what became of them."""
    width = max(len(row.what) for row in rows)
    verdict = {True: "met", False: "NOT MET", None: "-"}
    lines = [
        f"{row.what.ljust(width)}  {row.at_least.rjust(16)}  {verdict[row.is_met].ljust(7)}  {row.measured}"
        for row in rows
    ]
    return "\n".join(["", *lines])


def cleared() -> str:
    """Return what takes `progress` away from the line that is printed next."""
    return "\r\x1b[K" if sys.stderr.isatty() and sys.stdout.isatty() else ""


def progress(what: str) -> None:
    """Say on a terminal what is being done; nothing in a pipe."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what} ", end="", file=sys.stderr, flush=True)
