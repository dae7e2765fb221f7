import numpy as np
import pytest

from app.audio import mulaw
from app.carrier.hearing import Hearing, Stretch, audible

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
    assert bool(list(audible(tone(800, level_dbfs)))) is is_heard


def test_silence_is_silent_in_both_of_its_codes() -> None:
    assert list(audible(b"\xff\x7f" * 400)) == []


def test_what_was_heard_since_counts_from_within_a_stretch() -> None:
    hearing = Hearing()
    hearing.hear(0, tone(800, -20))
    hearing.hear(8000, tone(800, -20))
    assert hearing.audible_since(400) == 400 + 800
    assert hearing.audible_since(9000) == 0
