"""Which models an agent's calls may speak with: the agent file's blocks and the environment, put together.

What a file alone can show to be wrong is told by the file's reader; here is what it takes the environment to know: a
missing key, an endpoint, a version of Azure's API that takes less than the file asks for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from app.agents.mistakes import in_order, key_of, mistake
from app.agents.schema import AgentFile
from app.audio.formats import PCM16_24K, ULAW_8K, AudioFormat
from app.errors import SettingsError
from app.model.accounts import Account
from app.model.capabilities import PCM16, PCMU, SEMANTIC_VAD, Capabilities, capabilities
from app.model.choice import ModelChoice
from app.model.config import ModelOptions
from app.model.dialects import (
    ModelTarget,
    azure_target,
    compatible_target,
    local_target,
    openai_target,
    tokenlab_target,
)
from app.model.entra import EntraCredential, entra_credential
from app.model.opening import ConnectError
from app.model.setup import Dialect, ModelSetup, NamedTool, Retention, SemanticVad, ServerVad, VoiceId
from app.model.suitability import refused_turn_detection
from app.model.turns import TurnDetectionBlock
from app.model.values import CustomVoice, RetentionBlock, ToolChoiceBlock, TranscriptionBlock, refused_api_version
from app.session.block import Location
from app.settings import Settings

ASK_S = 5.0
"""How long a service that starts waits for the word of a catalogue or an identity."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no call can use a model. lasts: it takes a change of the settings to mend."""

    message: str
    lasts: bool


class Choices:
    """The choices of all agents of a process, whose sessions with one provider and key count together."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        embedded_url: Callable[[], str],
        *,
        credential: Callable[[], EntraCredential] = entra_credential,
    ) -> None:
        """environ: where `api_key_env` is looked up. embedded_url: where the embedded model is, or ModelError.

        credential: gives the machine's identity with Microsoft Entra, once; or SettingsError.
        """
        self._settings = settings
        self._environ = environ
        self._embedded_url = embedded_url
        self._new_credential = credential
        self._credential: EntraCredential | None = None
        self._accounts: dict[tuple[str, ...], Account] = {}

    def of(self, agent: AgentFile) -> tuple[ModelChoice, ...]:
        """Return the agent's own model, then its fallbacks; without tools, which its catalogue knows.

        Raises SettingsError for what the environment lacks, ModelError when the embedded model is not to be had.
        """
        return tuple(self._choice(agent, block, position) for position, block in enumerate(agent.model.models))

    async def refusals(self, taken: Sequence[ModelChoice]) -> dict[int, Refusal]:
        """Return which of the choices no call can use, by their place: as far as that shows without a connection.

        TokenLab's catalogue and Microsoft Entra are asked; one that does not answer in time refuses nothing.
        """
        asked = [(number, choice.target.prepare) for number, choice in enumerate(taken) if choice.target.prepare]
        answers = await asyncio.gather(*(_refusal(prepare) for _, prepare in asked))
        return {number: answer for (number, _), answer in zip(asked, answers, strict=True) if answer is not None}

    async def close(self) -> None:
        """Give up what was needed to reach the models."""
        credential, self._credential = self._credential, None
        if credential is not None:
            await credential.close()

    def _choice(self, agent: AgentFile, block: ModelOptions, position: int) -> ModelChoice:
        where: Location = ("model", "fallbacks", position - 1) if position else ("model",)
        try:
            target, account = self._reached(block)
        except SettingsError as error:
            raise SettingsError(f"{key_of(where)} ({block.provider}): {error}") from error
        model = block.name or target.name
        can = capabilities(block.provider, model, target.dialect, is_deployment=block.name is None)
        found = [((*where, *below), message) for below, message in block.mistakes(can, model)]
        decided = self._decided_by(block, target, model, {key[len(where) :] for key, _ in found})
        if (refused := refused_turn_detection(can, agent.turn_detection.type)) is not None:
            found.append((("turn_detection", "type"), refused))
        if found:  # as the environment has it, the model takes less than the file asks for
            told = in_order(mistake(agent.source, agent.place_of(key), key, message) for key, message in found)
            raise SettingsError("; ".join(map(str, told)) + decided)
        return ModelChoice(target, _setup(agent, block, can), account)

    def _decided_by(self, block: ModelOptions, target: ModelTarget, model: str, refused: set[Location]) -> str:
        """Return who has selected one of Azure's two APIs where the other takes what this one refuses; else nothing."""
        if block.provider != "azure" or block.api_version is not None:
            return ""
        other = Dialect.PREVIEW if target.dialect is Dialect.GA else Dialect.GA
        can = capabilities("azure", model, other, is_deployment=block.name is None)
        if refused <= {below for below, _ in block.mistakes(can, model)}:
            return ""
        if target.dialect is Dialect.GA:
            return (
                ". Neither api_version nor OPENAI_API_VERSION selects azure's preview API here; api_version: "
                "2025-04-01-preview would"
            )
        return (
            f". OPENAI_API_VERSION is {self._settings.openai_api_version} here, which selects azure's preview API; "
            "api_version: v1 would select the one that is generally available"
        )

    def _reached(self, block: ModelOptions) -> tuple[ModelTarget, Account | None]:
        settings = self._settings
        match block.provider:
            case "local":
                return local_target(self._embedded_url(), block.name or "local"), None
            case "openai":
                key = _secret(settings.openai_api_key)
                target = openai_target(settings.openai_base_url, key, block.name or "")
                return target, self._account("openai", settings.openai_max_sessions, settings.openai_base_url, key)
            case "tokenlab":
                key = _secret(settings.tokenlab_api_key)
                target = tokenlab_target(settings.tokenlab_base_url, key, block.name or "")
                return target, self._account(
                    "tokenlab", settings.tokenlab_max_sessions, settings.tokenlab_base_url, key
                )
            case "compatible":
                base_url, key = block.base_url or "", self._key_of(block.api_key_env)
                target = compatible_target(base_url, key, block.name or "")
                return target, self._account("compatible", None, base_url, key)
            case "azure":
                return self._azure(block)

    def _azure(self, block: ModelOptions) -> tuple[ModelTarget, Account]:
        settings = self._settings
        key = _secret(settings.azure_openai_api_key)
        deployment = block.deployment or settings.azure_openai_deployment_name or block.name
        if not settings.azure_openai_endpoint:
            raise SettingsError("AZURE_OPENAI_ENDPOINT is not set: set it to https://RESOURCE.openai.azure.com")
        if not deployment:
            raise SettingsError("no deployment is named: write deployment, or set AZURE_OPENAI_DEPLOYMENT_NAME")
        if block.auth == "entra":
            if key:
                raise SettingsError(
                    "auth is entra and AZURE_OPENAI_API_KEY is set, so it is not clear which of the two is meant: "
                    "unset the key, or write auth: key"
                )
            if self._credential is None:
                self._credential = self._new_credential()
        elif not key:
            raise SettingsError(
                "there is no way to authenticate: set AZURE_OPENAI_API_KEY, or write auth: entra for an identity of "
                "Microsoft Entra"
            )
        target = azure_target(
            settings.azure_openai_endpoint,
            deployment,
            api_version=self._azure_version(block),
            api_key=key or None,
            credential=self._credential if block.auth == "entra" else None,
        )
        by = key or "entra"
        return target, self._account("azure", settings.azure_openai_max_sessions, settings.azure_openai_endpoint, by)

    def _azure_version(self, block: ModelOptions) -> str | None:
        """Return the version of Azure's API, the file's or else the environment's; None or v1 is GA."""
        if block.api_version is not None:
            return block.api_version
        version = self._settings.openai_api_version
        if version and (message := refused_api_version(version)):
            raise SettingsError(f"OPENAI_API_VERSION: {message}")
        return version

    def _key_of(self, variable: str | None) -> str:
        if variable is None:
            return ""
        key = self._environ.get(variable, "")
        if not key:
            raise SettingsError(f"{variable} is not set: set it to the key, or leave api_key_env out")
        return key

    def _account(self, provider: str, max_sessions: int | None, *reached_by: str) -> Account:
        return self._accounts.setdefault((provider, *reached_by), Account(provider, max_sessions))


async def _refusal(prepare: Callable[[], Awaitable[Mapping[str, str]]]) -> Refusal | None:
    try:
        async with asyncio.timeout(ASK_S):
            await prepare()
    except ConnectError as error:
        # a machine may be given its identity later than its service
        return Refusal(str(error), lasts=error.reason != "entra_refused") if error.is_final else None
    except TimeoutError:
        pass  # a call will ask again
    return None


_FORMATS: Mapping[str, AudioFormat] = {PCM16: PCM16_24K, PCMU: ULAW_8K}


def _setup(agent: AgentFile, block: ModelOptions, can: Capabilities) -> ModelSetup:
    asked = block.transcription
    transcription = asked if isinstance(asked, TranscriptionBlock) else None
    return ModelSetup(
        instructions=agent.prompt,
        voice=VoiceId(block.voice.id) if isinstance(block.voice, CustomVoice) else block.voice or can.default_voice,
        turn_detection=_turn_detection(agent.turn_detection),
        language=agent.language,
        transcription_model=(transcription.model or can.transcription_model) if transcription is not None else None,
        transcription_language=transcription.language if transcription is not None else None,
        audio_format=_FORMATS[agent.model.audio_format],
        noise_reduction=None if block.noise_reduction == "off" else block.noise_reduction,
        max_output_tokens=block.max_output_tokens,
        temperature=block.temperature,
        speed=block.speed,
        tool_choice=_tool_choice(block),
        truncation=_truncation(block),
        reasoning_effort=block.reasoning_effort,
        speaks=agent.voice is None,
    )


def _turn_detection(block: TurnDetectionBlock) -> ServerVad | SemanticVad:
    if block.type == SEMANTIC_VAD:
        return SemanticVad(block.eagerness)
    return ServerVad(block.threshold, block.prefix_padding_ms, block.silence_duration_ms)


def _tool_choice(block: ModelOptions) -> str | NamedTool:
    chosen = block.tool_choice
    return NamedTool(chosen.name) if isinstance(chosen, ToolChoiceBlock) else chosen or "auto"


def _truncation(block: ModelOptions) -> str | Retention | None:
    kept = block.truncation
    return Retention(kept.retention_ratio) if isinstance(kept, RetentionBlock) else kept


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value is not None else ""
