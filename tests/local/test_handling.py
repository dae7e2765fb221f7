import pytest

from app.local.dialogue import (
    AgentSaid,
    CallerSaid,
    CallerSilent,
    CallTool,
    Say,
    ToolAnswered,
    ToolCalled,
    reply,
)
from tests.support.talks import ACME, BOOK, CANCEL, FOUND, HOURS, LOOKUP, ORDER, SHIPPED, TEXT, Talk, answer, offer

pytestmark = pytest.mark.core


def test_follow_ups_are_answered_from_what_was_found() -> None:
    talk = Talk([LOOKUP])
    talk.says(ORDER)
    assert talk.says("is it shipped").startswith("Order 1042 has been shipped.")
    assert talk.says("what is my order number").startswith("The order number I understood is 1042.")
    assert talk.says("repeat that").startswith("The order number I understood is 1042.")
    assert talk.says("how much is it").startswith("I am sorry, I do not know the price.")
    assert len(talk.calls) == 1
    assert talk.says("what about another order") == "What is your order number? You can say it digit by digit."


def test_a_follow_up_is_answered_though_the_answer_was_cut_off() -> None:
    moves = answer(
        CallerSaid(ORDER),
        ToolCalled("a", "lookup_order", '{"order_number":"1042"}'),
        ToolAnswered("a", FOUND),
        AgentSaid("Order 10"),
        CallerSaid("actually when will it arrive"),
    )
    assert moves == [
        Say("Order 1042 should arrive on Wednesday, November 25. Is there anything else I can do for you?")
    ]


def test_what_was_asked_while_the_tool_ran_is_answered_first() -> None:
    (said,) = answer(
        CallerSaid(ORDER),
        ToolCalled("a", "lookup_order", '{"order_number":"1042"}'),
        CallerSaid("actually when will it arrive"),
        AgentSaid("One moment, please."),
        ToolAnswered("a", FOUND),
    )
    assert isinstance(said, Say)
    assert said.text.startswith("Order 1042 should arrive")


def test_a_look_up_that_was_talked_over_before_it_was_made_is_made() -> None:
    moves = answer(CallerSaid(ORDER), AgentSaid("Order num"), CallerSaid("actually when will it arrive"))
    assert moves[-1] == CallTool("lookup_order", {"order_number": "1042"})


def test_a_result_that_nobody_heard_is_told_to_a_caller_who_asks_whether_somebody_is_there() -> None:
    (said,) = answer(
        CallerSaid(ORDER),
        ToolCalled("a", "lookup_order", '{"order_number":"1042"}'),
        ToolAnswered("a", FOUND),
        CallerSaid("hello"),
    )
    assert isinstance(said, Say)
    assert said.text.startswith("Order 1042 has been shipped.")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"status": "in_transit"}, "Order 1042 is in transit."),
        ([{"status": "delivered"}], "Order 1042 has been delivered."),
        (
            {"status": "out for delivery", "carrier": "UPS"},
            "Order 1042 is out for delivery. I can also tell you who delivers it,",
        ),
        ({"shipped": True}, "Order 1042 is shipped."),
        ({"total": 35.5}, "The total of order 1042 is 35.50."),
        ({"order": {"state": "open"}}, "Order 1042 is open."),
        (
            [{"status": "open"}, {"status": "shipped"}],
            "I found two orders. The first: status open. The second: status shipped.",
        ),
        ({"error": "the database did not answer"}, "I am sorry, I could not look that up just now."),
        ({"error": "no such order"}, "I am sorry, I could not find an order with the number 1042."),
        ("It left the warehouse today.", "It left the warehouse today."),
        ("", "I am sorry, I could not find an order with the number 1042."),
        ({"ok": True}, "That worked, but I was given nothing to tell."),
    ],
)
def test_each_shape_of_an_answer_becomes_a_sentence(output: object, said: str) -> None:
    talk = Talk([LOOKUP], answer=lambda name, arguments: output)
    assert said in talk.says(ORDER)


def test_a_field_is_told_by_its_name() -> None:
    record = {"status": "open", "created_at": "2026-11-20", "gift_wrap": "red paper"}
    talk = Talk([LOOKUP], answer=lambda name, arguments: record)
    talk.says(ORDER)
    assert talk.says("when was it created").startswith("Order 1042 was created on Friday, November 20, 2026.")
    assert talk.says("which gift wrap").startswith("The gift wrap of order 1042 is red paper.")


def test_a_tool_without_parameters_is_run_at_once() -> None:
    talk = Talk([HOURS], answer=lambda name, arguments: {"opening_hours": "9 to 5"})
    assert talk.says("what are your opening hours").startswith("One moment, please. The opening hours are 9 to 5.")


def test_what_changes_something_is_confirmed_first() -> None:
    talk = Talk([LOOKUP, CANCEL])
    assert talk.says("I want to cancel my order").startswith("What is your order number?")
    asked = "I understood that you want to cancel order 1042. Is that right? Please say yes or no."
    assert talk.says("one zero four two") == asked
    assert talk.calls == []
    assert talk.says("yes").startswith("Order number 1042, one moment. Done. Order 1042 has been cancelled.")
    assert talk.calls == [CallTool("cancel_order", {"order_number": "1042"})]


@pytest.mark.parametrize("said", ["no", "never mind", "no, don't cancel it", "do not cancel it"])
def test_a_no_changes_nothing(said: str) -> None:
    talk = Talk([LOOKUP, CANCEL])
    talk.says("cancel order one zero four two")
    assert talk.says(said) == "All right, I have changed nothing. What else can I do for you?"
    assert talk.says("yes") == "Of course. What would you like to know?"
    assert talk.calls == []


def test_the_number_is_corrected_in_the_confirmation() -> None:
    talk = Talk([LOOKUP, CANCEL])
    talk.says("cancel order one zero four two")
    assert "cancel order 1043. Is that right?" in talk.says("no, one zero four three")
    assert "cancel order 1043. Is that right?" in talk.says("one zero four three")
    talk.says("yes")
    assert talk.calls == [CallTool("cancel_order", {"order_number": "1043"})]


def test_a_yes_to_a_question_whose_number_was_not_heard_is_none() -> None:
    asked = CallerSaid("cancel order one zero four two")
    for heard in ((), (AgentSaid("I understood that you want"),)):
        moves = reply([asked, *heard, CallerSaid("yes")], instructions=ACME, tools=[CANCEL], language="en")
        assert [type(move) for move in moves] == [Say], heard
    moves = reply(
        [asked, AgentSaid("I understood that you want to cancel order 1042."), CallerSaid("yes")],
        instructions=ACME,
        tools=[CANCEL],
        language="en",
    )
    assert moves[-1] == CallTool("cancel_order", {"order_number": "1042"})


def test_cancel_it_means_the_order_that_was_spoken_of() -> None:
    talk = Talk([LOOKUP, CANCEL])
    talk.says(ORDER)
    assert "cancel order 1042. Is that right?" in talk.says("cancel it")


def test_the_service_may_ask_for_a_confirmation_itself() -> None:
    asks = {"error": "ask the caller to confirm, then call again"}
    talk = Talk([LOOKUP], answer=lambda name, arguments: asks if len(talk.calls) < 2 else SHIPPED)
    assert "look up order 1042. Is that right?" in talk.says(ORDER)
    assert "shipped" in talk.says("yes")
    assert talk.calls == [CallTool("lookup_order", {"order_number": "1042"})] * 2


def test_several_parameters_are_collected_one_by_one() -> None:
    talk = Talk([BOOK], answer=lambda name, arguments: {"booking_id": 77, "status": "confirmed"})
    assert talk.says("i'd like to book a table for four people").startswith("What is the date?")
    assert talk.presses("20261125").startswith("Which area: inside or outside?")
    assert "with 4 guests, date Wednesday, November 25, 2026, and area outside" in talk.says("outside please")
    assert "The table has been confirmed. The booking id is 77." in talk.presses("1")
    assert talk.calls == [CallTool("book_table", {"guests": 4, "date": "2026-11-25", "area": "outside"})]


def test_what_cannot_be_said_over_the_telephone_can_be_typed() -> None:
    talk = Talk(
        [offer("find_customer", "Find a customer.", name=TEXT)], answer=lambda name, arguments: {"city": "Bonn"}
    )
    assert "I cannot take that down over the telephone" in talk.says("look up a customer")
    assert talk.says("ada lovelace").startswith("Sorry, I did not catch that.")
    assert talk.calls == []
    assert "Bonn" in talk.writes("Ada Lovelace")
    assert talk.calls == [CallTool("find_customer", {"name": "Ada Lovelace"})]


def test_what_could_be_several_tools_is_asked() -> None:
    talk = Talk([LOOKUP, offer("find_booking", "Find a booking.", booking_number=TEXT)])
    asked = talk.says("one zero four two")
    assert asked.startswith("Would you like me to look up an order or look up a booking?")
    assert "1042 has been shipped" in talk.presses("1")
    talk = Talk([LOOKUP, offer("find_booking", "Find a booking.", booking_number=TEXT)])
    talk.says("one zero four two")
    talk.says("the booking please")
    assert talk.calls == [CallTool("find_booking", {"booking_number": "1042"})]


# Numbers that are no names


TIP = offer("add_tip", "Add a tip to an order.", order_number=TEXT, amount={"type": "number"})
PARTY = offer(
    "book_table",
    "Book a table.",
    party_size={"type": "integer", "minimum": 1, "maximum": 12},
    seating={"type": "string", "enum": ["inside", "outside"]},
    date={"type": "string", "format": "date"},
)


@pytest.mark.parametrize("said", ["12.50", "twelve fifty", "twelve point five"])
def test_an_amount_may_have_a_fraction(said: str) -> None:
    talk = Talk([TIP])
    assert talk.writes("add a tip to order 1042") == "What is the amount?"
    assert "with order number 1042, with amount 12.5. Is that right?" in talk.writes(said)
    talk.writes("yes")
    assert talk.calls == [CallTool("add_tip", {"order_number": "1042", "amount": 12.5})]


def test_a_correction_is_for_what_was_given_last_or_is_named() -> None:
    talk = Talk([TIP])
    talk.writes("add a tip to order 1042")
    talk.writes("12.50")
    assert "order number 1042, with amount 13.5." in talk.writes("no, 13.50")
    assert "order number 1042, with amount 14." in talk.writes("no, fourteen")
    assert "order number 1043, with amount 14." in talk.writes("no, the order number is 1043")


def test_a_number_beyond_its_bounds_overwrites_nothing_else() -> None:
    tool = offer("book_seats", "Book seats.", order_number=TEXT, seats={"type": "integer", "maximum": 12})
    talk = Talk([tool])
    talk.writes("book seats")
    talk.writes("1042")
    assert talk.writes("20") == "I heard 20, but the number of seats can be at most 12. Please say it again."
    talk.writes("4")
    assert "at most 12" in talk.writes("no, 20")
    assert "order number 1042, with 5 seats." in talk.writes("five")
    assert "order number 1043, with 5 seats." in talk.writes("no, 1043"), "as long as the number before it"


def test_a_number_that_is_left_open_is_asked_for_again() -> None:
    talk = Talk([PARTY])
    talk.writes("book a table")
    assert talk.says("four or five") == "Sorry, I did not catch that. What is the party size?"
    assert talk.says("four").startswith("Which seating")
    talk.says("inside")
    assert "with party size 4" in talk.presses("20261125")
    assert "with party size 4" in talk.says("no, five or six")
    assert "with party size 5" in talk.says("no, five")
    assert Talk([PARTY]).says("book a table for four or five") == "What is the party size?"


def test_what_is_wrong_with_a_number_is_said() -> None:
    talk = Talk([PARTY])
    assert talk.writes("book a table") == "What is the party size?"
    assert talk.writes("20") == "I heard 20, but the party size can be at most 12. Please say it again."
    assert "I heard 0, but the party size can be at least 1." in talk.presses("0")
    assert "I heard 4.5, but the party size is a whole number." in talk.writes("4.5")
    talk.writes("4")
    talk.writes("inside")
    assert talk.writes("2026-02-31").startswith("I heard 20260231, but there is no such day.")
    assert talk.presses("20260230").startswith("I heard 20260230, but there is no such day.")
    assert talk.calls == []


def test_what_is_counted_is_said_so() -> None:
    tool = offer("book_room", "Book a room.", number_of_guests={"type": "integer"}, nights={"type": "integer"})
    talk = Talk([tool])
    assert talk.writes("book a room") == "How many guests?"
    assert talk.writes("two") == "How many nights?"
    assert "with 2 guests and 1 night." in talk.writes("one night")
    assert talk.writes("that's wrong") == "I am sorry. What is the right number of nights? You can also use the keypad."


# What came of it


@pytest.mark.parametrize("output", ["null", '""', "", "{}", "[]"])
def test_a_tool_that_changes_something_and_answers_nothing_has_done_it(output: str) -> None:
    entries = (ToolCalled("a", "cancel_order", '{"order_number": "1042"}'), ToolAnswered("a", output))
    told = {
        language: reply(entries, instructions=ACME, tools=[CANCEL], language=language)
        for language in ("en", "ko", "ja")
    }
    assert told["en"] == [Say("Done. Order 1042 has been cancelled. Is there anything else I can do for you?")]
    assert told["ko"] == [Say("주문 1042번 취소가 완료되었습니다. 더 도와드릴 일이 있으시면 번호를 눌러 주세요.")]
    assert told["ja"] == [Say("注文1042のキャンセルが完了しました。ほかにご用がございましたら、番号を押してください。")]


def test_a_look_up_that_answers_nothing_has_found_nothing() -> None:
    (said,) = answer(ToolCalled("a", "lookup_order", '{"order_number": "1042"}'), ToolAnswered("a", "null"))
    assert isinstance(said, Say)
    assert "could not find an order with the number 1042" in said.text


@pytest.mark.parametrize("asked", ["when are you open?", "are you open today", "what are your opening hours"])
def test_what_a_tool_tells_about_the_business_is_asked_of_it(asked: str) -> None:
    talk = Talk([HOURS, LOOKUP], f"{ACME} We are open all day.", answer=lambda name, _: {"hours": "nine to five"})
    assert "The hours are nine to five." in talk.says(asked)
    assert talk.calls == [CallTool("get_opening_hours", {})]
    assert talk.says("where are you open") != ""


# Silence


def test_a_caller_who_says_nothing_is_asked_for_a_sign_of_life() -> None:
    still_there = "Are you still there? You can ask me something, or say goodbye."
    assert answer(AgentSaid("How can I help you?"), CallerSilent()) == [Say(still_there)]
    asked = answer(CallerSaid("where is my order"), AgentSaid("What is your order number?"), CallerSilent())
    assert asked == [Say(still_there), Say("What is your order number? You can say it digit by digit.")]


def test_silence_while_an_answer_is_owed_is_no_silence_of_the_callers() -> None:
    assert answer(CallerSaid(ORDER), ToolCalled("a", "lookup_order", "{}"), CallerSilent()) == [
        Say("One moment, please.")
    ]


def test_a_yes_behind_a_silence_still_confirms() -> None:
    moves = reply(
        [
            CallerSaid("cancel order one zero four two"),
            AgentSaid("I understood that you want to cancel order 1042. Is that right? Please say yes or no."),
            CallerSilent(),
            AgentSaid("Are you still there?"),
            CallerSaid("yes"),
        ],
        instructions=ACME,
        tools=[CANCEL],
        language="en",
    )
    assert moves[-1] == CallTool("cancel_order", {"order_number": "1042"})
