"""Rates and widths, and the arithmetic between bytes and milliseconds."""

from dataclasses import dataclass

TELEPHONE_HZ = 8_000
MODEL_HZ = 24_000
FRAME_MS = 20


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How a stretch of mono audio is written in bytes. Every rate here is a whole number of bytes per millisecond."""

    name: str
    rate_hz: int
    sample_bytes: int
    silence: bytes

    @property
    def bytes_per_ms(self) -> int:
        return self.rate_hz * self.sample_bytes // 1000

    def ms_of(self, size_bytes: int) -> int:
        """Whole milliseconds in so many bytes, rounded down."""
        return size_bytes // self.bytes_per_ms

    def bytes_of(self, ms: int) -> int:
        """Bytes that last so many milliseconds."""
        return ms * self.bytes_per_ms


ULAW_8K = AudioFormat("ulaw_8k", TELEPHONE_HZ, 1, b"\xff")
"""G.711 μ-law as the carrier sends and plays it: 8 bytes per ms."""

PCM16_24K = AudioFormat("pcm16_24k", MODEL_HZ, 2, b"\x00\x00")
"""Signed 16-bit little-endian at 24 kHz, the realtime model's format: 48 bytes per ms."""
