import numpy as np
import pytest

from app.local.loudness import level_dbfs, shape

pytestmark = pytest.mark.core

RATE_HZ = 16_000


def tone(ms: int, peak: float, hz: float = 440.0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(peak * np.sin(2 * np.pi * hz * np.arange(RATE_HZ * ms // 1000) / RATE_HZ))


def pcm(*parts: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bytes:
    return np.rint(np.concatenate(parts)).astype("<i2").tobytes()


@pytest.mark.parametrize("peak", [300.0, 3000.0, 30000.0])
def test_speech_comes_out_at_24_khz_and_at_minus_20_whatever_its_level_was(peak: float) -> None:
    shaped = shape(pcm(tone(1000, peak)), RATE_HZ)
    assert abs(len(shaped) / 48 - 1000) <= 5
    assert level_dbfs(shaped, 24_000) == pytest.approx(-20.0, abs=0.2)


def test_pauses_do_not_count_for_the_level() -> None:
    quiet = np.zeros(RATE_HZ * 2)
    assert level_dbfs(pcm(tone(200, 8000.0), quiet, tone(200, 8000.0)), RATE_HZ) == pytest.approx(-15.3, abs=0.3)


def test_silence_at_the_edges_is_cut_to_50_and_100_ms_and_kept_between() -> None:
    gap = np.zeros(RATE_HZ // 2)
    shaped = shape(pcm(gap, tone(200, 8000.0), gap, tone(200, 8000.0), gap), RATE_HZ)
    assert len(shaped) / 48 == pytest.approx(50 + 200 + 500 + 200 + 100, abs=5)


def test_single_peaks_stay_below_minus_3() -> None:
    clicks = tone(1000, 1000.0)
    clicks[::2000] = 32000.0
    loudest = np.abs(np.frombuffer(shape(pcm(clicks), RATE_HZ), dtype="<i2").astype(int)).max()
    assert 0.5 * 32768 < loudest < 0.708 * 32768


def test_silence_gives_nothing() -> None:
    assert shape(bytes(32_000), RATE_HZ) == b""
    assert shape(b"", RATE_HZ) == b""
    assert level_dbfs(bytes(32_000), RATE_HZ) == float("-inf")
