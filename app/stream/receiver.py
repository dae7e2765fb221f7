"""The two sides of a stream's socket: what it tells, and what it can be told."""

from typing import Protocol

MAX_MESSAGE_BYTES = 64 * 1024
"""The longest message that is read; Twilio's media are below 1 kB."""

STALLED_BYTES = 256 * 1024
"""More than this waiting unsent: half a minute of μ-law in base64, which no healthy line ever has."""


class Receiver(Protocol):
    """Who is told what arrives. Called from transport callbacks: never waits."""

    def receive_text(self, text: bytes) -> None:
        """A text message has come, UTF-8."""

    def receive_binary(self, size_bytes: int) -> None:
        """A binary message has come; nothing that it could say is of use."""

    def stalled(self) -> None:
        """More than STALLED_BYTES wait unsent."""

    def gone(self, *, by_us: bool) -> None:
        """Nothing more will come. by_us: this process ended it, not the peer or the network. May come repeatedly."""


class StreamSocket(Protocol):
    """An accepted WebSocket that is written to without waiting."""

    def attach(self, receiver: Receiver) -> None:
        """From now on tell this one what arrives, beginning with what has arrived since `accept`."""

    def send_texts(self, *texts: bytes) -> None:
        """Send text messages (UTF-8) in order. Never waits, never raises; on a closed socket does nothing."""

    def close(self, code: int, reason: str = "") -> None:
        """Close behind all that was sent; afterwards nobody is told anything. On a closed socket does nothing."""
