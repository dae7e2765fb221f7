"""A tool's parameters: a small, checked part of JSON Schema, and arguments read by it.

The schema goes to the model as it stands in the agent file. We understand of it what matters when a model fills it in:
type, required, enum, const, pattern, lengths, bounds, items and nested properties. Other keywords of JSON Schema are
allowed, and are advice to the model alone.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from app.errors import ToolError
from app.session.block import Location, nearest

Schema = dict[str, JsonValue]

TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
MAX_ARGUMENTS_BYTES = 16_384
"""Far above what can be said on the telephone; what is longer did not come from a caller."""

_PROPERTY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NUMBER_KEYWORDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_COUNT_KEYWORDS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_TEXT_KEYWORDS = ("description", "title", "format", "$comment")
_OTHER_KEYWORDS = (
    "type", "properties", "required", "enum", "const", "pattern", "items", "additionalProperties", "default",
    "examples", "uniqueItems", "anyOf", "oneOf", "allOf", "not", "deprecated",
)  # fmt: skip
_KEYWORDS = _NUMBER_KEYWORDS + _COUNT_KEYWORDS + _TEXT_KEYWORDS + _OTHER_KEYWORDS

Mistakes = Iterator[tuple[Location, str]]


def mistakes_in_schema(schema: object) -> Mistakes:
    """Yield what is wrong with the parameters of a tool: the way to it, and the message."""
    if not isinstance(schema, dict):
        yield (), "is no JSON Schema; write {type: object, properties: {…}, required: […]}"
        return
    if schema.get("type") != "object":
        yield ("type",) if "type" in schema else (), "a tool's parameters are an object; write type: object"
        schema = schema | {"type": "object"}
    yield from _mistakes(schema, ())


def _mistakes(schema: Mapping[str, object], way: Location) -> Mistakes:
    for keyword, value in schema.items():
        here = (*way, keyword)
        if keyword not in _KEYWORDS:
            meant = nearest(keyword, _KEYWORDS)
            yield here, "is no keyword of JSON Schema; " + (f"did you mean {meant}?" if meant else "leave it out")
        elif keyword == "type":
            yield from _mistakes_in_type(value, here)
        elif keyword == "properties":
            yield from _mistakes_in_properties(value, here)
        elif keyword == "required":
            yield from _mistakes_in_required(value, schema.get("properties", {}), here)
        elif keyword == "enum" and not (isinstance(value, list) and value):
            yield here, "is no list of values; write at least one: enum: [small, large]"
        elif keyword == "pattern":
            yield from _mistakes_in_pattern(value, here)
        elif keyword in _NUMBER_KEYWORDS and (isinstance(value, bool) or not _is_finite(value)):
            yield here, "is no number; write one, such as 1"
        elif keyword in _COUNT_KEYWORDS and not (type(value) is int and value >= 0):
            yield here, "is no count; write a whole number from 0 on"
        elif keyword in _TEXT_KEYWORDS and not isinstance(value, str):
            yield here, "is no text; write it in quotes"
        elif keyword == "items":
            if isinstance(value, dict):
                yield from _mistakes(value, here)
            else:
                yield here, "is no schema; write, for example, items: {type: string}"
        elif not _is_json(value):
            yield here, "holds a number that JSON does not know; write a finite one"


def _mistakes_in_type(value: object, here: Location) -> Mistakes:
    for name in value if isinstance(value, list) and value else [value]:
        if name not in TYPES:
            meant = nearest(name, TYPES) if isinstance(name, str) else None
            shown = "empty" if name is None else name
            yield here, f"is {shown}; " + (f"did you mean {meant}?" if meant else f"write one of {', '.join(TYPES)}")


def _mistakes_in_properties(value: object, here: Location) -> Mistakes:
    if not isinstance(value, dict):
        yield here, "is no block of parameters; write, for example, properties: {order_number: {type: string}}"
        return
    for name, schema in value.items():
        if not _PROPERTY_NAME.fullmatch(name):
            yield (*here, name), "is no name of a parameter; use up to 64 letters, digits, '_', '.' and '-'"
        if isinstance(schema, dict):
            yield from _mistakes(schema, (*here, name))
        else:
            yield (*here, name), "is no schema; write, for example, {type: string}"


def _mistakes_in_required(value: object, properties: object, here: Location) -> Mistakes:
    if not isinstance(value, list):
        yield here, "is no list; write the names in brackets: required: [order_number]"
        return
    known = [name for name in properties if isinstance(name, str)] if isinstance(properties, dict) else []
    for position, name in enumerate(value):
        if name not in known:
            meant = nearest(name, known) if isinstance(name, str) else None
            advice = f"did you mean {meant}?" if meant else "add it to properties, or leave it out here"
            yield (*here, position), f"{name} is not among the properties; {advice}"
        elif name in value[:position]:
            yield (*here, position), f"{name} is named twice; leave one out"


def _mistakes_in_pattern(value: object, here: Location) -> Mistakes:
    if not isinstance(value, str):
        yield here, "is no regular expression; write one in quotes, such as '^[0-9]{4}$'"
        return
    try:
        re.compile(value)
    except re.error as error:
        yield here, f"is no regular expression ({error}); write one such as '^[0-9]{{4}}$'"


def _is_finite(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def read_arguments(schema: Schema, text: str) -> dict[str, JsonValue]:
    """Return the arguments of a call by name, in the types that the schema asks for, without those it does not know.

    text: what the model wrote. Raises ToolError, whose text tells the model what to give.
    """
    if len(text.encode()) > MAX_ARGUMENTS_BYTES:
        raise ToolError(f"The arguments are longer than {MAX_ARGUMENTS_BYTES} bytes. Call again with short values.")
    try:
        given = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ToolError(f"The arguments are not JSON. Call again with {_example(schema)}.") from error
    if not isinstance(given, dict):
        raise ToolError(f"The arguments are not a JSON object. Call again with {_example(schema)}.")
    problems: list[str] = []
    arguments = _read_object(schema, given, "", problems)
    if problems:
        raise ToolError("The tool was not run. " + " ".join(problems))
    return arguments


def _example(schema: Schema) -> str:
    properties = schema.get("properties")
    names = list(properties) if isinstance(properties, dict) else []
    return "an object such as " + json.dumps(dict.fromkeys(names, "…"), ensure_ascii=False) if names else "{}"


def _read_object(schema: Schema, given: dict[str, JsonValue], way: str, problems: list[str]) -> dict[str, JsonValue]:
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    arguments: dict[str, JsonValue] = {}
    for name, part in known.items():
        if not isinstance(part, dict):
            continue
        label = f"{way}{name}"
        if given.get(name) is None:
            if isinstance(required, list) and name in required:
                problems.append(f"{label} is missing: ask the caller for it and give {_wanted(part)}.")
            continue
        arguments[name] = _read(part, given[name], label, problems)
    if schema.get("additionalProperties") is False:
        problems += [f"{way}{name} is not a parameter: leave it out." for name in given if name not in known]
    return arguments


def _read(schema: Schema, value: JsonValue, label: str, problems: list[str]) -> JsonValue:
    kinds = schema.get("type")
    names = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str)]
    if names and not any(_is_of(kind, value) for kind in names):
        converted = next((taken for kind in names if (taken := _taken_as(kind, value)) is not None), None)
        if converted is None:
            problems.append(f"{label} has the wrong type: give {_wanted(schema)}.")
            return value
        value = converted
    if not _is_within(schema, value):
        problems.append(f"{label} is not valid: give {_wanted(schema)}.")
    if isinstance(value, dict):
        return _read_object(schema, value, f"{label}.", problems) if "properties" in schema else value
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, dict):
        return [_read(items, item, f"{label}[{position}]", problems) for position, item in enumerate(value)]
    return value


def _is_of(kind: str, value: JsonValue) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return type(value) is int
        case "number":
            return type(value) in (int, float) and _is_finite(value)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case _:
            return value is None


def _taken_as(kind: str, value: JsonValue) -> JsonValue:
    """Return the value in a type it plainly stands for, else None: models write 1042 for "1042" and the reverse."""
    if isinstance(value, bool):
        return None
    if kind == "string" and isinstance(value, int | float) and _is_finite(value):
        return str(int(value) if value == int(value) else value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        word = value.strip()
        if kind in ("integer", "number") and re.fullmatch(r"-?[0-9]{1,15}", word):
            return int(word)
        if kind == "number" and re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", word):
            return float(word)
        if kind == "boolean" and word.lower() in ("true", "false"):
            return word.lower() == "true"
    return None


def _is_within(schema: Schema, value: JsonValue) -> bool:
    choices = schema.get("enum")
    if isinstance(choices, list) and not any(value == one and type(value) is type(one) for one in choices):
        return False
    if "const" in schema and schema["const"] != value:
        return False
    if isinstance(value, str):
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and not re.search(pattern, value):
            return False
        return _bound(schema, "minLength", 0) <= len(value) <= _bound(schema, "maxLength", math.inf)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _bound(schema, "minimum", -math.inf) <= value <= _bound(schema, "maximum", math.inf) and _bound(
            schema, "exclusiveMinimum", -math.inf
        ) < value < _bound(schema, "exclusiveMaximum", math.inf)
    if isinstance(value, list):
        return _bound(schema, "minItems", 0) <= len(value) <= _bound(schema, "maxItems", math.inf)
    return True


def _bound(schema: Schema, keyword: str, otherwise: float) -> float:
    value = schema.get(keyword)
    return value if isinstance(value, int | float) else otherwise


def _wanted(schema: Schema) -> str:
    """Return in words what the schema asks for, for the model to ask the caller."""
    choices = schema.get("enum")
    if isinstance(choices, list):
        return "one of " + json.dumps(choices, ensure_ascii=False)
    kinds = schema.get("type")
    names = [str(kind) for kind in kinds] if isinstance(kinds, list) else [str(kinds)] if kinds else ["value"]
    wanted = ("an " if names[0][0] in "aeio" else "a ") + " or ".join(names)
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        wanted += f" that matches {pattern}"
    bounds = [f"{word} {schema[key]}" for key, word in _BOUND_WORDS.items() if key in schema]
    if bounds:
        wanted += f" ({', '.join(bounds)})"
    description = schema.get("description")
    return wanted + (f", {description.rstrip('.')}" if isinstance(description, str) and description else "")


_BOUND_WORDS = {
    "minLength": "length at least",
    "maxLength": "length at most",
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}
