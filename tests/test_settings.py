"""The environment: defaults that serve, and a sentence for every senseless value."""

import pytest
from pydantic import SecretStr

from app.errors import SettingsError
from app.settings import Settings, is_loopback, load_settings


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_nothing_set_serves_loopback() -> None:
    settings = load_settings()
    assert settings.address() == "http://127.0.0.1:8080"
    assert settings.address(4711) == "http://127.0.0.1:4711"
    assert settings.database == "sqlite:///dialtone.db"
    assert settings.max_calls == 50


def test_every_provider_has_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = load_settings()
    assert defaults.tokenlab_base_url == "https://api.tokenlab.sh/v1"
    assert (defaults.openai_max_sessions, defaults.azure_openai_endpoint, defaults.openai_api_version) == (None,) * 3
    given = {
        "AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com",
        "AZURE_OPENAI_API_KEY": "hush",
        "AZURE_OPENAI_DEPLOYMENT_NAME": "voices",
        "AZURE_OPENAI_MAX_SESSIONS": "3",
        "OPENAI_API_VERSION": "2025-04-01-preview",
        "OPENAI_MAX_SESSIONS": "7",
        "TOKENLAB_API_KEY": "hush",
        "TOKENLAB_BASE_URL": "http://127.0.0.1:9/v1",
        "TOKENLAB_MAX_SESSIONS": "5",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    for name, value in given.items():
        read = getattr(settings, name.lower())
        assert (read.get_secret_value() if isinstance(read, SecretStr) else str(read)) == value
    assert "hush" not in repr(settings)


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "")
    assert load_settings().port == 8080
    assert load_settings().twilio_auth_token is None


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"MAX_CALLS": "0"}, r"MAX_CALLS: .*greater than or equal to 1"),
        ({"PORT": "http"}, r"PORT: .*integer"),
        ({"HOST": "0.0.0.0"}, r"TWILIO_AUTH_TOKEN is not set.*set it, or serve a loopback address"),
        ({"HOST": "0.0.0.0", "TWILIO_AUTH_TOKEN": "x"}, r"PUBLIC_URL is not set; set it to the address"),
        ({"PUBLIC_URL": "voice.example.com"}, r"PUBLIC_URL: .*such as https://voice\.example\.com"),
        ({"PUBLIC_URL": "https://me:secret@voice.example.com"}, r"PUBLIC_URL: .*leave them out"),
        ({"DATABASE_URL": "mysql://x/y"}, r"DATABASE_URL: .*sqlite:///path or postgresql://"),
        ({"LOG_LEVEL": "loud"}, r"LOG_LEVEL: "),
        ({"DRAIN_S": "-1"}, r"DRAIN_S: "),
        ({"OPENAI_MAX_SESSIONS": "0"}, r"OPENAI_MAX_SESSIONS: .*greater than or equal to 1"),
        ({"AZURE_OPENAI_MAX_SESSIONS": "many"}, r"AZURE_OPENAI_MAX_SESSIONS: .*integer"),
        ({"TOKENLAB_MAX_SESSIONS": "-1"}, r"TOKENLAB_MAX_SESSIONS: .*greater than or equal to 1"),
    ],
)
def test_a_senseless_value_is_said(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], sentence: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=sentence):
        load_settings()


def test_the_public_address_is_as_signatures_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://Voice.Example.com/dial/")
    assert load_settings().address(1) == "https://voice.example.com/dial"


def test_secrets_are_not_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "token-secret")
    assert "secret" not in repr(load_settings())


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
