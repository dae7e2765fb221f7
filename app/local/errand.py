"""A tool being readied: which one, what is known of its arguments, and what the caller is being asked.

NOTHING → PARAMETER → CONFIRMATION → NOTHING, or TOOL first, when a turn could mean several. It only keeps; what is said
about it is the dialogue's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from app.local.digits import Run
from app.local.offers import Tool
from app.local.parameters import Kind, Parameter

_REACH = 5  # words before a number in which its name is looked for ("the zip code is …")
_NUMERIC = (Kind.DIGITS, Kind.DATE)


class Awaiting(Enum):
    """Which question is open."""

    NOTHING = "nothing"
    PARAMETER = "parameter"
    CONFIRMATION = "confirmation"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool with its arguments: to be run, running, or done."""

    tool: Tool
    arguments: Mapping[str, object]

    @property
    def number(self) -> str:
        """The digits it is asked by, as the caller says them; empty where there are none."""
        one = self.tool.number
        value = "" if one is None else str(self.arguments.get(one.name, ""))
        return value.removeprefix(one.prefix) if one is not None else value

    @property
    def numbers(self) -> tuple[str, ...]:
        """All its numbers, and the days of its dates: what a caller must have heard before agreeing to it."""
        asked = [
            (one.kind, str(self.arguments.get(one.name, ""))) for one in self.tool.parameters if one.kind in _NUMERIC
        ]
        return tuple(
            text[-2:].lstrip("0") if kind is Kind.DATE else "".join(filter(str.isdigit, text))
            for kind, text in asked
            if text
        )


@dataclass(slots=True)
class Errand:
    """What the caller wants done, as far as it is known."""

    tool: Tool | None = None
    arguments: dict[str, object] = field(default_factory=dict)
    awaiting: Awaiting = Awaiting.NOTHING
    parameter: Parameter | None = None
    options: tuple[Tool, ...] = ()
    numbers: tuple[Run, ...] = ()  # that came with a turn which could mean several tools
    refused: str = ""  # digits of the last turn that could not be this parameter
    refusals: int = 0  # how often in a row

    def begin(self, tool: Tool, known: Mapping[str, object]) -> None:
        """Start on a tool; known: arguments from earlier in the conversation, by parameter name."""
        self.clear()
        self.tool = tool
        self.arguments = tool.presets | {one.name: known[one.name] for one in tool.parameters if one.name in known}

    def clear(self) -> None:
        """Forget everything."""
        self.tool, self.arguments, self.parameter = None, {}, None
        self.awaiting, self.options, self.numbers, self.refused, self.refusals = Awaiting.NOTHING, (), (), "", 0

    def ask(self, awaiting: Awaiting, parameter: Parameter | None = None) -> None:
        """Note the question that is being asked now."""
        self.awaiting, self.parameter = awaiting, parameter

    @property
    def missing(self) -> Parameter | None:
        """The next thing to ask for."""
        if self.tool is None:
            return None
        return next((one for one in self.tool.required if one.name not in self.arguments), None)

    def take_numbers(self, numbers: Sequence[Run], words: Sequence[str]) -> bool:
        """Give each number of a turn to the parameter it belongs to; False when one fits none (see `refused`)."""
        broken, self.refused = self.refused, ""
        taken: set[str] = set()
        for run in numbers:
            target = self._target_of(run, words, taken)
            if (
                target is None
                and broken
                and (joined := self._target_of(Run(broken + run.digits, run.start, run.end), words, taken))
            ):
                run, target = Run(broken + run.digits, run.start, run.end), joined  # the pause cut a number in two
            value = target.value_of(run.digits) if target is not None else None
            if target is None or value is None:
                self.refused = run.digits
                continue
            self.arguments[target.name] = value
            taken.add(target.name)
        self.refusals = self.refusals + 1 if self.refused else 0
        return not self.refused

    def take_choice(self, text: str) -> bool:
        """Take every choice that is named in a turn; False when there was none."""
        named = {
            one.name: one.choice_of(text)
            for one in (self.tool.parameters if self.tool else ())
            if one.kind is Kind.CHOICE
        }
        found = {name: value for name, value in named.items() if value is not None}
        self.arguments.update(found)
        return bool(found)

    def take_key(self, key: int) -> bool:
        """Take the key pressed for a choice, counted from one, or for yes (1) and no (2)."""
        one = self.parameter
        if one is None:
            return False
        options: tuple[object, ...] = (True, False) if one.kind is Kind.YES_NO else one.choices
        if not 1 <= key <= len(options):
            return False
        self.arguments[one.name] = options[key - 1]
        return True

    def _target_of(self, run: Run, words: Sequence[str], taken: set[str]) -> Parameter | None:
        able = [
            one
            for one in (self.tool.parameters if self.tool else ())
            if one.kind in _NUMERIC and one.name not in taken and one.value_of(run.digits) is not None
        ]
        before = words[max(0, run.start - _REACH) : run.start]
        behind = words[run.end : run.end + 1]
        named = [one for one in able if _names(one, before) or (one.is_amount and _names(one, behind))]
        if len(named) == 1:
            return named[0]
        if self.parameter in able:
            return self.parameter
        missing = [one for one in able if one.is_required and one.name not in self.arguments]
        return next(iter(missing or [one for one in able if one.is_required]), None)


def _names(one: Parameter, words: Sequence[str]) -> bool:
    label = one.label.split()
    own = {word for word in label if word not in {"number", "code"}} or set(label)
    return bool(own & set(words))
