"""What the benchmark of renewals finds in a recording, and that its judge sees what is wrong."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from scripts.benchmarks.renewals import verdict
from scripts.benchmarks.renewals_gaps import Samples, Tone, gap_ms, longest_gap, tones
from scripts.benchmarks.renewals_real import Gap, Renewal, RenewedCall

pytestmark = pytest.mark.core

TONE_MS = 6_000
RENEWAL = Renewal(52.0, 20, is_agent_speaking=True, is_caller_speaking=True, is_carrier_late=False)
GAPS = RenewedCall("gaps", "CA1", (RENEWAL, RENEWAL), Gap(20, 50.0, is_carrier_late=False), None, "", 0, ())
QUIET = replace(RENEWAL, gap_ms=None, is_agent_speaking=False)
CONTEXT = RenewedCall("context", "CA2", (QUIET, QUIET), None, True, "It arrives on November 25.", 0, ())


def at(seconds: float) -> int:
    return round(seconds * 8000)


def silence(ms: int) -> Samples:
    return np.zeros(8 * ms, dtype=np.int16)


def tone(hz: int, ms: int) -> Samples:
    wave = 4634 * np.sin(2 * np.pi * hz / 8000 * np.arange(8 * ms))
    return np.asarray(np.rint(wave), dtype=np.int16)


def line(*pieces: Samples) -> Samples:
    return np.concatenate(pieces)


def gaps(channel: Samples, *moments_s: float) -> list[int | None]:
    heard = tones(channel)
    return [gap_ms(channel, heard, at(moment_s), TONE_MS) for moment_s in moments_s]


def test_answers_are_told_by_their_pitch_and_speech_is_none() -> None:
    rustle = np.random.default_rng(1).normal(0, 3000, 8 * 1000).astype(np.int16)
    channel = line(rustle, silence(500), tone(400, TONE_MS), silence(700), tone(600, TONE_MS), tone(800, TONE_MS))
    first, second, third = tones(channel)
    assert first == Tone(400, at(1.5), at(7.5))
    assert (second.hz, second.begin, third.hz, third.end) == (600, at(8.2), 800, at(20.2))
    assert second.end == third.begin == pytest.approx(at(14.2), abs=320)
    assert gaps(channel, 5.0, 14.1, 14.3) == [0, 0, 0]


def test_a_pause_between_two_answers_is_no_gap() -> None:
    channel = line(silence(1000), tone(400, TONE_MS), silence(2000), tone(600, TONE_MS), silence(1000))
    assert gaps(channel, 0.5, 5.0, 8.0, 9.5, 15.5) == [None, 0, None, 0, None]
    assert longest_gap(channel, tones(channel)) == (0, 0)


@pytest.mark.parametrize("ms", [10, 60, 150, 1200])
def test_a_silence_within_an_answer_is_a_gap(ms: int) -> None:
    channel = line(silence(1000), tone(400, 2500), silence(ms), tone(400, 3500), silence(700), tone(600, TONE_MS))
    assert gaps(channel, 3.0, 10.0) == [pytest.approx(ms, abs=10), 0]
    longest_ms, begins = longest_gap(channel, tones(channel))
    assert longest_ms == pytest.approx(ms, abs=10)
    assert begins == pytest.approx(at(3.5), abs=80)


def test_a_silence_far_from_the_moment_is_not_its_gap() -> None:
    channel = line(tone(400, 1000), silence(300), tone(400, 5000), silence(700), tone(600, TONE_MS))
    assert gaps(channel, 2.0, 5.0) == [300, 0]


def test_an_answer_that_is_cut_and_never_goes_on_lacks_the_rest() -> None:
    channel = line(silence(1000), tone(400, 2000), silence(6000), tone(600, TONE_MS))
    assert gaps(channel, 2.9, 3.1) == [4000, 4000]


def test_audio_that_is_left_out_without_a_silence_is_missed_all_the_same() -> None:
    channel = line(silence(1000), tone(400, TONE_MS - 500), tone(600, TONE_MS))
    assert gaps(channel, 4.0) == [pytest.approx(500, abs=40)]


def test_the_end_of_the_call_cuts_an_answer_without_a_gap() -> None:
    assert gaps(line(silence(1000), tone(400, 2000)), 2.0) == [0]


def judged(*calls: RenewedCall, times: int = 2) -> Sequence[str]:
    return verdict(calls, times)


def test_the_verdict_finds_nothing_wrong_where_nothing_is() -> None:
    assert judged(GAPS, CONTEXT) == []


def test_the_verdict_names_what_is_wrong() -> None:
    gap = replace(RENEWAL, gap_ms=101)
    wrong = {
        "a gap of 101 ms at 52.0 s": replace(GAPS, renewals=(RENEWAL, gap)),
        "renewed 1 times, not 2": replace(GAPS, renewals=(RENEWAL,)),
        "its model was lost 1 times": replace(GAPS, losses=1),
        "31921: closed": replace(GAPS, failures=("31921: closed",)),
        "forgotten": replace(CONTEXT, keeps_context=False),
    }
    for words, call in wrong.items():
        (mistake,) = judged(GAPS, call)
        assert words in mistake


def test_a_run_that_measured_no_gap_is_not_met() -> None:
    assert judged(replace(GAPS, renewals=(QUIET, QUIET)), CONTEXT) == [
        "no renewal fell into an answer, so no gap was measured"
    ]
