"""Which voice speaks a language, and what of a text can be spoken. Loads no speech library."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Engine = Literal["pico", "espeak"]

_PICO_VOICES = {"en": "en-US", "en-gb": "en-GB", "de": "de-DE", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}
_USUAL_PRIORITY = 5
_LONGEST_PIECE = 120
"""Characters. Pico speaks a piece as a whole, so this bounds the wait for the first sound of a long sentence."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, and how. name: as the engine knows it; pitch: 0 to 100, of which 50 is the voice's own."""

    engine: Engine
    name: str
    words_per_minute: int = 170
    pitch: int = 50


def is_installed(engine: Engine) -> bool:
    """Whether the engine's package is there. Looks for it without loading it."""
    return find_spec("py_nanotts" if engine == "pico" else "espeakng_loader") is not None


def agent_voice(language: str) -> Voice:
    """Return the voice of an agent. language: BCP 47, "ko-KR".

    SVOX Pico where it is installed and has the language, since it is the smoother one; else espeak-ng.
    """
    tag = language.lower()
    pico = _PICO_VOICES.get(tag) or _PICO_VOICES.get(tag.split("-")[0])
    if pico is not None and is_installed("pico"):
        return Voice("pico", pico)
    return Voice("espeak", _espeak_name(tag))


def caller_voice(language: str) -> Voice:
    """Return the voice of a simulated caller. language: BCP 47.

    In English it is the one that the recogniser understands over a telephone line; most others it does not.
    """
    tag = language.lower()
    if tag.split("-")[0] == "en":
        return Voice("espeak", "en-us+klatt4", words_per_minute=150, pitch=45)
    return Voice("espeak", _espeak_name(tag))


def has_voice(voice: Voice) -> bool:
    """Whether this voice's engine is installed and has it."""
    if not is_installed(voice.engine):
        return False
    if voice.engine == "pico":
        return voice.name in _PICO_VOICES.values()
    return voice.name.split("+")[0] in espeak_voices().values()


@lru_cache(maxsize=1)
def espeak_voices() -> Mapping[str, str]:
    """Return the installed espeak-ng's voice for each language tag it knows, lower case; none without it.

    Read from its data files, so that the library (GPL) stays out of this process. Their lines `language TAG PRIORITY`
    say what they are good for, the lowest number best; a file's name is the voice's.
    """
    spec = find_spec("espeakng_loader")
    if spec is None or not spec.submodule_search_locations:
        return {}
    best: dict[str, tuple[int, str]] = {}
    for file in (Path(spec.submodule_search_locations[0]) / "espeak-ng-data" / "lang").rglob("*"):
        if file.is_file():
            for line in file.read_text("utf-8", errors="replace").splitlines():
                if (words := line.split())[:1] == ["language"]:
                    priority = int(words[2]) if len(words) > 2 else _USUAL_PRIORITY
                    offer = (priority, file.name.lower())
                    best[words[1].lower()] = min(offer, best.get(words[1].lower(), offer))
    return {tag: name for tag, (_, name) in best.items()}


def _espeak_name(tag: str) -> str:
    """Return the voice of the nearest tag that espeak knows: the whole one, else its beginning ("ko-kr" → "ko")."""
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        if (name := espeak_voices().get("-".join(parts[:length]))) is not None:
            return name
    return parts[0]


_LINK = re.compile(r"\[([^\[\]]*)\]\([^()\s]*\)")
_ESPEAK_PHONEMES = re.compile(r"\[\[.*?\]\]", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z!?][^<>]*>")
_MARKUP = str.maketrans(dict.fromkeys("|\\<>[]{}^_", " ") | dict.fromkeys("*`~\ufe0f\u20e3"))
_HEADING = re.compile(r"^\s*(?:#{1,6}\s+|[-+]\s+)", re.MULTILINE)
_SPOKEN_SYMBOLS = "°©®™№"


def speakable(text: str) -> str:
    """Return what of the text a voice can say, on one line: no emoji, markup, control characters or phoneme escapes."""
    text = _ESPEAK_PHONEMES.sub(" ", text)
    text = _TAG.sub(" ", _LINK.sub(r"\1", text))
    text = _HEADING.sub("", text).translate(_MARKUP)
    return " ".join("".join(map(_spoken_character, text)).split())


def _spoken_character(character: str) -> str:
    match unicodedata.category(character):
        case "So" | "Sk":
            return character if character in _SPOKEN_SYMBOLS else " "
        case "Cc" | "Cs" | "Co" | "Cn" | "Zl" | "Zp":
            return " "
        case "Cf":
            return ""
        case _:
            return character


_SENTENCE_END = re.compile(r"(?<=[.?!…])[\"'”’)]*\s+|(?<=[。？！])[」』”]*\s*")
_ABBREVIATION = re.compile(r"\b(?:mr|mrs|ms|dr|st|vs|e\.g|i\.e|[a-z])\.$", re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """Return the text's speakable sentences, one that is long cut at commas or spaces; each has a letter or a digit."""
    pieces: list[str] = []
    begin = 0
    spoken = speakable(text)
    for end in _SENTENCE_END.finditer(spoken):
        if not _ABBREVIATION.search(spoken[begin : end.start()]):
            pieces.append(spoken[begin : end.end()].strip())
            begin = end.end()
    pieces.append(spoken[begin:].strip())
    return [piece for long in pieces for piece in _cut(long) if any(map(str.isalnum, piece))]


def _cut(sentence: str) -> Iterator[str]:
    while len(sentence) > _LONGEST_PIECE:
        head = sentence[:_LONGEST_PIECE]
        at = max(head.rfind(mark) for mark in (", ", "; ", ": ", "、", "，")) + 1
        if at < _LONGEST_PIECE // 3:
            at = head.rfind(" ")
        if at <= 0:
            at = _LONGEST_PIECE
        yield sentence[:at].strip()
        sentence = sentence[at:].strip()
    yield sentence
