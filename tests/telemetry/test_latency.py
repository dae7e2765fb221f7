import pytest

from app.session.commands import ClearPlayback, PlayAudio
from app.session.events import (
    CallerSpeechStarted,
    CallerSpeechStopped,
    DeadlinePassed,
    PlaybackReached,
    ResponseStarted,
    SpeechAudio,
    StreamStarted,
)
from app.session.journal import Entry, FrameRun
from app.session.words import PieceNumber
from app.telemetry.latency import ResponseTimes
from tests.support.journals import FIRST, SOUND, TAIL, TYPICAL, Moment, audio_of, item, response, write

pytestmark = pytest.mark.core

GREETING = PieceNumber(2)


class Watch:
    def __init__(self) -> None:
        self.times = ResponseTimes()
        self.waits_ms: list[int] = []

    def read(self, entry: Entry | FrameRun) -> None:
        if isinstance(entry, Entry) and (waited_ms := self.times.read(entry)) is not None:
            self.waits_ms.append(waited_ms)


def waits_of(moments: list[Moment]) -> list[int]:
    watch = Watch()
    write(moments, watch)
    return watch.waits_ms


def test_a_typical_call_is_measured() -> None:
    watch = Watch()
    write(TYPICAL, watch)
    assert watch.times.first_audio_ms == 12
    assert watch.waits_ms == [450, 700]


def test_the_rest_of_the_disclosure_and_the_greeting_are_not_the_answer() -> None:
    assert waits_of(
        [
            (0.0, StreamStarted(), []),
            (0.1, SpeechAudio(PieceNumber(1), b"\x01" * 960), [SOUND]),
            (1.0, CallerSpeechStarted(FIRST, item(1), 900), []),
            (2.0, CallerSpeechStopped(FIRST, item(1), 1500), []),
            (2.5, DeadlinePassed(), [SOUND]),
            (3.0, DeadlinePassed(), [TAIL]),
            (3.2, PlaybackReached(1, 1), [SOUND]),  # the greeting begins
            (3.3, ResponseStarted(FIRST, response(1)), []),
            (3.4, audio_of(1), []),  # waits behind the greeting
            (4.0, DeadlinePassed(), [TAIL]),
            (4.1, DeadlinePassed(), [SOUND]),
            (4.2, DeadlinePassed(), [TAIL]),
        ]
    ) == [2100]


def test_a_caller_who_goes_on_is_waited_for_anew() -> None:
    assert waits_of(
        [
            (0.0, StreamStarted(), []),
            (1.0, CallerSpeechStopped(FIRST, item(1), 900), []),
            (1.1, ResponseStarted(FIRST, response(1)), []),
            (1.2, CallerSpeechStarted(FIRST, item(2), 1100), [ClearPlayback()]),
            (1.3, audio_of(1), []),  # a straggler of what was cut
            (2.0, CallerSpeechStopped(FIRST, item(2), 1900), []),
            (2.2, ResponseStarted(FIRST, response(2)), []),
            (2.5, audio_of(2), [SOUND]),
        ]
    ) == [500]


def test_an_item_that_was_cleared_is_no_longer_being_sent() -> None:
    assert waits_of(
        [
            (0.0, StreamStarted(), []),
            (0.5, audio_of(1), [SOUND]),
            (1.0, CallerSpeechStarted(FIRST, item(2), 900), [ClearPlayback()]),
            (2.0, CallerSpeechStopped(FIRST, item(2), 1900), []),
            (2.1, ResponseStarted(FIRST, response(3)), []),
            (2.4, audio_of(3), [SOUND]),
        ]
    ) == [400]


def test_an_end_without_audio_begins_nothing() -> None:
    watch = Watch()
    write([(0.0, StreamStarted(), []), (1.0, DeadlinePassed(), [PlayAudio(b"", ends=True)])], watch)
    assert watch.times.first_audio_ms is None
