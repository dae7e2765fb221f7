"""The ways to a realtime model that the service has, each with a server that meets it as its provider does."""

from collections.abc import Callable
from dataclasses import dataclass

from app.model.dialects import (
    ModelTarget,
    azure_target,
    compatible_target,
    local_target,
    openai_target,
    tokenlab_target,
)
from tests.support.stand_in_model import StandInModel
from tests.support.stand_in_providers import (
    AZURE,
    AZURE_PREVIEW,
    COMPATIBLE,
    OPENAI,
    TOKENLAB,
    WRONG_KEY,
    Provider,
)

KEY = "sk-test"
NAME = "gpt-realtime-2.1"


class FakeCredential:
    """Gives a new token each time, or always the same worthless one."""

    def __init__(self, *, is_worthless: bool = False) -> None:
        self.given: list[str] = []
        self.is_closed = False
        self._is_worthless = is_worthless

    async def token(self) -> str:
        self.given.append("expired" if self._is_worthless else f"eyJ{len(self.given)}")
        return self.given[-1]

    async def close(self) -> None:
        self.is_closed = True


@dataclass(frozen=True)
class Peer:
    """target: from the base URL, the key and the model's name. query, header: what an upgrade has to carry."""

    name: str
    provider: Provider
    target: Callable[[str, str, str], ModelTarget]
    query: dict[str, list[str]]
    header: tuple[str, str]
    takes_any_key: bool = False

    def to(self, model: StandInModel, *, key: str = KEY, name: str = NAME) -> ModelTarget:
        return self.target(model.base_url, key, name)

    def serve(self, *, unknown_settings: frozenset[str] = frozenset()) -> StandInModel:
        return StandInModel(provider=self.provider, unknown_settings=unknown_settings)


def _azure(endpoint: str, key: str, deployment: str) -> ModelTarget:
    return azure_target(endpoint, deployment, api_version=None, api_key=key, credential=None)


def _azure_entra(endpoint: str, key: str, deployment: str) -> ModelTarget:
    credential = FakeCredential(is_worthless=key == WRONG_KEY)
    return azure_target(endpoint, deployment, api_version="v1", api_key=None, credential=credential)


def _azure_preview(endpoint: str, key: str, deployment: str) -> ModelTarget:
    version = "2025-04-01-preview"
    return azure_target(endpoint, deployment, api_version=version, api_key=key, credential=None)


_MODEL = {"model": [NAME]}
_PREVIEW = {"api-version": ["2025-04-01-preview"], "deployment": [NAME]}
_BEARER = ("Authorization", f"Bearer {KEY}")
PEERS = (
    Peer("openai", OPENAI, openai_target, _MODEL, _BEARER),
    Peer("azure-key", AZURE, _azure, _MODEL, ("api-key", KEY)),
    Peer("azure-entra", AZURE, _azure_entra, _MODEL, ("Authorization", "Bearer eyJ0")),
    Peer("azure-preview", AZURE_PREVIEW, _azure_preview, _PREVIEW, ("api-key", KEY)),
    Peer("tokenlab", TOKENLAB, tokenlab_target, _MODEL, _BEARER),
    Peer(
        "local",
        OPENAI,
        lambda base_url, key, name: local_target(base_url, name),
        _MODEL,
        ("Authorization", "Bearer local"),
        takes_any_key=True,
    ),
    Peer("compatible", COMPATIBLE, compatible_target, _MODEL, _BEARER),
)
