"""A record as a page for people: who said what and when, what was heard of it, what was looked up."""

import textwrap

import msgspec

from app.records.record import CallRecord, DisclosureRecord, ToolCallRecord, TurnRecord
from app.session.words import DisclosureResult

_WIDTH = 100
_RESULTS = {
    DisclosureResult.HEARD: "heard to its end",
    DisclosureResult.UNPROVEN: "spoken, but the proof that it was heard never came",
    DisclosureResult.FAILED: "failed: it was not spoken",
    DisclosureResult.HANGUP: "not heard to its end: the call was over before",
}


def page(record: CallRecord) -> str:
    """Return the record as lines of text, times in seconds from the stream's start."""
    parts = [
        f"call      {record.call_sid}",
        f"agent     {record.agent} (version {record.agent_version})",
        f"time      {record.started_at} to {record.ended_at}, {record.duration_s:.1f} s",
        f"outcome   {record.outcome.value}",
        f"          {_counts(record)}",
        *_cost(record),
        "",
        *_disclosure(record.disclosure),
        "",
        "turns",
        *(line for turn in record.turns for line in _turn(turn)),
    ]
    if not record.turns:
        parts.append("  none")
    if record.tool_calls:
        parts += ["", "tool calls", *(line for call in record.tool_calls for line in _tool_call(call))]
    if record.usage:
        width = max(map(len, record.usage))
        parts += ["", "usage", *(f"  {name:<{width}}  {amount:>8}" for name, amount in record.usage.items())]
    return "\n".join(map(_printable, parts)) + "\n"


def _counts(record: CallRecord) -> str:
    told = [
        _count(len(record.turns), "turn", "turns"),
        _count(record.barge_ins, "barge-in", "barge-ins"),
        _count(len(record.tool_calls), "tool call", "tool calls"),
    ]
    if record.model_losses:
        told.append(_count(record.model_losses, "model loss", "model losses"))
    return ", ".join(told)


def _cost(record: CallRecord) -> list[str]:
    if record.cost_usd is not None:
        return [f"cost      {record.cost_usd:.4f} US$"]
    return ["cost      not known: the price of something that was used is missing"] if record.usage else []


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _disclosure(disclosure: DisclosureRecord) -> list[str]:
    proof = f", proven by mark {disclosure.mark}" if disclosure.mark is not None else ""
    cut = f", cut {_count(disclosure.interruptions, 'time', 'times')}" if disclosure.interruptions else ""
    return [
        f"disclosure ({disclosure.language}) {_RESULTS[disclosure.result]}{proof}{cut}",
        *_said(f"{_span(disclosure.start_ms, disclosure.end_ms)}  agent   ", disclosure.text),
        f"  sha256 {disclosure.sha256}",
    ]


def _turn(turn: TurnRecord) -> list[str]:
    begin = f"{_span(turn.start_ms, turn.end_ms)}  {turn.speaker.value:<6}  "
    lines = _said(begin, turn.heard if turn.heard is not None else "(not written down)")
    if turn.generated is not None and turn.generated != turn.heard:
        lines += _said(" " * (len(begin) - 8) + "unheard ", _unheard(turn.generated, turn.heard or ""))
    return lines


def _unheard(generated: str, heard: str) -> str:
    """What was generated behind the heard words, or all of it when those do not begin it."""
    return "… " + generated[len(heard) :].strip() if heard and generated.startswith(heard) else generated


def _tool_call(call: ToolCallRecord) -> list[str]:
    arguments = call.arguments if isinstance(call.arguments, str) else msgspec.json.encode(call.arguments).decode()
    return [*_said("  ", f"{call.name} {arguments}"), *_said(f"    {call.status.value}: ", call.result)]


def _span(start_ms: int | None, end_ms: int | None) -> str:
    start = "?" if start_ms is None else f"{start_ms / 1000:.2f}"
    end = "?" if end_ms is None else f"{end_ms / 1000:.2f}"
    return f"  {start:>7} – {end:>7} s"


def _said(begin: str, text: str) -> list[str]:
    """The text behind its beginning, wrapped under itself."""
    rows = textwrap.wrap(" ".join(text.split()), _WIDTH - len(begin)) or [""]
    return [begin + rows[0], *(" " * len(begin) + row for row in rows[1:])]


def _printable(text: str) -> str:
    """Without control characters: what a peer wrote must not steer the terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)
