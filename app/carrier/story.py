"""A call told to a person: one line an event, and a few lines of figures at the end."""

from collections.abc import Iterator

from app.carrier.judge import late_audio
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
        case "line_stalled":
            return f"the carrier stops reading its socket for {told['ms']} ms"
        case "line_resumed":
            return "the carrier reads its socket again"
        case "line_dropped":
            return "the connection is reset"
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


def judgement(report: CallReport) -> Iterator[str]:
    """Return what the carrier, who knows what was truly heard, has to say about the service: a short table."""
    yield "what the caller truly heard:"
    interruptions = report.interruptions()
    for each in interruptions:
        at = "interruption" if each.at is None else f"cleared at {each.at / 8000:.2f} s"
        if each.claim is None or each.truly_heard_ms is None or each.error_ms is None:
            yield f"  {at:<22}  position error not known: {each.why}"
        else:
            what = each.claim.item_id or "a phrase"
            yield (
                f"  {at:<22}  {what}: {each.truly_heard_ms:.0f} ms heard, {each.claim.heard_ms} ms told to the model, "
                f"position error {each.error_ms:+.1f} ms"
            )
    for words, utterance in report.barge_ins():
        silent_ms = (utterance.end - words.begin) // 8
        overlap_ms = (min(words.end, utterance.end) - words.begin) // 8
        at = f"interrupted at {words.begin / 8000:.2f} s"
        yield f"  {at:<22}  time to silence {silent_ms} ms, overlap {overlap_ms} ms"
    clears = [(stream.playout, number) for stream in report.streams for number in range(len(stream.playout.cleared))]
    if clears:
        late_ms = sum(late_audio(playout, number) for playout, number in clears) // 8
        yield f"  {'after clear':<22}  {late_ms} ms of cleared audio"
    elif not interruptions:
        yield f"  {'interruptions':<22}  none"
    proof = report.disclosure()
    if proof.is_proven and proof.returned_at is not None:
        yield (
            f"  {'disclosure':<22}  proven: mark {proof.mark} came back played at {proof.returned_at / 8000:.2f} s, "
            f"behind {proof.before_ms} ms of agent audio and nothing else"
        )
    else:
        verdict = {True: "proven", False: "NOT PROVEN", None: "not judged"}[proof.is_proven]
        yield f"  {'disclosure':<22}  {verdict}: {proof.why}"
