import pytest

from app.local.intents import Heard, understand
from app.local.offers import tools_of
from app.local.outcomes import Detail
from app.local.sayings import Intent
from tests.support.talks import BOOK, CANCEL, END, LOOKUP, TEXT, TRANSFER, offer

pytestmark = pytest.mark.core

TOOLS = tools_of([LOOKUP, CANCEL, TRANSFER, END])
DESK = tools_of([LOOKUP])


def hear(text: str) -> Heard:
    return understand(text, TOOLS)


def meant(heard: Heard) -> list[str]:
    return [tool.name for tool in heard.tools]


@pytest.mark.parametrize(
    ("said", "tool", "detail", "digits"),
    [
        ("Where is my order? The number is one zero four two.", "lookup_order", Detail.STATUS, ["1042"]),
        ("My order number is one zero four two.", "lookup_order", None, ["1042"]),
        ("I'd like to know when my order will arrive.", "lookup_order", Detail.ARRIVAL, []),
        ("I have a question about my order", "lookup_order", None, []),
        ("has my order been cancelled", "lookup_order", Detail.STATUS, []),
        ("cancel my order please", "cancel_order", None, []),
        ("I want to cancel order one zero four two", "cancel_order", None, ["1042"]),
        ("can you cancel it", "cancel_order", None, []),
        ("can I talk to a person", "transfer_call", None, []),
        ("put me through to billing", "transfer_call", None, []),
    ],
)
def test_a_request_is_for_the_tool_that_does_it(said: str, tool: str, detail: Detail | None, digits: list[str]) -> None:
    heard = hear(said)
    assert (heard.intent, meant(heard)) == (Intent.REQUEST, [tool])
    assert heard.detail is detail
    assert [run.digits for run in heard.numbers] == digits


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("Actually, when will it arrive?", Intent.QUESTION),
        ("is it shipped", Intent.QUESTION),
        ("what is my order number", Intent.OWN_NUMBER),
        ("which number did you look up", Intent.OWN_NUMBER),
        ("what is the tracking number", Intent.QUESTION),
        ("one zero four two", Intent.NUMBER),
        ("no, it's one zero four three", Intent.NUMBER),
        ("another one please", Intent.ANOTHER),
        ("sorry, one question", Intent.ASKING),
        ("one moment please", Intent.WAIT),
        ("that is all, goodbye", Intent.GOODBYE),
        ("no thank you", Intent.GOODBYE),
        ("are you a human", Intent.HUMAN),
        ("am I talking to a robot", Intent.HUMAN),
        ("who are you", Intent.IDENTITY),
        ("please repeat that", Intent.REPEAT),
        ("what can you do", Intent.HELP),
        ("no, that's wrong", Intent.WRONG),
        ("do not cancel it", Intent.NO),
        ("never mind", Intent.NO),
        ("yes that's right", Intent.YES),
        ("thank you very much", Intent.THANKS),
        ("good morning", Intent.HELLO),
        ("my favourite elephant is green", Intent.UNCLEAR),
        ("ask not what your country can do for you", Intent.UNCLEAR),
        ("oh", Intent.UNCLEAR),
        ("", Intent.UNCLEAR),
    ],
)
def test_everything_else_is_understood_without_tools_too(said: str, intent: Intent) -> None:
    assert understand(said, DESK).intent is intent


def test_what_nothing_offered_does_is_a_request_without_a_tool() -> None:
    heard = understand("I want to cancel my order", DESK)
    assert (heard.intent, heard.tools, heard.deed) == (Intent.REQUEST, (), TOOLS[1].deed)


def test_a_thing_that_is_called_like_a_deed_is_a_thing() -> None:
    payments = tools_of([offer("get_payment_status", payment_number=TEXT), offer("order_pizza")])
    assert meant(understand("what is the status of my payment", payments)) == ["get_payment_status"]
    assert meant(understand("i'd like to order a pizza", payments)) == ["order_pizza"]


def test_between_tools_for_the_same_thing_their_other_words_decide() -> None:
    tools = tools_of([offer("find_order", "By order number.", order_number=TEXT), offer("find_order_by_zip", zip=TEXT)])
    assert meant(understand("find my order by zip code", tools)) == ["find_order_by_zip"]
    assert meant(understand("find my order", tools)) == ["find_order", "find_order_by_zip"]


def test_a_choice_in_the_turn_does_not_hide_the_request() -> None:
    heard = understand("i'd like to book a table outside for four people", tools_of([BOOK]))
    assert meant(heard) == ["book_table"]
    assert [run.digits for run in heard.numbers] == ["4"]


@pytest.mark.parametrize(
    "asked",
    [
        "Are you a human?", "Am I talking to a real person?", "Is this a robot?", "is this automated",
        "are you even human", "be honest, are you a real person", "you are a robot, aren't you", "you are not human",
        "you sound like a robot",
        "so you're just a computer", "what are you", "can you prove you are human", "is there a human there",
        "is anybody there a real person", "are you an AI", "is this a machine", "you're not a real person",
    ],
)  # fmt: skip
def test_a_caller_who_wants_to_know_whether_this_is_a_human_is_understood(asked: str) -> None:
    assert hear(asked).intent is Intent.HUMAN


@pytest.mark.parametrize("asked", ["I want to talk to a real person", "can I get a human", "let me speak to a person"])
def test_a_caller_who_wants_a_human_is_not_told_what_this_is_instead(asked: str) -> None:
    assert understand(asked, DESK).intent is Intent.PERSON
