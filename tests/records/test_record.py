import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.record import (
    CallRecord,
    DisclosureRecord,
    InterruptionRecord,
    RecordKeeper,
    ToolCallRecord,
    TurnRecord,
)
from app.session.commands import NoteDisclosure, NoteEnd, NoteToolCall, NoteTurn, OpenModel
from app.session.events import (
    CallerAudio,
    DeadlinePassed,
    SpeechAudio,
    StreamStarted,
    TranscriptionBilled,
)
from app.session.words import DisclosureResult, Outcome, Speaker, ToolStatus
from tests.support.journals import DISCLOSURE, FIRST, HEAD, LOSSES, SOUND, TYPICAL, Moment, write

pytestmark = pytest.mark.core

SHA256 = hashlib.sha256(HEAD.disclosure_text.encode()).hexdigest()


def record_of(moments: list[Moment]) -> CallRecord:
    keeper = RecordKeeper(HEAD)
    write(moments, keeper)
    return keeper.finish()


TYPICAL_RECORD = CallRecord(
    call_sid="CA0123456789abcdef0123456789abcdef",
    agent="acme-orders",
    agent_version="3f2a91c0",
    outcome=Outcome.CALLER_HUNG_UP,
    started_at="2026-03-01T09:30:00.000Z",
    ended_at="2026-03-01T09:30:12.000Z",
    duration_s=12.0,
    disclosure=DisclosureRecord(
        text="You are speaking with an automated AI assistant.",
        sha256=SHA256,
        language="en-US",
        result=DisclosureResult.HEARD,
        start_ms=12,
        end_ms=3150,
        mark="1:2",
        interruptions=0,
    ),
    turns=[
        TurnRecord(speaker=Speaker.CALLER, generated=None, heard="Where is my order 1042?", start_ms=3900, end_ms=5500),
        TurnRecord(
            speaker=Speaker.AGENT,
            generated="Your order has shipped and comes on Friday.",
            heard="Your order has shipped",
            start_ms=6450,
            end_ms=7950,
            heard_is_estimated=True,
        ),
        TurnRecord(speaker=Speaker.CALLER, generated=None, heard=None, start_ms=7900, end_ms=8300),
        TurnRecord(
            speaker=Speaker.AGENT,
            generated="You are welcome. Goodbye.",
            heard="You are welcome. Goodbye.",
            start_ms=9500,
            end_ms=10900,
        ),
    ],
    tool_calls=[
        ToolCallRecord(
            name="lookup_order",
            arguments={"order_number": "1042"},
            result='{"status": "shipped"}',
            status=ToolStatus.OK,
        )
    ],
    interruptions=[InterruptionRecord(at_ms=8000, item_id="item_3", heard_ms=1500, generated_ms=4000, mark="1:3")],
    barge_ins=1,
    model_losses=0,
    usage={
        "input_tokens": 250,
        "output_tokens": 70,
        "transcription.input_tokens": 20,
        "transcription.output_tokens": 6,
    },
    cost_usd=0.0125,
    recording=None,
    transcripts=[],
)


def test_the_record_of_a_typical_call() -> None:
    assert record_of(TYPICAL) == TYPICAL_RECORD


def test_as_json_it_has_the_fields_of_the_contract() -> None:
    shown = json.loads(TYPICAL_RECORD.to_json())
    assert list(shown) == [
        "call_sid",
        "agent",
        "agent_version",
        "outcome",
        "started_at",
        "ended_at",
        "duration_s",
        "disclosure",
        "turns",
        "tool_calls",
        "interruptions",
        "barge_ins",
        "model_losses",
        "usage",
        "cost_usd",
        "recording",
        "transcripts",
    ]
    assert shown["outcome"] == "caller_hung_up"
    assert shown["disclosure"] == {
        "text": "You are speaking with an automated AI assistant.",
        "sha256": SHA256,
        "language": "en-US",
        "result": "heard",
        "start_ms": 12,
        "end_ms": 3150,
        "mark": "1:2",
        "interruptions": 0,
    }
    assert shown["turns"][0] == {
        "speaker": "caller",
        "generated": None,
        "heard": "Where is my order 1042?",
        "start_ms": 3900,
        "end_ms": 5500,
    }
    assert shown["tool_calls"] == [
        {
            "name": "lookup_order",
            "arguments": {"order_number": "1042"},
            "result": '{"status": "shipped"}',
            "status": "ok",
        }
    ]
    assert shown["cost_usd"] == 0.0125
    assert shown["recording"] is None
    assert shown["transcripts"] == []


def test_turns_stand_in_the_order_in_which_they_began() -> None:
    late = NoteTurn(Speaker.CALLER, None, "late words", start_ms=100, end_ms=900)
    early = NoteTurn(Speaker.AGENT, "answer", "answer", start_ms=1000, end_ms=2000)
    record = record_of([(0.0, StreamStarted(), []), (2.0, DeadlinePassed(), [early]), (3.0, DeadlinePassed(), [late])])
    assert [turn.start_ms for turn in record.turns] == [100, 1000]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('{"number": "1042", "express": true}', {"number": "1042", "express": True}),
        ("{}", {}),
        ("[1]", "[1]"),
        ('"1042"', '"1042"'),
        ('{"number": ', '{"number": '),
        ("", ""),
        ("\ud800", "?"),
        ('{"much": 1e999}', '{"much": 1e999}'),
    ],
)
def test_arguments_are_an_object_where_they_are_one(written: str, kept: object) -> None:
    call = NoteToolCall("find", written, "\udc00", ToolStatus.ERROR, 1)
    record = record_of([(0.0, StreamStarted(), []), (1.0, DeadlinePassed(), [call])])
    assert [(one.arguments, one.result) for one in record.tool_calls] == [(kept, "?")]
    assert json.loads(record.to_json())["tool_calls"][0]["arguments"] == kept


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_whatever_a_model_writes_can_be_filed(arguments: object) -> None:
    call = NoteToolCall("find", json.dumps(arguments), "", ToolStatus.OK, 1)
    assert json.loads(record_of([(0.0, DeadlinePassed(), [call])]).to_json())["tool_calls"]


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Outcome.CALLER_HUNG_UP, DisclosureResult.HANGUP),
        (Outcome.STREAM_LOST, DisclosureResult.HANGUP),
        (Outcome.INTERRUPTED, DisclosureResult.FAILED),
        (Outcome.DISCLOSURE_FAILED, DisclosureResult.FAILED),
    ],
)
def test_a_disclosure_that_nobody_noted(outcome: Outcome, result: DisclosureResult) -> None:
    disclosure = record_of(
        [
            (0.0, StreamStarted(), []),
            (0.015, SpeechAudio(DISCLOSURE, b"\x01" * 960), [SOUND]),
            (1.0, DeadlinePassed(), [NoteEnd(outcome, 1000)]),
        ]
    ).disclosure
    assert (disclosure.result, disclosure.start_ms, disclosure.end_ms, disclosure.mark) == (result, 15, None, None)


def test_the_last_word_on_the_disclosure_holds() -> None:
    notes = [NoteDisclosure(DisclosureResult.FAILED, 5, None, None, number) for number in (0, 2)]
    record = record_of([(0.0, StreamStarted(), []), *((1.0, DeadlinePassed(), [note]) for note in notes)])
    assert (record.disclosure.result, record.disclosure.interruptions) == (DisclosureResult.FAILED, 2)


def test_a_call_without_an_end_of_its_own_ended_in_error() -> None:
    frame = CallerAudio(b"\x01")
    record = record_of([(0.5, StreamStarted(), []), (1.0, frame, []), (3.5, frame, [])])
    assert record.outcome is Outcome.ERROR
    assert record.started_at == "2026-03-01T09:30:00.500Z"
    assert record.ended_at == "2026-03-01T09:30:03.500Z"
    assert record.duration_s == 3.0


def test_a_stream_that_never_started_leaves_a_record_too() -> None:
    record = record_of([])
    assert (record.outcome, record.duration_s, record.turns) == (Outcome.ERROR, 0.0, [])
    assert record.disclosure.start_ms is None


@pytest.mark.parametrize(("moments", "lost"), LOSSES)
def test_a_model_counts_as_lost_when_the_call_had_it(moments: list[Moment], lost: int) -> None:
    assert record_of([(0.0, StreamStarted(), [OpenModel(FIRST)]), *moments]).model_losses == lost


def test_nothing_is_taken_in_behind_the_end() -> None:
    assert record_of([*TYPICAL, (13.0, TranscriptionBilled(FIRST, {"input_tokens": 1}), [])]) == TYPICAL_RECORD
