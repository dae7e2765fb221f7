"""Korean text with its numbers in Hangul: hours in native numerals, amounts in Sino-Korean, identifiers by digits."""

import re
from collections.abc import Callable

from app.local.numerals import LARGEST, korean_cardinal, korean_digits, korean_native

_LETTER_NAMES = (
    "에이 비 시 디 이 에프 지 에이치 아이 제이 케이 엘 엠 엔 오 피 큐 아르 에스 티 유 브이 더블유 엑스 와이 제트"
)
_LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _LETTER_NAMES.split(), strict=True))
_SIGNS = str.maketrans({"%": " 퍼센트", "&": " 앤드 ", "#": " 샵 ", "/": " ", "@": " 골뱅이 ", "+": " 더하기 "})
_MONTHS = {6: "유", 10: "시"}  # 유월, 시월
_CURRENCIES = {"$": "달러", "€": "유로", "£": "파운드", "₩": "원", "¥": "엔"}
_NATIVE_COUNTERS = "개|명|분|자리|살|장|마리|대|잔|병|권|가지|군데|번째|시간|달|그릇|송이|켤레|사람"
_COUNTERS = "원|년|개월|주|일|월|층|호|킬로|미터|점|달러|유로|엔|퍼센트|인분|박|회|건|초|도|위|만|천|억"
_ID_WORDS = re.compile(r"(번호|코드|주문|예약|송장|계좌|접수)\S*\s*\S*\s*$")


def read_korean(text: str) -> str:
    """Return a text as it is said, without a digit in it."""
    for pattern, said in _RULES:
        text = pattern.sub(said, text)
    return (
        text.replace("%", " 퍼센트")
        .replace("&", " 앤드 ")
        .replace("#", " 샵 ")
        .replace("/", " ")
        .replace("@", " 골뱅이 ")
    )


def _cardinal(digits: str) -> str:
    whole = digits.replace(",", "")
    return korean_cardinal(int(whole)) if len(whole) <= len(str(LARGEST)) else korean_digits(whole)


def _decimal(digits: str) -> str:
    whole, _, part = digits.partition(".")
    return _cardinal(whole) + (f" 점 {korean_digits(part).replace('공', '영')}" if part else "")


def _month(month: int) -> str:
    return f"{_MONTHS.get(month) or korean_cardinal(month)}월"


def _date(match: re.Match[str]) -> str:
    return f"{_cardinal(match[1])}년 {_month(int(match[2]))} {_cardinal(str(int(match[3])))}일"


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    half = "" if re.search(r"(오전|오후)\s*$", match.string[: match.start()]) else "오전 " if hour < 12 else "오후 "
    return f"{half}{_hour(hour if not half else hour % 12 or 12)} 시" + (
        f" {korean_cardinal(minute)} 분" if minute else ""
    )


def _hour(hour: int) -> str:
    return korean_native(hour) if 1 <= hour <= 12 else korean_cardinal(hour)


def _counted(match: re.Match[str]) -> str:
    number = int(match[1].replace(",", ""))
    return f"{korean_native(number) if 1 <= number <= 99 else _cardinal(match[1])} {match[2]}"


def _bare(match: re.Match[str]) -> str:
    """A number without a counter: an identifier by its length or by what stands before it, else an amount."""
    digits = match[0]
    is_named = len(digits) > 1 and _ID_WORDS.search(match.string[: match.start()][-20:]) is not None
    is_id = len(digits) > 3 or is_named or (digits.startswith("0") and len(digits) > 1)
    return korean_digits(digits) if is_id else korean_cardinal(int(digits))


def _with_number_sign(match: re.Match[str]) -> str:
    return f"{korean_digits(match[1]) if len(match[1]) > 2 else _cardinal(match[1])} 번"


_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.ASCII), said)
    for pattern, said in (
        (r"(\d{4})-(\d{2})-(\d{2})(?:[T ](?=\d{2}:))?", lambda match: _date(match) + " "),
        (r"(\d{1,2}):(\d{2})(?::\d{2})?(?!\d)", _clock),
        (r"(?:\+\d{1,3}[ -])?\d{2,4}-\d{3,4}(?:-\d{4})?", lambda match: _groups(match[0])),
        (r"(\d{1,2})월", lambda match: _month(int(match[1]))),
        (r"(\d{1,2})시(?!간)", lambda match: f"{_hour(int(match[1]))} 시"),
        (r"(\d{1,2})분(?!의)", lambda match: f"{_cardinal(match[1])} 분"),
        (rf"([$€£₩¥])\s?({_NUMBER})", lambda match: f"{_decimal(match[2])} {_CURRENCIES[match[1]]}"),
        (rf"({_NUMBER})\s?(?={_COUNTERS})", lambda match: f"{_decimal(match[1])} "),
        (rf"(\d{{1,3}}(?:,\d{{3}})+|\d+)\s?({_NATIVE_COUNTERS})", _counted),
        (r"(\d+)번", _with_number_sign),
        (rf"({_NUMBER})\s?%", lambda match: f"{_decimal(match[1])} 퍼센트"),
        (r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+", lambda match: _decimal(match[0])),
        (r"\d+", _bare),
        (r"(?<![A-Za-z])[A-Z]{1,5}(?![a-z])", lambda match: "".join(_LETTERS[letter] for letter in match[0])),
    )
)


def _groups(text: str) -> str:
    return ", ".join(korean_digits(group) for group in re.findall(r"\d+", text))
