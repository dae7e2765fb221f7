"""The input audio buffer: where the caller's turns begin and end, what of the sound is kept, and when silence is news.

All times are positions in the audio that was appended, not moments of a clock: a client that sends faster or slower
than real time gets the same turns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from app.audio.formats import PCM16_24K, ULAW_8K, AudioFormat
from app.audio.transcoder import Uplink
from app.local.protocol import new_id
from app.local.session_settings import TurnDetection
from app.local.shapes import RequestError
from app.local.vad import SpeechStarted, SpeechStopped

SHORTEST_COMMIT_MS = 100
_LEAD_MS = 300
_TAIL_MS = 200
"""What a recogniser wants around the speech itself."""
_PAUSE_MS = 250
"""From so much silence on a turn is listened to ahead of its end."""
_WORTH_MS = 100
"""If so much earlier at least."""
_DETECTION_LAG_MS = 1_000
"""How late an edge may be noticed, with a margin."""
_LONGEST_TURN_MS = 120_000
"""Of a turn that does not end, what is older is forgotten."""


class Detector(Protocol):
    """Finds turns; `vad.TurnDetector` is the real one."""

    @property
    def voiced_ms(self) -> tuple[int, int] | None: ...

    @property
    def silence_ms(self) -> int: ...

    def push(self, pcm: bytes) -> Sequence[SpeechStarted | SpeechStopped]: ...

    def configure(self, *, threshold: float, prefix_padding_ms: int, silence_duration_ms: int) -> None: ...


DetectorFactory: TypeAlias = Callable[[], Detector]


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """The caller speaks. item_id: the one that the turn will have."""

    item_id: str
    audio_start_ms: int


@dataclass(frozen=True, slots=True)
class TurnPaused:
    """The caller has been silent for a moment; the turn may be over. pcm: what its end would carry."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller has spoken. pcm: what to listen to, PCM16 at 24 kHz; duration_ms: what the turn counts as."""

    item_id: str
    audio_end_ms: int
    duration_ms: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class IdleTimedOut:
    """Nobody spoke for long after the agent did; the silence is a turn of its own."""

    item_id: str
    audio_start_ms: int
    audio_end_ms: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Committed:
    """What the client made a turn of by its own word."""

    item_id: str
    duration_ms: int
    pcm: bytes


Happening: TypeAlias = TurnBegan | TurnPaused | TurnEnded | IdleTimedOut


class InputAudioBuffer:
    """The caller's audio as it comes in. new_detector: makes a fresh detector; each holds the memory of one stream."""

    def __init__(self, new_detector: DetectorFactory) -> None:
        self._new_detector = new_detector
        self._detector: Detector | None = None
        self._detector_began_ms = 0
        self._detection: TurnDetection | None = None
        self._format: AudioFormat = PCM16_24K
        self._uplink: Uplink | None = None
        self._odd = b""
        self._kept = bytearray()
        self._kept_from_ms = 0
        self._position_bytes = 0
        self._committed_to_ms = 0
        self._turn: TurnBegan | None = None
        self._paused_at_ms: int | None = None  # the speech in front of the last pause ended here
        self._idle_from_ms: int | None = None

    @property
    def position_ms(self) -> int:
        """How much audio has come in all."""
        return PCM16_24K.ms_of(self._position_bytes)

    def configure(self, audio_format: AudioFormat, detection: TurnDetection | None) -> None:
        """Take over the session's settings; what came before keeps its meaning."""
        if audio_format != self._format:
            self._format = audio_format
            self._uplink = Uplink() if audio_format == ULAW_8K else None
            self._odd = b""
        if detection == self._detection:
            return
        self._detection = detection
        self._idle_from_ms = None  # or an old timeout would fire at once
        if detection is None:
            self._detector = None
            self._turn = None
        elif self._detector is None:
            self._renew_detector()
        else:
            self._configure_detector(self._detector, detection)

    def agent_finished(self, audio_ms: int) -> None:
        """Note that a response ended which lasts so long: from its end in the caller's ear on, silence counts."""
        self._idle_from_ms = self.position_ms + audio_ms

    def append(self, audio: bytes, *, agent_is_responding: bool) -> list[Happening]:
        """Take in audio in the session's format and return what it revealed, in order.

        agent_is_responding: a response is under way, so that silence is not idleness.
        """
        pcm = self._decoded(audio)
        self._kept += pcm
        self._position_bytes += len(pcm)
        if self._detector is None or self._detection is None:
            self._forget_before(self.position_ms - _LONGEST_TURN_MS)
            return []
        happened: list[Happening] = []
        for edge in self._detector.push(pcm):
            match edge:
                case SpeechStarted():
                    self._turn = TurnBegan(new_id("item"), self._detector_began_ms + edge.audio_start_ms)
                    self._idle_from_ms = None
                    happened.append(self._turn)
                case SpeechStopped() if self._turn is not None:
                    happened.append(self._ended(self._turn, edge))
        happened += self._pause(self._detector, self._detection)
        happened += self._idle(self._detection, agent_is_responding)
        if self._turn is None:
            padding_ms = max(self._detection.prefix_padding_ms, _LEAD_MS)
            self._forget_before(self.position_ms - padding_ms - _DETECTION_LAG_MS)
        else:
            self._forget_before(self.position_ms - _LONGEST_TURN_MS)
        return happened

    def commit(self) -> Committed:
        """Make a turn of what has come since the last one, or raise RequestError when that is too little."""
        uncommitted_ms = self.position_ms - self._committed_to_ms
        if uncommitted_ms < SHORTEST_COMMIT_MS:
            raise RequestError(
                "input_audio_buffer_commit_empty",
                f"Error committing input audio buffer: buffer too small. Expected at least {SHORTEST_COMMIT_MS}ms of "
                f"audio, but buffer only has {uncommitted_ms}.00ms of audio.",
            )
        began_ms = self._committed_to_ms if self._turn is None else self._turn.audio_start_ms
        item_id = new_id("item") if self._turn is None else self._turn.item_id
        committed = Committed(item_id, self.position_ms - began_ms, self._cut(began_ms, self.position_ms))
        self._start_over()
        return committed

    def clear(self) -> None:
        """Forget the audio that is not yet part of a turn, and the turn that it was to be."""
        self._start_over()

    def _start_over(self) -> None:
        self._committed_to_ms = self.position_ms
        self._forget_before(self.position_ms)
        self._turn = None
        if self._detector is not None:
            self._renew_detector()

    def _renew_detector(self) -> None:
        assert self._detection is not None
        self._detector = self._new_detector()
        self._detector_began_ms = self.position_ms
        self._paused_at_ms = None
        self._configure_detector(self._detector, self._detection)

    @staticmethod
    def _configure_detector(detector: Detector, detection: TurnDetection) -> None:
        detector.configure(
            threshold=detection.threshold,
            prefix_padding_ms=detection.prefix_padding_ms,
            silence_duration_ms=detection.silence_duration_ms,
        )

    def _ended(self, turn: TurnBegan, edge: SpeechStopped) -> TurnEnded:
        end_ms = self._detector_began_ms + edge.audio_end_ms
        pcm = self._speech(edge.voiced_from_ms, edge.voiced_to_ms)
        self._turn = None
        self._idle_from_ms = None  # an answer is due, and its end counts anew
        self._committed_to_ms = end_ms
        return TurnEnded(turn.item_id, end_ms, end_ms - turn.audio_start_ms, pcm)

    def _pause(self, detector: Detector, detection: TurnDetection) -> list[TurnPaused]:
        voiced_ms = detector.voiced_ms
        if voiced_ms is None or self._turn is None or voiced_ms[1] == self._paused_at_ms:
            return []
        if detector.silence_ms < _PAUSE_MS or detection.silence_duration_ms < _PAUSE_MS + _WORTH_MS:
            return []
        self._paused_at_ms = voiced_ms[1]
        return [TurnPaused(self._speech(*voiced_ms))]

    def _speech(self, voiced_from_ms: int, voiced_to_ms: int) -> bytes:
        """Return the speech between two positions of the detector, with what a recogniser wants around it."""
        began_ms = self._detector_began_ms
        return self._cut(began_ms + voiced_from_ms - _LEAD_MS, began_ms + voiced_to_ms + _TAIL_MS)

    def _idle(self, detection: TurnDetection, agent_is_responding: bool) -> list[IdleTimedOut]:
        if detection.idle_timeout_ms is None or self._idle_from_ms is None or self._turn is not None:
            return []
        now_ms = self.position_ms
        if agent_is_responding or now_ms < self._idle_from_ms + detection.idle_timeout_ms:
            return []
        began_ms, self._idle_from_ms = self._idle_from_ms, None
        self._committed_to_ms = now_ms
        return [IdleTimedOut(new_id("item"), began_ms, now_ms, self._cut(began_ms, now_ms))]

    def _decoded(self, audio: bytes) -> bytes:
        if self._uplink is not None:
            return self._uplink.push(audio)
        audio = self._odd + audio if self._odd else audio
        whole = len(audio) & ~1
        self._odd = audio[whole:]
        return audio[:whole]

    def _cut(self, from_ms: int, to_ms: int) -> bytes:
        begin = max(0, PCM16_24K.bytes_of(from_ms - self._kept_from_ms))
        return bytes(self._kept[begin : max(begin, PCM16_24K.bytes_of(to_ms - self._kept_from_ms))])

    def _forget_before(self, ms: int) -> None:
        if ms > self._kept_from_ms:
            del self._kept[: PCM16_24K.bytes_of(ms - self._kept_from_ms)]
            self._kept_from_ms = ms
