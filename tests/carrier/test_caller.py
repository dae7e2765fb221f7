"""The caller by itself: a line of 20 ms frames on which the test lets the agent speak."""

import pytest

from app.audio import mulaw
from app.carrier.caller import FRAME, Caller, Expectation, Spoken, with_ending
from app.carrier.hearing import Hearing
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
)
from app.errors import InvariantError

pytestmark = pytest.mark.core

SOUND = mulaw.encode(b"\x00\x20" * FRAME)
STARTS, ENDS = WaitForAgent(AgentDoes.STARTS), WaitForAgent(AgentDoes.ENDS)


def words(text: str, ms: int = 400, silence_ms: int = 0) -> Utterance:
    ulaw = mulaw.encode(b"\x00\x10" * 8 * ms) + b"\xff" * 8 * silence_ms
    return Utterance(text, ulaw, 0, 8 * ms)


class Line:
    """Runs a caller until it hangs up. agent: stretches in ms in which it speaks."""

    def __init__(self, *steps: Step, agent: list[tuple[int, int]], until_ms: int = 60_000) -> None:
        self.caller = Caller(steps)
        self.digits: list[tuple[int, str]] = []
        self.events: list[tuple[str, int]] = []
        self.hung_up_ms: int | None = None
        self.sound = b""
        hearing = Hearing()
        for ms in range(0, until_ms, 20):
            frame = self.caller.frame(ms * 8, hearing)
            self.digits += [(ms, digit) for digit in frame.digits]
            self.events += [(note.kind, note.at // 8) for note in frame.notes]
            self.sound += frame.ulaw or b"\xff" * FRAME
            if frame.hang_up:
                self.hung_up_ms = ms
                break
            if any(begin <= ms < end for begin, end in agent):
                hearing.hear(ms * 8, SOUND)


def test_a_caller_speaks_when_the_agent_has_ended() -> None:
    line = Line(ENDS, words("hello"), HangUp(), agent=[(100, 1000), (1300, 2000)])
    assert line.caller.spoken == [Spoken(2700 * 8, 3100 * 8, "hello")]
    assert line.hung_up_ms == 3100
    assert line.caller.failures == []
    assert line.events == [("caller_words", 2700), ("caller_silent", 3100)]
    assert line.sound[2700 * 8 : 3100 * 8] == words("hello").ulaw


def test_each_of_the_callers_turns_waits_for_an_answer_to_it() -> None:
    line = Line(ENDS, words("one"), ENDS, words("two"), agent=[(0, 1000), (3000, 4000), (6000, 7000)])
    assert [spoken.begin // 8 for spoken in line.caller.spoken] == [1700, 4700]
    assert line.hung_up_ms == 9000  # two seconds after the last answer
    assert line.caller.failures == []


def test_two_waits_wait_for_two_utterances() -> None:
    line = Line(ENDS, ENDS, words("hello"), HangUp(), agent=[(0, 1000), (5000, 6000)])
    assert line.caller.spoken[0].begin == 6700 * 8


def test_starting_and_ending_may_be_one_utterance() -> None:
    line = Line(STARTS, WaitMs(200), ENDS, words("hello"), HangUp(), agent=[(1000, 2000)])
    assert line.caller.spoken[0].begin == 2700 * 8


def test_an_agent_that_falls_silent_because_of_the_caller_has_not_answered() -> None:
    steps: list[Step] = [STARTS, WaitMs(500), words("no", 200), ENDS, words("thanks"), HangUp()]
    line = Line(*steps, agent=[(0, 1000), (3000, 4000)])
    assert [spoken.begin // 8 for spoken in line.caller.spoken] == [520, 4700]


def test_an_agent_that_talks_on_has_ended_when_it_ends() -> None:
    line = Line(STARTS, WaitMs(500), words("mhm", 200), ENDS, words("thanks"), HangUp(), agent=[(0, 5000)])
    assert [spoken.begin // 8 for spoken in line.caller.spoken] == [520, 5700]


def test_silence_at_the_end_of_the_words_is_not_waited_out() -> None:
    line = Line(words("hi", 400, silence_ms=1000), STARTS, words("yes"), HangUp(), agent=[(900, 2000)])
    assert line.caller.failures == []
    assert [spoken.begin // 8 for spoken in line.caller.spoken] == [0, 1400]


def test_a_barge_in_begins_so_long_after_the_agents_next_utterance() -> None:
    line = Line(ENDS, words("hi"), BargeIn(1500, words("stop")), HangUp(), agent=[(0, 1000), (3000, 4700)])
    assert [(spoken.text, spoken.begin // 8) for spoken in line.caller.spoken] == [("hi", 1700), ("stop", 4500)]
    assert ("caller_barge_in", 4500) in line.events
    assert line.caller.failures == []


def test_a_barge_in_into_silence_is_a_failure_though_the_words_are_said() -> None:
    line = Line(BargeIn(2000, words("stop")), HangUp(), agent=[(0, 1000)])
    assert line.caller.failures == [
        "step 1: the agent spoke for 1000 ms only and could not be interrupted after 2000 ms"
    ]
    assert line.caller.spoken[0].begin == 2000 * 8


@pytest.mark.parametrize(
    "step",
    [
        WaitForAgent(AgentDoes.STARTS, within_ms=1000),
        WaitForAgent(AgentDoes.ENDS, within_ms=1000),
        WaitHeard(500, within_ms=1000),
        BargeIn(100, words("stop"), within_ms=1000),
    ],
)
def test_a_caller_gives_up_on_an_agent_that_does_not_speak(step: Step) -> None:
    line = Line(step, words("never said"), agent=[])
    assert line.hung_up_ms == 1000
    assert len(line.caller.failures) == 1
    assert line.caller.failures[0].startswith("step 1: the agent")
    assert line.caller.failures[0].endswith("within 1000 ms; the caller gave up")
    assert line.caller.undone()[-1] == "step 2: say 'never said'"


def test_a_long_answer_is_waited_out() -> None:
    line = Line(WaitForAgent(AgentDoes.ENDS, within_ms=1000), HangUp(), agent=[(0, 10_000)])
    assert line.hung_up_ms == 10_700
    assert line.caller.failures == []


def test_a_wait_for_heard_speech_counts_what_was_audible() -> None:
    line = Line(WaitHeard(1000), HangUp(), agent=[(500, 1000), (2000, 5000)])
    assert line.hung_up_ms == 2500


@pytest.mark.parametrize(
    ("agent", "got_ms", "met"), [([(900, 2000)], 500, True), ([(1420, 2000)], None, False), ([], None, False)]
)
def test_an_expectation_is_measured_from_the_callers_last_word(
    agent: list[tuple[int, int]], got_ms: int | None, met: bool
) -> None:
    line = Line(words("hi"), ExpectAgent(1000), HangUp(), agent=agent)
    assert line.caller.expectations == [Expectation(2, 1000, got_ms, met)]
    assert bool(line.caller.failures) is not met


def test_keys_are_pressed_one_after_another_with_pauses() -> None:
    line = Line(Press("1w2#"), HangUp(), agent=[])
    assert line.digits == [(0, "1"), (700, "2"), (900, "#")]
    assert line.hung_up_ms == 1100


def test_the_ending_is_to_listen_and_hang_up_when_the_agent_is_silent_or_says_nothing() -> None:
    assert Line(words("bye"), agent=[(1000, 2000)]).hung_up_ms == 4000
    quiet = Line(words("bye"), agent=[])
    assert quiet.hung_up_ms == 400 + 10_000
    assert quiet.caller.failures == []


def test_a_caller_without_words_listens_and_minds_an_agent_that_says_nothing() -> None:
    assert Line(agent=[(100, 3000)]).caller.failures == []
    assert Line(agent=[]).caller.failures == [
        "the agent did not speak and then fall silent for 2000 ms within 10000 ms; the caller gave up"
    ]


def test_an_ending_that_is_there_is_kept() -> None:
    assert with_ending([HangUp()]) == (HangUp(),)
    assert with_ending([ENDS]) == (ENDS, HangUp())


def test_words_that_the_end_of_the_call_cuts_were_said_so_far() -> None:
    caller = Caller([words("a long sentence", 1000)])
    hearing = Hearing()
    for at in range(0, 320, FRAME):
        caller.frame(at, hearing)
    caller.break_off()
    assert caller.spoken == [Spoken(0, 320, "a long sentence")]
    assert caller.sound == [(0, words("", 40).ulaw)]


def test_text_that_was_not_made_sound_is_our_own_mistake() -> None:
    with pytest.raises(InvariantError, match="prepare"):
        Line(Say("hi"), agent=[])
