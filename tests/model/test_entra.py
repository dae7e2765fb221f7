"""Microsoft Entra's tokens, with the library's place taken by a module of the test's own: it is an extra."""

import asyncio
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from app.errors import SettingsError
from app.model.dialects import azure_target
from app.model.entra import SCOPE, entra_credential
from app.model.opening import ConnectError


class AzureError(Exception):
    pass


class ClientAuthenticationError(AzureError):
    pass


class Token:
    def __init__(self, token: str) -> None:
        self.token = token


class DefaultAzureCredential:
    made: "list[DefaultAzureCredential]" = []  # noqa: RUF012 - the test's own view of what the module made

    def __init__(self) -> None:
        self.scopes: list[tuple[str, ...]] = []
        self.is_closed = False
        self.failure: Exception | None = None
        self.made.append(self)

    async def get_token(self, *scopes: str) -> Token:
        if self.failure is not None:
            raise self.failure
        self.scopes.append(scopes)
        return Token(f"eyJ{len(self.scopes)}")

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[DefaultAzureCredential]]:
    """As if azure-identity and aiohttp were installed."""
    contents: dict[str, dict[str, object]] = {
        "azure": {},
        "azure.identity": {},
        "azure.identity.aio": {"DefaultAzureCredential": DefaultAzureCredential},
        "azure.core": {},
        "azure.core.exceptions": {"ClientAuthenticationError": ClientAuthenticationError, "AzureError": AzureError},
        "aiohttp": {},
    }
    for name, attributes in contents.items():
        module = ModuleType(name)
        module.__dict__.update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    DefaultAzureCredential.made.clear()
    yield DefaultAzureCredential
    DefaultAzureCredential.made.clear()


def test_every_connection_asks_for_a_token_and_sends_it_as_a_bearer(library: type[DefaultAzureCredential]) -> None:
    async def scenario() -> None:
        credential = entra_credential()
        target = azure_target(
            "https://acme.openai.azure.com", "voice", api_version=None, api_key=None, credential=credential
        )
        assert target.headers == {}
        assert target.prepare is not None
        assert [await target.prepare() for _ in range(2)] == [
            {"Authorization": "Bearer eyJ1"},
            {"Authorization": "Bearer eyJ2"},
        ]
        [made] = library.made
        assert made.scopes == [(SCOPE,), (SCOPE,)]
        await credential.close()
        assert made.is_closed

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("failure", "reason", "is_final"),
    [
        (ClientAuthenticationError("no identity here"), "entra_refused", True),
        (AzureError("the network is down"), "entra_failed", False),
    ],
)
def test_a_token_that_is_not_given_is_a_connection_that_did_not_come_about(
    library: type[DefaultAzureCredential], failure: Exception, reason: str, is_final: bool
) -> None:
    async def scenario() -> None:
        credential = entra_credential()
        library.made[0].failure = failure
        with pytest.raises(ConnectError) as raised:
            await credential.token()
        assert (raised.value.reason, raised.value.is_final) == (reason, is_final)

    asyncio.run(scenario())


@pytest.mark.parametrize("missing", ["azure.identity.aio", "aiohttp"])
@pytest.mark.usefixtures("library")
def test_without_the_extra_it_is_said_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)  # an import of it fails
    with pytest.raises(SettingsError, match=r"pip install 'dialtone\[azure\]'"):
        entra_credential()
