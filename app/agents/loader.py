"""From a YAML file to an agent, or to every mistake in it with file, line and column."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from app.agents.document import Node, Place, read_document
from app.agents.mistakes import Mistake, flaws_of, in_order, mistake, mistakes_of
from app.agents.schema import AgentFile, Origin


@dataclass(frozen=True, slots=True)
class Mistaken:
    """A file that gives no agent. phone_numbers: what it says it answers, as far as that can be read."""

    source: Path
    mistakes: tuple[Mistake, ...]
    phone_numbers: frozenset[str] = frozenset()


def load(path: Path) -> AgentFile | Mistaken:
    """Return the agent of a file, or what is wrong with the file, a missing one included."""
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        return Mistaken(path, (mistake(path, Place(1, 1), (), f"{reason}; name a file that can be read"),))
    return read(path, content)


def read(source: Path, content: bytes) -> AgentFile | Mistaken:
    """Return the agent that these bytes describe, or what is wrong with them. source: named in mistakes alone."""
    document = read_document(content)
    flaws = flaws_of(document, source)
    root = document.root
    if root is None or not isinstance(root.value, dict):
        if not flaws:
            place = root.place if root else Place(1, 1)
            shown = "is empty" if root is None or root.value is None else "is no block of keys"
            flaws = [mistake(source, place, (), f"{shown}; write at least agent, prompt and disclosure")]
        return Mistaken(source, in_order(flaws))
    origin = Origin(source, version=hashlib.sha256(content).hexdigest()[:12], root=root)
    try:
        agent = AgentFile.model_validate(root.value, context=origin)
    except ValidationError as error:
        return Mistaken(source, in_order([*flaws, *mistakes_of(error, root, source)]), _numbers_in(root))
    return Mistaken(source, in_order(flaws), frozenset(agent.phone_numbers)) if flaws else agent


def _numbers_in(root: Node) -> frozenset[str]:
    numbers = root.find(("phone_numbers",))
    written = [numbers, *numbers.children.values()] if numbers else []
    return frozenset(node.written for node in written if node.written)
