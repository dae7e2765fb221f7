"""How many sessions an account may have: as configured, as learnt, with the places that are held."""

import pytest

from app.model.accounts import FORGOTTEN_AFTER_S, GROWS_AFTER_S, Account, open_sessions

pytestmark = pytest.mark.core


def entered(account: Account, sessions: int) -> Account:
    for _ in range(sessions):
        assert account.enter()
    return account


def test_an_account_without_a_limit_always_has_room() -> None:
    account = entered(Account("openai"), 500)
    assert account.has_room(0.0)
    assert account.limit(0.0) is None


def test_the_configured_limit_is_kept() -> None:
    account = entered(Account("openai", 2), 2)
    assert not account.has_room(0.0)
    assert not account.enter()
    assert account.open_sessions == 2
    account.leave()
    assert account.has_room(0.0)
    assert account.enter()


def test_a_place_that_is_held_is_taken_and_given_back_once() -> None:
    account = entered(Account("openai", 2), 1)
    reservation = account.reserve()
    assert not account.has_room(0.0)
    reservation.release()
    reservation.release()
    assert account.has_room(0.0)
    assert account.enter()
    assert not account.has_room(0.0)


def test_a_place_counts_once_while_its_session_comes() -> None:
    account = Account("openai", 2)
    first, second = account.reserve(), account.reserve()
    assert not account.has_room(0.0)
    second.fall_due()
    second.fall_due()
    assert not account.has_room(0.0)
    assert account.enter()  # takes the place of the second
    assert not account.has_room(0.0)
    second.release()
    assert not account.has_room(0.0)
    first.release()
    assert account.has_room(0.0)


def test_a_place_that_was_due_and_never_taken_is_given_back() -> None:
    account = Account("openai", 1)
    reservation = account.reserve()
    reservation.fall_due()
    reservation.release()
    reservation.fall_due()
    assert account.has_room(0.0)
    assert account.enter()
    assert not account.has_room(0.0)


def test_sessions_are_told_by_account() -> None:
    first, second, other = (entered(Account(name), count) for name, count in (("a", 2), ("a", 3), ("b", 0)))
    assert open_sessions([first, None, second, first, other]) == {"a": 5, "b": 0}


def test_a_call_that_is_on_goes_before_one_that_holds_a_place() -> None:
    account = entered(Account("openai", 2), 1)
    account.reserve()
    assert account.enter()


def test_a_refusal_teaches_how_many_there_may_be() -> None:
    account = entered(Account("openai"), 4)
    account.refused(100.0)  # the fourth
    account.leave()
    assert account.limit(100.0) == 3
    assert not account.has_room(100.0)
    account.leave()
    assert account.has_room(100.0)


def test_what_was_learnt_binds_no_call_that_is_on() -> None:
    account = entered(Account("openai"), 1)
    account.refused(100.0)
    account.leave()
    assert not account.has_room(100.0)  # others use up the account
    assert account.enter()


def test_the_learnt_limit_grows_and_is_forgotten() -> None:
    account = entered(Account("openai"), 3)
    account.refused(100.0)
    assert account.limit(100.0 + GROWS_AFTER_S - 1) == 2
    assert account.limit(100.0 + GROWS_AFTER_S) == 3
    assert account.limit(100.0 + 2 * GROWS_AFTER_S) == 4
    assert account.limit(100.0 + FORGOTTEN_AFTER_S) is None


def test_a_later_refusal_teaches_anew() -> None:
    account = entered(Account("openai"), 6)
    account.refused(100.0)
    for _ in range(4):
        account.leave()
    account.refused(130.0)
    assert account.limit(130.0) == 1
    assert account.limit(100.0 + GROWS_AFTER_S) == 1


def test_what_was_learnt_never_widens_what_is_configured() -> None:
    account = entered(Account("openai", 3), 3)
    account.refused(0.0)
    assert account.limit(0.0) == 2
    assert account.limit(5 * GROWS_AFTER_S) == 3
    assert account.limit(FORGOTTEN_AFTER_S) == 3
