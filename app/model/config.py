"""The block of the agent file that says which realtime model speaks: its own, and those that step in for it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, StrictFloat, ValidationInfo, field_validator

from app.model import suitability
from app.model.capabilities import (
    PROVIDERS,
    REASONING_EFFORTS,
    ROWS,
    SPEED,
    TEMPERATURE,
    Capabilities,
    capabilities,
)
from app.model.setup import Dialect
from app.model.values import (
    ApiVersion,
    BaseUrl,
    PlainName,
    TokenCount,
    ToolChoice,
    Transcription,
    TranscriptionBlock,
    Truncation,
    Variable,
    Voice,
)
from app.session.block import Block, Location, choice, wrong, wrong_within

NoiseReduction = Annotated[Literal["near_field", "far_field", "off"], choice("near_field", "far_field", "off")]
AudioFormatName = Annotated[Literal["pcm16", "pcmu"], choice("pcm16", "pcmu")]

_BOUNDS: dict[str, JsonValue] = {"minimum": TEMPERATURE.least, "maximum": TEMPERATURE.most}
"""For editors; the reader says first whether the model has a temperature at all."""


def _default_name(data: dict[str, Any]) -> str | None:  # Any: pydantic hands over the fields before, whatever they are
    return ROWS[data.get("provider", "local")].default_model


def _default_voice(data: dict[str, Any]) -> str | None:  # Any: as above
    rows = _rows(data)
    return rows[0].default_voice if len(rows) == 1 and data.get("name") else None


def azure_dialect(api_version: str | None) -> Dialect:
    """Return what azure speaks at an API version; none is v1."""
    return Dialect.GA if api_version in (None, "", "v1") else Dialect.PREVIEW


def _rows(data: Mapping[str, Any]) -> tuple[Capabilities, ...]:  # Any: as above
    """Return what the model may turn out to take: two rows where the environment has a say, none for no provider."""
    provider = data.get("provider")
    if provider is None:
        return ()
    name, deployment = data.get("name"), data.get("deployment")
    version = data.get("api_version")
    dialects = [azure_dialect(version)] if version or provider != "azure" else [Dialect.GA, Dialect.PREVIEW]
    model = name or deployment
    return tuple(capabilities(provider, model, dialect, is_deployment=not name) for dialect in dialects)


class ModelOptions(Block):
    """What is said of a model, be it the agent's own or a fallback."""

    provider: Annotated[Literal["local", "openai", "azure", "tokenlab", "compatible"], choice(*PROVIDERS)] = "local"
    """Who serves the model: local is the embedded one, which needs neither key nor network; compatible any server of
    the same protocol, by base_url."""

    deployment: PlainName | None = None
    """azure: the deployment's name; left out: AZURE_OPENAI_DEPLOYMENT_NAME, else `name`."""

    name: PlainName | None = Field(default_factory=_default_name, examples=["gpt-realtime-2.1"])
    """The model's name at its provider; openai: gpt-realtime-2.1 unless said otherwise, tokenlab: gpt-realtime; azure:
    the model behind the deployment, where that matters; local takes any."""

    api_version: ApiVersion | None = None
    """azure: v1, or the version of its preview API, such as 2025-04-01-preview; left out: OPENAI_API_VERSION, else
    v1."""

    auth: Annotated[Literal["key", "entra"], choice("key", "entra")] | None = None
    """azure: by AZURE_OPENAI_API_KEY, which is usual, or by Microsoft Entra."""

    base_url: BaseUrl | None = None
    """compatible: where the server is; sessions are opened at <base_url>/realtime."""

    api_key_env: Variable | None = Field(default=None, examples=["GATEWAY_API_KEY"])
    """compatible: the environment variable that holds the key; left out: no key is sent."""

    voice: Voice = Field(default_factory=_default_voice, examples=["marin"])
    """The voice the model speaks with, or {id: voice_…} for one of the account's own; openai: marin unless said
    otherwise; local takes any."""

    transcription: Transcription = TranscriptionBlock()
    """How the caller's words are written down, for the record; off: they are not."""

    noise_reduction: NoiseReduction | None = None
    """How noise is taken out of the caller's audio: near_field, for a telephone at the ear; far_field, for one on a
    table; or off."""

    max_output_tokens: TokenCount = None
    """How many tokens one response may have, 1 to 4096, or inf."""

    temperature: Annotated[StrictFloat, Field(json_schema_extra=_BOUNDS)] | None = None
    """azure's preview API alone: how freely the model words things, 0.6 to 1.2."""

    speed: Annotated[StrictFloat, Field(ge=SPEED.least, le=SPEED.most)] | None = None
    """How fast the agent speaks, 0.25 to 1.5; 1 is usual."""

    tool_choice: ToolChoice = None
    """auto, none, required, or {name: …} for one of the tools; auto unless said otherwise. The last two hold for every
    response, those behind a tool's answer included."""

    truncation: Truncation = None
    """What becomes of a conversation that is too long for the model: auto, disabled, or {retention_ratio: …}."""

    reasoning_effort: (
        Annotated[Literal["minimal", "low", "medium", "high", "xhigh"], choice(*REASONING_EFFORTS)] | None
    ) = None
    """How much a model of the gpt-realtime-2 family thinks before it answers; more takes longer."""

    session_limit_s: Annotated[StrictFloat, Field(ge=5, le=86_400)] | None = None
    """Seconds after which the provider ends a session; a new one takes over in time. Left out: what is known of it."""

    reconnect: Annotated[Literal["within_call", "never"], choice("within_call", "never")] | None = None
    """Whether a session that was lost is opened again within the call; never: the next fallback is used at once, which
    is usual with tokenlab alone."""

    @field_validator("name")
    @classmethod
    def _is_a_model(cls, name: str | None, info: ValidationInfo) -> str | None:
        provider = info.data.get("provider")
        if provider is None or (name is None and provider == "azure"):
            return name
        if name is None:
            raise wrong("is missing; write the model's name at this provider, such as gpt-realtime-2.1")
        if message := suitability.refused_model(provider, name):
            raise wrong(message)
        return name

    @field_validator("deployment", "api_version", "auth", "base_url", "api_key_env")
    @classmethod
    def _is_how_the_provider_is_reached(cls, value: str | None, info: ValidationInfo) -> str | None:
        provider = info.data.get("provider")
        if provider is None:
            return value
        if value is not None and (message := suitability.refused_key(provider, info.field_name or "")):
            raise wrong(message)
        if value is None and provider == "compatible" and info.field_name == "base_url":
            raise wrong("is missing; write where the server is, such as https://gateway.example.com/v1")
        return value

    @field_validator(
        "voice",
        "transcription",
        "noise_reduction",
        "max_output_tokens",
        "temperature",
        "speed",
        "truncation",
        "reasoning_effort",
    )
    @classmethod
    def _is_taken(cls, value: object, info: ValidationInfo) -> object:
        key, model = info.field_name or "", info.data.get("name") or info.data.get("deployment")
        found = [_refused(can, key, value, model) for can in _rows(info.data)]
        refused = [one for one in found if one is not None]
        if refused and len(refused) == len(found):
            # of two, the latter is azure's preview, which has a temperature
            raise wrong_within([refused[-1] if key == "temperature" else refused[0]])
        return value

    def rows(self) -> tuple[Capabilities, ...]:
        """Return what the model may turn out to take: at azure the environment may decide, so that there are two."""
        return _rows({key: getattr(self, key) for key in ("provider", "name", "deployment", "api_version")})

    @property
    def limit_s(self) -> float | None:
        """After how many seconds the provider ends a session, as the file says or as is known; None: not known."""
        return self.session_limit_s or ROWS[self.provider].session_limit_s

    @property
    def reconnects(self) -> bool:
        """Whether a session that was lost is opened again within the call."""
        return ROWS[self.provider].reconnects if self.reconnect is None else self.reconnect == "within_call"

    def mistakes(self, can: Capabilities, model: str) -> Iterator[tuple[Location, str]]:
        """Give, with its key, all that sessions that take this do not take. model: its name, or its deployment's."""
        for key in _WORDED:
            if found := _refused(can, key, getattr(self, key), model):
                below, message = found
                yield (key, *below), message


_Refused = tuple[Location, str]
_WORDED: tuple[str, ...] = (
    "voice",
    "transcription",
    "noise_reduction",
    "max_output_tokens",
    "temperature",
    "speed",
    "truncation",
    "reasoning_effort",
)


def _refused(can: Capabilities, key: str, value: object, model: str | None) -> _Refused | None:
    """Return what is wrong with a setting, and where below its key; None when it is taken, or not there."""
    below: Location = ()
    message: str | None = None
    match key, value:
        case _, None | "inf" | "off":
            pass
        case "voice", str(voice):
            message = suitability.refused_voice(can, voice)
        case "voice", _:
            message = suitability.refused_custom_voice(can)
        case "transcription", TranscriptionBlock(model=transcriber, language=language):
            below, message = ("model",), suitability.refused_transcription(can, transcriber, language)
        case "noise_reduction", _:
            message = suitability.refused_noise_reduction(can)
        case "max_output_tokens" | "temperature" | "speed", int(number) | float(number):
            message = suitability.refused_number(can, key, number)
        case "truncation", _:
            message = suitability.refused_truncation(can)
        case "reasoning_effort", str(effort):
            message = suitability.refused_reasoning(can, model, effort)
    return (below, message) if message else None


class FallbackBlock(ModelOptions):
    """A further model. It is told the same prompt and speaks in the same call."""

    audio_format: AudioFormatName | None = None
    """The call's, so it is best left out."""

    fallbacks: tuple[()] = ()
    """A fallback has none of its own."""

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _has_none(cls, fallbacks: object) -> object:
        if fallbacks:
            raise wrong("stands within a fallback, which has none of its own; list them all under model.fallbacks")
        return ()


class ModelBlock(ModelOptions):
    """The realtime model that hears the caller and speaks as the agent."""

    audio_format: AudioFormatName = "pcm16"
    """How audio travels to and from the model, and its fallbacks: pcm16 is 16-bit linear PCM at 24 kHz; pcmu the
    telephone's own G.711, passed straight through."""

    fallbacks: Annotated[tuple[FallbackBlock, ...], Field(max_length=8)] = ()
    """Further models, tried in order when this one cannot be reached or is lost."""

    @property
    def models(self) -> tuple[ModelOptions, ...]:
        """This one and its fallbacks, in the order in which they are tried."""
        return (self, *self.fallbacks)

    @field_validator("audio_format")
    @classmethod
    def _is_spoken_by_the_model(cls, audio_format: str, info: ValidationInfo) -> str:
        found = [suitability.refused_audio_format(can, audio_format) for can in _rows(info.data)]
        if found and all(found):
            raise wrong(str(found[0]))
        return audio_format

    @field_validator("fallbacks")
    @classmethod
    def _speak_the_calls_format(
        cls, fallbacks: tuple[FallbackBlock, ...], info: ValidationInfo
    ) -> tuple[FallbackBlock, ...]:
        spoken = info.data.get("audio_format")
        mistakes: list[tuple[Location, str]] = []
        for position, fallback in enumerate(fallbacks if spoken else ()):
            if fallback.audio_format not in (None, spoken):
                message = f"is {fallback.audio_format}, and the call's is {spoken}; leave it out"
                mistakes.append(((position, "audio_format"), message))
            found = [suitability.refused_audio_format(can, str(spoken)) for can in fallback.rows()]
            if found and all(found):
                mistakes.append(((position, "provider"), f"speaks in a call of {spoken}, but {found[0]}"))
        if mistakes:
            raise wrong_within(mistakes)
        return fallbacks


def refused_turns(model: ModelBlock, kind: str) -> list[str]:
    """Return what is wrong with a kind of turn detection, for the agent's model and for each of its fallbacks."""
    found = []
    for position, block in enumerate(model.models):
        messages = [suitability.refused_turn_detection(can, kind) for can in block.rows()]
        if all(messages):
            where = f"model.fallbacks[{position - 1}] cannot do it: " if position else ""
            found.append(f"{where}{messages[0]}")
    return found
