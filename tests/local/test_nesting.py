import json

import pytest

from app.local.nesting import DEEPEST, NestingError, is_too_deep, read_json

pytestmark = pytest.mark.core


def nested(levels: int, inside: str = "1") -> str:
    return '{"a":[' * (levels // 2) + inside + "]}" * (levels // 2)


def test_what_is_nested_within_bounds_is_read() -> None:
    assert read_json(nested(DEEPEST)) == json.loads(nested(DEEPEST))
    assert not is_too_deep([1] * 10_000)
    assert not is_too_deep("[" * 10_000)


@pytest.mark.parametrize("levels", [DEEPEST + 2, 400, 900, 100_000])
def test_what_is_nested_deeper_is_not(levels: int) -> None:
    with pytest.raises(NestingError):
        read_json(nested(levels))


def test_an_array_at_the_bottom_counts_although_it_is_empty() -> None:
    with pytest.raises(NestingError):
        read_json(nested(DEEPEST, "[[1]]"))


def test_half_a_surrogate_pair_becomes_a_sign_that_can_be_sent() -> None:
    assert read_json(r'{"a": "x\ud800", "b": "\ud83d\ude00"}') == {
        "a": "x\N{REPLACEMENT CHARACTER}",
        "b": "\N{GRINNING FACE}",
    }


def test_what_is_no_json_is_said() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        read_json("{")
