"""Values of a YAML 1.2 document with their places, so that a mistake is shown where it stands: file:line:column."""

import math
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.errors import SettingsError

LONGEST_MS = 3_600_000
_DECIMAL = re.compile(r"-?[0-9]+")


class ScriptError(SettingsError):
    """A script that cannot be played; the message begins with file:line:column."""


Fields: TypeAlias = Mapping[str, tuple[Node, Node]]
"""Name → (its node, the value's node)."""


def compose(text: str, path: Path) -> Node | None:
    """Return the document's root; None: it is empty. path: for messages. Raises ScriptError."""
    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ScriptError(f"{place}: not YAML: {error.problem or error.context}") from error
    except YAMLError as error:
        raise ScriptError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return root


class Nodes:
    """Reads the nodes of one file. Every method raises ScriptError with the place and what to write instead."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def error(self, node: Node, message: str) -> ScriptError:
        mark = node.start_mark
        return ScriptError(f"{self.path}:{mark.line + 1}:{mark.column + 1}: {message}")

    def unknown(self, node: Node, name: str, known: Collection[str]) -> ScriptError:
        near = get_close_matches(name, list(known), n=1)
        hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
        return self.error(node, f"{name}: unknown; {hint}")

    def mapping(self, node: Node, what: str, *, known: Collection[str], example: str) -> Fields:
        """Return the fields of a mapping that has no others than the known ones."""
        if not isinstance(node, MappingNode):
            raise self.error(node, f"{what}: names with values are needed, as in `{example}`")
        fields: dict[str, tuple[Node, Node]] = {}
        for key, value in node.value:
            name = self.text(key, "a name")
            if name in fields:
                raise self.error(key, f"{name}: stands here twice; keep one")
            if name not in known:
                raise self.unknown(key, name, known)
            fields[name] = (key, value)
        return fields

    def items(self, node: Node, what: str, *, example: str) -> list[Node]:
        """Return the nodes of a list."""
        if not isinstance(node, SequenceNode):
            raise self.error(node, f"{what}: a list is needed, as in `{example}`")
        return list(node.value)

    def text(self, node: Node, name: str) -> str:
        if not is_scalar(node, "str"):
            quote = f', as in {name}: "{node.value}"' if isinstance(node, ScalarNode) and node.value else ""
            raise self.error(node, f"{name}: text is needed; put it in quotes{quote}")
        return str(node.value)

    def words(self, node: Node, name: str) -> str:
        """Return a text that is not empty."""
        words = self.text(node, name).strip()
        if not words:
            raise self.error(node, f"{name}: no words; write some")
        return words

    def one_of(self, node: Node, name: str, known: Collection[str]) -> str:
        written = str(node.value) if isinstance(node, ScalarNode) else ""
        if written not in known:
            if not written:
                raise self.error(node, f"{name}: write one of {', '.join(known)}")
            raise self.unknown(node, written, known)
        return written

    def whole(self, node: Node, name: str, least: int, most: int, *, example: int) -> int:
        if is_scalar(node, "int") and _DECIMAL.fullmatch(node.value) and least <= int(node.value) <= most:
            return int(node.value)
        raise self.error(node, f"{name}: a whole number from {least} to {most} is needed, as in {name}: {example}")

    def ms(self, fields: Fields, name: str, default: int | None = None, *, least: int = 0) -> int:
        if default is not None and name not in fields:
            return default
        node = fields[name][1]
        if is_scalar(node, "int") and node.value.isdecimal() and least <= int(node.value) <= LONGEST_MS:
            return int(node.value)
        raise self.error(node, f"{name}: whole milliseconds from {least} to {LONGEST_MS} are needed, as in {name}: 700")

    def pace(self, node: Node) -> float:
        """Return a multiple of real time; `max`: infinitely fast."""
        if is_scalar(node, "str") and node.value == "max":
            return math.inf
        if is_scalar(node, "int") or is_scalar(node, "float"):
            try:
                value = float(node.value)
            except ValueError:
                value = 0.0
            if 0.01 <= value <= 10_000:
                return value
        raise self.error(node, "pace: how many times real time, from 0.01 to 10000, or max; as in pace: 20")

    def flag(self, fields: Fields, name: str) -> bool:
        if name not in fields:
            return False
        node = fields[name][1]
        if is_scalar(node, "bool") and node.value.lower() in {"true", "false"}:
            return bool(node.value.lower() == "true")
        raise self.error(node, f"{name}: write true or false")

    def yes(self, node: Node, name: str) -> None:
        """Check that the value is true: of what happens, or does not stand there."""
        if not (is_scalar(node, "bool") and node.value.lower() == "true"):
            raise self.error(node, f"{name}: write true, or leave it out")

    def plain(self, node: Node, name: str) -> object:
        """Return any value as JSON has it."""
        match node:
            case MappingNode():
                return {self.text(key, "a name"): self.plain(value, name) for key, value in node.value}
            case SequenceNode():
                return [self.plain(value, name) for value in node.value]
        if is_scalar(node, "null"):
            return None
        if is_scalar(node, "bool"):
            return bool(node.value.lower() == "true")
        try:
            if is_scalar(node, "int"):
                return int(node.value, 0)
            if is_scalar(node, "float"):
                return float(node.value)
        except ValueError as error:
            raise self.error(node, f"{name}: {node.value} is no number of JSON; put it in quotes") from error
        return self.text(node, name)


def is_scalar(node: Node, kind: str) -> bool:
    """Whether the node is a single value of this kind: str, int, float, bool, null."""
    return isinstance(node, ScalarNode) and node.tag == f"tag:yaml.org,2002:{kind}"
