"""Reads a caller's script: YAML 1.2, a list of steps. A mistake is shown with its place and the nearest right name.

- line: {delay_ms: 150, jitter_ms: 60}    # what is wrong with the line, if anything; first
- wait: {for: agent_ends}                 # the disclosure and the greeting
- say: "Where is my order?"
- barge_in: {after_ms: 1500, say: "Wait, I meant order 1042."}
- expect: {agent_speaks_within_ms: 3000}
- dtmf: "1042#"
- wait: {for: agent_ends, silence_ms: 1200}
- hang_up: true
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.carrier import faults
from app.carrier.line import Line
from app.carrier.steps import (
    PATIENCE_MS,
    AgentDoes,
    BargeIn,
    ExpectAgent,
    HangUp,
    Press,
    Say,
    Step,
    WaitForAgent,
    WaitHeard,
    WaitMs,
    Wav,
)
from app.errors import SettingsError

_KEYS = re.compile(r"[0-9*#A-DwW]+")
_LONGEST_MS = 3_600_000


class ScriptError(SettingsError):
    """A script that cannot be carried out; the message begins with file:line:column."""


_Fields = Mapping[str, tuple[Node, Node]]
"""Name → (its node, the value's node)."""


@dataclass(frozen=True, slots=True)
class Script:
    """What a caller does, and over what line."""

    steps: list[Step]
    line: Line


def load(path: Path, *, silence_ms: int) -> Script:
    """Return what a script file says. WAV files are looked for beside it. Raises ScriptError.

    silence_ms: what `agent_ends` means where a step does not say.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: cannot be read: {error}") from error
    return parse(text, path, silence_ms=silence_ms)


def parse(text: str, path: Path, *, silence_ms: int) -> Script:
    """Return what a script says; path: for messages, and the place of its WAV files. Raises ScriptError."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ScriptError(f"{place}: not YAML: {error.problem or error.context}") from error
    except YAMLError as error:
        raise ScriptError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if root is None:
        raise ScriptError(f"{path}:1:1: the script is empty; write a list of steps, such as `- say: Hello`")
    return _Reader(path, silence_ms).script(root)


class _Reader:
    def __init__(self, path: Path, silence_ms: int) -> None:
        self._path, self._silence_ms = path, silence_ms
        self._kinds: Mapping[str, tuple[frozenset[str], Callable[[_Fields], Step]]] = {
            "say": (frozenset({"say", "language", "level_dbfs"}), self._say),
            "wav": (frozenset({"wav", "level_dbfs"}), self._wav),
            "dtmf": (frozenset({"dtmf"}), self._press),
            "wait": (frozenset({"wait"}), lambda fields: self._wait(fields["wait"][1])),
            "barge_in": (frozenset({"barge_in"}), lambda fields: self._barge_in(fields["barge_in"][1])),
            "expect": (frozenset({"expect"}), lambda fields: self._expect(fields["expect"][1])),
            "hang_up": (frozenset({"hang_up"}), self._hang_up),
        }

    def script(self, root: Node) -> Script:
        if not isinstance(root, SequenceNode):
            raise self._error(root, "a script is a list of steps: begin each with `- `, as in `- say: Hello`")
        nodes, line = list(root.value), Line()
        if nodes and (fields := self._line_fields(nodes[0])) is not None:
            line = self._line(fields)
            nodes.pop(0)
        steps = [self._step(node) for node in nodes]
        for number, step in enumerate(steps[:-1]):
            if isinstance(step, HangUp):
                raise self._error(nodes[number + 1], "a step after hang_up, which nobody would do; end with hang_up")
        return Script(steps, line)

    def _line_fields(self, node: Node) -> _Fields | None:
        """The names and values of `line: {…}`, None if this entry is something else."""
        if not isinstance(node, MappingNode) or [key.value for key, _ in node.value] != ["line"]:
            return None
        return self._mapping(node.value[0][1], "line", example="line: {delay_ms: 150, jitter_ms: 60}")

    def _line(self, fields: _Fields) -> Line:
        self._only(fields, set(faults.NAMES))
        try:
            return faults.line({name: _plain(value) for name, (_, value) in fields.items()}, Line())
        except faults.FaultError as error:
            raise self._error(fields[error.name][1], f"{error.name}: {error}") from error

    def _step(self, node: Node) -> Step:
        fields = self._mapping(node, "a step")
        if "line" in fields:
            raise self._error(fields["line"][0], "line: stands by itself and before all steps; move it to the top")
        kinds = [name for name in fields if name in self._kinds]
        if len(kinds) > 1:
            raise self._error(fields[kinds[1]][0], f"{kinds[0]} and {kinds[1]} in one step; make two steps of them")
        if not kinds:
            if not fields:
                raise self._error(node, f"an empty step; write one of {', '.join(self._kinds)}")
            name, (key, _) = next(iter(fields.items()))
            raise self._unknown(key, name, self._kinds)
        known, read = self._kinds[kinds[0]]
        self._only(fields, known)
        return read(fields)

    def _say(self, fields: _Fields) -> Say:
        text = self._text(fields["say"][1], "say").strip()
        if not text:
            raise self._error(fields["say"][1], "say: no words; write what the caller says")
        language = self._text(fields["language"][1], "language") if "language" in fields else None
        return Say(text, language, self._level(fields))

    def _wav(self, fields: _Fields) -> Wav:
        node = fields["wav"][1]
        path = self._path.parent / self._text(node, "wav")
        if not path.is_file():
            raise self._error(node, f"wav: there is no file {path}")
        return Wav(path, self._level(fields))

    def _press(self, fields: _Fields) -> Press:
        node = fields["dtmf"][1]
        digits = self._text(node, "dtmf")
        if not _KEYS.fullmatch(digits):
            raise self._error(node, f'dtmf: {digits!r}; keys are 0-9 * # A-D, w waits 0.5 s and W 1 s, as in "1042#"')
        return Press(digits)

    def _wait(self, node: Node) -> Step:
        fields = self._mapping(node, "wait", example="wait: {for: agent_ends}")
        self._only(fields, {"for", "silence_ms", "within_ms", "ms", "heard_ms"})
        kinds = [name for name in ("for", "ms", "heard_ms") if name in fields]
        if len(kinds) != 1:
            raise self._error(node, "wait: give one of for, ms and heard_ms, as in {for: agent_ends} or {ms: 500}")
        belonging = {"for": {"silence_ms", "within_ms"}, "ms": set(), "heard_ms": {"within_ms"}}[kinds[0]]
        for name in fields:
            if name != kinds[0] and name not in belonging:
                raise self._error(fields[name][0], f"{name}: has no meaning beside {kinds[0]}; leave it out")
        within_ms = self._ms(fields, "within_ms", PATIENCE_MS)
        if kinds[0] == "ms":
            return WaitMs(self._ms(fields, "ms"))
        if kinds[0] == "heard_ms":
            return WaitHeard(self._ms(fields, "heard_ms"), within_ms)
        value = fields["for"][1]
        written = self._text(value, "for")
        try:
            what = AgentDoes(written)
        except ValueError:
            raise self._unknown(value, written, [each.value for each in AgentDoes]) from None
        if what is AgentDoes.STARTS and "silence_ms" in fields:
            raise self._error(fields["silence_ms"][0], "silence_ms: belongs to agent_ends; leave it out")
        silence_ms = self._ms(fields, "silence_ms", self._silence_ms)
        return WaitForAgent(what, silence_ms, within_ms)

    def _barge_in(self, node: Node) -> BargeIn:
        fields = self._mapping(node, "barge_in", example='barge_in: {after_ms: 1500, say: "Stop."}')
        self._only(fields, {"after_ms", "say", "wav", "language", "level_dbfs", "within_ms"})
        if "after_ms" not in fields:
            raise self._error(node, "barge_in: lacks after_ms, the time from the agent's first sound to the caller's")
        if ("say" in fields) == ("wav" in fields):
            raise self._error(node, "barge_in: give one of say and wav")
        if "wav" in fields and "language" in fields:
            raise self._error(fields["language"][0], "language: belongs to say; leave it out")
        words = self._say(fields) if "say" in fields else self._wav(fields)
        within_ms = self._ms(fields, "within_ms", PATIENCE_MS)
        return BargeIn(self._ms(fields, "after_ms"), words, within_ms)

    def _expect(self, node: Node) -> ExpectAgent:
        fields = self._mapping(node, "expect", example="expect: {agent_speaks_within_ms: 2000}")
        self._only(fields, {"agent_speaks_within_ms"})
        if not fields:
            raise self._error(node, "expect: write agent_speaks_within_ms: N")
        return ExpectAgent(self._ms(fields, "agent_speaks_within_ms"))

    def _hang_up(self, fields: _Fields) -> HangUp:
        node = fields["hang_up"][1]
        if not (_is_scalar(node, "bool") and node.value.lower() == "true"):
            raise self._error(node, "hang_up: write true")
        return HangUp()

    def _mapping(self, node: Node, what: str, *, example: str = "- say: Hello") -> _Fields:
        if not isinstance(node, MappingNode):
            raise self._error(node, f"{what}: names with values are needed, as in `{example}`")
        fields: dict[str, tuple[Node, Node]] = {}
        for key, value in node.value:
            name = self._text(key, "a name")
            if name in fields:
                raise self._error(key, f"{name}: stands here twice; keep one")
            fields[name] = (key, value)
        return fields

    def _only(self, fields: _Fields, known: frozenset[str] | set[str]) -> None:
        for name, (key, _) in fields.items():
            if name not in known:
                raise self._unknown(key, name, sorted(known))

    def _text(self, node: Node, name: str) -> str:
        if not _is_scalar(node, "str"):
            quote = f', as in {name}: "{node.value}"' if isinstance(node, ScalarNode) and node.value else ""
            raise self._error(node, f"{name}: text is needed; put it in quotes{quote}")
        return str(node.value)

    def _ms(self, fields: _Fields, name: str, default: int | None = None) -> int:
        if default is not None and name not in fields:
            return default
        node = fields[name][1]
        if _is_scalar(node, "int") and node.value.isdecimal():
            value = int(node.value)
            if value <= _LONGEST_MS:
                return value
        raise self._error(node, f"{name}: whole milliseconds from 0 to {_LONGEST_MS} are needed, as in {name}: 700")

    def _level(self, fields: _Fields) -> float | None:
        if "level_dbfs" not in fields:
            return None
        node = fields["level_dbfs"][1]
        if _is_scalar(node, "int") or _is_scalar(node, "float"):
            try:
                value = float(node.value)
            except ValueError:
                value = 1.0
            if -60 <= value <= 0:
                return value
        raise self._error(node, "level_dbfs: a number from -60 to 0 is needed, as in level_dbfs: -20")

    def _unknown(self, node: Node, name: str, known: Mapping[str, object] | list[str]) -> ScriptError:
        near = get_close_matches(name, list(known), n=1)
        hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
        return self._error(node, f"{name}: unknown; {hint}")

    def _error(self, node: Node, message: str) -> ScriptError:
        mark = node.start_mark
        return ScriptError(f"{self._path}:{mark.line + 1}:{mark.column + 1}: {message}")


def _is_scalar(node: Node, kind: str) -> bool:
    return isinstance(node, ScalarNode) and node.tag == f"tag:yaml.org,2002:{kind}"


def _plain(node: Node) -> str | int | float:
    """A number as one, everything else as it is written."""
    if _is_scalar(node, "int") and node.value.isdecimal():
        return int(node.value)
    if _is_scalar(node, "float") or _is_scalar(node, "int"):
        try:
            return float(node.value)
        except ValueError:
            pass  # .inf, 0x10: shown as it is written
    return str(node.value) if isinstance(node, ScalarNode) else "a list or names"
