"""The items of one conversation, in their order."""

from app.local.items import AgentAudio, Item, Message, ToolCall
from app.local.protocol import new_id
from app.local.shapes import RequestError


class Conversation:
    """What was said so far. Items are few (a few hundred in an hour), so they lie in a plain list."""

    __slots__ = ("_items", "id")

    def __init__(self) -> None:
        self.id = new_id("conv")
        self._items: list[Item] = []

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(self._items)

    @property
    def last_id(self) -> str | None:
        return self._items[-1].id if self._items else None

    def find(self, item_id: str) -> Item | None:
        """Return the item of that id, or None."""
        return next((item for item in self._items if item.id == item_id), None)

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Put an item in and return the id of the one before it; None: it is the first.

        after: the item to follow, "root" for the beginning, None for the end. Raises RequestError when `after` or the
        item's own id cannot be.
        """
        if self.find(item.id) is not None:
            raise RequestError("invalid_value", f"Item with id '{item.id}' already exists: choose another.", "item.id")
        if after is None:
            place = len(self._items)
        elif after == "root":
            place = 0
        else:
            place = self._place(after) + 1
        self._items.insert(place, item)
        return self._items[place - 1].id if place else None

    def _place(self, item_id: str) -> int:
        for place, item in enumerate(self._items):
            if item.id == item_id:
                return place
        raise RequestError(
            "invalid_value", f"Previous item with id '{item_id}' not found in conversation.", "previous_item_id"
        )

    def delete(self, item_id: str) -> None:
        """Take an item out, or raise RequestError when there is none of that id."""
        item = self.find(item_id)
        if item is None:
            raise _no_item(item_id, "delete")
        self._items.remove(item)

    def retrieve(self, item_id: str) -> Item:
        """Return an item, or raise RequestError when there is none of that id."""
        item = self.find(item_id)
        if item is None:
            raise _no_item(item_id, "retrieve")
        return item

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cut the agent's audio in an item to its first milliseconds, or raise RequestError and leave it as it is."""
        item = self.find(item_id)
        if item is None:
            raise _no_item(item_id, "truncate")
        part = item.parts[content_index] if isinstance(item, Message) and content_index < len(item.parts) else None
        if not isinstance(part, AgentAudio):
            raise RequestError("unsupported_content_type", "Only model output audio messages can be truncated")
        if audio_end_ms > part.duration_ms:
            # the real server's error does not name the client's event here
            raise RequestError(
                "invalid_value",
                f"Audio content of {part.duration_ms}ms is already shorter than {audio_end_ms}ms",
                answers=False,
            )
        part.truncate(audio_end_ms)

    def has_tool_call(self, call_id: str) -> bool:
        """Whether the agent made a call of that id."""
        return any(isinstance(item, ToolCall) and item.call_id == call_id for item in self._items)


def _no_item(item_id: str, deed: str) -> RequestError:
    return RequestError(
        f"item_{deed}_invalid_item_id", f"Item with item_id '{item_id}' not found in conversation.", "item_id"
    )
