"""What the embedded model answers: rules over the conversation so far, without state, clock or I/O.

Everything is read again from the entries each time, so an answer that was cut off, an item that was deleted and a
conversation that another model began are all the same to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.local.vocabulary import ToolOffer

__all__ = [
    "AgentSaid",
    "CallTool",
    "CallerSaid",
    "CallerWrote",
    "Entry",
    "Say",
    "SystemSaid",
    "ToolAnswered",
    "ToolCalled",
    "language_of",
    "reply",
]


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """A spoken turn of the caller; None: heard, but not understood."""

    text: str | None


@dataclass(frozen=True, slots=True)
class CallerWrote:
    """A text item of the caller: typed, or keys of the telephone ("Keypad: 1042")."""

    text: str


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """What the agent said and the caller heard: cut where it was interrupted."""

    text: str


@dataclass(frozen=True, slots=True)
class SystemSaid:
    """A cue of the service, not of the caller."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool call of the agent; arguments: a JSON object as text."""

    tool_call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """What the tool gave back, as text; usually JSON."""

    tool_call_id: str
    output: str


Entry: TypeAlias = CallerSaid | CallerWrote | AgentSaid | SystemSaid | ToolCalled | ToolAnswered


@dataclass(frozen=True, slots=True)
class Say:
    """Words as they stand in the transcript ("Order 1042 has shipped."); `spoken.spoken` readies them for a voice."""

    text: str


@dataclass(frozen=True, slots=True)
class CallTool:
    """A tool to run, with its arguments."""

    name: str
    arguments: Mapping[str, object]


def reply(
    entries: Sequence[Entry],
    *,
    instructions: str,
    tools: Sequence[ToolOffer],
    tool_choice: str = "auto",
    language: str,
) -> list[Say | CallTool]:
    """Return what the agent says and does next."""
    return [Say("Sorry, I did not catch that.")]


def language_of(instructions: str, entries: Sequence[Entry], transcription_language: str | None) -> str:
    """Return the language to speak, as its two letters."""
    return "en"
