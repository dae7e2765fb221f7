"""A YAML 1.2 text as plain values, each with the line and column it was read from.

ruamel's parser gives the events; the tree is built here, so that every mistake is found in one go, and that words are
words: plain scalars mean what the core schema of YAML 1.2 says (§10.3.2), where `off`, `no` and `2026-12-25` are texts.
Only what an agent file needs is taken: one document, no tags but `!!str`, aliases without circles, bounded in depth and
size, since a small text can otherwise unfold to gigabytes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pydantic import JsonValue
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from app.errors import InvariantError
from app.session.block import Location

MAX_BYTES = 1024 * 1024
MAX_NODES = 5000
"""Keys, values and list items, aliases unfolded: an agent with a hundred tools has about two thousand."""
MAX_DEPTH = 40


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the text, and what is in it.

    written: a scalar's own letters. keys: where a mapping's keys stand. children: by key, or by position from 0.
    size: keys, values and list items, itself included, aliases unfolded.
    """

    place: Place
    value: JsonValue
    size: int = 1
    written: str | None = None
    keys: Mapping[str, Place] = field(default_factory=dict)
    children: Mapping[str | int, "Node"] = field(default_factory=dict)

    def find(self, location: Location) -> "Node | None":
        """Return the value at the end of this way, None when the text has none."""
        node: Node | None = self
        for step in location:
            node = node.children.get(step) if node else None
        return node

    def place_of(self, location: Location) -> Place:
        """Return where a value stands; where it is missing, the key of the nearest block around it that is there."""
        node, place = self, self.place
        for position, step in enumerate(location):
            child = node.children.get(step)
            if child is None:
                return place
            is_last = position == len(location) - 1
            place = child.place if is_last or isinstance(step, int) else node.keys[str(step)]
            node = child
        return place

    def place_of_key(self, location: Location) -> Place:
        """Return where the key itself stands, behind which the value is."""
        parent = self.find(location[:-1])
        if parent and location and isinstance(location[-1], str) and location[-1] in parent.keys:
            return parent.keys[location[-1]]
        return self.place_of(location)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What keeps a text from being plain YAML 1.2, or from being taken; location: the way to it, where there is one."""

    place: Place
    location: Location
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """What could be read: root is None when nothing could. flaws: all that is wrong with the text as YAML."""

    root: Node | None
    flaws: tuple[Flaw, ...]


def read_document(content: bytes) -> Document:
    """Return the values of a YAML text with their places, and its flaws."""
    start = Place(1, 1)
    if len(content) > MAX_BYTES:
        return _nothing(start, f"has {len(content)} bytes; write at most {MAX_BYTES}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        return _nothing(_place_after(before), "is not UTF-8; save the file as UTF-8")
    composer = _Composer()
    try:
        return composer.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else start
        problem = " ".join(str(error.problem or error.context or "cannot be read").split())
        return _nothing(place, f"is not YAML here: {problem}; {_advice(problem)}", *composer.flaws)
    except ReaderError as error:
        place = _place_after(text[: error.position])
        return _nothing(place, "holds a character that YAML does not allow; leave it out", *composer.flaws)
    except _TooMuch as error:
        return _nothing(error.place, error.message, *composer.flaws)
    except (ValueError, OverflowError):  # an escape beyond the last character, of which the parser thinks nothing
        message = "is followed by an escape \\U that is no character; write the character itself"
        return _nothing(composer.place, message, *composer.flaws)


def _nothing(place: Place, message: str, *others: Flaw) -> Document:
    return Document(None, (*others, Flaw(place, (), message)))


def _place_after(text: str) -> Place:
    return Place(text.count("\n") + 1, len(text) - text.rfind("\n"))


def _advice(problem: str) -> str:
    if "\\t" in problem:
        return "indent with spaces, never with tabs"
    if "mapping values are not allowed" in problem:
        return "put a text that holds ': ' in quotes, and check the indentation"
    return "check indentation, quotes and brackets just before"


class _TooMuch(Exception):  # noqa: N818 - it ends a walk, and is answered within this module
    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


class _Composer:
    """Builds the tree of one text."""

    def __init__(self) -> None:
        self.flaws: list[Flaw] = []
        self.place = Place(1, 1)
        """Of what was read last."""
        self._anchors: dict[str, Node] = {}
        self._events: Iterator[Event] = iter(())
        self._size = 0

    def compose(self, text: str) -> Document:
        self._events = iter(YAML(typ="safe", pure=True).parse(text))
        root: Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    self._flaw(event, (), "begins a second document; write one agent in one file")
                    break
                root = self._node(next(self._events), ())
        return Document(root, tuple(self.flaws))

    def _node(self, event: Event, location: Location) -> Node:
        place = _place(event)
        if len(location) >= MAX_DEPTH and isinstance(event, MappingStartEvent | SequenceStartEvent):
            raise _TooMuch(place, f"is nested deeper than {MAX_DEPTH} levels; write it flatter")
        if isinstance(event, AliasEvent):
            known = self._anchors.get(event.anchor)
            if known is None:
                self._flaw(event, location, f"*{event.anchor} has no &{event.anchor} before it; write the value itself")
                return Node(place, None)
            self._count(known.size, place)
            return known
        self._count(1, place)
        if isinstance(event, ScalarEvent):
            node = self._scalar(event, location, place)
        elif isinstance(event, MappingStartEvent):
            node = self._mapping(event, location, place)
        elif isinstance(event, SequenceStartEvent):
            node = self._sequence(event, location, place)
        else:
            raise InvariantError(f"a value begins with {event}; the parser's events have changed")
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _count(self, nodes: int, place: Place) -> None:
        self.place = place
        self._size += nodes
        if self._size > MAX_NODES:
            raise _TooMuch(place, f"holds more than {MAX_NODES} values; write less into one file")

    def _scalar(self, event: ScalarEvent, location: Location, place: Place) -> Node:
        tag = str(event.tag) if event.tag else None
        if tag not in (None, "!", "tag:yaml.org,2002:str"):
            self._flaw(event, location, f"has the tag {tag}, which is not used here; leave the tag out")
        plain = event.style is None and tag is None
        text = self._text(event, location)
        return Node(place, _meaning(text) if plain else text, written=text)

    def _text(self, event: ScalarEvent, location: Location) -> str:
        """Return what a scalar says. In its escapes a character beyond U+FFFF may stand as two halves, as in JSON."""
        try:
            return str(event.value).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            self._flaw(
                event, location, "holds half a character (an escape \\uD800 to \\uDFFF); write the character itself"
            )
            return ""

    def _mapping(self, event: MappingStartEvent, location: Location, place: Place) -> Node:
        self._refuse_tag(event, location)
        keys: dict[str, Place] = {}
        children: dict[str | int, Node] = {}
        while not isinstance(key := next(self._events), MappingEndEvent):
            if not isinstance(key, ScalarEvent):
                self._flaw(key, location, "has a key that is no word; write a plain name as key")
                if not isinstance(key, AliasEvent):
                    self._node(key, (*location, "?"))
                self._node(next(self._events), (*location, "?"))
                continue
            name = self._text(key, location)
            self._count(1, _place(key))
            value = next(self._events)
            child = self._node(value, (*location, name))
            if child.written == "" and isinstance(value, ScalarEvent) and value.style is None:
                child = replace(child, place=_place(key))  # for the parser nothing stands where the next thing begins
            if name in keys:
                self._flaw(
                    key, (*location, name), f"stands here twice (first in line {keys[name].line}); leave one out"
                )
                continue
            keys[name] = _place(key)
            children[name] = child
        values: dict[str, JsonValue] = {str(name): child.value for name, child in children.items()}
        return Node(place, values, _size_of(children), keys=keys, children=children)

    def _sequence(self, event: SequenceStartEvent, location: Location, place: Place) -> Node:
        self._refuse_tag(event, location)
        children: dict[str | int, Node] = {}
        while not isinstance(item := next(self._events), SequenceEndEvent):
            children[len(children)] = self._node(item, (*location, len(children)))
        return Node(place, [child.value for child in children.values()], _size_of(children), children=children)

    def _refuse_tag(self, event: MappingStartEvent | SequenceStartEvent, location: Location) -> None:
        if event.tag:
            self._flaw(event, location, f"has the tag {event.tag}, which is not used here; leave the tag out")

    def _flaw(self, event: Event, location: Location, message: str) -> None:
        self.flaws.append(Flaw(_place(event), location, message))


def _place(event: Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1)


def _size_of(children: Mapping[str | int, Node]) -> int:
    return 1 + sum(1 + child.size for child in children.values())


_INTEGER = re.compile(r"[-+]?[0-9]{1,100}")
_OCTAL = re.compile(r"0o[0-7]{1,100}")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,100}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,100}|[0-9]{1,100}(\.[0-9]{0,100})?)([eE][-+]?[0-9]{1,3})?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _meaning(written: str) -> JsonValue:
    """Return what a plain scalar means by the core schema of YAML 1.2."""
    if written in _WORDS:
        return _WORDS[written]
    if _INTEGER.fullmatch(written):
        return int(written)
    if _OCTAL.fullmatch(written):
        return int(written[2:], 8)
    if _HEXADECIMAL.fullmatch(written):
        return int(written[2:], 16)
    if _FLOAT.fullmatch(written):
        return float(written)
    if _INFINITY.fullmatch(written):
        return float(written.replace(".", ""))
    return float("nan") if written in (".nan", ".NaN", ".NAN") else written
