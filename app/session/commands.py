"""All that can be asked of the legs, in the imperative. Frozen, without behaviour; `Command` is the closed union.

The `Note…` commands are asked of nobody but the journal: what was decided and found out, in the words that logs, record
and transcript share. Times in ms count from the stream's start.
"""

from dataclasses import dataclass

from app.session.words import (
    DisclosureResult,
    ItemId,
    ModelNumber,
    Outcome,
    Phrase,
    PieceNumber,
    ResponseId,
    Speaker,
    ToolCallId,
    ToolStatus,
)

# --- the caller's leg -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayAudio:
    """Send this to the carrier now; the SendMark behind it comes next, in the same step.

    ends: an item ends with it, so its tail is sent too; audio may then be empty.
    """

    audio: bytes
    ends: bool = False


@dataclass(frozen=True, slots=True)
class SendMark:
    """Ask the carrier to say when all that was sent has been played."""

    generation: int
    number: int


@dataclass(frozen=True, slots=True)
class ClearPlayback:
    """Throw away what the carrier has not played yet."""


@dataclass(frozen=True, slots=True)
class ListenClosely:
    """Have the good detector judge the caller's frames (on), or only the cheap one (off), which is how a call begins.

    The good one is first given what it missed of the sound that made us ask.
    """

    on: bool


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the telephone call. say: a sentence for the carrier's own voice, when ours could not speak."""

    say: str | None = None


@dataclass(frozen=True, slots=True)
class TransferCall:
    """Leave the call and have the carrier dial this number for the caller."""

    number: str
    say: str | None = None


# --- the agent's leg --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenModel:
    """Begin a session with the model, which listens but does not answer by itself.

    choice: which of the agent's models, 0 for its own, then the fallbacks in their order (`Terms.models`).
    """

    model: ModelNumber
    choice: int = 0


@dataclass(frozen=True, slots=True)
class AppendInputAudio:
    model: ModelNumber
    audio: bytes


@dataclass(frozen=True, slots=True)
class SetTurnHandling:
    """Say whether the model answers a turn, and stops at the caller's voice, by itself."""

    model: ModelNumber
    create_response: bool
    interrupt_response: bool


@dataclass(frozen=True, slots=True)
class RequestResponse:
    model: ModelNumber


@dataclass(frozen=True, slots=True)
class CancelResponse:
    model: ModelNumber
    response_id: ResponseId


@dataclass(frozen=True, slots=True)
class TruncateItem:
    """Cut an item to what was heard of it."""

    model: ModelNumber
    item_id: ItemId
    content_index: int
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class DeleteItem:
    model: ModelNumber
    item_id: ItemId


@dataclass(frozen=True, slots=True)
class AddCallerText:
    model: ModelNumber
    item_id: ItemId
    text: str


@dataclass(frozen=True, slots=True)
class AddAgentText:
    """Let the model know what was said in its name. after: the item behind which it stands; None: behind all."""

    model: ModelNumber
    item_id: ItemId
    text: str
    after: ItemId | None = None


@dataclass(frozen=True, slots=True)
class AddCue:
    """A word to the model that neither side has said."""

    model: ModelNumber
    item_id: ItemId
    text: str


@dataclass(frozen=True, slots=True)
class AnswerToolCall:
    model: ModelNumber
    item_id: ItemId
    tool_call_id: ToolCallId
    output: str


@dataclass(frozen=True, slots=True)
class CloseModel:
    model: ModelNumber


# --- the voice's leg --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Speak:
    """Speak a piece of what the model has written. Pieces are spoken in the order in which they are asked for."""

    piece: PieceNumber
    text: str


@dataclass(frozen=True, slots=True)
class SpeakPhrase:
    piece: PieceNumber
    phrase: Phrase


@dataclass(frozen=True, slots=True)
class CancelSpeech:
    piece: PieceNumber


# --- the tools' leg ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunTool:
    tool_call_id: ToolCallId
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CancelTool:
    tool_call_id: ToolCallId


# --- the journal ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoteDisclosure:
    """mark: the name of the mark that proves it (generation:number), or None."""

    result: DisclosureResult
    start_ms: int | None
    end_ms: int | None
    mark: str | None
    interruptions: int


@dataclass(frozen=True, slots=True)
class NoteBargeIn:
    """An interruption was accepted. heard_ms, generated_ms: of the item that was sounding, None if none was.

    first_mark: the name (generation:number) of the mark behind that item's first piece: who listens at the carrier's
    side finds by it where the item began, and so what was truly heard of it.
    """

    response_id: ResponseId | None
    item_id: ItemId | None
    heard_ms: int | None
    generated_ms: int | None
    first_mark: str | None = None


@dataclass(frozen=True, slots=True)
class NoteFalseAlarm:
    """The agent paused for a sound of the caller that was no interruption, and goes on.

    speech_ms: how much of the sound was a voice. paused_ms: from the pause's first moment until now, of which the
    caller missed no more than what the carrier had run dry.
    """

    speech_ms: int
    paused_ms: int


@dataclass(frozen=True, slots=True)
class NoteClaim:
    """The model claimed to be a human: it was cut. heard_ms: how much of the item the caller heard."""

    response_id: ResponseId
    item_id: ItemId
    heard_ms: int


@dataclass(frozen=True, slots=True)
class NoteTurn:
    """A turn is over. generated: all the words (agent) or None (caller); heard: what the other side heard of them.

    interrupted: the turn was cut; its heard words are then an estimate, cut in proportion to the time that was heard.
    """

    speaker: Speaker
    generated: str | None
    heard: str | None
    start_ms: int
    end_ms: int
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class NoteToolCall:
    name: str
    arguments: str
    result: str
    status: ToolStatus
    duration_ms: int


@dataclass(frozen=True, slots=True)
class NoteRenewal:
    """Before its provider ended it, a session was taken over from by another."""

    model: ModelNumber
    former: ModelNumber


@dataclass(frozen=True, slots=True)
class NoteEnd:
    """The call's session is over; nothing is asked or taken in any more.

    cost_usd: what the model was paid for in it, None when a price is not known.
    """

    outcome: Outcome
    duration_ms: int
    cost_usd: float | None = None


StreamCommand = PlayAudio | SendMark | ClearPlayback | ListenClosely | HangUp | TransferCall
ModelCommand = (
    OpenModel
    | AppendInputAudio
    | SetTurnHandling
    | RequestResponse
    | CancelResponse
    | TruncateItem
    | DeleteItem
    | AddCallerText
    | AddAgentText
    | AddCue
    | AnswerToolCall
    | CloseModel
)
VoiceCommand = Speak | SpeakPhrase | CancelSpeech
ToolCommand = RunTool | CancelTool
Note = NoteDisclosure | NoteBargeIn | NoteFalseAlarm | NoteClaim | NoteTurn | NoteToolCall | NoteRenewal | NoteEnd
Command = StreamCommand | ModelCommand | VoiceCommand | ToolCommand | Note
