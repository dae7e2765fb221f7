"""The caller: carries the steps out frame by frame, by what it hears. No clock and no socket; time is in samples.

A caller reacts to the agent's speech since its own last words (or the stream's start): `_since`. Waiting for the agent
to end uses that speech up, so that a second wait waits for a second utterance.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from app.carrier.hearing import Hearing, Stretch
from app.carrier.steps import (
    AgentDoes,
    BargeIn,
    ExpectAgent,
    HangUp,
    Press,
    Say,
    Step,
    Utterance,
    WaitForAgent,
    WaitHeard,
    WaitMs,
    Wav,
)
from app.errors import InvariantError

FRAME = 160
_PER_MS = 8
_REACTION = 400 * _PER_MS
"""Agent speech that stops this soon after the caller's words is the agent falling silent, not an answer to them."""
_KEY = 200 * _PER_MS
"""From one key to the next."""
_PAUSES = {"w": 500 * _PER_MS, "W": 1000 * _PER_MS}
ENDING_SILENCE_MS = 2_000
ENDING_WAIT_MS = 10_000


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell about: a kind of event, and the sample it happened at."""

    kind: str
    at: int
    details: Mapping[str, str | int | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of the caller. ulaw: None for silence."""

    ulaw: bytes | None = None
    digits: str = ""
    hang_up: bool = False
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words of the caller, audible from sample `begin` to `end`; less than meant if the call ended within them."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was expected of the agent and what came; got_ms: None when nothing did."""

    step: int
    within_ms: int
    got_ms: int | None
    met: bool


_QUIET = Frame()


def with_ending(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps with the usual ending: when the agent is silent, hang up."""
    last = steps[-1] if steps else None
    if isinstance(last, HangUp):
        return tuple(steps)
    if isinstance(last, WaitForAgent) and last.what is AgentDoes.ENDS:
        return (*steps, HangUp())
    listen = WaitForAgent(AgentDoes.ENDS, ENDING_SILENCE_MS, ENDING_WAIT_MS, must=not steps)
    return (*steps, listen, HangUp())


class Caller:
    """One caller of one call. Ask it for each 20 ms in order; what happened lies in its public lists."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.spoken: list[Spoken] = []
        self.sound: list[tuple[int, bytes]] = []
        self.expectations: list[Expectation] = []
        self.failures: list[str] = []
        self.hung_up = False
        self._steps = with_ending(steps)
        self._asked = len(steps)
        self._index = 0
        self._entered: int | None = None
        self._since = 0
        self._words: Utterance | None = None
        self._words_at = 0
        self._asked_until = 0
        self._keys: deque[str] = deque()
        self._next_key_at = 0
        self._notes: list[Note] = []
        self._digits = ""

    def undone(self) -> list[str]:
        """Descriptions of the steps with content that were never carried out."""
        left = enumerate(self._steps[: self._asked], start=1)
        return [
            f"step {number}: {_describe(step)}"
            for number, step in left
            if number > self._index and not isinstance(step, WaitForAgent | WaitMs | WaitHeard | HangUp)
        ]

    def frame(self, at: int, agent: Hearing) -> Frame:
        """Return the 20 ms from sample `at` on. agent: what was heard of it until then."""
        self._asked_until = at + FRAME
        while self._words is None and not self.hung_up and self._carry_out(at, agent):
            self._index += 1
            self._entered = None
        ulaw = self._next_words(at)
        if ulaw is None and not self._notes and not self._digits and not self.hung_up:
            return _QUIET
        frame = Frame(ulaw, self._digits, self.hung_up, tuple(self._notes))
        self._notes.clear()
        self._digits = ""
        return frame

    def break_off(self) -> None:
        """The stream has ended: words under way were said only as far as they were asked for."""
        if self._words is not None:
            self._end_words(self._asked_until)

    def _carry_out(self, at: int, agent: Hearing) -> bool:
        """Do what the current step asks for now; True when it is done."""
        step = self._steps[self._index]
        entered = self._entered
        if entered is None:
            entered = self._entered = at
        waited_ms = (at - entered) // _PER_MS
        match step:
            case Utterance():
                return self._speak(step, at, "words")
            case Press(digits):
                return self._press(digits, at, just_entered=at == entered)
            case WaitMs(ms):
                return waited_ms >= ms
            case WaitForAgent():
                return self._wait_for(step, at, waited_ms, agent)
            case WaitHeard(ms, within_ms):
                if agent.audible_since(self._since) >= ms * _PER_MS:
                    return True
                return self._give_up_after(within_ms, waited_ms, f"the agent was not heard for {ms} ms")
            case BargeIn():
                return self._barge_in(step, at, waited_ms, agent)
            case ExpectAgent(within_ms):
                return self._expect(within_ms, at, agent)
            case HangUp():
                self.hung_up = True
                return False
            case Say() | Wav():
                raise InvariantError(f"{step} is not sound yet: prepare() the steps first")
        assert_never(step)

    def _onset(self, agent: Hearing) -> Stretch | None:
        """The agent's first utterance that began since."""
        found = None
        for stretch in reversed(agent.stretches):
            if stretch.begin < self._since:
                break
            found = stretch
        return found

    def _wait_for(self, step: WaitForAgent, at: int, waited_ms: int, agent: Hearing) -> bool:
        if step.what is AgentDoes.STARTS:
            if self._onset(agent) is not None:
                return True
        elif agent.stretches:
            last = agent.stretches[-1]
            answered = last.begin >= self._since or last.end >= self._since + _REACTION
            if answered and at - last.end >= step.silence_ms * _PER_MS:
                self._since = at
                return True
        if not step.must:
            return waited_ms >= step.within_ms and not self._is_speaking(at, agent)
        if step.what is AgentDoes.ENDS and self._is_speaking(at, agent):
            return False  # a long answer is no silence; the call's limit ends it
        did = (
            "start speaking"
            if step.what is AgentDoes.STARTS
            else f"speak and then fall silent for {step.silence_ms} ms"
        )
        return self._give_up_after(step.within_ms, waited_ms, f"the agent did not {did}")

    def _is_speaking(self, at: int, agent: Hearing) -> bool:
        return bool(agent.stretches) and at - agent.stretches[-1].end < ENDING_SILENCE_MS * _PER_MS

    def _barge_in(self, step: BargeIn, at: int, waited_ms: int, agent: Hearing) -> bool:
        if not isinstance(step.words, Utterance):
            raise InvariantError(f"{step.words} is not sound yet: prepare() the steps first")
        onset = self._onset(agent)
        if onset is None:
            return self._give_up_after(
                step.within_ms, waited_ms, "the agent did not speak, so there was nothing to interrupt"
            )
        if at < onset.begin + step.after_ms * _PER_MS:
            return False
        last = agent.stretches[-1]
        if at - last.end >= FRAME + _REACTION // 2:
            spoke_ms = (last.end - onset.begin) // _PER_MS
            self._fail(f"the agent spoke for {spoke_ms} ms only and could not be interrupted after {step.after_ms} ms")
        return self._speak(step.words, at, "barge_in")

    def _expect(self, within_ms: int, at: int, agent: Hearing) -> bool:
        onset = self._onset(agent)
        passed_ms = (at - self._since) // _PER_MS
        if onset is None and passed_ms <= within_ms:
            return False
        got_ms = None if onset is None else (onset.begin - self._since) // _PER_MS
        met = got_ms is not None and got_ms <= within_ms
        self.expectations.append(Expectation(self._index + 1, within_ms, got_ms, met))
        if not met:
            came = "nothing came" if got_ms is None else f"it took {got_ms} ms"
            self._fail(f"the agent should have spoken within {within_ms} ms; {came}")
        self._notes.append(Note("expectation", at, {"within_ms": within_ms, "got_ms": got_ms, "met": met}))
        return True

    def _press(self, digits: str, at: int, *, just_entered: bool) -> bool:
        if just_entered:
            self._keys.extend(digits)
            self._next_key_at = at
        while self._keys and at >= self._next_key_at:
            key = self._keys.popleft()
            self._next_key_at = at + _PAUSES.get(key, _KEY)
            if key not in _PAUSES:
                self._digits += key
                self._notes.append(Note("dtmf", at, {"digit": key}))
                self._since = at
        return not self._keys and at >= self._next_key_at

    def _speak(self, words: Utterance, at: int, kind: str) -> bool:
        self._words, self._words_at = words, at
        self._notes.append(Note(f"caller_{kind}", at + words.begin, {"text": words.text}))
        return True

    def _next_words(self, at: int) -> bytes | None:
        words = self._words
        if words is None:
            return None
        said = at - self._words_at
        piece = words.ulaw[said : said + FRAME]
        if said + FRAME >= len(words.ulaw):
            self._end_words(at + FRAME)
        return piece.ljust(FRAME, b"\xff")

    def _end_words(self, at: int) -> None:
        words = self._words
        if words is None:
            return
        self._words = None
        end = min(at, self._words_at + words.end)
        begin = min(self._words_at + words.begin, end)
        self._since = end
        self.spoken.append(Spoken(begin, end, words.text))
        self.sound.append((self._words_at, words.ulaw[: at - self._words_at]))
        self._notes.append(Note("caller_silent", end))

    def _give_up_after(self, within_ms: int, waited_ms: int, what: str) -> bool:
        """The agent let the caller wait too long: a failure, and the caller hangs up."""
        if waited_ms < within_ms:
            return False
        self._fail(f"{what} within {within_ms} ms; the caller gave up")
        self.hung_up = True
        return False

    def _fail(self, what: str) -> None:
        number = self._index + 1
        self.failures.append(f"step {number}: {what}" if number <= self._asked else what)


def _describe(step: Step) -> str:
    match step:
        case Utterance(text):
            return f"say {text!r}"
        case BargeIn(after_ms, Utterance(text)):
            return f"barge in after {after_ms} ms with {text!r}"
        case Press(digits):
            return f"press {len(digits)} keys"
        case ExpectAgent(within_ms):
            return f"expect the agent within {within_ms} ms"
        case _:
            return type(step).__name__
