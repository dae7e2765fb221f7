"""The values within a model block that are more than a word or a number, and how each is read."""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StrictFloat, StrictInt, field_validator

from app.model.capabilities import MAX_OUTPUT_TOKENS
from app.session.block import Block, nearest, wrong
from app.session.languages import PATTERN, checked_language, primary

_PLAIN_NAME = r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"
PlainName = Annotated[str, Field(max_length=128, pattern=_PLAIN_NAME)]
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_FIRST_PREVIEW = "2024-10-01-preview"
"""Azure's first API version with realtime sessions."""


def _shown(value: object) -> str:
    if value is None or value == "":
        return "empty"
    if isinstance(value, Mapping):
        return "a block of keys"
    return "a list" if isinstance(value, list) else repr(value)


_VOICE_ID = r"^voice_[A-Za-z0-9_-]+$"


def _is_voice_id(voice_id: str) -> str:
    if not re.fullmatch(_VOICE_ID, voice_id):
        raise wrong(
            f"is {_shown(voice_id)}, and the id of an account's own voice begins with voice_; write one such as "
            "voice_123, or a voice that all have by its name alone: voice: marin"
        )
    return voice_id


class CustomVoice(Block):
    """A voice of the account's own."""

    id: Annotated[
        str,
        AfterValidator(_is_voice_id),
        Field(max_length=128, examples=["voice_123"], json_schema_extra={"pattern": _VOICE_ID}),
    ]
    """The voice's id; it begins with voice_."""


def _is_voice(voice: object) -> object:
    if voice is None or isinstance(voice, CustomVoice):
        return voice
    if isinstance(voice, dict):
        return CustomVoice.model_validate(voice)
    if isinstance(voice, int | float) and not isinstance(voice, bool):
        raise wrong(f'is {voice}; write a text in quotes: "{voice}"')
    if not isinstance(voice, str) or not re.fullmatch(_PLAIN_NAME, voice) or len(voice) > 128:
        raise wrong(f"is {_shown(voice)}, which is no voice; write a name such as marin, or {{id: voice_…}}")
    return voice


Voice = Annotated[PlainName | CustomVoice | None, BeforeValidator(_is_voice)]


class TranscriptionBlock(Block):
    """How what the caller says is written down; it does not change what the model hears."""

    model: PlainName | None = None
    """The model that transcribes; at azure the name of its deployment. Left out: the provider's usual one."""

    language: Annotated[str, Field(examples=["en"], json_schema_extra={"pattern": PATTERN})] | None = None
    """The language the caller speaks; left out: the agent's."""

    later: ClassVar[Mapping[str, str]] = {
        "prompt": "leave it out",
        "keywords": "leave it out",
        "languages": "write the one that most callers speak as language",
        "delay": "leave it out",
    }

    @field_validator("language")
    @classmethod
    def _is_one_that_transcribers_know(cls, language: str | None) -> str | None:
        if language is None:
            return None
        spoken = primary(checked_language(language))
        if len(spoken) != 2:
            raise wrong(f"{language} has no two-letter code, which the providers need; leave it out")
        return spoken


def _is_transcription(transcription: object) -> object:
    if transcription is None or transcription == "off":
        return "off"
    if isinstance(transcription, TranscriptionBlock):
        return transcription
    if isinstance(transcription, dict):
        return TranscriptionBlock.model_validate(transcription)
    advice = "write off, or a block: {model: gpt-4o-mini-transcribe}"
    raise wrong(f"is {_shown(transcription)}; {advice}")


Transcription = Annotated[TranscriptionBlock | Literal["off"] | None, BeforeValidator(_is_transcription)]
"""Never None once read: that is off."""


class RetentionBlock(Block):
    """Which part of the conversation is kept when there is no room for more of it."""

    retention_ratio: Annotated[StrictFloat, Field(ge=0, le=1, examples=[0.8])]
    """The share that is kept, from 0 to 1; below 1 the provider's cache serves better."""


def _is_truncation(truncation: object) -> object:
    if truncation is None or truncation in ("auto", "disabled") or isinstance(truncation, RetentionBlock):
        return truncation
    if isinstance(truncation, dict):
        return RetentionBlock.model_validate(truncation)
    meant = nearest(truncation, ["auto", "disabled"]) if isinstance(truncation, str) else None
    advice = f"did you mean {meant}?" if meant else "write auto, disabled or {retention_ratio: 0.8}"
    raise wrong(f"is {_shown(truncation)}; {advice}")


Truncation = Annotated[Literal["auto", "disabled"] | RetentionBlock | None, BeforeValidator(_is_truncation)]


class ToolChoiceBlock(Block):
    """The one tool that the model calls in every response."""

    name: Annotated[str, Field(examples=["lookup_order"])]
    """The tool's name."""


def _is_tool_choice(tool_choice: object) -> object:
    if tool_choice is None or tool_choice in ("auto", "none", "required") or isinstance(tool_choice, ToolChoiceBlock):
        return tool_choice
    if isinstance(tool_choice, dict):
        return ToolChoiceBlock.model_validate(tool_choice)
    meant = nearest(tool_choice, ["auto", "none", "required"]) if isinstance(tool_choice, str) else None
    advice = f"did you mean {meant}?" if meant else "write auto, none, required, or a tool: {name: lookup_order}"
    raise wrong(f"is {_shown(tool_choice)}; {advice}")


ToolChoice = Annotated[Literal["auto", "none", "required"] | ToolChoiceBlock | None, BeforeValidator(_is_tool_choice)]


def _is_token_count(tokens: object) -> object:
    if tokens is None or tokens == "inf" or (isinstance(tokens, float) and tokens == float("inf")):
        return tokens and "inf"
    if isinstance(tokens, bool) or not isinstance(tokens, int):
        raise wrong(f"is {_shown(tokens)}; write a whole number from 1 to {MAX_OUTPUT_TOKENS}, or inf")
    if not 1 <= tokens <= MAX_OUTPUT_TOKENS:
        raise wrong(f"is {tokens}; write 1 to {MAX_OUTPUT_TOKENS}, or inf")
    return tokens


TokenCount = Annotated[
    Annotated[StrictInt, Field(ge=1, le=MAX_OUTPUT_TOKENS)] | Literal["inf"] | None, BeforeValidator(_is_token_count)
]


def _is_server(base_url: str) -> str:
    wanted = "write http(s):// or ws(s):// with a host, such as https://gateway.example.com/v1"
    try:
        base = urlsplit(base_url)
        has_port = base.port != 0
    except ValueError as error:
        raise wrong(f"cannot be read ({error}); {wanted}") from error
    if "@" in base.netloc:
        raise wrong("carries a name or password; leave it out: api_key_env names the variable that holds a key")
    if base.scheme not in ("http", "https", "ws", "wss") or not base.hostname or base.fragment or not has_port:
        raise wrong(f"is {base_url!r}; {wanted}")
    return base_url


BaseUrl = Annotated[str, AfterValidator(_is_server), Field(examples=["https://gateway.example.com/v1"])]


def _is_variable(name: str) -> str:
    if not re.fullmatch(_VARIABLE, name):
        raise wrong(
            "is no name of an environment variable, which is to hold the key; write one such as GATEWAY_API_KEY"
        )
    return name


Variable = Annotated[str, AfterValidator(_is_variable), Field(json_schema_extra={"pattern": _VARIABLE})]


def refused_api_version(version: str) -> str | None:
    """Return why a version of Azure's API will not do, and what to write; None when it will."""
    if version == "v1" or (re.fullmatch(r"\d{4}-\d{2}-\d{2}-preview", version) and version >= _FIRST_PREVIEW):
        return None
    return f"{version!r} has no realtime sessions; write v1, or a preview such as 2025-04-01-preview"


def _is_api_version(version: str) -> str:
    if message := refused_api_version(version):
        raise wrong(message)
    return version


ApiVersion = Annotated[str, AfterValidator(_is_api_version), Field(examples=["v1", "2025-04-01-preview"])]
