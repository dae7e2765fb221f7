"""The caller's audio on its way to a model: order, bounds, pauses, and what is said again to another one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.formats import ULAW_8K
from app.session.backlog import KEPT_MS, Backlog

pytestmark = pytest.mark.core

FRAME = 160
A_SECOND = 50


def frame(number: int) -> bytes:
    return number.to_bytes(2, "big") * (FRAME // 2)


def numbers(frames: list[bytes]) -> list[int]:
    return [int.from_bytes(each[:2], "big") for each in frames]


def drained(backlog: Backlog) -> list[int]:
    out: list[int] = []
    while backlog:
        out += numbers(backlog.next_two())
    return out


def keep(backlog: Backlog, first: int, last: int, *, is_silent: bool = False) -> None:
    for number in range(first, last):
        backlog.keep(number * FRAME, frame(number), is_silent=is_silent)


def give(backlog: Backlog, first: int, last: int, *, is_silent: bool = False) -> None:
    for number in range(first, last):
        backlog.had(number * FRAME, frame(number), is_silent)


def test_the_oldest_comes_first_two_at_a_time() -> None:
    backlog = Backlog(ULAW_8K)
    keep(backlog, 0, 3)
    assert backlog.size_bytes == 3 * FRAME
    assert numbers(backlog.next_two()) == [0, 1]
    assert numbers(backlog.next_two()) == [2]
    assert not backlog
    assert backlog.next_two() == []


def test_ten_seconds_are_kept_and_the_oldest_goes_first() -> None:
    backlog = Backlog(ULAW_8K)
    keep(backlog, 0, 600)
    assert drained(backlog) == list(range(600 - KEPT_MS // 20, 600))


def test_a_pause_is_shortened_to_a_second() -> None:
    backlog = Backlog(ULAW_8K)
    keep(backlog, 0, 10)
    keep(backlog, 10, 400, is_silent=True)
    keep(backlog, 400, 410)
    assert backlog.holds_sound
    assert drained(backlog) == [*range(10 + A_SECOND), *range(400, 410)]
    assert not backlog.holds_sound


def test_what_was_sent_lately_is_said_again() -> None:
    backlog = Backlog(ULAW_8K)
    give(backlog, 0, 200)
    keep(backlog, 200, 210)
    backlog.begin_again(0)
    assert drained(backlog) == list(range(200 - A_SECOND - 1, 210))


def test_what_was_sent_of_a_turn_is_kept_while_it_is_needed() -> None:
    backlog = Backlog(ULAW_8K)
    backlog.needed_from = 100 * FRAME
    give(backlog, 90, 400)
    backlog.begin_again(100 * FRAME)
    assert drained(backlog) == list(range(100, 400))


def test_what_is_not_needed_any_more_is_let_go() -> None:
    backlog = Backlog(ULAW_8K)
    backlog.needed_from = 0
    give(backlog, 0, 400)
    backlog.needed_from = None
    give(backlog, 400, 401)
    assert backlog.oldest == (400 - A_SECOND) * FRAME


def test_a_second_session_is_given_the_same_from_where_it_has_to_hear() -> None:
    backlog, second = Backlog(ULAW_8K), Backlog(ULAW_8K)
    backlog.needed_from = 0
    give(backlog, 0, 30)
    keep(backlog, 30, 40)
    second.copy_from(backlog, 10 * FRAME)
    assert drained(second) == list(range(10, 40))
    assert drained(backlog) == list(range(30, 40))


@given(st.lists(st.tuples(st.sampled_from(["keep", "two", "again"]), st.booleans()), max_size=200))
def test_nothing_is_said_out_of_order_and_no_word_is_left_out(steps: list[tuple[str, bool]]) -> None:
    backlog = Backlog(ULAW_8K)
    backlog.needed_from = 0
    said: list[int] = []
    words: list[int] = []
    count = 0
    for step, is_silent in steps:
        if step == "keep":
            backlog.keep(count * FRAME, frame(count), is_silent=is_silent)
            words += [] if is_silent else [count]
            count += 1
        elif step == "two":
            said += numbers(backlog.next_two())
        else:
            backlog.begin_again(0)
            said = []
    said += drained(backlog)
    assert said == sorted(set(said))
    assert [number for number in said if number in words] == words


def test_what_a_model_counts_is_found_on_the_stream_over_pauses_that_were_left_out() -> None:
    backlog = Backlog(ULAW_8K)
    keep(backlog, 100, 110)
    keep(backlog, 110, 260, is_silent=True)  # three seconds, of which one is given
    keep(backlog, 260, 270)
    drained(backlog)
    give(backlog, 270, 280)
    assert backlog.place_of(0) == 100 * FRAME
    assert backlog.place_of(9 * FRAME) == 109 * FRAME
    assert backlog.place_of(59 * FRAME) == 159 * FRAME
    assert backlog.place_of(60 * FRAME) == 260 * FRAME
    assert backlog.place_of(75 * FRAME + 7) == 275 * FRAME + 7


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 120), st.booleans()), max_size=12))
def test_every_frame_that_was_given_is_found_where_it_came_from(stretches: list[tuple[bool, int, bool]]) -> None:
    backlog, at, given_bytes = Backlog(ULAW_8K), 0, 0

    def drain(most: int) -> None:
        nonlocal given_bytes
        for _ in range(most):
            for each in backlog.next_two():
                assert backlog.place_of(given_bytes) == numbers([each])[0] * FRAME
                given_bytes += FRAME

    for is_silent, count, drains in stretches:
        keep(backlog, at, at + count, is_silent=is_silent)
        at += count
        if drains:
            drain(count // 2)
    drain(1000)


def test_another_model_counts_anew() -> None:
    backlog = Backlog(ULAW_8K)
    give(backlog, 0, 60)
    backlog.begin_again(50 * FRAME)
    drained(backlog)
    assert backlog.place_of(0) == 50 * FRAME


def test_another_model_counts_anew_also_where_nothing_has_to_be_heard_again() -> None:
    backlog = Backlog(ULAW_8K)
    give(backlog, 0, 60)
    backlog.begin_again(60 * FRAME)
    give(backlog, 60, 61)
    assert backlog.place_of(0) == 60 * FRAME
