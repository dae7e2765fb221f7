"""The session's small words: ids and closed lists of values that events and commands share."""

from enum import Enum
from typing import NewType

ModelNumber = NewType("ModelNumber", int)
"""Counts the sessions with a realtime model in one call, from 1: while one takes over from another, two are alive."""
ResponseId = NewType("ResponseId", str)
ItemId = NewType("ItemId", str)
ToolCallId = NewType("ToolCallId", str)
PieceNumber = NewType("PieceNumber", int)
"""Counts what our own voice is asked to speak within one call, from 1."""


class Phrase(Enum):
    """A fixed sentence that our own voice speaks."""

    DISCLOSURE = "disclosure"
    GREETING = "greeting"
    IDLE = "idle"
    GOODBYE = "goodbye"
    MODEL_LOST = "model_lost"
    COVER = "cover"
    """Something is said while a lost model is replaced."""
    REMINDER = "reminder"
    """The disclosure's words once more, behind a claim of the model to be human."""


class Verdict(Enum):
    """What our own detector makes of a frame of the caller."""

    SILENCE = "silence"
    """No louder than the line's own noise."""
    SOUND = "sound"
    """Louder than that; nobody has listened whether it is a voice."""
    SPEECH = "speech"
    """A voice, which is not the agent's own come back."""


class BargeInMode(Enum):
    """Who decides that the caller interrupts the agent."""

    CONFIRMED = "confirmed"
    """We do: once our own detector has heard so much speech. Until then the agent only pauses."""
    IMMEDIATE = "immediate"
    """The model's voice detector, at once."""
    OFF = "off"
    """Nobody: what the caller says is answered after the reply."""


class Speaker(Enum):
    CALLER = "caller"
    AGENT = "agent"


class Outcome(Enum):
    """Why a call ended. The cause names it: a hang-up because the model was lost is MODEL_LOST."""

    CALLER_HUNG_UP = "caller_hung_up"
    AGENT_HUNG_UP = "agent_hung_up"
    TRANSFERRED = "transferred"
    IDLE = "idle"
    MAX_DURATION = "max_duration"
    MAX_COST = "max_cost"
    MODEL_LOST = "model_lost"
    DISCLOSURE_FAILED = "disclosure_failed"
    STREAM_LOST = "stream_lost"
    INTERRUPTED = "interrupted"
    ERROR = "error"


class StreamEnd(Enum):
    """How the carrier's stream ended."""

    STOPPED = "stopped"
    """The carrier said so: the caller has hung up."""
    LOST = "lost"
    """The socket went away without a word, or the carrier broke the rules."""
    CLOSED = "closed"
    """We closed it."""


class ResponseStatus(Enum):
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


class ToolStatus(Enum):
    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    WITHDRAWN = "withdrawn"


class DisclosureResult(Enum):
    HEARD = "heard"
    UNPROVEN = "unproven"
    FAILED = "failed"
    HANGUP = "hangup"


class Request(Enum):
    """What we had asked of the model when it refused."""

    RESPONSE = "response"
    CANCEL = "cancel"
    TRUNCATE = "truncate"
    DELETE = "delete"
    ITEM = "item"
    SETTINGS = "settings"
    OTHER = "other"


class Fault(Enum):
    """Classes of a model's refusals (reference: realtime API, errors by severity)."""

    BENIGN = "benign"
    """A race that both sides can live with."""
    REQUEST = "request"
    """Our request was wrong: it is dropped, the conversation goes on."""
    TRANSIENT = "transient"
    FATAL = "fatal"
    """The account or the session can do nothing more."""
