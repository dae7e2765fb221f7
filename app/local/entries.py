"""What a conversation consists of, as the dialogue reads it, and what the dialogue answers with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """A spoken turn of the caller; None: heard, but not understood."""

    text: str | None


@dataclass(frozen=True, slots=True)
class CallerSilent:
    """The caller said nothing for long after the agent had spoken."""


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


Entry: TypeAlias = CallerSaid | CallerSilent | CallerWrote | AgentSaid | SystemSaid | ToolCalled | ToolAnswered


@dataclass(frozen=True, slots=True)
class Say:
    """Words as they stand in the transcript ("Order 1042 has been shipped."); `spoken` readies them for a voice."""

    text: str


@dataclass(frozen=True, slots=True)
class CallTool:
    """A tool to run, with its arguments."""

    name: str
    arguments: Mapping[str, object]


Action: TypeAlias = Say | CallTool
