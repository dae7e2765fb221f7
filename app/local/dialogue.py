"""What the embedded model answers: rules over the conversation so far, without clock or I/O."""

import re
from collections.abc import Sequence

from app.local.entries import (
    Action,
    AgentSaid,
    CallerSaid,
    CallerWrote,
    CallTool,
    Entry,
    Say,
    SystemSaid,
    ToolAnswered,
    ToolCalled,
)
from app.local.instructions import business_in, facts_in, opening_in, wording_in
from app.local.offers import ToolOffer, tools_of
from app.local.talk import Talk
from app.local.tongues import Tongue, tongue_of

__all__ = [
    "AgentSaid",
    "CallTool",
    "CallerSaid",
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
_CUES = (  # what a cue of the service is about → which sentence
    (
        r"\b(still there|silent|silence|quiet|idle|not (said|spoken|answered)|no answer)\b|아무 말|무응답|無言",
        "still_there",
    ),
    (r"\b(goodbye|good-bye|hang up|end the call|say bye)\b|작별|끊", "goodbye"),
    (r"\b(one moment|wait|hold|looking|working)\b|잠시", "one_moment"),
    (r"\b(greet|begin|start|welcome|introduce)\b|인사|시작", "greeting"),
)
_CUE_LENGTH = 400  # instructions of a single response are short; those of a session are not a cue


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
    answer: list[Action] | None = None
    last: Entry | None = None
    for entry in entries:
        taken = talk.take(entry)
        answer = taken if taken is not None else answer
        last = entry if not isinstance(entry, SystemSaid) else last
    cue = entries[-1].text if entries and isinstance(entries[-1], SystemSaid) else ""
    if isinstance(last, CallerSaid | CallerWrote | ToolAnswered) and not (cue and _on_cue(cue, tongue, instructions)):
        actions = answer or [Say(tongue.wording.one_moment)]
    else:
        actions = _unasked(entries, cue, talk, tongue, instructions)
    if isinstance(last, ToolAnswered) and tool_choice != "none":
        return actions
    return _as_chosen(actions, tool_choice, talk, tongue, [tool.name for tool in offered])


def _unasked(entries: Sequence[Entry], cue: str, talk: Talk, tongue: Tongue, instructions: str) -> list[Action]:
    """Speak without a turn of the caller: begin, go on after a false alarm, or ask for a sign of life."""
    said = _on_cue(
        cue or (instructions if len(instructions) < _CUE_LENGTH else ""), tongue, instructions, has_begun=bool(entries)
    )
    if said:
        return [Say(said)]
    spoken = [entry.text for entry in entries if isinstance(entry, AgentSaid)]
    has_caller = any(isinstance(entry, CallerSaid | CallerWrote) for entry in entries)
    if talk.is_waiting:
        return [Say(tongue.wording.one_moment)]
    if not has_caller and not any("?" in text or "？" in text for text in spoken):
        return [Say(opening_in(instructions) or tongue.wording.greeting(business_in(instructions), talk.tools))]
    if spoken and len(spoken[-1]) < len(talk.answer) and talk.answer.startswith(spoken[-1].rstrip(" .…")):
        return [Say(talk.answer)]
    return [Say(tongue.wording.still_there)]


def _on_cue(cue: str, tongue: Tongue, instructions: str, *, has_begun: bool = True) -> str:
    if not cue:
        return ""
    if (words := wording_in(cue)) is not None and (has_begun or cue != instructions):
        return words
    for pattern, name in _CUES if cue is not instructions else ():
        if re.search(pattern, cue, re.IGNORECASE):
            if name in {"goodbye", "greeting"}:
                business = business_in(instructions)
                return tongue.wording.goodbye(business) if name == "goodbye" else tongue.wording.greeting(business, ())
            return tongue.wording.one_moment if name == "one_moment" else tongue.wording.still_there
    return ""


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
