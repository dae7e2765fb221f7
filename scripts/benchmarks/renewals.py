"""Calls across their provider's session limit: what the caller misses at each renewal, and what the agent forgets."""

import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from scripts.benchmarks.measure import spread
from scripts.benchmarks.renewals_real import RenewedCall, renew
from scripts.benchmarks.table import cleared, progress

_GAP_GOAL_MS = 100


def run(calls: int, limit_s: float, times: int, file: Path | None) -> int:
    """Hold so many calls of each kind across so many limits, print what they were like; return 0 if all is met."""
    print(
        f"{calls} calls of each kind at once over real sockets, the provider ending each session after {limit_s:g} s; "
        f"each call goes on until it was renewed {times} times\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        held = asyncio.run(renew(calls, limit_s, times, Path(folder), progress))
    print(f"{cleared()}kind     calls  renewals   longest gap at one    agent   caller   context   models")
    print("                            p50 ms    max ms   spoke    spoke      kept     lost")
    for kind in ("gaps", "context"):
        print(_line(kind, [each for each in held if each.kind == kind]))
    mistakes = verdict(held, times)
    late = sum(renewal.is_carrier_late for each in held for renewal in each.renewals)
    print(
        f"\nLongest gap anywhere in an answer: {_longest(held)}. Renewals at which the carrier itself was late: {late}."
    )
    print(
        f"No gap over {_GAP_GOAL_MS} ms at a renewal, context kept, no model lost: {'NOT MET' if mistakes else 'met'}"
    )
    for mistake in mistakes:
        print(f"  {mistake}")
    if file is not None:
        file.write_text(json.dumps([asdict(each) for each in held], indent=1))
    return 1 if mistakes else 0


def verdict(held: Sequence[RenewedCall], times: int) -> list[str]:
    """Return what is wrong, in sentences; none if all is met. times: how often each call had to be renewed."""
    mistakes: list[str] = []
    for each in held:
        name = f"{each.kind} {each.call_sid}"
        mistakes += [f"{name}: {failure}" for failure in each.failures]
        if len(each.renewals) < times:
            mistakes.append(f"{name}: renewed {len(each.renewals)} times, not {times}")
        if each.losses:
            mistakes.append(f"{name}: its model was lost {each.losses} times")
        if each.keeps_context is False:
            mistakes.append(f"{name}: the order was forgotten; asked for it, the agent said {each.last_answer!r}")
        mistakes += [
            f"{name}: a gap of {renewal.gap_ms} ms at {renewal.at_s:.1f} s"
            + (", where the carrier itself was late" if renewal.is_carrier_late else "")
            for renewal in each.renewals
            if renewal.gap_ms is not None and renewal.gap_ms > _GAP_GOAL_MS
        ]
    if not any(renewal.gap_ms is not None for each in held for renewal in each.renewals):
        mistakes.append("no renewal fell into an answer, so no gap was measured")
    return mistakes


def _longest(held: Sequence[RenewedCall]) -> str:
    gaps = [each.longest for each in held if each.longest is not None]
    if not gaps:
        return "none"
    gap = max(gaps, key=lambda one: one.ms)
    return f"{gap.ms} ms at {gap.at_s:.1f} s" + (", where the carrier itself was late" if gap.is_carrier_late else "")


def _line(kind: str, some: Sequence[RenewedCall]) -> str:
    renewals = [renewal for each in some for renewal in each.renewals]
    gaps = spread([renewal.gap_ms / 1000 for renewal in renewals if renewal.gap_ms is not None])
    figures = f"{'-':>10}{'-':>10}" if gaps is None else f"{gaps.p50:10.0f}{gaps.most:10.0f}"
    kept = [each.keeps_context for each in some if each.keeps_context is not None]
    told = "-" if not kept else "yes" if all(kept) else f"no: {kept.count(False)}"
    agent = sum(renewal.is_agent_speaking for renewal in renewals)
    caller = sum(renewal.is_caller_speaking for renewal in renewals)
    lost = sum(each.losses for each in some)
    return f"{kind:<8}{len(some):6}{len(renewals):10}{figures}{agent:8}{caller:9}{told:>10}{lost:9}"
