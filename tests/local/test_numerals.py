import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.local.digits import runs
from app.local.numerals import (
    LARGEST,
    english_cardinal,
    english_ordinal,
    english_year,
    kana_cardinal,
    kana_digits,
    korean_cardinal,
    korean_digits,
    korean_native,
)

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("number", "english", "korean", "kana"),
    [
        (0, "zero", "영", "ゼロ"),
        (10, "ten", "십", "じゅう"),
        (42, "forty two", "사십이", "よんじゅうに"),
        (365, "three hundred sixty five", "삼백육십오", "さんびゃくろくじゅうご"),
        (1042, "one thousand forty two", "천사십이", "せんよんじゅうに"),
        (8_600, "eight thousand six hundred", "팔천육백", "はっせんろっぴゃく"),
        (35_000, "thirty five thousand", "삼만 오천", "さんまんごせん"),
        (1_000_000, "one million", "백만", "ひゃくまん"),
    ],
)
def test_whole_numbers_in_words(number: int, english: str, korean: str, kana: str) -> None:
    assert (english_cardinal(number), korean_cardinal(number), kana_cardinal(number)) == (english, korean, kana)


def test_other_forms() -> None:
    assert [english_ordinal(number) for number in (1, 2, 12, 20, 25)] == [
        "first", "second", "twelfth", "twentieth", "twenty fifth",
    ]  # fmt: skip
    assert [english_year(year) for year in (1900, 1905, 2005, 2026)] == [
        "nineteen hundred", "nineteen oh five", "two thousand five", "twenty twenty six",
    ]  # fmt: skip
    assert [korean_native(number) for number in (1, 10, 20, 21)] == ["한", "열", "스무", "스물한"]
    assert (korean_digits("1042"), kana_digits("10")) == ("일공사이", "いち ゼロ")


@given(st.integers(0, LARGEST))
def test_every_number_has_words_and_no_digits(number: int) -> None:
    for said in (english_cardinal(number), korean_cardinal(number), kana_cardinal(number), english_ordinal(number)):
        assert said
        assert not any(char.isdigit() for char in said)


@given(st.integers(0, 9_999))
def test_what_is_said_in_english_is_heard_as_the_same_number(number: int) -> None:
    assert [run.digits for run in runs(english_cardinal(number).split())] == [str(number)]
