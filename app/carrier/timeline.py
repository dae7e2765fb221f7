"""What happened when: the events of one call, counted from the start of its stream."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.carrier.playout import LINE_HZ

Detail = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Event:
    """call_ms: since the call was placed; at_ms: since its stream started, None while there has been none."""

    call_ms: int
    at_ms: int | None
    kind: str
    details: Mapping[str, Detail]


OnEvent = Callable[[Event], None]


class Timeline:
    """Collects the events of one call and tells each to `on_event` as it comes to be known."""

    def __init__(self, on_event: OnEvent | None = None) -> None:
        self.placed_at = time.monotonic()
        self.started_at: float | None = None
        self._on_event = on_event
        self._events: list[tuple[float, str, Mapping[str, Detail]]] = []

    def start_stream(self) -> None:
        """This is the moment that times count from; later streams of the same call do not move it."""
        if self.started_at is None:
            self.started_at = time.monotonic()

    def sample(self, moment: float) -> int:
        """Return the sample of the line at a moment of `time.monotonic`; 0 is the stream's start."""
        return int((moment - self._zero()) * LINE_HZ)

    def moment(self, sample: int) -> float:
        """Return when a sample begins."""
        return self._zero() + sample / LINE_HZ

    def _zero(self) -> float:
        return self.placed_at if self.started_at is None else self.started_at

    def note(self, kind: str, details: Mapping[str, Detail] | None = None, *, moment: float | None = None) -> None:
        """Write an event down. moment: when it happened, if not now."""
        when = time.monotonic() if moment is None else moment
        self._events.append((when, kind, details or {}))
        if self._on_event is not None:
            at_ms = None if self.started_at is None else round((when - self.started_at) * 1000)
            self._on_event(Event(round((when - self.placed_at) * 1000), at_ms, kind, details or {}))

    def events(self) -> list[Event]:
        """All of them in order of time, those before the stream with a negative `at_ms`."""
        return [
            Event(
                round((when - self.placed_at) * 1000),
                None if self.started_at is None else round((when - self.started_at) * 1000),
                kind,
                details,
            )
            for when, kind, details in sorted(self._events, key=lambda event: event[0])
        ]
