"""The model's responses: IDLE → REQUESTED → ACTIVE → DONE or CUT, one open at a time in the conversation.

A response is wanted for reasons: items of the conversation that call for an answer (what the caller keyed in, a tool's
result, a committed turn). A reason is served when a response starts that can know it: one that we asked for after
telling it, or any one once the model has confirmed the item. So an answer that crossed with the model's own response is
neither lost nor asked for twice.
"""

from collections import deque
from enum import Enum

from app.session.words import ItemId, ResponseId

ANSWER_WAIT_S = 4.0
"""How long the model's own answer to a committed turn may take to begin before we ask for one."""
REQUEST_WAIT_S = 10.0
"""How long a request may go unanswered: neither started nor refused. Never block on one event (pitfall 14)."""
REFUSED_WAIT_S = 1.0
"""After a refusal, how long we wait before we ask again, when no response of the model shows up meanwhile."""
FAILED_WAIT_S = 0.5
"""After a response that failed, before we ask again: what was too much a moment ago may pass then."""
CUT_WAIT_S = 2.0
"""How long a response that was cancelled may take to end before it is held for ended (pitfall 15: it may come late)."""
SILENT_WAIT_S = 20.0
"""How long an open response may give nothing at all before it counts as dead."""


class ResponseState(Enum):
    IDLE = "idle"
    REQUESTED = "requested"
    ACTIVE = "active"


class Responses:
    __slots__ = (
        "_assumed",
        "_cut",
        "_due_by",
        "_is_cut_unborn",
        "_over",
        "_reasons",
        "_retried",
        "_served",
        "response_id",
        "state",
    )

    def __init__(self) -> None:
        self.state = ResponseState.IDLE
        self.response_id: ResponseId | None = None
        self._due_by: float | None = None
        self._is_cut_unborn = False
        self._cut: deque[ResponseId] = deque(maxlen=64)
        self._over: deque[ResponseId] = deque(maxlen=64)
        self._reasons: dict[ItemId, bool] = {}  # → has the model confirmed the item?
        self._served: list[ItemId] = []
        self._assumed: list[ItemId] = []  # served only if the response is the one that we had asked for
        self._retried = False

    @property
    def is_open(self) -> bool:
        return self.state is not ResponseState.IDLE

    @property
    def is_wanted(self) -> bool:
        return bool(self._reasons)

    @property
    def deadline(self) -> float | None:
        return self._due_by

    def is_cut(self, response_id: ResponseId) -> bool:
        return response_id in self._cut

    def is_over(self, response_id: ResponseId) -> bool:
        """Has the model said its last word on it? What comes of it after that would never end."""
        return response_id in self._over

    def want(self, reason: ItemId, *, confirmed: bool = False) -> None:
        """An item calls for an answer. confirmed: the model has it."""
        self._reasons[reason] = self._reasons.get(reason, False) or confirmed

    def unwant(self, reason: ItemId) -> None:
        """Another item will call for the answer instead."""
        self._reasons.pop(reason, None)

    def confirm(self, reason: ItemId) -> None:
        """The model has the item."""
        if reason in self._reasons:
            self._reasons[reason] = True

    def drop_wants(self) -> None:
        self._reasons.clear()

    def expect(self, reason: ItemId, at: float) -> None:
        """The model will answer this committed turn by itself; if it does not begin to, we ask."""
        self.want(reason, confirmed=True)
        if not self.is_open:
            self._due_by = at + ANSWER_WAIT_S

    @property
    def is_expected(self) -> bool:
        """Is the model about to begin by itself?"""
        return self.state is ResponseState.IDLE and self._due_by is not None

    def request(self, at: float) -> None:
        """We ask for a response now; everything told by now is served by it."""
        self.state = ResponseState.REQUESTED
        self._due_by = at + REQUEST_WAIT_S
        self._served = list(self._reasons)

    def started(self, response_id: ResponseId, at: float) -> bool:
        """A response began. True: it is to be cancelled at once, for the caller spoke before it was born."""
        cut = self._is_cut_unborn and self.state is ResponseState.REQUESTED
        served = [reason for reason, confirmed in self._reasons.items() if confirmed]
        self._assumed = []
        if self.state is ResponseState.REQUESTED:
            self._assumed = [reason for reason in self._served if reason in self._reasons and reason not in served]
        if not cut:
            for reason in served + self._assumed:
                del self._reasons[reason]
        self._served = served + self._assumed
        self.state = ResponseState.ACTIVE
        self.response_id = response_id
        self._is_cut_unborn = False
        self._due_by = at + SILENT_WAIT_S
        return cut

    @property
    def is_awaited(self) -> bool:
        """Is one about to begin?"""
        return self.state is ResponseState.REQUESTED or self.is_expected

    def heard_from(self, response_id: ResponseId, at: float) -> None:
        """A response gave something; if it is the open one, it is alive."""
        if response_id == self.response_id:
            self._due_by = at + SILENT_WAIT_S

    def refused(self, at: float, *, is_transient: bool = False) -> bool:
        """Our request was refused: the reasons stand, and the response that was in its way will end.

        is_transient: nothing was in its way, the server could not just now. False: it was so the second time in a row.
        """
        if self.state is ResponseState.REQUESTED:
            self.state = ResponseState.IDLE
            self._due_by = at + REFUSED_WAIT_S
            self._is_cut_unborn = False
            if is_transient:
                return self._may_retry()
        else:  # the response that began meanwhile was the model's own, and may not know what we had told for ours
            for reason in self._assumed:
                self.want(reason)
            self._assumed = []
        return True

    def cut(self, at: float) -> ResponseId | None:
        """Let go of the open response; return its id if it is to be cancelled. Its later audio is not taken in."""
        if self.state is ResponseState.REQUESTED:
            self._is_cut_unborn = True
            return None
        if self.state is ResponseState.ACTIVE and self.response_id is not None and not self.is_cut(self.response_id):
            self._cut.append(self.response_id)
            self._due_by = at + CUT_WAIT_S
            return self.response_id
        return None

    def ended(self, response_id: ResponseId) -> bool:
        """A response is over. True: it was the open one."""
        if self.state is not ResponseState.ACTIVE or response_id != self.response_id:
            self._cut.append(response_id)  # a straggler must not sound
            return False
        self._over.append(response_id)
        self.state = ResponseState.IDLE
        self.response_id = None
        self._due_by = None
        return True

    def failed(self, at: float) -> bool:
        """The response that just ended had failed: want it once more, in a while. False: it was the second time."""
        for reason in self._served or [ItemId("")]:
            self.want(reason, confirmed=True)
        if not self._may_retry():
            return False
        self._due_by = at + FAILED_WAIT_S
        return True

    def _may_retry(self) -> bool:
        """Once is tried again, and after a second time in a row not."""
        self._retried = not self._retried
        return self._retried

    def succeeded(self) -> None:
        self._retried = False

    def overdue(self, at: float) -> ResponseId | None:
        """The deadline has passed: hold what did not come for gone. Returns a response to cancel, if one is stuck."""
        if self._due_by is None or at < self._due_by:
            return None
        self._due_by = None
        self._is_cut_unborn = False
        stuck = self.response_id
        self.state = ResponseState.IDLE
        self.response_id = None
        if stuck is None or self.is_cut(stuck):
            return None
        self._cut.append(stuck)
        return stuck

    def hand_over(self) -> ResponseId | None:
        """Another session takes over: return the response that this one has begun, which it is to finish."""
        begun = self.response_id if self.response_id is not None and not self.is_cut(self.response_id) else None
        self.state = ResponseState.IDLE
        self.response_id = None
        self._due_by = None
        self._is_cut_unborn = False
        return begun

    def bar(self, response_id: ResponseId) -> None:
        """Take in nothing of it any more."""
        self._cut.append(response_id)

    def abandon(self) -> None:
        """The model session is gone, and with it whatever was open. What is wanted stays wanted."""
        if self.response_id is not None:
            self._cut.append(self.response_id)
        self.state = ResponseState.IDLE
        self.response_id = None
        self._due_by = None
        self._is_cut_unborn = False
