"""What the model has asked our tools to do: REQUESTED → RUNNING → ANSWERED or WITHDRAWN, each once."""

from dataclasses import dataclass
from enum import Enum

from app.session.words import ItemId, ModelNumber, ResponseId, ToolCallId


class ToolCallState(Enum):
    REQUESTED = "requested"
    RUNNING = "running"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


_OPEN = (ToolCallState.REQUESTED, ToolCallState.RUNNING)


@dataclass(slots=True)
class ToolCall:
    tool_call_id: ToolCallId
    model: ModelNumber
    response_id: ResponseId
    item_id: ItemId
    name: str
    arguments: str
    requested_at: float
    state: ToolCallState = ToolCallState.REQUESTED

    @property
    def is_open(self) -> bool:
        return self.state in _OPEN

    def is_of(self, other: "ToolCall") -> bool:
        """Are both of the same response?"""
        return (self.model, self.response_id) == (other.model, other.response_id)


class ToolCalls:
    """The tool calls of one call, by id."""

    __slots__ = ("_calls", "_told")

    def __init__(self) -> None:
        self._calls: dict[ToolCallId, ToolCall] = {}
        self._told: dict[ResponseId, ItemId] = {}  # the last answer to a call of a response that has not gone on yet

    def request(self, call: ToolCall) -> bool:
        """Take in a call and set it RUNNING; False when the model says the same one twice.

        An id that comes again in another response is another call: some servers begin to count anew.
        """
        known = self._calls.get(call.tool_call_id)
        if known is not None and (known.is_open or known.is_of(call)):
            return False
        self._calls[call.tool_call_id] = call
        call.state = ToolCallState.RUNNING
        return True

    def answer(self, tool_call_id: ToolCallId) -> ToolCall | None:
        """Return the running call that this answers, now ANSWERED; None when it is none, or over already."""
        call = self._calls.get(tool_call_id)
        if call is None or call.state is not ToolCallState.RUNNING:
            return None
        call.state = ToolCallState.ANSWERED
        return call

    def withdraw(self, call: ToolCall) -> None:
        call.state = ToolCallState.WITHDRAWN

    def withdraw_all(self) -> list[ToolCall]:
        """Withdraw and return every call that is still open."""
        withdrawn = [call for call in self._calls.values() if call.is_open]
        for call in withdrawn:
            call.state = ToolCallState.WITHDRAWN
        return withdrawn

    @property
    def is_any_running(self) -> bool:
        return any(call.is_open for call in self._calls.values())

    def told(self, call: ToolCall, item_id: ItemId) -> None:
        """The model was told what this call's tool answered, by that item."""
        self._told[call.response_id] = item_id

    def follow_ups(self, *, open_response: ResponseId | None) -> list[ItemId]:
        """Return, once, the last answer of each response that is over and none of whose calls is running."""
        ready = [
            response_id
            for response_id in self._told
            if response_id != open_response and not self._are_running(response_id)
        ]
        return [self._told.pop(response_id) for response_id in ready]

    def goes_on(self, response_id: ResponseId) -> bool:
        """Is what this response called running, or its answer not gone on with yet?"""
        return response_id in self._told or self._are_running(response_id)

    def _are_running(self, response_id: ResponseId) -> bool:
        return any(call.is_open and call.response_id == response_id for call in self._calls.values())
