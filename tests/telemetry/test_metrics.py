from app.session.commands import NoteDisclosure, NoteEnd, NoteRenewal, NoteToolCall, OpenModel
from app.session.events import (
    CallerAudio,
    DeadlinePassed,
    ModelLost,
    ModelReady,
    ModelSettingsDiffer,
    RateLimitsReported,
    RequestRefused,
    StreamStarted,
)
from app.session.words import DisclosureResult, Fault, Outcome, Request, ToolStatus
from app.telemetry.metrics import CallMetrics, Metrics
from tests.support.journals import FIRST, HEAD, SECOND, TYPICAL, Moment, write


def samples(metrics: Metrics) -> dict[str, float]:
    """Name and labels, as they stand in the text, to value; what the process itself uses is left out."""
    text = metrics.render().decode()
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("dialtone_"))
    return {name: float(value) for name, value in pairs if "_bucket" not in name}


def counted(moments: list[Moment]) -> dict[str, float]:
    metrics = Metrics()
    reader = CallMetrics(metrics, HEAD)
    write(moments, reader)
    reader.finish()
    return {name: value for name, value in samples(metrics).items() if value}


def test_a_typical_call_is_counted() -> None:
    assert counted(TYPICAL) == {
        'dialtone_calls_started_total{agent="acme-orders"}': 1,
        'dialtone_calls_ended_total{agent="acme-orders",outcome="caller_hung_up"}': 1,
        'dialtone_disclosures_total{agent="acme-orders",result="heard"}': 1,
        'dialtone_barge_ins_total{agent="acme-orders"}': 1,
        'dialtone_tool_calls_total{agent="acme-orders",status="ok"}': 1,
        'dialtone_model_cost_usd_total{agent="acme-orders"}': 0.0125,
        "dialtone_first_audio_seconds_count": 1,
        "dialtone_first_audio_seconds_sum": 0.012,
        'dialtone_response_seconds_count{agent="acme-orders"}': 2,
        'dialtone_response_seconds_sum{agent="acme-orders"}': 1.15,
    }


def test_a_call_under_way_is_live_until_its_end() -> None:
    metrics = Metrics()
    reader = CallMetrics(metrics, HEAD)
    write([(0.0, StreamStarted(), [])], reader)
    assert samples(metrics)["dialtone_calls_live"] == 1
    reader.finish()
    reader.finish()
    assert samples(metrics)["dialtone_calls_live"] == 0
    assert samples(metrics)['dialtone_calls_ended_total{agent="acme-orders",outcome="error"}'] == 1


def test_trouble_is_counted_by_class() -> None:
    assert counted(
        [
            (0.0, StreamStarted(), [OpenModel(FIRST)]),
            (1.0, RequestRefused(FIRST, Request.CANCEL, Fault.BENIGN, "code"), []),
            (2.0, ModelLost(FIRST, "close_1006"), [NoteDisclosure(DisclosureResult.FAILED, None, None, None, 0)]),
            (2.1, ModelLost(FIRST, "close_1006"), []),
            (3.0, DeadlinePassed(), [NoteToolCall("find", "", "", ToolStatus.TIMEOUT, 5000)]),
            (4.0, DeadlinePassed(), [NoteEnd(Outcome.MODEL_LOST, 4000)]),
            (5.0, RequestRefused(FIRST, Request.CANCEL, Fault.FATAL, "behind the end"), []),
        ]
    ) == {
        'dialtone_calls_started_total{agent="acme-orders"}': 1,
        'dialtone_calls_ended_total{agent="acme-orders",outcome="model_lost"}': 1,
        'dialtone_calls_cost_unknown_total{agent="acme-orders"}': 1,
        'dialtone_disclosures_total{agent="acme-orders",result="failed"}': 1,
        'dialtone_model_losses_total{agent="acme-orders"}': 1,
        'dialtone_model_refusals_total{fault="benign"}': 1,
        'dialtone_tool_calls_total{agent="acme-orders",status="timeout"}': 1,
    }


def test_what_the_models_do_is_counted() -> None:
    agent = 'agent="acme-orders"'
    assert counted(
        [
            (0.0, StreamStarted(), [OpenModel(FIRST)]),
            (0.5, ModelReady(FIRST), []),
            (0.6, RateLimitsReported(FIRST, {"tokens": 900, "requests": 40, "moonbeams": 7}), []),
            (0.7, ModelSettingsDiffer(FIRST, ("voice", "speed")), []),
            (0.8, ModelSettingsDiffer(FIRST, ("speed",)), []),
            (0.9, RateLimitsReported(FIRST, {"tokens": 800}), []),
            (2.0, ModelLost(FIRST, "close_1006"), [OpenModel(SECOND, choice=1)]),
            (2.5, ModelReady(SECOND), []),
            (3.0, DeadlinePassed(), [NoteRenewal(SECOND, FIRST)]),
            (4.0, DeadlinePassed(), [NoteEnd(Outcome.MAX_COST, 4000, cost_usd=2.015)]),
        ]
    ) == {
        f"dialtone_calls_started_total{{{agent}}}": 1,
        f'dialtone_calls_ended_total{{{agent},outcome="max_cost"}}': 1,
        f"dialtone_model_losses_total{{{agent}}}": 1,
        f"dialtone_model_fallbacks_total{{{agent}}}": 1,
        f"dialtone_model_renewals_total{{{agent}}}": 1,
        f"dialtone_model_settings_differ_total{{{agent}}}": 2,
        f'dialtone_model_rate_limit_remaining{{{agent},limit="tokens"}}': 800,
        f'dialtone_model_rate_limit_remaining{{{agent},limit="requests"}}': 40,
        f'dialtone_model_rate_limit_remaining{{{agent},limit="other"}}': 7,
        f"dialtone_model_cost_usd_total{{{agent}}}": 2.015,
    }


def test_the_sessions_of_an_account_are_told_as_they_are_now() -> None:
    metrics = Metrics()
    assert b'dialtone_model_sessions{account="openai"} 3.0' in metrics.render({"openai": 3, "azure": 0})
    text = metrics.render({"openai": 1, "azure": 0})
    assert b'dialtone_model_sessions{account="openai"} 1.0' in text
    assert b'dialtone_model_sessions{account="azure"} 0.0' in text


def test_every_frame_is_counted_alone_or_in_a_run() -> None:
    frame = CallerAudio(b"\x01" * 960)
    moments: list[Moment] = [(0.02 * number, frame, []) for number in range(10)]
    moments.append((0.2, frame, [NoteEnd(Outcome.IDLE, 200)]))  # a frame that called for something stands alone
    assert counted([*moments, (0.3, frame, [])])["dialtone_caller_frames_total"] == 12


def test_the_shell_counts_what_no_journal_tells() -> None:
    metrics = Metrics()
    metrics.call_refused("full")
    metrics.message_passed_over("carrier", "unknown")
    metrics.message_passed_over("model", "broken")
    metrics.message_passed_over("model", "broken")
    assert {name: value for name, value in samples(metrics).items() if value} == {
        'dialtone_calls_refused_total{reason="full"}': 1,
        'dialtone_messages_passed_over_total{peer="carrier",why="unknown"}': 1,
        'dialtone_messages_passed_over_total{peer="model",why="broken"}': 2,
    }


def test_the_longest_lag_is_told_until_it_was_scraped() -> None:
    metrics = Metrics()
    metrics.loop_lagged(0.25)
    metrics.loop_lagged(0.001)
    told = samples(metrics)
    assert told["dialtone_loop_lag_seconds"] == 0.001
    assert told["dialtone_loop_lag_most_seconds"] == 0.25
    metrics.loop_lagged(0.002)
    assert samples(metrics)["dialtone_loop_lag_most_seconds"] == 0.002


def test_no_label_names_a_call_or_a_person() -> None:
    metrics = Metrics()
    write(TYPICAL, CallMetrics(metrics, HEAD))
    text = metrics.render().decode()
    assert HEAD.call_sid not in text
    assert "1042" not in text
    assert "process_resident_memory_bytes" in text
