import base64
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model import messages
from app.model.messages import BrokenMessageError, UnknownMessageError, decode
from tests.support.model_events import EXAMPLES, Wire
from tests.support.realtime_schema import SERVER_TYPES, client_faults, server_faults

pytestmark = pytest.mark.core

READ_TYPES = SERVER_TYPES - messages.IGNORED_TYPES


def wire(event: Wire) -> bytes:
    return json.dumps(event).encode()


def test_the_examples_are_one_valid_event_of_each_type() -> None:
    assert set(EXAMPLES) == SERVER_TYPES
    assert [fault for event in EXAMPLES.values() for fault in server_faults(event)] == []


@pytest.mark.parametrize("kind", sorted(SERVER_TYPES))
def test_every_event_of_the_protocol_is_read_or_knowingly_passed_over(kind: str) -> None:
    message = decode(wire(EXAMPLES[kind]))
    assert (message is None) == (kind in messages.IGNORED_TYPES)


def test_nothing_is_passed_over_that_the_protocol_does_not_have() -> None:
    beta = {"response.audio_transcript.done", "response.text.done"}
    assert messages.IGNORED_TYPES - beta < SERVER_TYPES


def test_an_event_is_read_wherever_its_type_stands_and_whatever_else_it_carries() -> None:
    delta = {"obfuscation": "x", "delta": "AAA=", "item_id": "i", "new": {"deep": [1]}, "response_id": "r"}
    expected = messages.AudioDelta(response_id="r", item_id="i", delta="AAA=")
    assert decode(wire({"type": "response.output_audio.delta", **delta})) == expected
    assert decode(wire({**delta, "type": "response.output_audio.delta"})) == expected


def test_a_message_may_come_as_any_kind_of_bytes() -> None:
    event = wire(EXAMPLES["input_audio_buffer.committed"])
    assert decode(event) == decode(bytearray(event)) == decode(memoryview(event)) == messages.Committed("item_1")


@pytest.mark.parametrize("kind", sorted(READ_TYPES))
def test_what_the_server_need_not_set_may_be_null(kind: str) -> None:
    """Real servers send null for unset fields, at any depth; the schema says which may be."""
    for path in _optional_paths(EXAMPLES[kind]):
        event = json.loads(json.dumps(EXAMPLES[kind]))
        inner = event
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = None
        # An answer without an id could not be told from another one: that the schema allows it means nothing here.
        if not server_faults(event) and path[-2:] != ("response", "id"):
            assert decode(wire(event)) is not None


def _optional_paths(event: object, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(event, dict):
        return []
    return [path for key, value in event.items() for path in [(*at, key), *_optional_paths(value, (*at, key))]]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"type":null}',
        b'{"type":7}',
        b'{"type":["error"]}',
        b'{"type":"error"}',
        b'{"type":"error","error":"no"}',
        b'{"type":"input_audio_buffer.speech_started","item_id":"i"}',
        b'{"type":"input_audio_buffer.speech_started","item_id":7,"audio_start_ms":1}',
        b'{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":null}',
        b'{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"\xff"}',
        b'{"type":"\xff"}',
        b'{"type":"response.done","response":{"status":"completed"}}',
        b"\x00\x01\x02",
        b'{"type":"session.created"',
        b"[" * 100_000,
        b'{"type":"rate_limits.updated","rate_limits":[],"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"type":"session.created"}',
    ],
)
def test_a_broken_message_is_called_so(data: bytes) -> None:
    with pytest.raises(BrokenMessageError):
        decode(data)


@pytest.mark.parametrize("kind", ["response.sung", "session.input_audio_buffer.append", "", "x" * 10_000])
def test_an_unknown_type_is_called_so(kind: str) -> None:
    with pytest.raises(UnknownMessageError) as raised:
        decode(wire({"type": kind, "event_id": "event_1"}))
    assert len(str(raised.value)) < 200


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=200))
def test_no_bytes_whatever_do_anything_else_than_be_refused(data: bytes) -> None:
    with pytest.raises((BrokenMessageError, UnknownMessageError)):
        decode(data)


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=4000))
def test_an_append_is_valid_and_carries_its_audio(audio: bytes) -> None:
    event = json.loads(messages.encode_append(audio))
    assert client_faults(event) == []
    assert event["type"] == "input_audio_buffer.append"
    assert base64.b64decode(event["audio"], validate=True) == audio


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=4000))
def test_a_delta_is_decoded(audio: bytes) -> None:
    assert messages.decode_audio(base64.b64encode(audio).decode()) == audio


@pytest.mark.parametrize("base64_text", ["A", "AAA", "AA=A", "!!!!", "AAAA\n", "ÄÄÄÄ", "====", "AAAA AAAA", "-_-_"])
def test_what_is_not_base64_is_broken(base64_text: str) -> None:
    with pytest.raises(BrokenMessageError):
        messages.decode_audio(base64_text)


def test_a_big_delta_is_whole() -> None:
    audio = bytes(range(256)) * 12 * 1024  # three megabytes: a minute of audio in one message
    event = {**EXAMPLES["response.output_audio.delta"], "delta": base64.b64encode(audio).decode()}
    message = decode(wire(event))
    assert isinstance(message, messages.AudioDelta)
    decoded = messages.decode_audio(message.delta)
    assert decoded == audio
    assert all((b - a) % 256 == 1 for a, b in pairwise(decoded[:1000]))
