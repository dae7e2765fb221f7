"""The line to the realtime model: which session with it is ours, is it ready, when is it tried again, when given up.

A lost session is opened anew with growing pauses. Eight seconds after the loss it is given up: with the words to the
caller the call then ends within the twenty seconds that are promised. So is one that is lost again and again as soon as
it is there.
"""

from app.session.words import ModelNumber

PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0)
GIVE_UP_S = 8.0
STEADY_S = 10.0
"""A session that lasted so long was a good one: the next loss is counted anew."""


class ModelLine:
    __slots__ = (
        "_attempts",
        "_is_confirmed",
        "_ready_at",
        "give_up_at",
        "is_open",
        "is_ready",
        "model",
        "origin_ms",
        "reopen_at",
    )

    def __init__(self) -> None:
        self.model = ModelNumber(0)
        self.is_open = False
        self.is_ready = False
        self.reopen_at: float | None = None
        self.give_up_at: float | None = None
        self.origin_ms = 0
        """Where on the stream this session's audio begins."""
        self._attempts = 0
        self._is_confirmed = False
        self._ready_at = 0.0

    def is_current(self, model: ModelNumber) -> bool:
        return self.is_open and model == self.model

    @property
    def answers_turns(self) -> bool:
        """Has this session confirmed that it answers turns by itself?"""
        return self.is_ready and self._is_confirmed

    def open(self) -> ModelNumber:
        self.model = ModelNumber(self.model + 1)
        self.is_open = True
        self.is_ready = self._is_confirmed = False
        self.reopen_at = None
        return self.model

    def ready(self, origin_ms: int, at: float) -> None:
        """The session can be used. origin_ms: where on the stream its audio begins."""
        self.is_ready = True
        self.origin_ms = origin_ms
        self.give_up_at = None
        self._ready_at = at

    def turn_handling_confirmed(self) -> None:
        self._is_confirmed = True

    def lost(self, at: float) -> None:
        if self.is_ready and at - self._ready_at >= STEADY_S:
            self._attempts = 0
        self.is_open = self.is_ready = self._is_confirmed = False
        if self.give_up_at is None:
            self.give_up_at = at + GIVE_UP_S if self._attempts <= len(PAUSES_S) else at
        pause_s = PAUSES_S[min(self._attempts, len(PAUSES_S) - 1)]
        self._attempts += 1
        self.reopen_at = at + pause_s

    def is_given_up(self, at: float) -> bool:
        return self.give_up_at is not None and at >= self.give_up_at
