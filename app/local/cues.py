"""Cues of the service: system items, and the short instructions of a single response. Not the caller's words."""

import re
from dataclasses import dataclass

from app.local.instructions import business_in, wording_in
from app.local.wording import Wording

_LONGEST = 400  # characters: instructions of one response are short, those of a session are no cue
_RESULT = re.compile(r"^\s*([\w.-]+) was called with (\{.*?\}) and answered (.*)$", re.DOTALL)
_STILL_THERE = re.compile(r"\b(still there|silent|silence|quiet|idle|not (said|spoken|answered))\b", re.IGNORECASE)
_GOODBYE = re.compile(r"\b(goodbye|good-bye|hang up|end the call|say bye)\b", re.IGNORECASE)
_MOMENT = re.compile(r"\b(one moment|to wait|hold the line|on hold|still looking|still working)\b", re.IGNORECASE)
_GREETING = re.compile(r"\b(greet|welcome|introduce yourself|begin the (call|conversation))\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TellsResult:
    """What a tool was asked and what it gave back, in a conversation that began elsewhere."""

    name: str
    arguments: str
    output: str


def result_in(cue: str) -> TellsResult | None:
    """Return the tool result that a cue tells ("NAME was called with {…} and answered …"), or None."""
    match = _RESULT.match(cue)
    return TellsResult(match[1], match[2], match[3].strip()) if match else None


def said_on(cue: str, wording: Wording, instructions: str) -> str | None:
    """Return what a cue wants said now, or None when it wants nothing that is known here."""
    if not cue or len(cue) > _LONGEST:
        return None
    if (words := wording_in(cue)) is not None:
        return words
    if _STILL_THERE.search(cue):
        return wording.still_there
    if _GOODBYE.search(cue):
        return wording.goodbye(business_in(instructions))
    if _MOMENT.search(cue):
        return wording.one_moment
    return wording.greeting(business_in(instructions), ()) if _GREETING.search(cue) else None
