"""What is kept packed comes back as it was, in order, and takes little more than its words."""

import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.kept import Kept
from app.records.record import InterruptionRecord, TurnRecord
from app.session.words import Speaker

pytestmark = pytest.mark.core

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
TURNS = st.builds(
    TurnRecord,
    speaker=st.sampled_from(Speaker),
    generated=st.none() | TEXT,
    heard=st.none() | TEXT,
    start_ms=st.integers(0, 90_000_000),
    end_ms=st.integers(0, 90_000_000),
    heard_is_estimated=st.booleans(),
)
INTERRUPTIONS = st.builds(
    InterruptionRecord,
    at_ms=st.integers(0, 90_000_000),
    item_id=st.none() | TEXT,
    heard_ms=st.none() | st.integers(0, 90_000_000),
    generated_ms=st.none() | st.integers(0, 90_000_000),
    mark=st.none() | TEXT,
)


@given(st.lists(TURNS, max_size=300), st.lists(INTERRUPTIONS, max_size=40))
def test_what_is_kept_comes_back_in_order(turns: list[TurnRecord], interruptions: list[InterruptionRecord]) -> None:
    kept_turns, kept_interruptions = Kept(TurnRecord), Kept(InterruptionRecord)
    for turn in turns:
        kept_turns.add(turn)
    for interruption in interruptions:
        kept_interruptions.add(interruption)
    assert (len(kept_turns), kept_turns.all()) == (len(turns), turns)
    assert (len(kept_interruptions), kept_interruptions.all()) == (len(interruptions), interruptions)


def test_a_kind_without_fields_in_common_is_refused() -> None:
    kept: Kept[msgspec.Struct] = Kept(InterruptionRecord)
    kept.add(TurnRecord(speaker=Speaker.AGENT, generated=None, heard=None, start_ms=0, end_ms=0))
    with pytest.raises(ValueError, match="zip"):
        kept.all()


def test_turns_take_less_memory_than_their_words() -> None:
    recipe = "Order {} is on its way and will arrive on the {} of May, between {} and noon; the parcel weighs {} grams."
    words = [recipe.format(number * 7919 % 10_007, number % 31, number % 11, number * 13) for number in range(1000)]
    kept = Kept(TurnRecord)
    tracemalloc.start()
    try:
        for number, text in enumerate(words):
            kept.add(TurnRecord(speaker=Speaker.CALLER, generated=None, heard=text, start_ms=number, end_ms=number))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 0.5 * sum(map(len, words))  # as objects they take three times as much as their words
    assert [turn.heard for turn in kept.all()] == words
