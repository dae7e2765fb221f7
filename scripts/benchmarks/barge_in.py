"""How exactly is an interruption cut? Hundreds of them at random moments, against what the caller truly heard.

Most happen in virtual time (`barge_in_call`): there the truth is known to the sample and no machine is too slow. A few
go over real sockets (`barge_in_real`). The error is what the model was told (`audio_end_ms`) less what was heard.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.session.words import BargeInMode
from scripts.benchmarks.barge_in_call import Interrupted, Outcome, VirtualCall
from scripts.benchmarks.barge_in_real import RealRun, interrupt
from scripts.benchmarks.barge_in_scenes import Network, scenes

ERROR_GOAL_MS = 40.0
DECISION_GOAL_MS = 5.0
_A_CALL = 8


@dataclass(frozen=True, slots=True)
class Spread:
    """Magnitudes in order of size."""

    count: int
    p50: float
    p95: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        ordered = sorted(abs(value) for value in values)
        last = len(ordered) - 1
        if last < 0:
            return cls(0, 0.0, 0.0, 0.0)
        return cls(len(ordered), ordered[round(last * 0.5)], ordered[round(last * 0.95)], ordered[last])


@dataclass(frozen=True, slots=True)
class Row:
    """One promise. is_met: None when nothing was measured."""

    what: str
    goal: str
    spread: Spread
    is_met: bool | None


def run(count: int, seed: int, real: int, json_path: Path | None) -> int:
    """Measure, print, and return 0 when every promise is kept, else 1."""
    outcomes = virtual(count, seed)
    rows, facts = judge(outcomes)
    if real:
        with tempfile.TemporaryDirectory(prefix="dialtone-bench-") as folder:
            _progress("real calls")
            real_run = asyncio.run(interrupt(real, seed, Path(folder)))
        more_rows, more_facts = judge_real(real_run)
        rows, facts = rows + more_rows, facts + more_facts
    _progress("")
    print(table(rows, facts))
    if json_path is not None:
        figures = {
            "seed": seed,
            "rows": [
                {
                    "what": row.what,
                    "goal": row.goal,
                    "count": row.spread.count,
                    "p50": row.spread.p50,
                    "p95": row.spread.p95,
                    "max": row.spread.most,
                    "met": row.is_met,
                }
                for row in rows
            ],
            "facts": [{"what": what, "measured": measured, "met": met} for what, measured, met in facts],
        }
        json_path.write_text(json.dumps(figures, indent=1) + "\n")
    return 0 if all(row.is_met is not False for row in rows) and all(met for _, _, met in facts) else 1


def virtual(count: int, seed: int) -> list[Outcome]:
    """Hold virtual calls with at least so many interruptions in all."""
    outcomes: list[Outcome] = []
    calls = scenes(-(-count // _A_CALL), seed)
    for number, scene in enumerate(calls):
        _progress(f"call {number + 1} of {len(calls)} in virtual time")
        outcomes.append(VirtualCall(scene).run(_A_CALL))
    return outcomes


Fact = tuple[str, str, bool]


def judge(outcomes: Sequence[Outcome]) -> tuple[list[Row], list[Fact]]:
    """Return the promises with their figures, and what must not happen at all."""
    interrupted = [each for outcome in outcomes for each in outcome.interrupted]
    rows = [_errors(network, interrupted) for network in Network]
    for mode, since in ((BargeInMode.IMMEDIATE, "speech_started"), (BargeInMode.CONFIRMED, "the frame that confirms")):
        spread = Spread.of([each.decided_s * 1000 for each in interrupted if each.scene.mode is mode])
        met = spread.p95 <= DECISION_GOAL_MS if spread.count else None
        rows.append(Row(f"ms from {since} to clear, {mode.value}", f"≤ {DECISION_GOAL_MS:g} p95", spread, met))
    refused = [why for outcome in outcomes for why in outcome.refused]
    untrue = [why for outcome in outcomes for why in outcome.untrue]
    after = sum(outcome.heard_after for outcome in outcomes)
    truncates = sum(outcome.truncates for outcome in outcomes)
    clears = sum(outcome.clears for outcome in outcomes)
    return rows, [
        ("truncates refused", f"{len(refused)} of {truncates}{_first(refused)}", not refused),
        ("samples heard after their clear", f"{after}, after {clears} clears", after == 0),
        ("record and truncation at odds", f"{len(untrue)} of {len(interrupted)}{_first(untrue)}", not untrue),
    ]


def judge_real(real: RealRun) -> tuple[list[Row], list[Fact]]:
    """The same of the calls over real sockets."""
    known, left_out = real.judged()
    judged = [(line, each.error_ms) for line, each in known if each.error_ms is not None]
    rows = []
    for what, is_far in (("perfect line", False), ("far and uneven line", True)):
        mine = [(line, error) for line, error in judged if (line.to_carrier_ms + line.to_service_ms > 0) is is_far]
        rows.append(_row(f"real sockets, {what}", [(error, line.jitter_ms) for line, error in mine]))
    late = real.late_samples()
    share = f"{left_out} of {left_out + len(judged)}"
    return rows, [
        ("real sockets: left out, the load was late itself", f"{share}; on a quiet machine there are few", True),
        ("real sockets: truncates refused", f"{real.refused} of {real.truncates}", not real.refused),
        ("real sockets: samples sent after their clear", str(late), late == 0),
        ("real sockets: calls that failed", f"{len(real.failures)}{_first(real.failures)}", not real.failures),
    ]


def _errors(network: Network, interrupted: Sequence[Interrupted]) -> Row:
    mine = [each for each in interrupted if each.scene.network is network]
    return _row(network.value, [(each.error_ms, each.scene.line.jitter_ms) for each in mine])


def _row(what: str, errors: Sequence[tuple[float, int]]) -> Row:
    """errors: with the jitter of each call, half of which is allowed besides."""
    spread = Spread.of([error for error, _ in errors])
    beyond = Spread.of([max(0.0, abs(error) - jitter / 2) for error, jitter in errors])
    is_uneven = any(jitter for _, jitter in errors)
    goal = f"≤ {ERROR_GOAL_MS:g} p95" + (" + jitter/2" if is_uneven else "")
    return Row(f"error in ms, {what}", goal, spread, beyond.p95 <= ERROR_GOAL_MS if beyond.count else None)


def table(rows: Sequence[Row], facts: Sequence[Fact]) -> str:
    """Return the figures for people."""
    verdict = {True: "met", False: "NOT MET", None: "-"}
    width = max(len(what) for what in [row.what for row in rows] + [what for what, _, _ in facts])
    lines = [f"{'':{width}}  {'goal':>20}  {'':7}  {'n':>5}  {'p50':>7}  {'p95':>7}  {'max':>7}"]
    for row in rows:
        of = row.spread
        figures = f"{of.count:5}  {of.p50:7.2f}  {of.p95:7.2f}  {of.most:7.2f}"
        lines.append(f"{row.what:{width}}  {row.goal:>20}  {verdict[row.is_met]:7}  {figures}")
    lines += [f"{what:{width}}  {'none':>20}  {verdict[met]:7}  {measured}" for what, measured, met in facts]
    return "\n".join(lines)


def _first(reasons: Sequence[str]) -> str:
    return f"; the first: {reasons[0]}" if reasons else ""


def _progress(what: str) -> None:
    """Say on a terminal what is being done; nothing in a pipe."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what} ", end="", file=sys.stderr, flush=True)
