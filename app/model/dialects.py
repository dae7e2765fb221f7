"""How each provider is reached: from a base URL, a key and a model's name to the address of its realtime socket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from app.errors import SettingsError

_SOCKET_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """Where a session with a model is opened. name: the model's, for logs. The headers hold the key: not for logs."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    name: str


def openai_target(base_url: str, api_key: str, model: str) -> ModelTarget:
    """Return the target for OpenAI or a server that speaks as it does.

    base_url: ends where the vendor's documents begin, with /v1; http(s) or ws(s). Raises SettingsError.
    """
    if not api_key:
        raise SettingsError("the model's key is empty: set OPENAI_API_KEY")
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise SettingsError("the model's key has a space or a character that no key has: copy OPENAI_API_KEY again")
    return ModelTarget(_socket_url(base_url, model), {"Authorization": f"Bearer {api_key}"}, model)


def local_target(base_url: str, model: str) -> ModelTarget:
    """Return the target for the embedded model, which takes any key and name. base_url: with or without /realtime."""
    return ModelTarget(_socket_url(base_url, model), {"Authorization": "Bearer local"}, model)


def _socket_url(base_url: str, model: str) -> str:
    """Return `<base>/realtime?model=…` with the scheme mapped; a query of the base (gateways have one) is kept."""
    base = _checked(base_url)
    path = base.path.rstrip("/")
    if not path.endswith("/realtime"):
        path += "/realtime"
    query = [(key, value) for key, value in parse_qsl(base.query, keep_blank_values=True) if key != "model"]
    query.append(("model", model))
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
