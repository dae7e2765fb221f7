"""Text as a synthesiser must be given it, so that it is read right: no digits, signs or markup that it gets wrong.

Both embedded voices read 1042 as an amount, $12.50 as "dollar twelve point five zero" and 11/21/2026 with slashes;
kanji come out as "Chinese letter". What matters most is that an order number is read digit by digit.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

from app.local.english_reading import read_english
from app.local.japanese_reading import read_japanese
from app.local.korean_reading import read_korean

_READERS: Mapping[str, Callable[[str], str]] = {"en": read_english, "ko": read_korean, "ja": read_japanese}
_PHONEMES = re.compile(r"\[\[.*?(?:\]\]|$)", re.DOTALL)  # espeak would take them for phonemes
_TAGS = re.compile(r"<[^<>]*>?")  # both would take them for their own markup
_LINKS = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"[*_`~|^\\{}\[\]<>]+|^[ \t]*(?:#+|[-•>]+)[ \t]+", re.MULTILINE)
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": ", ", "…": ".", "\u00a0": " ", "−": "-"})


def spoken(text: str, language: str) -> str:
    """Return what to give to the voice for these words.

    language: its code; one without a reader of its own gets its text cleaned of markup, with numbers as they are. The
    result of an English text has no digits left.
    """
    plain = _clean(text)
    reader = _READERS.get(language[:2].lower())
    return " ".join((reader(plain) if reader is not None else plain).split())


def _clean(text: str) -> str:
    text = _TAGS.sub(" ", _PHONEMES.sub(" ", text))
    text = _MARKUP.sub(" ", _LINKS.sub(r"\1", text).translate(_PLAIN))
    text = re.sub(r"(?<=[.?!:;,。、？！])\s*\n\s*", " ", text.strip())
    text = re.sub(r"\s*\n\s*", ". ", text)  # a line is a sentence
    return "".join(char for char in unicodedata.normalize("NFC", text) if _is_said(char))


def _is_said(char: str) -> bool:
    """Controls, emoji and private signs are not; currency, percent and the like are, by the readers."""
    category = unicodedata.category(char)
    return (
        not (category.startswith("C") or category in {"So", "Sk", "Me"} or "\ufe00" <= char <= "\ufe0f") or char == "°"
    )
