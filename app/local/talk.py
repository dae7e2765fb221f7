"""One conversation, read from its beginning: what each turn means there and then, and what it is answered with.

Nothing survives a reply: the conversation itself is the memory, so an answer that was cut off or deleted, or a
conversation that another model began, changes nothing. `intents` says what a turn wants; `handling` does it.
"""

import re
from collections.abc import Mapping, Sequence

from app.local.cues import result_in
from app.local.digits import Run
from app.local.entries import (
    Action,
    AgentSaid,
    CallerSaid,
    CallerSilent,
    CallerWrote,
    CallTool,
    Entry,
    Say,
    SystemSaid,
    ToolAnswered,
    ToolCalled,
)
from app.local.errand import Awaiting
from app.local.handling import Handling
from app.local.intents import Heard
from app.local.keypad import keys_in
from app.local.offers import Deed, Tool
from app.local.parameters import Kind
from app.local.sayings import Intent
from app.local.tongues import Tongue

_LONGEST_TURN = 2000  # characters of a turn that are read: nobody says more at a time, and anything can be pasted
_ENOUGH = 2  # turns not understood, after which what can be done is told again


class Talk:
    """answer: the last words worth repeating. unanswered: what the last turn or result calls for, until the agent has
    spoken or called a tool; None when nothing does. is_told_result: the last entry was a result told in words."""

    def __init__(
        self, tools: Sequence[Tool], tongue: Tongue, *, business: str | None, facts: Mapping[str, str]
    ) -> None:
        self.answer = ""
        self.unanswered: list[Action] | None = None
        self.is_told_result = False
        self.tools = tools
        self._tongue = tongue
        self._words = tongue.wording
        self._business = business
        self._facts = facts
        self._handling = Handling(tools, tongue, business)
        self._not_caught = 0
        self._heard = ""  # of the agent, since the caller's last turn

    def take(self, entry: Entry) -> None:
        """Take in what happened."""
        self.is_told_result = False
        match entry:
            case CallerSaid(text):
                self._note(self._turn(text, is_written=False))
            case CallerSilent():
                self.unanswered = self._silence()
            case CallerWrote(text):
                self._note(self._turn(text, is_written=True))
            case AgentSaid(text):
                self._heard += " " + text
                self._handling.untold.clear()
                self.answer = self.answer or text
                self.unanswered = None
            case ToolCalled(tool_call_id, name, arguments):
                self._handling.called(tool_call_id, name, arguments)
                self.unanswered = None
            case ToolAnswered(tool_call_id, output):
                self._note(self._handling.answered(tool_call_id, output))
            case SystemSaid(text):
                if (told := result_in(text)) is not None:
                    self._handling.called(text, told.name, told.arguments)
                    self._note(self._handling.answered(text, told.output))
                    self.is_told_result = True

    def unfinished(self) -> list[Action]:
        """Return what was broken off: a look-up that runs is waited for, one that was not made is made now."""
        if self._handling.findings.running:
            return [Say(self._words.one_moment)]
        due = self._handling.findings.due
        return [] if due is None or due.tool.has_effect else [CallTool(due.tool.name, due.arguments)]

    def best_call(self) -> CallTool | None:
        """Return the call that comes nearest to what was said: for a client that insists on one."""
        findings, errand = self._handling.findings, self._handling.errand
        tool = findings.due.tool if findings.due is not None else errand.tool
        tool = tool or next((one for one in self.tools if one.deed is Deed.FIND), next(iter(self.tools), None))
        return None if tool is None else self.named_call(tool.name)

    def named_call(self, name: str) -> CallTool:
        """Return a call of this tool with what is known of its arguments."""
        tool = next(one for one in self.tools if one.name == name)
        findings, errand = self._handling.findings, self._handling.errand
        if findings.due is not None and findings.due.tool == tool:
            return CallTool(name, findings.due.arguments)
        known = errand.arguments if errand.tool == tool else findings.known
        given = {one.name: known[one.name] for one in tool.parameters if one.name in known}
        return CallTool(name, tool.presets | given)

    def _note(self, actions: list[Action]) -> None:
        self.unanswered = actions
        said = " ".join(one.text for one in actions if isinstance(one, Say))
        if said and not any(isinstance(one, CallTool) for one in actions):
            self.answer = said

    def _silence(self) -> list[Action]:
        """Nothing was said, so nothing was misunderstood: ask for a sign of life, and come back to what is open."""
        handling = self._handling
        is_owed = handling.untold or handling.findings.running
        return handling.reminded() if is_owed else [Say(self._words.still_there), *handling.reminded()]

    def _turn(self, text: str | None, *, is_written: bool) -> list[Action]:
        before, self._heard = self._heard, ""
        text = None if text is None else text[:_LONGEST_TURN]
        if text is None or not (is_written or self._tongue.hears):
            return self._misunderstood()
        keys = keys_in(text) if is_written else None
        if keys is not None:
            self._not_caught = 0
            return self._pressed(keys, before)
        heard = self._tongue.understand(text, self.tools, tuple(self._facts))
        actions = self._answer_to_question(heard, text, before, is_written=is_written) or self._by_intent(heard)
        if actions:
            self._not_caught = 0
        return actions or self._misunderstood()

    def _pressed(self, keys: str, before: str) -> list[Action]:
        """Keys answer the open question; a star alone repeats; digits are a number otherwise."""
        handling, errand = self._handling, self._handling.errand
        digits = re.sub(r"\D", "", keys)
        if not digits:
            return [Say(self.answer or self._words.greeting(self._business, self.tools))]
        key = int(digits) if len(digits) == 1 else 0
        if errand.awaiting is Awaiting.CONFIRMATION and key in {1, 2}:
            return handling.confirmed(before) if key == 1 else handling.declined()
        if errand.awaiting is Awaiting.TOOL and 1 <= key <= len(errand.options):
            return handling.chosen(errand.options[key - 1])
        one = errand.parameter if errand.awaiting is Awaiting.PARAMETER else None
        if one is not None and one.kind in {Kind.CHOICE, Kind.YES_NO}:
            return handling.proceed() if errand.take_key(key) else handling.ask(one)
        heard = Heard(Intent.NUMBER, (digits,), numbers=(Run(digits, 0, 1),))
        return self._answer_to_question(heard, digits, before) or handling.numbered(heard) or self._misunderstood()

    def _answer_to_question(self, heard: Heard, text: str, before: str, *, is_written: bool = False) -> list[Action]:
        """Take a turn that answers the open question; nothing when it does not."""
        handling, errand = self._handling, self._handling.errand
        if errand.awaiting is Awaiting.CONFIRMATION:
            return self._answer_to_confirmation(heard, before)
        if errand.awaiting is Awaiting.TOOL:
            named = [tool for tool in errand.options if tool in heard.tools]
            return handling.chosen(named[0]) if len(named) == 1 else []
        one = errand.parameter
        if errand.awaiting is not Awaiting.PARAMETER or errand.tool is None or one is None:
            return []
        if one.kind is Kind.CHOICE and heard.intent is not Intent.GOODBYE and errand.take_choice(text):
            return handling.proceed()
        if one.kind is Kind.YES_NO and heard.intent in {Intent.YES, Intent.NO}:
            errand.arguments[one.name] = heard.intent is Intent.YES
            return handling.proceed()
        if is_written and heard.intent in {Intent.UNCLEAR, Intent.NUMBER} and (value := one.typed(text)) is not None:
            errand.arguments[one.name] = value
            return handling.proceed()
        is_other = heard.detail is not None and bool(heard.tools) and errand.tool not in heard.tools
        if heard.numbers and heard.deed in {None, errand.tool.deed} and not is_other:
            errand.take_choice(text)
            errand.take_numbers(heard.numbers, heard.words)
            return handling.proceed(heard.detail)
        return handling.declined() if heard.intent is Intent.NO else []

    def _answer_to_confirmation(self, heard: Heard, before: str) -> list[Action]:
        handling, errand = self._handling, self._handling.errand
        if errand.tool is None:
            return []
        if heard.numbers and heard.deed in {None, errand.tool.deed}:
            known = dict(errand.arguments)
            errand.take_numbers(heard.numbers, heard.words)
            if errand.refused or errand.arguments != known or not heard.is_yes:
                return handling.proceed()
        if heard.intent is Intent.WRONG:
            return handling.wrong()
        if heard.intent is Intent.NO:
            return handling.declined()
        if heard.is_yes and (heard.intent in {Intent.YES, Intent.NUMBER} or errand.tool in heard.tools):
            return handling.confirmed(before)
        return []

    def _by_intent(self, heard: Heard) -> list[Action]:
        """Return what is said and done about a turn; nothing when it means nothing here."""
        words, handling = self._words, self._handling
        match heard.intent:
            case Intent.REQUEST:
                return handling.requested(heard)
            case Intent.NUMBER:
                return handling.numbered(heard)
            case Intent.QUESTION:
                return handling.asked(heard)
            case Intent.ANOTHER:
                return handling.another(heard)
            case Intent.OWN_NUMBER:
                return handling.own_number()
            case Intent.WRONG:
                return handling.wrong()
            case Intent.UNCLEAR:
                return handling.named(heard)
            case Intent.GOODBYE:
                return self._goodbye()
            case Intent.FACT:
                return [Say(f"{self._facts[heard.topic]} {words.anything_else}")]
            case Intent.REPEAT:
                return [Say(self.answer or words.greeting(self._business, self.tools))]
            case Intent.HUMAN:
                return [Say(words.human(self.tools)), *handling.reminded()]
            case Intent.IDENTITY:
                return [Say(words.identity(self._business)), *handling.reminded()]
            case Intent.PERSON:
                return [Say(words.no_person(self.tools)), *handling.reminded()]
            case Intent.HELP:
                return [Say(words.abilities(self.tools)), *handling.reminded()]
            case Intent.WAIT:
                return [Say(words.take_your_time)]
            case Intent.ASKING:
                return [Say(words.go_on)]
            case Intent.THANKS:
                return [Say(words.welcome())]
            case Intent.HELLO:
                return handling.reminded() or [Say(words.hello(self.tools))]
            case Intent.YES:
                return handling.reminded() or [Say(words.go_on)]
            case Intent.NO:
                return self._goodbye() if words.anything_else in self.answer else [Say(words.what_else)]

    def _goodbye(self) -> list[Action]:
        bye = Say(self._words.goodbye(self._business))
        ending = next((tool for tool in self.tools if tool.deed is Deed.END and not tool.required), None)
        return [bye] if ending is None else [bye, CallTool(ending.name, ending.presets)]

    def _misunderstood(self) -> list[Action]:
        """Once: ask again. Twice: offer the keypad. From then on: say what can be done."""
        self._not_caught += 1
        handling, words = self._handling, self._words
        if handling.untold or handling.findings.running:
            return handling.reminded()
        if self._tongue.hears and self._not_caught > _ENOUGH:
            return [Say(words.abilities(self.tools)), *handling.reminded()]
        by_keypad = handling.by_keypad
        said = words.not_caught(self._not_caught, by_keypad)
        if handling.errand.awaiting is Awaiting.CONFIRMATION and self._not_caught == _ENOUGH:
            return [Say(f"{said} {words.yes_or_no}")]
        if not self._tongue.hears and by_keypad is not None:
            return [Say(said)]
        if self._not_caught == _ENOUGH and by_keypad is None:
            said = f"{said} {words.abilities(self.tools)}"
        return [Say(said), *handling.reminded()]
