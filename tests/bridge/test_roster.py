"""The live calls and the last words to those that are over."""

import asyncio

from app.bridge.roster import KEPT_LAST_WORDS, Roster
from app.session.commands import HangUp, TransferCall
from app.session.events import CallCompleted, Event, ServiceStopping


def test_events_from_outside_reach_the_call_that_is_on_and_no_other() -> None:
    roster = Roster()
    told: list[Event] = []
    roster.enter("CA1", told.append)
    roster.completed("CA2")
    roster.completed("CA1")
    roster.end_all()
    assert told == [CallCompleted(), ServiceStopping()]
    roster.leave("CA1")
    roster.completed("CA1")  # late, or repeated
    assert told == [CallCompleted(), ServiceStopping()]


def test_the_last_word_is_kept_for_a_thousand_calls() -> None:
    roster = Roster()
    for number in range(KEPT_LAST_WORDS + 1):
        roster.say(f"CA{number}", HangUp(str(number)))
    roster.say("CA1", TransferCall("+15550111"))
    assert roster.last_word("CA0") is None
    assert roster.last_word("CA1") == TransferCall("+15550111")
    assert len(roster) == 0


def test_it_is_empty_when_the_last_call_has_left() -> None:
    async def scenario() -> None:
        roster = Roster()
        roster.enter("CA1", lambda _: None)
        roster.enter("CA2", lambda _: None)
        waiting = asyncio.create_task(roster.wait_until_empty())
        roster.leave("CA1")
        await asyncio.sleep(0)
        assert not waiting.done()
        roster.leave("CA2")
        async with asyncio.timeout(1):
            await waiting

    asyncio.run(scenario())


def test_it_is_remembered_which_calls_were_on() -> None:
    roster = Roster()
    roster.enter("CA1", lambda _: None)
    assert roster.was_on("CA1")
    roster.leave("CA1")
    roster.say("CA2", HangUp())
    assert roster.was_on("CA1")
    assert roster.last_word("CA1") is None
    assert roster.was_on("CA2")
    assert not roster.was_on("CA3")
