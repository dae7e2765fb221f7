"""What the benchmark computes from what it saw."""

import pytest

from scripts.benchmarks.measure import Slice, Spread, Tally, slope, spread, undisturbed

pytestmark = pytest.mark.core


def test_percentiles_are_milliseconds_by_nearest_rank() -> None:
    delays = [n / 1000 for n in range(100, 0, -1)]

    assert spread(delays) == Spread(count=100, p50=50.0, p95=95.0, p99=99.0, most=100.0)


def test_one_delay_is_all_percentiles() -> None:
    assert spread([0.002]) == Spread(count=1, p50=2.0, p95=2.0, p99=2.0, most=2.0)


def test_no_delays_are_no_spread() -> None:
    assert spread([]) is None


def test_the_slope_of_a_line_is_its_own() -> None:
    assert slope([(0.0, 5.0), (1.0, 7.0), (3.0, 11.0)]) == pytest.approx(2.0)


def test_a_single_point_grows_by_nothing() -> None:
    assert slope([(1.0, 5.0)]) == 0.0


def test_a_disturbed_slice_takes_the_next_one_with_it() -> None:
    tallies = [Tally(frames=n) for n in range(5)]
    slices = [Slice(tally, is_disturbed=n == 2) for n, tally in enumerate(tallies)]

    # the first has nothing before it that could be known as quiet
    assert undisturbed(slices) == [tallies[1], tallies[4]]
