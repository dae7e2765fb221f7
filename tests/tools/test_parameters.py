"""A tool's parameters: what a schema may say, and how arguments are read by it."""

import json

import pytest
from pydantic import JsonValue

from app.errors import ToolError
from app.session.block import Location
from app.tools.parameters import MAX_ARGUMENTS_BYTES, Schema, mistakes_in_schema, read_arguments

ORDER: Schema = {
    "type": "object",
    "properties": {
        "order_number": {"type": "string", "description": "The order number, four digits.", "pattern": "^[0-9]{4}$"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "weight": {"type": "number", "exclusiveMinimum": 0},
        "express": {"type": "boolean"},
        "size": {"type": "string", "enum": ["small", "large"]},
    },
    "required": ["order_number"],
}


def test_a_good_schema_has_no_mistakes() -> None:
    assert list(mistakes_in_schema(ORDER)) == []
    assert list(mistakes_in_schema({"type": "object"})) == []
    assert list(mistakes_in_schema({"type": "object", "properties": {}, "additionalProperties": False})) == []


def one(**schema: object) -> object:
    return {"type": "object", "properties": {"a": schema}}


@pytest.mark.parametrize(
    ("schema", "location", "message"),
    [
        ("text", (), "is no JSON Schema"),
        ({}, (), "write type: object"),
        ({"type": "string"}, ("type",), "write type: object"),
        ({"type": "object", "propertys": {}}, ("propertys",), "did you mean properties?"),
        ({"type": "object", "properties": []}, ("properties",), "write, for example, properties:"),
        ({"type": "object", "properties": {"a": "string"}}, ("properties", "a"), "{type: string}"),
        ({"type": "object", "properties": {"a b": {}}}, ("properties", "a b"), "no name of a parameter"),
        (one(type="text"), ("properties", "a", "type"), "write one of string"),
        (
            one(type="int"),
            ("properties", "a", "type"),
            "did you mean integer?",
        ),
        (one(type=None), ("properties", "a", "type"), "is empty"),
        (one(enum=[]), ("properties", "a", "enum"), "at least one"),
        (
            one(pattern="["),
            ("properties", "a", "pattern"),
            "regular expression",
        ),
        (one(minimum="1"), ("properties", "a", "minimum"), "is no number"),
        (one(maxLength=-1), ("properties", "a", "maxLength"), "is no count"),
        (one(default=float("nan")), ("properties", "a", "default"), "finite"),
        (one(items=5), ("properties", "a", "items"), "items: {type: string}"),
        (
            one(items={"type": "strng"}),
            ("properties", "a", "items", "type"),
            "did you mean string?",
        ),
        ({"type": "object", "required": "a"}, ("required",), "in brackets"),
        ({"type": "object", "properties": {"ab": {}}, "required": ["abc"]}, ("required", 0), "did you mean ab?"),
        ({"type": "object", "required": ["zzz"]}, ("required", 0), "add it to properties"),
        ({"type": "object", "properties": {"a": {}}, "required": ["a", "a"]}, ("required", 1), "twice"),
    ],
)
def test_mistakes_of_a_schema_have_their_place(schema: object, location: Location, message: str) -> None:
    found = list(mistakes_in_schema(schema))
    assert [place for place, _ in found] == [location]
    assert message in found[0][1]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"order_number": "1042"}, {"order_number": "1042"}),
        ({"order_number": 1042}, {"order_number": "1042"}),
        ({"order_number": 1042.0}, {"order_number": "1042"}),
        ({"order_number": "1042", "count": 2}, {"order_number": "1042", "count": 2}),
        ({"order_number": "1042", "count": 2.0}, {"order_number": "1042", "count": 2}),
        ({"order_number": "1042", "count": " 2 "}, {"order_number": "1042", "count": 2}),
        ({"order_number": "1042", "weight": "1.5"}, {"order_number": "1042", "weight": 1.5}),
        ({"order_number": "1042", "weight": 2}, {"order_number": "1042", "weight": 2}),
        ({"order_number": "1042", "weight": 10**400}, {"order_number": "1042", "weight": 10**400}),
        ({"order_number": "1042", "express": "True"}, {"order_number": "1042", "express": True}),
        ({"order_number": "1042", "express": False}, {"order_number": "1042", "express": False}),
        ({"order_number": "1042", "size": "small"}, {"order_number": "1042", "size": "small"}),
        ({"order_number": "1042", "count": None}, {"order_number": "1042"}),
        ({"order_number": "1042", "colour": "red"}, {"order_number": "1042"}),
    ],
)
def test_arguments_are_read_in_the_types_that_are_asked_for(given: JsonValue, taken: dict[str, JsonValue]) -> None:
    arguments = read_arguments(ORDER, json.dumps(given))
    assert arguments == taken
    assert [type(value) for value in arguments.values()] == [type(value) for value in taken.values()]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {},
            "order_number is missing: ask the caller for it and give a string that matches ^[0-9]{4}$, The order",
        ),
        ({"order_number": None}, "order_number is missing"),
        ({"order_number": "104"}, "order_number is not valid: give a string that matches"),
        ({"order_number": True}, "order_number has the wrong type: give a string"),
        ({"order_number": ["1042"]}, "order_number has the wrong type"),
        ({"order_number": "1042", "count": 0}, "count is not valid: give an integer (at least 1, at most 9)"),
        ({"order_number": "1042", "count": 1.5}, "count has the wrong type"),
        ({"order_number": "1042", "count": "two"}, "count has the wrong type"),
        ({"order_number": "1042", "count": True}, "count has the wrong type"),
        ({"order_number": "1042", "weight": 0}, "weight is not valid: give a number (more than 0)"),
        ({"order_number": "1042", "express": "yes"}, "express has the wrong type: give a boolean"),
        ({"order_number": "1042", "size": "huge"}, 'size is not valid: give one of ["small", "large"]'),
        ({"order_number": "10\ud80042"}, "order_number is not valid"),
    ],
)
def test_arguments_that_do_not_fit_are_told(given: JsonValue, told: str) -> None:
    with pytest.raises(ToolError) as refusal:
        read_arguments(ORDER, json.dumps(given))
    assert str(refusal.value).startswith("The tool was not run. ")
    assert told in str(refusal.value)


def test_all_that_does_not_fit_is_told_at_once() -> None:
    with pytest.raises(ToolError, match=r"order_number is missing.*count is not valid.*size is not valid"):
        read_arguments(ORDER, '{"count": 10, "size": "x"}')


@pytest.mark.parametrize("text", ["[]", "1042", '"1042"', "null", "{", "order_number=1042", "[" * 10_000])
def test_what_is_no_json_object_is_told_with_an_example(text: str) -> None:
    with pytest.raises(ToolError, match=r'Call again with an object such as \{"order_number": "…"'):
        read_arguments(ORDER, text)


def test_no_arguments_may_be_an_empty_text() -> None:
    assert read_arguments({"type": "object"}, "") == {}


def test_arguments_have_a_limit() -> None:
    with pytest.raises(ToolError, match="longer than"):
        read_arguments(ORDER, json.dumps({"order_number": "1" * MAX_ARGUMENTS_BYTES}))


def test_more_than_is_allowed_is_told_where_the_schema_closes_the_object() -> None:
    with pytest.raises(ToolError, match="colour is not a parameter: leave it out"):
        read_arguments({"type": "object", "properties": {}, "additionalProperties": False}, '{"colour": "red"}')


def test_nested_values_are_read_too() -> None:
    schema: Schema = {
        "type": "object",
        "properties": {
            "address": {"type": "object", "properties": {"zip": {"type": "string"}}, "required": ["zip"]},
            "numbers": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
            "either": {"type": ["integer", "null", "string"]},
        },
    }
    assert read_arguments(schema, '{"address": {"zip": 123}, "numbers": ["1", 2], "either": "x"}') == {
        "address": {"zip": "123"},
        "numbers": [1, 2],
        "either": "x",
    }
    with pytest.raises(
        ToolError, match=r"address\.zip is missing.*numbers is not valid.*numbers\[0\] has the wrong type"
    ):
        read_arguments(schema, '{"address": {}, "numbers": ["x", 2, 3]}')
