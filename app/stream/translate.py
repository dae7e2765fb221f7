"""The stream's messages ⇄ the session's words. Pure: no socket, no clock; it remembers the filters' tails and counts.

The audio inside the call is PCM16 at 24 kHz, or G.711 as on the wire: then every frame goes through as it is.

Beside it runs our own ear: it is told what is sent and hears what comes, and each frame takes its verdict along. It has
the wire's own frames either way, and makes of them the samples that it needs.

The session numbers its marks by generation and number; on the wire a mark's name is "generation:number".
"""

import re
from typing import assert_never

from app.audio.formats import PCM16_24K, AudioFormat
from app.audio.speech_detector import SpeechDetector
from app.audio.transcoder import downlink_from, uplink_to
from app.audio.voice_model import MODELS, VoiceModels
from app.session.commands import ClearPlayback, ListenClosely, PlayAudio, SendMark
from app.session.events import CallerAudio, CallerDigit, PlaybackReached, StreamEnded
from app.session.words import StreamEnd, Verdict
from app.stream.messages import Connected, Dtmf, Mark, Media, Message, Passed, Start, Stop, Wording

PlaybackCommand = PlayAudio | SendMark | ClearPlayback | ListenClosely
CallerEvent = CallerAudio | CallerDigit | PlaybackReached | StreamEnded

_MARK_NAME = re.compile(r"(0|[1-9][0-9]{0,17}):(0|[1-9][0-9]{0,17})", re.ASCII)
_DIGITS = frozenset("0123456789*#ABCD")
_ULAW_BYTES_PER_MS = 8
_UNTIMED = float("-inf")
_VERDICTS = (Verdict.SILENCE, Verdict.SOUND, Verdict.SPEECH)
"""By the number that the detector's judgement has."""


class Translator:
    """Translates one stream, from its `start` on. audio: how the call's audio is written on our side.

    lost_messages: numbers that the carrier's counting left out. lost_audio_ms: the most by which the audio that came
    was behind the carrier's timestamps.
    """

    __slots__ = (
        "_detector",
        "_downlink",
        "_next_number",
        "_origin_ms",
        "_received_bytes",
        "_start",
        "_uplink",
        "_wording",
        "lost_audio_ms",
        "lost_messages",
    )

    def __init__(self, start: Start, models: VoiceModels = MODELS, *, audio: AudioFormat = PCM16_24K) -> None:
        self._start = start
        self._wording = Wording(stream_sid_of(start))
        self._uplink = uplink_to(audio)
        self._downlink = downlink_from(audio)
        self._detector = SpeechDetector(models)
        self._next_number = start.sequence_number + 1
        # the timestamp of the stream's first byte, later by what was lost since: a later one than expected is news
        self._origin_ms = _UNTIMED
        self._received_bytes = 0
        self.lost_messages = 0
        self.lost_audio_ms = 0

    def event(self, message: Message) -> CallerEvent | Passed | None:
        """Return what the message means in the call: an event, nothing (None), or why it is passed over."""
        number = message.sequence_number
        if number != self._next_number:
            self._count_gap(number)
        else:
            self._next_number = number + 1
        match message:
            case Media():
                media = message.media
                if media.track != "inbound":
                    return Passed.UNKNOWN  # the agent's own voice, on streams that we do not ask for
                ulaw = media.payload
                if media.timestamp > self._origin_ms + self._received_bytes // _ULAW_BYTES_PER_MS:
                    self._count_lateness(media.timestamp)
                self._received_bytes += len(ulaw)
                if not ulaw:
                    return None
                return CallerAudio(self._uplink.push(ulaw), _VERDICTS[self._detector.judge(ulaw)])
            case Mark():
                name = _MARK_NAME.fullmatch(message.mark.name)
                if name is None:
                    return Passed.UNKNOWN  # no mark of ours
                return PlaybackReached(int(name[1]), int(name[2]))
            case Dtmf():
                digit = message.dtmf.digit
                return CallerDigit(digit) if digit in _DIGITS else Passed.BROKEN
            case Stop():
                return StreamEnded(StreamEnd.STOPPED)
            case Start():
                return None if message.start == self._start.start else Passed.BROKEN
            case Connected():
                return None
        assert_never(message)

    def messages(self, command: PlaybackCommand) -> tuple[bytes, ...]:
        """Return the messages that carry the command out, as JSON texts in the order of sending."""
        match command:
            case PlayAudio(audio, ends):
                ulaw = self._downlink.push(audio) if audio else b""
                if ends:
                    ulaw += self._downlink.flush()
                if not ulaw:
                    return ()
                self._detector.agent_audio(ulaw)
                return (self._wording.media(ulaw),)
            case SendMark(generation, number):
                return (self._wording.mark(generation, number),)
            case ClearPlayback():
                self._downlink.reset()
                self._detector.cleared()
                return (self._wording.clear,)
            case ListenClosely(on):
                self._detector.listen_closely(on)
                return ()
        assert_never(command)

    def end(self) -> None:
        """No more will be heard: give back what listening closely has borrowed."""
        self._detector.listen_closely(False)

    def _count_gap(self, number: int) -> None:
        """Count the numbers left out. One that has been before, or none at all, says nothing: TCP reorders nothing."""
        if number > self._next_number:
            self.lost_messages += number - self._next_number
            self._next_number = number + 1

    def _count_lateness(self, timestamp_ms: int) -> None:
        """Take in a timestamp that is later than was expected, the first one, or none."""
        if timestamp_ms < 0:
            return
        origin_ms = timestamp_ms - self._received_bytes // _ULAW_BYTES_PER_MS
        if self._origin_ms != _UNTIMED:
            lost_ms = round(origin_ms - self._origin_ms)
            self._detector.missed(lost_ms)
            self.lost_audio_ms += lost_ms
        self._origin_ms = origin_ms


def stream_sid_of(start: Start) -> str:
    """Return the stream's id, which `start` carries twice."""
    return start.stream_sid or start.start.stream_sid
