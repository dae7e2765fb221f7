import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.local.digits import Run, runs, spelled, with_points, without_choices
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


@pytest.mark.parametrize(
    ("said", "run"),
    [
        ("12.50", Run("1250", 0, 3, decimal="12.50")),
        (".5", Run("05", 0, 3, decimal="0.5")),
        ("1,250.75", Run("125075", 0, 3, decimal="1250.75")),
        ("twelve point two five", Run("1225", 0, 4, decimal="12.25")),
        ("twelve dollars fifty", Run("1250", 0, 3, decimal="12.50")),
        ("twelve euros and five cents", Run("1205", 0, 5, decimal="12.05")),
        ("twelve fifty", Run("1250", 0, 2, price="12.50")),
        ("12 50", Run("1250", 0, 2)),
        ("2026.11.25", Run("20261125", 0, 3)),
    ],
)
def test_a_decimal_number_is_kept_beside_its_digits(said: str, run: Run) -> None:
    assert runs(words_of(with_points(said))) == [run]


def test_the_end_of_a_sentence_is_no_point() -> None:
    assert numbers_in(with_points("the order is 1042. the zip is 94105.")) == ["1042", "94105"]


@pytest.mark.parametrize("said", ["four or five", "four, maybe five", "4 or perhaps 5"])
def test_numbers_between_which_a_caller_has_not_chosen_are_none(said: str) -> None:
    words = words_of(said)
    assert without_choices(runs(words), words) == []


def test_numbers_for_different_things_are_both_kept() -> None:
    words = words_of("four guests and room five or the other one")
    assert [run.digits for run in without_choices(runs(words), words)] == ["4", "5", "1"]


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
