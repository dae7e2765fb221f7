"""What a line does to what it carries, by value and over random traffic."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio import mulaw
from app.carrier.line import PACKET, Fault, Line, Passage, packets_lost, sounded
from app.carrier.playout import PlayOut

pytestmark = pytest.mark.core

LOUD = mulaw.encode((8000).to_bytes(2, "little", signed=True) * PACKET)


def numbers(line: Line) -> Passage[int]:
    return line.to_carrier()


def level(ulaw: bytes) -> int:
    """The one level that all of it has."""
    (code,) = set(ulaw)
    return int.from_bytes(mulaw.decode(bytes([code])), "little", signed=True)


def test_a_perfect_line_carries_at_once_and_in_order() -> None:
    way = numbers(Line())
    assert [way.enter(at, at) for at in (1, 2, 2)] == [1, 2, 2]
    assert way.next_at == 1
    assert way.leave(1.5) == [(1, 1)]
    assert way.leave(2) == [(2, 2), (2, 2)]
    assert way.next_at is None


def test_each_direction_has_its_own_delay() -> None:
    line = Line(to_carrier_ms=150, to_service_ms=40)
    there: Passage[int] = line.to_carrier()
    back: Passage[int] = line.to_service()
    assert there.enter(1.0, 0) == pytest.approx(1.15)
    assert back.enter(1.0, 0) == pytest.approx(1.04)
    assert there.leave(1.14) == []


def test_what_is_late_holds_up_what_is_behind_it() -> None:
    way = numbers(Line(jitter_ms=1000))
    out = [way.enter(at / 100, at) for at in range(50)]
    assert out == sorted(out)
    assert len(set(out)) < 50  # some were held up by one before them


@given(
    gaps_ms=st.lists(st.integers(0, 300), max_size=50),
    delay_ms=st.integers(0, 300),
    jitter_ms=st.integers(0, 200),
    seed=st.integers(0, 99),
)
def test_nothing_is_early_lost_reordered_or_later_than_delay_and_jitter(
    gaps_ms: list[int], delay_ms: int, jitter_ms: int, seed: int
) -> None:
    line = Line(to_carrier_ms=delay_ms, jitter_ms=jitter_ms, seed=seed)
    way, again = numbers(line), numbers(line)
    at, entered = 0.0, []
    for gap_ms in gaps_ms:
        at += gap_ms / 1000
        entered.append(at)
        assert way.enter(at, len(entered)) == again.enter(at, 0)  # the same chances
    left = [pair for step in range(0, 20_000, 70) for pair in way.leave(step / 1000)]
    assert [what for _, what in left] == list(range(1, len(entered) + 1))
    for (leaves_at, _), enters_at in zip(left, entered, strict=True):
        assert enters_at + delay_ms / 1000 - 1e-9 <= leaves_at <= enters_at + (delay_ms + jitter_ms) / 1000 + 1e-9


def test_marks_are_given_back_late_and_in_bunches() -> None:
    assert Line().mark_leaves_at(1.234) == 1.234
    assert Line(mark_delay_ms=50).mark_leaves_at(1.0) == pytest.approx(1.05)
    bunched = Line(mark_delay_ms=50, bunch_marks_ms=200)
    assert [bunched.mark_leaves_at(at) for at in (0.0, 0.1, 0.15, 0.16)] == pytest.approx([0.2, 0.2, 0.2, 0.4])


@given(returned_ms=st.lists(st.integers(0, 60_000)), delay_ms=st.integers(0, 500), bunch_ms=st.integers(0, 500))
def test_marks_never_leave_before_their_time_nor_overtake(returned_ms: list[int], delay_ms: int, bunch_ms: int) -> None:
    line = Line(mark_delay_ms=delay_ms, bunch_marks_ms=bunch_ms)
    returned_s = [ms / 1000 for ms in sorted(returned_ms)]
    left = [line.mark_leaves_at(at) for at in returned_s]
    assert left == sorted(left)
    for at, leaves_at in zip(returned_s, left, strict=True):
        assert at + delay_ms / 1000 <= leaves_at <= at + (delay_ms + bunch_ms) / 1000 + 1e-9


def test_what_befalls_the_socket_is_told_in_order() -> None:
    assert Line().faults() == []
    assert Line(stall_at_ms=500, stall_ms=2000, drop_at_ms=1000).faults() == [
        (0.5, Fault.STALL),
        (1.0, Fault.DROP),
        (2.5, Fault.RESUME),
    ]


def test_loss_is_as_frequent_as_asked_and_the_same_for_the_same_seed() -> None:
    line = Line(loss_percent=10)
    lost = [number for number in range(5000) if line.loses_from_caller(number)]
    assert 400 < len(lost) < 600
    assert lost == [number for number in range(5000) if Line(loss_percent=10).loses_from_caller(number)]
    assert lost != [number for number in range(5000) if line.loses_from_agent(number)]
    assert lost != [number for number in range(5000) if Line(loss_percent=10, seed=2).loses_from_caller(number)]
    assert not any(Line().loses_from_caller(number) for number in range(100))
    assert all(Line(loss_percent=100).loses_from_agent(number) for number in range(100))


def seed_that_loses(*wanted: int, of: int) -> Line:
    """A line that loses just these packets of the agent's first few."""
    for seed in range(10_000):
        line = Line(loss_percent=40, seed=seed)
        if [number for number in range(of) if line.loses_from_agent(number)] == list(wanted):
            return line
    raise AssertionError("no seed does")


def test_the_telephone_fills_a_gap_with_what_it_heard_last_fading() -> None:
    line, playout = seed_that_loses(1, 2, of=4), PlayOut(80)
    playout.arrived(80, LOUD * 4)
    playout.advance(80 + 4 * PACKET)
    heard = sounded(line, playout, 80, 80 + 4 * PACKET, origin=80)
    first, second, third, fourth = (level(heard[at : at + PACKET]) for at in range(0, 4 * PACKET, PACKET))
    assert first == fourth == pytest.approx(8000, rel=0.03)
    assert second == pytest.approx(4000, rel=0.05)
    assert third == pytest.approx(2000, rel=0.08)
    assert packets_lost(line, playout, origin=80) == 2


def test_when_the_first_packet_is_lost_there_is_nothing_to_repeat() -> None:
    line, playout = seed_that_loses(0, 1, of=3), PlayOut()
    playout.arrived(0, LOUD * 3)
    playout.advance(3 * PACKET)
    assert sounded(line, playout, 0, 3 * PACKET, origin=0) == b"\xff" * 2 * PACKET + LOUD


def test_without_loss_the_telephone_hears_the_play_out() -> None:
    playout = PlayOut()
    playout.arrived(100, LOUD)
    playout.advance(1000)
    assert sounded(Line(), playout, 0, 1000, origin=0) == b"\xff" * 100 + LOUD + b"\xff" * (900 - PACKET)
    assert sounded(Line(loss_percent=50), playout, 600, 1000, origin=0) == b""
    assert packets_lost(Line(), playout, origin=0) == 0


@given(cuts=st.lists(st.integers(0, 12 * PACKET), max_size=12), seed=st.integers(0, 50), offset=st.integers(0, 500))
def test_heard_in_pieces_is_heard_as_a_whole(cuts: list[int], seed: int, offset: int) -> None:
    line, playout, end = Line(loss_percent=50, seed=seed), PlayOut(), 12 * PACKET
    playout.arrived(offset, bytes(range(256)) * 3)
    playout.advance(end)
    whole = sounded(line, playout, 0, end, origin=0)
    edges = sorted({0, end, *cuts})
    pieces = b"".join(
        sounded(line, playout, begin, until, origin=0).ljust(until - begin, b"\xff")
        for begin, until in itertools.pairwise(edges)
    )
    assert pieces == whole
