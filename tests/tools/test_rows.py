"""Rows as text for the model: values, limits, and what is said of what was cut."""

import json
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from app.errors import ToolError
from app.tools.rows import MAX_OUTPUT_BYTES, output_of


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        (float("inf"), "inf"),
        ("배송 중", "배송 중"),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("NaN"), "NaN"),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=9))), "2026-11-23T09:30:00+09:00"),
        (time(9, 30), "09:30:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\x01", "(2 bytes, not a text)"),
        (["a", Decimal("1.0")], '["a", "1.0"]'),
        ({"a": [1]}, '{"a": [1]}'),
        ("\ud800", "?"),
    ],
)
def test_values_become_json(cell: object, value: JsonValue) -> None:
    assert json.loads(output_of(["x"], [[cell]], is_all=True)) == {"rows": [{"x": value}]}


def test_no_rows_are_an_empty_list() -> None:
    assert output_of(["x"], [], is_all=True) == '{"rows": []}'


def test_columns_of_one_name_are_told_apart() -> None:
    assert json.loads(output_of(["id", "id", "id_2"], [[1, 2, 3]], is_all=True))["rows"] == [
        {"id": 1, "id_2": 2, "id_2_2": 3}
    ]


def test_more_rows_than_there_are_here_is_said() -> None:
    answer = json.loads(output_of(["x"], [[1], [2]], is_all=False))
    assert answer["rows"] == [{"x": 1}, {"x": 2}]
    assert answer["note"] == "Only the first 2 rows are here, there are more: ask the caller to be more precise."


def test_rows_beyond_the_limit_are_left_out_and_that_is_said() -> None:
    output = output_of(["x"], [["가" * 900]] * 5, is_all=True)
    answer = json.loads(output)
    assert len(output.encode()) <= MAX_OUTPUT_BYTES
    assert len(answer["rows"]) == 2
    assert "Only the first 2 rows" in answer["note"]


def test_a_long_text_is_cut_and_that_is_said() -> None:
    answer = json.loads(output_of(["x"], [["a" * 5000]], is_all=True))
    assert answer == {"rows": [{"x": "a" * 1000 + "…"}], "note": "Texts are cut after 1000 characters."}


def test_a_wide_row_has_shorter_texts() -> None:
    output = output_of([f"c{n}" for n in range(20)], [["a" * 800] * 20], is_all=True)
    assert len(output.encode()) <= MAX_OUTPUT_BYTES
    assert "cut after 200 characters" in json.loads(output)["note"]


def test_a_row_that_cannot_fit_is_refused() -> None:
    with pytest.raises(ToolError, match="too long to be read"):
        output_of([f"c{n}" for n in range(500)], [["a" * 100] * 500], is_all=True)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.lists(st.text() | st.integers() | st.floats() | st.none(), min_size=3, max_size=3), max_size=20))
def test_any_rows_stay_within_the_limit(rows: list[list[object]]) -> None:
    output = output_of(["a", "b", "c"], rows, is_all=True)
    assert len(output.encode()) <= MAX_OUTPUT_BYTES
    assert len(json.loads(output)["rows"]) <= len(rows)
