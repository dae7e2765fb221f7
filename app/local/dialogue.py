"""What the embedded model answers: rules over the conversation so far, without clock or I/O."""

import re
from collections.abc import Sequence

from app.local.cues import said_on
from app.local.entries import (
    Action,
    AgentSaid,
    CallerSaid,
    CallerSilent,
    CallerWrote,
    CallTool,
    Entry,
    Say,
    SystemSaid,
    ToolAnswered,
    ToolCalled,
)
from app.local.instructions import business_in, facts_in, opening_in
from app.local.offers import ToolOffer, tools_of
from app.local.talk import Talk
from app.local.tongues import Tongue, tongue_of
from app.local.wording import Wording

__all__ = [
    "AgentSaid",
    "CallTool",
    "CallerSaid",
    "CallerSilent",
    "CallerWrote",
    "Entry",
    "Say",
    "SystemSaid",
    "ToolAnswered",
    "ToolCalled",
    "language_of",
    "reply",
]

_HANGUL, _KANA = re.compile(r"[가-힣]"), re.compile(r"[ぁ-ゖァ-ヺー]")
_LETTER = re.compile(r"[^\W\d_]")
_TOLD_TO_SPEAK = {
    "ko": r"\b(speak|answer|reply|respond|talk)\b[^.\n]{0,30}\bkorean\b",
    "ja": r"\b(speak|answer|reply|respond|talk)\b[^.\n]{0,30}\bjapanese\b",
}


def reply(
    entries: Sequence[Entry],
    *,
    instructions: str,
    tools: Sequence[ToolOffer],
    tool_choice: str = "auto",
    language: str,
) -> list[Say | CallTool]:
    """Return what the agent says and does next.

    tool_choice: auto, none, required, or a tool's name. With "required" a turn of the caller is always answered with a
    call, if need be with arguments missing; a tool's answer is told all the same, or the two would go round for ever.
    """
    tongue = tongue_of(language)
    offered = tools_of(tools)
    facts = facts_in(instructions, [tool.noun for tool in offered]) if tongue.hears else {}
    talk = Talk(offered, tongue, business=business_in(instructions), facts=facts)
    for entry in entries:
        talk.take(entry)
    last = entries[-1] if entries else None
    cue = last.text if isinstance(last, SystemSaid) and not talk.is_told_result else ""
    said = said_on(cue, tongue.wording, instructions)
    if said is not None:
        actions: list[Action] = [Say(said)]
    elif talk.unanswered is not None:
        actions = talk.unanswered or [Say(tongue.wording.one_moment)]
    else:
        actions = _unasked(entries, talk, tongue.wording, instructions)
    tells_result = isinstance(last, ToolAnswered) or talk.is_told_result
    if tells_result and tool_choice != "none":
        return actions
    return _as_chosen(actions, tool_choice, talk, tongue, [tool.name for tool in offered])


def _unasked(entries: Sequence[Entry], talk: Talk, wording: Wording, instructions: str) -> list[Action]:
    """Speak without a turn of the caller: begin, go on after a false alarm, or ask for a sign of life."""
    spoken = [entry.text for entry in entries if isinstance(entry, AgentSaid)]
    has_caller = any(isinstance(entry, CallerSaid | CallerWrote) for entry in entries)
    if not has_caller and not any("?" in text or "？" in text for text in spoken):
        opening = opening_in(instructions)
        return [Say(opening or wording.greeting(business_in(instructions), talk.tools))]
    if unfinished := talk.unfinished():
        return unfinished
    if spoken and (said := said_on(instructions, wording, instructions)) is not None:
        return [Say(said)]
    is_cut = bool(spoken) and len(spoken[-1]) < len(talk.answer) and talk.answer.startswith(spoken[-1].rstrip(" .…"))
    return [Say(talk.answer if is_cut else wording.still_there)]


def _as_chosen(
    actions: list[Action], tool_choice: str, talk: Talk, tongue: Tongue, names: Sequence[str]
) -> list[Action]:
    calls = any(isinstance(one, CallTool) for one in actions)
    if tool_choice == "none" and calls:
        return [Say(tongue.wording.not_now)]
    if tool_choice == "required" and not calls and names:
        best = talk.best_call()
        return [best] if best is not None else actions
    if tool_choice in names:
        named = any(isinstance(one, CallTool) and one.name == tool_choice for one in actions)
        return actions if named else [talk.named_call(tool_choice)]
    return actions


def language_of(instructions: str, entries: Sequence[Entry], transcription_language: str | None) -> str:
    """Return the language to speak: "en", "ko" or "ja".

    A Korean or Japanese transcription setting decides; then the script of what the agent has said, of the instructions,
    then what these say about it. Languages without sentences of their own are answered in English.
    """
    asked = (transcription_language or "")[:2].lower()
    if asked in _TOLD_TO_SPEAK:
        return asked
    said = " ".join(entry.text for entry in entries if isinstance(entry, AgentSaid))
    for text in (said, instructions):
        if (script := _script_of(text)) is not None:
            return script
    return next(
        (language for language, told in _TOLD_TO_SPEAK.items() if re.search(told, instructions, re.IGNORECASE)), "en"
    )


def _script_of(text: str) -> str | None:
    letters = len(_LETTER.findall(text))
    for language, script in (("ko", _HANGUL), ("ja", _KANA)):
        if letters and len(script.findall(text)) > letters / 4:
            return language
    return None
