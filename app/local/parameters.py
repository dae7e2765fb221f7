"""What a tool's parameter wants, read from its JSON Schema, and how it is got out of what a caller can give.

A caller at a telephone can give digits (spoken or by keypad), one of a few choices, and yes or no. Anything else is
FREE: it can be typed, and nothing but typed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum

from app.local.digits import Run
from app.local.words import words_of

ANY_LENGTHS = (3, 4, 5, 6)  # of a number about which the schema says nothing
_LONGEST = 20
_ID_WORDS = {"number", "no", "num", "id", "code", "pin", "phone", "telephone", "mobile", "zip", "postcode", "account"}
_ID_WORDS |= {"reference", "ref", "digits", "invoice", "ticket", "order", "tracking", "card", "extension"}
_USUAL_LENGTHS = {"zip": (5,), "pin": (4,), "phone": (7, 10, 11), "telephone": (7, 10, 11), "mobile": (10, 11)}
_AMOUNT_WORDS = {
    "quantity",
    "count",
    "guests",
    "people",
    "persons",
    "size",
    "nights",
    "days",
    "hours",
    "seats",
    "adults",
}
_NUMBERED = {"id", "no", "num", "nr"}


class Kind(Enum):
    """What the value is made from."""

    DIGITS = "digits"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes_no"
    FREE = "free"


class Fault(Enum):
    """Why a number cannot be a parameter's value."""

    TOO_LOW = "too_low"
    TOO_HIGH = "too_high"
    NOT_WHOLE = "not_whole"
    NO_SUCH_DAY = "no_such_day"
    LENGTH = "length"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool.

    label: how a caller would call it ("order number"). lengths: how many digits it may have, of a decimal number in
    front of the point; empty when any number will do. choices: the values of an enum. prefix: letters in front of the
    digits ("ORD-") that the caller need not say. is_amount: it counts or measures, and so names no thing.
    """

    name: str
    label: str
    description: str
    kind: Kind
    is_required: bool
    lengths: tuple[int, ...] = ()
    choices: tuple[object, ...] = ()
    pattern: str = ""
    prefix: str = ""
    is_integer: bool = False
    is_decimal: bool = False
    is_amount: bool = False
    lowest: float | None = None
    highest: float | None = None
    preset: object = None

    def value_of(self, digits: str) -> object:
        """Return the argument that these digits give, or None when they cannot be this parameter."""
        if self.kind is Kind.DATE:
            return _date_of(digits)
        whole, _, part = digits.partition(".")
        if self.kind is not Kind.DIGITS or (self.lengths and len(whole) not in self.lengths):
            return None
        if self.is_integer or self.is_decimal:
            if len(whole) > _LONGEST or (part.strip("0") and not self.is_decimal):
                return None
            value = float(digits) if part.strip("0") else int(whole)
            return value if not self._is_beyond(value) else None
        written = self.prefix + digits
        return written if not self.pattern or re.search(self.pattern, written) else None

    def value_in(self, number: Run) -> object:
        """Return the argument that a number of a turn gives, or None when it cannot be this parameter."""
        if self.is_decimal:
            said = (number.decimal,) if number.decimal else (number.price, number.digits)
            return next((value for one in said if one and (value := self.value_of(one)) is not None), None)
        return self.value_of(number.decimal if self.is_integer and number.decimal else number.digits)

    def fault_of(self, number: str) -> Fault:
        """Return what is wrong with a number that is no value of this parameter: digits, or decimal ("12.50")."""
        whole, _, part = number.partition(".")
        if self.kind is Kind.DATE:
            return Fault.NO_SUCH_DAY if len(number) in self.lengths else Fault.LENGTH
        if (self.is_integer or self.is_decimal) and len(whole) <= _LONGEST:
            if self._is_beyond(value := float(number)):
                return Fault.TOO_LOW if self.lowest is not None and value < self.lowest else Fault.TOO_HIGH
            if part.strip("0") and not self.is_decimal:
                return Fault.NOT_WHOLE
        return Fault.LENGTH if self.lengths and len(whole) not in self.lengths else Fault.OTHER

    def _is_beyond(self, value: float) -> bool:
        is_low = self.lowest is not None and value < self.lowest
        return is_low or (self.highest is not None and value > self.highest)

    def choice_of(self, text: str) -> object:
        """Return the choice named in a text, or None; of two that fit, the longer name."""
        heard = words_of(text)
        best, best_length = None, 0
        for choice in self.choices:
            name = words_of(str(choice))
            named = any(heard[at : at + len(name)] == name for at in range(len(heard) - len(name) + 1))
            if name and named and len(name) > best_length:
                best, best_length = choice, len(name)
        return best

    def typed(self, text: str) -> object:
        """Return what a caller typed as this parameter's value, or None when it does not fit."""
        text = text.strip()
        if self.kind is Kind.DATE and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return _date_of(text.replace("-", ""))
        if self.kind is not Kind.FREE:
            is_text = bool(self.pattern) and not (self.is_integer or self.is_decimal)
            return text if is_text and re.search(self.pattern, text) else None
        return text if text and (not self.pattern or re.search(self.pattern, text)) else None


def parameter(name: str, schema: object, *, noun: str, is_required: bool) -> Parameter:
    """Return what a property of a tool's JSON Schema asks for. noun: what the tool is about ("order")."""
    facts = schema if isinstance(schema, Mapping) else {}
    description = str(facts.get("description") or "")
    pattern = str(facts.get("pattern") or "")
    kind, lengths, prefix = _kind_of(name, facts, description, pattern)
    choices = facts.get("enum")
    words = _name_words(name)
    is_decimal = _type_of(facts) == "number" and not set(words[-1:]) & _ID_WORDS  # an id that came as a number is none
    is_amount = is_decimal or bool(set(words) & _AMOUNT_WORDS)
    return Parameter(
        name=name,
        label=_label_of(name, noun, is_number=kind is Kind.DIGITS and not is_amount, is_amount=is_amount),
        description=str(facts.get("title") or description),
        kind=kind,
        is_required=is_required,
        lengths=lengths,
        choices=tuple(choices) if isinstance(choices, list) else (),
        pattern=pattern if _is_readable(pattern) else "",
        prefix=prefix,
        is_integer=_type_of(facts) in {"integer", "number"} and not is_decimal,
        is_decimal=is_decimal and kind is Kind.DIGITS,
        is_amount=is_amount and kind is Kind.DIGITS,
        lowest=_figure(facts.get("minimum")),
        highest=_figure(facts.get("maximum")),
        preset=facts["const"] if "const" in facts else _only(choices),
    )


def name_words(name: str) -> list[str]:
    """Return the words of an identifier: "orderId", "order_id" and "order-id" are all order, id."""
    return _name_words(name)


def _name_words(name: str) -> list[str]:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word.lower() for word in re.findall(r"[^\W_]+", parted)]


def _kind_of(
    name: str, facts: Mapping[str, object], description: str, pattern: str
) -> tuple[Kind, tuple[int, ...], str]:
    kind = _type_of(facts)
    words = _name_words(name)
    if isinstance(facts.get("enum"), list) or "const" in facts:
        return Kind.CHOICE, (), ""
    if kind == "boolean":
        return Kind.YES_NO, (), ""
    if kind in {"object", "array", "null"}:
        return Kind.FREE, (), ""
    if kind in {"integer", "number"}:
        highest = _figure(facts.get("maximum"))
        few: tuple[int, ...] = (1, 2) if set(words) & _AMOUNT_WORDS else ()
        return Kind.DIGITS, tuple(range(1, len(str(int(highest))) + 1)) if highest and highest > 0 else few, ""
    if facts.get("format") == "date" or words[-1:] == ["date"]:
        return Kind.DATE, (8,), ""
    if pattern:
        return _digits_in(pattern, facts)
    told = set(words) | set(words_of(description))
    if facts.get("format") or not (set(words) & (_ID_WORDS | _AMOUNT_WORDS) or told & {"digits", "digit"}):
        return Kind.FREE, (), ""
    usual = next((_USUAL_LENGTHS[word] for word in words if word in _USUAL_LENGTHS), ())
    return Kind.DIGITS, _bounded(facts) or usual, ""


def _type_of(facts: Mapping[str, object]) -> str:
    kind = facts.get("type", "string")
    if isinstance(kind, list):  # ["string", "null"]: one that may be left out
        kind = next((one for one in kind if one != "null"), "string")
    return str(kind)


def _digits_in(pattern: str, facts: Mapping[str, object]) -> tuple[Kind, tuple[int, ...], str]:
    """Try digits against a pattern: which lengths it takes, and behind which letters; what takes none is FREE."""
    low, high = _figure(facts.get("minLength")) or 0, _figure(facts.get("maxLength")) or _LONGEST
    if not _is_readable(pattern):
        return Kind.DIGITS, _bounded(facts), ""
    start = re.match(r"\^?\(?((?:[A-Za-z]|\\?[-#/ ])+)(?=\\d|\[0-9)", pattern)
    if re.search(pattern, "x"):
        return Kind.FREE, (), ""
    for prefix in ("", start[1].replace("\\", "") if start else ""):
        lengths = tuple(
            length
            for length in range(1, _LONGEST + 1)
            if low <= len(prefix) + length <= high
            and any(re.search(pattern, prefix + (run * length)[:length]) for run in ("1", "1042", "9", "27"))
        )
        if lengths:
            return Kind.DIGITS, lengths if len(lengths) < _LONGEST else (), prefix
    return Kind.FREE, (), ""


def _is_readable(pattern: str) -> bool:
    """Whether the pattern is of our dialect; of another one the tool itself will judge."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _bounded(facts: Mapping[str, object]) -> tuple[int, ...]:
    low, high = _figure(facts.get("minLength")), _figure(facts.get("maxLength"))
    if high is None:
        return ()
    return tuple(range(max(1, int(low or 1)), min(_LONGEST, int(high)) + 1))


def _label_of(name: str, noun: str, *, is_number: bool, is_amount: bool) -> str:
    words = [word for word in _name_words(name) if word not in {"the", "of"}]
    if is_amount and words[0] in {"number", *_NUMBERED}:
        words = words[1:] or words  # "number_of_guests"
    if is_number and words and words[-1] in _NUMBERED:
        words[-1] = "number"
    if is_number and words in (["number"], ["code"], ["reference"], ["phone"], ["account"], ["order"], ["zip"]):
        words = {"phone": ["phone", "number"], "account": ["account", "number"], "zip": ["zip", "code"]}.get(
            words[0], [*noun.split(), words[0]] if words[0] != "order" else ["order", "number"]
        )
    elif is_number and words and words[-1] in {noun, "invoice", "ticket", "tracking", "telephone", "mobile", "card"}:
        words.append("number")
    return " ".join(words) or name


def _date_of(digits: str) -> str | None:
    if len(digits) != 8:
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except ValueError:  # the 31st of February
        return None


def _figure(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _only(choices: object) -> object:
    return choices[0] if isinstance(choices, list) and len(choices) == 1 else None
