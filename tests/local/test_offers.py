from collections.abc import Mapping

import pytest

from app.local.offers import Deed, ToolOffer, tools_of
from tests.support.talks import BOOK, TEXT, TRANSFER, offer

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("tool", "deed", "noun", "has_effect"),
    [
        (offer("lookup_order", order_number=TEXT), Deed.FIND, "order", False),
        (offer("getOrderStatus"), Deed.FIND, "order", False),
        (offer("order_status"), Deed.FIND, "order", False),
        (offer("find_booking_by_code", code=TEXT), Deed.FIND, "booking", False),
        (offer("get_opening_hours"), Deed.FIND, "opening hours", False),
        (offer("orders", "Looks up an order."), Deed.FIND, "orders", False),
        (offer("query", "Find an order."), Deed.FIND, "order", False),
        (offer("orderinfo", "주문을 조회합니다."), Deed.FIND, "orderinfo", False),
        (offer("cancel_order"), Deed.CANCEL, "order", True),
        (offer("find_and_cancel_order"), Deed.CANCEL, "order", True),
        (offer("check_in_guest"), Deed.OTHER, "guest", True),
        (offer("order_pizza"), Deed.OTHER, "pizza", True),
        (offer("frobnicate"), Deed.OTHER, "request", True),
        (offer("resend_invoice", invoice=TEXT), Deed.SEND, "invoice", True),
        (offer("transfer_call"), Deed.TRANSFER, "request", False),
        (offer("end_call"), Deed.END, "request", False),
    ],
)
def test_the_name_says_what_a_tool_is_for(tool: ToolOffer, deed: Deed, noun: str, has_effect: bool) -> None:
    (read,) = tools_of([tool])
    assert (read.deed, read.noun, read.has_effect) == (deed, noun, has_effect)


def test_what_the_caller_must_give_is_required_and_open() -> None:
    schema: Mapping[str, object] = {
        "type": "object",
        "properties": {"order_number": TEXT, "shop": {"const": "acme"}, "note": TEXT},
        "required": ["order_number", "shop"],
    }
    (read,) = tools_of([ToolOffer("lookup_order", "", schema)])
    assert [one.name for one in read.required] == ["order_number"]
    assert read.presets == {"shop": "acme"}
    assert read.number is not None
    assert read.number.name == "order_number"


def test_amounts_are_not_what_a_thing_is_asked_by() -> None:
    booking, transfer = tools_of([BOOK, TRANSFER])
    assert booking.number is None
    assert transfer.number is None


@pytest.mark.parametrize("schema", [{}, {"properties": None}, {"properties": {"a": "b"}, "required": "a"}])
def test_a_broken_schema_is_a_tool_without_parameters_to_ask_for(schema: Mapping[str, object]) -> None:
    (read,) = tools_of([ToolOffer("lookup_order", "", schema)])
    assert read.required == ()
