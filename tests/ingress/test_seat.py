"""A call's place on the account of its model: taken at the webhook, counted once at any time, never lost."""

from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.bridge.incoming import IncomingCall
from app.errors import CallRefused
from app.ingress.admission import TICKET_LIFE_S, Admission
from app.ingress.seat import has_room, take_seat
from app.model.accounts import GROWS_AFTER_S, Account
from app.session.commands import CloseModel, Command, NoteEnd, OpenModel
from app.session.events import DeadlinePassed, Event, ModelLost, ModelReady, StreamStarted
from app.session.journal import Entry, FrameRun
from app.session.words import ModelNumber, Outcome
from tests.support.door import AGENT

pytestmark = pytest.mark.core

M1, M2 = ModelNumber(1), ModelNumber(2)


def call(call_sid: str) -> IncomingCall:
    return IncomingCall(call_sid, AGENT, "+15550199", "+15550100", disclosure_said=False)


def admission(max_calls: int = 9) -> Admission:
    numbers = count(1)
    return Admission(max_calls, lambda: f"ticket-{next(numbers)}")


def tell(incoming: IncomingCall, event: Event, *commands: Command) -> None:
    for reader in incoming.readers:
        reader.read(Entry(1.0, event, commands))


def is_refused(action: Callable[[], object]) -> bool:
    try:
        action()
    except CallRefused as refusal:
        if refusal.reason != "models_full":
            raise
        return True
    return False


def test_a_call_holds_a_place_from_the_webhook_on() -> None:
    door, account = admission(), Account("openai", 1)
    door.admit(call("CA1"), 0, accounts=[account])
    assert is_refused(lambda: door.admit(call("CA2"), 1, accounts=[account]))
    door.admit(call("CA1"), 2, accounts=[account])  # asks again, for the same place
    assert is_refused(lambda: door.admit(call("CA2"), 3, accounts=[account]))
    door.withdraw("CA1")
    assert not is_refused(lambda: door.admit(call("CA2"), 4, accounts=[account]))
    assert is_refused(lambda: door.admit(call("CA3"), 3 + TICKET_LIFE_S, accounts=[account]))
    assert not is_refused(lambda: door.admit(call("CA3"), 4 + TICKET_LIFE_S, accounts=[account]))


def test_a_call_with_its_session_counts_once() -> None:
    door, account = admission(), Account("openai", 2)
    incoming = door.redeem(door.admit(call("CA1"), 0, accounts=[account]), "CA1", 1)
    tell(incoming, StreamStarted(), OpenModel(M1))
    assert account.enter()
    tell(incoming, ModelReady(M1))
    door.admit(call("CA2"), 2, accounts=[account])
    assert is_refused(lambda: door.admit(call("CA3"), 3, accounts=[account]))
    account.leave()
    door.leave("CA1")
    assert not is_refused(lambda: door.admit(call("CA3"), 4, accounts=[account]))


def test_a_call_that_ends_without_a_session_gives_its_place_back() -> None:
    door, account = admission(), Account("openai", 1)
    incoming = door.redeem(door.admit(call("CA1"), 0, accounts=[account]), "CA1", 1)
    for reader in incoming.readers:
        reader.read(FrameRun(1.0, 2.0, 50, 8000))
    tell(incoming, StreamStarted(), OpenModel(M1))
    door.leave("CA1")
    assert not is_refused(lambda: door.admit(call("CA2"), 2, accounts=[account]))


def test_a_fallback_with_room_serves_a_call() -> None:
    door, own, fallback = admission(), Account("openai", 1), Account("azure", 1)
    assert own.enter()  # by somebody else
    incoming = door.redeem(door.admit(call("CA1"), 0, accounts=[own, fallback]), "CA1", 1)
    assert is_refused(lambda: door.admit(call("CA2"), 1, accounts=[own, fallback]))
    tell(incoming, StreamStarted(), OpenModel(M1))  # tries its own first
    assert not own.enter()
    assert is_refused(lambda: door.admit(call("CA2"), 2, accounts=[own, fallback]))
    tell(incoming, ModelLost(M1, "sessions_full"))
    tell(incoming, DeadlinePassed(), OpenModel(M2, choice=1))
    assert fallback.enter()
    tell(incoming, ModelReady(M2))
    assert is_refused(lambda: door.admit(call("CA2"), 3, accounts=[own, fallback]))
    fallback.leave()
    tell(incoming, DeadlinePassed(), CloseModel(M2), NoteEnd(Outcome.IDLE, 3000))
    assert not is_refused(lambda: door.admit(call("CA2"), 4, accounts=[own, fallback]))


def test_a_call_that_has_lost_its_session_keeps_its_place() -> None:
    door, account = admission(), Account("openai", 1)
    incoming = door.redeem(door.admit(call("CA1"), 0, accounts=[account]), "CA1", 1)
    tell(incoming, StreamStarted(), OpenModel(M1))
    assert account.enter()
    tell(incoming, ModelReady(M1))
    account.leave()
    tell(incoming, ModelLost(M1, "close_1006"))
    assert is_refused(lambda: door.admit(call("CA2"), 2, accounts=[account]))
    tell(incoming, DeadlinePassed(), OpenModel(M2))
    assert account.enter()
    assert account.open_sessions == 1
    tell(incoming, ModelReady(M2))
    account.leave()
    tell(incoming, ModelLost(M2, "close_1006"), NoteEnd(Outcome.MODEL_LOST, 3000))
    assert not is_refused(lambda: door.admit(call("CA2"), 3, accounts=[account]))
    tell(incoming, ModelLost(M2, "close_1006"))  # the call is over
    door.withdraw("CA2")
    assert account.has_room(3)


def test_a_session_beside_a_good_one_holds_no_place_when_it_fails() -> None:
    door, account = admission(), Account("openai", 3)
    incoming = door.redeem(door.admit(call("CA1"), 0, accounts=[account]), "CA1", 1)
    tell(incoming, StreamStarted(), OpenModel(M1))
    assert account.enter()
    tell(incoming, ModelReady(M1))
    tell(incoming, DeadlinePassed(), OpenModel(M2))
    assert account.enter()
    account.leave()
    tell(incoming, ModelLost(M2, "connect_timeout"))
    door.admit(call("CA2"), 2, accounts=[account])
    door.admit(call("CA3"), 2, accounts=[account])
    assert is_refused(lambda: door.admit(call("CA4"), 2, accounts=[account]))


def test_a_fallback_that_takes_over_frees_the_place_with_the_own_model() -> None:
    door, own, fallback = admission(), Account("openai", 1), Account("azure", 1)
    incoming = door.redeem(door.admit(call("CA1"), 0, accounts=[own, fallback]), "CA1", 1)
    tell(incoming, StreamStarted(), OpenModel(M1))
    assert own.enter()
    tell(incoming, ModelReady(M1))
    own.leave()
    tell(incoming, ModelLost(M1, "insufficient_quota", is_final=True))
    assert not own.has_room(2)
    tell(incoming, DeadlinePassed(), OpenModel(M2, choice=1))
    assert fallback.enter()
    assert own.has_room(2)
    tell(incoming, ModelReady(M2))
    assert not fallback.has_room(2)


def test_the_place_with_a_fallback_is_given_back_when_the_own_model_serves_after_all() -> None:
    door, own, fallback = admission(), Account("openai", 1), Account("azure", 1)
    assert own.enter()
    incoming = door.redeem(door.admit(call("CA1"), 0, accounts=[own, fallback]), "CA1", 1)
    own.leave()
    tell(incoming, StreamStarted(), OpenModel(M1))
    assert own.enter()
    tell(incoming, ModelReady(M1))
    assert fallback.has_room(2)


def test_a_model_without_an_account_always_has_room() -> None:
    full = Account("openai", 1)
    assert full.enter()
    assert has_room([None], 0)
    assert has_room([full, None], 0)
    assert not has_room([full], 0)
    assert not has_room([], 0)
    seat = take_seat([full, None], 0)
    assert seat is not None
    seat.read(Entry(0.0, DeadlinePassed(), (OpenModel(M1, choice=1),)))
    seat.give_up()


def test_a_learnt_limit_turns_calls_away_for_a_while() -> None:
    door, account = admission(), Account("openai")
    assert account.enter()
    account.refused(10)
    account.leave()
    assert is_refused(lambda: door.admit(call("CA1"), 11, accounts=[account]))
    assert not is_refused(lambda: door.admit(call("CA1"), 10 + GROWS_AFTER_S, accounts=[account]))


def test_full_is_when_no_call_could_be_let_in() -> None:
    door, full, free = admission(max_calls=1), Account("openai", 1), Account("azure", 1)
    assert full.enter()
    assert not door.is_full(0)
    assert not door.is_full(0, [[full], [free]])
    assert not door.is_full(0, [[full, None]])
    assert door.is_full(0, [[full], [full]])
    door.admit(call("CA1"), 0)
    assert door.is_full(0, [[free]])


class AnyDay(RuleBasedStateMachine):
    """Calls come, connect, renew their sessions and go in any order: each counts once, or its session does."""

    def __init__(self) -> None:
        super().__init__()
        self.admission = admission(max_calls=99)
        self.account = Account("openai", 4)
        self.waiting: dict[str, str] = {}  # let in, the stream not begun: tickets by call
        self.begun: dict[str, IncomingCall] = {}  # the session not asked for
        self.connected: dict[str, int] = {}  # sessions by call
        self.calls: dict[str, IncomingCall] = {}  # all that came in
        self.names = (f"CA{number}" for number in count(1))

    def counted(self) -> int:
        return len(self.waiting) + len(self.begun) + sum(self.connected.values())

    @rule()
    def webhook(self) -> None:
        name = next(self.names)
        if self.counted() >= 4:
            assert is_refused(lambda: self.admission.admit(call(name), 0, accounts=[self.account]))
        else:
            self.waiting[name] = self.admission.admit(call(name), 0, accounts=[self.account])

    @precondition(lambda self: bool(self.waiting))
    @rule(begins=st.booleans())
    def stream(self, *, begins: bool) -> None:
        name, ticket = self.waiting.popitem()
        if begins:
            self.begun[name] = self.calls[name] = self.admission.redeem(ticket, name, 0)
        else:
            self.admission.withdraw(name)

    @precondition(lambda self: bool(self.begun))
    @rule(connects=st.booleans())
    def session(self, *, connects: bool) -> None:
        name, incoming = self.begun.popitem()
        if connects and sum(self.connected.values()) < 4:
            tell(incoming, StreamStarted(), OpenModel(M1))
            assert self.account.enter()
            tell(incoming, ModelReady(M1))
            self.connected[name] = 1
        else:
            self.admission.leave(name)

    @precondition(lambda self: bool(self.connected))
    @rule()
    def renewal(self) -> None:
        name = next(iter(self.connected))
        has_room = sum(self.connected.values()) < 4
        assert self.account.enter() is has_room
        self.connected[name] += has_room

    @precondition(lambda self: 1 in self.connected.values())
    @rule()
    def loss(self) -> None:
        name = next(name for name, sessions in self.connected.items() if sessions == 1)
        del self.connected[name]
        self.account.leave()
        tell(self.calls[name], ModelLost(M1, "close_1006"))
        self.begun[name] = self.calls[name]  # it asks again, or ends

    @precondition(lambda self: bool(self.connected))
    @rule()
    def call_ends(self) -> None:
        name, sessions = self.connected.popitem()
        for _ in range(sessions):
            self.account.leave()
        self.admission.leave(name)

    @invariant()
    def every_call_counts_once(self) -> None:
        assert self.account.has_room(0) is (self.counted() < 4)
        assert self.account.open_sessions == sum(self.connected.values())


TestAnyDay = AnyDay.TestCase
TestAnyDay.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
