"""Turns in the input audio: where they begin and end, what of the sound is kept, and when silence is news."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio import mulaw
from app.audio.formats import PCM16_24K, ULAW_8K
from app.local.session_settings import TurnDetection
from app.local.shapes import RequestError
from app.local.turns import Happening, IdleTimedOut, InputAudioBuffer, TurnBegan, TurnEnded, TurnPaused
from tests.support.local_session import LoudnessDetector, silence, voice

pytestmark = pytest.mark.core

VAD = TurnDetection(0.5, 300, 500, None, create_response=True, interrupt_response=True)


def listening(detection: TurnDetection | None = VAD) -> InputAudioBuffer:
    buffer = InputAudioBuffer(LoudnessDetector)
    buffer.configure(PCM16_24K, detection)
    return buffer


def hear(buffer: InputAudioBuffer, audio: bytes, *, chunk: int = 960) -> list[Happening]:
    happened: list[Happening] = []
    for begin in range(0, len(audio), chunk):
        happened += buffer.append(audio[begin : begin + chunk], agent_is_responding=False)
    return happened


@settings(deadline=None)  # a busy machine is no mistake
@given(st.integers(97, 20_000))
def test_a_turn_is_the_same_however_the_audio_was_cut(chunk: int) -> None:
    happened = hear(listening(), silence(1000) + voice(400) + silence(600), chunk=chunk)
    began, ended = (one for one in happened if not isinstance(one, TurnPaused))
    assert isinstance(began, TurnBegan)
    assert isinstance(ended, TurnEnded)
    assert began.audio_start_ms == 700, "with its prefix"
    assert ended.audio_end_ms == 1900, "with the silence that ended it"
    assert ended.item_id == began.item_id
    assert ended.duration_ms == 1200
    assert ended.pcm == silence(300) + voice(400) + silence(200), "what a recogniser wants around it"


def test_a_pause_tells_what_the_end_would_carry_once() -> None:
    happened = hear(listening(), silence(1000) + voice(400) + silence(400) + voice(200) + silence(600))
    assert [type(one) for one in happened] == [TurnBegan, TurnPaused, TurnPaused, TurnEnded]
    _, first, second, ended = happened
    assert isinstance(first, TurnPaused)
    assert isinstance(second, TurnPaused)
    assert isinstance(ended, TurnEnded)
    assert first.pcm == silence(300) + voice(400) + silence(200)
    assert second.pcm == ended.pcm


def test_where_a_turn_ends_early_a_pause_gains_nothing() -> None:
    early = TurnDetection(0.5, 300, 300, None, create_response=True, interrupt_response=True)
    happened = hear(listening(early), voice(400) + silence(600))
    assert [type(one) for one in happened] == [TurnBegan, TurnEnded]


def test_positions_count_all_audio_and_each_turn_is_its_own() -> None:
    buffer = listening()
    first = hear(buffer, silence(5000) + voice(200) + silence(600))
    second = hear(buffer, voice(200) + silence(600))
    assert isinstance(first[0], TurnBegan)
    assert isinstance(second[0], TurnBegan)
    assert (first[0].audio_start_ms, second[0].audio_start_ms) == (4700, 5500)
    assert first[0].item_id != second[0].item_id
    assert buffer.position_ms == 6600


def test_telephone_audio_is_taken_in_too() -> None:
    buffer = InputAudioBuffer(LoudnessDetector)
    buffer.configure(ULAW_8K, VAD)
    tone = mulaw.encode(b"\x00\x20" * 8 * 400)
    happened = hear(buffer, mulaw.SILENCE * 8000 + tone + mulaw.SILENCE * 8 * 700, chunk=160)
    assert [type(one) for one in happened] == [TurnBegan, TurnPaused, TurnEnded]
    assert buffer.position_ms == 2100
    assert isinstance(happened[2], TurnEnded)
    assert abs(PCM16_24K.ms_of(len(happened[2].pcm)) - 900) <= 40


def test_without_detection_the_client_commits() -> None:
    buffer = listening(None)
    assert hear(buffer, voice(400) + silence(900)) == []
    turn = buffer.commit()
    assert (turn.duration_ms, turn.pcm) == (1300, voice(400) + silence(900))
    with pytest.raises(RequestError) as refused:
        buffer.commit()
    assert refused.value.code == "input_audio_buffer_commit_empty"


@pytest.mark.parametrize(("ms", "refused"), [(99, True), (100, False)])
def test_a_commit_takes_a_tenth_of_a_second(ms: int, refused: bool) -> None:
    buffer = listening(None)
    hear(buffer, voice(ms))
    if refused:
        with pytest.raises(RequestError, match="at least 100ms"):
            buffer.commit()
    else:
        assert buffer.commit().duration_ms == 100


def test_a_commit_in_a_turn_ends_it_under_the_id_it_was_announced_with() -> None:
    buffer = listening()
    (began,) = hear(buffer, silence(1000) + voice(400))
    assert isinstance(began, TurnBegan)
    turn = buffer.commit()
    assert (turn.item_id, turn.duration_ms) == (began.item_id, 700)
    assert hear(buffer, silence(1000)) == [], "it is over"
    later = hear(buffer, voice(100))
    assert isinstance(later[0], TurnBegan)
    assert later[0].audio_start_ms == 2100


def test_a_turn_that_was_found_is_not_committed_again() -> None:
    buffer = listening()
    hear(buffer, voice(400) + silence(540))
    with pytest.raises(RequestError) as refused:
        buffer.commit()
    assert refused.value.code == "input_audio_buffer_commit_empty"


def test_clearing_forgets_the_turn_and_keeps_counting() -> None:
    buffer = listening()
    hear(buffer, silence(1000) + voice(400))
    buffer.clear()
    assert hear(buffer, silence(1000)) == []
    with pytest.raises(RequestError):
        listening(None).commit()
    (began,) = hear(buffer, voice(40))
    assert isinstance(began, TurnBegan)
    assert began.audio_start_ms == 2100


def test_settings_change_in_the_midst_of_a_call() -> None:
    buffer = listening()
    hear(buffer, silence(1000) + voice(400) + silence(100))
    shorter = TurnDetection(0.5, 300, 200, None, create_response=True, interrupt_response=True)
    buffer.configure(PCM16_24K, shorter)
    (ended,) = hear(buffer, silence(100))
    assert isinstance(ended, TurnEnded), "the turn under way ends by the new rule"
    buffer.configure(PCM16_24K, None)
    assert hear(buffer, voice(400) + silence(600)) == []
    buffer.configure(PCM16_24K, VAD)
    (began,) = hear(buffer, voice(40))
    assert isinstance(began, TurnBegan)
    assert began.audio_start_ms == 2600, "no earlier than the detector was there"


def idle(timeout_ms: int) -> TurnDetection:
    return TurnDetection(0.5, 300, 500, timeout_ms, create_response=True, interrupt_response=True)


def test_silence_behind_the_agents_audio_is_news_once() -> None:
    buffer = listening(idle(5000))
    assert hear(buffer, silence(8000)) == [], "nobody has spoken yet"
    buffer.agent_finished(2000)
    assert hear(buffer, silence(6980)) == []
    (silent,) = hear(buffer, silence(20))
    assert isinstance(silent, IdleTimedOut)
    assert (silent.audio_start_ms, silent.audio_end_ms) == (10_000, 15_000)
    assert hear(buffer, silence(20_000)) == []


def test_silence_is_no_news_when_somebody_spoke_or_answers() -> None:
    buffer = listening(idle(5000))
    buffer.agent_finished(0)
    happened = hear(buffer, silence(4000) + voice(200) + silence(20_000))
    assert [type(one) for one in happened] == [TurnBegan, TurnPaused, TurnEnded]
    buffer.agent_finished(0)
    assert buffer.append(silence(9000), agent_is_responding=True) == []


def test_silence_counts_from_the_answer_and_not_from_the_response_that_the_turn_cut() -> None:
    buffer = listening(idle(5000))
    hear(buffer, voice(100))
    buffer.agent_finished(0)
    happened = hear(buffer, voice(6000) + silence(600))
    assert [type(one) for one in happened] == [TurnPaused, TurnEnded]


def test_an_old_timeout_does_not_fire_when_detection_is_turned_on_again() -> None:
    buffer = listening(idle(5000))
    buffer.agent_finished(0)
    buffer.configure(PCM16_24K, None)
    hear(buffer, silence(9000))
    buffer.configure(PCM16_24K, idle(5000))
    assert hear(buffer, silence(9000)) == []
