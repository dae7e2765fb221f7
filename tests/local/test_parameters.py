from collections.abc import Mapping

import pytest

from app.local.digits import runs
from app.local.intents import plain_words
from app.local.parameters import Fault, Kind, Parameter, parameter

pytestmark = pytest.mark.core


def read(name: str, **schema: object) -> Parameter:
    return parameter(name, schema, noun="order", is_required=True)


@pytest.mark.parametrize(
    ("name", "schema", "kind", "lengths"),
    [
        ("order_number", {"type": "string"}, Kind.DIGITS, ()),
        ("orderId", {"type": "string", "pattern": r"^\d{4}$"}, Kind.DIGITS, (4,)),
        ("number", {"type": "string", "pattern": r"^[0-9]{3,6}$"}, Kind.DIGITS, (3, 4, 5, 6)),
        ("tracking_number", {"type": "string", "pattern": "^[0-9]+$"}, Kind.DIGITS, ()),
        ("account_number", {"type": "string", "minLength": 6, "maxLength": 8}, Kind.DIGITS, (6, 7, 8)),
        ("pin", {"type": "string"}, Kind.DIGITS, (4,)),
        ("guests", {"type": "integer"}, Kind.DIGITS, (1, 2)),
        ("room", {"type": "integer", "maximum": 250}, Kind.DIGITS, (1, 2, 3)),
        ("customer", {"type": ["string", "null"], "description": "Ten digits."}, Kind.DIGITS, ()),
        ("delivery_date", {"type": "string"}, Kind.DATE, (8,)),
        ("area", {"type": "string", "enum": ["inside", "outside"]}, Kind.CHOICE, ()),
        ("gift", {"type": "boolean"}, Kind.YES_NO, ()),
        ("name", {"type": "string"}, Kind.FREE, ()),
        ("code", {"type": "string", "pattern": "^[A-Z]+$"}, Kind.FREE, ()),
        ("email_id", {"type": "string", "format": "email"}, Kind.FREE, ()),
        ("items", {"type": "array"}, Kind.FREE, ()),
    ],
)
def test_the_schema_says_what_a_caller_can_give(
    name: str, schema: Mapping[str, object], kind: Kind, lengths: tuple[int, ...]
) -> None:
    one = parameter(name, schema, noun="order", is_required=True)
    assert (one.kind, one.lengths) == (kind, lengths)


@pytest.mark.parametrize(
    ("name", "noun", "label"),
    [
        ("order_number", "order", "order number"),
        ("order_id", "order", "order number"),
        ("number", "booking", "booking number"),
        ("id", "ticket", "ticket number"),
        ("phone", "customer", "phone number"),
        ("bookingCode", "booking", "booking code"),
    ],
)
def test_a_number_is_called_what_callers_call_it(name: str, noun: str, label: str) -> None:
    assert parameter(name, {"type": "string"}, noun=noun, is_required=True).label == label


def test_digits_become_the_value_that_the_schema_wants() -> None:
    assert read("order_number", type="string", pattern=r"^\d{4}$").value_of("1042") == "1042"
    assert read("order_number", type="string", pattern=r"^\d{4}$").value_of("104") is None
    assert read("order_number", type="string", pattern=r"^ORD-\d{4}$").value_of("1042") == "ORD-1042"
    assert read("order_number", type="string", pattern=r"^1\d{3}$").value_of("2042") is None
    assert read("guests", type="integer", minimum=1, maximum=12).value_of("4") == 4
    assert read("guests", type="integer", minimum=1, maximum=12).value_of("13") is None
    assert read("date", type="string", format="date").value_of("20261125") == "2026-11-25"
    assert read("date", type="string", format="date").value_of("20261325") is None


@pytest.mark.parametrize("digits", ["20260231", "20260230", "20250229", "20260431", "00000101"])
def test_a_day_that_no_calendar_has_is_none(digits: str) -> None:
    day = read("date", type="string", format="date", pattern=r"^\d{4}-\d{2}-\d{2}$")
    written = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    assert (day.value_of(digits), day.typed(written)) == (None, None)
    assert day.fault_of(digits) is Fault.NO_SUCH_DAY
    assert day.typed("2028-02-29") == "2028-02-29"


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("12.50", 12.5),
        ("$1,250.75", 1250.75),
        ("twelve fifty", 12.5),
        ("twelve point five", 12.5),
        ("twelve dollars and fifty cents", 12.5),
        ("twelve", 12),
        ("12.00", 12),
        ("one thousand and forty two", 1042),
        ("ninety nine ninety nine", 99.99),
    ],
)
def test_a_decimal_number_is_taken_as_it_was_said(said: str, value: float) -> None:
    (number,) = runs(plain_words(said))
    assert read("amount", type="number").value_in(number) == value


def test_a_decimal_number_keeps_its_bounds() -> None:
    amount = read("amount", type="number", minimum=20, maximum=2000)
    (number,) = runs(plain_words("twelve fifty"))
    assert amount.value_in(number) == 1250, "12.5 it cannot be"
    (number,) = runs(plain_words("12.50"))
    assert amount.value_in(number) is None
    assert amount.fault_of("12.50") is Fault.TOO_LOW


def test_a_whole_number_takes_no_fraction_and_an_id_no_point() -> None:
    (half,), (whole,) = runs(plain_words("4.5")), runs(plain_words("4.0"))
    guests = read("guests", type="integer", maximum=12)
    assert (guests.value_in(half), guests.value_in(whole)) == (None, 4)
    assert guests.fault_of("4.5") is Fault.NOT_WHOLE
    (pairs,) = runs(plain_words("ten forty two"))
    assert read("order_number", type="string").value_in(pairs) == "1042"
    assert read("order_number", type="number").value_in(pairs) == 1042, "an id, though its schema calls it a number"


def test_no_number_is_too_long_to_be_read() -> None:
    assert read("room", type="integer").value_of("9" * 5000) is None
    assert read("amount", type="number").value_of("9" * 5000) is None


def test_a_pattern_of_another_dialect_is_left_to_the_tool() -> None:
    one = read("order_number", type="string", pattern=r"^\p{N}{4}$")
    assert one.kind is Kind.DIGITS
    assert one.value_of("1042") == "1042"


def test_the_longest_choice_named_is_taken() -> None:
    one = read("size", type="string", enum=["large", "extra large", "small_box"])
    assert one.choice_of("an extra large one please") == "extra large"
    assert one.choice_of("the small box") == "small_box"
    assert one.choice_of("green") is None
