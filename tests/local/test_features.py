from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from app.local.features import cepstra, features_of


def noise(ms: int, rate_hz: int, sigma: float = 3000.0) -> bytes:
    samples = np.random.default_rng(2).normal(0.0, sigma, rate_hz * ms // 1000)
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


@pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="no recogniser for this platform")
def test_cepstra_are_the_recognisers_own_without_its_removal_of_noise(tmp_path: Path) -> None:
    from pocketsphinx import Decoder, get_model_path

    model = tmp_path / "model"
    model.mkdir()
    for file in Path(get_model_path("en-us/en-us")).iterdir():
        (model / file.name).write_bytes(file.read_bytes())
    settings = model / "feat.params"
    settings.write_text(settings.read_text().replace("-remove_noise yes", "-remove_noise no"))
    folder = tmp_path / "cepstra"
    folder.mkdir()
    pcm = noise(1000, 16_000)
    decoder = Decoder(
        hmm=str(model),
        allphone=get_model_path("en-us/en-us-phone.lm.bin"),
        lm=None,
        mfclogdir=str(folder),
        loglevel="FATAL",
    )
    decoder.start_utt()
    decoder.process_raw(pcm, False, True)
    decoder.end_utt()
    (written,) = folder.iterdir()
    theirs = np.frombuffer(written.read_bytes()[4:], dtype=">f4").reshape(-1, 13)
    ours = cepstra(np.frombuffer(pcm, dtype="<i2").astype(np.float64))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 0.01


def test_a_turn_gives_a_hundred_frames_a_second_whatever_its_level() -> None:
    loud, soft = (np.frombuffer(features_of(noise(2000, 24_000, s)), "<f4").reshape(-1, 13) for s in (6000.0, 60.0))
    assert len(loud) == len(soft) == 199
    assert np.abs(loud - soft).mean() < 1.0  # but for the rounding of the soft one


def test_equal_turns_give_equal_features() -> None:
    assert features_of(noise(500, 24_000)) == features_of(noise(500, 24_000))


def test_pauses_lie_below_zero_and_speech_above() -> None:
    turn = bytes(24_000 * 2) + noise(1000, 24_000) + bytes(24_000 * 2)
    c0 = np.frombuffer(features_of(turn), "<f4").reshape(-1, 13)[:, 0]
    assert (c0[:95] < 0).all()
    assert (c0[105:195] > 0).all()
    assert (c0[205:] < 0).all()


def test_silence_gives_nothing() -> None:
    assert features_of(bytes(48_000)) == b""
    assert features_of(b"") == b""
