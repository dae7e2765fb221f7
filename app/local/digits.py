"""Numbers as callers say and type them: "one zero four two", "double five", "ten forty two", "10-42".

A caller says the digits of a number one by one or in pairs; both give the same string of digits. What is said with a
point, or as prices are said, is kept as a decimal number beside them: whether it is one, only its parameter knows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
_MONEY = {"dollar", "dollars", "euro", "euros", "pound", "pounds"}
_PARTS = {"cent", "cents", "pence", "penny"}
_BETWEEN_CHOICES = ({"or"}, {"maybe"}, {"perhaps"}, {"or", "maybe"}, {"or", "perhaps"})
_WITH_POINT = re.compile(r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d*)\.(\d+)(?![\d.])")


@dataclass(frozen=True, slots=True)
class Run:
    """One number in a turn; start, end: the words it stands in, as positions (end is behind it).

    decimal: "12.50", where it was said or written with a point, or with its cents. price: the same where it was said in
    two, as prices are: "twelve fifty", which is 1250 too.
    """

    digits: str
    start: int
    end: int
    decimal: str = ""
    price: str = ""


def spelled(digits: str) -> str:
    """Return digits as words, one each: "1042" gives "one zero four two"."""
    return " ".join(DIGIT_WORDS[int(digit)] for digit in digits)


def with_points(text: str) -> str:
    """Return a text with the points of its numbers as words: "12.50" gives "12 point 50"."""
    return _WITH_POINT.sub(lambda match: f"{match[1].replace(',', '') or '0'} point {match[2]}", text)


def runs(words: Sequence[str]) -> list[Run]:
    """Return the numbers among these words, in order; neighbouring digits are one number."""
    found: list[Run] = []
    position = 0
    while position < len(words):
        run = _run_at(words, position)
        if run is not None and not all(word in _NOT_ALONE for word in words[position : run.end]):
            found.append(run)
        position = max(run.end if run is not None else 0, position + 1)
    return found


def without_choices(numbers: Sequence[Run], words: Sequence[str]) -> list[Run]:
    """Return the numbers but for those that a caller leaves open: "four or five" is neither."""
    open_ends = {
        run
        for one, other in pairwise(numbers)
        if set(words[one.end : other.start]) in _BETWEEN_CHOICES
        for run in (one, other)
    }
    return [run for run in numbers if run not in open_ends]


def _run_at(words: Sequence[str], start: int) -> Run | None:
    pieces, end = _pieces_at(words, start)
    if not pieces:
        return None
    digits = "".join(pieces)
    behind, after = _behind_point_at(words, end)
    if behind:
        return Run(digits + behind, start, after, decimal=f"{digits}.{behind}")
    is_price = len(pieces) == 2 and len(pieces[0]) <= 2 and len(pieces[1]) == 2 and not words[start].isdigit()
    return Run(digits, start, end, price=".".join(pieces) if is_price else "")


def _behind_point_at(words: Sequence[str], position: int) -> tuple[str, int]:
    """Return the digits behind a point, or the cents behind dollars; none: an empty string."""
    word, after = "".join(words[position : position + 1]), position + 1
    if word == "point":
        pieces, end = _pieces_at(words, after)
        return "".join(pieces), end
    if word not in _MONEY:
        return "", position
    joint = list(words[after : after + 1]) == ["and"]
    pieces, end = _pieces_at(words, after + joint)
    has_unit = "".join(words[end : end + 1]) in _PARTS
    if len(pieces) != 1 or len(pieces[0]) > 2 or not (has_unit or (len(pieces[0]) == 2 and not joint)):
        return "", position
    return pieces[0].zfill(2), end + has_unit


def _pieces_at(words: Sequence[str], start: int) -> tuple[list[str], int]:
    """Return the digits that stand side by side, as they were said, and the position behind them."""
    pieces: list[str] = []
    position = start
    while position < len(words):
        piece, after = _piece_at(words, position)
        if not piece:
            piece, after = _misheard_at(words, position, is_inside=bool(pieces))
        if not piece:
            break
        pieces.append(piece)
        position = after
    return pieces, position


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
