"""Japanese text as kana: the voice reads no kanji. A lexicon of what is said on telephones, longest word first.

Kanji that the lexicon lacks are left out: the voice would say "Chinese letter" for each, which helps nobody.
"""

import re
from collections.abc import Callable

from app.local.japanese_lexicon import READINGS
from app.local.numerals import LARGEST, kana_cardinal, kana_digits

_LETTER_NAMES = (
    "エー ビー シー ディー イー エフ ジー エイチ アイ ジェー ケー エル エム エヌ オー ピー キュー アール エス ティー "
    "ユー ブイ ダブリュー エックス ワイ ゼット"
)
_LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _LETTER_NAMES.split(), strict=True))
_COUNTERS = {
    "件": "けん", "回": "かい", "桁": "けた", "円": "えん", "名": "めい", "個": "こ", "番": "ばん", "人": "にん",
}  # fmt: skip
_DAYS = {
    1: "ついたち", 2: "ふつか", 3: "みっか", 4: "よっか", 5: "いつか", 6: "むいか", 7: "なのか", 8: "ようか",
    9: "ここのか", 10: "とおか", 14: "じゅうよっか", 20: "はつか", 24: "にじゅうよっか",
}  # fmt: skip
_SHORT = {4: "し", 7: "しち", 9: "く"}  # as months are counted
_HOURS = {4: "よ", 7: "しち", 9: "く"}
_DOUBLED = {1: "いっ", 6: "ろっ", 8: "はっ", 10: "じゅっ"}  # before ふん, けん, かい
_CURRENCIES = {"$": "ドル", "€": "ユーロ", "£": "ポンド", "₩": "ウォン", "¥": "えん", "￥": "えん"}
_KANJI = re.compile(r"[々〇一-鿿]")
_WORDS = re.compile("|".join(sorted(map(re.escape, READINGS), key=len, reverse=True)))


def read_japanese(text: str) -> str:
    """Return a text in kana, without digits or kanji in it."""
    text = text.translate(str.maketrans("０１２３４５６７８９：／－％＃", "0123456789:/-%#"))
    text = _particles(text)
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    text = _KANJI.sub("", _WORDS.sub(lambda match: READINGS[match[0]], text))
    return text.replace("%", "パーセント").replace("#", "シャープ").replace("&", "アンド").replace("/", " ")


def _particles(text: str) -> str:
    """The particles は and へ are said wa and e: behind a noun in kanji or katakana, and at the end of a phrase."""
    text = re.sub(r"(?<=[0-9々一-鿿ァ-ヺー」)])は(?![いっ])", "わ", text)
    text = re.sub(r"(?<=[でにちばと])は(?=[、。一-鿿ァ-ヺ]|\s|$)", "わ", text)
    return re.sub(r"(?<=[0-9々一-鿿ァ-ヺー])へ(?=[、のお一-鿿ァ-ヺ])", "え", text)


def _month(month: int) -> str:
    return f"{_SHORT.get(month) or kana_cardinal(month)}がつ"


def _day(day: int) -> str:
    return _DAYS.get(day) or f"{kana_cardinal(day)}にち"


def _year(year: str) -> str:
    said = kana_cardinal(int(year))
    return (said[:-2] + "よ" if said.endswith("よん") else said) + "ねん"


def _date(match: re.Match[str]) -> str:
    return f"{_year(match[1])} {_month(int(match[2]))} {_day(int(match[3]))} "


def _hour(hour: int) -> str:
    return (
        f"{kana_cardinal(hour - hour % 10) if hour > 10 else ''}{_HOURS[hour % 10]}じ"
        if hour % 10 in _HOURS
        else (f"{kana_cardinal(hour) if hour else 'れい'}じ")
    )


def _clock(match: re.Match[str]) -> str:
    return _hour(int(match[1])) + (_minutes(int(match[2])) if int(match[2]) else "")


def _minutes(minute: int) -> str:
    last = minute % 10
    return _doubled(minute, "ぷん") or f"{kana_cardinal(minute)}{'ぷん' if last in {3, 4} else 'ふん'}"


def _doubled(number: int, counter: str) -> str:
    """Return a number that ends in 1, 6, 8 or 10 with the counter that it doubles; else an empty string."""
    last = number % 10 or 10
    if last not in _DOUBLED or number == 0 or number > 99:
        return ""
    said = kana_cardinal(number)
    return said[: -len(kana_cardinal(last))] + _DOUBLED[last] + counter


def _counted(match: re.Match[str]) -> str:
    number, counter = int(match[1].replace(",", "")), match[2]
    said = _COUNTERS[counter]
    if counter == "人" and number in {1, 2}:
        return ("ひとり", "ふたり")[number - 1]
    if counter == "円" and number % 10 == 4:
        return f"{kana_cardinal(number)[:-2]}よえん"
    if counter == "番" and len(match[1]) > 2:
        return f"{kana_digits(match[1])} ばん"
    doubled = _doubled(number, said) if counter in "件回個" else ""
    return doubled or f"{kana_cardinal(number)}{said}"


def _bare(match: re.Match[str]) -> str:
    digits = match[0]
    behind = re.search(r"(番号|注文|予約|コード|口座|受付)\S{0,6}$", match.string[: match.start()][-16:])
    is_id = len(digits) > 3 or (len(digits) > 1 and (behind is not None or digits.startswith("0")))
    return f" {kana_digits(digits)} " if is_id else kana_cardinal(int(digits))


def _amount(digits: str) -> str:
    whole, _, part = digits.replace(",", "").partition(".")
    said = kana_cardinal(int(whole)) if len(whole) <= len(str(LARGEST)) else kana_digits(whole)
    return said + (f"てん{kana_digits(part).replace(' ', '')}" if part else "")


_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ](?=[0-9]{2}:))?", _date),
        (r"([0-9]{1,2}):([0-9]{2})(?::[0-9]{2})?", _clock),
        (r"\+?[0-9]{2,4}-[0-9]{2,4}(?:-[0-9]{3,4})?", lambda match: _groups(match[0])),
        (r"([0-9]{4})年(?!間)", lambda match: _year(match[1])),
        (r"([0-9]{1,2})月", lambda match: _month(int(match[1]))),
        (r"([0-9]{1,2})日(?!間)", lambda match: _day(int(match[1]))),
        (r"([0-9]{1,2})時(?!間)", lambda match: _hour(int(match[1]))),
        (r"([0-9]{1,2})分", lambda match: _minutes(int(match[1]))),
        (rf"([$€£₩¥￥])\s?({_NUMBER})", lambda match: f"{_amount(match[2])}{_CURRENCIES[match[1]]}"),
        (r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)([件回桁円名個番人])", _counted),
        (rf"({_NUMBER})\s?%", lambda match: f"{_amount(match[1])}パーセント"),
        (r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+\.[0-9]+", lambda match: _amount(match[0])),
        (r"[0-9]+", _bare),
        (r"(?<![A-Za-z])[A-Z]{1,5}(?![a-z])", lambda match: "".join(_LETTERS[letter] for letter in match[0])),
    )
)


def _groups(text: str) -> str:
    return "、".join(kana_digits(group) for group in re.findall(r"[0-9]+", text))
