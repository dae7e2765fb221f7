"""The readers on the journal of a real session."""

import pytest
import structlog

from app.session.commands import Command
from app.session.events import (
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTurnCommitted,
    Event,
    StreamEnded,
)
from app.session.journal import Journal
from app.session.words import ItemId, StreamEnd
from app.telemetry.logs import CallLog
from app.telemetry.story import tell
from tests.support.driver import M1, Driver
from tests.support.journals import HEAD

pytestmark = pytest.mark.core


class JournallingDriver(Driver):
    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def send(self, event: Event) -> list[Command]:
        commands = self.session.receive(event, at=self.at)
        self._journal.note(self.at, event, commands)
        for command in commands:
            self._play(command)
        return commands

    def ask(self, number: int, words: str) -> None:
        """The caller speaks for a second; the model has the words and answers 200 ms later."""
        item_id = ItemId(f"asked_{number}")
        self.send(CallerSpeechStarted(M1, item_id, 0))
        self.wait(1.0)
        self.send(CallerSpeechStopped(M1, item_id, 0))
        self.send(CallerTurnCommitted(M1, item_id))
        self.send(CallerTranscript(M1, item_id, words))
        self.wait(0.2)


def test_a_call_with_a_barge_in_is_told_as_it_was() -> None:
    with structlog.testing.capture_logs() as lines:
        log = CallLog(HEAD)
        driver = JournallingDriver(Journal(HEAD, [log]))
        driver.converse()
        driver.ask(1, "Where is my order?")
        driver.respond(1, 4000, words="Your order has shipped and will arrive on Friday.")
        driver.wait(2.0)
        driver.ask(2, "Thank you.")
        driver.respond(2, 1000, words="You are welcome.")
        driver.wait(2.0)
        driver.send(StreamEnded(StreamEnd.STOPPED))
        log.finish()
    assert [line["event"] for line in lines] == [
        "call.start",
        "model.ready",
        "disclosure.heard",
        "turn.end",
        "turn.end",
        "barge_in.start",
        "turn.end",
        "turn.end",
        "turn.end",
        "stream.end",
        "call.end",
    ]
    end = lines[-1]
    waits = ("first_audio_ms", "response_p50_ms", "response_max_ms")
    assert [end[name] for name in waits] == [0, 200, 200]
    assert [end[name] for name in ("outcome", "turns", "barge_ins")] == ["caller_hung_up", 5, 1]
    told = tell(lines)
    assert told[0] == "   0.00 s  call answered by acme-orders (version 3f2a91c0)"
    assert told[5].endswith("caller interrupts: 2.0 s heard of 4.0 s generated")
