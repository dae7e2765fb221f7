"""The databases that tools read, each opened so that it cannot be written.

SQLite is opened with `mode=ro`, and once for each query: opening costs less than a millisecond, and a file that was
replaced is never read through an old handle. PostgreSQL gets a small pool and a read-only transaction for each query.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiosqlite
import asyncpg
from sqlalchemy import BigInteger, BindParameter, Boolean, Double, String, TextClause, bindparam, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.errors import SettingsError
from app.tools.query import Query

SQLITE_DRIVERS = ("sqlite", "sqlite+aiosqlite")
POSTGRESQL_DRIVERS = ("postgresql", "postgres", "postgresql+asyncpg")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
POOL_SIZE = 5
"""Tool calls at one moment, not telephone calls: a query takes milliseconds, a call minutes."""
ASK_S = 5.0
"""How long a service that starts waits for a database's first word."""
STEPS_BETWEEN_LOOKS = 10_000
"""SQLite's virtual machine makes them in a fraction of a millisecond."""

Scalar = str | int | float | bool | None

UNANSWERED = (
    SQLAlchemyError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    ValueError,
    OverflowError,
    TypeError,
)
"""What a database that cannot answer raises; SQLAlchemy hands some errors of the drivers through as they are. The last
three: a value that Python cannot hold, such as the time 24:00."""

_TYPES = {"string": String, "integer": BigInteger, "number": Double, "boolean": Boolean}


def statement_of(query: Query, kinds: Mapping[str, str]) -> TextClause:
    """Return what can be run. kinds: JSON Schema's scalar types of the parameters; those not named are strings.

    The types matter to PostgreSQL, which else takes a parameter's type from where it stands and refuses all others:
    this way `cast(:day as date)` takes a text.
    """
    typed: list[BindParameter[object]] = [
        bindparam(name, type_=_TYPES.get(kinds.get(name, ""), String)) for name in sorted(query.names)
    ]
    return text(query.text).bindparams(*typed)


@dataclass(frozen=True, slots=True)
class Rows:
    """The first rows of an answer. names: one for each column; is_all: whether there are no more."""

    names: Sequence[str]
    values: Sequence[Sequence[object]]
    is_all: bool


class Database:
    """One database, read only."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def fetch(self, statement: TextClause, values: Mapping[str, Scalar], *, at_most: int) -> Rows:
        """Return the first rows of a query's answer. Raises one of UNANSWERED.

        A cancelled query is stopped in the database as well.
        """
        async with self._engine.connect() as connection:
            is_cancelled = threading.Event()
            await self._prepare(connection, is_cancelled)
            # A task of its own: on a cancellation SQLAlchemy waits for SQLite's thread, which must be told before.
            reading = asyncio.create_task(_read(connection, statement, values, at_most), name="query")
            try:
                return await asyncio.shield(reading)
            except asyncio.CancelledError:
                is_cancelled.set()
                if self._engine.dialect.name != "sqlite":
                    reading.cancel()
                await _end_of(reading)
                if not reading.cancelled():
                    reading.exception()  # taken note of: nobody waits for this answer
                raise

    async def _prepare(self, connection: AsyncConnection, is_cancelled: threading.Event) -> None:
        """Forbid writing, and have a cancellation noticed: SQLite works in a thread, which sees none by itself."""
        if self._engine.dialect.name == "postgresql":
            await connection.execute(text("SET TRANSACTION READ ONLY"))
        driver = (await connection.get_raw_connection()).driver_connection
        if isinstance(driver, aiosqlite.Connection):
            await driver.set_progress_handler(is_cancelled.is_set, STEPS_BETWEEN_LOOKS)

    async def close(self) -> None:
        """Close the pool."""
        await self._engine.dispose()


async def _end_of(reading: "asyncio.Task[Rows]") -> None:
    """Return when it is over, however often this is cancelled meanwhile: the connection must not close under it."""
    while not reading.done():
        try:
            await asyncio.wait({reading})
        except asyncio.CancelledError:
            continue  # it was told already, and ends in a moment


async def _read(connection: AsyncConnection, statement: TextClause, values: Mapping[str, Scalar], at_most: int) -> Rows:
    async with connection.stream(statement, dict(values)) as result:
        found = await result.fetchmany(at_most + 1)
        return Rows(list(result.keys()), [tuple(row) for row in found[:at_most]], len(found) <= at_most)


class Databases:
    """The databases of all agents' tools: one for each URL, connected to when first asked.

    default_url: the database of a tool that names none. data_dir: where relative SQLite paths lie.
    environ: where the variables that tools name are looked up.
    """

    def __init__(self, *, default_url: str, data_dir: Path, environ: Mapping[str, str]) -> None:
        self._default_url = default_url
        self._data_dir = data_dir
        self._environ = environ
        self._by_url: dict[str, Database] = {}

    def database(self, url_env: str | None = None) -> Database:
        """Return the database that a variable names, else the default one.

        Raises SettingsError when the variable is not set, or holds what is no URL of a database that we can read.
        """
        variable = url_env or "DATABASE_URL"
        url = self._environ.get(url_env, "") if url_env else self._default_url
        if not url:
            raise SettingsError(f"{variable} is not set; set it to sqlite:///path or postgresql://user@host/name")
        if url not in self._by_url:
            self._by_url[url] = Database(_engine(url, variable, self._data_dir))
        return self._by_url[url]

    async def silent(self, url_env: str | None = None) -> str | None:
        """Ask a database for nothing; return what is wrong when it does not answer. Raises as `database` does."""
        try:
            async with asyncio.timeout(ASK_S):
                await self.database(url_env).fetch(text("select 1"), {}, at_most=1)
        except (*UNANSWERED, TimeoutError) as error:
            reason = type(getattr(error, "orig", None) or error).__name__
            return f"{url_env or 'DATABASE_URL'}: the database does not answer ({reason}); lookups fail until it does"
        return None

    async def close(self) -> None:
        """Close all of them."""
        for database in self._by_url.values():
            await database.close()


def _engine(url: str, variable: str, data_dir: Path) -> AsyncEngine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # which quote a piece of it, and there may be a password in it
        raise SettingsError(
            f"{variable} is no URL of a database; set it to sqlite:///path or postgresql://user@host/name, with %40 "
            "for an @ in a password"
        ) from None
    if parsed.drivername in SQLITE_DRIVERS:
        return _sqlite_engine(parsed, variable, data_dir)
    if parsed.drivername in POSTGRESQL_DRIVERS:
        return _postgresql_engine(parsed, variable)
    raise SettingsError(
        f"{variable} begins with {parsed.drivername}, which tools cannot read; set it to sqlite:///path or "
        "postgresql://user@host/name"
    )


def _postgresql_engine(url: URL, variable: str) -> AsyncEngine:
    ssl = url.query.get("sslmode", url.query.get("ssl"))  # libpq's name, and the driver's
    if others := sorted(set(url.query) - {"sslmode", "ssl"}):
        raise SettingsError(f"{variable}: {others[0]} behind the ? is not known; write sslmode there, or nothing")
    if ssl is not None and ssl not in SSL_MODES:
        raise SettingsError(f"{variable}: there is no such sslmode; write one of {', '.join(SSL_MODES)}")
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg", query={} if ssl is None else {"ssl": ssl}),
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=POOL_SIZE,
    )


def _sqlite_engine(url: URL, variable: str, data_dir: Path) -> AsyncEngine:
    if not url.database or url.database == ":memory:":
        raise SettingsError(
            f"{variable} names no file, and an empty database answers nothing; set it to sqlite:///path"
        )
    file = (data_dir / url.database).absolute()  # an absolute path stays as it is

    def connect() -> aiosqlite.Connection:
        if not file.is_file():  # before a thread is begun for it
            raise sqlite3.OperationalError("unable to open database file")
        return aiosqlite.connect(f"{file.as_uri()}?mode=ro", uri=True)

    return create_async_engine("sqlite+aiosqlite://", async_creator=connect, poolclass=NullPool, hide_parameters=True)
