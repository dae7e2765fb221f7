"""English text with its numbers in words: dates, times, money, telephone numbers, identifiers digit by digit."""

import re
from collections.abc import Callable

from app.local.digits import spelled
from app.local.english_results import MONTHS
from app.local.numerals import LARGEST, english_cardinal, english_ordinal, english_year
from app.local.words import word_set, words_of

_UNITS = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "₩": ("won", "won", "", ""),
    "¥": ("yen", "yen", "", ""),
}
_CODES = {"USD": "$", "EUR": "€", "GBP": "£", "KRW": "₩", "JPY": "¥"}
_MONTH_WORDS = {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}
_MONTH = "(" + "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in MONTHS) + r")\.?"
_ID_WORDS = word_set(
    "number no order code id pin room extension account booking reference ticket tracking invoice confirmation heard "
    "entered pressed phone telephone fax zip flight gate card case claim customer member serial"
)
_YEAR_WORDS = word_set("in since of by until year from before after during early late mid")
_REACH = 6  # words back in which a number's name is looked for
_GROUP = 3  # digits said in one breath, in long numbers


def read_english(text: str) -> str:
    """Return a text as it is said, without a digit in it."""
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    text = text.replace("&", " and ").replace("@", " at ").replace("%", " percent ").replace("+", " plus ")
    text = text.replace("=", " equals ").replace("°", " degrees ")
    text = re.sub(r"[/#$€£₩¥]", " ", text)
    text = "".join(char if not char.isdigit() else f" {_any_digit(char)} " for char in text)
    return re.sub(r"\s+([.,;:?!])", r"\1", re.sub(r"\s+", " ", text)).strip()


def digits_said(digits: str) -> str:
    """Return digits one by one, in groups when there are many: "one zero four two"."""
    if len(digits) <= _GROUP + 1:
        return spelled(digits)
    groups = [digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP)]
    if len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return ", ".join(spelled(group) for group in groups)


def _amount(digits: str) -> str:
    whole = digits.replace(",", "")
    return english_cardinal(int(whole)) if len(whole) <= len(str(LARGEST)) else digits_said(whole)


def _decimal(digits: str) -> str:
    whole, _, part = digits.partition(".")
    return _amount(whole or "0") + (f" point {spelled(part)}" if part else "")


def _date(year: str | None, month: int, day: int) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return " ".join(digits_said(part) for part in (year or "", f"{month:02}", f"{day:02}") if part)
    of_year = f", {english_year(int(year))}" if year else ""
    return f"{MONTHS[month - 1]} {english_ordinal(day)}{of_year}"


def _iso(match: re.Match[str]) -> str:
    said = _date(match[1], int(match[2]), int(match[3]))
    return f"{said} at {_clock(int(match[4]), match[5], '')}" if match[4] else said


def _american(match: re.Match[str]) -> str:
    year = match[3] if match[3] is None or len(match[3]) == 4 else f"20{match[3]}"
    return _date(year, int(match[1]), int(match[2]))


def _month_first(match: re.Match[str]) -> str:
    return _date(match[3], _MONTH_WORDS[match[1][:3].lower()], int(match[2]))


def _day_first(match: re.Match[str]) -> str:
    return _date(match[3], _MONTH_WORDS[match[2][:3].lower()], int(match[1]))


def _clock(hour: int, minute: str, half: str) -> str:
    if hour > 23 or int(minute) > 59:
        return f"{english_cardinal(hour)} {_amount(minute)}"
    if not half:
        half = "A M" if hour < 12 else "P M"
    at = english_cardinal(hour % 12 or 12)
    oh = " oh" if "00" < minute < "10" else ""
    return f"{at}{oh}{'' if minute == '00' else f' {_amount(minute)}'} {half}"


def _time(match: re.Match[str]) -> str:
    half = " ".join(re.findall("[APMapm]", match[3] or "")).upper()
    return _clock(int(match[1]), match[2] or "00", half)


def _money(match: re.Match[str]) -> str:
    return _sum_of(match[2], _UNITS[match[1]], match[3])


def _money_behind(match: re.Match[str]) -> str:
    return _sum_of(match[1], _UNITS[_CODES[match[2].upper()]], None)


def _sum_of(digits: str, unit: tuple[str, str, str, str], scale: str | None) -> str:
    whole, _, part = digits.partition(".")
    if scale or not unit[2] or len(part) not in {0, 2}:
        return f"{_decimal(digits)} {scale + ' ' if scale else ''}{unit[1]}"
    amount, change = int(whole.replace(",", "")), int(part or 0)
    said = [f"{_amount(whole)} {unit[0] if amount == 1 else unit[1]}"] if amount or not change else []
    if change:
        said.append(f"{english_cardinal(change)} {unit[2] if change == 1 else unit[3]}")
    return " and ".join(said)


def _telephone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    return ("plus " if match[0].startswith("+") else "") + ", ".join(spelled(group) for group in groups)


def _coded(match: re.Match[str]) -> str:
    """Letters and digits mixed ("A1042", "ORD-1042"): letters by name, digits one by one."""
    parts = re.findall(r"[A-Za-z]+|\d+", match[0])
    return " ".join(spelled(part) if part.isdigit() else " ".join(part) if part.isupper() else part for part in parts)


def _whole(match: re.Match[str]) -> str:
    """A bare number: an identifier by its neighbours or its length, else a count or a year."""
    digits = match[0]
    before = words_of(re.split(r"[.,;:?!]\s", match.string[: match.start()][-80:])[-1])[-_REACH:]
    if len(digits) == 1:
        return english_cardinal(int(digits))
    is_named = bool(set(before) & _ID_WORDS)
    follows_year_word = bool(before) and (before[-1] in _YEAR_WORDS or before[-1][:3] in _MONTH_WORDS)
    if len(digits) == 4 and "1900" <= digits <= "2099" and follows_year_word:
        return english_year(int(digits))
    if is_named or len(digits) > 3 or digits.startswith("0"):
        return digits_said(digits)
    return english_cardinal(int(digits))


def _address(match: re.Match[str]) -> str:
    plain = re.sub(r"^https?://|/$", "", match[0])
    plain = plain.replace("www.", "w w w dot ").replace("@", " at ").replace(".", " dot ").replace("/", " slash ")
    return plain.replace("-", " dash ").replace("_", " underscore ")


def _any_digit(char: str) -> str:
    return spelled(char) if char in "0123456789" else ""


_SECONDS = r"(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.ASCII | flags), said)
    for pattern, flags, said in (
        (r"https?://[^\s,;]*[\w/]|\bwww\.[\w./-]*\w|[\w.+-]+@\w[\w-]*(?:\.\w+)+", 0, _address),
        (
            r"\b(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?!\d)",
            0,
            _iso,
        ),
        (r"\b(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))\b", 0, _american),
        (rf"\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,? (\d{{4}}))?\b(?!:)", re.IGNORECASE, _month_first),
        (rf"\b(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{_MONTH}(?![a-z])(?:,? (\d{{4}})\b)?", re.IGNORECASE, _day_first),
        (r"\b(\d{1,2}):(\d{2})(?::\d{2})?(?:\s?([AaPp]\.[Mm]\.|[AaPp]\.?\s?[Mm]\b))?(?!\d)", 0, _time),
        (r"\b(\d{1,2})()\s?([AaPp]\.[Mm]\.|[AaPp]\.?\s?[Mm]\b)", 0, _time),
        (rf"([$€£₩¥])\s?({_NUMBER})(?: (hundred|thousand|million|billion))?(?!\d)", 0, _money),
        (rf"\b({_NUMBER}) ?(USD|EUR|GBP|KRW|JPY)\b", re.IGNORECASE, _money_behind),
        (rf"(?<![\w.])({_NUMBER}) ?%", 0, lambda match: f"{_decimal(match[1])} percent"),
        (r"\+\d[\d ().-]{5,}\d|(?<![\w.,-])\(?\d{2,4}\)?[ -]\d{3,4}(?:[ -]\d{3,4})*(?![\w-]|\.\d)", 0, _telephone),
        (r"\b(?=[A-Za-z-]*\d)(?=[\d-]*[A-Za-z])(?!\d+(?:st|nd|rd|th)\b)[A-Za-z\d]+(?:-[A-Za-z\d]+)*\b", 0, _coded),
        (r"\b(\d+)(?:st|nd|rd|th)\b", re.IGNORECASE, lambda match: _ordinal(match[1])),
        (r"(?<=\d)-(?=\d)", 0, lambda match: " to "),
        (r"#\s?(?=\d)", 0, lambda match: "number "),
        (r"\bNo\. ?(?=\d)", 0, lambda match: "number "),
        (r"(?:(?<= )|^)-(?=\d)", 0, lambda match: " minus "),
        (r"(?<=[A-Za-z])-(?=\d)", 0, lambda match: " "),
        (r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+", 0, lambda match: _decimal(match[0])),
        (r"\d+", 0, _whole),
    )
)


def _ordinal(digits: str) -> str:
    return english_ordinal(int(digits)) if len(digits) <= len(str(LARGEST)) else digits_said(digits)
