"""The wire: what is understood, what is passed over and why, and what is written."""

import json
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.stream.messages import Connected, Dtmf, Mark, Media, Passed, Start, Stop, Wording, decode

pytestmark = pytest.mark.core


def test_the_documented_messages_are_understood() -> None:
    assert decode(b'{"event":"connected","protocol":"Call","version":"1.0.0"}') == Connected()
    start = decode(
        b'{"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{"streamSid":"MZ1","accountSid":"AC1",'
        b'"callSid":"CA1","tracks":["inbound"],"customParameters":{"session":"opaque"},'
        b'"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
    )
    assert isinstance(start, Start)
    assert (start.sequence_number, start.start.call_sid, start.start.account_sid) == (1, "CA1", "AC1")
    assert start.start.custom_parameters == {"session": "opaque"}
    assert (start.start.media_format.encoding, start.start.media_format.sample_rate) == ("audio/x-mulaw", 8000)
    media = decode(
        b'{"event":"media","sequenceNumber":"4","streamSid":"MZ1",'
        b'"media":{"track":"inbound","chunk":"2","timestamp":"25","payload":"/v7+"}}'
    )
    assert isinstance(media, Media)
    assert (media.sequence_number, media.media.timestamp, media.media.payload) == (4, 25, b"\xfe\xfe\xfe")
    dtmf = decode(
        b'{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}'
    )
    assert isinstance(dtmf, Dtmf)
    assert dtmf.dtmf.digit == "1"
    mark = decode(b'{"event":"mark","sequenceNumber":"6","streamSid":"MZ1","mark":{"name":"3:17"}}')
    assert isinstance(mark, Mark)
    assert mark.mark.name == "3:17"
    stop = decode(
        b'{"event":"stop","sequenceNumber":"9","streamSid":"MZ1","stop":{"accountSid":"AC1","callSid":"CA1"}}'
    )
    assert isinstance(stop, Stop)
    assert stop.sequence_number == 9


def test_a_number_may_also_be_written_as_a_number() -> None:
    media = decode(b'{"event":"media","sequenceNumber":4,"media":{"timestamp":25,"payload":""}}')
    assert isinstance(media, Media)
    assert (media.sequence_number, media.media.timestamp) == (4, 25)


@pytest.mark.parametrize(
    "text",
    [
        b'{"event":"error","error":{"code":1}}',
        b'{"event":"transcription","text":[[[]]]}',
    ],
)
def test_an_event_that_is_not_listed_is_unknown(text: bytes) -> None:
    assert decode(text) is Passed.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"media"',
        b"{}",
        b'{"event":5}',
        b'{"event":"media"}',
        b'{"event":"media","media":{}}',
        b'{"event":"media","media":{"payload":"***"}}',
        b'{"event":"media","media":{"payload":5}}',
        b'{"event":"media","sequenceNumber":"four","media":{"payload":""}}',
        b'{"event":"mark","mark":{}}',
        b'{"event":"dtmf","dtmf":{"digit":1}}',
        b'{"event":"start","start":{"callSid":"CA1"}}',
        b'{"event":"media","media":{"payload":"\xff\xfe"}}',
        b'{"event":"\xff"}',
        b'{"event":"media","media":{"payload":"","x":' + b"[" * 60_000,
        b"[" * 65_000,
    ],
)
def test_what_is_no_message_is_broken(text: bytes) -> None:
    assert decode(text) is Passed.BROKEN


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(text: bytes) -> None:
    decode(text)


@settings(deadline=None)
@given(st.text(max_size=40), st.binary(max_size=400))
def test_media_is_written_with_these_keys_and_no_others(stream_sid: str, ulaw: bytes) -> None:
    assert json.loads(Wording(stream_sid).media(ulaw)) == {
        "event": "media",
        "streamSid": stream_sid,
        "media": {"payload": b64encode(ulaw).decode()},
    }


@settings(deadline=None)
@given(st.text(max_size=40), st.integers(min_value=0), st.integers(min_value=0))
def test_mark_and_clear_are_written_with_these_keys_and_no_others(
    stream_sid: str, generation: int, number: int
) -> None:
    wording = Wording(stream_sid)
    assert json.loads(wording.mark(generation, number)) == {
        "event": "mark",
        "streamSid": stream_sid,
        "mark": {"name": f"{generation}:{number}"},
    }
    assert json.loads(wording.clear) == {"event": "clear", "streamSid": stream_sid}
