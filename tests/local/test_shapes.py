"""Shapes of values: what passes, and how a fault is named."""

import pytest

from app.local.requests import CLIENT_EVENTS
from app.local.shapes import (
    RequestError,
    Shape,
    array,
    either,
    flag,
    int_or_inf,
    integer,
    mapping,
    number,
    one_of,
    or_null,
    tagged,
    text,
    whole_object,
)
from tests.support.realtime_schema import CLIENT_TYPES

pytestmark = pytest.mark.core

KIND = tagged("type", {"a": mapping({"type": text(), "n": integer(0)}), "b": mapping({"type": text()})})


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (text(longest=3), "abc"),
        (flag, False),
        (integer(0, 5), 5),
        (number(0.0, 1.0), 1),
        (one_of("x", "y"), "y"),
        (array(flag), []),
        (mapping({"a": flag}), {}),
        (or_null(flag), None),
        (either(text(), mapping({"id": text()})), {"id": "x"}),
        (either(text(), mapping({"id": text()})), "x"),
        (int_or_inf(1, 9), "inf"),
        (whole_object, {"anything": 1}),
        (KIND, {"type": "a", "n": 1}),
    ],
)
def test_what_fits_passes(shape: Shape, value: object) -> None:
    shape(value, "value")


@pytest.mark.parametrize(
    ("shape", "value", "code", "param"),
    [
        (text(longest=3), "abcd", "string_above_max_length", "value"),
        (text(), None, "invalid_type", "value"),
        (flag, 1, "invalid_type", "value"),
        (integer(0), True, "invalid_type", "value"),
        (integer(0), 1.0, "invalid_type", "value"),
        (integer(0), -1, "integer_below_min_value", "value"),
        (number(0.0, 1.0), 1.5, "decimal_above_max_value", "value"),
        (number(0.0, 1.0), "1", "invalid_type", "value"),
        (one_of("x"), "y", "invalid_value", "value"),
        (one_of("x"), ["x"], "invalid_type", "value"),
        (array(flag), {}, "invalid_type", "value"),
        (array(array(flag)), [[True], [1]], "invalid_type", "value[1][0]"),
        (array(flag, longest=1), [True, True], "array_above_max_length", "value"),
        (mapping({"a": flag}), {"b": 1}, "unknown_parameter", "value.b"),
        (mapping({"a": flag}, required=("a",)), {}, "missing_required_parameter", "value.a"),
        (int_or_inf(1, 9), "many", "invalid_type", "value"),
        (whole_object, [], "invalid_type", "value"),
        (KIND, {}, "missing_required_parameter", "value.type"),
        (KIND, {"type": "c"}, "invalid_value", "value.type"),
        (KIND, {"type": "b", "n": 1}, "unknown_parameter", "value.n"),
    ],
)
def test_what_does_not_fit_is_named(shape: Shape, value: object, code: str, param: str) -> None:
    with pytest.raises(RequestError) as refused:
        shape(value, "value")
    assert (refused.value.code, refused.value.param) == (code, param)


def test_every_event_of_the_vendors_schema_is_known_and_no_other() -> None:
    assert frozenset(CLIENT_EVENTS) == CLIENT_TYPES
