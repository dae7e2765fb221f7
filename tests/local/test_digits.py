import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.local.digits import runs, spelled
from app.local.words import words_of

pytestmark = pytest.mark.core

SAID = "one oh two double hundred thousand and ten forty for have a when my 42"


def numbers_in(text: str) -> list[str]:
    return [run.digits for run in runs(words_of(text))]


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("one zero four two", ["1042"]),
        ("one oh four two", ["1042"]),
        ("double five two", ["552"]),
        ("triple zero one", ["0001"]),
        ("ten forty two", ["1042"]),
        ("one thousand and forty two", ["1042"]),
        ("one hundred five", ["105"]),
        ("two thousand twenty six", ["2026"]),
        ("number 10-42, please", ["1042"]),
        ("the order is 1042 and the zip code is 9 4 1 0 5", ["1042", "94105"]),
        ("one zero for two", ["1042"]),
        ("when zero four two", ["1042"]),
        ("nine have a two two", ["9722"]),
        ("where is my order oh", []),
        ("when will it arrive", []),
        ("i have a question", []),
        ("", []),
    ],
)
def test_numbers_are_read_as_callers_say_them(said: str, digits: list[str]) -> None:
    assert numbers_in(said) == digits


@given(st.text("0123456789", min_size=1, max_size=12))
def test_what_is_spelled_out_reads_back_the_same(digits: str) -> None:
    assert numbers_in(f"the number is {spelled(digits)} please") == [digits]


@given(
    st.lists(
        st.sampled_from(
            [
                "one",
                "oh",
                "two",
                "double",
                "hundred",
                "thousand",
                "and",
                "ten",
                "forty",
                "for",
                "have",
                "a",
                "when",
                "my",
                "42",
            ]
        )
    )
)
def test_runs_do_not_overlap_and_stand_in_the_words(words: list[str]) -> None:
    end = 0
    for run in runs(words):
        assert end <= run.start < run.end <= len(words)
        assert run.digits.isdigit()
        end = run.end
