"""Reads a model's script: YAML 1.2. A mistake is shown with its place and the nearest right name.

turns:
  - say: "Hello, how can I help?"
  - when: {caller_says: order}
    reply:
      - {say: "One moment.", phase: commentary}
      - call: {name: lookup_order, arguments: {order_number: "1042"}}
  - when: {tool_answers: lookup_order}
    tone_ms: 6000
    pace: 20
otherwise: {say: "I see."}
"""

from pathlib import Path

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from app.local.requests import CLIENT_EVENTS
from app.local.script_faults import FAULTS, Fault
from app.local.script_nodes import Fields, Nodes, ScriptError, compose, is_scalar
from app.local.script_reading import MANNER, Reading
from app.local.script_steps import (
    OPENING,
    Awkward,
    CallerTurn,
    Cue,
    End,
    Manner,
    Moment,
    Quiet,
    Refusal,
    Script,
    Turn,
    Vad,
    When,
    WhenCut,
)

_SESSION = ("language", "play", "vad", "awkward", "caller", "refuse", "timeline", "turns", "otherwise")
_TURN = ("when", "again", "delay_ms", "before", "reply", "end", "when_cut")
_AWKWARD = ("obfuscation", "null_previous_item_id", "unknown_events")
_PLAYS = ("every_session", "once")
_TRANSCRIPT_FAILURES = ("audio_unintelligible", "server_error")
_TRUNCATE = "conversation.item.truncate"


def load(path: Path) -> Script:
    """Return the script of a file. WAV files are looked for beside it. Raises ScriptError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: cannot be read: {error}") from error
    return parse(text, path)


def parse(text: str, path: Path) -> Script:
    """Return a script; path: for messages, and the place of its WAV files. Raises ScriptError."""
    root = compose(text, path)
    if root is None:
        raise ScriptError(f"{path}:1:1: the script is empty; write turns: and a list, such as `- say: Hello`")
    return _Script(path).read(root)


class _Script:
    def __init__(self, path: Path) -> None:
        self._nodes = Nodes(path)
        self._steps = Reading(self._nodes)

    def read(self, root: Node) -> Script:
        nodes = self._nodes
        fields = nodes.mapping(root, "a script", known=(*_SESSION, *MANNER), example="turns: [{say: Hello}]")
        if not any(name in fields for name in ("turns", "otherwise", "timeline")):
            raise nodes.error(root, "nothing to play; write what the model answers, as in turns: [{say: Hello}]")
        manner = self._steps.manner(fields, Manner())
        turns = [self._turn(node, manner, is_listed=True) for node in self._list(fields, "turns", "- say: Hello")]
        otherwise = None
        if "otherwise" in fields:
            otherwise = self._turn(fields["otherwise"][1], manner, is_listed=False)
        vad, play = Vad.AUDIO, _PLAYS[0]
        if "vad" in fields:
            vad = Vad(nodes.one_of(fields["vad"][1], "vad", [each.value for each in Vad]))
        if "play" in fields:
            play = nodes.one_of(fields["play"][1], "play", _PLAYS)
        caller = None
        if "caller" in fields:
            caller = tuple(self._caller_turn(node) for node in self._list(fields, "caller", "- Where is my order?"))
        moments = [self._moment(node) for node in self._list(fields, "timeline", "- {at_ms: 4000, drop: true}")]
        return Script(
            turns=tuple(turns),
            otherwise=otherwise,
            language=nodes.words(fields["language"][1], "language") if "language" in fields else Script().language,
            vad=vad,
            once=play == "once",
            awkward=self._awkward(fields),
            caller=caller,
            refuse=tuple(
                self._refusal(node)
                for node in self._list(fields, "refuse", "- {event: conversation.item.truncate, error: too_long}")
            ),
            timeline=tuple(sorted(moments, key=lambda moment: moment.at_ms)),
        )

    def _list(self, fields: Fields, name: str, example: str) -> list[Node]:
        return self._nodes.items(fields[name][1], name, example=example) if name in fields else []

    def _turn(self, node: Node, manner: Manner, *, is_listed: bool) -> Turn:
        nodes, steps = self._nodes, self._steps
        fields = nodes.mapping(node, "a turn", known=(*_TURN, *MANNER, *steps.known), example="- say: Hello")
        short = {name: field for name, field in fields.items() if name in steps.known}
        if short and "reply" in fields:
            name, (key, _) = next(iter(short.items()))
            raise nodes.error(key, f"{name}: stands beside reply; put it into the list")
        if not is_listed:
            for name in ("when", "again"):
                if name in fields:
                    raise nodes.error(fields[name][0], f"{name}: has no meaning in otherwise; leave it out")
        if short:
            reply = [steps.step(node, short)]
        else:
            reply = [steps.read_step(each) for each in self._list(fields, "reply", "reply: [{say: Hello}]")]
        again = nodes.flag(fields, "again")
        if again and "when" not in fields:
            raise nodes.error(fields["again"][0], "again: without when this turn would serve for ever; use otherwise")
        before = [steps.read_step(each) for each in self._list(fields, "before", "before: [{speech_started: true}]")]
        quiet: list[Quiet] = []
        for each, step_node in zip(before, self._list(fields, "before", ""), strict=True):
            if not isinstance(each, Quiet):
                raise nodes.error(step_node, "before: nothing is said before the response begins; put it into reply")
            quiet.append(each)
        return Turn(
            reply=tuple(reply),
            when=self._when(fields["when"][1]) if "when" in fields else None,
            again=again,
            delay_ms=nodes.ms(fields, "delay_ms", 0),
            before=tuple(quiet),
            manner=steps.manner(fields, manner),
            end=self._end(fields["end"][1]) if "end" in fields else End(),
            when_cut=self._when_cut(fields["when_cut"][1]) if "when_cut" in fields else WhenCut(),
        )

    def _when(self, node: Node) -> When:
        nodes = self._nodes
        known = ("caller_says", "tool_answers")
        fields = nodes.mapping(node, "when", known=known, example="when: {caller_says: order}")
        if not fields:
            raise nodes.error(node, "when: write caller_says or tool_answers, or leave when out")
        said: tuple[str, ...] = ()
        if "caller_says" in fields:
            value = fields["caller_says"][1]
            each = value.value if isinstance(value, SequenceNode) else [value]
            said = tuple(nodes.words(one, "caller_says") for one in each)
        tool = nodes.words(fields["tool_answers"][1], "tool_answers") if "tool_answers" in fields else None
        return When(said, tool)

    def _end(self, node: Node) -> End | None:
        nodes = self._nodes
        if isinstance(node, ScalarNode):
            written = nodes.one_of(node, "end", ("completed", "never"))
            return End() if written == "completed" else None
        known = ("failed", "incomplete", "cancelled")
        fields = nodes.mapping(node, "end", known=known, example="end: {failed: server_error}")
        if len(fields) != 1:
            raise nodes.error(node, f"end: give one of {', '.join(known)}, as in end: {{failed: server_error}}")
        name, (_, value) = next(iter(fields.items()))
        if name == "failed":
            return End("failed", fault=self._steps.failure(value))
        if name == "incomplete":
            return End("incomplete", nodes.one_of(value, name, ("max_output_tokens", "content_filter")))
        return End("cancelled", nodes.one_of(value, name, ("turn_detected", "client_cancelled")))

    def _when_cut(self, node: Node) -> WhenCut:
        nodes = self._nodes
        known = ("late_deltas", "done", "within_ms", "created")
        fields = nodes.mapping(node, "when_cut", known=known, example="when_cut: {late_deltas: 3}")
        late = (
            nodes.whole(fields["late_deltas"][1], "late_deltas", 0, 1000, example=3) if "late_deltas" in fields else 0
        )
        done = nodes.one_of(fields["done"][1], "done", ("at_once", "after_next")) if "done" in fields else "at_once"
        if "within_ms" in fields and done == "at_once":
            raise nodes.error(fields["within_ms"][0], "within_ms: belongs to done: after_next; leave it out")
        created = nodes.flag(fields, "created") if "created" in fields else True
        return WhenCut(late, done == "after_next", nodes.ms(fields, "within_ms", WhenCut().within_ms), created)

    def _awkward(self, fields: Fields) -> Awkward:
        chosen = [
            self._nodes.one_of(node, "awkward", _AWKWARD)
            for node in self._list(fields, "awkward", "awkward: [obfuscation]")
        ]
        return Awkward(**{name: name in chosen for name in _AWKWARD})

    def _caller_turn(self, node: Node) -> CallerTurn:
        nodes = self._nodes
        if isinstance(node, ScalarNode):
            return CallerTurn(nodes.words(node, "caller"))
        fields = nodes.mapping(
            node, "caller", known=("says", "fails", "after_ms"), example="- {says: Hello, after_ms: 500}"
        )
        if ("says" in fields) == ("fails" in fields):
            raise nodes.error(node, "caller: give one of says and fails, as in {fails: audio_unintelligible}")
        after_ms: int | None = None
        if not ("after_ms" in fields and is_scalar(late := fields["after_ms"][1], "str") and late.value == "never"):
            after_ms = nodes.ms(fields, "after_ms", 0)
        if "says" in fields:
            return CallerTurn(nodes.words(fields["says"][1], "says"), after_ms=after_ms)
        failure = nodes.one_of(fields["fails"][1], "fails", _TRANSCRIPT_FAILURES)
        return CallerTurn(None, failure, after_ms)

    def _refusal(self, node: Node) -> Refusal:
        nodes = self._nodes
        known = ("event", "error", "nth", "message", "param", "close", "then_truncates")
        example = "- {event: conversation.item.truncate, error: too_long}"
        fields = nodes.mapping(node, "refuse", known=known, example=example)
        for name in ("event", "error"):
            if name not in fields:
                raise nodes.error(node, f"refuse: lacks {name}, as in `{example}`")
        event = nodes.one_of(fields["event"][1], "event", (OPENING, *CLIENT_EVENTS))
        fault = self._refused_with(fields)
        if fault.name == "too_long" and event != _TRUNCATE:
            raise nodes.error(fields["error"][1], f"too_long: refuses {_TRUNCATE} only; write a code")
        then_truncates = nodes.flag(fields, "then_truncates")
        if then_truncates and event != _TRUNCATE:
            raise nodes.error(fields["then_truncates"][0], f"then_truncates: belongs to {_TRUNCATE}; leave it out")
        if event == OPENING and fault.close_code is None:
            raise nodes.error(
                fields["error"][1], f"{fault.name}: closes no session; write invalid_model or add close: 1013"
            )
        nth = nodes.whole(fields["nth"][1], "nth", 1, 100_000, example=2) if "nth" in fields else 1
        return Refusal(event, fault, nth, then_truncates)

    def _refused_with(self, fields: Fields) -> Fault:
        fault = FAULTS[self._nodes.one_of(fields["error"][1], "error", tuple(FAULTS))]
        return self._steps.worded(fault, fields)

    def _moment(self, node: Node) -> Moment:
        nodes, steps = self._nodes, self._steps
        example = "- {at_ms: 4000, speech_started: true}"
        fields = dict(nodes.mapping(node, "timeline", known=("at_ms", *steps.cues), example=example))
        if "at_ms" not in fields:
            raise nodes.error(node, f"timeline: lacks at_ms, as in `{example}`")
        at_ms = nodes.ms(fields, "at_ms")
        del fields["at_ms"]
        cue = steps.step(node, fields)
        assert isinstance(cue, Cue)  # no other name is known here
        return Moment(at_ms, cue)
