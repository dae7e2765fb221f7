"""The two directions of one call: the carrier's G.711 at 8 kHz and the model's PCM16 at 24 kHz, or G.711 as well."""

from app.audio import mulaw
from app.audio.formats import MODEL_HZ, PCM16_24K, TELEPHONE_HZ, ULAW_8K, AudioFormat
from app.audio.resample import Resampler


class Uplink:
    """Caller → model. Delayed by 3 ms, so that every frame gives its full length at once."""

    __slots__ = ("_resampler",)

    def __init__(self) -> None:
        self._resampler = Resampler(TELEPHONE_HZ, MODEL_HZ)
        # silence for as long as the filter reaches: from then on what it holds back is always the same
        self._resampler.push(bytes(2 * self._resampler.reach))

    def push(self, ulaw: bytes) -> bytes:
        """Return the caller's next audio in the model's format.

        ulaw: G.711 μ-law, 8 kHz mono, any length; returns PCM16 little-endian, 24 kHz mono, six bytes for each.
        Remembers the filter's tail: one instance for one direction of one call. Source: ITU-T G.711.
        """
        return self._resampler.push(mulaw.decode(ulaw))


class Downlink:
    """Model → caller. Not delayed against its own length: n ms in are n ms out once the tail is flushed."""

    __slots__ = ("_odd", "_resampler")

    def __init__(self) -> None:
        self._resampler = Resampler(MODEL_HZ, TELEPHONE_HZ)
        self._odd = b""

    def push(self, pcm: bytes | memoryview) -> bytes:
        """Return what can be sent by now, G.711 μ-law, 8 kHz.

        pcm: PCM16 little-endian, 24 kHz mono, any length, an odd byte waits for its other half. Holds back 3 ms.
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


class Passage:
    """Either direction of a call whose model takes G.711 itself: nothing is changed, delayed or remembered."""

    __slots__ = ()

    def push(self, ulaw: bytes) -> bytes:
        """Return the very bytes."""
        return ulaw

    def flush(self) -> bytes:
        """Return nothing: there is no tail."""
        return b""

    def reset(self) -> None:
        """Forget nothing."""


_PASSAGE = Passage()
"""One for all calls."""


def uplink_to(audio: AudioFormat) -> Uplink | Passage:
    """Return one call's way from the carrier to audio of this format. Raises ValueError for one no model here has."""
    return _PASSAGE if _is_straight(audio) else Uplink()


def downlink_from(audio: AudioFormat) -> Downlink | Passage:
    """Return one call's way from audio of this format to the carrier. Raises ValueError as `uplink_to` does."""
    return _PASSAGE if _is_straight(audio) else Downlink()


def as_audio(pcm: bytes, audio: AudioFormat) -> bytes:
    """Return a whole recording (PCM16, 24 kHz mono) as audio of this format; μ-law as a Downlink would send it.

    Raises ValueError for one no model here has. A second of μ-law takes 0.4 ms.
    """
    if not _is_straight(audio):
        return pcm
    downlink = Downlink()
    return downlink.push(pcm) + downlink.flush()


def _is_straight(audio: AudioFormat) -> bool:
    if audio not in (ULAW_8K, PCM16_24K):
        raise ValueError(f"no way between the carrier and {audio.name}; expected {ULAW_8K.name} or {PCM16_24K.name}")
    return audio == ULAW_8K
