from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.session.commands import (
    CloseModel,
    Command,
    NoteDisclosure,
    NoteEnd,
    NoteRenewal,
    NoteToolCall,
    NoteTurn,
    OpenModel,
    SpeakPhrase,
)
from app.session.events import (
    CallerAudio,
    CallerDigit,
    CallerTranscript,
    DeadlinePassed,
    Event,
    ModelLost,
    ModelReady,
    ModelSettingsDiffer,
    RequestRefused,
    ResponseEnded,
    SpeechFailed,
    StreamEnded,
    StreamStalled,
    StreamStarted,
    ToolCallFinished,
    ToolCallRequested,
)
from app.session.words import (
    DisclosureResult,
    Fault,
    ModelNumber,
    Outcome,
    Phrase,
    PieceNumber,
    Request,
    ResponseStatus,
    Speaker,
    StreamEnd,
    ToolCallId,
    ToolStatus,
)
from app.telemetry.logs import CallLog
from tests.support.captured_logs import Logs, captured_logs
from tests.support.journals import FIRST, HEAD, LOSSES, SECOND, TYPICAL, Moment, item, response, write

THIRD = ModelNumber(3)


@pytest.fixture
def logs() -> Iterator[Logs]:
    with captured_logs() as logs:
        yield logs


def lines_of(logs: Logs, moments: list[Moment]) -> list[dict[str, object]]:
    """The lines of a call, without what every line has."""
    log = CallLog(HEAD)
    write(moments, log)
    log.finish()
    common = ("timestamp", "call_sid")
    return [{key: value for key, value in line.items() if key not in common} for line in logs.lines]


def test_a_typical_call_is_told_in_about_fifteen_lines(logs: Logs) -> None:
    assert lines_of(logs, TYPICAL) == [
        {
            "level": "info",
            "event": "call.start",
            "agent": "acme-orders",
            "agent_version": "3f2a91c0",
            "language": "en-US",
        },
        {"level": "info", "event": "model.ready", "model": 1, "choice": 0, "connect_ms": 250},
        {
            "level": "info",
            "event": "disclosure.heard",
            "result": "heard",
            "start_ms": 12,
            "end_ms": 3150,
            "mark": "1:2",
            "interruptions": 0,
        },
        {"level": "info", "event": "tool.done", "name": "lookup_order", "status": "ok", "duration_ms": 31},
        turn("caller", 3900, 5500, 23),
        {
            "level": "info",
            "event": "barge_in.start",
            "heard_ms": 1500,
            "generated_ms": 4000,
            "response_id": "resp_3",
            "item_id": "item_3",
        },
        turn("agent", 6450, 7950, 22, interrupted=True),
        turn("caller", 7900, 8300, None),
        turn("agent", 9500, 10900, 25),
        {"level": "info", "event": "stream.end", "end": "stopped"},
        {
            "level": "info",
            "event": "call.end",
            "agent": "acme-orders",
            "outcome": "caller_hung_up",
            "duration_s": 12.0,
            "turns": 4,
            "barge_ins": 1,
            "tool_calls": 1,
            "model_losses": 0,
            "usage": {
                "input_tokens": 250,
                "output_tokens": 70,
                "transcription.input_tokens": 20,
                "transcription.output_tokens": 6,
            },
            "cost_usd": 0.0125,
            "first_audio_ms": 12,
            "response_p50_ms": 575,
            "response_max_ms": 700,
        },
    ]


def turn(
    speaker: str, start_ms: int, end_ms: int, characters: int | None, *, interrupted: bool = False
) -> dict[str, object]:
    return {
        "level": "info",
        "event": "turn.end",
        "speaker": speaker,
        "start_ms": start_ms,
        "end_ms": end_ms,
        "interrupted": interrupted,
        "characters": characters,
    }


def test_every_line_has_its_call_and_the_journals_time(logs: Logs) -> None:
    lines_of(logs, TYPICAL)
    assert {line["call_sid"] for line in logs.lines} == {HEAD.call_sid}
    assert [line["timestamp"] for line in logs.lines][:3] == [
        "2026-03-01T09:30:00.000Z",
        "2026-03-01T09:30:00.250Z",
        "2026-03-01T09:30:03.200Z",
    ]


@pytest.mark.parametrize(
    ("result", "level", "event"),
    [
        (DisclosureResult.HEARD, "info", "disclosure.heard"),
        (DisclosureResult.HANGUP, "info", "disclosure.hangup"),
        (DisclosureResult.UNPROVEN, "warning", "disclosure.unproven"),
        (DisclosureResult.FAILED, "warning", "disclosure.failed"),
    ],
)
def test_what_became_of_the_disclosure(logs: Logs, result: DisclosureResult, level: str, event: str) -> None:
    lines = lines_of(
        logs, [(0.0, StreamStarted(), []), (1.0, DeadlinePassed(), [NoteDisclosure(result, 0, None, None, 2)])]
    )
    assert lines[1] == {
        "level": level,
        "event": event,
        "result": result.value,
        "start_ms": 0,
        "end_ms": None,
        "mark": None,
        "interruptions": 2,
    }


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (StreamStalled(), {"level": "warning", "event": "stream.stalled"}),
        (StreamEnded(StreamEnd.LOST), {"level": "info", "event": "stream.end", "end": "lost"}),
        (
            ModelLost(FIRST, "close_1006"),
            {
                "level": "warning",
                "event": "model.lost",
                "model": 1,
                "choice": 0,
                "reason": "close_1006",
                "is_final": False,
            },
        ),
        (
            RequestRefused(FIRST, Request.TRUNCATE, Fault.REQUEST, "invalid_value"),
            {
                "level": "warning",
                "event": "model.refused",
                "model": 1,
                "request": "truncate",
                "fault": "request",
                "code": "invalid_value",
            },
        ),
        (
            RequestRefused(FIRST, Request.CANCEL, Fault.BENIGN, ""),
            {
                "level": "debug",
                "event": "model.refused",
                "model": 1,
                "request": "cancel",
                "fault": "benign",
                "code": "",
            },
        ),
        (
            ResponseEnded(FIRST, response(1), ResponseStatus.FAILED, "server_error", {}),
            {
                "level": "warning",
                "event": "response.failed",
                "model": 1,
                "response_id": "resp_1",
                "reason": "server_error",
            },
        ),
        (
            ResponseEnded(FIRST, response(1), ResponseStatus.INCOMPLETE, "max_output_tokens", {}),
            {
                "level": "warning",
                "event": "response.incomplete",
                "model": 1,
                "response_id": "resp_1",
                "reason": "max_output_tokens",
            },
        ),
        (
            SpeechFailed(PieceNumber(1), "no_voice"),
            {"level": "warning", "event": "speech.failed", "phrase": "disclosure", "reason": "no_voice"},
        ),
    ],
)
def test_what_goes_wrong_has_a_line(logs: Logs, event: Event, line: dict[str, object]) -> None:
    begin: list[Command] = [OpenModel(FIRST), SpeakPhrase(PieceNumber(1), Phrase.DISCLOSURE)]
    assert lines_of(logs, [(0.0, StreamStarted(), begin), (1.0, event, [])])[1] == line


def test_a_fallback_that_is_taken_has_its_number(logs: Logs) -> None:
    lines = lines_of(
        logs,
        [
            (0.0, StreamStarted(), [OpenModel(FIRST)]),
            (1.0, ModelLost(FIRST, "http_401", is_final=True), [OpenModel(SECOND, choice=1)]),
            (1.5, ModelLost(SECOND, "connect_timeout"), [OpenModel(THIRD, choice=2)]),
            (2.0, ModelReady(THIRD), []),
        ],
    )
    assert lines[1:4] == [
        {
            "level": "warning",
            "event": "model.lost",
            "model": 1,
            "choice": 0,
            "reason": "http_401",
            "is_final": True,
        },
        {
            "level": "warning",
            "event": "model.unreached",
            "model": 2,
            "choice": 1,
            "reason": "connect_timeout",
            "is_final": False,
        },
        {"level": "info", "event": "model.ready", "model": 3, "choice": 2, "connect_ms": 500},
    ]


def test_a_tool_name_that_a_model_makes_up_is_not_repeated(logs: Logs) -> None:
    made_up = NoteToolCall("lookup for Kim, +82 10 1234 5678", "{}", "", ToolStatus.ERROR, 1)
    lines = lines_of(logs, [(0.0, StreamStarted(), []), (1.0, DeadlinePassed(), [made_up])])
    assert lines[1]["name"] == "unknown"


@pytest.mark.parametrize(("readied", "reason"), [([], "slow"), ([(0.5, ModelReady(FIRST), [])], "useless")])
def test_a_model_that_we_give_up_is_lost_with_a_reason(logs: Logs, readied: list[Moment], reason: str) -> None:
    begin: Moment = (0.0, StreamStarted(), [OpenModel(FIRST)])
    lines = lines_of(logs, [begin, *readied, (2.5, DeadlinePassed(), [CloseModel(FIRST), OpenModel(SECOND, choice=1)])])
    lost = {"model": 1, "choice": 0, "reason": reason, "is_final": False}
    assert lines[1 + len(readied)] == {"level": "warning", "event": "model.lost", **lost}


def test_a_session_that_was_renewed_has_a_line(logs: Logs) -> None:
    lines = lines_of(logs, [(0.0, StreamStarted(), []), (45.0, DeadlinePassed(), [NoteRenewal(SECOND, FIRST)])])
    assert lines[1] == {"level": "info", "event": "model.renewed", "model": 2, "former": 1}


def test_a_setting_that_differs_is_told_once_in_a_call(logs: Logs) -> None:
    lines = lines_of(
        logs,
        [
            (0.0, StreamStarted(), []),
            (1.0, ModelSettingsDiffer(FIRST, ("audio.output.voice", "temperature")), []),
            (2.0, ModelSettingsDiffer(FIRST, ("temperature",)), []),
            (3.0, ModelSettingsDiffer(SECOND, ("temperature", "audio.output.speed")), []),
        ],
    )
    assert lines[1:-1] == [
        {
            "level": "warning",
            "event": "model.settings_differ",
            "model": 1,
            "keys": ["audio.output.voice", "temperature"],
        },
        {"level": "warning", "event": "model.settings_differ", "model": 2, "keys": ["audio.output.speed"]},
    ]


def losses(lines: list[dict[str, object]]) -> tuple[int, object]:
    return sum(line["event"] == "model.lost" for line in lines), lines[-1]["model_losses"]


@pytest.mark.parametrize(("moments", "lost"), LOSSES)
def test_a_model_counts_as_lost_when_the_call_had_it(logs: Logs, moments: list[Moment], lost: int) -> None:
    end: Moment = (3.0, DeadlinePassed(), [NoteEnd(Outcome.CALLER_HUNG_UP, 3000)])
    assert losses(lines_of(logs, [(0.0, StreamStarted(), [OpenModel(FIRST)]), *moments, end])) == (lost, lost)


def test_a_call_without_an_end_of_its_own_ended_in_error(logs: Logs) -> None:
    lines = lines_of(
        logs, [(0.5, StreamStarted(), []), (1.0, CallerAudio(b"\x01"), []), (3.5, CallerAudio(b"\x01"), [])]
    )
    assert lines[-1]["event"] == "call.end"
    assert lines[-1]["level"] == "error"
    assert lines[-1]["outcome"] == "error"
    assert lines[-1]["duration_s"] == 3.0
    assert lines[-1]["response_p50_ms"] is None


def test_nothing_is_told_behind_the_end(logs: Logs) -> None:
    assert lines_of(logs, [*TYPICAL, (13.0, StreamStalled(), [])])[-1]["event"] == "call.end"


SECRET = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1)
"""Words that occur in no log by chance."""


@settings(deadline=None)
@given(secret=SECRET, number=st.from_regex(r"\+1555[0-9]{7}", fullmatch=True))
def test_no_line_holds_what_was_said_pressed_or_looked_up(secret: str, number: str) -> None:
    call_id = ToolCallId("call_1")
    personal = f"{secret} {number}"
    moments: list[Moment] = [(1.0, CallerDigit(digit), []) for digit in number[1:]]
    moments += [
        (2.0, CallerTranscript(FIRST, item(1), personal), [NoteTurn(Speaker.CALLER, None, personal, 0, 1)]),
        (2.1, ToolCallRequested(FIRST, response(1), item(2), call_id, "find", personal), []),
        (
            2.2,
            ToolCallFinished(call_id, ToolStatus.OK, personal),
            [
                NoteToolCall("find", personal, personal, ToolStatus.OK, 1),
                NoteTurn(Speaker.AGENT, personal, personal, 1, 2, interrupted=True),
            ],
        ),
    ]
    head = replace(HEAD, disclosure_text=personal)
    with captured_logs() as logs:
        write([TYPICAL[0], *moments, TYPICAL[-1]], CallLog(head), head=head)
        text = logs.text
    assert len(text.splitlines()) == 5
    assert not set(secret) & set(text)
    assert number not in text
    assert "digit" not in text
