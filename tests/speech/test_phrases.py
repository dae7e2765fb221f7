"""Fixed sentences: rendered once, kept by text, voice and language, and honest about those that fail."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from app.audio.formats import PCM16_24K, ULAW_8K, AudioFormat
from app.audio.transcoder import as_audio
from app.errors import VoiceAgentError
from app.speech.phrases import PhraseBook


class Voice:
    """Speaks a text as its own bytes; counts."""

    def __init__(self, name: str = "tester-1") -> None:
        self.name = name
        self.spoken: list[str] = []

    async def speak(self, text: str, language: str) -> bytes:
        self.spoken.append(text)
        if text == "mute":
            raise VoiceAgentError("no voice for this")
        if text == "endless":
            return bytes(48_000 * 121)
        return (text + language).encode("utf-16-le")


def render(book: PhraseBook, *texts: str, language: str = "en-US") -> dict[str, str]:
    return asyncio.run(book.render({text: text for text in texts}, language))


def test_a_sentence_is_rendered_once_and_kept_on_disk(tmp_path: Path) -> None:
    voice = Voice()
    book = PhraseBook(tmp_path / "phrases", voice)
    assert render(book, "Hello.") == {}
    sound = book.sound_of("Hello.", "en-US")
    assert sound == "Hello.en-US".encode("utf-16-le")
    render(book, "Hello.")
    again = PhraseBook(tmp_path / "phrases", voice)
    render(again, "Hello.")
    assert again.sound_of("Hello.", "en-US") == sound
    assert voice.spoken == ["Hello."]


def test_a_call_in_g711_gets_the_sentence_in_g711_which_is_made_of_it_once(tmp_path: Path) -> None:
    book = PhraseBook(tmp_path, Voice())
    render(book, "Hello.")
    sound = book.sound_of("Hello.", "en-US", PCM16_24K)
    assert sound is not None
    narrow = book.sound_of("Hello.", "en-US", ULAW_8K)
    assert narrow == as_audio(sound, ULAW_8K)
    assert book.sound_of("Hello.", "en-US", ULAW_8K) is narrow
    assert book.sound_of("Goodbye.", "en-US", ULAW_8K) is None
    with pytest.raises(ValueError, match="alaw_8k"):  # a format that no model here has
        book.sound_of("Hello.", "en-US", AudioFormat("alaw_8k", 8000, 1, b"\xd5"))


def test_another_voice_or_language_is_another_sound(tmp_path: Path) -> None:
    book = PhraseBook(tmp_path, Voice())
    render(book, "Hello.")
    render(book, "Hello.", language="ko-KR")
    other = Voice("tester-2")
    render(PhraseBook(tmp_path, other), "Hello.")
    assert book.sound_of("Hello.", "en-US") != book.sound_of("Hello.", "ko-KR")
    assert other.spoken == ["Hello."]


def test_one_that_fails_is_named_and_holds_the_others_up_by_nothing(tmp_path: Path) -> None:
    book = PhraseBook(tmp_path, Voice())
    failed = render(book, "mute", "endless", "Hello.")
    assert failed["mute"] == "no voice for this"
    assert "shorter" in failed["endless"]
    assert book.sound_of("mute", "en-US") is None
    assert book.sound_of("Hello.", "en-US") is not None


def test_the_same_words_under_two_names_are_rendered_once_also_where_they_fail(tmp_path: Path) -> None:
    voice = Voice()
    book = PhraseBook(tmp_path, voice)
    names = {"disclosure": "mute", "reminder": "mute", "idle": "Hello?", "goodbye": "Hello?"}
    assert set(asyncio.run(book.render(names, "en-US"))) == {"disclosure", "reminder"}
    assert voice.spoken == ["mute", "Hello?"]


@pytest.mark.parametrize(
    "broken",
    [lambda kept: b"", lambda kept: b"odd", lambda kept: kept[:-4], lambda kept: kept[:-2] + b"xx", bytes.upper],
)
def test_a_broken_file_is_rendered_anew(tmp_path: Path, broken: Callable[[bytes], bytes]) -> None:
    voice = Voice()
    render(PhraseBook(tmp_path, voice), "Hello.")
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(broken(kept.read_bytes()))
    book = PhraseBook(tmp_path, voice)
    render(book, "Hello.")
    assert voice.spoken == ["Hello.", "Hello."]
    assert book.sound_of("Hello.", "en-US") == "Hello.en-US".encode("utf-16-le")


def test_a_disk_that_takes_nothing_costs_only_time(tmp_path: Path) -> None:
    blocked = tmp_path / "a file, no folder"
    blocked.write_text("")
    book = PhraseBook(blocked, Voice())
    assert render(book, "Hello.") == {}
    assert book.sound_of("Hello.", "en-US") is not None
