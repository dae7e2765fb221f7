"""Tools against a real PostgreSQL, where one is installed: a cluster of the test's own, gone afterwards."""

import asyncio
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import asyncpg
import pytest
from pydantic import JsonValue

from app.tools.database import UNANSWERED, Databases, statement_of
from app.tools.parameters import Schema
from app.tools.query import Query, read_query
from app.tools.sql import LookupFailedError, SqlRunner


def can_run_postgresql() -> bool:
    """PostgreSQL refuses to run as root: its own user must be there then."""
    is_there = all(shutil.which(program) for program in ("initdb", "pg_ctl", "postgres"))
    return is_there and (os.geteuid() != 0 or any(entry.pw_name == "postgres" for entry in pwd.getpwall()))


pytestmark = pytest.mark.skipif(not can_run_postgresql(), reason="PostgreSQL is not installed here")

SCHEMA = """
create table orders (number text primary key, pieces integer, total numeric(8, 2), eta date, placed timestamptz);
insert into orders values ('1042', 7, 12.50, '2026-11-25', '2026-11-20 10:00+00');
create function note_call() returns integer language sql as $$ insert into orders (number) values ('x') returning 1 $$;
"""
PARAMETERS: Schema = {"type": "object", "properties": {"pieces": {"type": "integer"}, "day": {"type": "string"}}}


def run(*command: str, user: str | None) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


async def make_schema(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(SCHEMA)
    await connection.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Start a PostgreSQL that nobody else knows; yield its URL. It refuses to run as root, so its own user runs it."""
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="dialtone-pg-") as folder:
        if user:
            shutil.chown(folder, user)
        data = f"{folder}/data"
        run("initdb", "-D", data, "-U", "shop", "-A", "trust", "--no-sync", "-E", "UTF8", user=user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = f"-p {port} -k {folder} -h 127.0.0.1 -F"
        run("pg_ctl", "-D", data, "-o", settings, "-l", f"{folder}/log", "-w", "start", user=user)
        try:
            address = f"postgresql://shop@127.0.0.1:{port}/postgres"
            asyncio.run(make_schema(address))
            yield address
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop", user=user)


def answer(url: str, query: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
    async def scenario() -> str:
        source = Databases(default_url=url, data_dir=Path(), environ={})
        try:
            return await SqlRunner(query, PARAMETERS, source.database()).run(arguments)
        finally:
            await source.close()

    rows: JsonValue = json.loads(asyncio.run(scenario()))["rows"]
    return rows


def detail(url: str, query: str, arguments: Mapping[str, JsonValue]) -> str:
    with pytest.raises(LookupFailedError) as failure:
        answer(url, query, arguments)
    return failure.value.detail


def test_an_order_is_found_with_its_values_as_text(url: str) -> None:
    assert answer(url, "select * from orders where number = :number", {"number": "1042"}) == [
        {
            "number": "1042",
            "pieces": 7,
            "total": "12.50",
            "eta": "2026-11-25",
            "placed": "2026-11-20T10:00:00+00:00",
        }
    ]


def test_arguments_have_the_types_that_are_declared(url: str) -> None:
    query = "select number from orders where pieces = :pieces and eta = cast(:day as date) and :note::text = 'x'"
    assert answer(url, query, {"pieces": 7, "day": "2026-11-25", "note": "x"}) == [{"number": "1042"}]
    assert answer(url, "select number from orders where :pieces is null or pieces = :pieces", {}) == [
        {"number": "1042"}
    ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select * from oders", 'UndefinedTableError 42P01: relation "oders" does not exist'),
        ("select number from orders where pieces = :day", "UndefinedFunctionError 42883: operator does not exist"),
        ("select to_tsquery(:day)", "PostgresSyntaxError 42601"),
        ("select time '24:00'", "ValueError"),
        ("select cast(:day as date)", "InvalidDatetimeFormatError 22007: a value does not fit; declare"),
        ("select note_call()", "ReadOnlySQLTransactionError 25006: cannot execute INSERT in a read-only transaction"),
        ("select pieces / (n - 3) as share from orders, generate_series(1, 30) n", "DivisionByZeroError 22012"),
    ],
)
def test_what_the_log_is_told_of_a_query_that_fails(url: str, query: str, told: str) -> None:
    found = detail(url, query, {"day": "words of a caller"})
    assert found.startswith(told)
    assert "words of a caller" not in found


def test_a_server_that_is_not_there(url: str) -> None:
    assert detail("postgresql://shop@127.0.0.1:1/postgres", "select 1", {}).startswith("ConnectionRefusedError")
    assert detail(url.replace("/postgres", "/none"), "select 1", {}).startswith("InvalidCatalogNameError 3D000")


def test_nothing_is_written(url: str) -> None:
    async def scenario() -> None:
        source = Databases(default_url=url, data_dir=Path(), environ={})
        for sql in ("insert into orders (number) values ('y')", "create table spare (a int)", "delete from orders"):
            with pytest.raises(UNANSWERED, match="read-only transaction"):
                await source.database().fetch(statement_of(Query(sql, frozenset()), {}), {}, at_most=1)
        await source.close()

    asyncio.run(scenario())
    assert answer(url, "select count(*) as n from orders", {}) == [{"n": 1}]


def test_a_cancelled_query_ends_in_the_server_too(url: str) -> None:
    async def scenario() -> None:
        source = Databases(default_url=url, data_dir=Path(), environ={})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await source.database().fetch(statement_of(read_query("select pg_sleep(600)"), {}), {}, at_most=1)
        await source.close()

    asyncio.run(scenario())
    sleeping = "select count(*) as n from pg_stat_activity where state = 'active' and query like '%pg_sleep(600)%' "
    assert answer(url, sleeping + "and pid <> pg_backend_pid()", {}) == [{"n": 0}]
