"""The two directions of one call: the carrier's G.711 at 8 kHz and the model's PCM16 at 24 kHz."""

from app.audio import mulaw
from app.audio.formats import MODEL_HZ, TELEPHONE_HZ
from app.audio.resample import Resampler


class Uplink:
    """Caller → model. Delayed by 4 ms, so that every frame gives its full length at once."""

    __slots__ = ("_delay", "_resampler")

    def __init__(self) -> None:
        self._resampler = Resampler(TELEPHONE_HZ, MODEL_HZ)
        self._delay = b"\x00\x00" * self._resampler.held_back

    def push(self, ulaw: bytes) -> bytes:
        """Return the caller's next audio in the model's format.

        ulaw: G.711 μ-law, 8 kHz mono, any length; returns PCM16 little-endian, 24 kHz mono, six bytes for each.
        Remembers the filter's tail: one instance for one direction of one call. Source: ITU-T G.711.
        """
        pcm = self._resampler.push(mulaw.decode(ulaw))
        if not self._delay:
            return pcm
        size = 6 * len(ulaw)
        delayed = self._delay + pcm
        self._delay = delayed[size:]
        return delayed[:size]


class Downlink:
    """Model → caller. Not delayed against its own length: n ms in are n ms out once the tail is flushed."""

    __slots__ = ("_odd", "_resampler")

    def __init__(self) -> None:
        self._resampler = Resampler(MODEL_HZ, TELEPHONE_HZ)
        self._odd = b""

    def push(self, pcm: bytes | memoryview) -> bytes:
        """Return what can be sent by now, G.711 μ-law, 8 kHz.

        pcm: PCM16 little-endian, 24 kHz mono, any length, an odd byte waits for its other half. Holds back 4 ms.
        """
        if self._odd or len(pcm) % 2:
            joined = self._odd + bytes(pcm)
            whole = len(joined) & ~1
            self._odd = joined[whole:]
            pcm = joined[:whole]
        return mulaw.encode(self._resampler.push(pcm))

    def flush(self) -> bytes:
        """Return the tail at the end of an utterance; the next push begins a new one."""
        self._odd = b""
        return mulaw.encode(self._resampler.flush())

    def reset(self) -> None:
        """Forget what is under way: the utterance was cut."""
        self._odd = b""
        self._resampler.reset()
