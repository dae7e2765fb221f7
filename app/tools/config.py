"""The tools block of the agent file: what the model may call, and what runs then."""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    StrictFloat,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from app.session.block import Block, nearest, wrong, wrong_within
from app.tools.parameters import TYPES, mistakes_in_schema
from app.tools.query import QueryError, read_query

_NAME = r"^[a-zA-Z0-9_-]{1,64}$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"


def _is_tool_name(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        plain = re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_")[:64]
        raise wrong(
            f"{name!r} is no name for a tool; write 1 to 64 letters, digits, '_' or '-', such as {plain or 'lookup'}"
        )
    return name


def _is_variable(name: str) -> str:
    if "://" in name:
        raise wrong(
            "is a URL, which may hold a password; write the name of the environment variable that holds it, "
            "such as ORDERS_DATABASE_URL"
        )
    if not re.fullmatch(_VARIABLE, name):
        raise wrong(f"{name!r} is no name of an environment variable; write one such as ORDERS_DATABASE_URL")
    return name


def _reads(query: str) -> str:
    try:
        read_query(query)
    except QueryError as mistake:
        raise wrong(str(mistake)) from mistake
    return query


def _is_schema(parameters: object) -> object:
    if mistakes := list(mistakes_in_schema(parameters)):
        raise wrong_within(mistakes)
    return parameters


def _no_parameters() -> dict[str, JsonValue]:
    return {"type": "object", "properties": {}}


_PARAMETER_SCHEMA: JsonValue = {
    "type": "object",
    "properties": {
        "type": {"description": "What the value is.", "anyOf": [{"enum": list(TYPES)}, {"type": "array"}]},
        "description": {"description": "What the value means, for the model.", "type": "string"},
        "enum": {"description": "The values to choose from.", "type": "array", "minItems": 1},
        "pattern": {"description": "A regular expression that a text must match.", "type": "string"},
        "minLength": {"description": "The least characters of a text.", "type": "integer", "minimum": 0},
        "maxLength": {"description": "The most characters of a text.", "type": "integer", "minimum": 0},
        "minimum": {"description": "The least value of a number.", "type": "number"},
        "maximum": {"description": "The greatest value of a number.", "type": "number"},
    },
}

Parameters = Annotated[
    dict[str, JsonValue],
    BeforeValidator(_is_schema),
    WithJsonSchema(
        {
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": {"description": "A tool's parameters are an object.", "const": "object"},
                "properties": {
                    "description": "The parameters by name, each a JSON Schema.",
                    "type": "object",
                    "additionalProperties": _PARAMETER_SCHEMA,
                },
                "required": {
                    "description": "The parameters that the model must give.",
                    "type": "array",
                    "items": {"type": "string"},
                    "uniqueItems": True,
                },
                "additionalProperties": {"description": "Whether others are allowed.", "type": "boolean"},
                "description": {"description": "What they are together, for the model.", "type": "string"},
            },
            "additionalProperties": False,
        }
    ),
]


class SqlBlock(Block):
    """A query that is run, read only, when the model calls the tool."""

    query: Annotated[
        str,
        AfterValidator(_reads),
        Field(examples=["select status, eta from orders where number = :order_number"]),
    ]
    """One select statement. `:name` stands for the argument of that name, bound as a value and never pasted in."""

    url_env: Annotated[str, AfterValidator(_is_variable), Field(json_schema_extra={"pattern": _VARIABLE})] | None = None
    """The environment variable that holds the URL of the database; without it the query runs in DATABASE_URL's."""

    later: ClassVar[Mapping[str, str]] = {"write": "leave it out: queries only read"}


_LATER_KINDS = ("http", "python", "mcp", "builtin")


class ToolBlock(Block):
    """A function that the model may call while it talks."""

    name: Annotated[
        str,
        AfterValidator(_is_tool_name),
        Field(examples=["lookup_order"], json_schema_extra={"pattern": _NAME}),
    ]
    """What the model calls it; unique in the file."""

    description: Annotated[str, Field(max_length=4096)] = ""
    """When to call it and what it gives, for the model."""

    parameters: Parameters = Field(default_factory=_no_parameters)
    """What the model must give: a JSON Schema object. Never changed once read."""

    timeout_s: Annotated[StrictFloat, Field(gt=0, le=120)] = 5.0
    """Seconds after which the call is given up and the model is told so."""

    sql: SqlBlock = Field(examples=['{query: "select status from orders where number = :order_number"}'])
    """The query that answers the call."""

    later: ClassVar[Mapping[str, str]] = {
        "http": "write sql, the one kind there is",
        "python": "write sql, the one kind there is",
        "mcp": "write sql, the one kind there is",
        "builtin": "leave the tool out",
        "numbers": "leave it out",
        "filler_after_s": "leave it out",
        "confirm": "leave it out and ask for a confirmation in the prompt",
        "idempotency": "leave it out: queries only read",
    }
    stand_ins: ClassVar[Mapping[str, frozenset[str]]] = {
        "sql": frozenset(_LATER_KINDS),
        "name": frozenset({"mcp", "builtin"}),
    }

    @field_validator("sql")
    @classmethod
    def _binds_declared_parameters(cls, sql: SqlBlock, info: ValidationInfo) -> SqlBlock:
        parameters = info.data.get("parameters")
        if parameters is None:  # mistaken themselves; told there
            return sql
        properties = parameters.get("properties", {})
        mistakes = []
        for name in sorted(read_query(sql.query).names):
            if name not in properties:
                meant = nearest(name, properties)
                advice = f"did you mean :{meant}?" if meant else f"add {name} to the tool's parameters.properties"
                mistakes.append(f":{name} is not a parameter of the tool; {advice}")
            elif properties[name].get("type") in ("array", "object"):
                kind = properties[name]["type"]
                mistakes.append(f":{name} is an {kind}, which a query cannot bind; make it a string or a number")
        if mistakes:
            raise wrong_within([(("query",), mistake) for mistake in mistakes])
        return sql
