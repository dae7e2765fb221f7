"""A tool that is one query, against a real SQLite file."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from app.errors import ToolError
from app.tools.database import Databases
from app.tools.parameters import Schema
from app.tools.sql import LookupFailedError, SqlRunner

ORDERS = [("1042", "in transit", "2026-11-25"), ("1043", "delivered", None), ("x' or '1'='1", "odd", None)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("create table orders (number text primary key, status text, eta text, total numeric)")
    connection.executemany("insert into orders (number, status, eta) values (?, ?, ?)", ORDERS)
    connection.commit()
    connection.close()
    return tmp_path


def run(
    folder: Path,
    query: str,
    arguments: Mapping[str, JsonValue],
    file: str = "shop.db",
    parameters: Schema | None = None,
) -> str:
    async def scenario() -> str:
        source = Databases(default_url=f"sqlite:///{file}", data_dir=folder, environ={})
        try:
            return await SqlRunner(query, parameters or {}, source.database()).run(arguments)
        finally:
            await source.close()

    return asyncio.run(scenario())


LOOKUP = "select status, eta from orders where number = :order_number"


def test_an_order_is_found(folder: Path) -> None:
    output = run(folder, LOOKUP, {"order_number": "1042"})
    assert output == '{"rows": [{"status": "in transit", "eta": "2026-11-25"}]}'


def test_an_order_that_is_not_there_gives_no_rows(folder: Path) -> None:
    assert run(folder, LOOKUP, {"order_number": "9999"}) == '{"rows": []}'


def test_arguments_are_values_and_never_sql(folder: Path) -> None:
    output = run(folder, LOOKUP, {"order_number": "x' or '1'='1"})
    assert [row["status"] for row in json.loads(output)["rows"]] == ["odd"]


def test_an_argument_that_is_not_given_is_null(folder: Path) -> None:
    query = "select count(*) as n from orders where (:number is null or number = :number)"
    assert run(folder, query, {}) == '{"rows": [{"n": 3}]}'
    assert run(folder, query, {"number": "1043", "other": "ignored"}) == '{"rows": [{"n": 1}]}'


def test_quotes_and_comments_in_the_query_stay(folder: Path) -> None:
    query = "select ':number' as a, '12:30' as b -- :nothing\n from orders where number = :number"
    assert run(folder, query, {"number": "1042"}) == '{"rows": [{"a": ":number", "b": "12:30"}]}'


def test_arguments_are_bound_in_their_types(folder: Path) -> None:
    kinds: JsonValue = {
        "a": {"type": "string"},
        "b": {"type": "integer"},
        "c": {"type": "number"},
        "d": {"type": "boolean"},
        "e": {"type": ["null", "integer"]},
    }
    query = "select typeof(:a) as a, typeof(:b) as b, typeof(:c) as c, :d as d, typeof(:e) as e, typeof(:f) as f"
    given: dict[str, JsonValue] = {"a": "1", "b": 1, "c": 1.5, "d": True, "e": 2, "f": 3}
    assert json.loads(run(folder, query, given, parameters={"type": "object", "properties": kinds}))["rows"] == [
        {"a": "text", "b": "integer", "c": "real", "d": 1, "e": "integer", "f": "text"}
    ]


@pytest.mark.parametrize(
    ("query", "file", "detail"),
    [
        ("select status from oders", "shop.db", "no such table: oders"),
        ("select colour from orders", "shop.db", "no such column: colour"),
        ("select from orders", "shop.db", "syntax error"),
        ("select json(case number when '1042' then '{}' else number end) from orders", "shop.db", "malformed JSON"),
        ("select 1 from orders", "none.db", "unable to open database file"),
        ("select 1 from orders", "notes.txt", "file is not a database"),
        ("select 1 from orders", "folder", "unable to open database file"),
    ],
)
def test_a_database_that_cannot_answer_is_told_politely_and_logged_in_full(
    folder: Path, query: str, file: str, detail: str
) -> None:
    (folder / "notes.txt").write_text("This is no database." * 100)
    (folder / "folder").mkdir()
    with pytest.raises(LookupFailedError) as failure:
        run(folder, query, {}, file)
    assert "cannot be looked up right now" in str(failure.value)
    assert "Error: " in failure.value.detail
    assert detail in failure.value.detail
    assert str(folder) not in str(failure.value)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select json_extract('{}', :words) from orders", "secret words"),
        ("select cast(x'4b696dff' as text) from orders", "Kim"),
        ("with w as (select 1) select number from orders where json(:words) is null", "secret"),
    ],
)
def test_neither_arguments_nor_rows_are_in_what_is_logged(folder: Path, query: str, words: str) -> None:
    with pytest.raises(LookupFailedError) as failure:
        run(folder, query, {"words": words})
    assert words not in failure.value.detail
    assert "Error" in failure.value.detail


def test_half_a_character_is_bound_as_a_question_mark(folder: Path) -> None:
    assert json.loads(run(folder, "select :number as number", {"number": "\ud83d1042"})) == {
        "rows": [{"number": "?1042"}]
    }


def test_what_no_query_can_bind_is_told(folder: Path) -> None:
    parameters: Schema = {"type": "object", "properties": {"order_number": {"type": "integer"}}}
    with pytest.raises(ToolError, match="order_number is too large a number"):
        run(folder, LOOKUP, {"order_number": 2**63}, parameters=parameters)
    with pytest.raises(ToolError, match="order_number must be a single value"):
        run(folder, LOOKUP, {"order_number": ["1042"]})


def test_many_rows_are_cut_to_twenty(folder: Path) -> None:
    query = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 50) select i from n"
    answer = json.loads(run(folder, query, {}))
    assert [row["i"] for row in answer["rows"]] == list(range(1, 21))
    assert "Only the first 20 rows" in answer["note"]
