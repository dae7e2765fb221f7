"""How far a script has been played: which turns, refusals and moments are used up."""

import logging
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from app.local.entries import AgentSaid, CallerSaid, CallerSilent, CallerWrote, Entry, ToolAnswered, ToolCalled
from app.local.script_steps import CallerTurn, Cue, Refusal, Script, Turn, When

log = logging.getLogger(__name__)

_NOT_UNDERSTOOD = CallerTurn(None)


class Progress:
    """Of one session, or of all of a server where the script is played once."""

    def __init__(self, script: Script) -> None:
        self._turns = list(script.turns)
        self._otherwise = script.otherwise
        self._caller = deque(script.caller or ())
        self._refusals = list(script.refuse)
        self._asked: Counter[str] = Counter()
        self._moments = deque(script.timeline)

    @property
    def listens(self) -> bool:
        """Whether a turn that is left is for certain words of the caller."""
        return any(turn.when is not None and turn.when.caller_says for turn in self._turns)

    def turn_for(self, news: Sequence[Entry], called: Sequence[Entry]) -> Turn:
        """Return the first turn that is left and answers this; else what `otherwise` says, else an empty response.

        news: what came since the response before; called: the whole conversation, in which the tool calls have names.
        """
        for place, turn in enumerate(self._turns):
            if turn.when is None or _holds(turn.when, news, called):
                if not turn.again:
                    del self._turns[place]
                return turn
        if self._otherwise is not None:
            return self._otherwise
        log.warning("the script has no turn for a response that was asked for: it stays empty; add otherwise")
        return Turn()

    def caller_turn(self) -> CallerTurn:
        """Return what the caller's next turn is taken for; behind the last one nothing is understood."""
        return self._caller.popleft() if self._caller else _NOT_UNDERSTOOD

    def refusal_of(self, event: str) -> Refusal | None:
        """Count a client's event of this type; return how it is refused, if it is."""
        self._asked[event] += 1
        for refusal in self._refusals:
            if refusal.event == event and refusal.nth == self._asked[event]:
                return refusal
        return None

    def due(self, position_ms: int) -> list[Cue]:
        """Return what happens by this position in the caller's audio and has not yet."""
        cues: list[Cue] = []
        while self._moments and self._moments[0].at_ms <= position_ms:
            cues.append(self._moments.popleft().cue)
        return cues


class Stage:
    """A script on a server: gives each session its progress."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._shared = Progress(script) if script.once else None

    def progress(self) -> Progress:
        return self._shared or Progress(self.script)


def latest(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return what stands behind the agent's last words, unless nobody said or answered anything there."""
    spoke = max((place for place, entry in enumerate(entries) if isinstance(entry, AgentSaid)), default=-1)
    behind = entries[spoke + 1 :]
    if any(isinstance(entry, (CallerSaid, CallerSilent, CallerWrote, ToolAnswered)) for entry in behind):
        return behind
    return entries


def _holds(when: When, news: Sequence[Entry], called: Iterable[Entry]) -> bool:
    said = " ".join(entry.text or "" for entry in news if isinstance(entry, (CallerSaid, CallerWrote))).casefold()
    if any(words.casefold() in said for words in when.caller_says):
        return True
    if when.tool_answers is None:
        return False
    calls = {
        entry.tool_call_id for entry in called if isinstance(entry, ToolCalled) and entry.name == when.tool_answers
    }
    return any(isinstance(entry, ToolAnswered) and entry.tool_call_id in calls for entry in news)
