"""Reads the steps of a model's script: what it says, calls and lets happen, and in what manner."""

from collections.abc import Callable, Mapping

import msgspec
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.audio import wav
from app.errors import VoiceAgentError
from app.local.script_faults import FAILURES, FAULTS, Fault, altered
from app.local.script_nodes import Fields, Nodes
from app.local.script_steps import (
    CallerSpeaks,
    CallTool,
    Close,
    Manner,
    Mute,
    SendError,
    SendEvent,
    Speak,
    Speech,
    Step,
    Tone,
    Transcript,
    Wait,
    Wav,
)

MANNER = ("pace", "delta_ms", "delta_bytes", "transcript")
_LARGEST_DELTA_BYTES = 1_000_000
_CLOSE_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
"""What RFC 6455 §7.4 lets a close frame carry."""
_LONGEST_REASON_BYTES = 123


class Reading:
    """known: the names that a step may have; cues: those that may also stand outside a reply."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._kinds: Mapping[str, tuple[tuple[str, ...], Callable[[Fields], Step]]] = {
            "say": (("phase",), self._say),
            "tone_ms": (("tone_hz", "words", "phase"), self._tone),
            "wav": (("words", "phase"), self._wav),
            "call": ((), self._call),
            "wait_ms": ((), lambda fields: Wait(nodes.ms(fields, "wait_ms"))),
            "speech_started": ((), lambda fields: self._speech(Speech.STARTED, fields)),
            "speech_stopped": ((), lambda fields: self._speech(Speech.STOPPED, fields)),
            "speech_ms": ((), lambda fields: CallerSpeaks(nodes.ms(fields, "speech_ms", least=1))),
            "error": ((), lambda fields: SendError(self._fault(fields["error"][1]))),
            "event": ((), lambda fields: SendEvent(self._event(fields["event"][1]))),
            "close": ((), lambda fields: self._close(fields["close"][1])),
            "drop": ((), self._drop),
            "mute": ((), self._mute),
        }
        self.cues = ("speech_started", "speech_stopped", "speech_ms", "error", "event", "close", "drop", "mute")
        self.known = tuple(dict.fromkeys([*self._kinds, *(name for more, _ in self._kinds.values() for name in more)]))

    def read_step(self, node: Node) -> Step:
        """Return the step that a mapping describes."""
        return self.step(node, self._nodes.mapping(node, "a step", known=self.known, example="- say: Hello"))

    def step(self, node: Node, fields: Fields) -> Step:
        """Return the step that these fields describe; node: where they stand."""
        kinds = [name for name in fields if name in self._kinds]
        if len(kinds) > 1:
            raise self._nodes.error(
                fields[kinds[1]][0], f"{kinds[0]} and {kinds[1]} in one step; make two steps of them"
            )
        if not kinds:
            raise self._nodes.error(node, f"nothing to do here; write one of {', '.join(self._kinds)}")
        more, read = self._kinds[kinds[0]]
        for name, (key, _) in fields.items():
            if name != kinds[0] and name not in more:
                raise self._nodes.error(key, f"{name}: has no meaning beside {kinds[0]}; leave it out")
        return read(fields)

    def manner(self, fields: Fields, default: Manner) -> Manner:
        """Return how audio is given out by these fields; default: where they do not say."""
        nodes = self._nodes
        if "delta_ms" in fields and "delta_bytes" in fields:
            raise nodes.error(fields["delta_bytes"][0], "delta_ms and delta_bytes; keep one")
        pace, transcript, sizes = default.pace, default.transcript, default.delta_bytes
        if "pace" in fields:
            pace = nodes.pace(fields["pace"][1])
        if "transcript" in fields:
            written = nodes.one_of(fields["transcript"][1], "transcript", [each.value for each in Transcript])
            transcript = Transcript(written)
        if "delta_ms" in fields:
            sizes = ()
        if "delta_bytes" in fields:
            value = fields["delta_bytes"][1]
            each = value.value if isinstance(value, SequenceNode) else [value]
            sizes = tuple(nodes.whole(one, "delta_bytes", 1, _LARGEST_DELTA_BYTES, example=4801) for one in each)
            if not sizes:
                raise nodes.error(value, "delta_bytes: an empty list; write sizes, as in [1, 4801]")
        return Manner(pace, nodes.ms(fields, "delta_ms", default.delta_ms, least=1), sizes, transcript)

    def failure(self, node: Node) -> Fault:
        """Return what a failed response failed for."""
        return FAILURES[self._nodes.one_of(node, "failed", tuple(FAILURES))]

    def worded(self, fault: Fault, fields: Fields) -> Fault:
        """Return a fault with the message, the param and the close that these fields give it, if they do."""
        nodes = self._nodes
        message = nodes.words(fields["message"][1], "message") if "message" in fields else None
        param = nodes.words(fields["param"][1], "param") if "param" in fields else None
        code = self._close_code(fields["close"][1]) if "close" in fields else None
        return altered(fault, message=message, param=param, close_code=code)

    def _say(self, fields: Fields) -> Speak:
        return Speak(self._nodes.words(fields["say"][1], "say"), self._phase(fields))

    def _tone(self, fields: Fields) -> Tone:
        hz = Tone(1).hz
        if "tone_hz" in fields:
            hz = self._nodes.whole(fields["tone_hz"][1], "tone_hz", 100, 3400, example=440)
        return Tone(self._nodes.ms(fields, "tone_ms", least=1), hz, self._said(fields), self._phase(fields))

    def _wav(self, fields: Fields) -> Wav:
        node = fields["wav"][1]
        path = self._nodes.path.parent / self._nodes.words(node, "wav")
        if not path.is_file():
            raise self._nodes.error(node, f"wav: there is no file {path}")
        try:
            wav.read(path)
        except VoiceAgentError as error:
            raise self._nodes.error(node, f"wav: {error}") from error
        return Wav(path, self._said(fields), self._phase(fields))

    def _said(self, fields: Fields) -> str:
        return self._nodes.text(fields["words"][1], "words").strip() if "words" in fields else ""

    def _phase(self, fields: Fields) -> str | None:
        known = ("commentary", "final_answer")
        return self._nodes.one_of(fields["phase"][1], "phase", known) if "phase" in fields else None

    def _call(self, fields: Fields) -> CallTool:
        nodes = self._nodes
        node = fields["call"][1]
        known = ("name", "arguments", "piece_chars", "piece_ms")
        example = 'call: {name: lookup_order, arguments: {order_number: "1042"}}'
        given = nodes.mapping(node, "call", known=known, example=example)
        if "name" not in given:
            raise nodes.error(node, f"call: lacks name, as in `{example}`")
        written = "{}"
        if "arguments" in given:
            value = given["arguments"][1]
            if isinstance(value, MappingNode):
                written = msgspec.json.encode(nodes.plain(value, "arguments")).decode()
            elif isinstance(value, ScalarNode):
                written = nodes.text(value, "arguments")
            else:
                raise nodes.error(value, f"arguments: names with values are needed, or a text, as in `{example}`")
        chars = CallTool("", "").piece_chars
        if "piece_chars" in given:
            chars = nodes.whole(given["piece_chars"][1], "piece_chars", 1, 100_000, example=5)
        return CallTool(nodes.words(given["name"][1], "name"), written, chars, nodes.ms(given, "piece_ms", 0))

    def _speech(self, speech: Speech, fields: Fields) -> Speech:
        self._nodes.yes(fields[speech.value][1], speech.value)
        return speech

    def _fault(self, node: Node) -> Fault:
        nodes = self._nodes
        if isinstance(node, ScalarNode):
            return FAULTS[nodes.one_of(node, "error", tuple(FAULTS))]
        known = ("code", "message", "param", "close")
        fields = nodes.mapping(node, "error", known=known, example="error: {code: server_error, close: 1011}")
        if "code" not in fields:
            raise nodes.error(node, "error: lacks code, as in error: {code: server_error, close: 1011}")
        return self.worded(FAULTS[nodes.one_of(fields["code"][1], "code", tuple(FAULTS))], fields)

    def _event(self, node: Node) -> Mapping[str, object]:
        event = self._nodes.plain(node, "event")
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            raise self._nodes.error(node, "event: lacks type, as in event: {type: response.thinking.delta, delta: hm}")
        return event

    def _close(self, node: Node) -> Close:
        nodes = self._nodes
        if isinstance(node, ScalarNode):
            return Close(self._close_code(node))
        fields = nodes.mapping(node, "close", known=("code", "reason"), example="close: {code: 1011, reason: restart}")
        if "code" not in fields:
            raise nodes.error(node, "close: lacks code, as in close: {code: 1011, reason: restart}")
        reason = nodes.text(fields["reason"][1], "reason") if "reason" in fields else ""
        if len(reason.encode()) > _LONGEST_REASON_BYTES:
            raise nodes.error(fields["reason"][1], f"reason: at most {_LONGEST_REASON_BYTES} bytes fit; shorten it")
        return Close(self._close_code(fields["code"][1]), reason)

    def _close_code(self, node: Node) -> int:
        code = self._nodes.whole(node, "close", 1000, 4999, example=1011)
        if code not in _CLOSE_CODES:
            raise self._nodes.error(
                node, f"close: no close frame carries {code}; write drop: true to break off without one, or 1011"
            )
        return code

    def _drop(self, fields: Fields) -> Close:
        self._nodes.yes(fields["drop"][1], "drop")
        return Close(None)

    def _mute(self, fields: Fields) -> Mute:
        self._nodes.yes(fields["mute"][1], "mute")
        return Mute()
