"""What a scripted model does, as data: the turns that it answers with, and whatever else happens in a session."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

from app.local.script_faults import Fault


@dataclass(frozen=True, slots=True)
class Speak:
    """A message of the agent in the embedded voice; where that is not installed, as a tone of about its length."""

    text: str
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Tone:
    """A message of an exact length. words: its transcript, spread over it."""

    ms: int
    hz: int = 440
    words: str = ""
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Wav:
    """A message from a 16-bit PCM WAV file of any rate."""

    path: Path
    words: str = ""
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class CallTool:
    """A tool call. arguments: JSON as text, or whatever a model may write instead of it.

    piece_chars: how much of it each delta brings; piece_ms: the pause behind each.
    """

    name: str
    arguments: str
    piece_chars: int = 12
    piece_ms: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    ms: int


class Speech(Enum):
    """That the caller's speech begins or ends, whatever the audio says."""

    STARTED = "speech_started"
    STOPPED = "speech_stopped"


@dataclass(frozen=True, slots=True)
class CallerSpeaks:
    """That the caller's speech begins, and ends behind so much of their audio."""

    ms: int


@dataclass(frozen=True, slots=True)
class SendError:
    """An `error` event that no event of the client caused."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class SendEvent:
    """Any event, sent as it is written; its event_id is added."""

    event: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Close:
    """The end of the session. code: None drops the connection without a close frame."""

    code: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Mute:
    """From here on the session sends nothing, and goes on listening."""


Message = Speak | Tone | Wav
Cue = Speech | CallerSpeaks | SendError | SendEvent | Close | Mute
"""What can also happen outside a reply."""
Quiet = Wait | Cue
"""What can happen before a response has begun."""
Step = Message | CallTool | Wait | Cue


@dataclass(frozen=True, slots=True)
class When:
    """What a turn answers; with both, either will do.

    caller_says: any of these in the caller's words since the reply before, in any case. tool_answers: a tool's name.
    """

    caller_says: tuple[str, ...] = ()
    tool_answers: str | None = None


class Transcript(Enum):
    """Where the words of a message come: beside their audio, all before it, or all behind it."""

    BESIDE = "beside"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Manner:
    """How audio is given out. pace: times real time; delta_bytes: the sizes of the deltas, over and over.

    Without delta_bytes each delta is delta_ms long.
    """

    pace: float = 5.0
    delta_ms: int = 200
    delta_bytes: tuple[int, ...] = ()
    transcript: Transcript = Transcript.BESIDE

    @property
    def is_unpaced(self) -> bool:
        return math.isinf(self.pace)


@dataclass(frozen=True, slots=True)
class End:
    """How a response ends. reason: of `incomplete` and `cancelled`; fault: of `failed`. None in its place: never."""

    status: Literal["completed", "failed", "incomplete", "cancelled"] = "completed"
    reason: str | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class WhenCut:
    """What a response still does when it is cut.

    late_deltas: how many of its deltas come all the same. done_after_next: its end waits for the next
    `response.created`, at most within_ms. created: whether one that had not begun is announced before its end.
    """

    late_deltas: int = 0
    done_after_next: bool = False
    within_ms: int = 1_000
    created: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """One response. when: None answers whatever comes; again: it serves any number of times.

    before: what happens between `response.create` and `response.created`, behind delay_ms. end: None: never.
    """

    reply: tuple[Step, ...] = ()
    when: When | None = None
    again: bool = False
    delay_ms: int = 0
    before: tuple[Quiet, ...] = ()
    manner: Manner = Manner()
    end: End | None = End()
    when_cut: WhenCut = WhenCut()


@dataclass(frozen=True, slots=True)
class CallerTurn:
    """What a turn of the caller is taken for. text: None: not understood, which `failure` words.

    after_ms: how late the transcript comes; None: never.
    """

    text: str | None
    failure: str = "audio_unintelligible"
    after_ms: int | None = 0


OPENING = "session"
"""Stands for the opening of a session among the events that are refused."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The client's nth event of a type is answered with an error instead of being obeyed.

    event: OPENING: the nth session gets the error, which closes it, instead of `session.created`.
    then_truncates: the truncation is carried out at the audio's real end all the same.
    """

    event: str
    fault: Fault
    nth: int = 1
    then_truncates: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A cue at a position in the caller's audio, which a call sends in real time."""

    at_ms: int
    cue: Cue


class Vad(Enum):
    """Who finds the caller's turns: the voice activity detection and the script, or the script alone."""

    AUDIO = "audio"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class Awkward:
    """What every event may have that a client should not mind."""

    obfuscation: bool = False
    null_previous_item_id: bool = False
    unknown_events: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script. caller: None: the model's own ears; otherwise: when no turn is left or meant.

    once: what was used in one session is used up for the next, so that a reconnection goes on where the first broke.
    """

    turns: tuple[Turn, ...] = ()
    otherwise: Turn | None = None
    language: str = "en-US"
    vad: Vad = Vad.AUDIO
    once: bool = False
    awkward: Awkward = Awkward()
    caller: tuple[CallerTurn, ...] | None = None
    refuse: tuple[Refusal, ...] = ()
    timeline: tuple[Moment, ...] = ()
