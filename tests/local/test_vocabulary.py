from collections import Counter
from collections.abc import Sequence

import pytest

from app.local.dialogue import AgentSaid, CallerSaid, CallTool, Entry, Say, ToolAnswered, ToolCalled, reply
from app.local.digits import DIGIT_WORDS, runs
from app.local.instructions import facts_in
from app.local.intents import understand
from app.local.offers import ToolOffer, tools_of
from app.local.phrases import Phrase
from app.local.sayings import Intent
from app.local.vocabulary import Vocabulary, expected, vocabulary_of
from app.local.words import words_of
from tests.support.talks import ACME, BOOK, CANCEL, END, FOUR_DIGITS, HOURS, LOOKUP, TEXT, TRANSFER, offer

pytestmark = pytest.mark.core

FACTS = ACME + " We are open from 9 to 5. Delivery takes three days. We accept credit cards."
BALANCE = offer("check_account_balance", account_number={"type": "string", "minLength": 6, "maxLength": 8})
BOOKING = offer("get_booking", booking_code={"type": "string", "pattern": "^[0-9]{5}$"})
PIZZA = offer("order_pizza", pizza_size={"type": "string", "enum": ["small", "large"]})
DESKS: tuple[tuple[ToolOffer, ...], ...] = (
    (),
    (LOOKUP,),
    (CANCEL,),
    (END,),
    (BOOK,),
    (LOOKUP, CANCEL, TRANSFER, END),
    (HOURS, BALANCE),
    (PIZZA, LOOKUP),
    (BOOKING, LOOKUP, BALANCE),
)
ONE_DESK = DESKS[5]
SORRY = "I did not catch that"


@pytest.mark.parametrize("desk", DESKS, ids=lambda desk: "+".join(tool.name for tool in desk) or "none")
def test_every_sentence_listened_for_is_understood_as_what_it_was_put_in_for(desk: Sequence[ToolOffer]) -> None:
    tools = tools_of(desk)
    topics = tuple(facts_in(FACTS, [tool.noun for tool in tools]))
    for phrase in expected(FACTS, desk):
        heard = understand(phrase.words, tools, topics)
        assert heard.intent is phrase.intent, phrase
        assert not phrase.tool or phrase.tool in [tool.name for tool in heard.tools], phrase
        assert bool(heard.numbers) == (phrase.number is not None), phrase


def test_every_sentence_that_asks_for_something_is_answered() -> None:
    """Behind an order that was found, so that questions have something to be about."""
    found: list[Entry] = [
        CallerSaid("where is my order the number is one zero four two"),
        AgentSaid("Order number 1042, one moment."),
        ToolCalled("a", "lookup_order", '{"order_number": "1042"}'),
        ToolAnswered("a", '{"rows": [{"status": "shipped", "eta": "2026-11-25"}]}'),
        AgentSaid("Order 1042 has been shipped."),
    ]
    for phrase in expected(FACTS, ONE_DESK)[::3]:
        if phrase.intent is Intent.UNCLEAR:
            continue
        moves = reply([*found, CallerSaid(phrase.words)], instructions=FACTS, tools=ONE_DESK, language="en")
        assert moves, phrase
        assert not any(isinstance(move, Say) and SORRY in move.text for move in moves), phrase
        _calls_only_what_was_said(phrase, [move for move in moves if isinstance(move, CallTool)])


def _calls_only_what_was_said(phrase: Phrase, calls: Sequence[CallTool]) -> None:
    said = [run.digits for run in runs(words_of(phrase.words))]
    for call in calls:
        assert call.name in {"lookup_order", "transfer_call", "end_call"}, phrase  # cancelling is confirmed before
        assert [call.arguments[name] for name in ("order_number",) if name in call.arguments] == said, phrase


def test_the_words_of_a_whole_call_are_there_word_for_word() -> None:
    sentences = vocabulary_of(ACME, [offer("lookup_order", order_number=FOUR_DIGITS)]).sentences
    patterns = Counter(" ".join("#" if _is_digit(word) else word for word in one.split()) for one in sentences)
    four = "# # # #"
    assert patterns[f"where is my order the number is {four}"] >= 3
    assert patterns[f"my order number is {four}"] >= 20
    assert patterns[f"the number is {four}"] >= 20
    assert {"where is my order", "actually when will it arrive", "that is all goodbye"} <= set(sentences)


def _is_digit(word: str) -> bool:
    return word in {"oh", *DIGIT_WORDS}


def test_numbers_have_the_lengths_that_the_schema_allows() -> None:
    for tool, lengths in ((CANCEL, {4}), (BALANCE, {6, 7, 8}), (LOOKUP, {3, 4, 5, 6})):
        numbers = [run.digits for one in vocabulary_of(ACME, [tool]).sentences for run in runs(words_of(one))]
        heard = [digits for digits in numbers if len(digits) > 1]  # "one question" has one of its own
        assert {len(digits) for digits in heard} == lengths
        assert len(heard) >= 400
        assert all(count > 50 for count in Counter("".join(heard)).values())


@pytest.mark.parametrize("desk", DESKS, ids=len)
def test_it_stays_small_and_speakable(desk: Sequence[ToolOffer]) -> None:
    vocabulary = vocabulary_of(FACTS, desk)
    assert 0 < len(vocabulary.sentences) <= 1500
    assert len(set(vocabulary.sentences)) == len(vocabulary.sentences)
    for one in vocabulary.sentences:
        assert one == one.lower()
        assert not any(char.isdigit() or char in "#_{}" for char in one), one


def test_the_same_agent_has_the_same_key_and_another_has_another() -> None:
    assert vocabulary_of(ACME, [LOOKUP]).key == vocabulary_of(ACME, [LOOKUP]).key
    assert vocabulary_of(ACME, [LOOKUP]).key != vocabulary_of(ACME, [CANCEL]).key
    assert Vocabulary(("yes",), {}).key != Vocabulary(("yes",), {"yes": "Y EH S"}).key


def test_choices_can_be_heard() -> None:
    sentences = vocabulary_of(ACME, [offer("order_pizza", size={"type": "string", "enum": ["small", "extra_large"]})])
    assert {"small", "extra large"} <= set(sentences.sentences)


def test_free_text_is_not_listened_for() -> None:
    with_name = vocabulary_of(ACME, [offer("find_customer", name=TEXT)]).sentences
    assert not any("name is" in one and "your" not in one for one in with_name)
