"""Azure by Microsoft Entra: a fresh token for every connection, from whatever identity this machine has.

azure-identity is an extra: only those who use Entra need it, and it is imported when they do.
"""

import importlib
from typing import Protocol, cast

from app.errors import SettingsError
from app.model.opening import ConnectError

SCOPE = "https://cognitiveservices.azure.com/.default"


class EntraCredential(Protocol):
    """What can prove to Azure who we are."""

    async def token(self) -> str:
        """Return a token that is valid now, or raise ConnectError."""
        ...

    async def close(self) -> None:
        """Give up its connections; it must not be asked again."""
        ...


class _AzureToken(Protocol):
    token: str


class _AzureCredential(Protocol):
    """What azure.identity.aio.DefaultAzureCredential is to us."""

    async def get_token(self, *scopes: str) -> _AzureToken: ...

    async def close(self) -> None: ...


class _DefaultCredential:
    """The first of the environment, a workload's or managed identity, and the developer's own login that works."""

    def __init__(self, credential: _AzureCredential, refusal: type[Exception], failure: type[Exception]) -> None:
        self._credential = credential
        self._refusal = refusal
        self._failure = failure

    async def token(self) -> str:
        """Return a token; the library keeps one and renews it before it expires. Raises ConnectError."""
        try:
            return (await self._credential.get_token(SCOPE)).token
        except self._refusal as error:
            raise ConnectError("entra_refused", f"no identity could get a token: {error}", is_final=True) from error
        except self._failure as error:
            raise ConnectError("entra_failed", f"Microsoft Entra gave no token: {error}") from error

    async def close(self) -> None:
        """Close the library's connections."""
        await self._credential.close()


def entra_credential() -> EntraCredential:
    """Return this machine's identity with Microsoft Entra; to be closed at the end.

    Nothing is asked yet. Raises SettingsError when azure-identity is not installed.
    """
    try:
        identity = importlib.import_module("azure.identity.aio")
        errors = importlib.import_module("azure.core.exceptions")
        importlib.import_module("aiohttp")  # how azure's asynchronous credentials speak HTTP: not one of its own needs
    except ImportError as error:
        raise SettingsError(
            f"auth: entra needs azure-identity, and {error.name or error} is missing: pip install 'dialtone[azure]', "
            "or use a key"
        ) from error
    credential = cast(_AzureCredential, identity.DefaultAzureCredential())
    refusal = cast(type[Exception], errors.ClientAuthenticationError)
    return _DefaultCredential(credential, refusal, cast(type[Exception], errors.AzureError))
