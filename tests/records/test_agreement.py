"""The log's last line and the record tell the same of a call, whatever happened in it."""

import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from app.records.record import RecordKeeper
from app.session.commands import CloseModel, Command, NoteBargeIn, NoteEnd, NoteToolCall, NoteTurn, OpenModel
from app.session.events import (
    CallerAudio,
    DeadlinePassed,
    Event,
    ModelLost,
    ModelReady,
    ModelSilent,
    ModelStalled,
    ResponseEnded,
    StreamEnded,
    StreamStarted,
    TranscriptionBilled,
)
from app.session.words import ModelNumber, Outcome, ResponseStatus, Speaker, StreamEnd, ToolStatus
from app.telemetry.logs import CallLog
from app.telemetry.metrics import CallMetrics, Metrics
from tests.support.journals import HEAD, Moment, response, write

numbers = st.integers(1, 3).map(ModelNumber)
usages = st.dictionaries(st.sampled_from(["input_tokens", "output_tokens"]), st.integers(0, 1000))
events: st.SearchStrategy[Event] = st.one_of(
    st.just(StreamStarted()),
    st.just(CallerAudio(b"\x01\x02")),
    st.just(DeadlinePassed()),
    st.builds(ModelReady, numbers),
    st.builds(ModelLost, numbers, st.just("close_1006")),
    st.builds(ModelStalled, numbers),
    st.builds(ModelSilent, numbers, st.just(6.0)),
    st.builds(StreamEnded, st.sampled_from(StreamEnd)),
    st.builds(ResponseEnded, numbers, st.just(response(1)), st.sampled_from(ResponseStatus), st.just(""), usages),
    st.builds(TranscriptionBilled, numbers, usages),
)
commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(OpenModel, numbers, st.integers(0, 2)),
    st.builds(CloseModel, numbers),
    st.just(NoteBargeIn(None, None, None, None)),
    st.just(NoteTurn(Speaker.CALLER, None, "words", 0, 1)),
    st.just(NoteToolCall("find", "{}", "", ToolStatus.OK, 1)),
)
costs = st.none() | st.floats(0, 1000)
ends: st.SearchStrategy[Command] = st.builds(NoteEnd, st.sampled_from(Outcome), st.integers(0, 10**7), costs)
steps = st.tuples(st.floats(0, 10), events, st.lists(commands, max_size=3))


@st.composite
def calls(draw: st.DrawFn) -> list[Moment]:
    """Steps in the order of time, the end of the session somewhere among them or nowhere."""
    moments: list[Moment] = []
    after_s = 0.0
    for wait_s, event, asked in draw(st.lists(steps, max_size=20)):
        after_s += wait_s
        moments.append((after_s, event, asked))
    place = draw(st.integers(-1, len(moments) - 1))
    if place >= 0:
        at, event, notes = moments[place]
        moments[place] = (at, event, [*notes, draw(ends)])
    return moments


@settings(deadline=None)
@given(calls())
def test_log_and_record_and_metrics_agree(moments: list[Moment]) -> None:
    metrics = Metrics()
    with structlog.testing.capture_logs() as lines:
        log, keeper, counts = CallLog(HEAD), RecordKeeper(HEAD), CallMetrics(metrics, HEAD)
        write(moments, log, keeper, counts)
        record = keeper.finish()
        log.finish()
        counts.finish()
    assert sum(line["event"] == "model.lost" for line in lines) == record.model_losses
    (end,) = [line for line in lines if line["event"] == "call.end"]
    shown = {
        "call_sid": record.call_sid,
        "agent": record.agent,
        "outcome": record.outcome.value,
        "duration_s": record.duration_s,
        "turns": len(record.turns),
        "barge_ins": record.barge_ins,
        "tool_calls": len(record.tool_calls),
        "model_losses": record.model_losses,
        "usage": record.usage,
        "cost_usd": record.cost_usd,
    }
    assert shown == {name: end[name] for name in shown}
    labels = {"agent": HEAD.agent}
    told = {
        "dialtone_barge_ins_total": record.barge_ins,
        "dialtone_model_losses_total": record.model_losses,
        "dialtone_model_cost_usd_total": record.cost_usd or 0,
        "dialtone_calls_cost_unknown_total": record.cost_usd is None,
    }
    assert told == {name: metrics.registry.get_sample_value(name, labels) or 0 for name in told}
    labels["outcome"] = record.outcome.value
    assert metrics.registry.get_sample_value("dialtone_calls_ended_total", labels) == 1
    assert metrics.registry.get_sample_value("dialtone_calls_live") == 0
