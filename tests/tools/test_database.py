"""Which database a tool reads, and that it is only read."""

import asyncio
import gc
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from app.errors import SettingsError
from app.tools.database import Databases, Rows, statement_of
from app.tools.query import Query, read_query


def databases(folder: Path, url: str = "", **environ: str) -> Databases:
    return Databases(default_url=url, data_dir=folder, environ=environ)


def make(path: Path, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("create table shops (name text)")
    connection.execute("insert into shops values (?)", (name,))
    connection.commit()
    connection.close()


async def read(source: Databases, sql: str, url_env: str | None = None, at_most: int = 5) -> Rows:
    return await source.database(url_env).fetch(statement_of(read_query(sql), {}), {}, at_most=at_most)


def only_name(source: Databases, url_env: str | None = None) -> object:
    async def scenario() -> object:
        try:
            rows = await read(source, "select name from shops", url_env)
            return rows.values[0][0]
        finally:
            await source.close()

    return asyncio.run(scenario())


@pytest.mark.parametrize("name", ["shop.db", "deep er/100%/a?b#c.db"])
def test_relative_paths_lie_under_the_data_folder(tmp_path: Path, name: str) -> None:
    make(tmp_path / name, "relative")
    escaped = name.replace("%", "%25").replace("?", "%3F")
    assert only_name(databases(tmp_path, f"sqlite:///{escaped}")) == "relative"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    make(tmp_path / "shop.db", "absolute")
    assert only_name(databases(tmp_path / "elsewhere", f"sqlite:///{tmp_path}/shop.db")) == "absolute"


def test_a_tool_may_name_a_database_of_its_own(tmp_path: Path) -> None:
    make(tmp_path / "own.db", "own")
    source = databases(tmp_path, "sqlite:///none.db", ORDERS_DATABASE_URL="sqlite:///own.db")
    assert only_name(source, "ORDERS_DATABASE_URL") == "own"


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    async def scenario() -> list[object]:
        source = databases(tmp_path, "sqlite:///shop.db")
        names = []
        for name in ("first", "second"):
            make(tmp_path / "new.db", name)
            (tmp_path / "new.db").replace(tmp_path / "shop.db")
            rows = await read(source, "select name from shops")
            names.append(rows.values[0][0])
        await source.close()
        return names

    assert asyncio.run(scenario()) == ["first", "second"]


@pytest.mark.parametrize("sql", ["insert into shops values ('x')", "delete from shops", "create table a (b int)"])
def test_sqlite_refuses_to_write(tmp_path: Path, sql: str) -> None:
    make(tmp_path / "shop.db", "kept")
    source = databases(tmp_path, "sqlite:///shop.db")

    async def scenario() -> None:
        await source.database().fetch(statement_of(Query(sql, frozenset()), {}), {}, at_most=5)

    with pytest.raises(OperationalError, match="readonly"):
        asyncio.run(scenario())
    assert only_name(source) == "kept"


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(OperationalError, match="unable to open"):
        only_name(databases(tmp_path, "sqlite:///none.db"))
    assert list(tmp_path.iterdir()) == []


def test_one_url_is_one_database(tmp_path: Path) -> None:
    source = databases(tmp_path, "sqlite:///a.db", OTHER="sqlite:///b.db", SAME="sqlite:///a.db")
    assert source.database() is source.database("SAME")
    assert source.database() is not source.database("OTHER")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "ORDERS_URL is not set; set it to sqlite:///path or postgresql://"),
        ("hush hush", "ORDERS_URL is no URL of a database"),
        ("mysql://me:hush@host/db", "ORDERS_URL begins with mysql, which tools cannot read"),
        ("postgresql://app:p@hush:w0rd@db/x", "ORDERS_URL is no URL of a database.*%40 for an @"),
        ("postgresql://app:hush@db:five/x", "ORDERS_URL is no URL of a database"),
        ("postgresql://app:hush@db/x?channel_binding=require", "ORDERS_URL: channel_binding behind the . is not known"),
        ("postgresql://app:hush@db/x?sslmode=always", "ORDERS_URL: there is no such sslmode; write one of disable, "),
        ("sqlite://", "ORDERS_URL names no file"),
        ("sqlite:///:memory:", "ORDERS_URL names no file"),
    ],
)
def test_what_is_no_database_is_told_without_repeating_it(tmp_path: Path, url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refusal:
        databases(tmp_path, ORDERS_URL=url).database("ORDERS_URL")
    assert "hush" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_the_default_database_is_called_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL is not set"):
        databases(tmp_path).database()


def test_only_so_many_rows_are_taken(tmp_path: Path) -> None:
    make(tmp_path / "shop.db", "x")
    query = "with recursive n(i) as (select 1 union all select i + 1 from n) select i, i as j from n"

    async def scenario() -> None:
        source = databases(tmp_path, "sqlite:///shop.db")
        rows = await read(source, query, at_most=3)
        assert (rows.names, rows.values, rows.is_all) == (["i", "j"], [(1, 1), (2, 2), (3, 3)], False)
        rows = await read(source, "select name from shops", at_most=1)
        assert rows.is_all
        await source.close()

    asyncio.run(scenario())


def test_a_cancelled_query_ends_in_the_database_too(tmp_path: Path) -> None:
    make(tmp_path / "shop.db", "x")
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"

    async def scenario() -> None:
        source = databases(tmp_path, "sqlite:///shop.db")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await read(source, endless)
        await source.close()

    asyncio.run(scenario())


def test_a_query_that_is_cancelled_twice_leaves_no_error_that_nobody_takes(tmp_path: Path) -> None:
    make(tmp_path / "shop.db", "x")
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    complaints: list[dict[str, object]] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        source = databases(tmp_path, "sqlite:///shop.db")
        reading = asyncio.create_task(read(source, endless))
        async with asyncio.timeout(5):
            # nothing tells that the query has begun
            while not any(task.get_name() == "query" for task in asyncio.all_tasks()):  # noqa: ASYNC110 - see above
                await asyncio.sleep(0.001)
        reading.cancel()
        await asyncio.sleep(0)  # the cancellation has arrived, and the query is being ended
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await source.close()
        gc.collect()

    asyncio.run(scenario())
    assert complaints == []
