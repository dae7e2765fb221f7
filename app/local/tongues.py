"""A language of the dialogue: its sentences, how its turns are understood, and whether it is heard at all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.local.english import English
from app.local.foreign import understand_foreign
from app.local.intents import Heard, understand
from app.local.japanese import Japanese
from app.local.korean import Korean
from app.local.offers import Tool
from app.local.wording import Wording


class Understanding(Protocol):
    """What a turn asks for, from its words."""

    def __call__(self, text: str, tools: Sequence[Tool], topics: Collection[str] = (), /) -> Heard: ...


@dataclass(frozen=True, slots=True)
class Tongue:
    """hears: speech is recognised; without it the caller is steered by the keypad, and can type."""

    wording: Wording
    understand: Understanding
    hears: bool


_ENGLISH = Tongue(English(), understand, hears=True)
_TONGUES = {
    "en": _ENGLISH,
    "ko": Tongue(Korean(), understand_foreign, hears=False),
    "ja": Tongue(Japanese(), understand_foreign, hears=False),
}


def tongue_of(language: str) -> Tongue:
    """Return the tongue for a language code, English for those that have none."""
    return _TONGUES.get(language[:2].lower(), _ENGLISH)
