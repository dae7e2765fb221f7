"""What we have asked of a session and it has not answered: numbered, remembered, and repaired when it is refused.

A refused request must not leave anything deaf or dumb: settings go again without the key that was not understood, an
item goes again in words that the server takes. Each is repaired once, but settings, which may hold several such keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.model import confirmation, messages, refusals
from app.model.messages import ErrorBody
from app.model.setup import Dialect
from app.session.words import Fault, ItemId, Request

MAX_SETTINGS_REPAIRS = 8
_AGENT_TEXT = {Dialect.GA: "output_text", Dialect.PREVIEW: "text"}
_OTHER_AGENT_TEXT = {"output_text": "text", "text": "output_text"}


@dataclass(slots=True)
class _Addition:
    """An item that the model has not shown yet."""

    item: Mapping[str, object]
    is_repaired: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What an answer to our settings says. keys: dotted, of what holds otherwise or was left out and is not told yet.

    audio_differs: what is heard from now on would be noise.
    """

    was_asked: bool
    is_last: bool = False
    keys: tuple[str, ...] = ()
    audio_differs: bool = False


@dataclass(slots=True)
class Requests:
    """The open requests of one session. What it returns as bytes is to be sent."""

    dialect: Dialect
    _count: int = 0
    _updates: dict[str, Mapping[str, object]] = field(default_factory=dict)
    """By event id, in the order of sending: the settings that were asked for."""
    _left_out: list[tuple[str, ...]] = field(default_factory=list)
    """Steps to what this server does not take."""
    _told: set[str] = field(default_factory=set)
    """Keys that were reported as differing."""
    _repairs: int = 0
    _is_asked_again: bool = False
    """Were settings sent again as they were, behind a fault of the server's?"""
    _additions: dict[ItemId, _Addition] = field(default_factory=dict)
    _truncated: ItemId | None = None
    """The last item that we asked to be truncated: an error about it may name no event."""
    _agent_text: str = ""
    _cancels_by_id: bool = True

    def __post_init__(self) -> None:
        self._agent_text = _AGENT_TEXT[self.dialect]

    # --- asking -------------------------------------------------------------------------------------------------------

    def settings(self, session: Mapping[str, object]) -> bytes:
        """Return the session.update for these settings, without what this server has refused before."""
        for steps in self._left_out:
            session = confirmation.without(session, steps)
        event_id = self._event_id(Request.SETTINGS)
        self._updates[event_id] = session
        return messages.encode({"type": "session.update", "event_id": event_id, "session": session})

    def item(self, item_id: ItemId, item: Mapping[str, object], after: ItemId | None = None) -> bytes:
        """Return the conversation.item.create for an item. after: the item behind which it stands; None: behind all."""
        item = {"id": item_id, **item}
        self._additions[item_id] = _Addition(item)
        return _creation(item_id, item, after)

    def message_item(self, item_id: ItemId, role: str, text: str, after: ItemId | None = None) -> bytes:
        """Return the conversation.item.create for some words of this role. after: the item behind which they stand."""
        kind = self._agent_text if role == "assistant" else "input_text"
        return self.item(item_id, _message(role, kind, text), after)

    def cancel(self, response_id: str) -> bytes:
        """Return the response.cancel for a response."""
        named = {"response_id": response_id} if self._cancels_by_id else {}
        return self.plain(Request.CANCEL, type="response.cancel", **named)

    def truncate(self, item_id: ItemId, content_index: int, audio_end_ms: int) -> bytes:
        """Return the conversation.item.truncate for what was heard of an item."""
        self._truncated = item_id
        event_id = f"{self._event_id(Request.TRUNCATE)}-{item_id}"
        where = {"item_id": item_id, "content_index": content_index, "audio_end_ms": audio_end_ms}
        return messages.encode({"type": "conversation.item.truncate", "event_id": event_id, **where})

    def delete(self, item_id: ItemId) -> bytes:
        """Return the conversation.item.delete for an item."""
        return self.plain(Request.DELETE, type="conversation.item.delete", item_id=item_id)

    def plain(self, request: Request, **fields: object) -> bytes:
        """Return a client event that nothing has to be remembered of."""
        return messages.encode({**fields, "event_id": self._event_id(request)})

    # --- answers ------------------------------------------------------------------------------------------------------

    def shown(self, item_id: ItemId) -> bool:
        """The model has shown an item: is it one of ours, for the first time?"""
        return self._additions.pop(item_id, None) is not None

    def confirmed(self, session: Mapping[str, object]) -> Confirmation:
        """The model has confirmed settings: the oldest that are open, for it answers in order."""
        if not self._updates:
            return Confirmation(was_asked=False)
        asked = self._updates.pop(next(iter(self._updates)))
        differing = [".".join(steps) for steps in self._left_out] + confirmation.differing(asked, session)
        keys = tuple(key for key in differing if key not in self._told)
        self._told.update(keys)
        audio_differs = any(confirmation.is_about_audio(key) for key in differing)
        return Confirmation(True, not self._updates, keys, audio_differs)

    def refused(self, error: ErrorBody) -> bytes | None:
        """Return what to send instead of a refused request; None: it is dropped, and no longer open."""
        request, fault = refusals.request_of(error), refusals.fault_of(error)
        if request is Request.SETTINGS:
            return self._repaired_settings(error, fault)
        if request is Request.ITEM:
            return self._repaired_item(error, fault)
        if request is Request.TRUNCATE and error.code == "unsupported_content_type":
            # It has no audio, so nothing of it was heard (pitfall 2).
            item_id = refusals.item_of(error, Request.TRUNCATE) or self._truncated
            return self.delete(item_id) if item_id is not None else None
        if request is Request.CANCEL and error.code == "unknown_parameter" and self._cancels_by_id:
            self._cancels_by_id = False  # a server from before responses could be named
            return self.cancel("")
        return None

    def _repaired_settings(self, error: ErrorBody, fault: Fault) -> bytes | None:
        event_id = error.event_id if error.event_id in self._updates else next(iter(self._updates), None)
        if event_id is None:
            return None
        asked = self._updates.pop(event_id)
        if self._repairs >= MAX_SETTINGS_REPAIRS:
            return None
        if fault is Fault.TRANSIENT and not self._is_asked_again:
            self._is_asked_again = True
            return self.settings(asked)
        steps = confirmation.dispensable(refusals.settings_key(error) or "")
        if fault is not Fault.REQUEST or steps is None or confirmation.without(asked, steps) == asked:
            return None
        self._repairs += 1
        self._left_out.append(steps)
        return self.settings(asked)

    def _repaired_item(self, error: ErrorBody, fault: Fault) -> bytes | None:
        item_id = refusals.item_of(error)
        if item_id is None and len(self._additions) == 1:  # an error that forgot its event: it can be no other
            item_id = next(iter(self._additions))
        addition = self._additions.pop(item_id, None) if item_id is not None else None
        if item_id is None or addition is None or addition.is_repaired:
            return None
        item = addition.item if fault is Fault.TRANSIENT else self._reworded(addition.item, error)
        if item is None:
            return None
        self._additions[item_id] = _Addition(item, is_repaired=True)
        return _creation(item_id, item)

    def _reworded(self, item: Mapping[str, object], error: ErrorBody) -> Mapping[str, object] | None:
        if item["type"] == "function_call_output":
            # The model would wait for it, or make it up: what the tool has found is told as plain words.
            told = f"The answer of the tool call {item['call_id']}: {item['output']}"
            return {"id": item["id"], **_message("system", "input_text", told)}
        if error.param == "previous_item_id":
            return item  # what it was to stand behind is not there: it stands behind all then
        content = item.get("content")
        if item.get("role") != "assistant" or "content" not in (error.param or "") or not isinstance(content, list):
            return None
        # The beta's word for an assistant's text, or GA's: gateways are not agreed (pitfalls 9 and 19).
        self._agent_text = _OTHER_AGENT_TEXT[str(content[0]["type"])]
        return {**item, "content": [{**content[0], "type": self._agent_text}]}

    def _event_id(self, request: Request) -> str:
        self._count += 1
        return refusals.event_id_for(request, self._count)


def _message(role: str, kind: str, text: str) -> dict[str, object]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _creation(item_id: ItemId, item: Mapping[str, object], after: ItemId | None = None) -> bytes:
    event_id = refusals.event_id_for(Request.ITEM, item_id)
    where = {} if after is None else {"previous_item_id": after}
    return messages.encode({"type": "conversation.item.create", "event_id": event_id, **where, "item": item})
