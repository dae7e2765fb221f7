"""Logs: one line for each thing that matters, the milestones of a call among them, and nothing personal."""

import logging
import re
import sys
import time
from array import array
from statistics import median
from typing import TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from app.session.commands import (
    Command,
    NoteBargeIn,
    NoteClaim,
    NoteDisclosure,
    NoteEnd,
    NoteFalseAlarm,
    NoteRenewal,
    NoteToolCall,
    NoteTurn,
    SpeakPhrase,
)
from app.session.cost import UsageSum
from app.session.events import (
    AgentAudio,
    AgentText,
    AgentTranscript,
    CallerAudio,
    DeadlinePassed,
    ModelSettingsDiffer,
    PlaybackReached,
    RequestRefused,
    ResponseEnded,
    SpeechAudio,
    SpeechFailed,
    StreamEnded,
    StreamStalled,
    StreamStarted,
    TranscriptionBilled,
)
from app.session.journal import Entry, FrameRun, JournalHead
from app.session.words import DisclosureResult, Fault, ModelNumber, Outcome, PieceNumber, ResponseStatus
from app.telemetry.latency import ResponseTimes
from app.telemetry.libraries import LibraryHandler, route_libraries
from app.telemetry.lines import LogFormat, Render, console_line, drop_personal, json_line, time_stamp
from app.telemetry.models import Connected, Lost, ModelSessions, Unreached
from app.telemetry.output import LineOutput

_FREQUENT = frozenset(
    {PlaybackReached, DeadlinePassed, AgentAudio, AgentTranscript, AgentText, SpeechAudio, CallerAudio}
)
"""Events that come many times a second and are no milestone."""
_NOTES = frozenset(
    {
        NoteDisclosure,
        NoteBargeIn,
        NoteFalseAlarm,
        NoteClaim,
        NoteTurn,
        NoteToolCall,
        NoteRenewal,
        NoteEnd,
        SpeakPhrase,
    }
)
_TOOL_NAME = re.compile("[A-Za-z0-9_-]{1,64}")
"""As an agent file names tools; a model may write anything."""
_DISCLOSURE_EVENTS = {
    DisclosureResult.HEARD: "disclosure.heard",
    DisclosureResult.UNPROVEN: "disclosure.unproven",
    DisclosureResult.FAILED: "disclosure.failed",
    DisclosureResult.HANGUP: "disclosure.hangup",
}


class _LineLogger:
    """What structlog calls at the end: the line is rendered already."""

    def __init__(self, output: LineOutput) -> None:
        self._output = output

    def msg(self, line: str) -> None:
        self._output.write(line)

    debug = info = warning = error = critical = exception = fatal = log = msg


_configured: list[LineOutput] = []


def configure(level: str, format: LogFormat, *, out: TextIO | None = None) -> LineOutput:
    """Let all logs of this process go to `out` (standard output), one line each, JSON or for a terminal.

    level: DEBUG, INFO, WARNING, ERROR, from which on our own lines are written. Called again, it replaces what was.
    Whoever needs the lines to be out before going on asks the returned output to `flush`.
    """
    stream = sys.stdout if out is None else out
    while _configured:
        _configured.pop().close()
    shape = json_line if format == "json" else console_line(colors=stream.isatty())
    trace = structlog.processors.ExceptionRenderer()  # without the values of variables: they are a call's words

    def render(fields: EventDict) -> str:
        if format == "json":
            fields = trace(None, "", fields)
        return shape(fields)

    def lost(count: int) -> str:
        return render(
            {"timestamp": time_stamp(time.time()), "level": "warning", "event": "log.lost", "lines": count},
        )

    output = LineOutput(stream, lost)
    _configured.append(output)
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _stamp,
            drop_personal,
            _final(render),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _LineLogger(output),
        cache_logger_on_first_use=False,  # configured anew, loggers made at import must follow
    )
    route_libraries(number, LibraryHandler(render, output))
    return output


def _stamp(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """Processor: the time, unless the line brings that of its journal entry."""
    if "timestamp" not in fields:
        fields["timestamp"] = time_stamp(time.time())
    return fields


def _final(render: Render) -> Processor:
    def final(_logger: WrappedLogger, _method: str, fields: EventDict) -> str:
        return render(fields)

    return final


class CallLog:
    """Writes the milestones of one call as its journal tells them: when and how long, never what was said.

    All times are the journal's. Once the call is over, whatever became of it, `finish` is called.
    """

    def __init__(self, head: JournalHead) -> None:
        self._head = head
        self._log: FilteringBoundLogger = structlog.get_logger().bind(call_sid=head.call_sid)
        self._times = ResponseTimes()
        self._models = ModelSessions()
        self._phrases: dict[PieceNumber, str] = {}
        self._started_at: float | None = None
        self._last_at = head.at
        self._ended = False
        self._turns = self._barge_ins = self._tool_calls = self._model_losses = 0
        self._usage = UsageSum()
        self._differing: set[str] = set()
        self._response_ms = array("q")  # those of an hour: a list would keep an object for each

    def read(self, entry: Entry | FrameRun) -> None:
        """Take in the next entry of the journal."""
        if isinstance(entry, FrameRun):
            self._last_at = entry.last_at
            return
        if self._ended:
            return
        self._last_at = entry.at
        waited_ms = self._times.read(entry)
        if waited_ms is not None:
            self._response_ms.append(waited_ms)
        if type(entry.event) not in _FREQUENT:
            self._read_event(entry)
        if (change := self._models.read(entry)) is not None:
            self._read_change(change, entry.at)
        for command in entry.commands:
            if type(command) in _NOTES:
                self._read_note(command, entry.at)

    def finish(self) -> None:
        """Write the call's last line if its session did not come to an end of its own."""
        if not self._ended:
            started_at = self._head.at if self._started_at is None else self._started_at
            self._end(Outcome.ERROR, round((self._last_at - started_at) * 1000), self._last_at)

    def _read_event(self, entry: Entry) -> None:
        at = entry.at
        match entry.event:
            case StreamStarted():
                self._started_at = at
                head = self._head
                self._write(
                    at, "call.start", agent=head.agent, agent_version=head.agent_version, language=head.language
                )
            case StreamStalled():
                self._warn(at, "stream.stalled")
            case StreamEnded(end):
                self._write(at, "stream.end", end=end.value)
            case RequestRefused(model, request, fault, code):
                tell = self._log.debug if fault is Fault.BENIGN else self._log.warning
                tell(
                    "model.refused",
                    timestamp=self._time(at),
                    model=model,
                    request=request.value,
                    fault=fault.value,
                    code=code,
                )
            case ResponseEnded(model, response_id, status, reason, usage):
                self._usage.add(usage)
                if status is ResponseStatus.FAILED:
                    self._warn(at, "response.failed", model=model, response_id=response_id, reason=reason)
                elif status is ResponseStatus.INCOMPLETE:
                    self._warn(at, "response.incomplete", model=model, response_id=response_id, reason=reason)
            case TranscriptionBilled(_, usage):
                self._usage.add_transcription(usage)
            case ModelSettingsDiffer(model, keys):
                self._note_difference(model, keys, at)
            case SpeechFailed(piece, reason):
                self._warn(at, "speech.failed", phrase=self._phrases.get(piece), reason=reason)

    def _read_change(self, change: Connected | Lost | Unreached, at: float) -> None:
        match change:
            case Connected(model, choice, connect_ms):
                self._write(at, "model.ready", model=model, choice=choice, connect_ms=connect_ms)
            case Lost(model, choice, reason, is_final):
                self._model_losses += 1
                self._warn(at, "model.lost", model=model, choice=choice, reason=reason, is_final=is_final)
            case Unreached(model, choice, reason, is_final):
                self._warn(at, "model.unreached", model=model, choice=choice, reason=reason, is_final=is_final)

    def _note_difference(self, model: ModelNumber, keys: tuple[str, ...], at: float) -> None:
        """Say which settings do not hold, each once: every session of the call is told them, and answers alike."""
        news = [key for key in keys if key not in self._differing]
        if news:
            self._differing.update(news)
            self._warn(at, "model.settings_differ", model=model, keys=news)

    def _read_note(self, command: Command, at: float) -> None:
        match command:
            case SpeakPhrase(piece, phrase):
                self._phrases[piece] = phrase.value
            case NoteDisclosure(result, start_ms, end_ms, mark, interruptions):
                heard = result in (DisclosureResult.HEARD, DisclosureResult.HANGUP)
                tell = self._log.info if heard else self._log.warning
                tell(
                    _DISCLOSURE_EVENTS[result],
                    timestamp=self._time(at),
                    result=result.value,
                    start_ms=start_ms,
                    end_ms=end_ms,
                    mark=mark,
                    interruptions=interruptions,
                )
            case NoteTurn(speaker, _, heard_words, start_ms, end_ms, interrupted):
                self._turns += 1
                self._write(
                    at,
                    "turn.end",
                    speaker=speaker.value,
                    start_ms=start_ms,
                    end_ms=end_ms,
                    interrupted=interrupted,
                    characters=None if heard_words is None else len(heard_words),
                )
            case NoteBargeIn(response_id, item_id, heard_ms, generated_ms):
                self._barge_ins += 1
                self._write(
                    at,
                    "barge_in.start",
                    heard_ms=heard_ms,
                    generated_ms=generated_ms,
                    response_id=response_id,
                    item_id=item_id,
                )
            case NoteFalseAlarm(speech_ms, paused_ms):
                self._write(at, "barge_in.false_alarm", speech_ms=speech_ms, paused_ms=paused_ms)
            case NoteClaim(response_id, item_id, heard_ms):
                self._warn(at, "claim.cut", heard_ms=heard_ms, response_id=response_id, item_id=item_id)
            case NoteToolCall(name, _, _, status, duration_ms):
                self._tool_calls += 1
                known = name if _TOOL_NAME.fullmatch(name) else "unknown"
                self._write(at, "tool.done", name=known, status=status.value, duration_ms=duration_ms)
            case NoteRenewal(model, former):
                self._write(at, "model.renewed", model=model, former=former)
            case NoteEnd(outcome, duration_ms, cost_usd):
                self._end(outcome, duration_ms, at, cost_usd)

    def _end(self, outcome: Outcome, duration_ms: int, at: float, cost_usd: float | None = None) -> None:
        self._ended = True
        tell = self._log.error if outcome is Outcome.ERROR else self._log.info
        tell(
            "call.end",
            timestamp=self._time(at),
            agent=self._head.agent,
            outcome=outcome.value,
            duration_s=round(duration_ms / 1000, 3),
            turns=self._turns,
            barge_ins=self._barge_ins,
            tool_calls=self._tool_calls,
            model_losses=self._model_losses,
            usage=self._usage.counts,
            cost_usd=cost_usd,  # null: something was used whose price is not known
            first_audio_ms=self._times.first_audio_ms,
            response_p50_ms=round(median(self._response_ms)) if self._response_ms else None,
            response_max_ms=max(self._response_ms, default=None),
        )

    def _write(self, at: float, name: str, /, **fields: object) -> None:
        self._log.info(name, timestamp=self._time(at), **fields)

    def _warn(self, at: float, name: str, /, **fields: object) -> None:
        self._log.warning(name, timestamp=self._time(at), **fields)

    def _time(self, at: float) -> str:
        return time_stamp(self._head.started_at + at - self._head.at)
