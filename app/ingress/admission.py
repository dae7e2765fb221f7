"""Who may come in: one-time stream tickets, how many calls at once, draining. Pure: time is an argument.

The voice webhook is signed, the stream's `start` is not. So the webhook issues a ticket, the TwiML carries it, and the
stream has to show it, for the same call. A ticket that is out holds a place, here and on the account of one of the
agent's models, so that nobody is let in to find no room.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from app.bridge.incoming import IncomingCall
from app.errors import CallRefused
from app.ingress.seat import Accounts, Seat, has_room, take_seat

TICKET_LIFE_S = 60.0
"""From the webhook's answer to the stream's `start` Twilio needs a second or two."""

_REMEMBERED_S = 600.0
"""How long a ticket is known after it was issued, so that a refusal can say why."""


@dataclass(slots=True)
class _Ticket:
    call: IncomingCall
    seat: Seat
    issued_at: float
    good_until: float
    spent: str | None = None
    """Why it is good no more: used, expired."""


class Admission:
    """The places of one process.

    new_token: gives a text that nobody can guess. at: seconds, monotonic, in all that follows.
    """

    def __init__(self, max_calls: int, new_token: Callable[[], str]) -> None:
        self.max_calls = max_calls
        self.live_calls = 0
        self.is_draining = False
        self._new_token = new_token
        self._tickets: dict[str, _Ticket] = {}  # by token, oldest first
        self._token_of: dict[str, str] = {}  # the good tickets, by CallSid
        self._seats: dict[str, list[Seat]] = {}  # of the calls that are on, by CallSid, oldest first

    def drain(self) -> None:
        """Let no new call in. Tickets that are out stay good."""
        self.is_draining = True

    def taken(self, at: float) -> int:
        """Return how many places are taken: live calls, and tickets that are out for others."""
        self._expire(at)
        return self.live_calls + sum(call_sid not in self._seats for call_sid in self._token_of)

    def is_full(self, at: float, agents: Iterable[Accounts] = ((None,),)) -> bool:
        """Say whether no call can be let in, whomever it is for. agents: of each that answers, its models' accounts."""
        return self.taken(at) >= self.max_calls or not any(has_room(accounts, at) for accounts in agents)

    def admit(self, call: IncomingCall, at: float, spoken_s: float = 0.0, accounts: Accounts = (None,)) -> str:
        """Return a ticket for a call's stream; one that the call already had is good no more.

        spoken_s: how long Twilio will speak before it opens the stream; the ticket lives so much longer.
        accounts: of the models of the call's agent. Raises CallRefused (full, models_full, draining). A call that was
        let in already, and asks again, is no new one: it keeps its place.
        """
        self._expire(at)
        former = self._tickets.get(self._token_of.pop(call.call_sid, ""))
        if former is None and call.call_sid not in self._seats:
            self._check_room(at)
        seat: Seat | None
        if former is not None:
            former.spent = "expired"
            seat = former.seat
        elif call.call_sid in self._seats:
            seat = Seat(accounts, 0, is_held=False)
        else:
            seat = take_seat(accounts, at)
        if seat is None:
            raise CallRefused(
                "models_full",
                f"no model of {call.agent.agent} has room: their accounts have as many sessions as they may",
            )
        token = self._new_token()
        self._tickets[token] = _Ticket(replace(call, readers=(seat,)), seat, at, at + TICKET_LIFE_S + spoken_s)
        self._token_of[call.call_sid] = token
        return token

    def _check_room(self, at: float) -> None:
        if self.is_draining:
            raise CallRefused("draining", "this process is going to stop and takes no new calls")
        if self.is_full(at):
            raise CallRefused("full", f"all {self.max_calls} places are taken; MAX_CALLS says how many there are")

    def withdraw(self, call_sid: str) -> None:
        """Take back the ticket that is out for a call, if there is one: the call has ended."""
        token = self._token_of.pop(call_sid, None)
        if token is not None:
            self._tickets[token].spent = "expired"
            self._tickets[token].seat.give_up()

    def redeem(self, token: str, call_sid: str, at: float) -> IncomingCall:
        """Take a ticket and give its call a place, which `leave` gives back. The call's readers follow its journal.

        Raises CallRefused (unknown, used, expired, other_call). A ticket shown for another call stays good for its own.
        """
        self._expire(at)
        ticket = self._tickets.get(token)
        if ticket is None:
            raise CallRefused("unknown", "no such ticket was issued by this process")
        if ticket.call.call_sid != call_sid:
            raise CallRefused("other_call", "the ticket was issued for another call")
        if ticket.spent is not None:
            raise CallRefused(ticket.spent, f"the ticket is {ticket.spent}; a new webhook gives a new one")
        ticket.spent = "used"
        del self._token_of[call_sid]
        self.live_calls += 1
        self._seats.setdefault(call_sid, []).append(ticket.seat)
        return ticket.call

    def leave(self, call_sid: str) -> None:
        """Give back the place of a call that was let in."""
        self.live_calls -= 1
        seats = self._seats[call_sid]  # two, when a call's next stream comes before its last one is put away
        seats.pop(0).give_up()
        if not seats:
            del self._seats[call_sid]

    def _expire(self, at: float) -> None:
        for call_sid, token in list(self._token_of.items()):
            if at >= self._tickets[token].good_until:
                self.withdraw(call_sid)
        while self._tickets:
            token, oldest = next(iter(self._tickets.items()))
            if oldest.spent is None or at - oldest.issued_at < _REMEMBERED_S:
                return
            del self._tickets[token]
