"""What is known of a call when it is over: the report that programs read, and the recording."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from app.audio import mulaw
from app.audio.wav import Recording, interleave
from app.carrier.callbacks import Callback
from app.carrier.caller import Expectation, Spoken
from app.carrier.hearing import Stretch
from app.carrier.judge import Interruption, Proof, judge_disclosure, judge_interruptions, late_audio
from app.carrier.line import packets_lost, sounded
from app.carrier.playout import LINE_HZ, PlayOut, ReturnedMark
from app.carrier.record import ServiceRecord
from app.carrier.stream import BREATH, MediaStream
from app.carrier.timeline import Event, Warnings

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class TwimlAnswer:
    """What a webhook answered: `asked` is voice, after or redirect."""

    asked: str
    url: str
    status: int
    body: str


@dataclass(frozen=True, slots=True)
class Said:
    """A <Say> of the carrier's own voice from sample `begin` to `end`; pcm (8 kHz) is empty if there was no voice."""

    begin: int
    end: int
    text: str
    pcm: bytes


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One media stream of the call. Times are samples of the line."""

    stream_sid: str
    begin: int
    end: int
    ended_by: str
    close_code: int | None
    close_reason: str
    marks: tuple[ReturnedMark, ...]
    playout: PlayOut
    stream: MediaStream


@dataclass(slots=True)
class CallReport:
    """Everything about one call. Samples count from the stream's start (8 a ms); before it they are negative."""

    call_sid: str
    to_number: str
    from_number: str
    url: str
    placed_at: str
    ended_by: str = "error"
    duration_s: float = 0.0
    answers: list[TwimlAnswer] = field(default_factory=list)
    streams: list[StreamReport] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    transferred_to: str | None = None
    rejected: str | None = None
    failures: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)
    caller_sound: list[tuple[int, bytes]] = field(default_factory=list)
    agent_heard: list[Stretch] = field(default_factory=list)
    expectations: list[Expectation] = field(default_factory=list)
    warnings: Warnings = field(default_factory=Warnings)
    record: ServiceRecord | None = None
    """The service's own record of the call, if it is at hand."""
    record_missing: str = ""
    """Why it is not."""

    @property
    def ok(self) -> bool:
        """The call came about, went as the script wanted, and nothing failed."""
        return not self.failures

    @property
    def stream_sid(self) -> str | None:
        return self.streams[0].stream_sid if self.streams else None

    @property
    def close_code(self) -> int | None:
        """How the service closed the (last) stream; 1006: it was lost."""
        return self.streams[-1].close_code if self.streams else None

    @property
    def after(self) -> str | None:
        """The TwiML that was answered when the stream had ended."""
        return next((answer.body for answer in reversed(self.answers) if answer.asked == "after"), None)

    @property
    def time_to_first_audio_ms(self) -> int | None:
        """From the stream's start to the first audible sample of the agent."""
        return self.agent_heard[0].begin // 8 if self.agent_heard else None

    @property
    def time_to_first_media_ms(self) -> int | None:
        """From the stream's start to the arrival of the first audio, audible or not."""
        first = self.streams[0].stream.first_audio_at if self.streams else None
        return None if first is None else first // 8

    def answered_after_ms(self, number: int) -> int | None:
        """From the end of the caller's words (counted from 0) to the agent's next onset before the caller's next."""
        end = self.spoken[number].end
        until = self.spoken[number + 1].begin if number + 1 < len(self.spoken) else None
        onset = next((heard.begin for heard in self.agent_heard if heard.begin >= end), None)
        return None if onset is None or (until is not None and onset >= until) else (onset - end) // 8

    def utterances(self) -> list[Stretch]:
        """What the agent said, stretches joined over pauses of a breath (600 ms) unless a `clear` lies in them."""
        clears = [cleared.at for stream in self.streams for cleared in stream.playout.cleared]
        joined: list[Stretch] = []
        for stretch in self.agent_heard:
            before = joined[-1] if joined else None
            if (
                before is not None
                and stretch.begin - before.end < BREATH
                and not any(before.end <= at <= stretch.begin for at in clears)
            ):
                before.end = stretch.end
            else:
                joined.append(replace(stretch))
        return joined

    def barge_ins(self) -> list[tuple[Spoken, Stretch]]:
        """The caller's words that began while the agent was speaking, with the utterance they fell into."""
        utterances = self.utterances()
        return [
            (words, utterance)
            for words in self.spoken
            for utterance in utterances
            if utterance.begin < words.begin < utterance.end
        ]

    def interruptions(self) -> list[Interruption]:
        """What each interruption cut, against what the service took for heard."""
        return judge_interruptions([stream.playout for stream in self.streams], self.record, self.record_missing)

    def disclosure(self) -> Proof:
        """Was the disclosure heard, whole and before all else?"""
        said = [said.text for said in self.said if said.end <= 0]
        first = self.streams[0] if self.streams else None
        playout, marks = (None, ()) if first is None else (first.playout, first.marks)
        return judge_disclosure(playout, marks, said, self.record, self.record_missing)

    def recording(self) -> Recording:
        """Return both sides as they were on the line: 8 kHz, caller left, agent right.

        It begins with the stream, or earlier if <Say> spoke before it (`recording_from_ms` in the report).
        """
        begin = min([0, *(said.begin for said in self.said if said.pcm)])
        caller = [(at, mulaw.decode(ulaw)) for at, ulaw in self.caller_sound]
        agent = [(said.begin, said.pcm) for said in self.said]
        for stream in self.streams:
            ulaw = sounded(stream.stream.line, stream.playout, stream.begin, stream.end, origin=stream.begin)
            agent.append((stream.begin, mulaw.decode(ulaw)))
        end = max(
            [stream.end for stream in self.streams] + [at + len(pcm) // 2 for at, pcm in caller + agent], default=0
        )
        return Recording(LINE_HZ, 2, interleave(_lay_out(caller, begin, end), _lay_out(agent, begin, end)))

    def to_json(self) -> dict[str, Json]:
        """Return the report as JSON values; every `_ms` and `at` counts from the stream's start."""
        streams = [_stream_json(stream) for stream in self.streams]
        return {
            "call_sid": self.call_sid,
            "stream_sid": self.stream_sid,
            "to": self.to_number,
            "from": self.from_number,
            "url": self.url,
            "placed_at": self.placed_at,
            "ok": self.ok,
            "failures": list[Json](self.failures),
            "ended_by": self.ended_by,
            "close_code": self.close_code,
            "transferred_to": self.transferred_to,
            "rejected": self.rejected,
            "duration_s": round(self.duration_s, 3),
            "stream_ms": sum((stream.end - stream.begin) // 8 for stream in self.streams),
            "frames_sent": sum(stream.stream.traffic.frames_sent for stream in self.streams),
            "frames_late": sum(stream.stream.traffic.frames_late for stream in self.streams),
            "recording_from_ms": min([0, *(said.begin // 8 for said in self.said if said.pcm)]),
            "time_to_first_media_ms": self.time_to_first_media_ms,
            "time_to_first_audio_ms": self.time_to_first_audio_ms,
            "caller_spoke": [
                {
                    "start_ms": words.begin // 8,
                    "end_ms": words.end // 8,
                    "text": words.text,
                    "answered_after_ms": self.answered_after_ms(number),
                }
                for number, words in enumerate(self.spoken)
            ],
            "agent_heard": [{"start_ms": heard.begin // 8, "end_ms": heard.end // 8} for heard in self.agent_heard],
            "said": [{"start_ms": said.begin // 8, "end_ms": said.end // 8, "text": said.text} for said in self.said],
            "barge_ins": [
                {
                    "caller_start_ms": words.begin // 8,
                    "agent_silent_ms": stretch.end // 8,
                    "time_to_silence_ms": (stretch.end - words.begin) // 8,
                    "overlap_ms": (min(words.end, stretch.end) - words.begin) // 8,
                }
                for words, stretch in self.barge_ins()
            ],
            "expectations": [
                {"step": each.step, "within_ms": each.within_ms, "got_ms": each.got_ms, "met": each.met}
                for each in self.expectations
            ],
            "marks": [
                {
                    "name": mark.name,
                    "sent_at": mark.sent_at // 8,
                    "returned_at": mark.returned_at // 8,
                    "played": mark.played,
                }
                for stream in self.streams
                for mark in stream.marks
            ],
            "clears": [
                {
                    "at_ms": cleared.at // 8,
                    "discarded_ms": cleared.size // 8,
                    "late_ms": late_audio(stream.playout, number) // 8,
                }
                for stream in self.streams
                for number, cleared in enumerate(stream.playout.cleared)
            ],
            "interruptions": [_interruption_json(each) for each in self.interruptions()],
            "disclosure": _proof_json(self.disclosure()),
            "streams": list[Json](streams),
            "warnings": [
                {"code": code, "reason": reason, "count": self.warnings.count[code]}
                for code, reason in self.warnings.first.items()
            ],
            "twiml": [
                {"asked": answer.asked, "url": answer.url, "status": answer.status, "body": answer.body}
                for answer in self.answers
            ],
            "after": self.after,
            "callbacks": [{"url": each.url, "event": each.event, "status": each.status} for each in self.callbacks],
            "events": [_event_json(event) for event in self.events],
        }


def _event_json(event: Event) -> Json:
    details: Mapping[str, Json] = event.details
    return {"at_ms": event.at_ms, "call_ms": event.call_ms, "kind": event.kind, **details}


def _interruption_json(each: Interruption) -> Json:
    claim = each.claim
    return {
        "at_ms": None if each.at is None else each.at // 8,
        "discarded_ms": each.discarded // 8,
        "item_id": None if claim is None else claim.item_id,
        "mark": None if claim is None else claim.mark,
        "heard_ms": None if claim is None else claim.heard_ms,
        "generated_ms": None if claim is None else claim.generated_ms,
        "truly_heard_ms": each.truly_heard_ms,
        "position_error_ms": each.error_ms,
        "why": each.why or None,
    }


def _proof_json(proof: Proof) -> Json:
    return {
        "proven": proof.is_proven,
        "why": proof.why or None,
        "mark": proof.mark,
        "returned_at_ms": None if proof.returned_at is None else proof.returned_at // 8,
        "clears_while_outstanding": proof.clears,
        "audio_before_ms": proof.before_ms,
        "other_audio_ms": proof.other_ms,
    }


def _stream_json(report: StreamReport) -> dict[str, Json]:
    playout, traffic = report.playout, report.stream.traffic
    heard = sum(piece.size for piece in playout.heard)
    discarded = sum(cleared.size for cleared in playout.cleared)
    return {
        "stream_sid": report.stream_sid,
        "start_ms": report.begin // 8,
        "end_ms": report.end // 8,
        "ended_by": report.ended_by,
        "close_code": report.close_code,
        "close_reason": report.close_reason,
        "frames_sent": traffic.frames_sent,
        "frames_late": traffic.frames_late,
        "frames_lost": traffic.frames_lost,
        "agent_frames_lost": packets_lost(report.stream.line, playout, origin=report.begin),
        "max_late_ms": traffic.max_late_ms,
        "media_received": traffic.media,
        "marks_received": traffic.marks,
        "clears_received": traffic.clears,
        "audio_received_ms": len(playout.sent) // 8,
        "audio_heard_ms": heard // 8,
        "audio_discarded_ms": discarded // 8,
        "audio_unplayed_ms": playout.queued_bytes // 8,
    }


def _lay_out(pieces: list[tuple[int, bytes]], begin: int, end: int) -> bytes:
    line = np.zeros(end - begin, dtype="<i2")
    for at, pcm in pieces:
        line[at - begin : at - begin + len(pcm) // 2] = np.frombuffer(pcm, dtype="<i2")
    return line.tobytes()
