import pytest

from app.local.dialogue import (
    CallerSaid,
    CallTool,
    Say,
    reply,
)
from tests.support.talks import ACME, CANCEL, END, LOOKUP, ORDER, TRANSFER, Talk, answer

pytestmark = pytest.mark.core


def test_it_is_honest() -> None:
    talk = Talk([LOOKUP])
    assert talk.says("are you a human").startswith("No, I am not a human. I am an automated AI assistant.")
    assert "cannot put you through to a person" in talk.says("let me talk to a person")
    assert talk.says("cancel my order").startswith("I am sorry, I cannot cancel anything here.")
    assert "I can look up an order" in talk.says("help")
    assert talk.calls == []


def test_a_person_is_reached_where_a_tool_can() -> None:
    talk = Talk([LOOKUP, TRANSFER])
    assert talk.says("let me talk to a person").startswith("Which destination: sales or billing?")
    talk.says("billing")
    assert talk.calls == [CallTool("transfer_call", {"destination": "billing"})]


def test_goodbye_ends_the_call_where_a_tool_can() -> None:
    moves = reply([CallerSaid("that is all goodbye")], instructions=ACME, tools=[LOOKUP, END], language="en")
    assert moves == [Say("Thank you for calling Acme. Goodbye."), CallTool("end_call", {})]


def test_facts_of_the_instructions_are_told_as_they_stand() -> None:
    moves = answer(CallerSaid("when do you open"), instructions=ACME + " We are open from 9 to 5.")
    assert moves == [Say("We are open from 9 to 5. Is there anything else I can do for you?")]


def test_what_is_not_understood_leads_to_the_keypad_and_then_to_what_can_be_done() -> None:
    talk = Talk([LOOKUP])
    assert talk.says(None) == "Sorry, I did not catch that."
    assert "enter the order number on the keypad" in talk.says("ask not what your country can do")
    assert "I can look up an order" in talk.says(None)
    assert "1042 has been shipped" in talk.says(ORDER)
    assert talk.says(None) == "Sorry, I did not catch that."


def test_an_open_question_is_asked_again() -> None:
    talk = Talk([CANCEL])
    talk.says("cancel order one zero four two")
    assert talk.says(None).endswith("Is that right? Please say yes or no.")
    assert talk.says(None).endswith("press 1 for yes and 2 for no.")
    assert "has been cancelled" in talk.presses("1") or talk.says("yes")
