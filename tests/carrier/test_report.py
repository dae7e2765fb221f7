"""The report's arithmetic, on a call that never was."""

from app.carrier.caller import Spoken
from app.carrier.hearing import Stretch
from app.carrier.report import CallReport, Said

PCM = b"\x00\x10" * 80


def report(**lists: object) -> CallReport:
    made = CallReport("CA1", "+15550100", "+15550199", "http://127.0.0.1:1", "2026-01-01T00:00:00.000+00:00")
    for name, value in lists.items():
        setattr(made, name, value)
    return made


def spoken(*spans_ms: tuple[int, int]) -> list[Spoken]:
    return [Spoken(begin * 8, end * 8, "words") for begin, end in spans_ms]


def heard(*spans_ms: tuple[int, int]) -> list[Stretch]:
    return [Stretch(begin * 8, end * 8) for begin, end in spans_ms]


def test_an_answer_is_the_first_onset_between_the_callers_words() -> None:
    made = report(spoken=spoken((1000, 2000), (5000, 6000), (9000, 9500)), agent_heard=heard((500, 1100), (2400, 3000)))
    assert [made.answered_after_ms(number) for number in range(3)] == [400, None, None]


def test_words_interrupt_only_what_is_sounding() -> None:
    made = report(spoken=spoken((1000, 2000), (5000, 6000)), agent_heard=heard((500, 1250), (2400, 3000)))
    assert made.to_json()["barge_ins"] == [
        {"caller_start_ms": 1000, "agent_silent_ms": 1250, "time_to_silence_ms": 250, "overlap_ms": 250}
    ]


def test_an_utterance_goes_on_over_a_breath_and_an_interruption_lasts_to_its_end() -> None:
    made = report(spoken=spoken((1000, 2000)), agent_heard=heard((500, 900), (1200, 1400), (1900, 2100), (2800, 3000)))
    assert made.utterances() == heard((500, 2100), (2800, 3000))
    assert made.to_json()["barge_ins"] == [
        {"caller_start_ms": 1000, "agent_silent_ms": 2100, "time_to_silence_ms": 1100, "overlap_ms": 1000}
    ]
    assert made.agent_heard == heard((500, 900), (1200, 1400), (1900, 2100), (2800, 3000))


def test_a_say_before_the_stream_moves_the_recordings_beginning_and_says_so() -> None:
    made = report(said=[Said(-800, -720, "hi", PCM)], caller_sound=[(0, b"\x80" * 160)])
    assert made.to_json()["recording_from_ms"] == -100
    assert made.recording().duration_ms == 120


def test_a_call_without_anything_has_an_empty_recording_and_a_report() -> None:
    made = report(failures=["nothing came"])
    assert made.recording().pcm == b""
    told = made.to_json()
    assert (told["ok"], told["stream_sid"], told["time_to_first_audio_ms"], told["events"]) == (False, None, None, [])
