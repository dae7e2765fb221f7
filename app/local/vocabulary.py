"""The words the recogniser may hear: sentences made from an agent's instructions and tools."""

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from app.local.digits import spelled
from app.local.instructions import facts_in
from app.local.offers import ToolOffer, tools_of
from app.local.parameters import ANY_LENGTHS, Kind, Parameter
from app.local.phrases import Phrase, phrases_of
from app.local.sayings import Intent
from app.local.words import words_of

__all__ = ["ToolOffer", "Vocabulary", "expected", "vocabulary_of"]

_MOST = 1500  # sentences: the language model over them is then built in about a tenth of a second
_NUMBERS = 560  # of these with a number: strings of digits are what is hard to hear, and 400 are the least that serves
_BEFORE = ("hello", "yes", "okay", "sorry")
_BEHIND = ("please", "thank you")
_SEED = 1042


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the recogniser listens for.

    sentences: lower case words, digits spelled out ("my order number is one zero four two").
    pronunciations: word → ARPAbet, for words that no dictionary has; may be empty.
    """

    sentences: tuple[str, ...]
    pronunciations: Mapping[str, str]

    @property
    def key(self) -> str:
        """A name for these contents that is the same in every process: decoders are kept by it."""
        contents = json.dumps([self.sentences, sorted(self.pronunciations.items())])
        return hashlib.sha256(contents.encode()).hexdigest()[:16]


def vocabulary_of(instructions: str, tools: Sequence[ToolOffer]) -> Vocabulary:
    """Return the sentences worth listening for with these instructions and tools; equal input gives equal output."""
    return Vocabulary(tuple(dict.fromkeys(one.words for one in expected(instructions, tools))), {})


def expected(instructions: str, tools: Sequence[ToolOffer]) -> tuple[Phrase, ...]:
    """Return the sentences of the vocabulary, each with what the dialogue understands in it."""
    offered = tools_of(tools)
    phrases = list(phrases_of(offered, tuple(facts_in(instructions, [tool.noun for tool in offered]))))
    plain = [phrase for phrase in phrases if phrase.number is None]
    numbered = list(_with_digits([phrase for phrase in phrases if phrase.number is not None]))
    room = _MOST - len(numbered)
    return (*_with_fillers(plain, room), *numbered)


def _with_fillers(phrases: Sequence[Phrase], room: int) -> list[Phrase]:
    """Return the phrases, and, as far as there is room, each with words of courtesy before and behind."""
    rows = [
        list(phrases),
        *(
            [replace(one, words=f"{word} {one.words}") for one in phrases if _takes_before(one, word)]
            for word in _BEFORE
        ),
        *(
            [replace(one, words=f"{one.words} {word}") for one in phrases if _takes_behind(one, word)]
            for word in _BEHIND
        ),
    ]
    kept: dict[str, Phrase] = {}
    for row in rows:
        for phrase in row:
            if len(kept) < room:
                kept.setdefault(_readable(phrase.words), replace(phrase, words=_readable(phrase.words)))
    return list(kept.values())


def _with_digits(phrases: Sequence[Phrase]) -> Iterator[Phrase]:
    """Yield sentences with numbers in them: phrases in turn, digits by a fixed seed, all lengths equally often."""
    if not phrases:
        return
    chance = random.Random(_SEED)  # noqa: S311 - example numbers, no secrets
    for place in range(_NUMBERS):
        phrase = phrases[place % len(phrases)]
        number = phrase.number
        lengths = _lengths_of(number) if number is not None else ANY_LENGTHS
        length = lengths[(place // len(phrases)) % len(lengths)]
        digits = "".join(chance.choice("0123456789") for _ in range(length))
        yield replace(phrase, words=_readable(phrase.words.replace("#", f" {_said(digits, chance)} ")))


def _lengths_of(number: Parameter) -> tuple[int, ...]:
    if number.kind is Kind.DATE:
        return (8,)
    return tuple(length for length in number.lengths if length <= 12) or ANY_LENGTHS


def _said(digits: str, chance: random.Random) -> str:
    """Spell digits out as callers do: now and then "oh" for zero, "double" for two of a kind."""
    words = spelled(digits).split()
    if chance.random() < 0.25:
        words = ["oh" if word == "zero" else word for word in words]
    if chance.random() < 0.2:
        for place in range(len(words) - 1):
            if words[place] == words[place + 1]:
                words[place : place + 2] = ["double", words[place]]
                break
    return " ".join(words)


def _takes_before(phrase: Phrase, word: str) -> bool:
    return phrase.words.split()[0] not in {*_BEFORE, "no", "actually", "thank", "thanks", "hi", "yeah"} and (
        phrase.intent in {Intent.REQUEST, Intent.QUESTION, Intent.FACT}
        or (word == "okay" and phrase.intent is Intent.GOODBYE)
    )


def _takes_behind(phrase: Phrase, word: str) -> bool:
    if phrase.words.split()[-1] in {"please", "you", "thanks"} or "please" in phrase.words:
        return False
    courteous = {Intent.REQUEST, Intent.QUESTION, Intent.YES, Intent.NO, Intent.REPEAT, Intent.PERSON}
    return phrase.intent in courteous - ({Intent.NO, Intent.REPEAT} if word == "thank you" else set())


def _readable(words: str) -> str:
    """Words as the dictionary has them: lower case, and what is written in digits or signs spelled out."""
    return " ".join(spelled(word) if word.isascii() and word.isdigit() else word for word in words_of(words))
