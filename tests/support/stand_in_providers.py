"""How each provider's server meets a client at the door, and how the beta before GA words what goes on behind it.

Written after the vendors' documents and captured traffic, and not after the client: no code is shared with it. Some
names mean trouble everywhere: a key `sk-wrong`, a model `no-such-model`, `chat-only` (not a realtime one), `crowded`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from tests.support.model_events import Wire

WRONG_KEY = "sk-wrong"
NO_SUCH_MODEL, CHAT_ONLY, CROWDED = "no-such-model", "chat-only", "crowded"
REALTIME_MODELS = ("gpt-realtime-2.1", "gpt-realtime-mini")


@dataclass(frozen=True)
class Denial:
    """An upgrade that is refused by HTTP, or one that succeeds and ends with an error and a close."""

    status: int = 101
    body: str = ""
    code: str | None = None
    kind: str = "invalid_request_error"
    close_code: int = 1000


@dataclass(frozen=True)
class Door:
    """What an upgrade asks for."""

    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]

    def asked(self, name: str) -> str:
        return self.query.get(name, [""])[0]

    @property
    def bearer(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True)
class Provider:
    """base_path: what a base URL has behind its host. path: the socket's. is_beta: speaks the words before GA."""

    name: str
    base_path: str
    path: str
    deny: Callable[[Door], Denial | None]
    is_beta: bool = False
    has_catalogue: bool = False


# --- at the door ------------------------------------------------------------------------------------------------------


def _in_band(code: str | None, close_code: int, kind: str = "invalid_request_error") -> Denial:
    return Denial(code=code, kind=kind, close_code=close_code)


def _by_http(status: int, code: str, message: str = "No.") -> Denial:
    return Denial(status, json.dumps({"error": {"code": code, "message": message}}))


def _openai(door: Door) -> Denial | None:
    model = door.asked("model")
    if "OpenAI-Beta" in door.headers:
        return _in_band("beta_api_shape_disabled", 4000)
    if not door.bearer or door.bearer == WRONG_KEY:
        return _in_band("invalid_api_key" if door.bearer else None, 3000)
    if model == CROWDED:
        return _in_band("rate_limit_exceeded", 1013, "rate_limit_error")
    if model in ("", CHAT_ONLY):
        return _in_band("invalid_model" if model else "missing_model", 4000)
    return _in_band("model_not_found", 4004) if model == NO_SUCH_MODEL else None


def _azure(door: Door, deployment: str) -> Denial | None:
    key = door.headers.get("api-key", "")
    # A key as a Bearer is no token; and a subprotocol is no way in.
    if (not key or key == WRONG_KEY) and not door.bearer.startswith("eyJ"):
        return _by_http(401, "401", "Access denied due to invalid subscription key or wrong API endpoint.")
    if deployment == CROWDED:
        return _by_http(429, "429", "Requests have exceeded the call rate limit.")
    if deployment in ("", CHAT_ONLY):
        return _by_http(400, "OpperationNotSupported", "The operation does not work with the specified model.")
    return _by_http(404, "DeploymentNotFound") if deployment == NO_SUCH_MODEL else None


def _azure_ga(door: Door) -> Denial | None:
    if "api-version" in door.query:
        return _by_http(401, "401", "api-version is not allowed on this path.")
    return _azure(door, door.asked("model"))


def _azure_preview(door: Door) -> Denial | None:
    if not door.asked("api-version"):
        return _by_http(404, "404", "Resource not found")
    return _azure(door, door.asked("deployment"))


def _gateway(door: Door) -> Denial | None:
    if door.bearer == WRONG_KEY:
        return _by_http(401, "invalid_api_key")
    if door.asked("model") == CROWDED:
        return _by_http(429, "rate_limit_exceeded")
    known = door.asked("model") not in ("", NO_SUCH_MODEL, CHAT_ONLY)
    return None if known else _by_http(404, "model_not_found")


def _tokenlab(door: Door) -> Denial | None:
    return _gateway(door) if door.bearer else _by_http(401, "invalid_api_key")


OPENAI = Provider("openai", "/v1", "/v1/realtime", _openai)
LENIENT = Provider("lenient", "/v1", "/v1/realtime", lambda door: None)
AZURE = Provider("azure", "", "/openai/v1/realtime", _azure_ga)
AZURE_PREVIEW = Provider("azure preview", "", "/openai/realtime", _azure_preview, is_beta=True)
TOKENLAB = Provider("tokenlab", "/v1", "/v1/realtime", _tokenlab, has_catalogue=True)
COMPATIBLE = Provider("compatible", "/v1", "/v1/realtime", _gateway)


def catalogue_answer(path: str, authorization: str) -> tuple[int, Wire]:
    """Return what TokenLab's `/v1/models…` says."""
    if authorization != "Bearer sk-test":
        return 401, {"error": {"code": "invalid_api_key", "message": "No."}}
    models: list[Wire] = [
        {"id": name, "object": "model", "supported_endpoints": ["/v1/realtime"]} for name in (*REALTIME_MODELS, CROWDED)
    ]
    models.append({"id": CHAT_ONLY, "object": "model", "supported_endpoints": ["/v1/chat/completions"]})
    name = path.removeprefix("/v1/models").strip("/")
    if not name:
        return 200, {"object": "list", "data": models}
    found = [model for model in models if model["id"] == name]
    return (200, found[0]) if found else (404, {"error": {"code": "model_not_found", "message": "No."}})


# --- the beta's words -------------------------------------------------------------------------------------------------

_BETA_NAMES = {
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
}
_FLAT_KEYS = {
    "instructions": "instructions",
    "voice": "audio.output.voice",
    "input_audio_format": "audio.input.format",
    "output_audio_format": "audio.output.format",
    "input_audio_transcription": "audio.input.transcription",
    "input_audio_noise_reduction": "audio.input.noise_reduction",
    "turn_detection": "audio.input.turn_detection",
    "speed": "audio.output.speed",
    "tools": "tools",
    "tool_choice": "tool_choice",
    "max_response_output_tokens": "max_output_tokens",
}
_FORMATS: Mapping[str, Wire] = {
    "pcm16": {"type": "audio/pcm", "rate": 24000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
_CONTENT = {"output_text": "text", "output_audio": "audio"}


def beta_key(path: str) -> str:
    """Return the beta's name for a GA setting: `audio.output.voice` → `voice`."""
    for flat, nested in _FLAT_KEYS.items():
        if path == nested or path.startswith(f"{nested}."):
            return flat + path.removeprefix(nested)
    return path


def to_beta(event: Wire, temperature: float = 0.8) -> Iterator[Wire]:
    """Yield a server's GA event as a server before GA would have sent it; nothing for one that it had not.

    temperature: a setting that GA has no more.
    """
    kind = str(event["type"])
    if kind == "conversation.item.done":
        return
    worded: Wire = {**event, "type": _BETA_NAMES.get(kind, kind)}
    if "item" in worded:
        worded["item"] = _beta_item(cast(Wire, worded["item"]))
    if "session" in worded:
        worded["session"] = {**_flat_session(cast(Wire, worded["session"])), "temperature": temperature}
    if "response" in worded:
        response = dict(cast(Wire, worded["response"]))
        response.pop("output_modalities", None)
        response["modalities"] = ["text", "audio"]
        response["output"] = [_beta_item(item) for item in cast(list[Wire], response["output"])]
        worded["response"] = response
    yield worded


def from_beta(event: Wire, faults: list[str]) -> Wire:
    """Return a client's event of the beta as the GA event it means; what is not the beta's is added to the faults."""
    worded = dict(event)
    if event["type"] == "session.update":
        worded["session"] = _nested_session(cast(Wire, event["session"]), faults)
    if event["type"] == "conversation.item.create":
        item = dict(cast(Wire, event["item"]))
        if item.get("role") == "assistant":
            item["content"] = [_ga_content(part, faults) for part in cast(list[Wire], item["content"])]
        worded["item"] = item
    return worded


def assistant_content(event: Wire) -> list[str]:
    """Return the types of what an item to be created has an assistant say."""
    item = cast(Wire, event["item"])
    content = cast(list[Wire], item.get("content", []))
    return [str(part["type"]) for part in content] if item.get("role") == "assistant" else []


def _beta_item(item: Wire) -> Wire:
    if "content" not in item:
        return item
    content = cast(list[Wire], item["content"])
    worded = [{**part, "type": _CONTENT.get(str(part["type"]), part["type"])} for part in content]
    return {**item, "content": worded}


def _ga_content(part: Wire, faults: list[str]) -> Wire:
    if part["type"] != "text":
        faults.append(f"an assistant's content is {part['type']!r} in the beta, not text")
    return {**part, "type": "output_text"}


def _flat_session(session: Wire) -> Wire:
    flat: Wire = {key: session[key] for key in ("id", "object", "model", "expires_at") if key in session}
    for name, path in _FLAT_KEYS.items():
        value: object = session
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        flat[name] = value
    for name in ("input_audio_format", "output_audio_format"):
        flat[name] = next(word for word, wire in _FORMATS.items() if wire["type"] == cast(Wire, flat[name])["type"])
    flat["modalities"] = ["audio", "text"] if session["output_modalities"] == ["audio"] else ["text"]
    return flat


def _nested_session(flat: Wire, faults: list[str]) -> Wire:
    nested: Wire = {"type": "realtime"}
    for name, value in flat.items():
        if name == "modalities":
            words = sorted(cast(list[str], value))
            if words not in (["audio", "text"], ["text"]):
                faults.append(f"modalities are {value}: the beta knows text, and both together")
            nested["output_modalities"] = ["audio"] if "audio" in words else ["text"]
        elif name == "temperature":
            if not isinstance(value, int | float) or not 0.6 <= value <= 1.2:
                faults.append(f"temperature {value} is outside 0.6 to 1.2")
        elif name not in _FLAT_KEYS:
            faults.append(f"session.{name} is no setting of the beta")
        else:
            wire = _FORMATS[str(value)] if name.endswith("_audio_format") else value
            _put(nested, _FLAT_KEYS[name].split("."), wire)
    return nested


def _put(into: Wire, steps: list[str], value: object) -> None:
    for step in steps[:-1]:
        into = cast(Wire, into.setdefault(step, {}))
    into[steps[-1]] = value
