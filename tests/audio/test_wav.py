"""WAV files in and out, and what is said about those that are not."""

from pathlib import Path

import pytest

from app.audio import wav
from app.errors import VoiceAgentError

pytestmark = pytest.mark.core


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    recording = wav.Recording(8000, 2, wav.interleave(b"\x01\x00\x02\x00", b"\x03\x00"))
    wav.write(tmp_path / "new" / "call.wav", recording)
    assert wav.read(tmp_path / "new" / "call.wav") == recording
    assert recording.pcm == b"\x01\x00\x03\x00\x02\x00\x00\x00"


def test_mono_is_the_mean_at_the_rate_asked_for() -> None:
    stereo = wav.Recording(24000, 2, wav.interleave(b"\x64\x00" * 2400, b"\xc8\x00" * 2400))
    mono = stereo.mono(8000)
    assert len(mono) == 1600
    assert mono[800:802] == b"\x96\x00"
    assert stereo.duration_ms == 100


def test_a_file_that_is_no_wav_says_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(b"ID3 not a wave file at all")
    with pytest.raises(VoiceAgentError, match="sox"):
        wav.read(path)


@pytest.mark.parametrize("size", [0, 3, 11, 20, 43])
def test_a_file_that_was_cut_short_is_told_to_be(size: int, tmp_path: Path) -> None:
    path = tmp_path / "half.wav"
    wav.write(path, wav.Recording(8000, 1, b"\x00\x10" * 800))
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(VoiceAgentError, match=r"not a PCM WAV file \(\w"):
        wav.read(path)
