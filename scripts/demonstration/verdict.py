"""Did it really happen? Judged by what the caller heard and by what the service put on record, not by either's word."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.carrier.report import CallReport


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    holds: bool
    detail: str


def judge(report: CallReport, record: Mapping[str, object] | None, order: tuple[str, str, str]) -> list[Finding]:
    """Return a finding for each thing that the demonstration promises. order: number, status, day of arrival."""
    findings = [Finding("the call came about", report.ok, "; ".join(report.failures) or f"{report.duration_s:.1f} s")]
    if record is None:
        return [*findings, Finding("the call is on record", False, "no record was filed")]
    disclosure, tools, turns = record["disclosure"], record["tool_calls"], record["turns"]
    assert isinstance(disclosure, dict)
    assert isinstance(tools, list)
    assert isinstance(turns, list)
    heard = [(stretch.begin // 8, stretch.end // 8) for stretch in report.agent_heard]
    end_ms = disclosure["end_ms"] or 0
    findings.append(
        Finding(
            "the disclosure was heard first and to its end",
            disclosure["result"] == "heard" and bool(heard) and heard[0][0] < 500 and _sounds_at(heard, end_ms - 500),
            f"{disclosure['text']!r}, first sound after {heard[0][0] if heard else '?'} ms, proven by mark "
            f"{disclosure['mark']} at {end_ms} ms",
        )
    )
    number, status, _ = order
    looked_up = [call for call in tools if call["arguments"] == {"order_number": number} and call["status"] == "ok"]
    answers = " ".join(str(turn["generated"]) for turn in turns if turn["speaker"] == "agent")
    findings.append(
        Finding(
            f"order {number} was asked for by voice, looked up and told",
            bool(looked_up) and status in str(looked_up[0]["result"]) and status in answers,
            looked_up[0]["result"] if looked_up else "lookup_order was not called for it",
        )
    )
    interruptions = report.barge_ins()
    cut = [turn for turn in turns if turn["speaker"] == "agent" and turn["generated"] != turn["heard"]]
    silent_after = [(stretch.end - words.begin) // 8 for words, stretch in interruptions]
    findings.append(
        Finding(
            "the caller interrupted the agent, which fell silent",
            bool(interruptions) and bool(cut) and min(silent_after) < 1200 and bool(report.streams[0].playout.cleared),
            f"silent {min(silent_after)} ms after the caller's first sound; heard {cut[0]['heard']!r}"
            if silent_after and cut
            else "nobody was interrupted",
        )
    )
    answered = [report.answered_after_ms(n) for n in range(len(report.spoken))]
    waits = ", ".join("never" if ms is None else f"{ms} ms" for ms in answered)
    findings.append(
        Finding(
            "the interruption was answered",
            len(answered) == 3 and answered[1] is not None and "November" in answers,
            f"answers began {waits} after the caller's words",
        )
    )
    findings.append(
        Finding(
            "the caller said goodbye and hung up",
            record["outcome"] == "caller_hung_up" and report.ended_by == "caller",
            f"{record['outcome']}; {len(turns)} turns",
        )
    )
    return findings


def _sounds_at(heard: list[tuple[int, int]], ms: int) -> bool:
    """Was the agent audible within half a second of that moment?"""
    return any(begin - 500 <= ms <= end + 500 for begin, end in heard)
