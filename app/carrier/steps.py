"""What a caller does, step by step, as data."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

SILENCE_MS = 700
"""The agent has ended when it was silent for so long after speaking."""
PATIENCE_MS = 30_000
"""How long a caller waits for the agent before giving up."""


@dataclass(frozen=True, slots=True)
class Say:
    """Text for the voice at hand. language: BCP 47, None for the call's; level_dbfs: None for the call's."""

    text: str
    language: str | None = None
    level_dbfs: float | None = None


@dataclass(frozen=True, slots=True)
class Wav:
    path: Path
    level_dbfs: float | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words ready for the line. ulaw: G.711, 8 kHz; audible from sample `begin` to `end` of it."""

    text: str
    ulaw: bytes
    begin: int
    end: int


Words = Say | Wav | Utterance


@dataclass(frozen=True, slots=True)
class Press:
    """Keys 0-9 * # A-D, and w (0.5 s) and W (1 s) between them."""

    digits: str


class AgentDoes(Enum):
    STARTS = "agent_starts"
    ENDS = "agent_ends"


@dataclass(frozen=True, slots=True)
class WaitForAgent:
    """Until the agent has started or ended speaking since the caller's last words. must: a failure if it does not."""

    what: AgentDoes
    silence_ms: int = SILENCE_MS
    within_ms: int = PATIENCE_MS
    must: bool = True


@dataclass(frozen=True, slots=True)
class WaitMs:
    ms: int


@dataclass(frozen=True, slots=True)
class WaitHeard:
    """Until so much of the agent's speech was heard since the caller's last words."""

    ms: int
    within_ms: int = PATIENCE_MS


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Speak so long after the agent began its next utterance, over it."""

    after_ms: int
    words: Words
    within_ms: int = PATIENCE_MS


@dataclass(frozen=True, slots=True)
class ExpectAgent:
    """The agent must speak within so long after the caller's last words; the call goes on either way."""

    within_ms: int


@dataclass(frozen=True, slots=True)
class HangUp:
    pass


Step = Words | Press | WaitForAgent | WaitMs | WaitHeard | BargeIn | ExpectAgent | HangUp
