import pytest

from app.telemetry.story import Storyteller, sentence, tell
from tests.support.log_lines import END, START, line


def test_the_story_of_a_call() -> None:
    assert tell(
        [
            START,
            line(0.25, "model.ready", model=1, connect_ms=250),
            line(3.31, "disclosure.heard", result="heard", start_ms=12, end_ms=3212, mark="1:2", interruptions=0),
            line(6.5, "turn.end", speaker="caller", start_ms=4000, end_ms=5800, interrupted=False, characters=24),
            line(6.6, "tool.done", name="lookup_order", status="ok", duration_ms=12),
            line(8.0, "barge_in.start", heard_ms=1200, generated_ms=4000, response_id="r", item_id="i"),
            line(8.0, "turn.end", speaker="agent", start_ms=6600, end_ms=8000, interrupted=True, characters=1),
            line(12.0, "stream.end", end="stopped"),
            END,
        ]
    ) == [
        "   0.00 s  call answered by acme-orders (version 3f2a91c0)",
        "   0.25 s  model ready (connected in 250 ms)",
        "   3.31 s  disclosure heard to its end (3.2 s)",
        "   6.50 s  caller spoke for 1.8 s (24 characters)",
        "   6.60 s  tool lookup_order: ok after 12 ms",
        "   8.00 s  caller interrupts: 1.2 s heard of 4.0 s generated",
        "   8.00 s  agent was cut off after 1.4 s (1 character)",
        "  12.00 s  stream over: the caller hung up",
        "  12.40 s  call over: caller hung up after 12.0 s; 4 turns, 1 barge-in, no tool calls, "
        "first audio after 12 ms, answers after 575 ms, the slowest after 700 ms",
    ]


def test_calls_that_are_mixed_are_told_apart() -> None:
    other = {"call_sid": "CA01234568"}
    assert tell([START, START | other, line(1.0, "stream.stalled"), line(2.0, "stream.end", end="lost") | other]) == [
        "CA012345    0.00 s  call answered by acme-orders (version 3f2a91c0)",
        "CA01234568    0.00 s  call answered by acme-orders (version 3f2a91c0)",
        "CA01234567    1.00 s  the line to the carrier is congested",
        "CA01234568    2.00 s  stream lost: the carrier's line broke",
    ]


def test_lines_of_no_call_are_passed_over() -> None:
    assert tell([{"event": "service.start", "timestamp": "2026-03-01T09:30:00Z"}, {"call_sid": "CA1"}, {}]) == []


def test_a_log_that_begins_in_the_middle_is_told_by_the_time_of_day() -> None:
    assert tell([line(3.0, "stream.end", end="closed")]) == [" 09:30:03  stream over: we closed it"]


@pytest.mark.parametrize("stamp", ["yesterday", 12, None])
def test_a_time_that_is_none_is_left_out(stamp: object) -> None:
    assert tell([START, line(0.0, "stream.stalled") | {"timestamp": stamp}])[1] == (
        "           the line to the carrier is congested"
    )


def test_an_event_without_a_sentence_is_shown_with_its_fields() -> None:
    assert sentence(line(1.0, "call.admitted", waited_ms=3, note=None)) == "call.admitted waited_ms=3"


@pytest.mark.parametrize(
    ("event", "fields", "told"),
    [
        (
            "disclosure.unproven",
            {"start_ms": 0, "end_ms": 3000},
            "disclosure spoken, but the proof that it was heard never came (3.0 s)",
        ),
        (
            "disclosure.heard",
            {"start_ms": 0, "end_ms": 3000, "interruptions": 2},
            "disclosure heard to its end (3.0 s), 2 cuts before",
        ),
        ("disclosure.failed", {}, "disclosure failed: it could not be spoken"),
        ("disclosure.hangup", {}, "call over before the disclosure was heard"),
        (
            "turn.end",
            {"speaker": "caller", "start_ms": 1, "end_ms": 1001, "characters": None},
            "caller spoke for 1.0 s (not written down)",
        ),
        ("barge_in.start", {"heard_ms": None}, "caller interrupts before the agent was heard"),
        ("barge_in.false_alarm", {}, "a sound that was no interruption: the agent goes on"),
        ("model.lost", {"reason": "connect_timeout"}, "model lost: connect timeout"),
        ("model.unreached", {"reason": "http_503"}, "model not reached: http 503"),
        ("model.ready", {"choice": 0, "connect_ms": 120}, "model ready (connected in 120 ms)"),
        ("model.ready", {"choice": 2, "connect_ms": 120}, "fallback model 2 ready (connected in 120 ms)"),
        (
            "model.lost",
            {"choice": 1, "reason": "http_401", "is_final": True},
            "fallback model 1 lost: http 401, which another try would not mend",
        ),
        (
            "model.unreached",
            {"choice": 1, "reason": "http_404", "is_final": True},
            "fallback model 1 not reached: http 404, which another try would not mend",
        ),
        ("model.renewed", {"model": 2, "former": 1}, "the next session with the model has taken over"),
        (
            "model.settings_differ",
            {"keys": ["audio.output.voice", "speed"]},
            "model has other settings than asked: audio.output.voice, speed",
        ),
        ("model.settings_differ", {}, "model has other settings than asked: ?"),
        (
            "model.refused",
            {"request": "truncate", "code": "invalid_value"},
            "model refused a request: truncate (invalid_value)",
        ),
        (
            "speech.failed",
            {"phrase": "greeting", "reason": "no_voice"},
            "the greeting phrase could not be spoken: no voice",
        ),
        ("response.failed", {"reason": "server_error"}, "response failed: server error"),
        ("response.incomplete", {"reason": "content_filter"}, "response incomplete: content filter"),
        (
            "call.end",
            {
                "outcome": "model_lost",
                "duration_s": 1.3,
                "turns": 0,
                "barge_ins": 0,
                "tool_calls": 2,
                "model_losses": 1,
            },
            "call over: model lost after 1.3 s; no turns, no barge-ins, 2 tool calls, 1 model lost",
        ),
        (
            "call.end",
            {"outcome": "max_cost", "duration_s": 60, "turns": 2, "barge_ins": 0, "tool_calls": 0, "cost_usd": 2.01},
            "call over: max cost after 60.0 s; 2 turns, no barge-ins, no tool calls, cost 2.0100 US$",
        ),
        ("call.end", {}, "call over: ? after ?; ? turns, ? barge-ins, ? tool calls"),
        ("tool.done", {"name": "\x1b[2Jfind", "status": "ok"}, "tool �[2Jfind: ok"),
    ],
)
def test_sentences(event: str, fields: dict[str, object], told: str) -> None:
    assert sentence({"event": event, **fields}) == told


def test_seconds_count_from_the_calls_start() -> None:
    teller = Storyteller(names_calls=False)
    assert teller.seconds(START) is None
    teller.tell(START)
    assert teller.seconds(line(1.5, "stream.stalled")) == 1.5
