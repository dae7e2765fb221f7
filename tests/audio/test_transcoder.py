"""Uplink and Downlink: exact lengths, any split, silence, the tail."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio import mulaw
from app.audio.formats import PCM16_24K, ULAW_8K, AudioFormat
from app.audio.transcoder import Downlink, Uplink, as_audio, downlink_from, uplink_to

pytestmark = pytest.mark.core


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@settings(max_examples=60, deadline=None)
@given(ulaw=st.binary(max_size=1500), cuts=st.lists(st.integers(0, 1500), max_size=10))
def test_uplink_gives_six_bytes_for_each_at_once_and_any_split_is_the_same(ulaw: bytes, cuts: list[int]) -> None:
    whole = Uplink().push(ulaw)
    split = Uplink()
    parts = [split.push(part) for part in cut(ulaw, cuts)]
    assert [len(out) for out in parts] == [6 * len(part) for part in cut(ulaw, cuts)]
    assert b"".join(parts) == whole


@settings(max_examples=60, deadline=None)
@given(pcm=st.binary(max_size=6000), cuts=st.lists(st.integers(0, 6000), max_size=10))
def test_downlink_is_the_same_for_any_split_odd_bytes_included(pcm: bytes, cuts: list[int]) -> None:
    once, split = Downlink(), Downlink()
    whole = once.push(pcm) + once.flush()
    parts = [split.push(part) for part in cut(pcm, cuts)]
    assert b"".join(parts) + split.flush() == whole
    assert len(whole) == -(-(len(pcm) // 2) // 3)


def test_uplink_is_delayed_by_3_ms() -> None:
    click = bytearray(b"\xff" * 160)
    click[40] = 0x80  # the loudest sample, 5 ms in
    pcm = np.frombuffer(Uplink().push(bytes(click)), dtype="<i2")
    assert np.abs(pcm).argmax() / 24 == pytest.approx(5 + 3, abs=0.05)


def test_one_second_down_is_one_second_of_telephone_audio() -> None:
    downlink = Downlink()
    out = downlink.push(bytes(PCM16_24K.bytes_of(1000)))
    held_back_ms = ULAW_8K.ms_of(ULAW_8K.bytes_of(1000) - len(out))
    assert held_back_ms <= 5
    assert len(out + downlink.flush()) == ULAW_8K.bytes_of(1000)


def test_silence_stays_silence_both_ways() -> None:
    uplink, downlink = Uplink(), Downlink()
    assert set(uplink.push(b"\xff" * 800)) == {0}
    assert set(uplink.push(b"\x7f" * 800)) == {0}  # the negative zero of μ-law
    assert set(downlink.push(bytes(4800)) + downlink.flush()) == {0xFF}


def test_after_a_cut_the_next_utterance_begins_clean() -> None:
    downlink = Downlink()
    downlink.push(np.full(1000, 20000, dtype="<i2").tobytes() + b"\x01")
    downlink.reset()
    assert set(downlink.push(bytes(4800)) + downlink.flush()) == {0xFF}


@given(ulaw=st.binary(max_size=400))
def test_where_the_model_takes_g711_nothing_is_changed_either_way(ulaw: bytes) -> None:
    up, down = uplink_to(ULAW_8K), downlink_from(ULAW_8K)
    assert up.push(ulaw) == ulaw
    assert down.push(ulaw) + down.flush() == ulaw


def test_each_call_has_filters_of_its_own() -> None:
    assert isinstance(uplink_to(PCM16_24K), Uplink)
    assert isinstance(downlink_from(PCM16_24K), Downlink)
    assert uplink_to(PCM16_24K) is not uplink_to(PCM16_24K)


def test_a_format_that_nobody_speaks_is_refused() -> None:
    other = AudioFormat("alaw_8k", 8000, 1, b"\xd5")
    for way in (uplink_to, downlink_from):
        with pytest.raises(ValueError, match="alaw_8k; expected ulaw_8k or pcm16_24k"):
            way(other)


def test_a_recording_is_brought_to_the_telephone_whole() -> None:
    assert set(as_audio(bytes(PCM16_24K.bytes_of(50)), ULAW_8K)) == {0xFF}
    assert len(as_audio(bytes(2 * 2401), ULAW_8K)) == 801


def test_mulaw_round_trip_is_the_identity_on_its_own_values() -> None:
    every = bytes(range(256))
    again = mulaw.encode(mulaw.decode(every))
    assert [a for a, b in zip(every, again, strict=True) if a != b] == [0x7F]  # −0 becomes +0
