"""Conversations with the embedded dialogue: tools as sessions carry them, and a caller who says line after line."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.local.dialogue import (
    AgentSaid,
    CallerSaid,
    CallerWrote,
    CallTool,
    Entry,
    Say,
    ToolAnswered,
    ToolCalled,
    reply,
)
from app.local.vocabulary import ToolOffer

ACME = "You answer the telephone for Acme, a mail-order shop. Be brief."
ORDER = "Where is my order? The number is one zero four two."
FOUND = '{"rows": [{"status": "shipped", "eta": "2026-11-25"}]}'
SHIPPED = {"rows": [{"status": "shipped", "eta": "2026-11-25"}]}


def offer(name: str, description: str = "", /, **parameters: Mapping[str, object]) -> ToolOffer:
    """A tool whose parameters are all required."""
    return ToolOffer(name, description, {"type": "object", "properties": parameters, "required": list(parameters)})


TEXT: Mapping[str, object] = {"type": "string"}
FOUR_DIGITS: Mapping[str, object] = {"type": "string", "pattern": r"^\d{4}$"}
LOOKUP = offer("lookup_order", "Find an order by its number.", order_number=TEXT)
CANCEL = offer("cancel_order", "Cancel an order.", order_number=FOUR_DIGITS)
BOOK = offer(
    "book_table",
    "Book a table.",
    guests={"type": "integer", "maximum": 12},
    date={"type": "string", "format": "date"},
    area={"type": "string", "enum": ["inside", "outside"]},
)
TRANSFER = offer("transfer_call", "Transfer the call.", destination={"type": "string", "enum": ["sales", "billing"]})
END = offer("end_call", "End the call.")
HOURS = offer("get_opening_hours", "The opening hours of the shop.")


def orders(name: str, arguments: Mapping[str, object]) -> object:
    """Order 1042 is known, no other; whatever changes something succeeds."""
    if not name.startswith(("lookup", "find", "get")):
        return {"ok": True}
    return SHIPPED if arguments.get("order_number") == "1042" else {"rows": []}


def answer(*entries: Entry, tool_choice: str = "auto", instructions: str = ACME) -> list[Say | CallTool]:
    """What the order desk does next in a conversation."""
    return reply(entries, instructions=instructions, tools=[LOOKUP], tool_choice=tool_choice, language="en")


@dataclass
class Talk:
    """A conversation under way; each method returns what the agent said to it, tool results told as well."""

    tools: list[ToolOffer]
    instructions: str = ACME
    language: str = "en"
    answer: Callable[[str, Mapping[str, object]], object] = orders
    entries: list[Entry] = field(default_factory=list)
    calls: list[CallTool] = field(default_factory=list)

    def says(self, text: str | None) -> str:
        return self._after(CallerSaid(text))

    def writes(self, text: str) -> str:
        return self._after(CallerWrote(text))

    def presses(self, keys: str) -> str:
        return self.writes(f"Keypad: {keys}")

    def begins(self) -> str:
        return self._answered()

    def _after(self, entry: Entry) -> str:
        self.entries.append(entry)
        return self._answered()

    def _answered(self) -> str:
        said: list[str] = []
        called = False
        for action in self.moves():
            if isinstance(action, Say):
                self.entries.append(AgentSaid(action.text))
                said.append(action.text)
                continue
            called = True
            self.calls.append(action)
            output = self.answer(action.name, action.arguments)
            call_id = f"call_{len(self.calls)}"
            self.entries.append(ToolCalled(call_id, action.name, json.dumps(dict(action.arguments))))
            self.entries.append(ToolAnswered(call_id, output if isinstance(output, str) else json.dumps(output)))
        return " ".join([*said, self._answered()] if called else said)

    def moves(self) -> list[Say | CallTool]:
        """What the agent would do next."""
        return reply(self.entries, instructions=self.instructions, tools=self.tools, language=self.language)
