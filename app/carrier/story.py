"""A call told to a person: one line an event, and a few lines of figures at the end."""

from collections.abc import Iterator

from app.carrier.report import CallReport
from app.carrier.timeline import Detail, Event

_TOO_LATE = 0.02
"""Share of frames."""


def line(event: Event) -> str | None:
    """Return an event as a line of the story, None if it is no news to a person."""
    words = _words(event)
    if words is None:
        return None
    at_ms = event.call_ms if event.at_ms is None else event.at_ms
    return f"{at_ms / 1000:8.2f} s  {words}"


def _words(event: Event) -> str | None:
    told: dict[str, Detail] = dict(event.details)
    match event.kind:
        case "call_placed":
            return f"call {told['call_sid']} from {told['from']} to {told['to']} at {told['url']}"
        case "twiml" if told["asked"] != "voice":
            return f"the service is asked what comes next ({told['asked']})"
        case "say":
            return f"the carrier says: {told['text']}"
        case "stream_started":
            return f"stream {told['stream_sid']} begins"
        case "agent_speaks":
            return "agent speaks"
        case "agent_silent":
            return "agent is silent"
        case "caller_words":
            return f"caller: {told['text']}"
        case "caller_barge_in":
            return f"caller interrupts: {told['text']}"
        case "caller_silent":
            return "caller is silent"
        case "dtmf":
            return "caller presses a key"
        case "clear":
            return f"the service clears {told['discarded_ms']} ms of its audio"
        case "expectation":
            got = "nothing" if told["got_ms"] is None else f"{told['got_ms']} ms"
            verdict = "as it should be" if told["met"] else "too late"
            return f"expected the agent within {told['within_ms']} ms: {got}, {verdict}"
        case "warning" | "error":
            return f"{event.kind} {told['code']}: {told['reason']}"
        case "rejected":
            return f"the call is rejected ({told['reason']})"
        case "transferred":
            return f"the call is transferred to {told['to']}"
        case "passed_over":
            return f"<{told['verb']}> is passed over: the offline carrier does not carry it out"
        case "stream_stopped":
            return f"stream ends, closed by the {told['by']} ({told['close_code']})"
        case "call_ended":
            return f"call ends ({told['by']})"
        case _:
            return None


def summary(report: CallReport) -> Iterator[str]:
    """Return the closing lines: figures, warnings, and what went wrong."""
    figures = [f"{report.duration_s:.1f} s", f"ended by {report.ended_by}"]
    if report.time_to_first_audio_ms is not None:
        figures.append(f"first agent audio after {report.time_to_first_audio_ms} ms")
    figures += [f"{stream.stream.traffic.frames_sent} frames sent" for stream in report.streams]
    played = [mark.played for stream in report.streams for mark in stream.marks]
    if played:
        figures.append(f"{sum(played)} of {len(played)} marks played")
    yield "; ".join(figures)
    sent = sum(stream.stream.traffic.frames_sent for stream in report.streams)
    late = sum(stream.stream.traffic.frames_late for stream in report.streams)
    if late > sent * _TOO_LATE:
        yield f"this machine was too busy: {late} of {sent} frames left late, so the times are not to be relied on"
    for words, utterance in report.barge_ins():
        silent_ms = (utterance.end - words.begin) // 8
        yield f"interrupted at {words.begin / 8000:.2f} s, the agent was silent {silent_ms} ms later"
    for code, reason in report.warnings.first.items():
        yield f"warning {code} ({report.warnings.count[code]} times): {reason}"
    for failure in report.failures:
        yield f"FAILED: {failure}"
