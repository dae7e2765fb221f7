"""A tool's SQL as text: which parameters it binds, and whether it only reads.

This finds mistakes early and in plain words; what keeps a query from writing is the database, which is opened read only
(see sql.py).
"""

import re
from dataclasses import dataclass

_OPAQUE = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
      |(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)""",
    re.VERBOSE | re.DOTALL,
)
_COLON = re.compile(r"(?<![:\w\\]):([A-Za-z_]\w*)|:")  # a parameter, or any other: a::text is a cast, 12:30 a time
_WRITES = re.compile(
    r"\b(insert\s+into|delete\s+from|merge\s+into|into|update\s+[\w.]+\s+set|for\s+(?:no\s+key\s+)?(?:update|share))\b",
    re.IGNORECASE,
)


class QueryError(ValueError):
    """What is wrong with a query; what to write."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statement that reads. text: for SQLAlchemy's text(), colons within quotes escaped; names: what it binds."""

    text: str
    names: frozenset[str]


def read_query(sql: str) -> Query:
    """Return the query of an agent file; raise QueryError unless it is one statement that only reads."""
    bare = _OPAQUE.sub(lambda found: " " if found["comment"] else "''", sql).strip()
    if not bare.rstrip(";").strip():
        raise QueryError("is empty; write a select statement, such as select status from orders where number = :number")
    if ";" in bare.rstrip(";").rstrip():
        raise QueryError("holds several statements; write a single select statement")
    verb = re.split(r"[\s(]+", bare.lstrip("( \t\r\n"), maxsplit=1)[0].lower()
    if verb not in ("select", "with"):
        raise QueryError(
            f"begins with {verb[:40] or bare[:1]}, and a query of a tool may only read; begin it with select or with"
        )
    if found := _WRITES.search(bare):
        words = " ".join(found[0].split()).lower()
        raise QueryError(f"says {words}, and a query of a tool may only read; write a select without it")
    names: set[str] = set()
    parts, end = [], 0
    for found in _OPAQUE.finditer(sql):
        parts += [_escaped(sql[end : found.start()], names), " " if found["comment"] else found[0].replace(":", r"\:")]
        end = found.end()
    parts.append(_escaped(sql[end:], names))
    return Query("".join(parts).strip().rstrip(";").rstrip(), frozenset(names))


def _escaped(bare: str, names: set[str]) -> str:
    """Return SQL without quotes as SQLAlchemy reads it, only parameters with a bare colon; add their names."""

    def escape(found: re.Match[str]) -> str:
        if found[1] is None:
            return r"\:"
        names.add(found[1])
        return f":{found[1]} "  # the blank, because :a::text would not be bound

    return _COLON.sub(escape, bare)
