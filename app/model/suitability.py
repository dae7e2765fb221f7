"""What is wrong with a setting that a model does not take, and what to write instead.

A provider would ignore such a setting, or refuse the whole session.update because of it; so it is a mistake before any
call. Each function returns None when nothing is wrong.
"""

import re
from collections.abc import Iterable, Mapping

from app.model.capabilities import PROVIDERS, ROWS, Capabilities, Range, family_of
from app.model.setup import Dialect
from app.session.block import nearest

_TRANSCRIBING_WITHOUT_TURNS = ("gpt-realtime-whisper", "gpt-live-transcribe")
"""Transcription models that work with turn detection off alone, which a call cannot do without."""

_WITHOUT_CONVERSATION = re.compile(
    r"gpt-realtime-(whisper|translate)|gpt-live-.*|whisper-1|tts-1.*|gpt-(4o|4\.1|5)(-mini|-nano)?|gpt-4o.*-(tts|transcribe)"
    r"|gpt-transcribe"
)
"""OpenAI's models that have no realtime conversation: they translate, transcribe, speak or write."""


def refused_model(provider: str, model: str) -> str | None:
    """Return what is wrong with a model's name at its provider, and what to write; None when nothing is known to be."""
    family = family_of(model)
    if provider == "openai" and family is not None and family.successor is not None:
        return f"{model} was shut down by openai; write {family.successor}, which takes its place"
    if provider in ("openai", "azure", "tokenlab") and _WITHOUT_CONVERSATION.fullmatch(model):
        return f"{model} has no realtime conversation; write a model that has, such as gpt-realtime-2.1"
    return None


def refused_key(provider: str, key: str) -> str | None:
    """Return why a key that says how a model is reached is not for this provider, and what to write."""
    row = ROWS[provider]
    if key in row.reached_by:
        return None
    owner = next(name for name, other in ROWS.items() if key in other.reached_by)
    instead = _REACHED_INSTEAD[key].get(provider, "leave it out")
    return f"is for provider {owner}, not for {provider}; {instead}"


_REACHED_INSTEAD: Mapping[str, Mapping[str, str]] = {
    "base_url": {
        "openai": "leave it out and set OPENAI_BASE_URL, or write provider: compatible",
        "azure": "leave it out and set AZURE_OPENAI_ENDPOINT",
        "tokenlab": "leave it out and set TOKENLAB_BASE_URL",
    },
    "api_key_env": {
        "openai": "leave it out and set OPENAI_API_KEY",
        "azure": "leave it out and set AZURE_OPENAI_API_KEY",
        "tokenlab": "leave it out and set TOKENLAB_API_KEY",
    },
    "deployment": dict.fromkeys(PROVIDERS, "write name instead"),
    "api_version": {},
    "auth": {
        "openai": "leave it out and set OPENAI_API_KEY",
        "tokenlab": "leave it out and set TOKENLAB_API_KEY",
        "compatible": "leave it out: api_key_env names the variable that holds the key",
    },
}


def refused_voice(can: Capabilities, voice: str) -> str | None:
    """Return why a voice is none of these models', and what to write."""
    if can.voices is None or voice in can.voices:
        return None
    return f"{voice} is no voice of {_whose_models(can.called)}; {_one_of(voice, can.voices)}"


def refused_custom_voice(can: Capabilities) -> str | None:
    if can.custom_voices:
        return None
    return f"{can.called} has no custom voices; write the name of a voice, such as {can.default_voice}"


def refused_turn_detection(can: Capabilities, kind: str) -> str | None:
    """Return why a kind of turn detection is not there, and what to write."""
    if kind in can.turn_detection:
        return None
    return f"{can.called} has no {kind}; write {' or '.join(can.turn_detection)}"


def refused_audio_format(can: Capabilities, audio_format: str) -> str | None:
    if audio_format in can.audio_formats:
        return None
    return f"{can.called} does not take {audio_format}; write {' or '.join(can.audio_formats)}"


def refused_transcription(can: Capabilities, model: str | None, language: str | None) -> str | None:
    """Return why the caller cannot be transcribed so, and what to write. model: None: the provider's default."""
    if model is None and can.transcription_model is None and language is not None:
        return f"{can.called} transcribes with a deployment of its resource; write its name as model"
    if can.is_by_model and model in _TRANSCRIBING_WITHOUT_TURNS:
        return f"{model} transcribes only without turn detection; write {can.transcription_model or 'another model'}"
    return None


def refused_number(can: Capabilities, key: str, value: float) -> str | None:
    """Return why `temperature`, `speed` or `max_output_tokens` cannot be so, and what to write."""
    ranges = {
        "temperature": can.temperature,
        "speed": can.speed,
        "max_output_tokens": Range(1, can.max_output_tokens),
    }
    allowed = ranges[key]
    if allowed is None:
        where = "; leave it out (azure's preview API alone has it)" if key == "temperature" else "; leave it out"
        return f"{can.called} has no {key}{where}"
    if not allowed.least <= value <= allowed.most:
        return f"is {value:g}; write {allowed.least:g} to {allowed.most:g}"
    return None


def refused_noise_reduction(can: Capabilities) -> str | None:
    return None if can.noise_reduction else f"{can.called} has no noise reduction; leave it out"


def refused_truncation(can: Capabilities) -> str | None:
    return None if can.truncation else f"{can.called} has no truncation of its own; leave it out"


def refused_reasoning(can: Capabilities, model: str | None, effort: str) -> str | None:
    """Return why a model does not reason so, and what to write."""
    if can.reasoning_efforts is None:
        return (
            f"nothing says which model {can.called}'s deployment {model} is, and not all of them reason; "
            "write its model too, such as name: gpt-realtime-2"
        )
    if effort in can.reasoning_efforts:
        return None
    if can.reasoning_efforts:
        return f"{can.called} has no effort {effort}; write {_listed(can.reasoning_efforts)}"
    family = family_of(model or "")
    if can.is_by_model and can.dialect is Dialect.GA and family is not None:
        return f"{model} does not reason; leave it out, or write a model of the gpt-realtime-2 family"
    return f"{can.called} does not reason; leave it out"


def _whose_models(called: str) -> str:
    return f"the models of {called}" if " " in called else f"{called}'s realtime models"


def _one_of(word: str, known: Iterable[str]) -> str:
    meant = nearest(word, known)
    return f"did you mean {meant}?" if meant else f"write one of {', '.join(known)}"


def _listed(known: tuple[str, ...]) -> str:
    return " or ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)
