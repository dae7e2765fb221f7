"""The figures that the resampler promises, each measured on tones and sweeps."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.audio.resample import Resampler, resample

pytestmark = pytest.mark.core

RATIOS = [(8000, 24000), (24000, 8000), (16000, 24000), (24000, 16000), (22050, 24000), (8000, 16000), (44100, 8000)]


def tone(hz: float, rate_hz: int, seconds: float = 0.5, amplitude: float = 12000) -> bytes:
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    return np.rint(amplitude * np.sin(2 * np.pi * hz * t)).astype("<i2").tobytes()


def samples(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, dtype="<i2").astype(np.float64)


def middle(pcm: bytes) -> NDArray[np.float64]:
    """The steady part, without the edges of the tone."""
    all_of_it = samples(pcm)
    edge = len(all_of_it) // 5
    return all_of_it[edge:-edge]


def level_db(pcm: bytes, amplitude: float = 12000) -> float:
    rms = float(np.sqrt(np.mean(middle(pcm) ** 2)))
    return 20 * float(np.log10(max(rms, 1e-9) / (amplitude / np.sqrt(2))))


@pytest.mark.parametrize(("from_hz", "to_hz"), [(8000, 24000), (24000, 8000)])
def test_passband_is_flat_to_3400_hz(from_hz: int, to_hz: int) -> None:
    for hz in (50, 300, 1000, 2000, 3000, 3300, 3400):
        assert abs(level_db(resample(tone(hz, from_hz), from_hz, to_hz))) < 0.5, hz


def test_what_would_alias_is_60_db_down() -> None:
    # from 4.0 kHz up everything folds into the telephone band; 4.6 kHz and more fold below 3.4 kHz
    for hz in (4000, 4100, 4300, 4600, 5000, 6000, 7000, 8100, 9500, 11900):
        assert level_db(resample(tone(hz, 24000), 24000, 8000)) < -60, hz


def test_images_are_60_db_down() -> None:
    for hz in (200, 1000, 2500, 3400):
        tone_up = middle(resample(tone(hz, 8000), 8000, 24000))
        spectrum = np.abs(np.fft.rfft(tone_up * np.blackman(len(tone_up)))) ** 2
        frequencies = np.fft.rfftfreq(len(tone_up), 1 / 24000)
        image = spectrum[frequencies > 4000].sum() / spectrum.sum()
        assert 10 * np.log10(image) < -60, hz


def test_a_sweep_beyond_the_band_comes_out_as_nothing() -> None:
    t = np.arange(24000) / 24000
    sweep = np.rint(12000 * np.sin(2 * np.pi * (4100 * t + 3800 * t * t))).astype("<i2").tobytes()
    assert level_db(resample(sweep, 24000, 8000)) < -60


@pytest.mark.parametrize(("from_hz", "to_hz"), RATIOS)
def test_delay_is_at_most_5_ms(from_hz: int, to_hz: int) -> None:
    resampler = Resampler(from_hz, to_hz)
    pushed = resampler.push(tone(440, from_hz))
    held_back = len(resampler.flush()) / 2 / to_hz * 1000
    assert len(pushed) > 0
    assert held_back <= 5.0


@pytest.mark.parametrize(("from_hz", "to_hz"), RATIOS)
def test_output_stands_where_the_input_stood(from_hz: int, to_hz: int) -> None:
    """Aligned: the resampled tone is the tone sampled at the other rate."""
    want = samples(tone(440, to_hz, 0.4))
    got = samples(resample(tone(440, from_hz, 0.4), from_hz, to_hz))
    size = min(len(want), len(got))
    edge = size // 5
    assert np.abs(want[edge : size - edge] - got[edge : size - edge]).max() < 60


@pytest.mark.parametrize(("from_hz", "to_hz"), RATIOS)
def test_silence_stays_silence(from_hz: int, to_hz: int) -> None:
    assert set(resample(bytes(2 * 1234), from_hz, to_hz)) == {0}


@pytest.mark.parametrize(("from_hz", "to_hz"), RATIOS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_split_gives_the_same_bits_and_the_exact_length(from_hz: int, to_hz: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 3000))
    seed = data.draw(st.integers(0, 2**32 - 1))
    pcm = np.random.default_rng(seed).integers(-32768, 32768, size).astype("<i2").tobytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=12)))
    resampler = Resampler(from_hz, to_hz)
    edges = [0, *cuts, size]
    parts = [resampler.push(pcm[2 * a : 2 * b]) for a, b in itertools.pairwise(edges)]
    out = b"".join(parts) + resampler.flush()
    assert out == resample(pcm, from_hz, to_hz)
    assert len(out) // 2 == -(-size * resampler.up // resampler.down)


def test_threads_do_not_disturb_each_other() -> None:
    recordings = [np.random.default_rng(seed).integers(-9000, 9000, 8000).astype("<i2").tobytes() for seed in range(8)]
    alone = [resample(pcm, 8000, 24000) for pcm in recordings]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(lambda pcm: resample(pcm, 8000, 24000), recordings)) == alone


@pytest.mark.parametrize("amplitude", [9000, 14000, 14300, 14600, 15000, 16000, 20000, 26000, 32767])
@pytest.mark.parametrize(("from_hz", "to_hz"), [(8000, 24000), (24000, 8000)])
def test_what_is_too_loud_is_limited_not_wrapped(from_hz: int, to_hz: int, amplitude: int) -> None:
    """A square overshoots by more than any voice: at some level the limit begins to be needed."""
    half_period = from_hz // 800
    square = np.where(np.arange(80 * half_period) // half_period % 2, amplitude, -amplitude).astype("<i2").tobytes()
    out = samples(resample(square, from_hz, to_hz))
    steady = out[100:-100]
    assert amplitude <= np.abs(steady).max() <= 32768
    changes = np.abs(np.diff(np.sign(steady))).sum() / 2
    assert changes <= 800 * len(steady) / to_hz + 1  # as many as the square has, no wrap-around
