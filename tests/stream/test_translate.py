"""Messages ⇄ the session's words."""

import json
from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.formats import ULAW_8K
from app.audio.transcoder import Downlink, Uplink
from app.audio.voice_model import VoiceModels
from app.session.commands import ClearPlayback, ListenClosely, PlayAudio, SendMark
from app.session.events import CallerAudio, CallerDigit, PlaybackReached, StreamEnded
from app.session.words import StreamEnd, Verdict
from app.stream.messages import (
    Connected,
    Dtmf,
    DtmfBody,
    Mark,
    MarkBody,
    Media,
    MediaBody,
    MediaFormat,
    Passed,
    Start,
    StartBody,
    Stop,
    decode,
)
from app.stream.translate import Translator

pytestmark = pytest.mark.core

MULAW = MediaFormat("audio/x-mulaw", 8000, 1)
START = Start(1, start=StartBody("CA1", MULAW, stream_sid="MZ1"), stream_sid="MZ1")

ulaw_frames = st.lists(st.binary(min_size=1, max_size=400), max_size=12)
pcm_pieces = st.lists(st.integers(min_value=0, max_value=3000).map(lambda samples: b"\x11\x07" * samples), max_size=8)


def media(ulaw: bytes, number: int = 0, timestamp_ms: int = -1) -> Media:
    return Media(number, media=MediaBody(ulaw, timestamp_ms))


def payloads(texts: list[bytes]) -> bytes:
    return b"".join(b64decode(json.loads(text)["media"]["payload"]) for text in texts)


@settings(deadline=None)
@given(ulaw_frames)
def test_the_callers_audio_goes_through_one_uplink(frames: list[bytes]) -> None:
    translator, uplink = Translator(START), Uplink()
    for frame in frames:
        event = translator.event(media(frame))
        assert isinstance(event, CallerAudio)
        assert event.audio == uplink.push(frame)


@settings(deadline=None)
@given(ulaw_frames)
def test_g711_goes_through_as_it_is_with_the_same_verdicts(frames: list[bytes]) -> None:
    straight, transcoding = Translator(START, audio=ULAW_8K), Translator(START)
    for frame in frames:
        event, other = straight.event(media(frame)), transcoding.event(media(frame))
        assert isinstance(event, CallerAudio)
        assert isinstance(other, CallerAudio)
        assert (event.audio, event.verdict) == (frame, other.verdict)


@settings(deadline=None)
@given(ulaw_frames)
def test_what_is_played_in_g711_is_sent_byte_for_byte_and_has_no_tail(pieces: list[bytes]) -> None:
    translator = Translator(START, audio=ULAW_8K)
    assert payloads([text for piece in pieces for text in translator.messages(PlayAudio(piece))]) == b"".join(pieces)
    assert translator.messages(PlayAudio(b"", ends=True)) == ()
    (whole,) = translator.messages(PlayAudio(b"\x00\xff", ends=True))
    assert payloads([whole]) == b"\x00\xff"


def test_an_agent_in_g711_is_known_again_when_it_comes_back() -> None:
    translator = Translator(START, models(), audio=ULAW_8K)
    translator.messages(PlayAudio(b"\x0f" * 8000, ends=True))  # 1 s at −6 dBFS
    verdicts(translator, *[QUIET] * 10)
    assert verdicts(translator, *[ECHO] * 10) == [Verdict.SILENCE] * 10
    translator.messages(ClearPlayback())
    verdicts(translator, *[QUIET] * 60)
    assert verdicts(translator, ECHO) == [Verdict.SOUND]


ECHO = b"\x50\xd0" * 80
"""25 dB below the agent."""
QUIET, LOUD = b"\xff" * 160, b"\x10\x90" * 80


class LoudIsVoice:
    def process_chunk(self, chunk: bytes) -> float:
        return float(max(chunk) > 16)

    def reset(self) -> None:
        pass


def models() -> VoiceModels:
    """Lend a model that takes all that is loud for a voice."""
    lent = VoiceModels()
    lent.give_back(LoudIsVoice())
    return lent


def verdicts(translator: Translator, *frames: bytes) -> list[Verdict]:
    events = [translator.event(media(frame)) for frame in frames]
    return [event.verdict for event in events if isinstance(event, CallerAudio)]


def test_each_frame_takes_our_own_verdict_along() -> None:
    translator = Translator(START, models())
    assert verdicts(translator, *[QUIET] * 20) == [Verdict.SILENCE] * 20
    assert verdicts(translator, LOUD) == [Verdict.SOUND]
    assert translator.messages(ListenClosely(True)) == ()
    assert verdicts(translator, *[LOUD] * 5)[-1] is Verdict.SPEECH
    assert translator.messages(ListenClosely(False)) == ()
    assert verdicts(translator, LOUD) == [Verdict.SOUND]


def test_what_comes_back_of_the_agents_voice_is_not_the_caller() -> None:
    translator, agent = Translator(START, models()), b"\x00\x40" * 24000
    echo = b"\x50\xd0" * 80  # 25 dB below the agent
    translator.messages(PlayAudio(agent, ends=True))
    verdicts(translator, *[QUIET] * 10)
    assert verdicts(translator, *[echo] * 10) == [Verdict.SILENCE] * 10
    assert verdicts(translator, LOUD) == [Verdict.SOUND]


def test_a_voice_that_was_cleared_does_not_come_back() -> None:
    translator, agent = Translator(START, models()), b"\x00\x40" * 24000
    echo = b"\x50\xd0" * 80
    translator.messages(PlayAudio(agent, ends=True))
    verdicts(translator, QUIET)
    translator.messages(ClearPlayback())
    assert Verdict.SOUND not in verdicts(translator, echo)
    assert verdicts(translator, *[QUIET] * 40, echo)[-1] is Verdict.SOUND


def test_what_is_lost_of_the_caller_is_time_in_which_the_agent_was_played() -> None:
    translator, agent = Translator(START, models()), b"\x00\x40" * 4800
    echo = b"\x50\xd0" * 80
    translator.event(media(QUIET, timestamp_ms=0))
    translator.messages(PlayAudio(b"\x00\x00" * 4800 + agent, ends=True))
    translator.event(media(QUIET, timestamp_ms=20 + 300))
    assert translator.lost_audio_ms == 300
    assert verdicts(translator, echo, echo) == [Verdict.SILENCE] * 2


def test_at_the_end_what_was_borrowed_is_given_back() -> None:
    lent = models()
    translator = Translator(START, lent)
    translator.messages(ListenClosely(True))
    verdicts(translator, QUIET)
    translator.end()
    assert isinstance(lent.borrow(), LoudIsVoice)


def test_media_without_audio_means_nothing() -> None:
    assert Translator(START).event(media(b"")) is None


def test_the_agents_own_track_is_passed_over() -> None:
    outbound = Media(2, media=MediaBody(b"\xff" * 160, 20, "outbound"))
    assert Translator(START).event(outbound) is Passed.UNKNOWN


@settings(deadline=None)
@given(pcm_pieces)
def test_what_is_played_goes_through_one_downlink_and_ends_with_its_tail(pieces: list[bytes]) -> None:
    translator, downlink = Translator(START), Downlink()
    sent = [text for piece in pieces for text in translator.messages(PlayAudio(piece))]
    sent += translator.messages(PlayAudio(b"", ends=True))
    assert payloads(sent) == b"".join(map(downlink.push, pieces)) + downlink.flush()
    samples = len(b"".join(pieces)) // 2
    assert len(payloads(sent)) == -(-samples // 3)


def test_an_item_that_ends_is_one_message_with_its_tail() -> None:
    sent = Translator(START).messages(PlayAudio(b"\x00\x00" * 2400, ends=True))
    assert len(sent) == 1
    assert len(payloads(list(sent))) == 800


def test_no_audio_is_no_message() -> None:
    assert Translator(START).messages(PlayAudio(b"")) == ()
    assert Translator(START).messages(PlayAudio(b"", ends=True)) == ()


def test_a_clear_forgets_the_tail_of_what_was_cut() -> None:
    translator = Translator(START)
    translator.messages(PlayAudio(b"\x00\x40" * 2400))
    assert [json.loads(text) for text in translator.messages(ClearPlayback())] == [
        {"event": "clear", "streamSid": "MZ1"}
    ]
    sent = translator.messages(PlayAudio(b"\x00\x00" * 2400, ends=True))
    assert payloads(list(sent)) == b"\xff" * 800


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**17), st.integers(min_value=0, max_value=10**17))
def test_a_mark_that_comes_back_is_known_again(generation: int, number: int) -> None:
    translator = Translator(START)
    (text,) = translator.messages(SendMark(generation, number))
    echo = decode(text)
    assert isinstance(echo, Mark)
    assert translator.event(echo) == PlaybackReached(generation, number)


@pytest.mark.parametrize(
    "name", ["", "1", "1:", ":1", "-1:2", "1:2:3", " 1:2", "1:2\n", "01:2", "r3:17", "٣:١", "1:" + "9" * 400]
)
def test_a_mark_that_is_not_ours_is_unknown(name: str) -> None:
    assert Translator(START).event(Mark(2, mark=MarkBody(name))) is Passed.UNKNOWN


@pytest.mark.parametrize("digit", list("0123456789*#ABCD"))
def test_a_key_is_a_digit(digit: str) -> None:
    assert Translator(START).event(Dtmf(2, dtmf=DtmfBody(digit))) == CallerDigit(digit)


@pytest.mark.parametrize("digit", ["", "10", "E", "a", " "])
def test_what_is_no_key_is_broken(digit: str) -> None:
    assert Translator(START).event(Dtmf(2, dtmf=DtmfBody(digit))) is Passed.BROKEN


def test_stop_ends_the_stream() -> None:
    assert Translator(START).event(Stop(2)) == StreamEnded(StreamEnd.STOPPED)


def test_a_second_start_is_broken_unless_it_says_the_same() -> None:
    translator = Translator(START)
    assert translator.event(Connected()) is None
    assert translator.event(START) is None
    for body in (StartBody("CA2", MULAW, stream_sid="MZ1"), StartBody("CA1", MULAW, stream_sid="MZ9")):
        assert translator.event(Start(2, start=body, stream_sid="MZ1")) is Passed.BROKEN


def test_the_stream_is_named_by_either_place_of_start() -> None:
    translator = Translator(Start(1, start=StartBody("CA1", MULAW, stream_sid="MZ7")))
    (text,) = translator.messages(ClearPlayback())
    assert json.loads(text)["streamSid"] == "MZ7"


@settings(deadline=None)
@given(st.sets(st.integers(min_value=2, max_value=60)))
def test_numbers_that_are_left_out_are_counted(numbers: set[int]) -> None:
    translator = Translator(START)
    for number in sorted(numbers):
        translator.event(media(b"\xff" * 160, number))
    assert translator.lost_messages == (max(numbers) - 1 - len(numbers) if numbers else 0)


def test_a_number_that_comes_again_is_no_gap() -> None:
    translator = Translator(START)
    for number in (2, 3, 3, 2, 0, 4):
        translator.event(media(b"\xff" * 160, number))
    assert translator.lost_messages == 0


def test_audio_that_is_missing_between_timestamps_is_counted() -> None:
    translator = Translator(START)
    for timestamp_ms in (5, 25, 45, 125, 145):  # 60 ms are missing
        translator.event(media(b"\xff" * 160, timestamp_ms=timestamp_ms))
    assert translator.lost_audio_ms == 60
