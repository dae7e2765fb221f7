"""How a script's messages sound, and how they are cut."""

import asyncio
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio import wav
from app.audio.formats import PCM16_24K, ULAW_8K
from app.audio.wav import Recording
from app.errors import VoiceAgentError
from app.local.script_delivery import Sounds, deltas_of, tone
from app.local.script_steps import Manner, Transcript, Wav
from tests.support.local_session import SteadyMouth

pytestmark = pytest.mark.core


@pytest.mark.parametrize("ms", [1, 7, 1000])
def test_a_tone_has_its_exact_length_and_its_pitch(ms: int) -> None:
    pcm = tone(ms, 1000)
    assert len(pcm) == PCM16_24K.bytes_of(ms)
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    if ms == 1000:
        assert np.argmax(np.abs(np.fft.rfft(samples))) == 1000
        level_dbfs = 20 * math.log10(math.sqrt(float((samples**2).mean())) / 32768)
        assert level_dbfs == pytest.approx(-20, abs=0.1)
        assert abs(samples[0]) < 100
        assert abs(samples[-1]) < 1000


@given(
    st.text(alphabet="ab .", max_size=40),
    st.integers(1, 3000),
    st.lists(st.integers(1, 700), min_size=1, max_size=4),
    st.sampled_from(Transcript),
)
def test_deltas_are_the_whole_message_in_the_sizes_asked_for(
    words: str, size: int, sizes: list[int], transcript: Transcript
) -> None:
    audio = bytes(number % 251 for number in range(size))
    deltas = list(deltas_of(words, audio, ULAW_8K, Manner(delta_bytes=tuple(sizes), transcript=transcript)))
    assert "".join(delta.words for delta in deltas) == words
    assert b"".join(delta.audio for delta in deltas) == audio
    lengths = [len(delta.audio) for delta in deltas if delta.audio]
    asked = [sizes[number % len(sizes)] for number in range(len(lengths))]
    assert lengths[:-1] == asked[:-1]
    assert lengths[-1] <= asked[-1]
    # wherever the words stand, they end in the audio where they would beside it
    begin, ends = 0, []
    for delta in deltas:
        if delta.words:
            ends.append(begin + delta.words_bytes)
        begin += len(delta.audio)
    assert ends == sorted(ends)
    assert all(0 <= end <= size for end in ends)


def test_a_delta_lasts_as_long_as_asked_for() -> None:
    deltas = list(deltas_of("", bytes(960 * 5), PCM16_24K, Manner(delta_ms=40)))
    assert [len(delta.audio) for delta in deltas] == [1920, 1920, 960]


def test_a_wav_file_of_any_rate_is_played_and_named_when_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "hello.wav"
    wav.write(path, Recording(8000, 2, bytes(4 * 800)))
    sounds = Sounds(SteadyMouth(), "en-US")
    assert len(asyncio.run(sounds.of(Wav(path)))) == PCM16_24K.bytes_of(100)
    path.unlink()
    with pytest.raises(VoiceAgentError, match=r"hello.wav can no longer be read"):
        asyncio.run(sounds.of(Wav(path)))
