"""A tool that is one query: bound parameters in, rows as JSON out."""

import re
from collections.abc import Mapping

from pydantic import JsonValue
from sqlalchemy.exc import DBAPIError

from app.errors import ToolError
from app.tools.database import UNANSWERED, Database, Scalar, statement_of
from app.tools.parameters import Schema
from app.tools.query import read_query
from app.tools.rows import MAX_ROWS, output_of

MAX_INTEGER = 2**63 - 1

_UNANSWERED = (
    "The lookup did not work: the database gave no answer. Tell the caller that this cannot be looked up right now, "
    "and offer to try again later."
)
_SAFE_SQLSTATES = ("08", "25", "28", "3D", "3F", "53", "57")
"""Classes whose messages name roles, databases and hosts; the others may quote what a caller said."""
_QUERY_SQLSTATES = "42"
"""Of what the query names: tables, columns, functions. But an argument may be taken for such a name."""
_SAFE_OF_SQLITE = (
    "unable to open database file",
    "file is not a database",
    "database disk image is malformed",
    "database is locked",
    "attempt to write a readonly database",
    "disk I/O error",
    "malformed JSON",
)
"""Messages that quote nothing; some others of SQLite's quote an argument or a cell."""
_OF_THE_QUERY = ("no such ", "near ")
"""SQLite's for what the query names; with full-text search an argument may be taken for a name here too."""

_UNFIT_SQLSTATES = ("22000", "22003", "22007", "22008", "22P02")
"""A value of the wrong type, out of range, or no date."""


class LookupFailedError(ToolError):
    """The database could not answer. The text is for the model; detail, for the log, holds nothing of a caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(_UNANSWERED)
        self.detail = detail


class SqlRunner:
    """Runs the query of one tool. query: checked text of the agent file; parameters: the tool's JSON Schema."""

    def __init__(self, query: str, parameters: Schema, database: Database) -> None:
        parsed = read_query(query)
        self._kinds = {name: _kind_of(parameters, name) for name in sorted(parsed.names)}
        self._statement = statement_of(parsed, self._kinds)
        self._database = database

    async def run(self, arguments: Mapping[str, JsonValue]) -> str:
        """Return the first rows as JSON: {"rows": [{column: value}]}. An argument that is not given is NULL.

        Raises ToolError for arguments that no query can bind, LookupFailedError when the database does not answer.
        """
        values = {name: _bound(name, kind, arguments.get(name)) for name, kind in self._kinds.items()}
        try:
            rows = await self._database.fetch(self._statement, values, at_most=MAX_ROWS)
        except UNANSWERED as error:
            raise LookupFailedError(_detail(error, self._statement.text)) from error
        return output_of(rows.names, rows.values, is_all=rows.is_all)


def _kind_of(parameters: Schema, name: str) -> str:
    """Return which scalar type a parameter has: the first that is named, string when none is."""
    properties = parameters.get("properties")
    schema = properties.get(name) if isinstance(properties, dict) else None
    kinds = schema.get("type") if isinstance(schema, dict) else None
    named = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)]
    return next((kind for kind in named if kind in ("string", "integer", "number", "boolean")), "string")


def _bound(name: str, kind: str, value: JsonValue) -> Scalar:
    if isinstance(value, list | dict):
        raise ToolError(f"The tool was not run. {name} must be a single value: give a text or a number.")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise ToolError(f"The tool was not run. {name} is too large a number: ask the caller for it again.")
    if isinstance(value, str) or (kind == "string" and value is not None):
        return str(value).encode("utf-8", "replace").decode()  # a model may write half a character
    return value


def _detail(error: Exception, query: str) -> str:
    """Return what the log may say of an error: its kind, and the message where it cannot quote an argument or a row."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    kind = type(cause.__cause__ or cause).__name__
    state = getattr(cause, "sqlstate", None)
    message = str(cause).partition("\n")[0]
    if isinstance(state, str):
        if state in _UNFIT_SQLSTATES:
            message = "a value does not fit; declare the parameter's type as the query needs it, or cast it there"
        elif not (state.startswith(_SAFE_SQLSTATES) or (state.startswith(_QUERY_SQLSTATES) and _is_of(query, message))):
            return f"{kind} {state}"
        return f"{kind} {state}: {message}"
    is_safe = message.startswith(_SAFE_OF_SQLITE) or (message.startswith(_OF_THE_QUERY) and _is_of(query, message))
    return f"{kind}: {message}" if is_safe or isinstance(cause, OSError) else kind


def _is_of(query: str, message: str) -> bool:
    """Is all that this message names in the query itself?"""
    names = re.findall(r'"([^"]*)"', message)
    if message.startswith("no such "):
        names.append(message.rpartition(": ")[2])
    return all(name in query for name in names)
