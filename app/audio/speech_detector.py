"""Is the caller speaking? Our own ear on the caller's frames: a cheap one always, a good one while it matters.

The cheap one compares a frame's level with the line's noise floor and with what an echo of the agent could be (`echo`).
The good one (`close_listening`) costs a hundred times as much, so it listens only when told to; it is then first given
what was kept of the last 300 ms, so that nothing of a word's beginning is lost to it. Where it is not installed, a
stricter cheap rule stands in for it.

Everything is reckoned in steps of 20 ms, however the audio was cut: the same audio gives the same verdicts.
"""

from collections import deque
from enum import IntEnum

from app.audio import mulaw
from app.audio.close_listening import CloseEar, close_ear
from app.audio.echo import FRAME_BYTES, EchoGate
from app.audio.formats import FRAME_MS
from app.audio.level import FULL_SCALE, from_dbfs, ratio, rms
from app.audio.voice_model import MODELS, VoiceModels

SOUND_HANG_OVER_MS = 200
"""For how long after the last loud frame the verdict stays SOUND."""
KEPT_MS = 300
"""How much of the past the good detector is given when it begins to listen."""

_OVER_FLOOR = ratio(9)
_FAINTEST = from_dbfs(-57)
"""A sound below this is none, on the quietest line."""
_FLOOR_FRAMES = 75
"""The floor is the quietest frame of the last 1.5 to 3 s."""


class Judgement(IntEnum):
    """What a frame of the caller is taken for."""

    SILENCE = 0
    """No louder than the line's noise, or than what may be the agent's own voice come back."""
    SOUND = 1
    """Louder; nobody has listened closely, or it is not a voice."""
    SPEECH = 2
    """A voice, which is not the agent's."""


SILENCE, SOUND, SPEECH = Judgement


class SpeechDetector:
    """One call's. Costs about 2 µs for each frame, and while it listens closely 10 ms for each second of audio."""

    __slots__ = (
        "_close",
        "_echo",
        "_floor_frames",
        "_floor_now",
        "_floor_then",
        "_kept",
        "_loud_for",
        "_missed_ms",
        "_models",
        "_partial",
        "_verdict",
        "_wants_close",
    )

    def __init__(self, models: VoiceModels = MODELS) -> None:
        self._models = models
        self._echo = EchoGate()
        self._partial = b""
        self._kept: deque[bytes] = deque(maxlen=KEPT_MS // FRAME_MS)
        self._floor_now = self._floor_then = FULL_SCALE
        self._floor_frames = 0
        self._loud_for = 0
        self._missed_ms = 0
        self._wants_close = False
        self._close: CloseEar | None = None
        self._verdict = SILENCE

    def judge(self, ulaw: bytes) -> Judgement:
        """Take in the caller's next audio; return what its last whole 20 ms are taken for.

        ulaw: G.711 μ-law, 8 kHz mono, any length.
        """
        if len(ulaw) == FRAME_BYTES and not self._partial:
            return self._judge_frame(ulaw)
        ulaw = self._partial + ulaw
        whole = len(ulaw) // FRAME_BYTES * FRAME_BYTES
        for at in range(0, whole, FRAME_BYTES):
            self._judge_frame(ulaw[at : at + FRAME_BYTES])
        self._partial = ulaw[whole:]
        return self._verdict

    def listen_closely(self, on: bool) -> None:
        """Have the good detector judge too, from the next frame on, or no longer."""
        self._wants_close = on
        if not on and self._close is not None:
            self._close.end()
            self._close = None
            if self._verdict is SPEECH:
                self._verdict = SOUND if self._loud_for else SILENCE

    def agent_audio(self, ulaw: bytes) -> None:
        """Take in what is sent to the carrier, in order: what comes back of it is not the caller."""
        self._echo.agent_audio(ulaw)

    def cleared(self) -> None:
        """The carrier throws away what it has not played."""
        self._echo.cleared()

    def missed(self, ms: int) -> None:
        """So much of the caller's audio was lost on the way; meanwhile the agent was played."""
        self._missed_ms += ms
        self._echo.skip(self._missed_ms // FRAME_MS)
        self._missed_ms %= FRAME_MS

    def _judge_frame(self, ulaw: bytes) -> Judgement:
        pcm = mulaw.decode(ulaw)
        level = rms(pcm)
        self._floor_frames += 1
        if self._floor_frames > _FLOOR_FRAMES:
            self._floor_frames = 0
            self._floor_then, self._floor_now = self._floor_now, level
        elif level < self._floor_now:
            self._floor_now = level
        floor = self._floor_now if self._floor_now < self._floor_then else self._floor_then
        least = floor * _OVER_FLOOR
        if least < _FAINTEST:
            least = _FAINTEST
        echo = self._echo.advance(level)
        if level > least and level > echo:
            self._loud_for = SOUND_HANG_OVER_MS // FRAME_MS
        elif self._loud_for:
            self._loud_for -= 1
        verdict = SOUND if self._loud_for else SILENCE
        self._kept.append(pcm)
        if self._wants_close:
            if self._close is None:
                self._close = close_ear(self._models)
                pcm = b"".join(self._kept)
            if self._close.hears_voice(pcm, echo, least):
                verdict = SPEECH
        self._verdict = verdict
        return verdict
