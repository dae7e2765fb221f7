"""A realtime model without sound or socket: it makes what a scene says, and refuses what OpenAI's would."""

from collections import deque
from dataclasses import dataclass

from app.session.commands import (
    AddAgentText,
    AddCallerText,
    AddCue,
    CancelResponse,
    Command,
    DeleteItem,
    RequestResponse,
    SetTurnHandling,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    Event,
    ItemTaken,
    RequestRefused,
    ResponseEnded,
    ResponseStarted,
    TurnHandlingSet,
)
from app.session.words import Fault, ItemId, ModelNumber, Request, ResponseId, ResponseStatus
from scripts.benchmarks.barge_in_scenes import BYTES_PER_MS, Reply

_HEARD_LEVEL = 8000


@dataclass(slots=True)
class Truncated:
    item_id: ItemId
    audio_end_ms: int


class EmulatedModel:
    """events: (when, what), in order, on their way to the session. Seconds; nothing happens by itself but by time."""

    def __init__(self) -> None:
        self.events: deque[tuple[float, Event]] = deque()
        self.truncated: list[Truncated] = []
        self.refused: list[str] = []
        self.wants_reply = False
        self._model = ModelNumber(1)
        self._number = 0
        self._open: ResponseId | None = None
        self._items: dict[ItemId, int | None] = {}
        """What it has made of each, bytes; None: text."""

    @property
    def next_at(self) -> float | None:
        return self.events[0][0] if self.events else None

    def take(self) -> Event:
        """Let the next event happen: from here on it is in the conversation."""
        _, event = self.events.popleft()
        if isinstance(event, AgentAudio):
            self._items[event.item_id] = (self._items.get(event.item_id) or 0) + len(event.audio)
        elif isinstance(event, ResponseEnded):
            self._open = None
        return event

    def begin(self, reply: Reply, at: float) -> None:
        """Begin a response. Every second one is below zero, so that each is known by its sound."""
        self._number += 1
        model, response_id = self._model, ResponseId(f"resp_{self._number}")
        self._open = response_id
        level = _HEARD_LEVEL if self._number % 2 else -_HEARD_LEVEL
        sample = level.to_bytes(2, "little", signed=True)
        self.events.append((at, ResponseStarted(model, response_id)))
        last_item = -1
        for after_s, item, size in reply.deltas:
            item_id = ItemId(f"item_{self._number}_{item}")
            if item != last_item:
                if last_item >= 0:
                    ended = AgentAudioEnded(model, response_id, ItemId(f"item_{self._number}_{last_item}"))
                    self.events.append((at + after_s, ended))
                words = AgentTranscript(model, response_id, item_id, "some words that are said ")
                self.events.append((at + after_s, words))
                last_item = item
            self.events.append((at + after_s, AgentAudio(model, response_id, item_id, 0, sample * (size // 2))))
        over_at = at + reply.deltas[-1][0]
        ended = AgentAudioEnded(model, response_id, ItemId(f"item_{self._number}_{last_item}"))
        self.events.append((over_at, ended))
        self.events.append((over_at, ResponseEnded(model, response_id, ResponseStatus.COMPLETED, "", {})))

    def cancel(self, at: float, reason: str) -> None:
        """End the open response here; two deltas that it had sent already still arrive."""
        if self._open is None:
            return
        late = [entry for entry in self.events if isinstance(entry[1], AgentAudio)][:2]
        self.events = deque((at, event) for _, event in late)
        self.events.append((at, ResponseEnded(self._model, self._open, ResponseStatus.CANCELLED, reason, {})))

    def perform(self, command: Command, at: float) -> None:
        """Do what the session asks, or refuse it."""
        match command:
            case RequestResponse():
                self.wants_reply = True
            case CancelResponse(_, response_id) if response_id == self._open:
                self.cancel(at, "client_cancelled")
            case TruncateItem(_, item_id, _, audio_end_ms):
                made = self._items.get(item_id)
                self.truncated.append(Truncated(item_id, audio_end_ms))
                if made is None:
                    why = "it is text" if item_id in self._items else "there is no such item"
                    self._refuse(Request.TRUNCATE, f"{item_id}: {why}", at)
                elif audio_end_ms > made / BYTES_PER_MS:
                    self._refuse(Request.TRUNCATE, f"{item_id}: {audio_end_ms} ms of {made / BYTES_PER_MS:.0f}", at)
            case DeleteItem(_, item_id):
                if self._items.pop(item_id, 0) == 0 and not item_id.startswith("turn_"):
                    self.refused.append(f"{item_id}: deleted, and never made")
            case AddAgentText(_, item_id) | AddCallerText(_, item_id) | AddCue(_, item_id):
                self._items[item_id] = None
                self.events.appendleft((at, ItemTaken(self._model, item_id)))
            case SetTurnHandling():
                self.events.appendleft((at, TurnHandlingSet(self._model)))

    def _refuse(self, request: Request, why: str, at: float) -> None:
        self.refused.append(why)
        refusal = RequestRefused(self._model, request, Fault.REQUEST, "invalid_value")
        self.events.appendleft((at, refusal))
