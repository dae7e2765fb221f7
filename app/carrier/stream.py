"""One media stream of a call: speaks every 20 ms on an absolute schedule, plays out what comes, returns marks."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from app.carrier.caller import FRAME, Caller
from app.carrier.hearing import WINDOW, Hearing
from app.carrier.line import Fault, Line, Passage, sounded
from app.carrier.media_socket import MediaSocket
from app.carrier.messages import CONNECTED, Clear, Mark, Media, Violation, Writer, read
from app.carrier.playout import LINE_HZ, PlayOut, ReturnedMark
from app.carrier.timeline import Timeline, Warnings

_SILENCE = b"\xff" * FRAME
_FRAME_S = FRAME / LINE_HZ
_LATE_S = 0.010
"""A frame that leaves later than this after its time counts as late: the fault of this process, not of the service."""

BREATH = 600 * 8
"""A shorter pause does not end an utterance; `agent_speaks` and `agent_silent` tell of utterances only."""


class EndedBy(Enum):
    CALLER = "caller"
    SERVICE = "service"
    LINE = "line"
    """The connection was lost between them."""


@dataclass(slots=True)
class Traffic:
    """Counts of one stream."""

    frames_sent: int = 0
    frames_late: int = 0
    frames_lost: int = 0
    """Of the caller, between telephone and carrier."""
    max_late_ms: float = 0.0
    late_at: list[int] = field(default_factory=list)
    """The samples of those late frames: around them what arrived may have been stamped late as well."""
    media: int = 0
    media_bytes: int = 0
    marks: int = 0
    clears: int = 0


class MediaStream:
    """Runs one stream until somebody ends it. Everything happens in `run`, in one task."""

    def __init__(
        self,
        socket: MediaSocket,
        *,
        stream_sid: str,
        writer: Writer,
        caller: Caller,
        agent: Hearing,
        timeline: Timeline,
        warnings: Warnings,
        hang_up_at: float,
        line: Line,
    ) -> None:
        """agent: the ear for it, which goes on over several streams of a call; hang_up_at: the caller's last moment."""
        self.stream_sid = stream_sid
        self.line = line
        self.marks: list[ReturnedMark] = []
        self.traffic = Traffic()
        self.first_audio_at: int | None = None
        self.timed_out = False
        self.begin = 0
        self.playout = PlayOut()
        self._socket, self._writer = socket, writer
        self._caller, self._agent = caller, agent
        self._timeline, self._warnings = timeline, warnings
        self._hang_up_at = hang_up_at
        self._begin_at = 0.0
        self._ended_at: float | None = None
        self._from_service: Passage[str | bytes | None] = line.to_carrier()
        self._to_service: Passage[str] = line.to_service()
        self._held_marks: deque[tuple[float, str]] = deque()
        self._faults: deque[tuple[float, Fault]] = deque()
        self._heard_until = 0
        self._frame = 0
        self._told = len(agent.stretches)
        self._agent_speaks = False  # as far as it was told

    async def run(self, custom_parameters: Mapping[str, str]) -> EndedBy:
        """Open the stream, hold the conversation, close the socket; returns who ended it."""
        self._begin_at = time.monotonic()
        self._timeline.start_stream(self._begin_at)
        self.begin = self._heard_until = self._timeline.sample(self._begin_at)
        self.playout = PlayOut(self.begin)
        self._faults = deque((self._begin_at + after_s, fault) for after_s, fault in self.line.faults())
        self._to_service.enter(self._begin_at, CONNECTED)
        self._to_service.enter(self._begin_at, self._writer.start(custom_parameters))
        self._timeline.note("stream_started", {"stream_sid": self.stream_sid}, moment=self._begin_at)
        try:
            ended_by = await self._converse()
            if ended_by is EndedBy.CALLER:
                await self._see_off()
            return ended_by
        finally:
            end = self._timeline.sample(time.monotonic() if self._ended_at is None else self._ended_at)
            self.marks += self.playout.advance(end)
            self._listen(end, to_the_end=True)
            self._caller.break_off()
            if self._agent.stretches:
                self._tell_silence(self._agent.stretches[-1].end)
            self._socket.resume()  # or its closing handshake would not be seen
            await self._socket.close()

    async def _converse(self) -> EndedBy:
        socket, playout = self._socket, self.playout
        while True:
            now = time.monotonic()
            if self._befall(now):
                self._ended_at = now
                return EndedBy.LINE
            if self._take_in(now):
                return EndedBy.SERVICE
            self._return(playout.advance(self._timeline.sample(now)))
            self._give_marks_back(now)
            # one frame a round even when late, so that what arrives meanwhile is not overtaken by a burst of frames
            hangs_up = self._frame_due() <= now and self._speak(now)
            if not hangs_up and now >= self._hang_up_at:
                hangs_up = self.timed_out = True
            if hangs_up:
                self._ended_at = now
                self._to_service.enter(now, self._writer.stop())
            self._send(now)
            if hangs_up:
                return EndedBy.CALLER
            await socket.wait_until(self._wake_at())

    def _wake_at(self) -> float:
        """When something is to be done next, unless something arrives."""
        times: list[float | None] = [self._frame_due(), self._from_service.next_at, self._to_service.next_at]
        if (deadline := self.playout.deadline) is not None:
            times.append(self._timeline.moment(deadline))
        times += [self._held_marks[0][0] if self._held_marks else None, self._faults[0][0] if self._faults else None]
        return min(when for when in times if when is not None)

    async def _see_off(self) -> None:
        """Wait until the caller's last message has left the line; what the service says meanwhile is not heard."""
        while (next_at := self._to_service.next_at) is not None:
            if any(message is None for _, message in self._socket.inbox):
                return
            self._socket.inbox.clear()
            await self._socket.wait_until(next_at)
            self._send(time.monotonic())

    def _befall(self, now: float) -> bool:
        """Let the line's faults happen that are due; True if it is lost by one."""
        while self._faults and self._faults[0][0] <= now:
            match self._faults.popleft()[1]:
                case Fault.STALL:
                    self._timeline.note("line_stalled", {"ms": self.line.stall_ms})
                    self._socket.stall()
                case Fault.RESUME:
                    self._timeline.note("line_resumed")
                    self._socket.resume()
                case Fault.DROP:
                    self._timeline.note("line_dropped")
                    self._socket.drop()
                    return True
        return False

    def _frame_due(self) -> float:
        """When the next frame goes: at the end of the 20 ms that it holds."""
        return self._begin_at + (self._frame + 1) * _FRAME_S

    def _take_in(self, now: float) -> bool:
        """Deal with what has come out of the line, at the times it did; True if the service has left."""
        inbox = self._socket.inbox
        while inbox:
            self._from_service.enter(*inbox.popleft())
        for moment, message in self._from_service.leave(now):
            if message is None:
                self._ended_at = moment
                return True
            self._take(moment, message)
        return False

    def _take(self, moment: float, message: str | bytes) -> None:
        at = self._timeline.sample(moment)
        match read(message, self.stream_sid):
            case Media(ulaw):
                self.traffic.media += 1
                self.traffic.media_bytes += len(ulaw)
                if self.first_audio_at is None and ulaw:
                    self.first_audio_at = at
                    self._timeline.note("first_audio", moment=moment)
                self._return(self.playout.arrived(at, ulaw))
            case Mark(name):
                self.traffic.marks += 1
                self._return(self.playout.mark(at, name))
            case Clear():
                self.traffic.clears += 1
                self._return(self.playout.clear(at))
                discarded_ms = self.playout.cleared[-1].size // 8
                self._timeline.note("clear", {"discarded_ms": discarded_ms}, moment=moment)
            case Violation(code, reason):
                self._timeline.warn(self._warnings, code, reason, moment=moment)

    def _return(self, marks: list[ReturnedMark]) -> None:
        self.marks += marks
        for mark in marks:
            after_s = self.line.mark_leaves_at((mark.returned_at - self.begin) / LINE_HZ)
            self._held_marks.append((self._begin_at + after_s, mark.name))

    def _give_marks_back(self, now: float) -> None:
        while self._held_marks and self._held_marks[0][0] <= now:
            leaves_at, name = self._held_marks.popleft()
            self._to_service.enter(leaves_at, self._writer.mark(name))

    def _send(self, now: float) -> None:
        """Send what has come to the line's other end by now."""
        for _, text in self._to_service.leave(now):
            self._socket.write(text)
        self._socket.flush()

    def _speak(self, now: float) -> bool:
        """Send the caller's next 20 ms; True if the caller hangs up instead."""
        at = self.begin + self._frame * FRAME
        self._listen(at)
        frame = self._caller.frame(at, self._agent)
        for note in frame.notes:
            self._timeline.note(note.kind, note.details, moment=self._timeline.moment(note.at))
        for digit in frame.digits:
            self._to_service.enter(now, self._writer.dtmf(digit))
        if frame.hang_up:
            return True
        late_s = now - self._frame_due()
        number, self._frame = self._frame, self._frame + 1
        if self.line.loses_from_caller(number):
            self.traffic.frames_lost += 1
            return False
        self._to_service.enter(now, self._writer.media(frame.ulaw or _SILENCE, number * 20))
        self.traffic.frames_sent += 1
        if late_s > _LATE_S:
            self.traffic.frames_late += 1
            self.traffic.late_at.append(at)
        self.traffic.max_late_ms = max(self.traffic.max_late_ms, round(late_s * 1000, 1))
        return False

    def _listen(self, until: int, *, to_the_end: bool = False) -> None:
        """Let the caller's ear hear what has been played, in whole windows, and tell when the agent began or ended.

        to_the_end: nothing will come any more, so a broken last window is heard too.
        """
        until = min(until, self.playout.now)
        if not to_the_end:
            until -= (until - self._heard_until) % WINDOW
        if until > self._heard_until:
            sound = sounded(self.line, self.playout, self._heard_until, until, origin=self.begin)
            if sound:
                self._agent.hear(self._heard_until, sound + _SILENCE[: -len(sound) % WINDOW])
            self._heard_until = until
        stretches = self._agent.stretches
        while self._told < len(stretches):
            if self._told and stretches[self._told].begin - stretches[self._told - 1].end >= BREATH:
                self._tell_silence(stretches[self._told - 1].end)
            if not self._agent_speaks:
                self._tell("agent_speaks", stretches[self._told].begin)
                self._agent_speaks = True
            self._told += 1
        if stretches and until - stretches[-1].end >= BREATH:
            self._tell_silence(stretches[-1].end)

    def _tell_silence(self, since: int) -> None:
        if self._agent_speaks:
            self._tell("agent_silent", since)
            self._agent_speaks = False

    def _tell(self, kind: str, sample: int) -> None:
        self._timeline.note(kind, moment=self._timeline.moment(sample))
