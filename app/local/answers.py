"""Which fields of what was found answer the caller, and which are offered to be asked for next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.local.errand import Call
from app.local.outcomes import Detail, Outcome, Verdict, detail_of
from app.local.parameters import name_words
from app.local.words import words_of

Field = tuple[str, object]

_FEW = 3
_HEARABLE = frozenset(  # what the recogniser has questions for; the rest is told at once, since nobody could ask for it
    {Detail.STATUS, Detail.ARRIVAL, Detail.PRICE, Detail.CARRIER, Detail.TRACKING, Detail.PLACE, Detail.CONTENTS}
)
_SMALL = frozenset({"at", "on", "of", "id", "date"})  # "when was it created" asks for created_at
_OVER = ("deliver", "cancel", "return", "refund", "lost")  # a status that makes the expected day a thing of the past


@dataclass(frozen=True, slots=True)
class Answered:
    """A tool call and what came of it."""

    call: Call
    outcome: Outcome

    @property
    def has_found(self) -> bool:
        return self.outcome.verdict is Verdict.FOUND

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the first record that tell something new: not the caller's own words, not empty."""
        given = {str(value) for value in self.call.arguments.values()}
        record: Mapping[str, object] = self.outcome.records[0] if self.outcome.records else {}
        return tuple(
            (name, value) for name, value in record.items() if str(value) not in given and value not in (None, "")
        )

    @property
    def details(self) -> tuple[Detail, ...]:
        """What its fields tell, in their order, each once."""
        return tuple(dict.fromkeys(detail_of(name) for name, _ in self.fields))


def told_first(
    answered: Answered, detail: Detail | None, *, everything: bool
) -> tuple[tuple[Field, ...], tuple[Detail, ...]]:
    """Return the fields that answer, and the details that may be asked for next.

    detail: what the caller asked for; with None, or with something that was not found, the state of the thing leads.
    everything: tell all at once, to a caller who cannot be heard.
    """
    fields = answered.fields
    if everything or not fields:
        return fields, ()
    asked = detail if detail in answered.details else None
    leading = [one for one in fields if detail_of(one[0]) is (asked or Detail.STATUS)]
    if asked is Detail.ARRIVAL:
        leading = [one for one in fields if detail_of(one[0]) is Detail.STATUS and _is_over(one[1])] + leading
    if not leading:
        leading = list(fields[:_FEW])
    if detail in {None, Detail.STATUS}:  # what nobody could ask for goes along
        leading += [one for one in fields if one not in leading and detail_of(one[0]) not in _HEARABLE]
    named = {detail_of(name) for name, _ in leading}
    return tuple(leading), tuple(one for one in answered.details if one in _HEARABLE and one not in named)


def field_named(answered: Answered, words: Sequence[str]) -> Field | None:
    """Return the field whose very name is among these words, or None."""
    for name, value in answered.fields:
        label = [word for word in name_words(name) if word not in _SMALL]
        if label and all(word in words for word in label):
            return name, value
    return None


def _is_over(status: object) -> bool:
    return any(word.startswith(_OVER) for word in words_of(str(status))) and "out" not in words_of(str(status))
