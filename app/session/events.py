"""All that can happen in a call, in the past tense. Frozen, without behaviour; `Event` is the closed union.

Audio is in the call's model-side format (`Terms.format`), whole samples. `model` numbers the session with a model that
the event comes from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.session.words import (
    Fault,
    ItemId,
    ModelNumber,
    PieceNumber,
    Request,
    ResponseId,
    ResponseStatus,
    StreamEnd,
    ToolCallId,
    ToolStatus,
    Verdict,
)

# --- the caller's leg -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The carrier's stream is open. disclosure_said: the carrier's own voice has spoken the disclosure before it."""

    disclosure_said: bool = False


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """One frame of what the caller's side sounds like, silence too. verdict: of our own detector."""

    audio: bytes
    verdict: Verdict = Verdict.SILENCE


@dataclass(frozen=True, slots=True)
class CallerDigit:
    """A key was pressed: 0-9, *, #, A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class PlaybackReached:
    """A mark of ours came back: played, or thrown out by a clear; generation and number tell which."""

    generation: int
    number: int


@dataclass(frozen=True, slots=True)
class StreamStalled:
    """More waits unsent towards the carrier than a healthy line ever has."""


@dataclass(frozen=True, slots=True)
class StreamEnded:
    end: StreamEnd


# --- the agent's leg --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelReady:
    """Connected, and the session's settings are confirmed: audio may be sent.

    expires_in_s: when the provider will end the session, from now, if it has said so.
    """

    model: ModelNumber
    expires_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class ModelSettingsDiffer:
    """The session has other settings than we asked for. keys: which, dotted, without their values."""

    model: ModelNumber
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RateLimitsReported:
    """What the provider says is left of an allowance, by its own names. For information."""

    model: ModelNumber
    remaining: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TurnHandlingSet:
    """The model has confirmed the last SetTurnHandling: what it commits from here on, it treats so."""

    model: ModelNumber


@dataclass(frozen=True, slots=True)
class ModelStalled:
    """More waits unsent towards the model than a healthy line ever has."""

    model: ModelNumber


@dataclass(frozen=True, slots=True)
class ModelSilent:
    """Nothing has come of it for so long, and it answers no ping; told again while that goes on."""

    model: ModelNumber
    silent_s: float


@dataclass(frozen=True, slots=True)
class ModelLost:
    """Not reached, closed or given up. reason: a short word for logs, such as close_1006 or connect_timeout.

    is_final: another try with the same provider would end the same way (a key, a quota, a model that is not there).
    is_crowded: its account has no room for a session now.
    """

    model: ModelNumber
    reason: str
    is_final: bool = False
    is_crowded: bool = False


@dataclass(frozen=True, slots=True)
class CallerSpeechStarted:
    """The model's voice detector hears the caller. audio_start_ms counts the audio that this model was given."""

    model: ModelNumber
    item_id: ItemId
    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class CallerSpeechStopped:
    model: ModelNumber
    item_id: ItemId
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class CallerTurnCommitted:
    """The caller's turn is an item of the model's conversation."""

    model: ModelNumber
    item_id: ItemId


@dataclass(frozen=True, slots=True)
class CallerTranscript:
    """The caller's words; may come long after the turn."""

    model: ModelNumber
    item_id: ItemId
    text: str


@dataclass(frozen=True, slots=True)
class CallerTranscriptFailed:
    model: ModelNumber
    item_id: ItemId


@dataclass(frozen=True, slots=True)
class ItemTaken:
    """An item that we added stands in the model's conversation."""

    model: ModelNumber
    item_id: ItemId


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    model: ModelNumber
    response_id: ResponseId


@dataclass(frozen=True, slots=True)
class AgentAudio:
    model: ModelNumber
    response_id: ResponseId
    item_id: ItemId
    content_index: int
    audio: bytes


@dataclass(frozen=True, slots=True)
class AgentAudioEnded:
    """The item's audio is generated to its end, which says nothing of what was heard."""

    model: ModelNumber
    response_id: ResponseId
    item_id: ItemId


@dataclass(frozen=True, slots=True)
class AgentTranscript:
    """The next words of what the agent says in an item."""

    model: ModelNumber
    response_id: ResponseId
    item_id: ItemId
    text: str


@dataclass(frozen=True, slots=True)
class AgentText:
    """The next words of an item that the model writes, for our own voice to speak."""

    model: ModelNumber
    response_id: ResponseId
    item_id: ItemId
    text: str


@dataclass(frozen=True, slots=True)
class AgentTextEnded:
    """The item is written to its end, which says nothing of what was spoken or heard."""

    model: ModelNumber
    response_id: ResponseId
    item_id: ItemId


@dataclass(frozen=True, slots=True)
class ToolCallRequested:
    """The model calls a tool; arguments: a JSON text, as the model wrote it."""

    model: ModelNumber
    response_id: ResponseId
    item_id: ItemId
    tool_call_id: ToolCallId
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ResponseEnded:
    """The last word on a response, whatever became of it. usage: token counts by the model's own names, dotted."""

    model: ModelNumber
    response_id: ResponseId
    status: ResponseStatus
    reason: str
    usage: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TranscriptionBilled:
    """What writing down a turn of the caller cost, by dotted name."""

    model: ModelNumber
    usage: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """The model would not do what we asked; the connection goes on. code: the vendor's, or ""."""

    model: ModelNumber
    request: Request
    fault: Fault
    code: str


# --- the voice's leg --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechAudio:
    piece: PieceNumber
    audio: bytes


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The piece is spoken to its end, which says nothing of what was heard."""

    piece: PieceNumber


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    piece: PieceNumber
    reason: str


# --- the tools' leg ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolCallFinished:
    """output: what the model is told, a JSON text or a sentence."""

    tool_call_id: ToolCallId
    status: ToolStatus
    output: str


# --- the shell --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """`Session.deadline` has come."""


@dataclass(frozen=True, slots=True)
class CallCompleted:
    """The carrier's status callback says that the telephone call is over."""


@dataclass(frozen=True, slots=True)
class ServiceStopping:
    """This process ends now."""


ModelEvent = (
    ModelReady
    | TurnHandlingSet
    | ModelStalled
    | ModelSilent
    | ModelLost
    | CallerSpeechStarted
    | CallerSpeechStopped
    | CallerTurnCommitted
    | CallerTranscript
    | CallerTranscriptFailed
    | ItemTaken
    | ResponseStarted
    | AgentAudio
    | AgentAudioEnded
    | AgentTranscript
    | AgentText
    | AgentTextEnded
    | ToolCallRequested
    | ResponseEnded
    | RequestRefused
)
"""What a session with the model says that changes the call: of which session it is, is asked first."""

Event = (
    StreamStarted
    | CallerAudio
    | CallerDigit
    | PlaybackReached
    | StreamStalled
    | StreamEnded
    | ModelEvent
    | ModelSettingsDiffer
    | RateLimitsReported
    | TranscriptionBilled
    | SpeechAudio
    | SpeechEnded
    | SpeechFailed
    | ToolCallFinished
    | DeadlinePassed
    | CallCompleted
    | ServiceStopping
)
