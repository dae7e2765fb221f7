"""The story of a call, told from its log lines: events and times, no words of anybody.

Times count from the call's start as its `call.start` says; a line that comes before it, or from a log that begins in
the middle, is told with the time of day.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

Line = Mapping[str, object]

_WIDTH = 9
_SHORT = 8
_PLAIN = frozenset({"timestamp", "level", "event", "call_sid"})


class Storyteller:
    """Tells lines one by one, as they come; several calls may be mixed. names_calls: begin each line with its call."""

    def __init__(self, *, names_calls: bool) -> None:
        self._names_calls = names_calls
        self._started: dict[str, datetime] = {}

    def tell(self, line: Line) -> str | None:
        """Return the line's part of the story, or None if it belongs to no call."""
        event, call_sid = line.get("event"), line.get("call_sid")
        if not isinstance(event, str) or not isinstance(call_sid, str):
            return None
        if event == "call.start" and (moment := _moment(line)) is not None:
            self._started[call_sid] = moment
        text = f"{self._time(line, call_sid):>{_WIDTH}}  {sentence(line)}"
        return f"{self._short(call_sid)} {text}" if self._names_calls else text

    def seconds(self, line: Line) -> float | None:
        """How long after its call's start a line was written; None if the start was not told."""
        started, moment = self._started.get(str(line.get("call_sid"))), _moment(line)
        return None if started is None or moment is None else round((moment - started).total_seconds(), 3)

    def _time(self, line: Line, call_sid: str) -> str:
        seconds, moment = self.seconds(line), _moment(line)
        if seconds is not None:
            return f"{seconds:.2f} s"
        return "" if moment is None else f"{moment:%H:%M:%S}"

    def _short(self, call_sid: str) -> str:
        length = _SHORT
        while any(other != call_sid and other.startswith(call_sid[:length]) for other in self._started):
            length += 1
        return _printable(call_sid[:length])


def tell(lines: Iterable[Line]) -> list[str]:
    """Return the story of parsed log lines, one line for each that belongs to a call."""
    kept = list(lines)
    teller = Storyteller(names_calls=len({line["call_sid"] for line in kept if "call_sid" in line}) > 1)
    return [told for line in kept if (told := teller.tell(line)) is not None]


def sentence(line: Line) -> str:
    """Say in words of ours what a line's event is; one that has no sentence is shown with its fields."""
    event = str(line.get("event"))
    say = _SENTENCES.get(event)
    if say is None:
        rest = " ".join(f"{key}={value}" for key, value in line.items() if key not in _PLAIN and value is not None)
        told = f"{event} {rest}".rstrip()
    else:
        told = say(line)
    return _printable(told)


def _printable(text: str) -> str:
    """Without control characters: what a peer wrote (a reason, a code) must not steer the terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _moment(line: Line) -> datetime | None:
    stamp = line.get("timestamp")
    if not isinstance(stamp, str):
        return None
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _number(line: Line, key: str) -> float | None:
    value = line.get(key)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def _seconds(milliseconds: float | None) -> str:
    return "?" if milliseconds is None else f"{milliseconds / 1000:.1f} s"


def _span(line: Line) -> str:
    start_ms, end_ms = _number(line, "start_ms"), _number(line, "end_ms")
    return _seconds(None if start_ms is None or end_ms is None else end_ms - start_ms)


def _count(line: Line, key: str, one: str, many: str) -> str:
    number = _number(line, key)
    if number is None:
        return f"? {many}"
    return f"no {many}" if number == 0 else f"1 {one}" if number == 1 else f"{number:.0f} {many}"


def _word(line: Line, key: str) -> str:
    value = line.get(key)
    return "?" if value is None else str(value).replace("_", " ")


def _call_start(line: Line) -> str:
    version = line.get("agent_version")
    return f"call answered by {line.get('agent')}" + (f" (version {version})" if version else "")


def _call_end(line: Line) -> str:
    duration_s = _number(line, "duration_s")
    parts = [
        _count(line, "turns", "turn", "turns"),
        _count(line, "barge_ins", "barge-in", "barge-ins"),
        _count(line, "tool_calls", "tool call", "tool calls"),
    ]
    if _number(line, "model_losses"):
        parts.append(_count(line, "model_losses", "model lost", "models lost"))
    if (waited_ms := _number(line, "first_audio_ms")) is not None:
        parts.append(f"first audio after {waited_ms:.0f} ms")
    if (waited_ms := _number(line, "response_p50_ms")) is not None:
        parts.append(f"answers after {waited_ms:.0f} ms")
        if (longest_ms := _number(line, "response_max_ms")) is not None and longest_ms > waited_ms:
            parts.append(f"the slowest after {longest_ms:.0f} ms")
    if cost_usd := _number(line, "cost_usd"):
        parts.append(f"cost {cost_usd:.4f} US$")
    return f"call over: {_word(line, 'outcome')} after {_seconds(duration_s and duration_s * 1000)}; {', '.join(parts)}"


def _turn_end(line: Line) -> str:
    deed = "was cut off after" if line.get("interrupted") is True else "spoke for"
    characters = _number(line, "characters")
    length = "not written down" if characters is None else _count(line, "characters", "character", "characters")
    return f"{line.get('speaker')} {deed} {_span(line)} ({length})"


def _disclosure(words: str) -> Callable[[Line], str]:
    def say(line: Line) -> str:
        cut = _number(line, "interruptions")
        return f"{words} ({_span(line)})" + (f", {_count(line, 'interruptions', 'cut', 'cuts')} before" if cut else "")

    return say


def _barge_in(line: Line) -> str:
    heard_ms, generated_ms = _number(line, "heard_ms"), _number(line, "generated_ms")
    if heard_ms is None:
        return "caller interrupts before the agent was heard"
    return f"caller interrupts: {_seconds(heard_ms)} heard of {_seconds(generated_ms)} generated"


def _false_alarm(line: Line) -> str:
    paused_ms = _number(line, "paused_ms")
    after = "" if paused_ms is None else f" after a pause of {_seconds(paused_ms)}"
    return f"a sound that was no interruption: the agent goes on{after}"


def _connected(line: Line) -> str:
    connect_ms = _number(line, "connect_ms")
    return f"{_model(line)} ready" + ("" if connect_ms is None else f" (connected in {connect_ms:.0f} ms)")


def _model(line: Line) -> str:
    """The agent's own model, or the first, second, … of its fallbacks."""
    choice = _number(line, "choice")
    return f"fallback model {choice:.0f}" if choice else "model"


def _lost(line: Line) -> str:
    return f"{_model(line)} lost: {_word(line, 'reason')}" + _for_good(line)


def _unreached(line: Line) -> str:
    return f"{_model(line)} not reached: {_word(line, 'reason')}" + _for_good(line)


def _for_good(line: Line) -> str:
    return ", which another try would not mend" if line.get("is_final") is True else ""


def _settings_differ(line: Line) -> str:
    keys = line.get("keys")
    return "model has other settings than asked: " + (", ".join(map(str, keys)) if isinstance(keys, list) else "?")


def _tool_done(line: Line) -> str:
    duration_ms = _number(line, "duration_ms")
    took = "" if duration_ms is None else f" after {duration_ms:.0f} ms"
    return f"tool {line.get('name')}: {_word(line, 'status')}{took}"


def _refused(line: Line) -> str:
    code = line.get("code")
    return f"model refused a request: {_word(line, 'request')}" + (f" ({code})" if code else "")


_STREAM_ENDS = {
    "stopped": "stream over: the caller hung up",
    "lost": "stream lost: the carrier's line broke",
    "closed": "stream over: we closed it",
}
_SENTENCES: dict[str, Callable[[Line], str]] = {
    "call.start": _call_start,
    "call.end": _call_end,
    "disclosure.heard": _disclosure("disclosure heard to its end"),
    "disclosure.unproven": _disclosure("disclosure spoken, but the proof that it was heard never came"),
    "disclosure.failed": lambda _: "disclosure failed: it could not be spoken",
    "disclosure.hangup": lambda _: "call over before the disclosure was heard",
    "turn.end": _turn_end,
    "barge_in.start": _barge_in,
    "barge_in.false_alarm": _false_alarm,
    "claim.cut": lambda _: "the model claimed to be a human: it was cut off, and the disclosure said again",
    "tool.done": _tool_done,
    "model.ready": _connected,
    "model.lost": _lost,
    "model.renewed": lambda _: "the next session with the model has taken over",
    "model.settings_differ": _settings_differ,
    "model.refused": _refused,
    "model.unreached": _unreached,
    "response.failed": lambda line: f"response failed: {_word(line, 'reason')}",
    "response.incomplete": lambda line: f"response incomplete: {_word(line, 'reason')}",
    "speech.failed": lambda line: f"the {_word(line, 'phrase')} phrase could not be spoken: {_word(line, 'reason')}",
    "record.filed": lambda _: "record filed",
    "record.failed": lambda line: f"record not filed: {_word(line, 'reason')}",
    "call.failed": lambda _: "the call broke over a bug of ours",
    "stream.gaps": lambda line: f"{_count(line, 'lost_messages', 'message', 'messages')} of the carrier never came",
    "stream.stalled": lambda _: "the line to the carrier is congested",
    "stream.end": lambda line: _STREAM_ENDS.get(str(line.get("end")), f"stream over: {_word(line, 'end')}"),
}
