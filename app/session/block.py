"""What every block of an agent file has in common, and how a block words what is wrong with it.

A message names what is wrong, then, behind a semicolon, what to write instead. The reader of the file puts file, line,
column and key before it.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Location = tuple[str | int, ...]
"""The way to a key: names of keys and, in lists, positions from 0."""


class Block(BaseModel):
    """A part of the agent file: closed (an unknown key is a mistake), frozen, its lists tuples.

    later: keys that this version does not have yet, each with what to write meanwhile.
    stand_ins: for a required key those later keys that would take its place, so that one mistake is told once.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    later: ClassVar[Mapping[str, str]] = {}
    stand_ins: ClassVar[Mapping[str, frozenset[str]]] = {}


def wrong(message: str) -> PydanticCustomError:
    """Return what a validator raises: "what is wrong; what to write"."""
    return PydanticCustomError("agent_file", "{message}", {"message": message})


def wrong_within(mistakes: Sequence[tuple[Location, str]]) -> ValidationError:
    """Return what a validator raises for mistakes further down, each with its way from here."""
    details = [InitErrorDetails(type=wrong(message), loc=location, input=None) for location, message in mistakes]
    return ValidationError.from_exception_data("agent file", details)


def not_yet(what: str, instead: str) -> str:
    """Return the message for something that a later version brings."""
    return f"this version does not have {what} yet; {instead}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that this one is most likely meant to be, None when none is near."""
    names = {name.lower().replace("-", "_"): name for name in known}
    found = difflib.get_close_matches(word.lower().replace("-", "_").replace(" ", "_"), names, n=1, cutoff=0.6)
    return names[found[0]] if found else None


def choice(*known: str, later: Mapping[str, str] | None = None) -> BeforeValidator:
    """Return a validator for a value out of a closed list.

    later: values of a later version, each with what to write meanwhile.
    """
    to_come = later or {}
    listing = " or ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)

    def check(value: object) -> object:
        if value in known:
            return value
        if isinstance(value, str) and value in to_come:
            raise wrong(not_yet(value, to_come[value]))
        meant = nearest(value, known) if isinstance(value, str) else None
        shown = "empty" if value is None or value == "" else repr(value)
        raise wrong(f"is {shown}; " + (f"did you mean {meant}?" if meant else f"write {listing}"))

    return BeforeValidator(check)


def _is_spoken(text: str) -> str:
    if not text.strip():
        raise wrong("is empty; write what the agent shall say")
    return without_template(text)


def without_template(text: str) -> str:
    """Return the text; raises for one with the beginning of a template, which would be read out as it stands."""
    for opening, closing in (("{{", "}}"), ("{%", "%}")):
        if opening in text:
            raise wrong(not_yet(f"templates ({opening} {closing})", "write the words themselves"))
    return text


MAX_SPOKEN_CHARS = 1000
"""About a minute of speech; a fixed sentence that is longer than that is a lecture."""

Spoken = Annotated[
    str,
    Field(max_length=MAX_SPOKEN_CHARS, json_schema_extra={"pattern": r"\S"}),
    AfterValidator(_is_spoken),
]
"""A sentence that is spoken word for word."""
