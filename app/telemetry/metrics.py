"""Metrics: what the process has done and is doing, in Prometheus' text format.

A label's values are few and ours: agents' names, closed lists. Never a number, a CallSid or a word of a peer.
"""

from collections.abc import Mapping
from typing import Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from app.session.commands import (
    Command,
    NoteBargeIn,
    NoteClaim,
    NoteDisclosure,
    NoteEnd,
    NoteFalseAlarm,
    NoteRenewal,
    NoteToolCall,
)
from app.session.events import CallerAudio, ModelSettingsDiffer, RateLimitsReported, RequestRefused, StreamStarted
from app.session.journal import Entry, FrameRun, JournalHead
from app.session.words import Outcome
from app.telemetry.latency import ResponseTimes
from app.telemetry.models import Connected, Lost, ModelSessions, Unreached

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""What `Metrics.render` gives, for the answer's header."""

Peer = Literal["carrier", "model"]
PassedOver = Literal["unknown", "broken"]

_FIRST_AUDIO_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_RESPONSE_S = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)

_EVENTS = frozenset({CallerAudio, StreamStarted, RequestRefused, ModelSettingsDiffer, RateLimitsReported})
_NOTES = frozenset({NoteDisclosure, NoteBargeIn, NoteFalseAlarm, NoteClaim, NoteToolCall, NoteRenewal, NoteEnd})
_ALLOWANCES = frozenset({"requests", "tokens", "input_tokens", "output_tokens"})
"""Rate limits by the names that are known; all others are one, since they are words of a peer."""


class Metrics:
    """All metrics of one process, in a registry of their own. Any thread may use them."""

    def __init__(self) -> None:
        # one more series beside each counter, which nobody reads
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library gives it no types
        self.registry = CollectorRegistry()
        registry = self.registry
        ProcessCollector(registry=registry)
        self.calls_started = Counter(
            "dialtone_calls_started", "Calls whose stream has started.", ["agent"], registry=registry
        )
        self.calls_ended = Counter(
            "dialtone_calls_ended", "Calls that are over, by what ended them.", ["agent", "outcome"], registry=registry
        )
        self.calls_live = Gauge("dialtone_calls_live", "Calls under way.", registry=registry)
        self.calls_refused = Counter(
            "dialtone_calls_refused", "Calls and streams turned away at the door.", ["reason"], registry=registry
        )
        self.disclosures = Counter(
            "dialtone_disclosures", "Disclosures, by what became of them.", ["agent", "result"], registry=registry
        )
        self.first_audio = Histogram(
            "dialtone_first_audio_seconds",
            "From the start of the stream to the first audio sent to the caller.",
            buckets=_FIRST_AUDIO_S,
            registry=registry,
        )
        self.responses = Histogram(
            "dialtone_response_seconds",
            "From the model's word that the caller has stopped speaking to the first audio of the answer.",
            ["agent"],
            buckets=_RESPONSE_S,
            registry=registry,
        )
        self.barge_ins = Counter("dialtone_barge_ins", "Interruptions accepted.", ["agent"], registry=registry)
        self.false_alarms = Counter(
            "dialtone_barge_in_false_alarms",
            "Sounds of the caller that made the agent pause and were no interruption.",
            ["agent"],
            registry=registry,
        )
        self.claims = Counter(
            "dialtone_claims_cut", "Claims of the model to be a human, each cut off.", ["agent"], registry=registry
        )
        self.tool_calls = Counter(
            "dialtone_tool_calls", "Tool calls, by what became of them.", ["agent", "status"], registry=registry
        )
        self.model_losses = Counter(
            "dialtone_model_losses", "Times that a call was left without a model.", ["agent"], registry=registry
        )
        self.model_refusals = Counter(
            "dialtone_model_refusals", "Requests that a model refused, by class.", ["fault"], registry=registry
        )
        self.model_fallbacks = Counter(
            "dialtone_model_fallbacks",
            "Sessions that one of the fallbacks served instead of an agent's own model.",
            ["agent"],
            registry=registry,
        )
        self.model_renewals = Counter(
            "dialtone_model_renewals",
            "Sessions taken over by another before their provider ended them.",
            ["agent"],
            registry=registry,
        )
        self.settings_differ = Counter(
            "dialtone_model_settings_differ",
            "Settings that a model had otherwise than it was asked, each once a call.",
            ["agent"],
            registry=registry,
        )
        self.rate_limits = Gauge(
            "dialtone_model_rate_limit_remaining",
            "What was left of an allowance of the model's provider when it last said so.",
            ["agent", "limit"],
            registry=registry,
        )
        self.model_cost = Counter(
            "dialtone_model_cost_usd",
            "What the models of calls that are over have cost, in US dollars.",
            ["agent"],
            registry=registry,
        )
        self.costs_unknown = Counter(
            "dialtone_calls_cost_unknown",
            "Calls that are over and whose cost is not known.",
            ["agent"],
            registry=registry,
        )
        self._model_sessions = Gauge(
            "dialtone_model_sessions", "Sessions open on a provider's account.", ["account"], registry=registry
        )
        self.caller_frames = Counter("dialtone_caller_frames", "Audio frames taken in from callers.", registry=registry)
        self._passed_over = Counter(
            "dialtone_messages_passed_over",
            "Messages of a peer that we do not know, or that were broken.",
            ["peer", "why"],
            registry=registry,
        )
        self._loop_lag = Gauge(
            "dialtone_loop_lag_seconds", "How late the event loop woke, the last time it was asked.", registry=registry
        )
        self._loop_lag_most = Gauge(
            "dialtone_loop_lag_most_seconds", "The longest that it was late since the last scrape.", registry=registry
        )
        self._most_lag_s = 0.0

    def call_refused(self, reason: str) -> None:
        """Count a call or a stream turned away. reason: the short word of `CallRefused`."""
        self.calls_refused.labels(reason).inc()

    def message_passed_over(self, peer: Peer, why: PassedOver) -> None:
        """Count a message that was read and not acted on."""
        self._passed_over.labels(peer, why).inc()

    def loop_lagged(self, lag_s: float) -> None:
        """Note how late the event loop woke, as `watch_loop` measures it."""
        self._most_lag_s = max(self._most_lag_s, lag_s)
        self._loop_lag.set(lag_s)
        self._loop_lag_most.set(self._most_lag_s)

    def render(self, model_sessions: Mapping[str, int] | None = None) -> bytes:
        """Return all metrics as Prometheus reads them. model_sessions: how many are open now, by account."""
        for account, count in (model_sessions or {}).items():
            self._model_sessions.labels(account).set(count)
        text: bytes = generate_latest(self.registry)
        self._most_lag_s = 0.0
        return text


class CallMetrics:
    """Counts what happens in one call, as its journal tells it. Once the call is over, `finish` is called."""

    def __init__(self, metrics: Metrics, head: JournalHead) -> None:
        self._metrics = metrics
        self._agent = head.agent
        self._times = ResponseTimes()
        self._models = ModelSessions()
        self._responses = metrics.responses.labels(head.agent)
        self._differing: set[str] = set()
        self._is_live = False
        self._ended = False

    def read(self, entry: Entry | FrameRun) -> None:
        """Take in the next entry of the journal."""
        metrics = self._metrics
        if isinstance(entry, FrameRun):
            metrics.caller_frames.inc(entry.count)
            return
        if self._ended:
            return
        first_audio_ms = self._times.first_audio_ms
        waited_ms = self._times.read(entry)
        if waited_ms is not None:
            self._responses.observe(waited_ms / 1000)
        if first_audio_ms is None and self._times.first_audio_ms is not None:
            metrics.first_audio.observe(self._times.first_audio_ms / 1000)
        if type(entry.event) in _EVENTS:
            self._read_event(entry)
        self._read_change(self._models.read(entry))
        for command in entry.commands:
            if type(command) in _NOTES:
                self._read_note(command)

    def finish(self) -> None:
        """Count the call as ended in error if its session did not come to an end of its own."""
        if not self._ended:
            self._spend(None)
            self._end(Outcome.ERROR)

    def _read_change(self, change: Connected | Lost | Unreached | None) -> None:
        match change:
            case Lost():
                self._metrics.model_losses.labels(self._agent).inc()
            case Connected(choice=choice) if choice:
                self._metrics.model_fallbacks.labels(self._agent).inc()

    def _read_event(self, entry: Entry) -> None:
        match entry.event:
            case CallerAudio():
                self._metrics.caller_frames.inc()
            case StreamStarted():
                if not self._is_live:
                    self._is_live = True
                    self._metrics.calls_started.labels(self._agent).inc()
                    self._metrics.calls_live.inc()
            case RequestRefused(fault=fault):
                self._metrics.model_refusals.labels(fault.value).inc()
            case ModelSettingsDiffer(keys=keys):
                news = set(keys) - self._differing
                self._differing |= news
                self._metrics.settings_differ.labels(self._agent).inc(len(news))
            case RateLimitsReported(remaining=remaining):
                for name, left in remaining.items():
                    limit = name if name in _ALLOWANCES else "other"
                    self._metrics.rate_limits.labels(self._agent, limit).set(left)

    def _read_note(self, command: Command) -> None:
        match command:
            case NoteDisclosure(result):
                self._metrics.disclosures.labels(self._agent, result.value).inc()
            case NoteBargeIn():
                self._metrics.barge_ins.labels(self._agent).inc()
            case NoteFalseAlarm():
                self._metrics.false_alarms.labels(self._agent).inc()
            case NoteClaim():
                self._metrics.claims.labels(self._agent).inc()
            case NoteToolCall(status=status):
                self._metrics.tool_calls.labels(self._agent, status.value).inc()
            case NoteRenewal():
                self._metrics.model_renewals.labels(self._agent).inc()
            case NoteEnd(outcome, _, cost_usd):
                self._spend(cost_usd)
                self._end(outcome)

    def _spend(self, cost_usd: float | None) -> None:
        if cost_usd is None:
            self._metrics.costs_unknown.labels(self._agent).inc()
        else:
            self._metrics.model_cost.labels(self._agent).inc(cost_usd)

    def _end(self, outcome: Outcome) -> None:
        self._ended = True
        self._metrics.calls_ended.labels(self._agent, outcome.value).inc()
        if self._is_live:
            self._is_live = False
            self._metrics.calls_live.dec()
