"""Twilio's published example and vectors computed with its own library."""

import pytest

from app.carrier.signature import sign, signed_url

pytestmark = pytest.mark.core

TOKEN = "12345"


def test_signs_twilios_published_example() -> None:
    form = [
        ("Digits", "1234"),
        ("To", "+18005551212"),
        ("From", "+14158675310"),
        ("Caller", "+14158675310"),
        ("CallSid", "CA1234567890ABCDE"),
    ]
    assert sign("https://example.com/myapp.php?foo=1&bar=2", form, TOKEN) == "L/OH5YylLD5NRKLltdqwSvS0BnU="


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("wss://example.com/media", "7PR3qMkpDyEJtMrVOY/LDyNq8J8="),
        ("wss://example.com/media/", "T+WBXwUXC0/CyoZ1DA+p9ilZORs="),
        ("https://example.com/media", "6HZQ7Cq/dSYDCAiy3qRA6PZfACI="),
    ],
)
def test_signs_a_handshake_over_its_url_alone(url: str, signature: str) -> None:
    assert sign(url, (), TOKEN) == signature


def test_order_does_not_matter_blank_values_count_and_repeated_ones_once() -> None:
    url = "https://example.com/voice"
    one = sign(url, [("b", "2"), ("a", ""), ("b", "1"), ("b", "2")], TOKEN)
    assert one == sign(url, [("a", ""), ("b", "1"), ("b", "2")], TOKEN)
    assert one != sign(url, [("b", "1"), ("b", "2")], TOKEN)


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://user:secret@example.com:8443/voice?x=%20#rc=2", "https://example.com/voice?x=%20"),
        ("http://127.0.0.1:8080/twilio/voice", "http://127.0.0.1:8080/twilio/voice"),
        ("http://user@example.com:81/", "http://example.com:81/"),
    ],
)
def test_a_webhooks_url_is_signed_without_user_fragment_and_tls_port(url: str, signed: str) -> None:
    assert signed_url(url) == signed
