"""TokenLab's catalogue, which it wants asked before a realtime socket is opened: is this model a realtime one?

Which key of a model's detail says so is not documented; so every place is looked at where a catalogue says such things,
and one that says nothing of any endpoint leaves the word to the socket.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, urlsplit

import httpx
import structlog

from app.model.socket import ConnectError, is_loopback, tls_context

KEPT_S = 600.0
"""How long the catalogue's word holds: a call must not wait for it each time."""
REFUSAL_KEPT_S = 60.0
ASK_TIMEOUT_S = 2.0
"""For the detail, and again for the list. The connect is limited besides, and a caller waits for it."""
_ENDPOINT_KEYS = (
    "supported_endpoints",
    "supported_endpoint_types",
    "endpoints",
    "endpoint_types",
    "capabilities",
    "features",
    "supports",
    "recommended_for",
    "methods",
)
"""Where a model's detail says what it can be used for; beside keys that have `realtime` in their own name."""

log = structlog.get_logger(__name__)


class Catalogue:
    """What TokenLab says of one model. base_url: http(s), with /v1, without a slash at its end."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        model: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        ask_timeout_s: float = ASK_TIMEOUT_S,
    ) -> None:
        self._base_url = base_url
        self._headers = headers
        self._model = model
        self._clock = clock
        self._ask_timeout_s = ask_timeout_s
        self._known_until = float("-inf")
        self._refusal: ConnectError | None = None

    async def confirm(self) -> Mapping[str, str]:
        """Return no further headers if this is a realtime model, or raise ConnectError, which names those that are.

        A catalogue that cannot be asked just now is no reason to lose a call: the socket has the last word.
        """
        if self._clock() >= self._known_until:
            await self._ask()
        if self._refusal is not None:
            raise ConnectError(self._refusal.reason, str(self._refusal), is_final=True)
        return {}

    async def _ask(self) -> None:
        host = urlsplit(self._base_url).hostname or ""
        verify = await asyncio.get_running_loop().run_in_executor(None, tls_context)
        async with httpx.AsyncClient(
            headers=self._headers, timeout=self._ask_timeout_s, trust_env=not is_loopback(host), verify=verify
        ) as client:
            try:
                answer = await client.get(f"{self._base_url}/models/{quote(self._model, safe='')}")
            except httpx.HTTPError as error:
                log.warning("model.catalogue_failed", model=self._model, error=type(error).__name__)
                return
            if answer.status_code in (401, 403):
                raise ConnectError(f"http_{answer.status_code}", "TokenLab refuses the key", is_final=True)
            is_realtime = False if answer.status_code == 404 else says_realtime(_json(answer))
            if answer.status_code not in (200, 404):
                log.warning("model.catalogue_failed", model=self._model, status=answer.status_code)
                return
            self._refusal = None
            if is_realtime is False:
                others = await self._realtime_models(client)
                listing = ", ".join(others) or "its list of models names none"
                log.warning("model.unsuited", model=self._model, realtime_models=others)
                message = f"{self._model} is no realtime model of TokenLab; those that are: {listing}"
                self._refusal = ConnectError("model_without_realtime", message, is_final=True)
        self._known_until = self._clock() + (KEPT_S if self._refusal is None else REFUSAL_KEPT_S)

    async def _realtime_models(self, client: httpx.AsyncClient) -> list[str]:
        try:
            answer = await client.get(f"{self._base_url}/models")
        except httpx.HTTPError:
            return []
        listed = _json(answer)
        models = listed.get("data") if isinstance(listed, dict) else listed
        return sorted(_realtime_names(models if isinstance(models, list) else []))


def _realtime_names(models: list[object]) -> Iterator[str]:
    for model in models:
        name = model.get("id") if isinstance(model, dict) else None
        if isinstance(name, str):
            says = says_realtime(model)
            # A list may hold names alone.
            if says or (says is None and "realtime" in name):
                yield name


def says_realtime(detail: object) -> bool | None:
    """Say whether a model's detail lists realtime among its uses; None when it says nothing of any use."""
    if not isinstance(detail, dict):
        return None
    said: bool | None = None
    for key, value in detail.items():
        if "realtime" in str(key):
            if value:
                return True
            said = False if value is False else said
        elif key in _ENDPOINT_KEYS and value:
            if _names_realtime(value):
                return True
            said = False
        elif isinstance(value, dict):  # `{"data": {…}}`, `{"metadata": {…}}`
            inner = says_realtime(value)
            if inner:
                return True
            said = inner if said is None else said
    return said


def _names_realtime(value: object) -> bool:
    if isinstance(value, dict):
        return any(("realtime" in str(key) and bool(inner)) or _names_realtime(inner) for key, inner in value.items())
    if isinstance(value, list):
        return any(_names_realtime(inner) for inner in value)
    return isinstance(value, str) and "realtime" in value.lower()


def _json(answer: httpx.Response) -> object:
    try:
        content: object = answer.json()
    except ValueError:
        return None
    return content
