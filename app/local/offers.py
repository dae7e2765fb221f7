"""What an offered tool is for: its deed ("find", "cancel"), what it is about ("order"), what it needs to know.

Read from the tool's name first, from its description where the name is silent. A tool whose deed is not plainly a
look-up counts as one that changes something, so that it is confirmed before it runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from app.local.parameters import Kind, Parameter, name_words, parameter
from app.local.words import words_of


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A function tool as the session carries it; parameters: JSON Schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, object]


class Deed(Enum):
    """What a tool does, or a caller wants done."""

    FIND = "look up"
    CANCEL = "cancel"
    CHANGE = "change"
    CREATE = "create"
    BOOK = "book"
    PAY = "pay"
    DELETE = "delete"
    RETURN = "return"
    SEND = "send"
    TRANSFER = "transfer"
    END = "end"
    OTHER = "do"


_DEED_WORDS = {
    Deed.FIND: "find get look lookup check track search show list read fetch query retrieve view see describe locate "
    "inquire enquire count tell is has where when what",
    Deed.CANCEL: "cancel abort revoke withdraw void",
    Deed.CHANGE: "change update modify edit set reschedule move correct amend adjust rename replace extend upgrade "
    "downgrade renew reset activate deactivate enable disable block unblock pause resume",
    Deed.CREATE: "create make place add new open submit file register start insert report log issue leave take save "
    "store post write record apply",
    Deed.BOOK: "book reserve schedule",
    Deed.PAY: "pay charge settle",
    Deed.DELETE: "delete remove erase drop",
    Deed.RETURN: "return refund exchange",
    Deed.SEND: "send email mail text notify resend forward dispatch",
    Deed.TRANSFER: "transfer connect escalate handoff handover",
    Deed.END: "end hangup hang terminate finish",
    Deed.OTHER: "buy purchase confirm approve reject verify close stop subscribe unsubscribe redeem donate vote assign "
    "run do call press invite join",
}
_DEED_OF = {word: deed for deed, words in _DEED_WORDS.items() for word in words.split()}
_FOREIGN_DEEDS = {  # where only the description tells, and tells it in Korean or Japanese
    "조회": Deed.FIND, "확인": Deed.FIND, "검색": Deed.FIND, "찾": Deed.FIND, "취소": Deed.CANCEL,
    "변경": Deed.CHANGE, "예약": Deed.BOOK, "照会": Deed.FIND, "検索": Deed.FIND, "確認": Deed.FIND,
    "取り消": Deed.CANCEL, "変更": Deed.CHANGE, "予約": Deed.BOOK,
}  # fmt: skip
_DETAIL_NOUNS = {"status", "info", "information", "details", "detail", "state", "data", "record", "lookup", "search"}
_JOINTS = {"by", "for", "of", "with", "from", "via", "using", "to", "in", "on", "at"}
_FILLERS = {
    "the",
    "a",
    "an",
    "and",
    "up",
    "out",
    "off",
    "me",
    "my",
    "your",
    "all",
    "this",
    "that",
    "customer's",
    "caller's",
}
_PARTICLES = {("check", "in"), ("check", "out"), ("sign", "up"), ("log", "in")}  # not a look


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the dialogue sees it. verb: its own word for the deed; noun: what it is about, in the singular."""

    name: str
    description: str
    deed: Deed
    verb: str
    noun: str
    parameters: tuple[Parameter, ...]

    @property
    def has_effect(self) -> bool:
        """Must the caller confirm it before it runs? Handing over and ending are what a caller has just asked for."""
        return self.deed not in {Deed.FIND, Deed.TRANSFER, Deed.END}

    @property
    def required(self) -> tuple[Parameter, ...]:
        """The parameters without which it cannot run and that the caller has to give."""
        return tuple(one for one in self.parameters if one.is_required and one.preset is None)

    @property
    def number(self) -> Parameter | None:
        """The number it is asked by, if any: required ones come first."""
        digits = [one for one in self.parameters if one.kind is Kind.DIGITS and not one.is_amount]
        return next((one for one in digits if one.is_required), digits[0] if digits else None)

    @property
    def presets(self) -> dict[str, object]:
        """The arguments that can only have one value."""
        return {one.name: one.preset for one in self.parameters if one.is_required and one.preset is not None}


def tools_of(offers: Sequence[ToolOffer]) -> tuple[Tool, ...]:
    """Return the offered tools, read."""
    return tuple(_read(offer) for offer in offers)


def deed_of_word(word: str) -> Deed | None:
    """Return the deed that a verb names, or None."""
    return _DEED_OF.get(word)


def _read(offer: ToolOffer) -> Tool:
    words = name_words(offer.name)
    told = words_of(offer.description)
    deed, verb = _deed_of(words, told)
    noun = _noun_of(words, verb) or _noun_of_description(told, verb) or "request"
    properties = offer.parameters.get("properties")
    required = offer.parameters.get("required")
    names = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
    return Tool(
        name=offer.name,
        description=offer.description,
        deed=deed,
        verb=verb if deed is not Deed.FIND else Deed.FIND.value,
        noun=noun,
        parameters=tuple(
            parameter(name, schema, noun=noun, is_required=name in names)
            for name, schema in (properties.items() if isinstance(properties, Mapping) else ())
        ),
    )


def _deed_of(words: Sequence[str], told: Sequence[str]) -> tuple[Deed, str]:
    if tuple(words[:2]) in _PARTICLES:
        return Deed.OTHER, " ".join(words[:2])
    named = [(_DEED_OF[word], word) for word in words if word in _DEED_OF]
    changing = [one for one in named if one[0] is not Deed.FIND]
    if changing and ("and" in words or "or" in words):
        return changing[0]
    if named:
        return named[0]
    if set(words) & _DETAIL_NOUNS:
        return Deed.FIND, "look up"
    if words[:1] == ["order"] and len(words) > 1:  # a verb only where a thing follows: "order_pizza"
        return Deed.OTHER, "order"
    for word in told[:4]:
        for stem in (word, word.removesuffix("s"), word.removesuffix("es")):
            if stem in _DEED_OF:
                return _DEED_OF[stem], stem
    for root, deed in _FOREIGN_DEEDS.items():
        if any(root in word for word in told):
            return deed, deed.value
    return Deed.OTHER, words[0] if words else "do"


def _noun_of(words: Sequence[str], verb: str) -> str:
    skipped = {*verb.split(), *_FILLERS}
    kept: list[str] = []
    for word in words:
        if word in _JOINTS and kept:
            break
        if word not in skipped and word not in _JOINTS and not (word in _DEED_OF and not kept):
            kept.append(word)
    plain = [word for word in kept if word not in _DETAIL_NOUNS] or kept
    return " ".join(plain[:3])


def _noun_of_description(told: Sequence[str], verb: str) -> str:
    for position, word in enumerate(told[:-1]):
        if word in {"a", "an", "the", "your", "their", "his"}:
            noun = told[position + 1]
            return noun if noun != verb else ""
    return ""
