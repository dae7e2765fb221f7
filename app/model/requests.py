"""What we have asked of a session and it has not answered: numbered, remembered, and repaired when it is refused.

A refused request must not leave anything deaf or dumb: settings go again without the key that was not understood, or
with nothing but what a call needs; an item goes again in words that the server takes. Each is repaired once, but
settings, which may hold several such keys.

Ids that are longer than servers take (32 characters: of calls pitfall 11, of items some do) go by a shorter name in
this session. They come from sessions before it; what this one has named itself keeps its name, however long.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.model import confirmation, messages, refusals
from app.model.messages import ErrorBody
from app.model.setup import Dialect
from app.session.words import Fault, ItemId, Request

MAX_SETTINGS_REPAIRS = 8
MAX_ID_CHARS = 32
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

    ignored: what no call can be held without (`confirmation.ignored`), if that is so.
    """

    was_asked: bool
    is_last: bool = False
    keys: tuple[str, ...] = ()
    ignored: str = ""


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
    _holds: bool = False
    """Were settings confirmed? Until then nothing else is asked for."""
    _additions: dict[ItemId, _Addition] = field(default_factory=dict)
    """By the id that they go by here."""
    _shortened: dict[ItemId, ItemId] = field(default_factory=dict)
    """Items added here whose ids were too long: the name that each goes by."""
    _long_calls: set[str] = field(default_factory=set)
    """Tool calls of this session whose ids are longer than what we may send, but for an answer to them."""
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
        named = self._named(item_id)
        item = {"id": named, **item}
        self._additions[named] = _Addition(item)
        return _creation(named, item, None if after is None else self._known_as(after))

    def message_item(self, item_id: ItemId, role: str, text: str, after: ItemId | None = None) -> bytes:
        """Return the conversation.item.create for some words of this role. after: the item behind which they stand."""
        kind = self._agent_text if role == "assistant" else "input_text"
        return self.item(item_id, _message(role, kind, text), after)

    def answer(self, item_id: ItemId, call_id: str, output: str) -> bytes:
        """Return the conversation.item.create for what a tool call has given."""
        named = call_id if call_id in self._long_calls else _within_limit(call_id)
        return self.item(item_id, {"type": "function_call_output", "call_id": named, "output": output})

    def cancel(self, response_id: str) -> bytes:
        """Return the response.cancel for a response."""
        named = {"response_id": response_id} if self._cancels_by_id else {}
        return self.plain(Request.CANCEL, type="response.cancel", **named)

    def truncate(self, item_id: ItemId, content_index: int, audio_end_ms: int) -> bytes:
        """Return the conversation.item.truncate for what was heard of an item."""
        named = self._truncated = self._known_as(item_id)
        event_id = f"{self._event_id(Request.TRUNCATE)}-{named}"
        where = {"item_id": named, "content_index": content_index, "audio_end_ms": audio_end_ms}
        return messages.encode({"type": "conversation.item.truncate", "event_id": event_id, **where})

    def delete(self, item_id: ItemId) -> bytes:
        """Return the conversation.item.delete for an item."""
        return self.plain(Request.DELETE, type="conversation.item.delete", item_id=self._known_as(item_id))

    def plain(self, request: Request, **fields: object) -> bytes:
        """Return a client event that nothing has to be remembered of."""
        return messages.encode({**fields, "event_id": self._event_id(request)})

    # --- answers ------------------------------------------------------------------------------------------------------

    def shown(self, named: ItemId) -> ItemId | None:
        """The model has shown an item: return ours that it is, for the first time; None: it is none of ours."""
        if self._additions.pop(named, None) is None:
            return None
        return next((item_id for item_id, name in self._shortened.items() if name == named), named)

    def called(self, call_id: str) -> None:
        """The model has called a tool."""
        if len(call_id) > MAX_ID_CHARS:
            self._long_calls.add(call_id)

    def confirmed(self, session: Mapping[str, object]) -> Confirmation:
        """The model has confirmed settings: the oldest that are open, for it answers in order."""
        if not self._updates:
            return Confirmation(was_asked=False)
        asked = self._updates.pop(next(iter(self._updates)))
        self._holds = True
        differing = [".".join(steps) for steps in self._left_out] + confirmation.differing(asked, session)
        keys = tuple(key for key in differing if key not in self._told)
        self._told.update(keys)
        return Confirmation(True, not self._updates, keys, confirmation.ignored(asked, session))

    def refused(self, error: ErrorBody) -> bytes | None:
        """Return what to send instead of a refused request; None: it is dropped, and no longer open."""
        request, fault = refusals.request_of(error), refusals.fault_of(error)
        if request is Request.SETTINGS or (request is Request.OTHER and not error.event_id and not self._holds):
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
        if fault is Fault.TRANSIENT and not self._is_asked_again:
            self._is_asked_again = True
            return self.settings(asked)
        refused = self._refused_in(asked, error) if fault is Fault.REQUEST else []
        if not refused:
            return None
        self._repairs += 1
        self._left_out += refused
        return self.settings(asked)

    def _refused_in(self, asked: Mapping[str, object], error: ErrorBody) -> list[tuple[str, ...]]:
        """Return the steps to what has to go from refused settings; none if nothing else can be tried."""
        steps = confirmation.dispensable(refusals.settings_key(error) or "")
        if steps is not None and confirmation.without(asked, steps) != asked and self._repairs < MAX_SETTINGS_REPAIRS:
            return [steps]
        # Without a key to leave out nobody knows which it is. A change of how turns are handled is not worth all that
        # a session is set to: it goes on without.
        return confirmation.dispensable_in(asked) if "instructions" in asked else []

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

    def _named(self, item_id: ItemId) -> ItemId:
        """Return the name that an item of this id is added by."""
        named = ItemId(_within_limit(item_id))
        if named != item_id:
            self._shortened[item_id] = named
        return named

    def _known_as(self, item_id: ItemId) -> ItemId:
        """Return the name that an item goes by in this session: its own, also a long one, unless we have added it."""
        return self._shortened.get(item_id, item_id)

    def _event_id(self, request: Request) -> str:
        self._count += 1
        return refusals.event_id_for(request, self._count)


def _within_limit(any_id: str) -> str:
    """Return an id that servers take: this one, or a short one that is always the same for it."""
    if len(any_id) <= MAX_ID_CHARS:
        return any_id
    return "dialtone_" + hashlib.blake2b(any_id.encode("utf-8", "replace"), digest_size=11).hexdigest()


def _message(role: str, kind: str, text: str) -> dict[str, object]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _creation(item_id: ItemId, item: Mapping[str, object], after: ItemId | None = None) -> bytes:
    event_id = refusals.event_id_for(Request.ITEM, item_id)
    where = {} if after is None else {"previous_item_id": after}
    return messages.encode({"type": "conversation.item.create", "event_id": event_id, **where, "item": item})
