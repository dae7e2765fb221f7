"""Tickets and places. Nothing here reads a clock."""

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.bridge.incoming import IncomingCall
from app.errors import CallRefused
from app.ingress.admission import TICKET_LIFE_S, Admission
from app.model.accounts import Account
from tests.support.door import AGENT

pytestmark = pytest.mark.core


def call(call_sid: str) -> IncomingCall:
    return IncomingCall(call_sid, AGENT, "+15550199", "+15550100", disclosure_said=False)


def admission(max_calls: int = 2) -> Admission:
    numbers = count(1)
    return Admission(max_calls, lambda: f"ticket-{next(numbers)}")


def reason_of(action: Callable[[], object]) -> str:
    with pytest.raises(CallRefused) as refused:
        action()
    return refused.value.reason


def test_a_ticket_lets_its_call_in_once() -> None:
    door = admission()
    ticket = door.admit(call("CA1"), 0)
    assert door.redeem(ticket, "CA1", 1) == call("CA1")
    assert reason_of(lambda: door.redeem(ticket, "CA1", 2)) == "used"


def test_a_ticket_is_good_for_no_other_call_and_stays_good_for_its_own() -> None:
    door = admission()
    ticket = door.admit(call("CA1"), 0)
    assert reason_of(lambda: door.redeem(ticket, "CA2", 1)) == "other_call"
    assert door.redeem(ticket, "CA1", 2) == call("CA1")


def test_a_ticket_that_nobody_issued_is_unknown() -> None:
    assert reason_of(lambda: admission().redeem("", "CA1", 0)) == "unknown"


def test_a_ticket_lives_a_minute() -> None:
    door = admission()
    ticket = door.admit(call("CA1"), 0)
    assert reason_of(lambda: door.redeem(ticket, "CA1", TICKET_LIFE_S)) == "expired"
    ticket = door.admit(call("CA1"), 100)
    assert door.redeem(ticket, "CA1", 100 + TICKET_LIFE_S - 0.001) == call("CA1")


def test_a_ticket_lives_longer_when_something_is_said_first() -> None:
    door = admission()
    ticket = door.admit(call("CA1"), 0, spoken_s=30)
    assert door.redeem(ticket, "CA1", TICKET_LIFE_S + 29) == call("CA1")


def test_a_new_ticket_kills_the_old_one_and_takes_no_further_place() -> None:
    door = admission(max_calls=1)
    old = door.admit(call("CA1"), 0)
    new = door.admit(call("CA1"), 1)
    assert reason_of(lambda: door.redeem(old, "CA1", 2)) == "expired"
    assert door.redeem(new, "CA1", 3) == call("CA1")


def test_tickets_and_live_calls_take_the_places() -> None:
    door = admission(max_calls=2)
    door.redeem(door.admit(call("CA1"), 0), "CA1", 1)
    door.admit(call("CA2"), 2)
    assert door.is_full(3)
    assert reason_of(lambda: door.admit(call("CA3"), 3)) == "full"
    door.leave("CA1")
    door.admit(call("CA3"), 4)
    assert door.is_full(5)


def test_a_ticket_that_is_not_used_gives_its_place_back() -> None:
    door = admission(max_calls=1)
    door.admit(call("CA1"), 0)
    assert reason_of(lambda: door.admit(call("CA2"), TICKET_LIFE_S - 1)) == "full"
    door.admit(call("CA2"), TICKET_LIFE_S)
    door.withdraw("CA2")
    door.withdraw("CA2")
    assert door.taken(TICKET_LIFE_S) == 0


def test_draining_lets_no_new_call_in_and_those_on_their_way_arrive() -> None:
    door = admission()
    ticket = door.admit(call("CA1"), 0)
    door.drain()
    assert reason_of(lambda: door.admit(call("CA2"), 1)) == "draining"
    assert door.redeem(ticket, "CA1", 2) == call("CA1")


def test_old_tickets_are_forgotten() -> None:
    door = admission()
    ticket = door.admit(call("CA1"), 0)
    door.redeem(ticket, "CA1", 1)
    assert reason_of(lambda: door.redeem(ticket, "CA1", 599)) == "used"
    assert reason_of(lambda: door.redeem(ticket, "CA1", 600)) == "unknown"


class AnyDay(RuleBasedStateMachine):
    """Webhooks, streams, hang-ups in any order and at any time, beside a plain account of what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.admission = admission(max_calls=3)
        self.at = 0.0
        self.issued: dict[str, tuple[str, float]] = {}  # by ticket: call, time
        self.newest: dict[str, str] = {}  # by call: its ticket
        self.used: set[str] = set()
        self.live: list[str] = []

    calls = st.sampled_from(("CA1", "CA2", "CA3", "CA4", "CA5"))

    def good(self) -> list[str]:
        return [
            ticket
            for call_sid, ticket in self.newest.items()
            if ticket not in self.used and self.at < self.issued[ticket][1] + TICKET_LIFE_S
        ]

    def places(self) -> int:
        return len(self.live) + sum(self.issued[ticket][0] not in self.live for ticket in self.good())

    @rule(passed_s=st.floats(min_value=0, max_value=90))
    def time_passes(self, passed_s: float) -> None:
        self.at += passed_s

    @rule(call_sid=calls)
    def webhook(self, call_sid: str) -> None:
        is_known = call_sid in self.live or self.newest.get(call_sid) in self.good()
        self.newest.pop(call_sid, None)
        if not is_known and self.places() >= 3:
            assert reason_of(lambda: self.admission.admit(call(call_sid), self.at)) == "full"
            return
        ticket = self.admission.admit(call(call_sid), self.at)
        assert ticket not in self.issued
        self.issued[ticket] = (call_sid, self.at)
        self.newest[call_sid] = ticket

    @precondition(lambda self: bool(self.issued))
    @rule(data=st.data(), call_sid=calls)
    def stream(self, data: st.DataObject, call_sid: str) -> None:
        ticket = data.draw(st.sampled_from(sorted(self.issued)))
        is_good = ticket in self.good() and self.issued[ticket][0] == call_sid
        if not is_good:
            reason_of(lambda: self.admission.redeem(ticket, call_sid, self.at))
            return
        assert self.admission.redeem(ticket, call_sid, self.at).call_sid == call_sid
        self.used.add(ticket)
        self.live.append(call_sid)

    @precondition(lambda self: bool(self.live))
    @rule(data=st.data())
    def call_ends(self, data: st.DataObject) -> None:
        self.admission.leave(self.live.pop(data.draw(st.integers(0, len(self.live) - 1))))

    @rule(call_sid=calls)
    def caller_gives_up(self, call_sid: str) -> None:
        self.admission.withdraw(call_sid)
        self.newest.pop(call_sid, None)

    @invariant()
    def places_are_counted(self) -> None:
        assert self.admission.taken(self.at) == self.places()
        assert len({*self.live, *(self.issued[ticket][0] for ticket in self.good())}) <= 3


TestAnyDay = AnyDay.TestCase
TestAnyDay.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_a_caller_who_was_let_in_is_not_turned_away_for_asking_again() -> None:
    door = admission(max_calls=1)
    old = door.admit(call("CA1"), 0)
    door.drain()
    new = door.admit(call("CA1"), 1)
    assert reason_of(lambda: door.redeem(old, "CA1", 2)) == "expired"
    assert door.redeem(new, "CA1", 3) == call("CA1")
    assert door.redeem(door.admit(call("CA1"), 4), "CA1", 5) == call("CA1"), "its stream may be just about to end"
    assert reason_of(lambda: door.admit(call("CA2"), 6)) == "draining"


def test_a_call_that_is_on_and_asks_again_counts_once_on_the_account() -> None:
    account = Account("openai", 2)
    door = admission()
    door.redeem(door.admit(call("CA1"), 0, accounts=(account,)), "CA1", 1)
    assert account.enter()
    again = door.admit(call("CA1"), 2, accounts=(account,))
    assert account.enter(), "and so does its second session, while there is room"
    assert door.admit(call("CA1"), 3, accounts=(account,)) != again, "even where there is none"
    account.leave()
    door.redeem(door.admit(call("CA1"), 4, accounts=(account,)), "CA1", 5)
    door.leave("CA1")
    door.leave("CA1")
    door.admit(call("CA2"), 6, accounts=(account,))


def test_a_call_that_asks_again_keeps_its_place_on_the_account() -> None:
    account = Account("openai", 1)
    door = admission()
    door.admit(call("CA1"), 0, accounts=(account,))
    again = door.admit(call("CA1"), 1, accounts=(account,))
    assert reason_of(lambda: door.admit(call("CA2"), 2, accounts=(account,))) == "models_full"
    door.redeem(again, "CA1", 3)
    door.leave("CA1")
    door.admit(call("CA2"), 4, accounts=(account,))
