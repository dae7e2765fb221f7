"""The record of a call: what was said, heard, looked up and spent, in the words of the contract.

`RecordKeeper` follows the journal; `CallRecord` is what is filed and what `show --json` prints. ms count from the
stream's start.
"""

import hashlib
from datetime import UTC, datetime

import msgspec

from app.records.kept import Kept
from app.session.commands import (
    CloseModel,
    Command,
    NoteBargeIn,
    NoteDisclosure,
    NoteEnd,
    NoteToolCall,
    NoteTurn,
    OpenModel,
)
from app.session.cost import UsageSum
from app.session.events import (
    ModelLost,
    ModelReady,
    ModelSilent,
    ModelStalled,
    ResponseEnded,
    StreamEnded,
    StreamStarted,
    TranscriptionBilled,
)
from app.session.journal import Entry, FrameRun, JournalHead
from app.session.words import DisclosureResult, ModelNumber, Outcome, Speaker, ToolStatus


class DisclosureRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was disclosed and the proof that it was heard. mark: the name of the mark that came back behind it."""

    text: str
    sha256: str
    language: str
    result: DisclosureResult
    start_ms: int | None
    end_ms: int | None
    mark: str | None
    interruptions: int


class TurnRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who spoke when. generated: all the agent's words, null for the caller; heard: what the other side heard.

    heard_is_estimated (only there if true): the turn was cut, and its words are cut in proportion to its sound.
    """

    speaker: Speaker
    generated: str | None
    heard: str | None
    start_ms: int
    end_ms: int
    heard_is_estimated: bool = False


class ToolCallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """arguments: an object, or the model's own text where it is none; result: what the model was told."""

    name: str
    arguments: dict[str, object] | str
    result: str
    status: ToolStatus


class InterruptionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An interruption that was accepted, and where it cut the agent off.

    heard_ms: what the model was told (`audio_end_ms`), of generated_ms; null when nothing was sounding. mark: behind
    the first piece of the item that was cut, by which who recorded the line finds where that item began.
    """

    at_ms: int
    item_id: str | None
    heard_ms: int | None
    generated_ms: int | None
    mark: str | None


class CallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of a call. Times in ISO 8601, UTC; null: not known.

    usage: by the vendor's names, dotted; that of writing the caller's words down behind `transcription.`.
    """

    call_sid: str
    agent: str
    agent_version: str
    outcome: Outcome
    started_at: str
    ended_at: str
    duration_s: float
    disclosure: DisclosureRecord
    turns: list[TurnRecord]
    tool_calls: list[ToolCallRecord]
    interruptions: list[InterruptionRecord] = []
    barge_ins: int
    model_losses: int
    usage: dict[str, int]
    cost_usd: float | None
    recording: str | None
    transcripts: list[object]

    def to_json(self) -> bytes:
        """The record as one JSON object, indented for people."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


class RecordKeeper:
    """Follows one call's journal and gives its record at the end."""

    def __init__(self, head: JournalHead) -> None:
        self._head = head
        self._started_at: float | None = None
        self._last_at = head.at
        self._disclosure: NoteDisclosure | None = None
        self._spoke_at: float | None = None  # when the first sound was sent, which is the disclosure's
        self._turns = Kept(TurnRecord)
        self._tool_calls: list[NoteToolCall] = []
        self._interruptions = Kept(InterruptionRecord)
        self._models: set[ModelNumber] = set()  # sessions that the call has, or has asked for
        self._ready_models: set[ModelNumber] = set()
        self._is_without_model = False
        self._model_losses = 0
        self._usage = UsageSum()
        self._end: NoteEnd | None = None

    def read(self, entry: Entry | FrameRun) -> None:
        """Take in the next entry of the journal."""
        if isinstance(entry, FrameRun):
            self._last_at = entry.last_at
            return
        if self._end is not None:
            return
        self._last_at = entry.at
        if entry.played_bytes and self._spoke_at is None:
            self._spoke_at = entry.at
        if type(entry.event) in _EVENTS:
            self._read_event(entry)
        for command in entry.commands:
            if type(command) in _COMMANDS:
                self._read_command(command, entry)

    def finish(self) -> CallRecord:
        """Return the record. A call whose session never came to an end is one of ours that went wrong: `error`."""
        head = self._head
        started_at = head.at if self._started_at is None else self._started_at
        end = self._end or NoteEnd(Outcome.ERROR, round((self._last_at - started_at) * 1000))
        outcome, duration_ms = end.outcome, end.duration_ms
        began = head.started_at + started_at - head.at
        return CallRecord(
            call_sid=head.call_sid,
            agent=head.agent,
            agent_version=head.agent_version,
            outcome=outcome,
            started_at=_iso(began),
            ended_at=_iso(began + duration_ms / 1000),
            duration_s=round(duration_ms / 1000, 3),
            disclosure=self._disclosure_record(outcome, started_at),
            turns=sorted(self._turns.all(), key=lambda turn: turn.start_ms),
            tool_calls=[
                ToolCallRecord(
                    name=_written(call.name),
                    arguments=_arguments(call.arguments),
                    result=_written(call.result),
                    status=call.status,
                )
                for call in self._tool_calls
            ],
            interruptions=self._interruptions.all(),
            barge_ins=len(self._interruptions),
            model_losses=self._model_losses,
            usage=self._usage.counts,
            cost_usd=end.cost_usd,
            recording=None,
            transcripts=[],
        )

    def _read_event(self, entry: Entry) -> None:
        match entry.event:
            case StreamStarted():
                self._started_at = entry.at
            case StreamEnded():
                self._models.clear()
                self._ready_models.clear()
            case ModelReady(model) if model in self._models:
                self._ready_models.add(model)
                self._is_without_model = False
            case ModelLost(model) if model in self._models:
                self._lose(model)
            case ModelStalled(model) | ModelSilent(model) if (
                model in self._models and CloseModel(model) in entry.commands
            ):
                self._lose(model)
            case ResponseEnded(usage=usage):
                self._usage.add(usage)
            case TranscriptionBilled(usage=usage):
                self._usage.add_transcription(usage)

    def _read_command(self, command: Command, entry: Entry) -> None:
        match command:
            case OpenModel(model):
                self._models.add(model)
            case CloseModel(model):
                if model in self._models and not any(type(one) is NoteEnd for one in entry.commands):
                    self._lose(model)  # it was slow, or of no use
                self._close(model)
            case NoteDisclosure() as disclosure:
                self._disclosure = disclosure
            case NoteTurn() as turn:
                self._turns.add(
                    TurnRecord(
                        speaker=turn.speaker,
                        generated=_clean(turn.generated),
                        heard=_clean(turn.heard),
                        start_ms=turn.start_ms,
                        end_ms=turn.end_ms,
                        heard_is_estimated=turn.interrupted and turn.generated is not None,
                    )
                )
            case NoteToolCall() as call:
                self._tool_calls.append(call)
            case NoteBargeIn(_, item_id, heard_ms, generated_ms, first_mark):
                started_at = self._head.at if self._started_at is None else self._started_at
                self._interruptions.add(
                    InterruptionRecord(
                        at_ms=max(0, round((entry.at - started_at) * 1000)),
                        item_id=None if item_id is None else _written(item_id),
                        heard_ms=heard_ms,
                        generated_ms=generated_ms,
                        mark=first_mark,
                    )
                )
            case NoteEnd() as end:
                self._end = end

    def _lose(self, model: ModelNumber) -> None:
        """A loss leaves the call without a model; what fails until one is ready again are attempts to mend it."""
        self._close(model)
        if not self._ready_models and not self._is_without_model:
            self._is_without_model = True
            self._model_losses += 1

    def _close(self, model: ModelNumber) -> None:
        self._models.discard(model)
        self._ready_models.discard(model)

    def _disclosure_record(self, outcome: Outcome, started_at: float) -> DisclosureRecord:
        text = self._head.disclosure_text
        note = self._disclosure
        if note is None:
            left = outcome in (Outcome.CALLER_HUNG_UP, Outcome.STREAM_LOST)
            note = NoteDisclosure(
                result=DisclosureResult.HANGUP if left else DisclosureResult.FAILED,
                start_ms=None if self._spoke_at is None else round((self._spoke_at - started_at) * 1000),
                end_ms=None,
                mark=None,
                interruptions=0,
            )
        return DisclosureRecord(
            text=_written(text),
            sha256=hashlib.sha256(_written(text).encode()).hexdigest(),
            language=self._head.language,
            result=note.result,
            start_ms=note.start_ms,
            end_ms=note.end_ms,
            mark=note.mark,
            interruptions=note.interruptions,
        )


_EVENTS = frozenset(
    {StreamStarted, StreamEnded, ModelReady, ModelLost, ModelStalled, ModelSilent, ResponseEnded, TranscriptionBilled}
)
_COMMANDS = frozenset({OpenModel, CloseModel, NoteDisclosure, NoteTurn, NoteToolCall, NoteBargeIn, NoteEnd})


def _iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(round(seconds, 3), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _arguments(text: str) -> dict[str, object] | str:
    try:
        parsed = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return _written(text)
    return parsed if isinstance(parsed, dict) else _written(text)


def _written(text: str) -> str:
    """The text as it can be filed: half a surrogate pair, which no file can hold, becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _clean(text: str | None) -> str | None:
    return None if text is None else _written(text)
