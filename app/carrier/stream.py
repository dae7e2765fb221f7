"""One media stream of a call: speaks every 20 ms on an absolute schedule, plays out what comes, returns marks."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from app.carrier.caller import FRAME, Caller
from app.carrier.hearing import WINDOW, Hearing
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


@dataclass(slots=True)
class Traffic:
    """Counts of one stream."""

    frames_sent: int = 0
    frames_late: int = 0
    max_late_ms: float = 0.0
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
    ) -> None:
        """agent: the ear for it, which goes on over several streams of a call; hang_up_at: the caller's last moment."""
        self.stream_sid = stream_sid
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
        self._heard_until = 0
        self._frame = 0
        self._told = len(agent.stretches)
        self._agent_speaks = False  # as far as it was told

    async def run(self, custom_parameters: Mapping[str, str]) -> EndedBy:
        """Open the stream, hold the conversation, close the socket; returns who ended it."""
        socket = self._socket
        socket.write(CONNECTED)
        self._timeline.start_stream()
        self._begin_at = time.monotonic()
        self.begin = self._heard_until = self._timeline.sample(self._begin_at)
        self.playout = PlayOut(self.begin)
        socket.write(self._writer.start(custom_parameters))
        self._timeline.note("stream_started", {"stream_sid": self.stream_sid}, moment=self._begin_at)
        try:
            return await self._converse()
        finally:
            end = self._timeline.sample(time.monotonic() if socket.closed_at is None else socket.closed_at)
            self._return(self.playout.advance(end))
            self._listen(end, to_the_end=True)
            self._caller.break_off()
            if self._agent.stretches:
                self._tell_silence(self._agent.stretches[-1].end)
            await socket.close()

    async def _converse(self) -> EndedBy:
        socket, playout = self._socket, self.playout
        while True:
            self._take_in()
            if socket.closed_at is not None:
                return EndedBy.SERVICE
            now = time.monotonic()
            self._return(playout.advance(self._timeline.sample(now)))
            # one frame a round even when late, so that what arrives meanwhile is not overtaken by a burst of frames
            if self._frame_due() <= now and self._speak(now):
                socket.write(self._writer.stop())
                return EndedBy.CALLER
            if now >= self._hang_up_at:
                self.timed_out = True
                socket.write(self._writer.stop())
                return EndedBy.CALLER
            deadline = playout.deadline
            wake_at = self._frame_due() if deadline is None else min(self._frame_due(), self._timeline.moment(deadline))
            socket.flush()
            await socket.wait_until(wake_at)

    def _frame_due(self) -> float:
        """When the next frame goes: at the end of the 20 ms that it holds."""
        return self._begin_at + (self._frame + 1) * _FRAME_S

    def _take_in(self) -> None:
        """Deal with what has arrived, at the times it arrived."""
        inbox = self._socket.inbox
        while inbox:
            moment, message = inbox.popleft()
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
        for mark in marks:
            self._socket.write(self._writer.mark(mark.name))
        self.marks += marks

    def _speak(self, now: float) -> bool:
        """Send the caller's next 20 ms; True if the caller hangs up instead."""
        at = self.begin + self._frame * FRAME
        self._listen(at)
        frame = self._caller.frame(at, self._agent)
        for note in frame.notes:
            self._timeline.note(note.kind, note.details, moment=self._timeline.moment(note.at))
        for digit in frame.digits:
            self._socket.write(self._writer.dtmf(digit))
        if frame.hang_up:
            return True
        late_s = now - self._frame_due()
        self._socket.write(self._writer.media(frame.ulaw or _SILENCE, self._frame * 20))
        self._frame += 1
        self.traffic.frames_sent += 1
        self.traffic.frames_late += late_s > _LATE_S
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
            sound = self.playout.sound(self._heard_until, until)
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
