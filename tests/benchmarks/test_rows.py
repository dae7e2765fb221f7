"""Which promises a run keeps."""

from dataclasses import replace

import pytest

from scripts.benchmarks.level import Level
from scripts.benchmarks.load import halfway
from scripts.benchmarks.measure import Spread
from scripts.benchmarks.rows import Row, judge

pytestmark = pytest.mark.core

QUICK = Spread(count=1000, p50=0.5, p95=1.0, p99=2.0, most=4.0)
LATE = Spread(count=1000, p50=5.0, p95=12.0, p99=25.0, most=80.0)
SERVICE = Level(
    bridge="service",
    calls=50,
    seconds=10.0,
    cpu_ms=4.0,
    core_share=0.2,
    quiet_share=1.0,
    is_conclusive=True,
    up=QUICK,
    down=QUICK,
    clear=QUICK,
    clears_missing=0,
    first_audio=QUICK,
    frames=25_000,
    lost=0,
    failed=0,
    truncates=70,
    refused=0,
    errors=0,
    rss_kb=200.0,
    uss_kb=190.0,
    drift_kb=None,
    load_late=QUICK,
    load_share=0.2,
)
NAIVE = replace(SERVICE, bridge="naive", cpu_ms=3.0, refused=20)


def row(rows: list[Row], word: str) -> Row:
    (found,) = [row for row in rows if word in row.what]
    return found


def test_a_level_by_itself_is_judged_by_what_it_tells() -> None:
    rows = judge([SERVICE, NAIVE])

    assert row(rows, "clear").is_met is True
    assert row(rows, "against the naive").is_met is True
    assert row(rows, "calls on one core").is_met is None
    assert row(rows, "cost curve").is_met is None


def test_a_late_frame_breaks_the_promise_of_the_frame() -> None:
    rows = judge([replace(SERVICE, up=LATE), NAIVE])

    assert row(rows, "caller → model, p95").is_met is False
    assert row(rows, "model → caller").is_met is True


def test_a_machine_that_is_not_quiet_judges_nobody() -> None:
    disturbed = replace(SERVICE, is_conclusive=False, up=LATE)

    rows = judge([disturbed, NAIVE])

    assert not disturbed.is_late
    assert row(rows, "caller → model, p95").is_met is None
    assert row(rows, "calls on one core").measured == "0 or more"


def test_density_is_the_highest_level_in_time() -> None:
    levels = [replace(SERVICE, calls=calls) for calls in (50, 100, 125)]

    rows = judge([*levels, replace(SERVICE, calls=150, up=LATE)])

    assert row(rows, "calls on one core") == Row(
        "calls on one core, caller → model p99 below 20 ms", "100", "125", True
    )


def test_a_service_that_is_late_at_fifty_calls_never_held_a_hundred() -> None:
    rows = judge([replace(SERVICE, calls=25), replace(SERVICE, calls=50, lost=1)])

    assert row(rows, "calls on one core").is_met is False


def test_the_ratio_is_of_the_same_number_of_calls() -> None:
    rows = judge([SERVICE, NAIVE, replace(SERVICE, calls=100, cpu_ms=30.0)])

    assert row(rows, "against the naive").measured == "1.33 ×, at 50 calls"


def test_of_several_levels_the_median_ratio_counts() -> None:
    ratios = {1: 3.0, 25: 1.2, 50: 1.1, 100: 1.6}
    levels = [replace(SERVICE, calls=calls, cpu_ms=3.0 * ratio) for calls, ratio in ratios.items()]

    rows = judge([*levels, *(replace(NAIVE, calls=calls) for calls in ratios)])

    assert row(rows, "against the naive").measured == "1.20 ×, the median of 25 to 100 calls"


def test_a_service_dearer_than_one_and_a_half_naive_bridges_is_told() -> None:
    assert row(judge([replace(SERVICE, cpu_ms=4.6), NAIVE]), "against the naive").is_met is False


def test_of_a_service_that_does_not_transcode_more_is_asked() -> None:
    levels = [replace(SERVICE, calls=calls, cpu_ms=3.1) for calls in (50, 100)]
    levels += [replace(NAIVE, calls=100), replace(SERVICE, calls=125, up=LATE)]

    transcoding, straight = judge(levels, "pcm16"), judge(levels, "pcmu")

    assert [row(rows, "calls on one core").is_met for rows in (transcoding, straight)] == [True, False]
    assert [row(rows, "against the naive").is_met for rows in (transcoding, straight)] == [True, False]
    assert row(straight, "calls on one core").at_least == "200"
    assert row(straight, "against the naive").at_least == "≤ 1.0 ×"


def test_a_refused_truncate_is_told() -> None:
    refused = row(judge([replace(SERVICE, refused=1), NAIVE]), "truncates")

    assert (refused.measured, refused.is_met) == ("1 of 70", False)


def test_memory_that_grows_is_told() -> None:
    rows = judge([replace(SERVICE, drift_kb=50.0)])

    assert row(rows, "memory per call").is_met is True
    assert row(rows, "growth").is_met is False


def test_where_the_machine_was_not_quiet_between_two_levels_the_share_is_not_known() -> None:
    service = [replace(SERVICE, calls=75), replace(SERVICE, calls=100, up=LATE)]
    naive = [NAIVE, replace(NAIVE, calls=75, is_conclusive=False, up=LATE), replace(NAIVE, calls=100, up=LATE)]
    rows = judge([*service, *naive])

    assert row(rows, "share of the calls").is_met is None
    assert row(rows, "calls on one core").is_met is False


def test_a_cost_that_grows_with_the_calls_is_told() -> None:
    rows = judge([replace(SERVICE, calls=25, cpu_ms=4.0), replace(SERVICE, calls=100, cpu_ms=5.0)])

    assert row(rows, "cost curve").is_met is False


def test_on_a_core_where_even_the_naive_bridge_is_late_the_two_are_compared() -> None:
    in_time = [replace(each, calls=calls) for each in (SERVICE, NAIVE) for calls in (25, 50)]
    late = [replace(each, calls=100, up=LATE) for each in (SERVICE, NAIVE)]
    rows = judge([*in_time, *late, replace(NAIVE, calls=75)])
    assert row(rows, "calls on one core") == Row(
        "calls on one core, caller → model p99 below 20 ms",
        "100",
        "50, on a core too slow to tell: the naive bridge holds 75 there",
        None,
    )
    assert row(rows, "share of the calls") == Row(
        "share of the calls that a naive bridge holds", "≥ 0.67 ×", "0.67 ×, 50 against 75", True
    )
    rows = judge([*in_time[1:], replace(SERVICE, calls=50, up=LATE), *late])
    assert row(rows, "share of the calls").is_met is False


def test_on_a_core_as_fast_as_the_one_of_the_promise_the_number_counts() -> None:
    naive = [replace(NAIVE, calls=150), replace(NAIVE, calls=175, up=LATE)]
    rows = judge([replace(SERVICE, calls=75), replace(SERVICE, calls=100, up=LATE), *naive])
    assert row(rows, "calls on one core").is_met is False
    assert row(rows, "share of the calls").is_met is False


def test_the_level_between_the_last_in_time_and_the_first_late_is_looked_for() -> None:
    assert halfway([replace(SERVICE, calls=50), replace(SERVICE, calls=100, up=LATE)]) == 75
    assert halfway([replace(SERVICE, calls=100), replace(SERVICE, calls=125, up=LATE)]) == 112
    assert halfway([replace(SERVICE, calls=100)]) is None
    assert halfway([replace(SERVICE, calls=1, up=LATE)]) is None
