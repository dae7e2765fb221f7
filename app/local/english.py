"""The dialogue's sentences in English."""

from collections.abc import Sequence

from app.local.answers import Answered, Field
from app.local.english_results import date_in_words, listed, sentence, with_article
from app.local.errand import Call
from app.local.numerals import english_cardinal
from app.local.offers import Deed, Tool
from app.local.outcomes import Detail, detail_of
from app.local.parameters import Fault, Kind, Parameter

_QUESTIONS = {
    Detail.STATUS: "its status",
    Detail.ARRIVAL: "when it will arrive",
    Detail.PRICE: "what it costs",
    Detail.CARRIER: "who delivers it",
    Detail.TRACKING: "the tracking number",
    Detail.PLACE: "the address",
    Detail.CONTENTS: "what is in it",
}
_UNKNOWN = {
    Detail.STATUS: "the status",
    Detail.ARRIVAL: "when it will arrive",
    Detail.PRICE: "the price",
    Detail.CARRIER: "who delivers it",
    Detail.PLACE: "the address",
    Detail.REASON: "the reason",
}
_PAST = {
    "cancel": "cancelled", "pay": "paid", "send": "sent", "make": "made", "take": "taken", "set": "set",
    "buy": "bought", "put": "put", "get": "got", "write": "written", "leave": "left", "submit": "submitted",
    "stop": "stopped", "reset": "reset", "drop": "dropped", "find": "found", "transfer": "transferred", "hang": "hung",
    "do": "done", "run": "run", "ship": "shipped", "give": "given",
}  # fmt: skip
_ONE_OF = {"people": "person", "persons": "person"}


class English:
    """English, for the ear: short sentences, what matters first."""

    anything_else = "Is there anything else I can do for you?"
    still_there = "Are you still there? You can ask me something, or say goodbye."
    one_moment = "One moment, please."
    go_on = "Of course. What would you like to know?"
    take_your_time = "Take your time. I am listening."
    not_now = "I am sorry, I cannot do that at the moment."
    kept = "All right, I have changed nothing. What else can I do for you?"
    what_else = "All right. What else can I do for you?"
    nothing_yet = "You have not given me a number yet."
    yes_or_no = "Please say yes or no, or press 1 for yes and 2 for no."

    def greeting(self, business: str | None, tools: Sequence[Tool]) -> str:
        return f"Thank you for calling {business}. How can I help you?" if business else "Hello. How can I help you?"

    def hello(self, tools: Sequence[Tool]) -> str:
        return f"Hello. {self._can(tools)} What would you like to do?" if tools else "Hello. How can I help you?"

    def goodbye(self, business: str | None) -> str:
        return f"Thank you for calling{' ' + business if business else ''}. Goodbye."

    def welcome(self) -> str:
        return f"You are welcome. {self.anything_else}"

    def human(self, tools: Sequence[Tool]) -> str:
        return f"No, I am not a human. I am an automated AI assistant. {self._can(tools)}"

    def identity(self, business: str | None) -> str:
        of = f" of {business}" if business else ""
        return f"This is the automated AI assistant{of}. How can I help you?"

    def no_person(self, tools: Sequence[Tool]) -> str:
        return f"I am sorry, I cannot put you through to a person. I am an automated assistant. {self._can(tools)}"

    def abilities(self, tools: Sequence[Tool]) -> str:
        first = next((tool for tool in tools if tool.deed is Deed.FIND and tool.number is not None), None)
        example = f" For example, say: where is my {first.noun}?" if first is not None else ""
        return f"I am an automated assistant and understand only a few words. {self._can(tools)}{example}"

    def _can(self, tools: Sequence[Tool]) -> str:
        able = list(dict.fromkeys(_able(tool) for tool in tools if tool.deed is not Deed.END))
        return f"I can {listed(able, 'or')}." if able else "I can only say hello and goodbye."

    def not_caught(self, times: int, way_out: Parameter | None) -> str:
        if times <= 1:
            return "Sorry, I did not catch that."
        keypad = f" You can also enter the {way_out.label} on the keypad of your telephone." if way_out else ""
        return f"Sorry, I still did not understand.{keypad}"

    def ask(self, parameter: Parameter, tool: Tool) -> str:
        label = parameter.label
        if parameter.kind is Kind.CHOICE:
            keys = listed([f"{key} for {_value(choice)}" for key, choice in enumerate(parameter.choices, 1)], "or")
            return (
                f"Which {label}: {listed([_value(one) for one in parameter.choices], 'or')}? You can also press {keys}."
            )
        if parameter.kind is Kind.YES_NO:
            return f"{label.capitalize()}: yes or no?"
        if parameter.kind is Kind.DATE:
            return f"What is the {label}? Please enter eight digits on your keypad: the year, the month and the day."
        if parameter.kind is Kind.FREE:
            return self.cannot_take(parameter)
        if parameter.is_amount:
            return f"How many {label}?" if _is_counted(parameter) else f"What is the {label}?"
        return f"What is your {label}? You can say it digit by digit."

    def ask_again(self, parameter: Parameter, digits: str, *, times: int) -> str:
        heard = f"I heard {digits}, but {_shape(parameter, digits)}."
        if times > 1:
            return f"{heard} Please enter it on the keypad of your telephone."
        return f"{heard} Please say it again{'' if parameter.is_amount else ', digit by digit'}."

    def cannot_take(self, parameter: Parameter) -> str:
        return f"For that I need the {parameter.label}, and I am sorry, but I cannot take that down over the telephone."

    def which(self, tools: Sequence[Tool]) -> str:
        keys = listed([f"press {key} to {_able(tool)}" for key, tool in enumerate(tools, 1)], "or", ",")
        return f"Would you like me to {listed([_able(tool) for tool in tools], 'or')}? You can also {keys}."

    def cannot(self, deed: Deed | None, tools: Sequence[Tool]) -> str:
        what = f"{deed.value} anything" if deed is not None and deed is not Deed.OTHER else "do that"
        return f"I am sorry, I cannot {what} here. {self._can(tools)}"

    def read_back(self, call: Call) -> str:
        number = call.tool.number
        if call.tool.deed is Deed.TRANSFER:
            return f"I am putting you through. {self.one_moment}"
        if number is None or not call.number:
            return self.one_moment
        return f"{number.label.capitalize()} {call.number}, one moment."

    def confirm(self, call: Call) -> str:
        own = call.tool.number
        more = [
            _with(one, call.arguments[one.name])
            for one in call.tool.parameters
            if one is not own and one.name in call.arguments
        ]
        is_new = call.tool.deed in {Deed.BOOK, Deed.CREATE} and not call.number
        thing = with_article(call.tool.noun) if is_new else _thing(call)
        what = f"{call.tool.verb} {thing}" + (f", with {listed(more, 'and')}" if more else "")
        return f"I understood that you want to {what}. Is that right? Please say yes or no."

    def own_number(self, call: Call) -> str:
        label = call.tool.number.label if call.tool.number else "number"
        return f"The {label} I understood is {call.number}."

    def right_number(self, parameter: Parameter) -> str:
        if parameter.is_amount:
            return f"I am sorry. What is the right {_quantity(parameter)}? You can also use the keypad."
        return f"I am sorry. What is the right {parameter.label}? Please say it digit by digit, or use the keypad."

    def found(self, answered: Answered, fields: Sequence[Field]) -> str:
        subject = _thing(answered.call)
        told: list[str] = []
        for name, value in fields:
            told.append(sentence(subject, detail_of(name), name, value, is_first=not told))
        return " ".join(told) or f"I found {subject}, but nothing more about it."

    def many(self, answered: Answered) -> str:
        records = answered.outcome.records
        parts = [f"I found {english_cardinal(len(records))} {answered.call.tool.noun.removesuffix('s')}s."]
        for place, record in zip(("first", "second", "third"), records, strict=False):
            facts = [f"{name.replace('_', ' ')} {_value(value)}" for name, value in record.items() if value is not None]
            parts.append(f"The {place}: {', '.join(facts[:4])}.")
        return " ".join(parts)

    def offer(self, details: Sequence[Detail], answered: Answered) -> str:
        call = answered.call
        more = [f"tell you {listed([_QUESTIONS[one] for one in details[:2]], 'and')}"] if details else []
        if call.number and call.tool.number is not None:
            more += [f"repeat the {call.tool.number.label}", f"look up another {call.tool.noun}"]
        if not more or call.tool.has_effect:
            return self.anything_else
        return f"I can also {listed(more, 'or')}. What would you like to know?"

    def not_known(self, detail: Detail) -> str:
        return f"I am sorry, I do not know {_UNKNOWN.get(detail, 'the ' + detail.value)}."

    def nothing(self, call: Call, *, times: int) -> str:
        thing = call.tool.noun
        if not call.number or call.tool.number is None:
            return f"I am sorry, I could not find any {thing}. {self.anything_else}"
        said = f"I am sorry, I could not find {with_article(thing)} with the number {call.number}."
        if times > 1:
            return f"{said} Please enter the {call.tool.number.label} on the keypad of your telephone, or say goodbye."
        return f"{said} Please say the {call.tool.number.label} again, digit by digit."

    def done(self, call: Call) -> str:
        if call.tool.deed in {Deed.TRANSFER, Deed.END}:
            return self.one_moment if call.tool.deed is Deed.TRANSFER else "Goodbye."
        if call.tool.deed is Deed.FIND:
            return f"That worked, but I was given nothing to tell. {self.anything_else}"
        return f"Done. {_thing(call).capitalize()} has been {_past(call.tool.verb)}. {self.anything_else}"

    def failed(self, call: Call) -> str:
        doing = "look that up" if call.tool.deed is Deed.FIND else f"{call.tool.verb} that"
        return f"I am sorry, I could not {doing} just now. Please try again in a moment, or ask me something else."


def _able(tool: Tool) -> str:
    if tool.deed is Deed.TRANSFER:
        return "put you through to a person"
    if tool.deed is Deed.FIND and tool.number is None and not tool.required:
        return f"tell you the {tool.noun}"
    return f"{tool.verb} {with_article(tool.noun) if tool.noun != 'request' else ''}".strip()


def _thing(call: Call) -> str:
    own = call.tool.number
    noun = "it" if call.tool.noun == "request" else call.tool.noun
    if own is None or not call.number:
        return f"the {noun}" if noun != "it" else noun
    if own.label in {f"{noun} number", "number"} or noun in own.label:
        return f"{noun} {call.number}"
    return f"the {noun} with {own.label} {call.number}"


def _with(parameter: Parameter, value: object) -> str:
    if not _is_counted(parameter):
        return f"{parameter.label} {_value(value)}"
    label = parameter.label
    return f"{value} {_ONE_OF.get(label, label.removesuffix('s')) if value == 1 else label}"


def _is_counted(parameter: Parameter) -> bool:
    """Whether it is said as so many of something: "four guests", but "party size four"."""
    label = parameter.label
    return parameter.is_amount and (label in _ONE_OF or (label.endswith("s") and not label.endswith("ss")))


def _quantity(parameter: Parameter) -> str:
    return f"number of {parameter.label}" if _is_counted(parameter) else parameter.label


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return date_in_words(str(value), with_year=True) or str(value).replace("_", " ")


def _shape(parameter: Parameter, given: str) -> str:
    """Return what is wrong with a number that was given. given: digits, or a decimal number."""
    thing, quantity = with_article(parameter.label), _quantity(parameter)
    match parameter.fault_of(given):
        case Fault.NO_SUCH_DAY:
            return "there is no such day"
        case Fault.TOO_LOW if parameter.lowest is not None:
            return f"the {quantity} can be at least {parameter.lowest:,.10g}"
        case Fault.TOO_HIGH if parameter.highest is not None:
            return f"the {quantity} can be at most {parameter.highest:,.10g}"
        case Fault.NOT_WHOLE:
            return f"the {quantity} is a whole number"
        case Fault.LENGTH if parameter.kind is Kind.DATE:
            return f"{thing} has eight digits: the year, the month and the day"
        case Fault.LENGTH:
            return f"{thing} has {_counts(parameter.lengths)}"
    return f"{thing} looks different"


def _counts(lengths: Sequence[int]) -> str:
    counts = [english_cardinal(length) for length in lengths]
    if len(counts) > 2 and tuple(lengths) == tuple(range(lengths[0], lengths[-1] + 1)):
        return f"{counts[0]} to {counts[-1]} digits"
    return f"{listed(counts, 'or')} digit{'' if tuple(lengths) == (1,) else 's'}"


def _past(verb: str) -> str:
    first, *rest = verb.split()
    past = _PAST.get(first) or (
        first + "d" if first.endswith("e") else first[:-1] + "ied" if _in_consonant_y(first) else first + "ed"
    )
    return " ".join((past, *rest))


def _in_consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2:-1] not in set("aeiou")
