"""The promises that this load can judge: what the figures must be at least, and what they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from scripts.benchmarks.level import Level
from scripts.benchmarks.measure import Spread

_NAIVE_CALLS = 150
"""What the naive bridge holds on a core of the speed for which the numbers of calls are promised (p99 15 to 27 ms):
machines differ by more than the two bridges do, so on any other the share of its calls tells more than their number."""
_FIRST_OF_CURVE = 25
_REFERENCE_CALLS = 50
_LOADED_CALLS = 100


@dataclass(frozen=True, slots=True)
class _Promised:
    """What is promised of one audio format. ratio: CPU against the naive bridge, at most."""

    calls: int
    ratio: float


_PROMISED = {"pcm16": _Promised(calls=100, ratio=1.5), "pcmu": _Promised(calls=200, ratio=1.0)}
FORMATS = tuple(_PROMISED)
"""The audio formats of the service's agent: transcoded, or G.711 straight through."""


@dataclass(frozen=True, slots=True)
class Row:
    """One promise. is_met: None when it was not measured."""

    what: str
    at_least: str
    measured: str
    is_met: bool | None


def judge(levels: Sequence[Level], audio_format: str = "pcm16") -> list[Row]:
    """Return every promise with its measure. audio_format: of the service, one of FORMATS."""
    promised = _PROMISED[audio_format]
    service = {level.calls: level for level in levels if level.bridge == "service"}
    naive = {level.calls: level for level in levels if level.bridge == "naive"}
    reference = _near(service, _REFERENCE_CALLS)
    rows = [
        _below("speech_started → clear, p95", 5.0, reference, None if reference is None else reference.clear),
        _below("frame, caller → model, p95", 10.0, reference, None if reference is None else reference.up),
        _below(
            "first audio of a reply, model → caller, p95",
            10.0,
            reference,
            None if reference is None else reference.down,
        ),
        _below("first disclosure audio, p95", 100.0, reference, None if reference is None else reference.first_audio),
    ]
    refused = sum(level.refused for level in service.values())
    truncates = sum(level.truncates for level in service.values())
    rows.append(Row("truncates refused", "none", f"{refused} of {truncates}", refused == 0 if truncates else None))
    rows += _density(service, naive, promised.calls)
    rows += [_ratio(service, naive, promised.ratio), *_memory(service), _curve(service)]
    return rows


def _near(levels: dict[int, Level], calls: int) -> Level | None:
    """The level that is asked for, else the only one."""
    if calls in levels:
        return levels[calls]
    return next(iter(levels.values())) if len(levels) == 1 else None


def _below(what: str, limit_ms: float, level: Level | None, measured: Spread | None) -> Row:
    at_least = f"≤ {limit_ms:g} ms"
    if level is None or measured is None:
        return Row(what, at_least, "not measured", None)
    words = f"{measured.p95:.2f} ms at {level.calls} calls"
    if not level.is_conclusive:
        return Row(what, at_least, f"{words}, on a machine that was not quiet", None)
    return Row(what, at_least, words, measured.p95 <= limit_ms)


def _ratio(service: dict[int, Level], naive: dict[int, Level], most: float) -> Row:
    what, limit = "CPU against the naive bridge", f"≤ {most:.1f} ×"
    both = [calls for calls in sorted(service) if calls in naive]
    both = [calls for calls in both if calls >= _FIRST_OF_CURVE] or both  # a few calls cost a loop that mostly wakes up
    if not both:
        return Row(what, limit, "not measured", None)
    ratio = median(service[calls].cpu_ms / naive[calls].cpu_ms for calls in both)
    at = f"at {both[0]} calls" if len(both) == 1 else f"the median of {both[0]} to {both[-1]} calls"
    return Row(what, limit, f"{ratio:.2f} ×, {at}", ratio <= most)


def _density(service: dict[int, Level], naive: dict[int, Level], least: int) -> list[Row]:
    """How many calls one core holds: by itself, and against the naive bridge.

    By itself it is not judged where even the naive bridge is late with fewer calls than are promised.
    """
    most, is_end = _most_in_time(service)
    naive_most, is_naive_end = _most_in_time(naive)
    words = f"{most}" if is_end else f"{most} or more"
    met = True if most >= least else False if is_end else None
    if met is False and is_naive_end and naive_most < least:
        met, words = None, f"{words}, on a core too slow to tell: the naive bridge holds {naive_most} there"
    rows = [Row("calls on one core, caller → model p99 below 20 ms", str(least), words, met)]
    share = least / _NAIVE_CALLS
    what, limit = "share of the calls that a naive bridge holds", f"≥ {share:.2f} ×"
    if not (is_end and is_naive_end and naive_most):
        return [*rows, Row(what, limit, "not measured", None)]
    ratio = most / naive_most
    return [*rows, Row(what, limit, f"{ratio:.2f} ×, {most} against {naive_most}", ratio >= share)]


def _most_in_time(levels: dict[int, Level]) -> tuple[int, bool]:
    """Return the highest level that was in time, and whether the next one was late: not, when that cannot be told."""
    in_time = [calls for calls, level in levels.items() if level.is_conclusive and not level.is_late]
    most = max(in_time, default=0)
    higher = [level for calls, level in sorted(levels.items()) if calls > most]
    return most, bool(higher) and higher[0].is_late


def _memory(service: dict[int, Level]) -> list[Row]:
    rows = [Row("memory per call over the base", "≤ 2048 kB", "not measured", None)] if not service else []
    if service:
        level = service[min(service, key=lambda calls: abs(calls - _LOADED_CALLS))]
        measured = f"{level.rss_kb:.0f} kB at {level.calls} calls"
        rows.append(Row("memory per call over the base", "≤ 2048 kB", measured, level.rss_kb <= 2048))
    what, limit = "its growth with the length of a call", "≤ 20 kB/min"  # what is said is kept, for the record
    for level in service.values():
        if level.drift_kb is not None:
            measured = f"{level.drift_kb:+.1f} kB/min at {level.calls} calls"
            return [*rows, Row(what, limit, measured, level.drift_kb <= 20)]
    return [*rows, Row(what, limit, "not measured", None)]


def _curve(service: dict[int, Level]) -> Row:
    what, limit = "cost curve: CPU per call-second at 100 calls against 25", "≤ 1.15 ×"
    if _FIRST_OF_CURVE not in service or _LOADED_CALLS not in service:
        return Row(what, limit, "not measured", None)
    growth = service[_LOADED_CALLS].cpu_ms / service[_FIRST_OF_CURVE].cpu_ms
    return Row(what, limit, f"{growth:.2f} ×", growth <= 1.15)
