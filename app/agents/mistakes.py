"""What is wrong with an agent file, in words and with its place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.agents.document import Document, Node, Place
from app.agents.schema import AgentFile
from app.session.block import Block, Location, nearest, not_yet


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. key: the way to it, such as tools[0].sql.query; message: what is wrong; what to write."""

    file: Path
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.key}: {self.message}"


def mistake(source: Path, place: Place, location: Location, message: str) -> Mistake:
    """Return a mistake at a place; one without a key of its own concerns the file."""
    return Mistake(source, place.line, place.column, key_of(location) or "file", message)


def key_of(location: Location) -> str:
    """Return the way to a key as people write it: tools[0].sql.query."""
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return written.removeprefix(".")


def in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Return the mistakes as somebody reads the files, each once."""
    return tuple(sorted(set(mistakes), key=lambda one: (str(one.file), one.line, one.column, one.key, one.message)))


def flaws_of(document: Document, source: Path) -> list[Mistake]:
    """Return what is wrong with the text as YAML."""
    return [mistake(source, flaw.place, flaw.location, flaw.message) for flaw in document.flaws]


def mistakes_of(error: ValidationError, root: Node, source: Path) -> list[Mistake]:
    """Return what is wrong with the values of a file, whose places `root` knows."""
    found = []
    for details in error.errors(include_url=False):
        location = details["loc"]
        match details["type"]:
            case "extra_forbidden":
                found.append(mistake(source, root.place_of_key(location), location, _of_unknown_key(location, root)))
            case "default_factory_not_called":
                pass  # a default that depends on a mistaken value, which is told itself
            case "missing":
                block = _block_at(location[:-1])
                present = root.find(location[:-1])
                stand_ins = block.stand_ins.get(str(location[-1]), frozenset()) if block else frozenset()
                if present is None or stand_ins.isdisjoint(present.keys):
                    found.append(mistake(source, root.place_of(location), location, _of_missing_key(location, block)))
            case _:
                message = _of_value(details, root.find(location))
                found.append(mistake(source, root.place_of(location), location, message))
    return found


def _block_at(location: Location) -> type[Block] | None:
    """Return which block stands at the end of this way, None where it is none of ours."""
    block: type[Block] | None = AgentFile
    for step in location:
        if isinstance(step, str) and block is not None:
            info = block.model_fields.get(step)
            block = _block_in(info.annotation) if info else None
    return block


def _block_in(annotation: object) -> type[Block] | None:
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return annotation
    return next((block for part in get_args(annotation) if (block := _block_in(part))), None)


def _of_unknown_key(location: Location, root: Node) -> str:
    key = str(location[-1])
    block = _block_at(location[:-1]) or AgentFile
    if key in block.later:
        return not_yet(key, block.later[key])
    present = root.find(location[:-1])
    known = list(block.model_fields)
    elsewhere = _keys_elsewhere(block)
    if key in elsewhere:
        return f"unknown key here; write it as {elsewhere[key]}"
    # A word that is only like one of a list's entries is not meant to be in one of them.
    alike = [name for name, way in elsewhere.items() if "[…]" not in way]
    match nearest(key, [*known, *block.later, *alike]):
        case str(meant) if meant in block.later:
            return f"unknown key; {not_yet(meant, block.later[meant])}"
        case str(meant) if meant in known:
            there = f" It stands in line {present.keys[meant].line}." if present and meant in present.keys else ""
            return f"unknown key; did you mean {meant}?{there}"
        case str(meant):
            return f"unknown key; did you mean {elsewhere[meant]}?"
    return f"unknown key; the keys here are {', '.join(known)}"


def _keys_elsewhere(here: type[Block]) -> dict[str, str]:
    """Return the keys of the file's other blocks, each with the way to it from the top."""
    ways: dict[str, str] = {}
    for name, info in AgentFile.model_fields.items():
        block = _block_in(info.annotation)
        if block and block is not here:
            written = f"{name}[…]" if get_origin(info.annotation) is tuple else name
            ways |= {key: f"{written}.{key}" for key in block.model_fields if key not in here.model_fields}
    if here is not AgentFile:
        ways |= {key: f"{key} at the top of the file" for key in AgentFile.model_fields if key not in here.model_fields}
    return ways


def _of_missing_key(location: Location, block: type[Block] | None) -> str:
    key = str(location[-1])
    info = block.model_fields.get(key) if block else None
    example = info.examples[0] if info and info.examples else "…"
    return f"is missing; write, for example, {key}: {example}"


_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a block of keys",
    "dict_type": "a block of keys",
    "tuple_type": "a list",
    "list_type": "a list",
}


_SWITCHES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
"""Truth values of YAML 1.1, which are words in 1.2."""


def _of_value(details: ErrorDetails, node: Node | None) -> str:
    context: Mapping[str, object] = details.get("ctx", {})
    kind = details["type"]
    shown = _shown(node)
    if kind == "agent_file":
        return details["msg"]
    if kind == "bool_type" and node and node.written and node.written.lower() in _SWITCHES:
        return f"is {shown}; write {_SWITCHES[node.written.lower()]}"
    if kind in _EXPECTED:
        return f"is {shown}; write {_EXPECTED[kind]}{_in_quotes(kind, node)}"
    match kind:
        case "greater_than":
            return f"is {shown}; write a number above {_number(context['gt'])}"
        case "greater_than_equal":
            return f"is {shown}; write {_number(context['ge'])} or more"
        case "less_than_equal":
            return f"is {shown}; write {_number(context['le'])} or less"
        case "finite_number":
            return f"is {shown}; write a finite number"
        case "string_too_long":
            length = len(node.written or "") if node else 0
            return f"has {length} characters; write at most {context['max_length']}"
        case "too_long":
            return f"has {context['actual_length']} entries; write at most {context['max_length']}"
        case "string_pattern_mismatch":
            return f"is {shown}, which is no name; write letters, digits and . _ : / @ - without spaces"
        case _:
            return f"{details['msg'][:1].lower()}{details['msg'][1:]}; see dialtone schema for what is allowed"


def _shown(node: Node | None) -> str:
    """Return a value as the message shows it, shortened."""
    if node is None or node.value is None or node.value == "":
        return "empty"
    if isinstance(node.value, dict):
        return "a block of keys"
    if isinstance(node.value, list):
        return "a list"
    if isinstance(node.value, str):
        text = " ".join(node.value.split())
        return f"the text {text if len(text) <= 40 else text[:39] + '…'!r}"
    return f"{node.written}"


def _in_quotes(kind: str, node: Node | None) -> str:
    if kind == "string_type" and node and node.written and not isinstance(node.value, str):
        return f' in quotes: "{node.written}"'
    return ""


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
