import pytest

from app.errors import SettingsError
from app.model.dialects import (
    ModelTarget,
    azure_target,
    compatible_target,
    local_target,
    openai_target,
    tokenlab_target,
)
from app.model.setup import Dialect
from tests.support.model_peers import FakeCredential

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


def azure(endpoint: str = "https://acme.openai.azure.com", api_version: str | None = None) -> ModelTarget:
    return azure_target(endpoint, "voice-1", api_version=api_version, api_key="k1", credential=None)


@pytest.mark.parametrize("version", [None, "", "v1"])
@pytest.mark.parametrize(
    "endpoint",
    [
        "https://acme.openai.azure.com",
        "https://acme.openai.azure.com/",
        "https://acme.openai.azure.com/openai",
        "https://acme.openai.azure.com/openai/v1/",
        "https://acme.openai.azure.com/openai/v1/realtime?api-version=2024-10-01-preview&model=other",
        "wss://acme.openai.azure.com/openai/realtime?api-version=2024-10-01-preview&deployment=other",
    ],
)
def test_azures_ga_endpoint_takes_a_deployment_and_no_version(endpoint: str, version: str | None) -> None:
    target = azure(endpoint, version)
    assert target.url == "wss://acme.openai.azure.com/openai/v1/realtime?model=voice-1"
    assert (target.dialect, target.name) == (Dialect.GA, "voice-1")
    assert target.headers == {"api-key": "k1"}
    assert target.prepare is None


@pytest.mark.parametrize("endpoint", ["https://acme.openai.azure.com", "https://acme.openai.azure.com/openai/v1"])
def test_any_other_version_is_azures_preview_with_words_of_its_own(endpoint: str) -> None:
    target = azure(endpoint, "2025-04-01-preview")
    query = "api-version=2025-04-01-preview&deployment=voice-1"
    assert target.url == f"wss://acme.openai.azure.com/openai/realtime?{query}"
    assert target.dialect is Dialect.PREVIEW
    assert target.headers == {"api-key": "k1"}


def test_azure_behind_a_gateway_keeps_its_path_and_query() -> None:
    target = azure("https://gateway.example/azure/openai/v1?subscription=7")
    assert target.url == "wss://gateway.example/azure/openai/v1/realtime?subscription=7&model=voice-1"


@pytest.mark.parametrize(
    ("endpoint", "deployment", "key", "credential", "names"),
    [
        ("", "voice-1", "k1", None, "AZURE_OPENAI_ENDPOINT"),
        ("https://acme.openai.azure.com", "", "k1", None, "AZURE_OPENAI_DEPLOYMENT_NAME"),
        ("https://acme.openai.azure.com", "voice-1", "", None, "auth: entra"),
        ("https://acme.openai.azure.com", "voice-1", None, None, "auth: entra"),
        ("https://acme.openai.azure.com", "voice-1", "k1", FakeCredential(), "one of the two"),
        ("https://acme.openai.azure.com", "voice-1", "k 1", None, "AZURE_OPENAI_API_KEY"),
        ("acme.openai.azure.com", "voice-1", "k1", None, "base URL"),
    ],
)
def test_azure_without_a_way_in_is_refused_with_what_to_set(
    endpoint: str, deployment: str, key: str | None, credential: FakeCredential | None, names: str
) -> None:
    with pytest.raises(SettingsError, match=names):
        azure_target(endpoint, deployment, api_version=None, api_key=key, credential=credential)


def test_a_compatible_server_may_ask_for_no_key() -> None:
    target = compatible_target("http://127.0.0.1:9100/v1", "", "llama-voice")
    assert (target.url, target.headers) == ("ws://127.0.0.1:9100/v1/realtime?model=llama-voice", {})
    assert compatible_target("http://h/v1", "k1", "m").headers == {"Authorization": "Bearer k1"}


def test_tokenlabs_key_is_its_own_and_its_catalogue_is_asked_first() -> None:
    target = tokenlab_target("https://api.tokenlab.sh/v1", "sk-1", "gpt-realtime")
    assert target.url == "wss://api.tokenlab.sh/v1/realtime?model=gpt-realtime"
    assert (target.headers, target.dialect) == ({"Authorization": "Bearer sk-1"}, Dialect.GA)
    assert target.prepare is not None
    with pytest.raises(SettingsError, match="TOKENLAB_API_KEY"):
        tokenlab_target("https://api.tokenlab.sh/v1", "", "gpt-realtime")
