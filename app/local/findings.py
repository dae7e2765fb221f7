"""What tools were asked and what they gave back in one conversation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.local.answers import Answered
from app.local.errand import Call
from app.local.nesting import read_json
from app.local.offers import Deed, Tool, ToolOffer, tools_of
from app.local.outcomes import Detail, Verdict, read_outcome
from app.local.parameters import Kind

_ENDED_EARLY = re.compile(r"withdrawn|superseded|interrupted", re.IGNORECASE)


@dataclass(slots=True)
class Findings:
    """due: decided on, but not among the entries: the response that was to call it may have been cut off. missed: how
    many look-ups in a row found nothing."""

    tools: Sequence[Tool]
    due: Call | None = None
    running: dict[str, Call] = field(default_factory=dict)
    results: list[Answered] = field(default_factory=list)
    missed: int = 0

    def called(self, tool_call_id: str, name: str, arguments: str) -> None:
        """Note a call that was made; a tool that is no longer offered is read from its name."""
        tool = next((one for one in self.tools if one.name == name), None) or tools_of([ToolOffer(name, "", {})])[0]
        try:
            given = read_json(arguments)
        except ValueError:
            given = {}
        self.running[tool_call_id] = Call(tool, given if isinstance(given, Mapping) else {})
        self.due = None

    def answered(self, tool_call_id: str, output: str) -> Answered | None:
        """Note an answer and return it with its call; None when there was no such call."""
        call = self.running.pop(tool_call_id, None)
        if call is None:
            return None
        answered = Answered(call, read_outcome(output, is_look_up=call.tool.deed is Deed.FIND))
        verdict = answered.outcome.verdict
        self.missed = self.missed + 1 if verdict is Verdict.NOTHING else 0
        if verdict is Verdict.FAILED and _ENDED_EARLY.search(output):
            self.due = call if call.tool.deed is Deed.FIND else None
        else:
            self.results.append(answered)
        return answered

    @property
    def last(self) -> Answered | None:
        return self.results[-1] if self.results else None

    @property
    def last_tool(self) -> Tool | None:
        """The tool that was spoken of last."""
        return self.due.tool if self.due is not None else self.last.call.tool if self.last is not None else None

    @property
    def last_number(self) -> Call | None:
        """The last call that was made, or decided on, with a number of the caller."""
        calls = [*(one.call for one in self.results), *self.running.values(), *([self.due] if self.due else [])]
        return next((call for call in reversed(calls) if call.number), None)

    @property
    def known(self) -> dict[str, object]:
        """Numbers given before, by parameter name, the last first: "cancel it" means the order that was spoken of."""
        known: dict[str, object] = {}
        for one in self.results:
            if one.outcome.verdict in {Verdict.FOUND, Verdict.DONE}:
                numbers = {
                    each.name for each in one.call.tool.parameters if each.kind is Kind.DIGITS and not each.is_amount
                }
                known.update({name: value for name, value in one.call.arguments.items() if name in numbers})
        return known

    def of(self, tool: Tool) -> Answered | None:
        """Return the last answer, if this tool gave it."""
        return self.last if self.last is not None and self.last.call.tool == tool else None

    def telling(self, detail: Detail | None) -> Answered | None:
        """Return the last thing found that tells a detail, else the last thing found."""
        found = [one for one in self.results if one.has_found]
        return next((one for one in reversed(found) if detail in one.details), found[-1] if found else None)
