"""A tool that is one query: bound parameters in, rows as JSON out."""

from collections.abc import Mapping

from pydantic import JsonValue
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.errors import ToolError
from app.tools.database import Database
from app.tools.query import read_query
from app.tools.rows import MAX_ROWS, output_of

MAX_INTEGER = 2**63 - 1

_UNANSWERED = (
    "The lookup did not work: the database gave no answer. Tell the caller that this cannot be looked up right now, "
    "and offer to try again later."
)
_SAFE_SQLSTATES = ("08", "28", "3D", "3F", "42", "53", "57")
"""Classes whose messages name tables, columns, roles and hosts; the others may quote what a caller said."""


class LookupFailedError(ToolError):
    """The database could not answer. The text is for the model; detail, for the log, holds nothing of a caller."""

    def __init__(self, detail: str) -> None:
        super().__init__(_UNANSWERED)
        self.detail = detail


class SqlRunner:
    """Runs the query of one tool. query: checked text of the agent file, `:name` for each argument."""

    def __init__(self, query: str, database: Database) -> None:
        self._query = read_query(query)
        self._database = database

    async def run(self, arguments: Mapping[str, JsonValue]) -> str:
        """Return the first rows as JSON: {"rows": [{column: value}]}. An argument that is not given is NULL.

        Raises ToolError for arguments that no query can bind, LookupFailedError when the database does not answer.
        """
        values = {name: arguments.get(name) for name in sorted(self._query.names)}
        for name, value in values.items():
            if isinstance(value, list | dict):
                raise ToolError(f"The tool was not run. {name} must be a single value: give a text or a number.")
            if isinstance(value, int) and abs(value) > MAX_INTEGER:
                raise ToolError(f"The tool was not run. {name} is too large a number: ask the caller for it again.")
        try:
            rows = await self._database.fetch(self._query, values, at_most=MAX_ROWS)
        except (SQLAlchemyError, OSError) as error:
            raise LookupFailedError(_detail(error)) from error
        return output_of(rows.names, rows.values, is_all=rows.is_all)


def _detail(error: Exception) -> str:
    """Return what the log may say of an error: its kind, and the message where it cannot quote an argument."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    kind = type(cause).__name__
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        kind = f"{kind} {state}"
        if not state.startswith(_SAFE_SQLSTATES):
            return kind
    elif not isinstance(error, DBAPIError | OSError):
        return kind
    message = str(cause).partition("\n")[0]
    return f"{kind}: {message}"
