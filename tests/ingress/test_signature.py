"""Twilio's signatures, and the URLs that they are made over."""

import pytest
from starlette.datastructures import FormData, UploadFile
from twilio.request_validator import RequestValidator

from app.errors import CallRefused, SettingsError
from app.ingress.signature import PublicUrl, Signatures, is_loopback
from tests.support.door import form_of

ELSEWHERE = ("192.0.2.7", 8080)
LOOPBACK = ("127.0.0.1", 8080)
MEDIA_URL = "wss://example.com/media"


def check_handshake(signature: str | None, url: str = MEDIA_URL) -> str:
    """Return why a handshake is refused, "" when it is not."""
    try:
        Signatures("12345").check_handshake(url, signature, ELSEWHERE)
    except CallRefused as refusal:
        return refusal.reason
    return ""


def check_form(pairs: list[tuple[str, str]], signature: str | None, url: str = "https://example.com/voice") -> str:
    try:
        Signatures("12345").check_form(url, form_of(pairs), signature, ELSEWHERE)
    except CallRefused as refusal:
        return refusal.reason
    return ""


def test_twilios_published_example_is_let_through() -> None:
    pairs = [
        ("Digits", "1234"),
        ("To", "+18005551212"),
        ("From", "+14158675310"),
        ("Caller", "+14158675310"),
        ("CallSid", "CA1234567890ABCDE"),
    ]
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert check_form(pairs, "L/OH5YylLD5NRKLltdqwSvS0BnU=", url) == ""
    assert check_form(pairs[:-1], "L/OH5YylLD5NRKLltdqwSvS0BnU=", url) == "wrong_signature"
    assert check_form(pairs, "L/OH5YylLD5NRKLltdqwSvS0BnU=", url + "&baz=3") == "wrong_signature"


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ("7PR3qMkpDyEJtMrVOY/LDyNq8J8=", ""),  # over wss://example.com/media
        ("T+WBXwUXC0/CyoZ1DA+p9ilZORs=", ""),  # over the same and a slash
        ("6HZQ7Cq/dSYDCAiy3qRA6PZfACI=", "wrong_signature"),  # over https://example.com/media
        ("", "unsigned"),
        (None, "unsigned"),
        ("ÿ" * 28, "wrong_signature"),
    ],
)
def test_a_handshake_is_signed_over_the_sockets_own_url(signature: str | None, reason: str) -> None:
    assert check_handshake(signature) == reason


def test_a_handshake_over_another_port_is_signed_with_it() -> None:
    url = "wss://example.com:8443/media"
    assert check_handshake(RequestValidator("12345").compute_signature(url, {}), url) == ""


def test_blank_and_repeated_fields_are_signed_too() -> None:
    pairs = [("B", "2"), ("A", ""), ("B", "1")]
    signature = RequestValidator("12345").compute_signature("https://example.com/voice", form_of(pairs))
    assert check_form(pairs, signature) == ""
    assert check_form([("B", "2"), ("A", "")], signature) == "wrong_signature"
    assert check_form([("B", "2"), ("B", "1")], signature) == "wrong_signature"


@pytest.mark.parametrize("signature", [None, ""])
def test_a_form_without_signature_is_unsigned(signature: str | None) -> None:
    assert check_form([], signature) == "unsigned"


def test_another_accounts_signature_is_wrong() -> None:
    signature = RequestValidator("54321").compute_signature("https://example.com/voice", {})
    assert check_form([], signature) == "wrong_signature"


def test_a_form_that_cannot_have_been_signed_is_refused() -> None:
    form = FormData([("A", UploadFile(None, filename="a"))])  # type: ignore[arg-type]  # no file is ever read
    with pytest.raises(CallRefused, match="does not fit"):
        Signatures("12345").check_form("https://example.com/voice", form, "x", ELSEWHERE)
    assert check_form([("A", "\ud800")], "x") == "wrong_signature"


def test_without_a_token_only_loopback_is_served() -> None:
    signatures = Signatures(None)
    signatures.check_form("http://127.0.0.1:8080/twilio/voice", FormData(), None, LOOPBACK)
    signatures.check_handshake("ws://127.0.0.1:8080/twilio/media", None, LOOPBACK)
    for server in (ELSEWHERE, None, ("/run/dialtone.sock", None)):
        with pytest.raises(CallRefused, match="TWILIO_AUTH_TOKEN") as refused:
            signatures.check_form("http://127.0.0.1:8080/twilio/voice", FormData(), None, server)
        assert refused.value.reason == "no_auth_token"


def test_with_a_token_loopback_needs_signatures_too() -> None:
    with pytest.raises(CallRefused, match="no X-Twilio-Signature"):
        Signatures("12345").check_form("http://127.0.0.1:8080/twilio/voice", FormData(), None, LOOPBACK)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_which_addresses_only_this_machine_reaches(host: str, expected: bool) -> None:
    assert is_loopback((host, 1)) is expected


@pytest.mark.parametrize(
    ("public_url", "page", "socket"),
    [
        ("https://voice.example.com", "https://voice.example.com/a", "wss://voice.example.com/a"),
        ("https://Voice.Example.com/", "https://voice.example.com/a", "wss://voice.example.com/a"),
        ("https://example.com/voice/", "https://example.com/voice/a", "wss://example.com/voice/a"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/a", "ws://127.0.0.1:8080/a"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x/a", "ws://[::1]:8080/x/a"),
    ],
)
def test_pages_and_sockets_are_built_from_the_public_url(public_url: str, page: str, socket: str) -> None:
    url = PublicUrl.parse(public_url)
    assert (url.page("/a"), url.socket("/a")) == (page, socket)


@pytest.mark.parametrize(
    "public_url",
    [
        "",
        "example.com",
        "wss://example.com",
        "https://",
        "https://a.example/?x=1",
        "https://a.example/#x",
        "https://u:p@a.example",
    ],
)
def test_what_is_no_public_url_is_said_so(public_url: str) -> None:
    with pytest.raises(SettingsError, match="https://voice"):
        PublicUrl.parse(public_url)


@pytest.mark.parametrize(
    ("public_url", "raw_path", "query", "expected"),
    [
        ("https://h", b"/twilio/voice", b"", "https://h/twilio/voice"),
        ("https://h", b"/twilio/voice", b"a=%20b&c", "https://h/twilio/voice?a=%20b&c"),
        ("https://h", b"/twilio/%76oice", b"", "https://h/twilio/%76oice"),
        ("https://h/voice", b"/twilio/voice", b"", "https://h/voice/twilio/voice"),
        ("https://h/voice", b"/voice/twilio/voice", b"a=1", "https://h/voice/twilio/voice?a=1"),
        ("https://h/twilio", b"/twilio/voice", b"", "https://h/twilio/twilio/voice"),
        ("https://h/twilio", b"/twilio/twilio/voice", b"", "https://h/twilio/twilio/voice"),
    ],
)
def test_the_requested_url_is_rebuilt_as_it_was_sent(
    public_url: str, raw_path: bytes, query: bytes, expected: str
) -> None:
    assert PublicUrl.parse(public_url).as_requested("/twilio/voice", raw_path, query) == expected
