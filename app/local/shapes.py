"""What a value from the wire may look like: a shape is called with a value and its path, and raises RequestError.

Codes and wording follow the real server's where they are known, since clients match on the code.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from app.errors import PeerError

Shape: TypeAlias = Callable[[object, str], None]


class RequestError(PeerError):
    """A client's event that is not obeyed; the session goes on. It becomes an `error` event.

    param: the path of what is wrong, `session.audio.input.format`.
    answers: whether the error names the client's event (a few of the real server's do not). kind: its `type`.
    """

    def __init__(
        self,
        code: str | None,
        message: str,
        param: str | None = None,
        *,
        answers: bool = True,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.param = param
        self.answers = answers


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _wrong_type(expected: str, value: object, path: str) -> RequestError:
    names = {
        str: "a string",
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        list: "an array",
        dict: "an object",
    }
    came = "null" if value is None else names.get(type(value), type(value).__name__)
    return RequestError(
        "invalid_type", f"Invalid type for '{path}': expected {expected}, but got {came} instead.", path
    )


def _invalid(value: object, allowed: Iterable[object], path: str) -> RequestError:
    listed = ", ".join(f"'{one}'" if isinstance(one, str) else str(one) for one in allowed)
    shown = f"'{value}'" if isinstance(value, str) else str(value)
    return RequestError("invalid_value", f"Invalid value: {shown}. Supported values are: {listed}.", path)


def whole_object(value: object, path: str) -> None:
    """Any JSON object; its keys are checked elsewhere."""
    if not isinstance(value, dict):
        raise _wrong_type("an object", value, path)


def flag(value: object, path: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise _wrong_type("a boolean", value, path)


def text(*, longest: int | None = None) -> Shape:
    """A string of at most so many characters."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise _wrong_type("a string", value, path)
        if longest is not None and len(value) > longest:
            raise RequestError(
                "string_above_max_length",
                f"Invalid '{path}': string too long. Expected a string with maximum length {longest}, "
                f"but got a string with length {len(value)} instead.",
                path,
            )

    return check


def integer(lowest: int, highest: int | None = None) -> Shape:
    """A whole number within bounds."""

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type("an integer", value, path)
        _within(value, lowest, highest, "integer", path)

    return check


def number(lowest: float, highest: float) -> Shape:
    """A number within bounds."""

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type("a number", value, path)
        _within(value, lowest, highest, "decimal", path)

    return check


def _within(value: float, lowest: float, highest: float | None, kind: str, path: str) -> None:
    if value < lowest:
        bound, side, word = lowest, "below_min", "minimum"
    elif highest is not None and value > highest:
        bound, side, word = highest, "above_max", "maximum"
    else:
        return
    raise RequestError(f"{kind}_{side}_value", f"Invalid '{path}': {value} is beyond the {word} of {bound}.", path)


def one_of(*allowed: str) -> Shape:
    """One of these words."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise _wrong_type("a string", value, path)
        if value not in allowed:
            raise _invalid(value, allowed, path)

    return check


def array(of: Shape, *, longest: int | None = None) -> Shape:
    """A list whose members all have one shape."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, list):
            raise _wrong_type("an array", value, path)
        if longest is not None and len(value) > longest:
            raise RequestError(
                "array_above_max_length", f"Invalid '{path}': at most {longest} entries, but got {len(value)}.", path
            )
        for index, member in enumerate(value):
            of(member, f"{path}[{index}]")

    return check


def mapping(keys: Mapping[str, Shape], *, required: tuple[str, ...] = ()) -> Shape:
    """An object with these keys and no others."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type("an object", value, path)
        for key in value:
            if key not in keys:
                param = _below(path, key)
                raise RequestError("unknown_parameter", f"Unknown parameter: '{param}'.", param)
        for key in required:
            if key not in value:
                param = _below(path, key)
                raise RequestError("missing_required_parameter", f"Missing required parameter: '{param}'.", param)
        for key, member in value.items():
            keys[key](member, _below(path, key))

    return check


def tagged(by: str, variants: Mapping[str, Shape]) -> Shape:
    """An object whose key `by` says which of these shapes it has."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type("an object", value, path)
        param = _below(path, by)
        if by not in value:
            raise RequestError("missing_required_parameter", f"Missing required parameter: '{param}'.", param)
        tag = value[by]
        if not isinstance(tag, str) or tag not in variants:
            raise _invalid(tag, variants, param)
        variants[tag](value, path)

    return check


def either(plain: Shape, structured: Shape) -> Shape:
    """An object of the second shape, or anything else of the first."""

    def check(value: object, path: str) -> None:
        (structured if isinstance(value, dict) else plain)(value, path)

    return check


def or_null(shape: Shape) -> Shape:
    """null, or this shape."""

    def check(value: object, path: str) -> None:
        if value is not None:
            shape(value, path)

    return check


def int_or_inf(lowest: int, highest: int) -> Shape:
    """A whole number within bounds, or "inf"."""
    whole = integer(lowest, highest)

    def check(value: object, path: str) -> None:
        if value != "inf":
            whole(value, path)

    return check
