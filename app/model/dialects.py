"""How each provider is reached: from a base URL, a key and a model's name to the address of its realtime socket."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from app.errors import SettingsError
from app.model.entra import EntraCredential
from app.model.setup import Dialect
from app.model.tokenlab import Catalogue

_SOCKET_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_HTTP_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_AZURE_PATHS = ("/openai/v1/realtime", "/openai/realtime", "/openai/v1", "/openai")
"""What people copy behind the endpoint, out of one example or another."""


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """Where a session with a model is opened. name: the model's, for logs. The headers hold the key: not for logs.

    prepare: awaited before every connect, within its time limit; returns further headers, or raises ConnectError.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    name: str
    dialect: Dialect = Dialect.GA
    prepare: Callable[[], Awaitable[Mapping[str, str]]] | None = field(default=None, repr=False)


def openai_target(base_url: str, api_key: str, model: str) -> ModelTarget:
    """Return the target for OpenAI or a server that speaks as it does.

    base_url: ends where the vendor's documents begin, with /v1; http(s) or ws(s). Raises SettingsError.
    """
    return ModelTarget(_socket_url(base_url, model), _bearer(api_key, "OPENAI_API_KEY"), model)


def local_target(base_url: str, model: str) -> ModelTarget:
    """Return the target for the embedded model, which takes any key and name. base_url: with or without /realtime."""
    return ModelTarget(_socket_url(base_url, model), {"Authorization": "Bearer local"}, model)


def compatible_target(base_url: str, api_key: str, model: str) -> ModelTarget:
    """Return the target for a gateway or server that speaks as OpenAI does.

    api_key: empty for one that asks for none. Raises SettingsError.
    """
    headers = _bearer(api_key, "the variable that api_key_env names") if api_key else {}
    return ModelTarget(_socket_url(base_url, model), headers, model)


def azure_target(
    endpoint: str,
    deployment: str,
    *,
    api_version: str | None,
    api_key: str | None,
    credential: EntraCredential | None,
) -> ModelTarget:
    """Return the target for a deployment of an Azure OpenAI resource, reached by a key or by Microsoft Entra.

    endpoint: https://RESOURCE.openai.azure.com. api_version: None or "v1" is the GA endpoint, which takes no version;
    any other is the preview with its own words. credential: asked for a token before every connect. Raises
    SettingsError.
    """
    if not endpoint.strip():
        raise SettingsError("Azure's endpoint is empty: set AZURE_OPENAI_ENDPOINT to https://RESOURCE.openai.azure.com")
    if not deployment:
        raise SettingsError("Azure's deployment is empty: write model.deployment, or set AZURE_OPENAI_DEPLOYMENT_NAME")
    if (not api_key) == (credential is None):
        raise SettingsError(
            "Azure takes a key or Microsoft Entra, one of the two: set AZURE_OPENAI_API_KEY or auth: entra"
        )
    # A key goes into its own header: as a Bearer, or as a subprotocol, Azure answers it with 401.
    headers = {"api-key": _checked_key(api_key, "AZURE_OPENAI_API_KEY")} if api_key else {}
    prepare = _entra_headers(credential) if credential is not None else None
    base = _checked(endpoint)
    path = base.path.rstrip("/")
    path = next((path.removesuffix(known) for known in _AZURE_PATHS if path.endswith(known)), path)
    if api_version in (None, "", "v1"):
        # No api-version here: with one, the GA endpoint answers 401.
        url = _url(base, f"{path}/openai/v1/realtime", {"model": deployment})
        return ModelTarget(url, headers, deployment, Dialect.GA, prepare)
    url = _url(base, f"{path}/openai/realtime", {"api-version": str(api_version), "deployment": deployment})
    return ModelTarget(url, headers, deployment, Dialect.PREVIEW, prepare)


def tokenlab_target(base_url: str, api_key: str, model: str) -> ModelTarget:
    """Return the target for TokenLab, whose catalogue is asked first whether the model is a realtime one.

    base_url: with /v1. Raises SettingsError.
    """
    headers = _bearer(api_key, "TOKENLAB_API_KEY")
    url = _socket_url(base_url, model)
    base = _checked(base_url)
    path = base.path.rstrip("/").removesuffix("/realtime")
    catalogue = Catalogue(urlunsplit((_HTTP_SCHEMES[base.scheme], base.netloc, path, "", "")), headers, model)
    return ModelTarget(url, headers, model, Dialect.GA, catalogue.confirm)


def _entra_headers(credential: EntraCredential) -> Callable[[], Awaitable[Mapping[str, str]]]:
    async def prepare() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {await credential.token()}"}

    return prepare


def _bearer(api_key: str, variable: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {_checked_key(api_key, variable)}"}


def _checked_key(api_key: str, variable: str) -> str:
    if not api_key:
        raise SettingsError(f"the model's key is empty: set {variable}")
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise SettingsError(f"the model's key has a space or a character that no key has: copy {variable} again")
    return api_key


def _socket_url(base_url: str, model: str) -> str:
    """Return `<base>/realtime?model=…` with the scheme mapped; a query of the base (gateways have one) is kept."""
    base = _checked(base_url)
    path = base.path.rstrip("/")
    if not path.endswith("/realtime"):
        path += "/realtime"
    return _url(base, path, {"model": model})


def _url(base: SplitResult, path: str, asked: Mapping[str, str]) -> str:
    ours = {"model", "deployment", "api-version"} if "/openai/" in path else set(asked)
    query = [(key, value) for key, value in parse_qsl(base.query, keep_blank_values=True) if key not in ours]
    query += asked.items()
    return urlunsplit((_SOCKET_SCHEMES[base.scheme], base.netloc, path, urlencode(query, quote_via=quote), ""))


def _checked(base_url: str) -> SplitResult:
    wanted = "expected http(s):// or ws(s):// with a host, such as https://api.openai.com/v1"
    try:
        base = urlsplit(base_url.strip())
        port = base.port  # parsing it is what finds a wrong one
        (base.hostname or "").encode("idna")  # and this a name that no resolver could be asked for
    except ValueError as error:
        raise SettingsError(f"a model's base URL cannot be read ({error}): {wanted}") from error
    if "@" in base.netloc:
        raise SettingsError("a model's base URL carries a name or password: take it out, a key has its own setting")
    if base.scheme not in _SOCKET_SCHEMES or not base.hostname or port == 0:
        raise SettingsError(f"a model's base URL is {base_url!r}: {wanted}")
    if base.fragment:
        raise SettingsError(f"a model's base URL is {base_url!r}: leave out what begins with #")
    return base
