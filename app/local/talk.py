"""The state of a talk, rebuilt turn by turn: what was asked, found and left open; and what each turn is answered with.

The joint of the small parts: `intents` says what a turn wants, `errand` keeps what is being readied, `outcomes` reads
what tools gave back, a `Wording` has the sentences. Nothing here survives a reply: the conversation itself is the
memory, so an answer that was cut off or deleted, or a conversation that another model began, changes nothing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.local.answers import Answered, field_named, told_first
from app.local.digits import Run
from app.local.entries import (
    Action,
    AgentSaid,
    CallerSaid,
    CallerWrote,
    CallTool,
    Entry,
    Say,
    SystemSaid,
    ToolAnswered,
    ToolCalled,
)
from app.local.errand import Awaiting, Call, Errand
from app.local.intents import Heard
from app.local.keypad import keys_in
from app.local.offers import Deed, Tool, ToolOffer, tools_of
from app.local.outcomes import Detail, Verdict, detail_of, read_outcome
from app.local.parameters import Kind, Parameter
from app.local.sayings import Intent
from app.local.tongues import Tongue

_ENDED_EARLY = re.compile(r"withdrawn|superseded|interrupted", re.IGNORECASE)


class Talk:
    """One conversation, read from its beginning."""

    def __init__(
        self, tools: Sequence[Tool], tongue: Tongue, *, business: str | None, facts: Mapping[str, str]
    ) -> None:
        self._tools = tools
        self._tongue = tongue
        self._words = tongue.wording
        self._business = business
        self._facts = facts
        self._errand = Errand()
        self._due: Call | None = None  # decided on, not yet seen among the entries: its response may have been cut
        self._running: dict[str, Call] = {}
        self._results: list[Answered] = []
        self._untold: list[str] = []
        self._detail: Detail | None = None
        self._not_caught = 0
        self._not_found = 0
        self._heard = ""  # of the agent, since the caller's last turn
        self.answer = ""  # the last words worth repeating

    def take(self, entry: Entry) -> list[Action] | None:
        """Take in what happened; return the answer it calls for, or None when it calls for none."""
        match entry:
            case CallerSaid(text):
                return self._noted(self._turn(text, is_written=False))
            case CallerWrote(text):
                return self._noted(self._turn(text, is_written=True))
            case AgentSaid(text):
                self._heard += " " + text
                self._untold.clear()
                self.answer = self.answer or text
                return None
            case ToolCalled(tool_call_id, name, arguments):
                self._called(tool_call_id, name, arguments)
                return None
            case ToolAnswered(tool_call_id, output):
                return self._noted(self._answered(tool_call_id, output))
            case SystemSaid():
                return None

    @property
    def is_waiting(self) -> bool:
        """Is a tool running?"""
        return bool(self._running)

    def best_call(self) -> CallTool | None:
        """Return the call that comes nearest to what was said: for a client that insists on one."""
        tool = self._due.tool if self._due is not None else self._errand.tool
        tool = tool or next(
            (one for one in self._tools if one.deed is Deed.FIND), self._tools[0] if self._tools else None
        )
        return None if tool is None else self.named_call(tool.name)

    def named_call(self, name: str) -> CallTool:
        """Return a call of this tool with what is known of its arguments."""
        tool = next(one for one in self._tools if one.name == name)
        if self._due is not None and self._due.tool == tool:
            return CallTool(name, self._due.arguments)
        known = self._errand.arguments if self._errand.tool == tool else self._known()
        return CallTool(
            name, tool.presets | {one.name: known[one.name] for one in tool.parameters if one.name in known}
        )

    # The caller's turn

    def _noted(self, actions: list[Action]) -> list[Action]:
        said = " ".join(one.text for one in actions if isinstance(one, Say))
        if said and not any(isinstance(one, CallTool) for one in actions):
            self.answer = said
        return actions

    def _turn(self, text: str | None, *, is_written: bool) -> list[Action]:
        before, self._heard = self._heard, ""
        keys = keys_in(text) if text is not None and is_written else None
        if keys is not None:
            return self._pressed(keys, before)
        if text is None or (not is_written and not self._tongue.hears):
            return self._misunderstood()
        heard = self._tongue.understand(text, self._tools, tuple(self._facts))
        if is_written and heard.intent is Intent.UNCLEAR and self._typed(text):
            return self._proceed()
        actions = self._open_question(heard, text, before) or self._by_intent(heard)
        if heard.intent is not Intent.UNCLEAR:
            self._not_caught = 0
        return actions

    def _pressed(self, keys: str, before: str) -> list[Action]:
        self._not_caught = 0
        digits = re.sub(r"\D", "", keys)
        errand = self._errand
        if not digits:
            return [Say(self.answer or self._words.greeting(self._business))]
        key = int(digits) if len(digits) == 1 else 0
        if errand.awaiting is Awaiting.CONFIRMATION and key in {1, 2}:
            return self._confirmed(before) if key == 1 else self._declined()
        if errand.awaiting is Awaiting.TOOL and 1 <= key <= len(errand.options):
            return self._chosen(errand.options[key - 1])
        choosing = errand.awaiting is Awaiting.PARAMETER and errand.parameter is not None
        if choosing and errand.parameter is not None and errand.parameter.kind in {Kind.CHOICE, Kind.YES_NO}:
            return self._proceed() if errand.take_key(key) else self._ask(errand.parameter)
        heard = Heard(Intent.NUMBER, (digits,), numbers=(Run(digits, 0, 1),))
        return self._open_question(heard, digits, before) or self._by_number(heard)

    def _typed(self, text: str) -> bool:
        """A typed turn may be the value that was asked for, word for word."""
        one = self._errand.parameter
        value = one.typed(text) if one is not None and self._errand.awaiting is Awaiting.PARAMETER else None
        if one is None or value is None:
            return False
        self._errand.arguments[one.name] = value
        return True

    def _open_question(self, heard: Heard, text: str, before: str) -> list[Action]:
        """Answer a turn that answers the open question; nothing when it does not."""
        errand = self._errand
        if errand.awaiting is Awaiting.CONFIRMATION:
            return self._on_confirmation(heard, before)
        if errand.awaiting is Awaiting.TOOL:
            named = tuple(tool for tool in errand.options if tool in heard.tools)
            return self._chosen(named[0]) if len(named) == 1 else []
        if errand.awaiting is not Awaiting.PARAMETER or errand.tool is None or errand.parameter is None:
            return []
        one, wants = errand.parameter, heard.deed in {None, errand.tool.deed}
        if one.kind is Kind.CHOICE and heard.intent is not Intent.GOODBYE and errand.take_choice(text):
            return self._proceed()
        if one.kind is Kind.YES_NO and heard.intent in {Intent.YES, Intent.NO}:
            errand.arguments[one.name] = heard.intent is Intent.YES
            return self._proceed()
        if heard.numbers and wants and not (heard.tools and errand.tool not in heard.tools and heard.detail):
            self._detail = heard.detail or self._detail
            errand.take_choice(text)
            errand.take_numbers(heard.numbers, heard.words)
            return self._proceed()
        if heard.intent is Intent.NO:
            return self._declined()
        return []

    def _on_confirmation(self, heard: Heard, before: str) -> list[Action]:
        errand = self._errand
        if errand.tool is None:
            return []
        if heard.numbers and heard.deed in {None, errand.tool.deed}:
            known = dict(errand.arguments)
            errand.take_numbers(heard.numbers, heard.words)
            if errand.refused or errand.arguments != known:
                return self._proceed()
        if heard.intent is Intent.WRONG or (heard.is_no and errand.tool.number is not None and "number" in heard.words):
            return self._wrong()
        if heard.intent is Intent.NO:
            return self._declined()
        if heard.is_yes and (heard.intent in {Intent.YES, Intent.NUMBER} or errand.tool in heard.tools):
            return self._confirmed(before)
        return []

    def _confirmed(self, before: str) -> list[Action]:
        """Run what was confirmed, if the caller heard what it was: a "yes" spoken into a cut question is none."""
        tool = self._errand.tool
        if tool is None:
            return self._misunderstood()
        call = Call(tool, dict(self._errand.arguments))
        if not before.strip() or not all(digits in re.sub(r"\W", "", before) for digits in call.numbers):
            return [Say(self._words.confirm(call))]
        return self._run(call)

    def _declined(self) -> list[Action]:
        had_effect = self._errand.tool is not None and self._errand.tool.has_effect
        self._errand.clear()
        return [Say(self._words.kept if had_effect else self._words.what_else)]

    def _by_intent(self, heard: Heard) -> list[Action]:
        words = self._words
        match heard.intent:
            case Intent.REQUEST:
                return self._requested(heard)
            case Intent.NUMBER:
                return self._by_number(heard)
            case Intent.QUESTION:
                return self._asked(heard)
            case Intent.ANOTHER:
                return self._another(heard)
            case Intent.OWN_NUMBER:
                return self._own_number()
            case Intent.WRONG:
                return self._wrong()
            case Intent.GOODBYE:
                return self._goodbye()
            case Intent.FACT:
                return [Say(f"{self._facts[heard.topic]} {words.anything_else}")]
            case Intent.REPEAT:
                return [Say(self.answer or words.greeting(self._business))]
            case Intent.HUMAN:
                return [Say(words.human(self._tools)), *self._reminded()]
            case Intent.IDENTITY:
                return [Say(words.identity(self._business)), *self._reminded()]
            case Intent.PERSON:
                return [Say(words.no_person(self._tools)), *self._reminded()]
            case Intent.HELP:
                return [Say(words.abilities(self._tools)), *self._reminded()]
            case Intent.WAIT:
                return [Say(words.take_your_time)]
            case Intent.ASKING:
                return [Say(words.go_on)]
            case Intent.THANKS:
                return [Say(words.welcome())]
            case Intent.HELLO:
                return self._reminded() or [Say(words.hello(self._tools))]
            case Intent.YES:
                return self._reminded() or [Say(words.go_on)]
            case Intent.NO:
                return self._goodbye() if words.anything_else in self.answer else [Say(words.anything_else)]
            case Intent.UNCLEAR:
                return self._by_field(heard) or self._misunderstood()

    def _requested(self, heard: Heard) -> list[Action]:
        if not heard.tools:
            return [Say(self._words.cannot(heard.deed, self._tools))]
        tools = heard.tools
        if len(tools) > 1:
            last = self._errand.tool or (self._results[-1].call.tool if self._results else None)
            looks = tuple(tool for tool in tools if tool.deed is Deed.FIND)
            if last in tools and last is not None:
                tools = (last,)
            elif heard.deed is None and len(looks) == 1:
                tools = looks
        if len(tools) > 1:
            return self._which(tools, heard.numbers)
        return self._wanted(tools[0], heard)

    def _wanted(self, tool: Tool, heard: Heard) -> list[Action]:
        last = self._last_of(tool)
        is_about_last = not heard.numbers and not heard.is_another and tool.deed is Deed.FIND
        if is_about_last and last is not None and last.has_found and tool.required:
            return [Say(self._told(last, heard.detail))]
        if is_about_last and (waiting := self._still_due(tool, heard.detail)):
            return waiting
        self._detail = heard.detail
        is_new = bool(heard.numbers) or heard.is_another or (last is not None and tool.deed is Deed.FIND)
        known = {} if is_new else self._known()
        self._errand.begin(tool, known)
        self._errand.take_choice(" ".join(heard.words))
        self._errand.take_numbers(heard.numbers, heard.words)
        return self._proceed()

    def _by_number(self, heard: Heard) -> list[Action]:
        """A number by itself: for the tool that was spoken of last, else for the one that takes it."""
        last = self._errand.tool or (self._due.tool if self._due else None)
        last = last or (self._results[-1].call.tool if self._results else None)
        if last is not None and last.number is not None and last.deed is Deed.FIND:
            return self._wanted(last, heard)
        able = [tool for tool in self._tools if tool.number is not None]
        looks = [tool for tool in able if tool.deed is Deed.FIND] or able
        fitting = [tool for tool in looks if _takes(tool, heard.numbers)] or looks
        if not fitting:
            return self._misunderstood()
        if len(fitting) > 1:
            return self._which(tuple(fitting), heard.numbers)
        return self._wanted(fitting[0], heard)

    def _asked(self, heard: Heard) -> list[Action]:
        """A question about a detail: of what was found, else of what is being looked for."""
        found = [one for one in self._results if one.has_found]
        last = next((one for one in reversed(found) if heard.detail in one.details), found[-1] if found else None)
        if self._errand.awaiting is Awaiting.PARAMETER and self._errand.parameter is not None:
            self._detail = heard.detail
            return self._ask(self._errand.parameter)
        if waiting := self._still_due(None, heard.detail):
            return waiting
        if last is not None:
            return self._by_field(heard, or_else=False) or [Say(self._told(last, heard.detail))]
        looks = tuple(tool for tool in self._tools if tool.deed is Deed.FIND)
        numbered = tuple(tool for tool in looks if tool.number is not None) or looks
        if not numbered:
            return [Say(self._words.cannot(None, self._tools))]
        return self._wanted(numbered[0], heard) if len(numbered) == 1 else self._which(numbered, ())

    def _by_field(self, heard: Heard, *, or_else: bool = True) -> list[Action]:
        last = self._results[-1] if self._results else None
        field = field_named(last, heard.words) if last is not None and last.has_found else None
        if last is None or field is None or (not or_else and detail_of(field[0]) is heard.detail):
            return []
        self._not_caught = 0
        return [Say(f"{self._words.found(last, [field])} {self._words.anything_else}")]

    def _still_due(self, tool: Tool | None, detail: Detail | None) -> list[Action]:
        """A look-up that was decided on and then talked over is made now; one that runs is waited for."""
        if self._due is not None and self._due.tool.deed is Deed.FIND and tool in {None, self._due.tool}:
            self._detail = detail or self._detail
            return self._run(self._due)
        if any(tool in {None, call.tool} for call in self._running.values()):
            self._detail = detail or self._detail
            return [Say(self._words.one_moment)]
        return []

    def _another(self, heard: Heard) -> list[Action]:
        last = self._results[-1].call.tool if self._results else self._errand.tool
        looks = [tool for tool in self._tools if tool.deed is Deed.FIND and tool.number is not None]
        tool = last if last is not None and last.number is not None else looks[0] if len(looks) == 1 else None
        return self._wanted(tool, replace(heard, is_another=True)) if tool is not None else [Say(self._words.go_on)]

    def _own_number(self) -> list[Action]:
        calls = [one.call for one in self._results] + list(self._running.values())
        if self._due is not None:
            calls.append(self._due)
        if self._errand.tool is not None:
            calls.append(Call(self._errand.tool, dict(self._errand.arguments)))
        call = next((one for one in reversed(calls) if one.number), None)
        if call is not None:
            return [Say(f"{self._words.own_number(call)} {self._words.anything_else}")]
        return [Say(self._words.nothing_yet), *self._reminded()]

    def _wrong(self) -> list[Action]:
        tool = self._errand.tool or (self._results[-1].call.tool if self._results else None)
        one = tool.number if tool is not None else None
        if tool is None or one is None:
            return self._misunderstood()
        known = dict(self._errand.arguments) if self._errand.tool is tool else {}
        known.pop(one.name, None)
        self._errand.begin(tool, known)
        self._errand.ask(Awaiting.PARAMETER, one)
        return [Say(self._words.right_number(one))]

    def _goodbye(self) -> list[Action]:
        bye = Say(self._words.goodbye(self._business))
        ending = next((tool for tool in self._tools if tool.deed is Deed.END and not tool.required), None)
        return [bye] if ending is None else [bye, CallTool(ending.name, ending.presets)]

    # Getting on with it

    def _proceed(self) -> list[Action]:
        """Ask for what is missing, have it confirmed, or run it."""
        errand = self._errand
        if errand.tool is None:
            return self._misunderstood()
        if errand.refused:
            wanted = errand.missing or errand.parameter or errand.tool.number
            if wanted is not None and wanted.kind in {Kind.DIGITS, Kind.DATE}:
                errand.ask(Awaiting.PARAMETER, wanted)
                return [Say(self._words.ask_again(wanted, errand.refused, times=errand.refusals))]
        if (missing := errand.missing) is not None:
            return self._ask(missing)
        call = Call(errand.tool, dict(errand.arguments))
        if errand.tool.has_effect:
            errand.ask(Awaiting.CONFIRMATION)
            return [Say(self._words.confirm(call))]
        return self._run(call)

    def _ask(self, parameter: Parameter) -> list[Action]:
        tool = self._errand.tool
        if tool is None:
            return self._misunderstood()
        self._errand.ask(Awaiting.PARAMETER, parameter)
        if parameter.kind is Kind.FREE:
            return [Say(self._words.cannot_take(parameter))]
        return [Say(self._words.ask(parameter, tool))]

    def _run(self, call: Call) -> list[Action]:
        self._errand.clear()
        self._due = call
        spoken = self._words.goodbye(self._business) if call.tool.deed is Deed.END else self._words.read_back(call)
        return [Say(spoken), CallTool(call.tool.name, call.arguments)]

    def _which(self, tools: tuple[Tool, ...], numbers: tuple[Run, ...]) -> list[Action]:
        self._errand.clear()
        self._errand.ask(Awaiting.TOOL)
        self._errand.options, self._errand.numbers = tools, numbers
        return [Say(self._words.which(tools))]

    def _chosen(self, tool: Tool) -> list[Action]:
        numbers = self._errand.numbers
        return self._wanted(tool, Heard(Intent.REQUEST, (), (tool,), numbers=numbers, detail=self._detail))

    def _reminded(self) -> list[Action]:
        """Come back to what is open, if anything is."""
        if self._untold:
            return [Say(" ".join(self._untold))]
        if self._running:
            return [Say(self._words.one_moment)]
        errand = self._errand
        if errand.awaiting is Awaiting.PARAMETER and errand.parameter is not None:
            return self._ask(errand.parameter)
        if errand.awaiting is Awaiting.CONFIRMATION and errand.tool is not None:
            return [Say(self._words.confirm(Call(errand.tool, dict(errand.arguments))))]
        return [Say(self._words.which(errand.options))] if errand.awaiting is Awaiting.TOOL else []

    def _misunderstood(self) -> list[Action]:
        """Once: ask again. Twice: offer the keypad. From then on: say what can be done."""
        self._not_caught += 1
        if self._untold or self._running:
            return self._reminded()
        if self._not_caught > 2:
            return [Say(self._words.abilities(self._tools)), *self._reminded()]
        said = self._words.not_caught(self._not_caught, self._by_keypad)
        if self._not_caught == 2 and self._by_keypad is None:
            said += " " + self._words.abilities(self._tools)
        if self._errand.awaiting is Awaiting.CONFIRMATION and self._not_caught == 2:
            return [Say(f"{said} {self._words.yes_or_no}")]
        return [Say(said), *self._reminded()]

    @property
    def _by_keypad(self) -> Parameter | None:
        """What could be keyed in now: what is asked for, else the number of the only tool that takes one."""
        if self._errand.awaiting is Awaiting.CONFIRMATION:
            return None
        one = self._errand.parameter
        if one is not None and one.kind is Kind.DIGITS:
            return one
        looks = [tool for tool in self._tools if tool.deed is Deed.FIND and tool.number is not None]
        able = looks or [tool for tool in self._tools if tool.number is not None]
        return able[0].number if len(able) == 1 else None

    # Tools

    def _called(self, tool_call_id: str, name: str, arguments: str) -> None:
        tool = next((one for one in self._tools if one.name == name), None) or tools_of([ToolOffer(name, "", {})])[0]
        try:
            given = json.loads(arguments)
        except ValueError:
            given = {}
        self._running[tool_call_id] = Call(tool, given if isinstance(given, Mapping) else {})
        self._due = None
        self._errand.clear()

    def _answered(self, tool_call_id: str, output: str) -> list[Action]:
        call = self._running.pop(tool_call_id, None)
        if call is None:
            return []
        outcome = read_outcome(output)
        answered = Answered(call, outcome)
        if outcome.verdict is Verdict.FAILED and _ENDED_EARLY.search(output):
            self._due = call if call.tool.deed is Deed.FIND else None
        else:
            self._results.append(answered)
        self._not_found = self._not_found + 1 if outcome.verdict is Verdict.NOTHING else 0
        self._untold.append(self._told(answered, self._detail))
        self._detail = None
        return [Say(" ".join(self._untold))]

    def _told(self, answered: Answered, detail: Detail | None) -> str:
        """Return what to say of a result, and open the question that follows from it."""
        words, call, outcome = self._words, answered.call, answered.outcome
        match outcome.verdict:
            case Verdict.NOTHING:
                number = call.tool.number
                if number is not None:
                    rest = {name: value for name, value in call.arguments.items() if name != number.name}
                    self._errand.begin(call.tool, rest)
                    self._errand.ask(Awaiting.PARAMETER, number)
                return words.nothing(call, times=max(1, self._not_found))
            case Verdict.ASK_FIRST:
                self._errand.begin(call.tool, dict(call.arguments))
                self._errand.ask(Awaiting.CONFIRMATION)
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
        if detail is not None and detail is not Detail.STATUS:
            if detail not in answered.details:
                return f"{words.not_known(detail)} {told} {words.anything_else}"
            return f"{told} {words.anything_else}"
        return f"{told} {words.offer(rest, answered)}"

    def _last_of(self, tool: Tool) -> Answered | None:
        last = self._results[-1] if self._results else None
        return last if last is not None and last.call.tool == tool else None

    def _known(self) -> dict[str, object]:
        """Arguments given before, by parameter name, the last first: "cancel it" means the order that was spoken of."""
        known: dict[str, object] = {}
        for one in self._results:
            if one.outcome.verdict in {Verdict.FOUND, Verdict.DONE}:
                known.update(one.call.arguments)
        return known


def _takes(tool: Tool, numbers: Sequence[Run]) -> bool:
    return all(any(one.value_of(run.digits) is not None for one in tool.parameters) for run in numbers)
