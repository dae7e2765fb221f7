"""How many sessions a provider's account may have at once, and how many it has. Pure: time is an argument.

The limit is what the operator says, and what the provider's refusals teach: an account is shared with other processes,
and its tier is often not known. A learnt limit is a guess, so it turns away at the door only; a call that is on may
always try, for the provider is the judge, and its next try shows whether the guess still holds.

A call that was let in holds a place until its session counts itself, some seconds later, so that it counts once at any
time: reserved → due (the session is asked for) → released by the session that enters.
"""

from collections import deque
from collections.abc import Iterable

GROWS_AFTER_S = 60.0
"""So long after a refusal the learnt limit grows by one, and again each time as long."""
FORGOTTEN_AFTER_S = 600.0
"""After so long without a refusal nothing is known any more."""


class Account:
    """One key with one provider, with all the sessions that this process has on it.

    name: for logs and metrics, such as openai; no part of the key. max_sessions: None when the operator names none.
    """

    __slots__ = ("_due", "_learnt", "_learnt_at", "_reserved", "max_sessions", "name", "open_sessions")

    def __init__(self, name: str, max_sessions: int | None = None) -> None:
        self.name = name
        self.max_sessions = max_sessions
        self.open_sessions = 0
        self._reserved = 0
        self._due: deque[Reservation] = deque()
        self._learnt: int | None = None
        self._learnt_at = 0.0

    def enter(self) -> bool:
        """Count a session, before it is connected; False, and not counted, when `max_sessions` are open.

        Reserved places do not count here: to a call that is on, its next session matters more. Of those that are due
        one is released, since all of their sessions enter at once, in whatever order.
        """
        if self._due:
            self._due.popleft().release()
        if self.max_sessions is not None and self.open_sessions >= self.max_sessions:
            return False
        self.open_sessions += 1
        return True

    def leave(self) -> None:
        """A session that entered is over, or never came about."""
        self.open_sessions -= 1

    def refused(self, at: float) -> None:
        """The provider has refused a session because there are too many. Called before that session leaves.

        at: seconds, monotonic; here and below.
        """
        self._learnt = max(0, self.open_sessions - 1)
        self._learnt_at = at

    def reserve(self) -> "Reservation":
        """Hold a place for a call that was let in and has not asked for its session yet."""
        return Reservation(self)

    def limit(self, at: float) -> int | None:
        """Return how many sessions there may be as far as is known; None: as many as you like."""
        learnt = self._learnt
        if learnt is not None:
            passed_s = at - self._learnt_at
            learnt = None if passed_s >= FORGOTTEN_AFTER_S else learnt + int(passed_s / GROWS_AFTER_S)
        known = [limit for limit in (self.max_sessions, learnt) if limit is not None]
        return min(known, default=None)

    def has_room(self, at: float) -> bool:
        """Say whether one more call could have its session here, those not counted yet that hold a place included."""
        limit = self.limit(at)
        return limit is None or self.open_sessions + self._reserved < limit

    def _hold(self, places: int) -> None:
        self._reserved += places


class Reservation:
    """A place held on an account, until it is released; releasing it again changes nothing."""

    __slots__ = ("_is_held", "account")

    def __init__(self, account: Account) -> None:
        self.account = account
        self._is_held = True
        account._hold(1)

    def fall_due(self) -> None:
        """The call's session is asked for: when it enters, this is released."""
        if self._is_held:
            self.account._due.append(self)

    def release(self) -> None:
        """Give the place back: the call has a session, or will have none."""
        if self._is_held:
            self._is_held = False
            self.account._hold(-1)
            if self in self.account._due:
                self.account._due.remove(self)


def open_sessions(accounts: Iterable[Account | None]) -> dict[str, int]:
    """Return how many sessions are open by the accounts' names; one that is listed twice counts once."""
    counts: dict[str, int] = {}
    for account in {account for account in accounts if account is not None}:
        counts[account.name] = counts.get(account.name, 0) + account.open_sessions
    return counts
