"""A second session beside the first, opened before the provider ends it: IDLE → OPENING → BESIDE → IDLE.

From a while before the end it waits for a quiet moment; from half of that on no longer: then it is given the caller's
audio as well, and takes over at the next gap between words.
"""

from enum import Enum

from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentText,
    AgentTextEnded,
    AgentTranscript,
    ModelEvent,
    ResponseEnded,
    ToolCallRequested,
)
from app.session.words import ItemId, ModelNumber, ResponseId

SHARE = 0.25
"""So much of a session's length is the time before its end in which it is renewed…"""
MOST_S = 300.0
"""…but no more than this."""
RETRY_S = 2.0
LAST_MOMENT_S = 1.0
"""At most so long before the end it is changed whatever goes on."""
LOOK_S = 0.1
"""How often the gap is looked for, once it is."""
FORMER_S = 8.0
"""How long the former session is kept for the words of the turns that it has heard."""


_OF_A_RESPONSE = (
    AgentAudio | AgentAudioEnded | AgentTranscript | AgentText | AgentTextEnded | ToolCallRequested | ResponseEnded
)


class RenewalState(Enum):
    IDLE = "idle"
    OPENING = "opening"
    BESIDE = "beside"


class Renewal:
    """model: the second session; open_item, its own word for what it hears the caller say; committed: its turns.

    former: the session that was taken over from, until its last words have come.
    """

    __slots__ = (
        "_from_at",
        "_ready_at",
        "_retry_at",
        "committed",
        "ends_at",
        "former",
        "former_until",
        "limit_s",
        "model",
        "must_at",
        "open_item",
        "response_id",
        "speech_ms",
        "state",
    )

    def __init__(self) -> None:
        self.state = RenewalState.IDLE
        self.model = ModelNumber(0)
        self.open_item: ItemId | None = None
        self.speech_ms = 0
        """Where in its audio that began."""
        self.limit_s: float | None = None
        """How long it will last."""
        self.committed: list[ItemId] = []
        self.must_at: float | None = None
        """From when on it is not waited for a quiet moment any more."""
        self.former: ModelNumber | None = None
        self.former_until: float | None = None
        self.response_id: ResponseId | None = None
        """The response that it has begun and is to finish."""
        self._from_at: float | None = None
        self._ready_at = 0.0
        self.ends_at = 0.0
        self._retry_at = 0.0

    def begin(self, limit_s: float | None, at: float) -> None:
        """A session has begun then that its provider will end so much later; None: nobody knows, or may renew it."""
        self.state = RenewalState.IDLE
        if limit_s is None:
            self._from_at = self.must_at = None
            return
        before_s = min(MOST_S, limit_s * SHARE)
        self.ends_at = at + limit_s
        self._from_at = self.ends_at - before_s
        self.must_at = self.ends_at - before_s / 2
        self._retry_at = 0.0

    def took_over(self, former: ModelNumber, response_id: ResponseId | None, until: float) -> None:
        """The second session is the call's now. response_id: what the former is to finish; until: no longer."""
        self.former, self.former_until, self.response_id = former, until, response_id
        self.begin(self.limit_s, self._ready_at)  # its time has been running since it was ready

    def is_owed(self, event: ModelEvent) -> bool:
        """Is this of the response that the former session is to finish?"""
        return (
            event.model == self.former and isinstance(event, _OF_A_RESPONSE) and event.response_id == self.response_id
        )

    def former_gone(self) -> None:
        self.former = self.former_until = self.response_id = None

    def stop(self) -> None:
        """The first session is gone before its time."""
        self._from_at = self.must_at = None
        self.state = RenewalState.IDLE

    def is_due(self, at: float) -> bool:
        """Is the second session to be opened now?"""
        due_at = self._opens_at
        return due_at is not None and at >= due_at

    def is_overdue(self, at: float) -> bool:
        """Is a quiet moment not to be waited for any more?"""
        return self.must_at is not None and at >= self.must_at

    def is_last_moment(self, at: float) -> bool:
        return at >= self.ends_at - min(LAST_MOMENT_S, (self.ends_at - (self.must_at or self.ends_at)) / 2)

    @property
    def is_opening(self) -> bool:
        return self.state is RenewalState.OPENING

    @property
    def is_beside(self) -> bool:
        return self.state is RenewalState.BESIDE

    def is_about(self, model: ModelNumber) -> bool:
        return self.state is not RenewalState.IDLE and model == self.model

    def opened(self, model: ModelNumber) -> None:
        self.state = RenewalState.OPENING
        self.model = model
        self.open_item = None
        self.committed = []

    def ready(self, limit_s: float | None, at: float) -> None:
        """It could take over. limit_s: how long it will last, from now; None as in `begin`."""
        self.state = RenewalState.BESIDE
        self.limit_s = limit_s
        self._ready_at = at

    def lost(self, at: float) -> None:
        """The second session did not come about, or did not last: another is opened in a while."""
        self.state = RenewalState.IDLE
        self._retry_at = at + RETRY_S

    def deadline(self, at: float) -> float | None:
        """When to look again, as far as it is not told by an event."""
        if self.state is RenewalState.IDLE:
            return self._opens_at
        if self.state is RenewalState.BESIDE and self.must_at is not None:
            return max(self.must_at, at + LOOK_S)
        return None

    @property
    def _opens_at(self) -> float | None:
        if self._from_at is None or self.state is not RenewalState.IDLE:
            return None
        return max(self._from_at, self._retry_at)
