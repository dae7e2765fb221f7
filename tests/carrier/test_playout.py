"""The play-out clock against its rules, by example and over random scripts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.carrier.playout import Cleared, Heard, PlayOut, ReturnedMark

pytestmark = pytest.mark.core


def test_audio_sounds_at_once_and_what_follows_behind_it() -> None:
    line = PlayOut()
    line.arrived(100, b"a" * 160)
    line.arrived(150, b"b" * 160)
    line.advance(1000)
    assert line.heard == [Heard(100, 0, 320)]
    assert line.sound(90, 430) == b"\xff" * 10 + b"a" * 160 + b"b" * 160 + b"\xff" * 10


def test_a_gap_in_what_is_sent_is_a_gap_on_the_line() -> None:
    line = PlayOut()
    line.arrived(0, b"a" * 160)
    line.arrived(200, b"b" * 160)
    line.advance(400)
    assert line.heard == [Heard(0, 0, 160), Heard(200, 160, 160)]


def test_a_mark_comes_back_when_the_audio_before_it_has_been_played() -> None:
    line = PlayOut()
    line.arrived(10, b"a" * 160)
    assert line.mark(20, "one") == []
    line.arrived(30, b"b" * 80)
    assert line.mark(40, "two") == []
    assert line.deadline == 170
    assert line.advance(169) == []
    assert line.advance(170) == [ReturnedMark("one", 20, 170, played=True)]
    assert line.deadline == 250
    assert line.advance(9999) == [ReturnedMark("two", 40, 250, played=True)]
    assert line.deadline is None


def test_a_mark_on_an_empty_line_comes_back_at_once() -> None:
    line = PlayOut()
    assert line.mark(5, "now") == [ReturnedMark("now", 5, 5, played=True)]


def test_clear_throws_the_rest_away_and_returns_every_mark_in_it() -> None:
    line = PlayOut()
    line.arrived(0, b"a" * 800)
    line.mark(0, "heard")
    line.arrived(0, b"b" * 800)
    line.mark(0, "cut")
    line.mark(0, "cut too")
    assert line.clear(1000) == [
        ReturnedMark("heard", 0, 800, played=True),
        ReturnedMark("cut", 0, 1000, played=False),
        ReturnedMark("cut too", 0, 1000, played=False),
    ]
    assert line.cleared == [Cleared(1000, 1000, 600)]
    line.arrived(1000, b"c" * 10)
    line.advance(2000)
    assert line.heard == [Heard(0, 0, 1000), Heard(1000, 1600, 10)]


def test_a_mark_that_is_reached_as_clear_comes_was_played() -> None:
    line = PlayOut()
    line.arrived(0, b"a" * 100)
    line.mark(0, "end")
    assert line.clear(100) == [ReturnedMark("end", 0, 100, played=True)]


def test_a_time_that_is_past_changes_nothing() -> None:
    line = PlayOut(500)
    line.arrived(400, b"a" * 10)
    assert line.advance(450) == []
    assert (line.now, line.heard) == (500, [])


def test_a_quiet_line_has_no_sound() -> None:
    line = PlayOut()
    line.arrived(0, b"a" * 10)
    line.advance(100)
    assert line.sound(50, 100) == b""


Step = tuple[str, int, int]
scripts = st.lists(
    st.tuples(st.sampled_from(["audio", "mark", "clear", "wait"]), st.integers(0, 400), st.integers(0, 500)),
    max_size=60,
)


@settings(deadline=None)  # a busy machine is no failure
@given(scripts)
def test_every_byte_is_heard_once_in_order_or_thrown_away(script: list[Step]) -> None:
    line, now, marks = PlayOut(), 0, list[ReturnedMark]()
    names: list[str] = []
    for kind, passed, size in script:
        now += passed
        match kind:
            case "audio":
                marks += line.arrived(now, bytes(size))
            case "mark":
                names.append(f"m{len(names)}")
                marks += line.mark(now, names[-1])
            case "clear":
                marks += line.clear(now)
            case _:
                marks += line.advance(now)
    queued = line.queued_bytes
    end = now + queued
    marks += line.advance(end)
    assert line.queued_bytes == 0

    pieces: list[Heard | Cleared] = [*line.heard, *(each for each in line.cleared if each.size)]
    pieces.sort(key=lambda piece: piece.offset)
    assert [piece.offset for piece in pieces] == _sums([piece.size for piece in pieces])
    assert sum(piece.size for piece in pieces) == len(line.sent)
    for before, after in zip(line.heard, line.heard[1:], strict=False):
        assert before.at + before.size <= after.at
        assert (before.at + before.size, before.offset + before.size) != (after.at, after.offset)

    assert [mark.name for mark in marks] == names
    assert [mark.returned_at for mark in marks] == sorted(mark.returned_at for mark in marks)
    assert all(mark.sent_at <= mark.returned_at <= end for mark in marks)
    cleared_at = {cleared.at for cleared in line.cleared}
    assert all(mark.played or mark.returned_at in cleared_at for mark in marks)


@settings(deadline=None)  # a busy machine is no failure
@given(scripts, st.integers(1, 97))
def test_how_often_one_looks_changes_nothing(script: list[Step], every: int) -> None:
    outcomes = []
    for looking in (False, True):
        line, now, marks = PlayOut(), 0, list[ReturnedMark]()
        for number, (kind, passed, size) in enumerate(script):
            if looking:
                for between in range(now, now + passed, every):
                    marks += line.advance(between)
            now += passed
            match kind:
                case "audio":
                    marks += line.arrived(now, bytes([number]) * size)
                case "mark":
                    marks += line.mark(now, str(number))
                case "clear":
                    marks += line.clear(now)
                case _:
                    marks += line.advance(now)
        marks += line.advance(now + 100_000)
        outcomes.append((line.heard, line.cleared, marks))
    assert outcomes[0] == outcomes[1]


def _sums(sizes: list[int]) -> list[int]:
    total, sums = 0, []
    for size in sizes:
        sums.append(total)
        total += size
    return sums
