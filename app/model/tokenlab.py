"""TokenLab's catalogue, which it wants asked before a realtime socket is opened: is this model a realtime one?

A model's detail says so, or the list of all of them; a gateway that has neither leaves the word to the socket, as does
a detail that says nothing of it.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, urlsplit

import httpx
import structlog

from app.model.opening import ConnectError, is_loopback, tls_context
from app.model.uses import says_realtime

KEPT_S = 600.0
"""How long the catalogue's word holds: a call must not wait for it each time."""
REFUSAL_KEPT_S = 60.0
ASK_TIMEOUT_S = 2.0
"""For the detail, and again for the list. The connect is limited besides, and a caller waits for it."""

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
            if answer.status_code not in (200, 404):
                log.warning("model.catalogue_failed", model=self._model, status=answer.status_code)
                return
            self._refusal = None
            detail = _json(answer) if answer.status_code == 200 else None
            if detail is None:  # perhaps no catalogue at all, perhaps one that has only a list
                models = await self._models(client)
                if models and (self._model not in models or says_realtime(models[self._model], self._model) is False):
                    self._refuse(models)
            elif says_realtime(detail, self._model) is False:
                self._refuse(await self._models(client))
        self._known_until = self._clock() + (KEPT_S if self._refusal is None else REFUSAL_KEPT_S)

    def _refuse(self, models: Mapping[str, object]) -> None:
        others = sorted(_realtime_names(models))
        listing = ", ".join(others) or "its list of models names none"
        log.warning("model.unsuited", model=self._model, realtime_models=others)
        message = f"{self._model} is no realtime model of TokenLab; those that are: {listing}"
        self._refusal = ConnectError("model_without_realtime", message, is_final=True)

    async def _models(self, client: httpx.AsyncClient) -> dict[str, object]:
        """Return what the list says of each model, by its id; nothing when there is no list."""
        try:
            answer = await client.get(f"{self._base_url}/models")
        except httpx.HTTPError:
            return {}
        listed = _json(answer) if answer.status_code == 200 else None
        models = listed.get("data") if isinstance(listed, dict) else listed
        named = [(_id_of(model), model) for model in models] if isinstance(models, list) else []
        return {name: model for name, model in named if name}


def _realtime_names(models: Mapping[str, object]) -> Iterator[str]:
    for name, model in models.items():
        says = says_realtime(model, name)
        if says or (says is None and "realtime" in name):  # a list may hold names alone
            yield name


def _id_of(model: object) -> str:
    name = model.get("id") if isinstance(model, dict) else model
    return name if isinstance(name, str) else ""


def _json(answer: httpx.Response) -> object:
    try:
        content: object = answer.json()
    except ValueError:
        return None
    return content
