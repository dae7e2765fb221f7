"""Numbers as callers say and type them: "one zero four two", "double five", "ten forty two", "10-42".

A caller says the digits of a number one by one or in pairs; both give the same string of digits. Only whole numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_UNITS = {word: value for value, word in enumerate(DIGIT_WORDS)} | {"oh": 0, "o": 0, "nought": 0, "niner": 9}
_TEENS = {
    word: 10 + value
    for value, word in enumerate(
        (
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        )
    )
}
_TENS = {
    word: 20 + 10 * value
    for value, word in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"))
}
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_SOUNDS_LIKE = {"for": "4", "to": "2", "too": "2", "won": "1", "ate": "8"}  # only between digits: so others write them
_NOT_ALONE = {"oh", "o"}  # "oh" by itself is a sigh


@dataclass(frozen=True, slots=True)
class Run:
    """One number in a turn; start, end: the words it stands in, as positions (end is behind it)."""

    digits: str
    start: int
    end: int


def spelled(digits: str) -> str:
    """Return digits as words, one each: "1042" gives "one zero four two"."""
    return " ".join(DIGIT_WORDS[int(digit)] for digit in digits)


def runs(words: Sequence[str]) -> list[Run]:
    """Return the numbers among these words, in order; neighbouring digits are one number."""
    found: list[Run] = []
    position = 0
    while position < len(words):
        digits, end = _number_at(words, position)
        if digits and not all(word in _NOT_ALONE for word in words[position:end]):
            found.append(Run(digits, position, end))
        position = max(end, position + 1)
    return found


def _number_at(words: Sequence[str], start: int) -> tuple[str, int]:
    digits, position = "", start
    while position < len(words):
        piece, after = _piece_at(words, position)
        if not piece:
            piece, after = _misheard_at(words, position, is_inside=bool(digits))
        if not piece:
            break
        digits, position = digits + piece, after
    return digits, position


def _misheard_at(words: Sequence[str], position: int, *, is_inside: bool) -> tuple[str, int]:
    """Return the digit that sounds like the words here, where digits stand beside it."""
    word, is_before = words[position], bool(_piece_at(words, position + 1)[0])
    if is_inside and is_before and word in _SOUNDS_LIKE:
        return _SOUNDS_LIKE[word], position + 1
    if word == "when" and is_before:
        return "1", position + 1
    is_seven = word == "have" and tuple(words[position + 1 : position + 2]) == ("a",)
    if is_seven and (is_inside or (_piece_at(words, position + 2)[0] and _piece_at(words, position + 3)[0])):
        return "7", position + 2
    return "", position


def _piece_at(words: Sequence[str], position: int) -> tuple[str, int]:
    """Return the digits that begin at a word, and the position behind them; no digits: an empty string."""
    if position >= len(words):
        return "", position
    word = words[position]
    if word.isascii() and word.isdigit():
        return word, position + 1
    if word in _REPEATS and position + 1 < len(words) and words[position + 1] in _UNITS:
        return str(_UNITS[words[position + 1]]) * _REPEATS[word], position + 2
    value, after = _hundreds_at(words, position)
    if after < len(words) and words[after] == "thousand" and after > position:
        rest, end = _hundreds_at(words, _past_and(words, after + 1))
        return str(value * 1000 + (rest if end > after + 1 else 0)), max(end, after + 1)
    return ("", position) if after == position else (str(value), after)


def _hundreds_at(words: Sequence[str], position: int) -> tuple[int, int]:
    value, after = _pair_at(words, position)
    if after == position or after >= len(words) or words[after] != "hundred":
        return value, after
    tail, end = _pair_at(words, _past_and(words, after + 1))
    if end > after + 1 and words[end - 1] not in _NOT_ALONE:
        return value * 100 + tail, end
    return value * 100, after + 1


def _pair_at(words: Sequence[str], position: int) -> tuple[int, int]:
    """Read one word ("four", "twelve", "forty") or a pair ("forty two"); an unmoved position means: no number."""
    if position >= len(words):
        return 0, position
    word = words[position]
    if word in _UNITS:
        return _UNITS[word], position + 1
    if word in _TEENS:
        return _TEENS[word], position + 1
    if word in _TENS:
        if position + 1 < len(words) and _UNITS.get(words[position + 1], 0) > 0:
            return _TENS[word] + _UNITS[words[position + 1]], position + 2
        return _TENS[word], position + 1
    return 0, position


def _past_and(words: Sequence[str], position: int) -> int:
    is_joint = (
        position + 1 < len(words) and words[position] == "and" and _pair_at(words, position + 1)[1] > position + 1
    )
    return position + 1 if is_joint else position
