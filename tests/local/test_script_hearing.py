"""Turns that are found in the audio and by cue: each edge once, in pairs, whoever begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.local.script_hearing import CuedDetector
from app.local.vad import SpeechStarted, SpeechStopped
from tests.support.local_session import LoudnessDetector, silence, voice

pytestmark = pytest.mark.core

Edge = SpeechStarted | SpeechStopped


def detector(*, listens: bool = True) -> CuedDetector:
    made = CuedDetector(LoudnessDetector() if listens else None)
    made.configure(threshold=0.5, prefix_padding_ms=300, silence_duration_ms=200)
    return made


def test_a_cue_is_told_by_the_next_push_at_the_position_of_the_audio() -> None:
    cued = detector(listens=False)
    assert cued.push(voice(1000)) == []
    cued.start()
    assert cued.push(b"") == [SpeechStarted(700)]
    assert cued.push(silence(500)) == []
    cued.stop()
    assert cued.push(b"") == [SpeechStopped(1500, 1000, 1500)]


def test_speech_can_end_by_itself_behind_so_much_audio() -> None:
    cued = detector()
    cued.start(for_ms=400)
    assert cued.push(silence(399)) == [SpeechStarted(0)]
    assert cued.push(silence(2)) == [SpeechStopped(401, 0, 401)]


def test_a_cue_during_speech_that_was_heard_changes_nothing_and_its_end_ends_that() -> None:
    cued = detector()
    assert cued.push(voice(1000)) == [SpeechStarted(0)]
    cued.start()
    assert cued.push(b"") == []
    cued.stop()
    assert cued.push(b"") == [SpeechStopped(1000, 0, 1000)]
    assert cued.push(silence(400)) == []  # its own end, which was told already
    assert cued.push(voice(100)) == [SpeechStarted(1100)]


def test_speech_that_is_heard_during_a_cued_turn_is_part_of_it() -> None:
    cued = detector()
    cued.start()
    assert cued.push(voice(300) + silence(300)) == [SpeechStarted(0)]
    assert (cued.voiced_ms, cued.silence_ms) == (None, 0)
    cued.stop()
    assert cued.push(b"") == [SpeechStopped(600, 0, 600)]
    assert cued.push(voice(100)) == [SpeechStarted(300)]
    assert cued.voiced_ms == (600, 700)


def test_a_stop_without_a_start_is_nothing() -> None:
    cued = detector()
    cued.stop()
    assert cued.push(silence(100)) == []


@given(st.lists(st.sampled_from(["start", "stop", "voice", "silence", "brief"]), max_size=30), st.booleans())
def test_edges_come_in_pairs(deeds: list[str], listens: bool) -> None:
    cued = detector(listens=listens)
    edges: list[Edge] = []
    for deed in deeds:
        match deed:
            case "start":
                cued.start()
            case "stop":
                cued.stop()
            case "voice":
                edges += cued.push(voice(60))
            case "brief":
                edges += cued.push(voice(20) + silence(20))
            case _:
                edges += cued.push(silence(240))
    edges += cued.push(b"")
    kinds = [type(edge) for edge in edges]
    assert kinds == ([SpeechStarted, SpeechStopped] * len(edges))[: len(edges)]
