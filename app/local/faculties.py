"""What a session hears, thinks and speaks with: put together once, shared by all sessions of a server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.local.dialogue import CallTool, Entry, Say, reply
from app.local.speaking import Mouth
from app.local.turns import DetectorFactory
from app.local.vad import TurnDetector
from app.local.vocabulary import ToolOffer, Vocabulary

HEARD_LANGUAGE = "en"
"""The one that the recogniser knows."""


class Ears(Protocol):
    """Hears a turn. `workers.Ears` is the real one."""

    @property
    def available(self) -> bool: ...

    @property
    def reason(self) -> str | None: ...

    async def prepare(self, vocabulary: Vocabulary) -> object: ...

    async def recognize(self, pcm: bytes, vocabulary: Vocabulary) -> str | None: ...


class Reply(Protocol):
    """Decides what the agent says and does; `dialogue.reply` is the real one."""

    def __call__(
        self,
        entries: Sequence[Entry],
        *,
        instructions: str,
        tools: Sequence[ToolOffer],
        tool_choice: str = ...,
        language: str,
    ) -> Sequence[Say | CallTool]: ...


@dataclass(frozen=True, slots=True)
class Faculties:
    """speed: how many times faster than real time the agent's audio is given out."""

    ears: Ears
    mouth: Mouth
    reply: Reply = reply
    new_detector: DetectorFactory = TurnDetector
    speed: float = 5.0
