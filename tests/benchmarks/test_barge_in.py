"""The interruption benchmark itself: what it draws, what its model refuses, and a few calls of it."""

import random

import pytest

from app.session.commands import DeleteItem, RequestResponse, TruncateItem
from app.session.events import AgentAudio, RequestRefused, ResponseEnded
from app.session.words import BargeInMode, ItemId, ModelNumber, ResponseStatus
from scripts.benchmarks.barge_in import Spread, judge, table, virtual
from scripts.benchmarks.barge_in_model import EmulatedModel
from scripts.benchmarks.barge_in_scenes import BYTES_PER_MS, Network, Reply, reply, scenes

pytestmark = pytest.mark.core

M1 = ModelNumber(1)
REPLY = Reply((100, 50), ((0.1, 0, 100 * BYTES_PER_MS), (0.2, 1, 50 * BYTES_PER_MS)), 0.05)


def test_scenes_are_of_all_kinds_and_the_same_for_a_seed() -> None:
    drawn = scenes(16, 5)
    assert drawn == scenes(16, 5)
    assert drawn != scenes(16, 6)
    kinds = {(scene.network, scene.mode) for scene in drawn}
    assert kinds == {(network, mode) for network in Network for mode in (BargeInMode.IMMEDIATE, BargeInMode.CONFIRMED)}
    for scene in drawn:
        if scene.network is Network.NONE:
            assert (scene.line.to_carrier_ms, scene.line.jitter_ms, scene.line.mark_delay_ms) == (0, 0, 0)


def test_replies_are_whole_and_short_and_long_and_of_one_item_and_many() -> None:
    chance = random.Random(1)
    drawn = [reply(chance) for _ in range(200)]
    for each in drawn:
        made = [sum(size for _, of, size in each.deltas if of == item) for item in range(len(each.items_ms))]
        assert made == [length * BYTES_PER_MS for length in each.items_ms]
        assert [after for after, _, _ in each.deltas] == sorted(after for after, _, _ in each.deltas)
        assert each.interrupted_after_s > 0
    assert min(sum(each.items_ms) for each in drawn) < 1000
    assert max(sum(each.items_ms) for each in drawn) > 15_000
    assert {len(each.items_ms) for each in drawn} == {1, 2, 3, 4}


def play(model: EmulatedModel, until: float) -> list[object]:
    happened: list[object] = []
    while model.next_at is not None and model.next_at <= until:
        happened.append(model.take())
    return happened


def test_the_model_refuses_what_lies_beyond_an_item_or_is_none() -> None:
    model = EmulatedModel()
    model.begin(REPLY, 0.0)
    play(model, 1.0)
    for item_id, end_ms in (("item_1_0", 100), ("item_1_1", 51), ("item_9", 1)):
        model.perform(TruncateItem(M1, ItemId(item_id), 0, end_ms), 1.0)
    assert model.refused == ["item_1_1: 51 ms of 50", "item_9: there is no such item"]
    assert len([event for event in play(model, 1.0) if isinstance(event, RequestRefused)]) == 2
    model.perform(DeleteItem(M1, ItemId("item_1_1")), 1.0)
    model.perform(TruncateItem(M1, ItemId("item_1_1"), 0, 10), 1.0)
    assert len(model.refused) == 3


def test_a_cancelled_response_makes_no_more_but_what_was_under_way() -> None:
    model = EmulatedModel()
    model.begin(Reply((1000,), tuple((0.1 * n, 0, 4800) for n in range(1, 11)), 0.5), 0.0)
    play(model, 0.25)
    model.cancel(0.3, "turn_detected")
    rest = play(model, 9.0)
    assert [type(event) for event in rest] == [AgentAudio, AgentAudio, ResponseEnded]
    assert isinstance(rest[-1], ResponseEnded)
    assert rest[-1].status is ResponseStatus.CANCELLED
    model.perform(RequestResponse(M1), 1.0)
    assert model.wants_reply


def test_a_spread_is_of_magnitudes() -> None:
    assert Spread.of([-5.0, 1.0, 3.0]) == Spread(3, 3.0, 5.0, 5.0)
    assert Spread.of([]) == Spread(0, 0.0, 0.0, 0.0)


def test_interruptions_in_virtual_time_are_cut_where_they_were_heard() -> None:
    outcomes = virtual(64, 11)
    rows, facts = judge(outcomes)
    assert sum(len(outcome.interrupted) for outcome in outcomes) == 64
    assert {row.what: row.spread.count for row in rows[: len(Network)]} == {
        f"error in ms, {network.value}": 16 for network in Network
    }
    for row in rows[: len(Network)]:  # the rest is timed by the wall clock
        assert row.is_met is not False, row
    assert [met for _, _, met in facts] == [True, True, True], facts
    assert all(abs(each.error_ms) <= 10 for o in outcomes for each in o.interrupted if not each.scene.line.jitter_ms)
    told = table(rows, facts)
    assert "error in ms, no network delay" in told
    assert "NOT MET" not in told.split("ms from")[0]
