"""The agent's own voice, come back on the caller's side: how loud it could be at this moment.

What is sent is known, and the caller's frames are the clock: while 20 ms of the caller come in, 20 ms of the agent are
played. An echo of it is heard 50 to 400 ms later, and the network adds its own delay both ways, so the loudest frame of
the last 700 ms bounds it. By how much it comes back weaker (the line's echo return loss) is learnt in each call: the
echo is there whenever the agent speaks, the caller's own voice only sometimes. So the level of the quietest seconds
among the last ones, against the agent's, is the echo's or more; until one has been heard a bad line is assumed.
"""

from collections import deque

from app.audio import mulaw
from app.audio.level import from_dbfs, ratio, rms

FRAME_BYTES = 160
"""20 ms of μ-law: the step in which everything here is reckoned."""

_REACH_FRAMES = 35
_AUDIBLE = from_dbfs(-45)
"""An agent quieter than this teaches nothing: what comes back of it lies below the line's noise."""
_ASSUMED = ratio(-12)
"""Until something has been learnt: the disclosure, which nobody need interrupt, is mostly what is sounding then."""
_LEAST, _MOST = ratio(-28), ratio(-9)
"""The bounds of what is learnt: under the one an echo that begins late would be taken for the caller, over the other a
caller who speaks all the time could not be heard."""
_MARGIN = ratio(4)
_UNDER_WAY_FRAMES = 20
"""Since the agent began, before its echo teaches: it must have come."""
_BLOCK_FRAMES = 50
_LOUD = ratio(-18)
"""A block is a second of the agent's own speech, as long as that takes: in its pauses nothing comes back."""
_BLOCKS = 6


class EchoGate:
    """Knows one call's agent audio by its level: a number for each 20 ms that wait or may come back."""

    __slots__ = ("_block_frames", "_block_ratio", "_blocks", "_gain", "_loudest", "_partial", "_played", "_queue")

    def __init__(self) -> None:
        self._partial = b""
        self._queue: deque[int] = deque()
        self._played: deque[int] = deque(maxlen=_REACH_FRAMES)
        self._loudest = 0  # of what was played
        self._gain = _ASSUMED
        self._blocks: deque[float] = deque(maxlen=_BLOCKS)
        self._block_ratio = 0.0
        self._block_frames = 0

    def agent_audio(self, ulaw: bytes) -> None:
        """Take in what is sent to the carrier, in order. ulaw: G.711 μ-law, 8 kHz mono, any length."""
        if self._partial:
            ulaw = self._partial + ulaw
        whole = len(ulaw) // FRAME_BYTES * FRAME_BYTES
        self._partial = ulaw[whole:]
        pcm = mulaw.decode(ulaw[:whole])
        step = 2 * FRAME_BYTES
        self._queue.extend([rms(pcm[at : at + step]) for at in range(0, len(pcm), step)])

    def cleared(self) -> None:
        """What has not been played will not be. What has been may still come back."""
        self._queue.clear()
        self._partial = b""

    def advance(self, level: int) -> float:
        """Let 20 ms pass and return the level up to which a sound may be echo. level: of the caller's frame."""
        is_playing = bool(self._queue)
        if not is_playing and not self._played:
            return 0.0
        self._play()
        loudest = self._loudest
        if is_playing and loudest >= _AUDIBLE and len(self._played) > _UNDER_WAY_FRAMES:
            self._block_ratio = max(self._block_ratio, level / loudest)
            if self._played[-1] > loudest * _LOUD:
                self._block_frames += 1
                if self._block_frames == _BLOCK_FRAMES:
                    self._learn()
        return loudest * self._gain

    def skip(self, frames: int) -> None:
        """Let so many times 20 ms pass in which nothing came of the caller: the agent was played all the same."""
        for _ in range(min(frames, len(self._queue) + _REACH_FRAMES)):
            self._play()

    def _play(self) -> None:
        played = self._played
        # a rest that is no whole frame is played with what follows, or not at all: its level is no news
        now = self._queue.popleft() if self._queue else 0
        gone = played[0] if len(played) == _REACH_FRAMES else 0
        played.append(now)
        if now >= self._loudest:
            self._loudest = now
        elif gone == self._loudest:
            self._loudest = max(played)  # looked for only when it has left: it costs more than all the rest
        if not self._loudest:
            played.clear()
            self._block_ratio, self._block_frames = 0.0, 0

    def _learn(self) -> None:
        self._blocks.append(self._block_ratio)
        self._block_ratio, self._block_frames = 0.0, 0
        self._gain = min(max(min(self._blocks) * _MARGIN, _LEAST), _MOST)
