import asyncio
from pathlib import Path

import numpy as np
import pytest

from app.audio import mulaw, wav
from app.carrier.steps import BargeIn, HangUp, Say, Step, Utterance, Wav
from app.carrier.voice import levelled, prepare, spoken_ms, utterance
from app.errors import VoiceAgentError

pytestmark = pytest.mark.core


def sine(samples: int, rate_hz: int, amplitude: float = 8000) -> bytes:
    return np.rint(amplitude * np.sin(2 * np.pi * 440 * np.arange(samples) / rate_hz)).astype("<i2").tobytes()


class Voice:
    """Says anything as one second of a tone, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def speak(self, text: str, language: str) -> bytes:
        self.asked.append((text, language))
        return sine(24_000, 24_000)


def ready(steps: list[Step], voice: Voice | None, level_dbfs: float | None = -20) -> tuple[Step, ...]:
    speak = None if voice is None else voice.speak
    return asyncio.run(prepare(steps, speak=speak, language="en-US", level_dbfs=level_dbfs))


def level_dbfs(ulaw: bytes) -> float:
    samples = np.frombuffer(mulaw.decode(ulaw), dtype="<i2").astype(float)
    return float(20 * np.log10(np.sqrt((samples**2).mean()) / 32768))


def test_text_becomes_sound_of_its_language_and_level_each_once() -> None:
    voice = Voice()
    steps = ready([Say("Hi"), BargeIn(100, Say("Hi")), Say("Hallo", "de-DE", -30), HangUp()], voice)
    assert voice.asked == [("Hi", "en-US"), ("Hallo", "de-DE")]
    hi, barge_in, hallo, hang_up = steps
    assert isinstance(hi, Utterance)
    assert isinstance(hallo, Utterance)
    assert barge_in == BargeIn(100, hi)
    assert hang_up == HangUp()
    assert len(hi.ulaw) == 8000
    assert level_dbfs(hi.ulaw) == pytest.approx(-20, abs=0.3)
    assert level_dbfs(hallo.ulaw) == pytest.approx(-30, abs=0.3)


def test_a_file_of_any_rate_becomes_sound(tmp_path: Path) -> None:
    wav.write(tmp_path / "a.wav", wav.Recording(44_100, 1, bytes(44_100) + sine(44_100, 44_100) + bytes(44_100)))
    (words,) = ready([Wav(tmp_path / "a.wav")], None)
    assert isinstance(words, Utterance)
    assert words.text == "a.wav"
    assert len(words.ulaw) == 16_000
    assert words.begin == pytest.approx(4000, abs=40)
    assert words.end == pytest.approx(12_000, abs=40)


def test_a_level_may_be_left_as_it_is(tmp_path: Path) -> None:
    pcm = sine(8000, 8000, 500)
    wav.write(tmp_path / "soft.wav", wav.Recording(8000, 1, pcm))
    (words,) = ready([Wav(tmp_path / "soft.wav")], None, level_dbfs=None)
    assert isinstance(words, Utterance)
    assert words.ulaw == mulaw.encode(pcm)


def test_text_without_a_voice_and_sound_without_sound_are_errors(tmp_path: Path) -> None:
    with pytest.raises(VoiceAgentError, match="no voice is at hand"):
        ready([Say("Hi")], None)
    wav.write(tmp_path / "quiet.wav", wav.Recording(8000, 1, bytes(16_000)))
    with pytest.raises(VoiceAgentError, match="nothing to hear"):
        ready([Wav(tmp_path / "quiet.wav")], None)


def test_pauses_do_not_count_for_the_level_and_nothing_clips() -> None:
    speech = sine(8000, 8000, 1000)
    loud = levelled(speech + bytes(16_000 * 5), -20)
    assert level_dbfs(mulaw.encode(loud[: len(speech)])) == pytest.approx(-20, abs=0.3)
    peak = np.abs(np.frombuffer(levelled(speech, 0), dtype="<i2")).max()
    assert 30_000 < peak <= 32_000


def test_a_short_sound_keeps_its_place() -> None:
    words = utterance("blip", bytes(2 * 100) + sine(30, 8000) + bytes(2 * 5))
    assert (words.begin, words.end) == (101, 130)


def test_a_text_lasts_about_as_long_as_a_voice_takes() -> None:
    assert 2000 < spoken_ms("You are speaking with an assistant.") < 3500
    assert 1500 < spoken_ms("안녕하세요 고객님") < 2500
