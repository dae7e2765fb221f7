import pytest

from app.carrier.twiml import (
    ConnectStream,
    Dial,
    Hangup,
    NotCarriedOut,
    Pause,
    Redirect,
    Reject,
    Say,
    TwimlError,
    parse,
)

pytestmark = pytest.mark.core


def test_the_verbs_come_in_order() -> None:
    document = b"""<?xml version="1.0" encoding="UTF-8"?>
    <Response>
      <Say language="ko-KR" loop="2">You speak <emphasis>with</emphasis> an
         AI &amp; nobody else.</Say>
      <Pause/><Pause length="3"/>
      <Play>https://example.com/a.wav</Play>
      <Dial callerId="+1555"><Number>+15550111</Number></Dial>
      <Redirect method="get">/twilio/voice</Redirect>
      <Hangup/><Reject reason="busy"/>
    </Response>"""
    assert parse(document) == [
        Say("You speak with an AI & nobody else.", "ko-KR", 2),
        Pause(1),
        Pause(3),
        NotCarriedOut("Play"),
        Dial("+15550111"),
        Redirect("/twilio/voice", "GET"),
        Hangup(),
        Reject("busy"),
    ]


def test_a_stream_is_read_with_all_that_belongs_to_it() -> None:
    document = b"""<Response><Connect action="/twilio/after"><Stream url="wss://voice.example.com/twilio/media"
        statusCallback="/twilio/stream-status" name="main"><Parameter name="ticket" value="a&lt;b"/>
        <Parameter name="empty" value=""/></Stream></Connect></Response>"""
    assert parse(document) == [
        ConnectStream(
            url="wss://voice.example.com/twilio/media",
            name="main",
            parameters={"ticket": "a<b", "empty": ""},
            status_callback="/twilio/stream-status",
            status_callback_method="POST",
            action="/twilio/after",
            method="POST",
        )
    ]


def test_an_empty_document_has_no_verbs() -> None:
    assert parse(b"<Response/>") == []


@pytest.mark.parametrize(
    ("document", "code", "reason"),
    [
        (b"", 12100, "not XML"),
        (b"<Response><Say>a & b</Say></Response>", 12100, "not XML"),
        (b"<response/>", 12100, "<response>"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><Response><Say>&a;</Say></Response>', 12100, "document type"),
        (b"<Response><say>x</say></Response>", 12200, "case sensitive"),
        (b'<Response><Pause length="long"/></Response>', 12200, "a number"),
        (b'<Response><Pause length="-1"/></Response>', 12200, "from 0 on"),
        (b'<Response><Pause length="nan"/></Response>', 12200, "from 0 on"),
        (b"<Response><Connect/></Response>", 12200, "nothing"),
        (b'<Response><Connect><ConversationRelay url="wss://x"/></Connect></Response>', 12200, "ConversationRelay"),
        (
            b'<Response><Connect><Stream url="wss://x"/><Stream url="wss://y"/></Connect></Response>',
            12200,
            "exactly one",
        ),
        (b'<Response><Connect><Stream url="wss://x" track="both_tracks"/></Connect></Response>', 31941, "both_tracks"),
        (b'<Response><Connect><Stream url="wss://x"><Param/></Stream></Connect></Response>', 12200, "<Param>"),
        (
            b'<Response><Connect><Stream url="x"><Parameter name="n" value="'
            + b"v" * 499
            + b'"/></Stream></Connect></Response>',
            12200,
            "500 characters",
        ),
        (b"<Response><Say>" + b"x" * 65536 + b"</Say></Response>", 11750, "bytes"),
    ],
)
def test_what_cannot_be_carried_out_says_why(document: bytes, code: int, reason: str) -> None:
    with pytest.raises(TwimlError, match=reason) as caught:
        parse(document)
    assert caught.value.code == code
