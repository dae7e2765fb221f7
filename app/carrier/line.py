"""What can be wrong with the line between the service, the carrier and the telephone. No clock and no socket.

Two networks lie there. Between the service and the carrier runs TCP: it loses nothing and reorders nothing, so all it
can do is be late, by a constant for each direction and by jitter; what is late holds up what is behind it. Audio plays
out, and a `clear` takes effect, when it arrives at the carrier's end. Between the carrier and the telephone runs RTP, a
packet each 20 ms, and what is lost there is gone. Twilio's media are cut from the packets that came, so a lost one of
the caller is a message that is never sent: sequence numbers and chunks go on by one, the timestamps jump. A lost one of
the agent changes nothing in Twilio's play-out and its marks; the telephone fills the gap with what it heard last,
fading (packet loss concealment, after ITU-T G.711 Appendix I). The carrier may also be slow to give marks back.
"""

import math
import random
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from app.audio import mulaw
from app.carrier.playout import SILENCE, PlayOut

Carried = TypeVar("Carried")

PACKET = 160
"""Samples of a packet on the telephone's side: 20 ms."""

_HALVED = mulaw.encode(
    b"".join(
        (int.from_bytes(mulaw.decode(bytes([code])), "little", signed=True) // 2).to_bytes(2, "little", signed=True)
        for code in range(256)
    )
)
"""G.711 codes at half the level: a table for bytes.translate."""


class Fault(Enum):
    STALL = "stall"
    """The carrier stops reading its socket."""
    RESUME = "resume"
    """It reads again."""
    DROP = "drop"
    """The connection is reset: no close frame."""


@dataclass(frozen=True, slots=True)
class Line:
    """The faults of one line; without any it is a perfect one.

    to_carrier_ms, to_service_ms: network delay of what the service sends, and of what it is sent; jitter_ms: up to so
    much more for each message, in both directions. mark_delay_ms: how late the carrier gives a mark back;
    bunch_marks_ms: it gives marks back only each so many ms, all at once. loss_percent: of the packets on the
    telephone's side, both ways. stall_at_ms, stall_ms: from when on and how long the carrier does not read its socket;
    drop_at_ms: when the connection is reset. Both count from the stream's start. Equal seeds give equal faults.
    """

    to_carrier_ms: int = 0
    to_service_ms: int = 0
    jitter_ms: int = 0
    mark_delay_ms: int = 0
    bunch_marks_ms: int = 0
    loss_percent: float = 0.0
    stall_at_ms: int | None = None
    stall_ms: int = 0
    drop_at_ms: int | None = None
    seed: int = 1

    def to_carrier(self) -> "Passage[Carried]":
        """Return the way from the service to the carrier."""
        return Passage(self.to_carrier_ms, self.jitter_ms, self._random("to the carrier"))

    def to_service(self) -> "Passage[Carried]":
        """Return the way from the carrier to the service."""
        return Passage(self.to_service_ms, self.jitter_ms, self._random("to the service"))

    def faults(self) -> list[tuple[float, Fault]]:
        """Return what befalls the socket and when, in seconds since the stream's start, in order."""
        faults: list[tuple[float, Fault]] = []
        if self.stall_at_ms is not None and self.stall_ms:
            faults.append((self.stall_at_ms / 1000, Fault.STALL))
            faults.append(((self.stall_at_ms + self.stall_ms) / 1000, Fault.RESUME))
        if self.drop_at_ms is not None:
            faults.append((self.drop_at_ms / 1000, Fault.DROP))
        return sorted(faults, key=lambda fault: fault[0])

    def mark_leaves_at(self, returned_s: float) -> float:
        """Return when a mark leaves the carrier that was due back at returned_s; both since the stream's start."""
        leaves_s = returned_s + self.mark_delay_ms / 1000
        if not self.bunch_marks_ms:
            return leaves_s
        bunch_s = self.bunch_marks_ms / 1000
        return max(leaves_s, math.ceil(leaves_s / bunch_s) * bunch_s)  # the product may be a rounding too early

    def loses_from_caller(self, number: int) -> bool:
        """Is this packet of the caller's lost? Counted from 0 at the stream's start."""
        return self._loses("caller", number)

    def loses_from_agent(self, number: int) -> bool:
        """Is this packet of the agent's lost? Counted from 0 at the stream's start."""
        return self._loses("agent", number)

    def _loses(self, whose: str, number: int) -> bool:
        return self.loss_percent > 0 and self._random(f"{whose} {number}").random() * 100 < self.loss_percent

    def _random(self, what: str) -> random.Random:
        return random.Random(f"{self.seed} {what}")  # noqa: S311 - faults that can be had again, no secrets


class Passage(Generic[Carried]):
    """One direction of a connection: what enters leaves later, in order. Times are seconds of one clock."""

    def __init__(self, delay_ms: int, jitter_ms: int, chance: random.Random) -> None:
        self._delay_s, self._jitter_s, self._chance = delay_ms / 1000, jitter_ms / 1000, chance
        self._under_way: deque[tuple[float, Carried]] = deque()
        self._last = float("-inf")

    @property
    def next_at(self) -> float | None:
        """When something leaves next."""
        return self._under_way[0][0] if self._under_way else None

    def enter(self, at: float, what: Carried) -> float:
        """Send something; returns when it leaves at the other end."""
        leaves_at = at + self._delay_s
        if self._jitter_s:
            leaves_at += self._chance.random() * self._jitter_s
        self._last = max(self._last, leaves_at)
        self._under_way.append((self._last, what))
        return self._last

    def leave(self, until: float) -> list[tuple[float, Carried]]:
        """Return what has left by then, with the time of each, oldest first."""
        left: list[tuple[float, Carried]] = []
        while self._under_way and self._under_way[0][0] <= until:
            left.append(self._under_way.popleft())
        return left


def sounded(line: Line, playout: PlayOut, begin: int, end: int, *, origin: int) -> bytes:
    """Return what the telephone makes of the play-out from sample `begin` to `end`; empty if nothing sounded.

    origin: the sample at which the stream began, from which packets are counted.
    """
    if not line.loss_percent:
        return playout.sound(begin, end)
    first = (begin - origin) // PACKET
    while first > 0 and line.loses_from_agent(first):
        first -= 1
    whole = origin + first * PACKET
    sound = bytearray(playout.sound(whole, end))
    if not sound:
        return b""
    if line.loses_from_agent(first):  # the very first packet: nothing was heard before it
        sound[:PACKET] = SILENCE * len(sound[:PACKET])
    for at in range(PACKET, len(sound), PACKET):
        if line.loses_from_agent(first + at // PACKET):
            size = len(sound[at : at + PACKET])
            sound[at : at + size] = sound[at - PACKET : at - PACKET + size].translate(_HALVED)
    return bytes(sound[begin - whole :])


def packets_lost(line: Line, playout: PlayOut, *, origin: int) -> int:
    """Return how many packets with sound of the agent in them the telephone did not get."""
    if not line.loss_percent:
        return 0
    numbers: set[int] = set()
    for piece in playout.heard:
        last = piece.at + piece.size - 1
        numbers.update(range((piece.at - origin) // PACKET, (last - origin) // PACKET + 1))
    return sum(line.loses_from_agent(number) for number in numbers)
