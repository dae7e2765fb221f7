"""A call's place among the sessions of a model's account, from the webhook until its session counts itself."""

from collections.abc import Sequence

from app.model.accounts import Account, Reservation
from app.session.commands import OpenModel
from app.session.events import ModelReady
from app.session.journal import Entry, FrameRun

Accounts = Sequence[Account | None]
"""Of an agent's models in their order; None: a model that has no account, and so always room."""


class Seat:
    """The place of one call. reservation: on the account of the model that had room, None where none is needed.

    choice: that model's, as `OpenModel` counts them. Reads the call's journal, by which it knows when it is taken.
    """

    __slots__ = ("_choice", "_reservation")

    def __init__(self, choice: int, reservation: Reservation | None) -> None:
        self._choice = choice
        self._reservation = reservation

    def read(self, entry: Entry | FrameRun) -> None:
        """Take in the next entry of the journal."""
        if self._reservation is None or isinstance(entry, FrameRun):
            return
        if type(entry.event) is ModelReady:
            self.give_up()  # the call has its session, this one's or another's
            return
        for command in entry.commands:
            if type(command) is OpenModel and command.choice == self._choice:
                self._reservation.fall_due()

    def give_up(self) -> None:
        """Nobody takes the place: the call is over, or never came about. Given up already, it changes nothing."""
        if self._reservation is not None:
            self._reservation.release()
            self._reservation = None


def has_room(accounts: Accounts, at: float) -> bool:
    """Say whether one of an agent's models could serve one more call. at: seconds, monotonic; here and below."""
    return _first_with_room(accounts, at) is not None


def take_seat(accounts: Accounts, at: float) -> Seat | None:
    """Return a place with the first of an agent's models that has room, None when there is none."""
    choice = _first_with_room(accounts, at)
    if choice is None:
        return None
    account = accounts[choice]
    return Seat(choice, None if account is None else account.reserve())


def _first_with_room(accounts: Accounts, at: float) -> int | None:
    rooms = (choice for choice, account in enumerate(accounts) if account is None or account.has_room(at))
    return next(rooms, None)
