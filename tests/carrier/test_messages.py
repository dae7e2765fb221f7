import base64
import json

import pytest

from app.carrier.messages import (
    BINARY_MESSAGE,
    CONNECTED,
    INVALID_MESSAGE,
    Clear,
    Mark,
    Media,
    Violation,
    Writer,
    read,
)

pytestmark = pytest.mark.core

SID = "MZ" + "1" * 32


def test_the_three_shapes_are_read() -> None:
    payload = base64.b64encode(b"\xff\x7f\x00").decode()
    media = {"event": "media", "streamSid": SID, "media": {"payload": payload}}
    assert read(json.dumps(media), SID) == Media(b"\xff\x7f\x00")
    assert read(json.dumps({"event": "mark", "streamSid": SID, "mark": {"name": "r3:17"}}), SID) == Mark("r3:17")
    assert read(json.dumps({"event": "clear", "streamSid": SID}), SID) == Clear()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"event": "clear"}, "lacks streamSid"),
        ({"event": "clear", "streamSid": SID, "now": True}, "has now besides"),
        ({"event": "clear", "streamSid": "MZ2"}, "this stream is"),
        ({"event": "hangup", "streamSid": SID}, "media, mark and clear"),
        ({"event": ["clear"], "streamSid": SID}, "media, mark and clear"),
        ({"event": "mark", "streamSid": SID}, "lacks mark"),
        ({"event": "mark", "streamSid": SID, "mark": {}}, "lacks name"),
        ({"event": "mark", "streamSid": SID, "mark": {"name": 5}}, "must be a string"),
        ({"event": "mark", "streamSid": SID, "mark": "five"}, "must be an object"),
        ({"event": "media", "streamSid": SID, "media": {"payload": "//8=", "track": "outbound"}}, "has track besides"),
        ({"event": "media", "streamSid": SID, "media": {"payload": "not base64!"}}, "not base64"),
        ({"event": "media", "streamSid": SID, "media": {"payload": "//8"}}, "not base64"),
        ({"event": "media", "streamSid": SID, "media": {"payload": "é"}}, "not base64"),
        (["event"], "JSON object"),
    ],
)
def test_anything_else_is_a_breach_that_says_why(message: object, reason: str) -> None:
    verdict = read(json.dumps(message, ensure_ascii=False), SID)
    assert isinstance(verdict, Violation)
    assert verdict.code == INVALID_MESSAGE
    assert reason in verdict.reason


def test_broken_json_and_binary_messages_are_told_apart() -> None:
    broken, binary = read("{", SID), read(b"{}", SID)
    assert isinstance(broken, Violation)
    assert isinstance(binary, Violation)
    assert (broken.code, binary.code) == (INVALID_MESSAGE, BINARY_MESSAGE)


def test_a_message_that_is_nested_too_deep_is_a_breach_like_any_other() -> None:
    deep = read("[" * 100_000, SID)
    assert isinstance(deep, Violation)
    assert deep.code == INVALID_MESSAGE


def test_what_is_written_is_what_twilio_writes() -> None:
    writer = Writer(stream_sid=SID, call_sid="CA1", account_sid="AC1")
    messages = [
        json.loads(text)
        for text in (
            CONNECTED,
            writer.start({"ticket": "x"}),
            writer.media(b"\xff" * 160, 0),
            writer.dtmf("#"),
            writer.media(b"\xfe" * 160, 20),
            writer.mark("r3:17"),
            writer.stop(),
        )
    ]
    assert messages == [
        {"event": "connected", "protocol": "Call", "version": "1.0.0"},
        {
            "event": "start",
            "sequenceNumber": "1",
            "streamSid": SID,
            "start": {
                "streamSid": SID,
                "accountSid": "AC1",
                "callSid": "CA1",
                "tracks": ["inbound"],
                "customParameters": {"ticket": "x"},
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            },
        },
        {
            "event": "media",
            "sequenceNumber": "2",
            "streamSid": SID,
            "media": {
                "track": "inbound",
                "chunk": "1",
                "timestamp": "0",
                "payload": base64.b64encode(b"\xff" * 160).decode(),
            },
        },
        {
            "event": "dtmf",
            "sequenceNumber": "3",
            "streamSid": SID,
            "dtmf": {"track": "inbound_track", "digit": "#"},
        },
        {
            "event": "media",
            "sequenceNumber": "4",
            "streamSid": SID,
            "media": {
                "track": "inbound",
                "chunk": "2",
                "timestamp": "20",
                "payload": base64.b64encode(b"\xfe" * 160).decode(),
            },
        },
        {"event": "mark", "sequenceNumber": "5", "streamSid": SID, "mark": {"name": "r3:17"}},
        {
            "event": "stop",
            "sequenceNumber": "6",
            "streamSid": SID,
            "stop": {"accountSid": "AC1", "callSid": "CA1"},
        },
    ]
