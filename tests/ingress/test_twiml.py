"""The documents, as Twilio reads them."""

from xml.etree import ElementTree

import pytest

from app.ingress import twiml
from app.ingress.twiml import Sentence


def shape(document: str) -> list[tuple[str, dict[str, str], str | None]]:
    """Return the document's verbs and nouns in order: name, attributes, text."""
    root, *elements = ElementTree.fromstring(document).iter()  # noqa: S314 - our own document
    assert root.tag == "Response"
    return [(element.tag, element.attrib, element.text) for element in elements]


def test_a_call_is_connected_to_its_stream() -> None:
    document = twiml.connect(
        stream_url="wss://h/twilio/media",
        parameters={"ticket": 'a"<&', "agent": "acme"},
        status_url="https://h/twilio/stream-status",
        after_url="https://h/twilio/after",
    )
    assert shape(document) == [
        ("Connect", {"action": "https://h/twilio/after", "method": "POST"}, None),
        (
            "Stream",
            {
                "url": "wss://h/twilio/media",
                "statusCallback": "https://h/twilio/stream-status",
                "statusCallbackMethod": "POST",
            },
            None,
        ),
        ("Parameter", {"name": "ticket", "value": 'a"<&'}, None),
        ("Parameter", {"name": "agent", "value": "acme"}, None),
    ]


def test_what_is_said_before_the_stream_comes_first() -> None:
    document = twiml.connect(
        stream_url="wss://h/m",
        parameters={},
        status_url="https://h/s",
        after_url="https://h/a",
        before=Sentence("인공지능 <상담원>입니다.", "ko-KR"),
    )
    assert shape(document)[0] == ("Say", {"language": "ko-KR"}, "인공지능 <상담원>입니다.")


def test_a_call_is_hung_up() -> None:
    assert shape(twiml.hang_up()) == [("Hangup", {}, None)]
    assert shape(twiml.hang_up(Sentence("Bye & thanks.", "en-US"))) == [
        ("Say", {"language": "en-US"}, "Bye & thanks."),
        ("Hangup", {}, None),
    ]


def test_a_caller_is_passed_on() -> None:
    assert shape(twiml.dial("+15550111")) == [("Dial", {}, "+15550111")]
    assert shape(twiml.dial("+15550111", Sentence("One moment.", "en-US")))[0] == (
        "Say",
        {"language": "en-US"},
        "One moment.",
    )


def test_a_call_is_refused_before_it_is_answered() -> None:
    assert shape(twiml.reject()) == [("Reject", {"reason": "rejected"}, None)]


def test_characters_that_no_document_may_hold_are_left_out() -> None:
    assert shape(twiml.hang_up(Sentence("a\x00b\x0bc\ufffed", "en-US")))[0][2] == "a b c d"


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        ("en-US", "en-US"),
        ("en-GB", "en-GB"),
        ("ko", "ko-KR"),
        ("ja", "ja-JP"),
        ("zh-Hant-TW", "zh-TW"),
        ("es-419", "es-419"),
        ("de-1901", "de-DE"),
        ("en-GB-x-ab", "en-GB"),
        ("de-u-co-phonebk", "de-DE"),
        ("sw", "sw"),
    ],
)
def test_a_language_is_named_with_a_region_as_the_carriers_voices_are(language: str, locale: str) -> None:
    (say, _) = shape(twiml.hang_up(Sentence("Bye.", language)))
    assert say == ("Say", {"language": locale}, "Bye.")
