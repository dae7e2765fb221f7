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
    last: Parameter | None = None  # number that was asked for or given last: what one without a name corrects
    refused: str = ""  # number of the last turn that could not be what it was meant for
    refused_for: Parameter | None = None
    refusals: int = 0  # how often in a row

    def begin(self, tool: Tool, known: Mapping[str, object]) -> None:
        """Start on a tool; known: arguments from earlier in the conversation, by parameter name."""
        self.clear()
        self.tool = tool
        self.arguments = tool.presets | {one.name: known[one.name] for one in tool.parameters if one.name in known}

    def clear(self) -> None:
        """Forget everything."""
        self.tool, self.arguments, self.parameter, self.last = None, {}, None, None
        self.awaiting, self.options, self.numbers = Awaiting.NOTHING, (), ()
        self.refused, self.refused_for, self.refusals = "", None, 0

    def ask(self, awaiting: Awaiting, parameter: Parameter | None = None) -> None:
        """Note the question that is being asked now."""
        self.awaiting, self.parameter = awaiting, parameter
        if parameter is not None and parameter.kind in _NUMERIC:
            self.last = parameter

    @property
    def missing(self) -> Parameter | None:
        """The next thing to ask for."""
        if self.tool is None:
            return None
        return next((one for one in self.tool.required if one.name not in self.arguments), None)

    def take_numbers(self, numbers: Sequence[Run], words: Sequence[str]) -> bool:
        """Give each number of a turn to the parameter it belongs to; False when one fits none (see `refused`)."""
        broken, self.refused, self.refused_for = self.refused, "", None
        taken: set[str] = set()
        for run in numbers:
            target = self._target_of(run, words, taken)
            if (
                target is None
                and broken.isdigit()
                and (joined := self._target_of(Run(broken + run.digits, run.start, run.end), words, taken))
            ):
                run, target = Run(broken + run.digits, run.start, run.end), joined  # the pause cut a number in two
            value = target.value_in(run) if target is not None else None
            if target is None or value is None:
                self.refused = run.decimal or run.digits
                self.refused_for = self._meant(run, words)
                continue
            self.arguments[target.name] = value
            self.last = target
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

    @property
    def _numeric(self) -> list[Parameter]:
        return [one for one in (self.tool.parameters if self.tool else ()) if one.kind in _NUMERIC]

    @property
    def _asked(self) -> Parameter | None:
        return self.parameter if self.parameter in self._numeric else None

    def _target_of(self, run: Run, words: Sequence[str], taken: set[str]) -> Parameter | None:
        """Return what a number is for: what is named beside it, what was asked for, what is still missing.

        A number that cannot be what was asked for, or given last, is another one's only where it plainly looks like it.
        """
        able = [one for one in self._numeric if one.name not in taken and one.value_in(run) is not None]
        if run.decimal:
            able = [one for one in able if one.is_decimal] or able
        if (named := self._named(run, words, able)) is not None:
            return named
        first = self._asked or self.last
        if first in able:
            return first
        if first is not None and first.name not in taken:
            able = [one for one in able if self._is_plainly(one, run)]
        missing = [one for one in able if one.is_required and one.name not in self.arguments]
        return next(iter(missing or [one for one in able if one.is_required]), None)

    def _is_plainly(self, one: Parameter, run: Run) -> bool:
        held = self.arguments.get(one.name)
        if held is None:
            return bool(one.lengths)
        if self._asked is not None:  # something else: what was given before is not spoken of
            return False
        if one.is_amount:
            return bool(one.lengths or run.decimal)
        return len(run.digits) == sum(map(str.isdigit, str(held)))

    def _meant(self, run: Run, words: Sequence[str]) -> Parameter | None:
        """Return what a number was meant for that cannot be it."""
        if (one := self._named(run, words, self._numeric) or self._asked) is not None:
            return one
        fitting = [one for one in self._numeric if not one.lengths or len(run.digits) in one.lengths]
        return self.last if self.last in fitting else next(iter(fitting), self.last)

    @staticmethod
    def _named(run: Run, words: Sequence[str], among: Sequence[Parameter]) -> Parameter | None:
        """Return the one parameter whose name stands beside a number, or None."""
        before = words[max(0, run.start - _REACH) : run.start]
        behind = words[run.end : run.end + 1]
        named = [one for one in among if _names(one, before) or (one.is_amount and _names(one, behind))]
        return named[0] if len(named) == 1 else None


def _names(one: Parameter, words: Sequence[str]) -> bool:
    label = one.label.split()
    own = {word for word in label if word not in {"number", "code"}} or set(label)
    return bool(own & set(words))
