"""Models lost at random moments: calls lost, turns lost, words lost or said twice, the silence that callers heard."""

import asyncio
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks import table
from scripts.benchmarks.losses_call import Loss, LossCall, Told
from scripts.benchmarks.losses_real import RealCase, lose

_GAP_GOAL_S = 1.5
_FIRST_S, _LAST_S = 1.2, 26.0
"""From the disclosure to the last answer of a call."""
_DOUBLE = 0.2
_FINAL = 0.1


@dataclass(frozen=True, slots=True)
class Case:
    """One call, and the same one undisturbed. losses: when, and how often the next session was refused."""

    seed: int
    losses: tuple[Loss, ...]
    told: Told
    undisturbed: Told

    @property
    def added_s(self) -> float:
        return self.told.gap_s - self.undisturbed.gap_s


def case(seed: int) -> Case:
    """Play one call whose chances all hang on the seed."""
    chances = random.Random(f"losses {seed}")
    at_s = chances.uniform(_FIRST_S, _LAST_S)
    refusals = chances.choices([0, 1, 2, 3], [70, 15, 10, 5])[0]
    losses = [Loss(at_s, refusals, chances.random() < _FINAL)]
    if chances.random() < _DOUBLE:
        losses.append(Loss(at_s + chances.uniform(0.1, 3.0)))
    return Case(seed, tuple(losses), LossCall(seed, losses).run(), LossCall(seed, []).run())


def run(count: int, seed: int, real: int, file: Path | None) -> int:
    """Play so many calls, print what they were like; return 0 if nothing was lost and the goal is met, else 1.

    real: so many more over real sockets.
    """
    cases = [case(seed * 1_000_000 + number) for number in range(count)]
    kinds = sorted({each.told.lost_during for each in cases})
    print(f"The model lost in {count} emulated calls of three questions each, in every fifth or so of them twice")
    print(f"(seed {seed}; virtual time; connects take 80-400 ms, in three of ten some are refused first)\n")
    print("lost while             calls   longest silence heard, s      more than undisturbed, s    cover lines")
    print("                               p50     p95     max           p50     p95     max")
    for kind in [*kinds, "all"]:
        some = [each for each in cases if kind in (each.told.lost_during, "all")]
        gaps = [each.told.gap_s for each in some]
        added = [each.added_s for each in some]
        covers = sum(each.told.covers for each in some)
        figures = "".join(f"{_part(gaps, part):8.2f}" for part in (0.5, 0.95, 1.0))
        more = "".join(f"{_part(added, part):8.2f}" for part in (0.5, 0.95, 1.0))
        print(f"{kind:<22}{len(some):6}{figures}      {more}{covers:15}")
    bad = [each for each in cases if _is_harmed(each.told)]
    told = [each.told for each in cases]
    calls_lost = sum(_is_lost(each) for each in told)
    gap_s = _part([each.told.gap_s for each in cases], 0.95)
    print(
        f"\ncalls lost {calls_lost}, questions unanswered {sum(len(each.unanswered) for each in told)}, "
        f"turns lost {sum(each.turns_lost for each in told)}, entered twice {sum(each.turns_twice for each in told)}, "
        f"words not heard {sum(each.missing for each in told)}, heard twice {sum(each.twice for each in told)}"
    )
    print(f"longest silence, p95: {gap_s:.2f} s (goal {_GAP_GOAL_S} s: {'met' if gap_s <= _GAP_GOAL_S else 'NOT MET'})")
    for each in bad[:10]:
        print(f"  harmed: seed {each.seed}, {each.losses}, {each.told}")
    if file is not None:
        file.write_text(json.dumps([_row(each) for each in cases], indent=1))
    is_well = not bad and gap_s <= _GAP_GOAL_S
    if real:
        with tempfile.TemporaryDirectory() as folder:
            is_well = _tell_real(asyncio.run(lose(real, seed, Path(folder)))) and is_well
    return 0 if is_well else 1


def _tell_real(cases: Sequence[RealCase]) -> bool:
    lost = [each for each in cases if each.outcome != "caller_hung_up" or not each.is_told or each.failures]
    gaps = [each.gap_s for each in cases]
    models = sum(each.losses for each in cases)
    print(f"{table.cleared()}calls lost, failed or without the order's state {len(lost)}, models lost {models}")
    print(
        f"longest wait for an answer, s: p50 {_part(gaps, 0.5):.2f}, p95 {_part(gaps, 0.95):.2f}, max {max(gaps):.2f}"
    )
    for each in lost:
        print(f"  harmed: {each}")
    return not lost


def _is_lost(told: Told) -> bool:
    return told.outcome is None or told.outcome.value != "caller_hung_up"


def _is_harmed(told: Told) -> bool:
    counts = (told.missing, told.twice, told.turns_lost, told.turns_twice, len(told.unanswered))
    return _is_lost(told) or any(counts)


def _part(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def _row(each: Case) -> dict[str, object]:
    told = each.told
    return {
        "seed": each.seed,
        "lost_at_s": [loss.at_s for loss in each.losses],
        "refusals": each.losses[0].refusals,
        "lost_during": told.lost_during,
        "outcome": told.outcome.value if told.outcome is not None else None,
        "gap_s": told.gap_s,
        "added_s": each.added_s,
        "covers": told.covers,
        "missing": told.missing,
        "twice": told.twice,
        "turns_lost": told.turns_lost,
    }
