"""A line's faults as options and scripts write them."""

import pytest

from app.carrier import faults
from app.carrier.line import Line

pytestmark = pytest.mark.core


def test_every_fault_is_read_and_the_rest_stays() -> None:
    values: dict[str, str | int | float] = {
        "delay_ms": "150:40",
        "jitter_ms": 60,
        "mark_delay_ms": 80,
        "bunch_marks_ms": 100,
        "loss_percent": 2.5,
        "stall_at_ms": 3000,
        "stall_ms": 2000,
        "drop_at_ms": 9000,
        "seed": 7,
    }
    assert sorted(values) == sorted(faults.NAMES)
    assert faults.line(values, Line()) == Line(150, 40, 60, 80, 100, 2.5, 3000, 2000, 9000, 7)
    assert faults.line({"delay_ms": 150}, Line(jitter_ms=5)) == Line(150, 150, jitter_ms=5)
    assert faults.line({}, Line(jitter_ms=5)) == Line(jitter_ms=5)


def test_a_stall_of_no_length_is_the_lengths_fault() -> None:
    with pytest.raises(faults.FaultError, match="0: stall_at_ms says when, so more than 0 ms are needed") as caught:
        faults.line({"stall_at_ms": 100, "stall_ms": 0}, Line())
    assert caught.value.name == "stall_ms"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("delay_ms", "fast", "fast: whole milliseconds are needed, or two of them as in 150:40"),
        ("delay_ms", "1:2:3", "150:40"),
        ("delay_ms", -5, "-5: whole milliseconds"),
        ("delay_ms", "70000", "70000: a whole number of milliseconds from 0 to 60000"),
        ("jitter_ms", -1, "-1: a whole number of milliseconds"),
        ("jitter_ms", 1.5, "1.5: a whole number of milliseconds"),
        ("seed", "x", "x: a whole number from 0"),
        ("loss_percent", 101, "101: a number from 0 to 100"),
        ("loss_percent", "all", "all: a number from 0 to 100"),
        ("stall_ms", 100, "100: says how long; stall_at_ms must say when"),
        ("stall_at_ms", 100, "100: says when; stall_ms must say for how long"),
    ],
)
def test_a_value_that_no_line_can_have_is_told(name: str, value: str | int | float, message: str) -> None:
    with pytest.raises(faults.FaultError) as caught:
        faults.line({name: value}, Line())
    assert caught.value.name == name
    assert str(caught.value).startswith(str(value))
    assert message in str(caught.value)
