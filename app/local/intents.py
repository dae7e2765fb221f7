"""What a caller wants, from the words of one English turn: by words, not by whole sentences, since ears mishear.

What is said in so many words ("goodbye", "are you a human") comes first, then what a tool does, then questions about
what was found, then numbers, yes and no.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from app.local.digits import Run, runs, with_points, without_choices
from app.local.offers import Deed, Tool
from app.local.outcomes import Detail
from app.local.parameters import Kind
from app.local.sayings import (
    ANOTHER,
    CARRIERS,
    DEEDS,
    DETAILS,
    DO_NOT,
    FACTS,
    NO,
    OWN_NUMBER,
    POLITE,
    REFUSABLE,
    SAID,
    SPELLED_OUT,
    YES,
    Intent,
    topics_of,
)
from app.local.words import word_set, words_of

_ASIDE = word_set("moment second minute question thing more another which that this no any some other")
_MOST_STRAY_WORDS = 2  # beside a number: ears add a word here and there
_NOT_MEANT = (0, 0)
_WANTING = frozenset({"speak", "talk", "want", "like", "need", "give", "get", "transfer", "connect"})
_EVERYWHERE = frozenset(  # words of descriptions that say nothing about which tool is meant
    [
        "number",
        "code",
        "the",
        "a",
        "an",
        "of",
        "by",
        "for",
        "with",
        "from",
        "to",
        "and",
        "or",
        "in",
        "on",
        "at",
        "its",
        "it",
        "is",
        "be",
        "if",
        "find",
        "get",
        "look",
        "up",
        "return",
        "current",
        "caller",
        "customer",
        "user",
        "their",
        "this",
        "that",
        "give",
        "given",
        "use",
        "using",
        "information",
        "detail",
        "status",
        "when",
        "what",
        "you",
        "your",
        "id",
    ]
)


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn, understood.

    tools: what a REQUEST may mean; more than one: it could be any of them; none: nothing offered does it. deed: what it
    wants done. detail: what it asks to know. numbers: the numbers in it. topic: of a FACT. is_another: for another
    thing than before. is_yes, is_no: it begins that way, whatever else it says.
    """

    intent: Intent
    words: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    deed: Deed | None = None
    detail: Detail | None = None
    numbers: tuple[Run, ...] = ()
    topic: str = ""
    is_another: bool = False
    is_yes: bool = False
    is_no: bool = False


def plain_words(text: str) -> tuple[str, ...]:
    """Return the words of a turn with contractions spelled out, and so the points of numbers."""
    return tuple(" ".join(SPELLED_OUT.get(word, word) for word in words_of(with_points(text))).split())


def understand(text: str, tools: Sequence[Tool], topics: Collection[str] = ()) -> Heard:
    """Return what a turn asks for. tools: what is offered; topics: what the instructions tell facts about."""
    words = plain_words(text)
    said_numbers = runs(words)
    settled = without_choices(said_numbers, words)
    numbers = tuple(run for run in settled if _is_meant(run, words, tools))
    is_open = len(settled) < len(said_numbers)  # "no, four or five" declines nothing
    said = _with_numbers_as_signs(words, numbers)
    plain = " ".join(word for word in said.split() if word not in POLITE)
    heard = Heard(
        Intent.UNCLEAR,
        words,
        detail=next((detail for detail, pattern in DETAILS if re.search(pattern, said)), None),
        numbers=numbers,
        is_another=bool(re.search(ANOTHER, said)),
        is_yes=not is_open and bool(re.search(YES, said)),
        is_no=not is_open and bool(re.search(NO, said)),
    )
    if not words:
        return heard
    for intent, pattern in SAID:
        if re.search(pattern, said) or re.search(pattern, plain):
            return _in_so_many_words(replace(heard, intent=intent), tools)
    if re.search(DO_NOT, said):  # "do not cancel it" asks for nothing
        return replace(heard, intent=Intent.NO)
    for tool in tools:
        if any(re.search(FACTS[topic], said) for topic in topics_of(tool)):
            return replace(heard, intent=Intent.REQUEST, tools=(tool,))
    for topic in topics:
        if re.search(FACTS.get(topic, r"(?!)"), said):
            return replace(heard, intent=Intent.FACT, topic=topic)
    if not numbers and (re.search(OWN_NUMBER, said) or _asks_for_its_label(said, tools)):
        return replace(heard, intent=Intent.OWN_NUMBER)
    return _by_tools(heard, said, plain, tools)


def _in_so_many_words(heard: Heard, tools: Sequence[Tool]) -> Heard:
    """A tool that does what was asked goes before our own answer: handing over, or ending the call."""
    if heard.intent is Intent.PERSON:
        able = tuple(tool for tool in tools if tool.deed is Deed.TRANSFER)
        if able:
            return replace(heard, intent=Intent.REQUEST, tools=able[:1], deed=Deed.TRANSFER)
    return heard


def _by_tools(heard: Heard, said: str, plain: str, tools: Sequence[Tool]) -> Heard:
    heard = replace(heard, deed=_deed_in(said))
    ranks = [(_rank(tool, heard.words, said), tool) for tool in tools]
    best = max((rank for rank, _ in ranks), default=_NOT_MEANT)
    if best > _NOT_MEANT:
        return replace(heard, intent=Intent.REQUEST, tools=tuple(tool for rank, tool in ranks if rank == best))
    if heard.deed in REFUSABLE and not heard.is_no:
        return replace(heard, intent=Intent.REQUEST)
    is_long = any(len(run.digits) > 1 for run in heard.numbers)
    if heard.numbers and _strays(heard, tools) <= (_MOST_STRAY_WORDS if is_long else 0):
        return replace(heard, intent=Intent.NUMBER)
    if heard.is_another:
        return replace(heard, intent=Intent.ANOTHER)
    if heard.detail is not None:
        return replace(heard, intent=Intent.QUESTION)
    courtesy = _courtesy(heard.words, plain)
    if heard.is_no or (heard.is_yes and courtesy is not Intent.THANKS):
        return replace(heard, intent=Intent.NO if heard.is_no else Intent.YES)
    return replace(heard, intent=courtesy)


def _courtesy(words: Sequence[str], plain: str) -> Intent:
    if plain not in {"", "there", "very much", "a lot", "great", "day"}:
        return Intent.UNCLEAR
    if set(words) & {"thank", "thanks"} and not set(words) & {"yes", "yeah", "right", "sure"}:
        return Intent.THANKS
    return Intent.HELLO if set(words) & {"hello", "hi", "hey", "morning", "afternoon", "evening"} else Intent.UNCLEAR


def _rank(tool: Tool, words: Sequence[str], said: str) -> tuple[int, int]:
    """How surely a turn means a tool, and how many of its other words are in it; comparable among tools.

    3: its deed and its thing; 2: its thing, and a look-up asks for no deed; or its deed alone ("cancel it"); 1: its
    thing, where nothing says what to do with it; or a look-up by the name of what it needs.
    """
    stems = {_stem(word) for word in words}
    noun = {_stem(word) for word in tool.noun.split()} - {"request"}
    deed = _deed_in(said, besides=tool.noun.split())
    labels = {_stem(word) for one in tool.required for word in one.label.split()} - _EVERYWHERE
    about = {_stem(word) for word in words_of(tool.description)} - _EVERYWHERE - noun
    more = len(((labels - noun) | about) & stems)
    if tool.deed is Deed.FIND:
        if deed not in {None, Deed.CREATE, Deed.SEND, Deed.TRANSFER}:
            return _NOT_MEANT
        rank = 2 if noun & stems else 1 if labels & stems else 0
        return (rank, more + len(noun & stems)) if rank else _NOT_MEANT
    is_named = set(tool.verb.split()) <= set(words) and tool.verb not in tool.noun.split()
    choices = sum(one.kind is Kind.CHOICE and one.choice_of(said) is not None for one in tool.parameters)
    if tool.deed is Deed.TRANSFER and choices and stems & _WANTING:  # "I'd like to speak to billing"
        return (3, more)
    more += choices
    if deed is tool.deed or is_named:
        return (3 if noun & stems else 2, more)
    return (1, more) if noun & stems and deed is None else _NOT_MEANT


def _deed_in(said: str, besides: Collection[str] = ()) -> Deed | None:
    """Return what a turn wants done. besides: words that name a thing here ("payment"), and so no deed."""
    rest = " ".join(word for word in said.split() if word not in besides)
    return next((deed for deed, pattern in DEEDS.items() if re.search(pattern, rest)), None)


def _asks_for_its_label(said: str, tools: Sequence[Tool]) -> bool:
    """Is it "what is my order number"? Then the number that was given is wanted, not one that was found."""
    labels = {tool.number.label for tool in tools if tool.number is not None} | {"number"}
    return any(re.search(rf"\b(what|which) (is|was) (my|the|that) {re.escape(label)}$", said) for label in labels)


def _strays(heard: Heard, tools: Sequence[Tool]) -> int:
    inside = {position for run in heard.numbers for position in range(run.start, run.end)}
    known = CARRIERS | POLITE | {word for tool in tools for one in tool.parameters for word in one.label.split()}
    return sum(at not in inside and word not in known for at, word in enumerate(heard.words))


def _is_meant(run: Run, words: Sequence[str], tools: Sequence[Tool]) -> bool:
    """A lone "one" is a number only where nothing else is: not in "another one", "one moment", "no one".

    What a tool counts may stand beside it: "one night".
    """
    if words[run.start : run.end] != ("one",):
        return True
    rest = (*words[: run.start], *words[run.end :])
    counted = {_stem(word) for tool in tools for one in tool.parameters if one.is_amount for word in one.label.split()}
    known = CARRIERS | POLITE | ({"person"} if counted & {"people", "person", "party"} else set())
    return not set(rest) & _ASIDE and all(word in known or _stem(word) in counted for word in rest)


def _with_numbers_as_signs(words: Sequence[str], numbers: Sequence[Run]) -> str:
    starts = {run.start for run in numbers}
    inside = {position for run in numbers for position in range(run.start, run.end)}
    return " ".join("#" if at in starts else word for at, word in enumerate(words) if at in starts or at not in inside)


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
