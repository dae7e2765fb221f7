import pytest

from app.errors import SettingsError
from app.model.dialects import local_target, openai_target

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.openai.com/v1", "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"),
        ("https://api.openai.com/v1/", "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"),
        ("http://127.0.0.1:9100/v1", "ws://127.0.0.1:9100/v1/realtime?model=gpt-realtime-2.1"),
        ("ws://127.0.0.1:9100/v1", "ws://127.0.0.1:9100/v1/realtime?model=gpt-realtime-2.1"),
        ("wss://eu.api.openai.com/v1", "wss://eu.api.openai.com/v1/realtime?model=gpt-realtime-2.1"),
        ("WSS://gateway.example/v1", "wss://gateway.example/v1/realtime?model=gpt-realtime-2.1"),
        ("http://[::1]:9100/v1", "ws://[::1]:9100/v1/realtime?model=gpt-realtime-2.1"),
        ("http://127.0.0.1:9100", "ws://127.0.0.1:9100/realtime?model=gpt-realtime-2.1"),
        ("http://127.0.0.1:9100/v1/realtime", "ws://127.0.0.1:9100/v1/realtime?model=gpt-realtime-2.1"),
        (" https://api.openai.com/v1 ", "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"),
        (
            "https://gateway.example/v1?team=a%20b&model=other",
            "wss://gateway.example/v1/realtime?team=a%20b&model=gpt-realtime-2.1",
        ),
    ],
)
def test_the_socket_lies_below_the_base_url_with_the_scheme_mapped(base_url: str, url: str) -> None:
    assert openai_target(base_url, "sk-1", "gpt-realtime-2.1").url == url
    assert local_target(base_url, "gpt-realtime-2.1").url == url


def test_a_models_name_is_written_so_that_it_arrives() -> None:
    assert (
        openai_target("http://h/v1", "sk-1", "org/a model&x=1").url
        == "ws://h/v1/realtime?model=org%2Fa%20model%26x%3D1"
    )


def test_the_key_goes_into_the_header_and_nowhere_else() -> None:
    target = openai_target("https://api.openai.com/v1", "sk-secret", "gpt-realtime-2.1")
    assert target.headers == {"Authorization": "Bearer sk-secret"}
    assert "secret" not in repr(target) + str(target) + target.url
    assert target.name == "gpt-realtime-2.1"


def test_no_beta_header_is_sent() -> None:
    assert set(openai_target("https://api.openai.com/v1", "sk-1", "m").headers) == {"Authorization"}


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.openai.com/v1",
        "ftp://api.openai.com/v1",
        "https:///v1",
        "http://127.0.0.1:port/v1",
        "http://127.0.0.1:70000/v1",
        "http://127.0.0.1:0/v1",
        "http://[::1/v1",
        "https://api.openai.com/v1#there",
        "https://api..openai.com/v1",
        f"https://{'a' * 64}.example/v1",
        "https://me:word@api.openai.com/v1",
    ],
)
def test_a_base_url_that_cannot_work_is_refused_with_what_to_write(base_url: str) -> None:
    with pytest.raises(SettingsError) as raised:
        openai_target(base_url, "sk-1", "m")
    assert "base URL" in str(raised.value)
    assert "word@" not in str(raised.value)


@pytest.mark.parametrize("key", ["", "sk 1", "sk-1\n", "sk-1\r\nX: y", "sk-\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(SettingsError) as raised:
        openai_target("https://api.openai.com/v1", key, "m")
    assert "OPENAI_API_KEY" in str(raised.value)
    assert key == "" or key not in str(raised.value)
