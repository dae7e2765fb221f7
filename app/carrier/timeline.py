"""What happened when: the events of one call, counted from the start of its stream."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.carrier.playout import LINE_HZ

Detail = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Event:
    """call_ms: since the call was placed; at_ms: since its stream started, None while there has been none."""

    call_ms: int
    at_ms: int | None
    kind: str
    details: Mapping[str, Detail]


@dataclass(slots=True)
class Warnings:
    """Breaches of the wire's rules by number, as Twilio reports them: the first one told, the rest counted."""

    first: dict[int, str] = field(default_factory=dict)
    count: dict[int, int] = field(default_factory=dict)

    def add(self, code: int, reason: str) -> bool:
        """Count one; True if it is the first of its number."""
        self.count[code] = self.count.get(code, 0) + 1
        return self.first.setdefault(code, reason) is reason and self.count[code] == 1


OnEvent = Callable[[Event], None]


class Timeline:
    """Collects the events of one call and tells each to `on_event` as it comes to be known."""

    def __init__(self, on_event: OnEvent | None = None) -> None:
        self.placed_at = time.monotonic()
        self.started_at: float | None = None
        self._on_event = on_event
        self._events: list[tuple[float, str, Mapping[str, Detail]]] = []

    def start_stream(self, moment: float) -> None:
        """A stream begins: times count from the first one's moment; later streams of the same call do not move it."""
        if self.started_at is None:
            self.started_at = moment

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

    def warn(self, warnings: Warnings, code: int, reason: str, *, moment: float | None = None) -> None:
        """Count a breach of the rules; the first of its number is an event."""
        if warnings.add(code, reason):
            self.note("warning", {"code": code, "reason": reason}, moment=moment)

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
