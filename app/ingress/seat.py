"""A call's place among the sessions of a model's account, whenever it has no session that counts itself.

It is taken at the webhook and given up when the session enters the account, some seconds later; taken again when the
call loses its session, so that no new caller comes before one who is on; and given up at the call's end.
"""

from collections.abc import Sequence

from app.model.accounts import Account, Reservation
from app.session.commands import CloseModel, Command, NoteEnd, OpenModel
from app.session.events import Event, ModelLost, ModelReady
from app.session.journal import Entry, FrameRun
from app.session.words import ModelNumber

Accounts = Sequence[Account | None]
"""Of an agent's models in their order; None: a model that has no account, and so always room."""


class Seat:
    """The place of one call, which reads the call's journal. choice: the model that had room, as `OpenModel` counts."""

    __slots__ = ("_accounts", "_choice", "_choices", "_is_over", "_ready", "_reservation")

    def __init__(self, accounts: Accounts, choice: int, *, is_held: bool = True) -> None:
        """is_held: from now on. Else the call has a session that counts itself."""
        self._accounts = accounts
        self._choice = choice
        self._choices: dict[ModelNumber, int] = {}  # of the sessions that were asked for
        self._ready: set[ModelNumber] = set()
        self._is_over = False
        self._reservation: Reservation | None = None
        if is_held:
            self._hold(choice)

    def read(self, entry: Entry | FrameRun) -> None:
        """Take in the next entry of the journal."""
        if self._is_over or isinstance(entry, FrameRun):
            return
        self._read_event(entry.event)
        for command in entry.commands:
            self._read_command(command)

    def give_up(self) -> None:
        """The call is over, or never came about. Given up already, it changes nothing."""
        self._is_over = True
        self._release()

    def _read_event(self, event: Event) -> None:
        match event:
            case ModelReady(model):
                self._ready.add(model)
                self._release()
            case ModelLost(model) if model in self._choices:
                self._ready.discard(model)
                if not self._ready:
                    self._hold(self._choices[model])

    def _read_command(self, command: Command) -> None:
        match command:
            case OpenModel(model, choice):
                self._choices[model] = choice
                if self._reservation is not None and choice == self._choice:
                    self._reservation.fall_due()
                elif choice > self._choice:  # the one before is given up; this one's session comes at once
                    self._release()
            case CloseModel(model):
                self._ready.discard(model)
            case NoteEnd():
                self.give_up()

    def _hold(self, choice: int) -> None:
        self._release()
        self._choice = choice
        account = self._accounts[choice]
        self._reservation = None if account is None else account.reserve()

    def _release(self) -> None:
        if self._reservation is not None:
            self._reservation.release()
            self._reservation = None


def has_room(accounts: Accounts, at: float) -> bool:
    """Say whether one of an agent's models could serve one more call. at: seconds, monotonic; here and below."""
    return _first_with_room(accounts, at) is not None


def take_seat(accounts: Accounts, at: float) -> Seat | None:
    """Return a place with the first of an agent's models that has room, None when there is none."""
    choice = _first_with_room(accounts, at)
    return None if choice is None else Seat(accounts, choice)


def _first_with_room(accounts: Accounts, at: float) -> int | None:
    rooms = (choice for choice, account in enumerate(accounts) if account is None or account.has_room(at))
    return next(rooms, None)
