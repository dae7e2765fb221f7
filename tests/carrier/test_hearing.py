import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio import mulaw
from app.carrier.hearing import WINDOW, Hearing, Stretch, audible

pytestmark = pytest.mark.core


def tone(samples: int, level_dbfs: float) -> bytes:
    amplitude = 32768 * 10 ** (level_dbfs / 20) * 2**0.5
    wave = amplitude * np.sin(2 * np.pi * 1000 * (np.arange(samples) + 0.5) / 8000)
    return mulaw.encode(np.rint(wave).astype("<i2").tobytes())


def test_sound_is_found_to_the_sample() -> None:
    hearing = Hearing()
    hearing.hear(8000, b"\xff" * 403 + tone(800, -20) + b"\xff" * 397)
    assert hearing.stretches == [Stretch(8403, 9203)]


def test_a_short_pause_does_not_part_what_a_long_one_does() -> None:
    hearing = Hearing()
    hearing.hear(0, tone(400, -20))
    hearing.hear(400 + 1560, tone(400, -20))
    hearing.hear(2360 + 1600, tone(400, -20))
    assert [(stretch.begin, stretch.end) for stretch in hearing.stretches] == [(0, 2360), (3960, 4360)]


@pytest.mark.parametrize(("level_dbfs", "is_heard"), [(-45, True), (-55, False)])
def test_only_what_is_louder_than_minus_50_dbfs_is_heard(level_dbfs: float, is_heard: bool) -> None:
    assert (audible(tone(800, level_dbfs)) is not None) is is_heard


def test_silence_is_silent_in_both_of_its_codes() -> None:
    assert audible(b"\xff\x7f" * 400) is None


def test_what_was_heard_since_counts_from_within_a_stretch() -> None:
    hearing = Hearing()
    hearing.hear(0, tone(800, -20))
    hearing.hear(8000, tone(800, -20))
    assert hearing.audible_since(400) == 400 + 800
    assert hearing.audible_since(9000) == 0


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=12), st.integers(1, 50))
def test_how_the_line_is_cut_into_pieces_changes_nothing(line: list[tuple[bool, int]], windows: int) -> None:
    ulaw = b"".join(tone(WINDOW * length, -20) if sounds else b"\xff" * WINDOW * length for sounds, length in line)
    whole, pieces = Hearing(), Hearing()
    whole.hear(0, ulaw)
    for at in range(0, len(ulaw), windows * WINDOW):
        pieces.hear(at, ulaw[at : at + windows * WINDOW])
    assert whole.stretches == pieces.stretches
