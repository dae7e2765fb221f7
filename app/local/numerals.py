"""Whole numbers as words: English, Korean (Sino-Korean and native), Japanese (kana)."""

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_ONES = tuple(_SMALL.split())
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip

_KOREAN_DIGITS = ("영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구")
_KOREAN_NATIVE = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_KOREAN_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_KANA_DIGITS = ("ゼロ", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう")
_KANA_HUNDREDS = {3: "さんびゃく", 6: "ろっぴゃく", 8: "はっぴゃく"}
_KANA_THOUSANDS = {3: "さんぜん", 8: "はっせん"}

LARGEST = 10**15 - 1  # what all of these can say


def english_cardinal(number: int) -> str:
    """Return 1042 as "one thousand forty two"; up to LARGEST."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f" {_ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"{_ONES[number // 100]} hundred" + (f" {english_cardinal(number % 100)}" if number % 100 else "")
    for scale, name in _SCALES:
        if number >= scale:
            rest = f" {english_cardinal(number % scale)}" if number % scale else ""
            return f"{english_cardinal(number // scale)} {name}{rest}"
    raise AssertionError(number)


def english_ordinal(number: int) -> str:
    """Return 25 as "twenty fifth"."""
    *front, last = english_cardinal(number).split()
    ordinal = _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return " ".join((*front, ordinal))


def english_year(year: int) -> str:
    """Return 2026 as "twenty twenty six", 2005 as "two thousand five", 1900 as "nineteen hundred"."""
    century, rest = divmod(year, 100)
    if century % 10 == 0 and rest < 10:
        return english_cardinal(year)
    if rest == 0:
        return f"{english_cardinal(century)} hundred"
    return f"{english_cardinal(century)} {'oh ' if rest < 10 else ''}{english_cardinal(rest)}"


def korean_cardinal(number: int) -> str:
    """Return 35000 as "삼만 오천"; 0 as "영"; up to LARGEST."""
    if number == 0:
        return _KOREAN_DIGITS[0]
    parts = []
    for scale, name in ((10**12, "조"), (10**8, "억"), (10**4, "만"), (1, "")):
        part, number = divmod(number, scale)
        if part:
            parts.append(("" if part == 1 and name == "만" else _korean_thousands(part)) + name)
    return " ".join(parts)


def korean_native(number: int) -> str:
    """Return 10 as "열", 21 as "스물한", as before a counter; 1 to 99."""
    if number == 20:
        return "스무"
    return _KOREAN_NATIVE_TENS[number // 10] + _KOREAN_NATIVE[number % 10]


def korean_digits(digits: str) -> str:
    """Return "1042" as "일공사이"."""
    return "".join("공" if digit == "0" else _KOREAN_DIGITS[int(digit)] for digit in digits)


def kana_cardinal(number: int) -> str:
    """Return 1042 as "せんよんじゅうに"; up to LARGEST."""
    if number == 0:
        return _KANA_DIGITS[0]
    said = ""
    for scale, name in ((10**12, "ちょう"), (10**8, "おく"), (10**4, "まん"), (1, "")):
        part, number = divmod(number, scale)
        if part:
            said += _kana_thousands(part) + name
    return (
        said.replace("いちちょう", "いっちょう")
        .replace("はちちょう", "はっちょう")
        .replace("じゅうちょう", "じゅっちょう")
    )


def kana_digits(digits: str) -> str:
    """Return "1042" as "いち ゼロ よん に": digit by digit, with room between."""
    return " ".join(_KANA_DIGITS[int(digit)] for digit in digits)


def _korean_thousands(number: int) -> str:
    said = ""
    for scale, name in ((1000, "천"), (100, "백"), (10, "십"), (1, "")):
        digit, number = divmod(number, scale)
        if digit:
            said += ("" if digit == 1 and name else _KOREAN_DIGITS[digit]) + name
    return said


def _kana_thousands(number: int) -> str:
    thousands, number = divmod(number, 1000)
    hundreds, number = divmod(number, 100)
    tens, ones = divmod(number, 10)
    said = ""
    if thousands:
        said += _KANA_THOUSANDS.get(thousands) or ("" if thousands == 1 else _KANA_DIGITS[thousands]) + "せん"
    if hundreds:
        said += _KANA_HUNDREDS.get(hundreds) or ("" if hundreds == 1 else _KANA_DIGITS[hundreds]) + "ひゃく"
    if tens:
        said += ("" if tens == 1 else _KANA_DIGITS[tens]) + "じゅう"
    return said + (_KANA_DIGITS[ones] if ones else "")
