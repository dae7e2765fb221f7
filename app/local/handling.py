"""Carrying out what a caller wants: ask for what is missing, have it confirmed, run it, tell what came of it.

It holds the errand in hand and the findings so far, and answers in the caller's language. What a turn means is decided
before, in `talk`.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from app.local.answers import Answered, field_named, told_first
from app.local.digits import Run
from app.local.entries import Action, CallTool, Say
from app.local.errand import Awaiting, Call, Errand
from app.local.findings import Findings
from app.local.intents import Heard
from app.local.offers import Deed, Tool
from app.local.outcomes import Detail, Verdict, detail_of
from app.local.parameters import Kind, Parameter
from app.local.sayings import Intent
from app.local.tongues import Tongue

_NUMERIC = (Kind.DIGITS, Kind.DATE)


class Handling:
    """The errand in hand. untold: results that no agent's words have followed yet."""

    def __init__(self, tools: Sequence[Tool], tongue: Tongue, business: str | None) -> None:
        self.errand = Errand()
        self.findings = Findings(tools)
        self.untold: list[str] = []
        self._tools = tools
        self._tongue = tongue
        self._words = tongue.wording
        self._business = business
        self._detail: Detail | None = None

    # What the caller wants

    def requested(self, heard: Heard) -> list[Action]:
        """A tool is asked for, or one of several, or a deed that nothing offered does."""
        tools = heard.tools
        if not tools:
            return [Say(self._words.cannot(heard.deed, self._tools))]
        if len(tools) > 1:
            last = self.errand.tool or self.findings.last_tool
            looks = tuple(tool for tool in tools if tool.deed is Deed.FIND)
            if last is not None and last in tools:
                tools = (last,)
            elif heard.deed is None and len(looks) == 1:
                tools = looks
        return self.wanted(tools[0], heard) if len(tools) == 1 else self._which(tools, heard.numbers)

    def wanted(self, tool: Tool, heard: Heard) -> list[Action]:
        """One tool is asked for: answer from what it found before, or begin."""
        last, looks = self.findings.of(tool), tool.deed is Deed.FIND
        if looks and not heard.numbers and not heard.is_another:
            if last is not None and last.has_found and tool.required:
                return [Say(self._told(last, heard.detail))]
            if waiting := self._still_due(tool, heard.detail):
                return waiting
        self._detail = heard.detail
        is_new = bool(heard.numbers) or heard.is_another or (looks and last is not None)
        self.errand.begin(tool, {} if is_new else self.findings.known)
        self.errand.take_choice(" ".join(heard.words))
        self.errand.take_numbers(heard.numbers, heard.words)
        return self.proceed()

    def numbered(self, heard: Heard) -> list[Action]:
        """A number by itself: for the look-up that was spoken of last, else for the tool that takes it."""
        last = self.errand.tool or self.findings.last_tool
        if last is not None and last.number is not None and last.deed is Deed.FIND:
            return self.wanted(last, heard)
        able = [tool for tool in self._tools if tool.number is not None]
        able = [tool for tool in able if tool.deed is Deed.FIND] or able
        fitting = tuple(tool for tool in able if _takes(tool, heard.numbers)) or tuple(able)
        if len(fitting) > 1:
            return self._which(fitting, heard.numbers)
        return self.wanted(fitting[0], heard) if fitting else []

    def asked(self, heard: Heard) -> list[Action]:
        """A question about a detail: of what was found, else of what is being looked for."""
        if self.errand.awaiting is Awaiting.PARAMETER and self.errand.parameter is not None:
            self._detail = heard.detail
            return self.ask(self.errand.parameter)
        if waiting := self._still_due(None, heard.detail):
            return waiting
        found = self.findings.telling(heard.detail)
        if found is not None:
            field = field_named(found, heard.words)
            if field is not None and detail_of(field[0]) is not heard.detail:
                return self.named(heard)
            return [Say(self._told(found, heard.detail))]
        looks = tuple(tool for tool in self._tools if tool.deed is Deed.FIND)
        looks = tuple(tool for tool in looks if tool.number is not None) or looks
        if not looks:
            return [Say(self._words.cannot(None, self._tools))]
        return self.wanted(looks[0], heard) if len(looks) == 1 else self._which(looks, ())

    def named(self, heard: Heard) -> list[Action]:
        """Answer with a field of the last result that is asked for by its very name; nothing when none is."""
        found = self.findings.telling(None)
        field = field_named(found, heard.words) if found is not None else None
        if found is None or field is None:
            return []
        return [Say(f"{self._words.found(found, [field])} {self._words.anything_else}")]

    def another(self, heard: Heard) -> list[Action]:
        """The same again for another number."""
        last = self.findings.last_tool or self.errand.tool
        looks = [tool for tool in self._tools if tool.deed is Deed.FIND and tool.number is not None]
        tool = last if last is not None and last.number is not None else looks[0] if len(looks) == 1 else None
        return self.wanted(tool, replace(heard, is_another=True)) if tool is not None else [Say(self._words.go_on)]

    def own_number(self) -> list[Action]:
        """Read back the number that the caller gave."""
        tool = self.errand.tool
        held = Call(tool, dict(self.errand.arguments)) if tool is not None else None
        call = held if held is not None and held.number else self.findings.last_number
        if call is None:
            return [Say(self._words.nothing_yet), *self.reminded()]
        return [Say(f"{self._words.own_number(call)} {self._words.anything_else}")]

    def wrong(self) -> list[Action]:
        """The number was understood wrongly: ask for it again; nothing when no number is in question."""
        tool = self.errand.tool or self.findings.last_tool
        number = tool.number or self.errand.last if tool is not None else None
        if tool is None or number is None:
            return []
        known = dict(self.errand.arguments) if self.errand.tool is tool else {}
        known.pop(number.name, None)
        self.errand.begin(tool, known)
        self.errand.ask(Awaiting.PARAMETER, number)
        return [Say(self._words.right_number(number))]

    def confirmed(self, before: str) -> list[Action]:
        """Run what was confirmed, if the caller heard its numbers: a "yes" spoken into a cut question is none.

        before: the agent's words since the caller's last turn, as far as they were heard.
        """
        tool = self.errand.tool
        if tool is None:
            return []
        call = Call(tool, dict(self.errand.arguments))
        digits = re.sub(r"\W", "", before)
        if not before.strip() or not all(number in digits for number in call.numbers):
            return [Say(self._words.confirm(call))]
        return self._run(call)

    def declined(self) -> list[Action]:
        """The caller does not want it after all."""
        had_effect = self.errand.tool is not None and self.errand.tool.has_effect
        self.errand.clear()
        return [Say(self._words.kept if had_effect else self._words.what_else)]

    def chosen(self, tool: Tool) -> list[Action]:
        """The caller chose among several tools."""
        numbers = self.errand.numbers
        return self.wanted(tool, Heard(Intent.REQUEST, (), (tool,), numbers=numbers, detail=self._detail))

    # Getting on with it

    def proceed(self, detail: Detail | None = None) -> list[Action]:
        """Ask for what is missing, have it confirmed, or run it."""
        errand = self.errand
        self._detail = detail or self._detail
        if errand.tool is None:
            return []
        if errand.refused:
            wanted = errand.refused_for or errand.missing or errand.tool.number
            if wanted is not None and wanted.kind in _NUMERIC:
                errand.ask(Awaiting.PARAMETER, wanted)
                return [Say(self._words.ask_again(wanted, errand.refused, times=errand.refusals))]
        if (missing := errand.missing) is not None:
            return self.ask(missing)
        call = Call(errand.tool, dict(errand.arguments))
        if errand.tool.has_effect:
            errand.ask(Awaiting.CONFIRMATION)
            return [Say(self._words.confirm(call))]
        return self._run(call)

    def ask(self, parameter: Parameter) -> list[Action]:
        """Ask for one parameter of the errand in hand."""
        tool = self.errand.tool
        if tool is None:
            return []
        self.errand.ask(Awaiting.PARAMETER, parameter)
        return [Say(self._words.ask(parameter, tool))]

    def reminded(self) -> list[Action]:
        """Come back to what is open; nothing when nothing is."""
        if self.untold:
            return [Say(" ".join(self.untold))]
        if self.findings.running:
            return [Say(self._words.one_moment)]
        errand = self.errand
        if errand.awaiting is Awaiting.PARAMETER and errand.parameter is not None:
            return self.ask(errand.parameter)
        if errand.awaiting is Awaiting.CONFIRMATION and errand.tool is not None:
            return [Say(self._words.confirm(Call(errand.tool, dict(errand.arguments))))]
        return [Say(self._words.which(errand.options))] if errand.awaiting is Awaiting.TOOL else []

    @property
    def by_keypad(self) -> Parameter | None:
        """What could be keyed in now: what is asked for, else the number of the only tool that takes one."""
        if self.errand.awaiting is Awaiting.CONFIRMATION:
            return None
        one = self.errand.parameter
        if one is not None and one.kind is Kind.DIGITS:
            return one
        able = [tool for tool in self._tools if tool.number is not None]
        able = [tool for tool in able if tool.deed is Deed.FIND] or able
        return able[0].number if len(able) == 1 else None

    # What came of it

    def called(self, tool_call_id: str, name: str, arguments: str) -> None:
        """A tool was called; the errand is out of our hands."""
        self.findings.called(tool_call_id, name, arguments)
        self.errand.clear()

    def answered(self, tool_call_id: str, output: str) -> list[Action]:
        """A tool answered: tell it, with whatever else has not been told."""
        answered = self.findings.answered(tool_call_id, output)
        if answered is None:
            return []
        self.untold.append(self._told(answered, self._detail))
        self._detail = None
        return [Say(" ".join(self.untold))]

    def _told(self, answered: Answered, detail: Detail | None) -> str:
        """Return what to say of a result, and open the question that follows from it."""
        words, call, outcome = self._words, answered.call, answered.outcome
        match outcome.verdict:
            case Verdict.NOTHING:
                number = call.tool.number
                if number is not None:
                    rest = {name: value for name, value in call.arguments.items() if name != number.name}
                    self.errand.begin(call.tool, rest)
                    self.errand.ask(Awaiting.PARAMETER, number)
                return words.nothing(call, times=max(1, self.findings.missed))
            case Verdict.ASK_FIRST:
                self.errand.begin(call.tool, dict(call.arguments))
                self.errand.ask(Awaiting.CONFIRMATION)
                return words.confirm(call)
            case Verdict.FAILED:
                return words.failed(call)
            case Verdict.DONE:
                return words.done(call)
            case Verdict.TOLD:
                return f"{outcome.text} {words.anything_else}"
            case Verdict.FOUND:
                return self._told_of_found(answered, detail)

    def _told_of_found(self, answered: Answered, detail: Detail | None) -> str:
        words = self._words
        if len(answered.outcome.records) > 1:
            return f"{words.many(answered)} {words.anything_else}"
        fields, rest = told_first(answered, detail, everything=not self._tongue.hears)
        told = words.found(answered, fields)
        if detail is None or detail is Detail.STATUS:
            return f"{told} {words.offer(rest, answered)}"
        unknown = "" if detail in answered.details else f"{words.not_known(detail)} "
        return f"{unknown}{told} {words.anything_else}"

    def _run(self, call: Call) -> list[Action]:
        self.errand.clear()
        self.findings.due = call
        is_end = call.tool.deed is Deed.END
        said = self._words.goodbye(self._business) if is_end else self._words.read_back(call)
        return [Say(said), CallTool(call.tool.name, call.arguments)]

    def _which(self, tools: tuple[Tool, ...], numbers: tuple[Run, ...]) -> list[Action]:
        self.errand.clear()
        self.errand.ask(Awaiting.TOOL)
        self.errand.options, self.errand.numbers = tools, numbers
        return [Say(self._words.which(tools))]

    def _still_due(self, tool: Tool | None, detail: Detail | None) -> list[Action]:
        """A look-up that was decided on and then talked over is made now; one that runs is waited for."""
        due = self.findings.due
        if due is not None and due.tool.deed is Deed.FIND and tool in {None, due.tool}:
            self._detail = detail or self._detail
            return self._run(due)
        if any(tool in {None, call.tool} for call in self.findings.running.values()):
            self._detail = detail or self._detail
            return [Say(self._words.one_moment)]
        return []


def _takes(tool: Tool, numbers: Sequence[Run]) -> bool:
    return all(any(one.value_in(run) is not None for one in tool.parameters) for run in numbers)
