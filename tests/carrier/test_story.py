"""What a person is told, line by line."""

import pytest

from app.carrier import story
from app.carrier.report import CallReport
from app.carrier.timeline import Detail, Event

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("kind", "details", "told"),
    [
        ("agent_speaks", {}, "    1.50 s  agent speaks"),
        ("caller_words", {"text": "Hi"}, "    1.50 s  caller: Hi"),
        ("caller_barge_in", {"text": "Stop"}, "    1.50 s  caller interrupts: Stop"),
        ("dtmf", {"digit": "7"}, "    1.50 s  caller presses a key"),
        ("clear", {"discarded_ms": 140}, "    1.50 s  the service clears 140 ms of its audio"),
        (
            "expectation",
            {"within_ms": 900, "got_ms": None, "met": False},
            "    1.50 s  expected the agent within 900 ms: nothing, too late",
        ),
        ("warning", {"code": 31951, "reason": "x"}, "    1.50 s  warning 31951: x"),
        (
            "passed_over",
            {"verb": "Play"},
            "    1.50 s  <Play> is passed over: the offline carrier does not carry it out",
        ),
        ("first_audio", {}, None),
        ("twiml", {"asked": "voice", "status": 200}, None),
    ],
)
def test_an_event_is_a_line_or_no_news(kind: str, details: dict[str, Detail], told: str | None) -> None:
    assert story.line(Event(1700, 1500, kind, details)) == told


def test_before_the_stream_time_counts_from_the_call() -> None:
    assert story.line(Event(250, None, "rejected", {"reason": "busy"})) == "    0.25 s  the call is rejected (busy)"


def test_the_end_names_warnings_and_failures() -> None:
    report = CallReport("CA1", "+1", "+2", "http://127.0.0.1", "2026-01-01")
    report.warnings.add(31951, "first")
    report.warnings.add(31951, "second")
    report.failures.append("nothing came")
    assert list(story.summary(report)) == [
        "0.0 s; ended by error",
        "warning 31951 (2 times): first",
        "FAILED: nothing came",
    ]
