"""The send clock: when what is sent will have been played, how late the carrier plays it, how much it is to hold.

For each mark we know when it is due on the *send clock*: the time at which the audio would end if the carrier began to
play the moment we send. What a returned mark is later than that is the round trip, plus the lateness of this stretch of
play-out (audio that was delayed on its way). The least of many is the round trip, for nothing comes back sooner; the
least of the last few of this stretch, less the round trip, is its lateness.

The lead, which is what the carrier holds and has not played, grows when our wake-ups or its marks come late.
"""

from collections import deque
from dataclasses import dataclass

LEAD_MS = 200
"""How much the carrier may hold that it has not played, when all goes well."""
MAX_LEAD_MS = 500
"""And at most, when our wake-ups or its marks come late."""
LEAD_DECAY = 0.02
"""So much of the lead beyond that is given back with what is sent: 20 ms for each second."""
LAG_S = 0.005
"""What is later than this is late; less is how clocks tick."""


@dataclass(slots=True)  # made for every piece: frozen ones take three times as long to make
class Slot:
    """When a piece begins and ends on the send clock. run: the stretch of play-out that it belongs to."""

    begins_at: float
    ends_at: float
    run: int


class SendClock:
    """Time is an argument, seconds.

    due_at: when all that was sent will have been played. round_trip_s: measured on the marks. lateness_s: how much
    later than on this clock the present stretch plays.
    """

    __slots__ = ("_lead_s", "_offsets", "_run", "_run_offsets", "due_at", "lateness_s", "round_trip_s")

    def __init__(self) -> None:
        self.due_at = float("-inf")
        self.round_trip_s = 0.0
        self.lateness_s = 0.0
        self._lead_s = LEAD_MS / 1000
        self._run = 0
        self._offsets: deque[float] = deque(maxlen=64)
        self._run_offsets: deque[float] = deque(maxlen=4)

    def turn_of(self, length_s: float) -> float:
        """Return when a piece of that length is to be sent, so that the carrier holds the lead and no more."""
        return self.due_at - self._lead_s + length_s

    def send(self, length_s: float, at: float) -> Slot:
        """A piece is sent now, behind all that was; of no length: only the word that the item has ended."""
        begins_at = max(self.due_at, at)
        if self.due_at + self.lateness_s < at:
            self._begin_run()  # the carrier had run dry: a new stretch, with a lateness of its own
        if length_s:
            self.due_at = begins_at + length_s
        self._lead_s = max(LEAD_MS / 1000, self._lead_s - LEAD_DECAY * length_s)
        return Slot(begins_at, max(self.due_at, at), self._run)

    def returned(self, slot: Slot, at: float) -> None:
        """The mark behind this piece came back."""
        late_s = at - slot.ends_at
        self._offsets.append(late_s)
        if slot.run == self._run:
            self._run_offsets.append(late_s)
        self.round_trip_s = max(0.0, min(self._offsets))
        self._measure_lateness()
        self.lagged(late_s - self.round_trip_s)

    def lagged(self, lag_s: float) -> None:
        """Something came so late, which costs lead: let there be more of it."""
        if lag_s > LAG_S:
            self._lead_s = min(MAX_LEAD_MS / 1000, max(self._lead_s, LEAD_MS / 1000 + lag_s))

    def clear(self) -> None:
        """Nothing that was sent will be played any more."""
        self.due_at = float("-inf")
        self._begin_run()

    def _begin_run(self) -> None:
        self._run += 1
        self._run_offsets.clear()
        self._measure_lateness()

    def _measure_lateness(self) -> None:
        self.lateness_s = max(0.0, min(self._run_offsets, default=self.round_trip_s) - self.round_trip_s)
