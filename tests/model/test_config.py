"""What a model block may say, and what it is told when a provider would ignore or refuse it."""

import pytest
from pydantic import ValidationError

from app.model.capabilities import OPENAI_VOICES, PROVIDERS
from app.model.config import ModelBlock, refused_turns
from app.model.turns import TurnDetectionBlock
from app.model.values import CustomVoice, RetentionBlock, ToolChoiceBlock, TranscriptionBlock

pytestmark = pytest.mark.core

SERVER: dict[str, object] = {"provider": "compatible", "base_url": "https://gateway.example.com/v1", "name": "any"}
PREVIEW: dict[str, object] = {"provider": "azure", "deployment": "d", "api_version": "2025-04-01-preview"}


def block(values: dict[str, object]) -> ModelBlock:
    return ModelBlock.model_validate(values)


def told(values: dict[str, object]) -> dict[str, str]:
    """What is said of a block, by the way to the key."""
    with pytest.raises(ValidationError) as caught:
        block(values)
    errors = [error for error in caught.value.errors() if error["type"] != "default_factory_not_called"]
    return {".".join(map(str, error["loc"])): error["msg"] for error in errors}


def test_nothing_said_is_the_embedded_model() -> None:
    model = ModelBlock()
    assert (model.provider, model.name, model.voice) == ("local", "local", "default")
    assert (model.audio_format, model.fallbacks, model.models) == ("pcm16", (), (model,))


@pytest.mark.parametrize(
    ("values", "name", "voice"),
    [
        ({"provider": "openai"}, "gpt-realtime-2.1", "marin"),
        ({"provider": "tokenlab"}, "gpt-realtime", "marin"),
        ({"provider": "tokenlab", "name": "another-vendors"}, "another-vendors", None),
        ({"provider": "azure"}, None, None),
        (SERVER, "any", None),
    ],
)
def test_each_provider_has_its_own_defaults(values: dict[str, object], name: str | None, voice: str | None) -> None:
    assert (block(values).name, block(values).voice) == (name, voice)


def test_the_embedded_model_takes_any_name_and_voice() -> None:
    model = ModelBlock(provider="local", name="gpt-4o", voice="whoever")
    assert (model.name, model.voice) == ("gpt-4o", "whoever")
    assert block({"voice": {"id": "voice_1"}}).voice == CustomVoice(id="voice_1")


@pytest.mark.parametrize("voice", OPENAI_VOICES)
def test_voices_of_openai(voice: str) -> None:
    assert ModelBlock(provider="openai", voice=voice).voice == voice


def test_everything_can_be_said() -> None:
    model = block(
        {
            "provider": "openai",
            "name": "gpt-realtime-2",
            "voice": {"id": "voice_1"},
            "audio_format": "pcmu",
            "transcription": {"model": "whisper-1", "language": "ko-KR"},
            "noise_reduction": "far_field",
            "max_output_tokens": 4096,
            "speed": 1.5,
            "tool_choice": {"name": "find"},
            "truncation": {"retention_ratio": 0.8},
            "reasoning_effort": "xhigh",
            "session_limit_s": 60,
            "reconnect": "never",
        }
    )
    assert model.transcription == TranscriptionBlock(model="whisper-1", language="ko")
    assert (model.tool_choice, model.truncation) == (ToolChoiceBlock(name="find"), RetentionBlock(retention_ratio=0.8))
    assert (model.limit_s, model.reconnects) == (60, False)


@pytest.mark.parametrize(
    ("values", "limit_s", "reconnects"),
    [
        ({"provider": "openai"}, 3600, True),
        ({"provider": "azure"}, 1800, True),
        ({"provider": "tokenlab"}, None, False),
        ({"provider": "tokenlab", "reconnect": "within_call"}, None, True),
        ({"provider": "local"}, None, True),
        (SERVER, None, True),
    ],
)
def test_how_long_a_session_lasts_and_whether_it_is_opened_again(
    values: dict[str, object], limit_s: float | None, reconnects: bool
) -> None:
    assert (block(values).limit_s, block(values).reconnects) == (limit_s, reconnects)


@pytest.mark.parametrize("nothing", ["off", None])
def test_what_the_caller_says_need_not_be_written_down(nothing: str | None) -> None:
    assert block({"provider": "openai", "transcription": nothing}).transcription == "off"


@pytest.mark.parametrize(
    ("values", "key", "message"),
    [
        ({"provider": "open_ai"}, "provider", "did you mean openai?"),
        ({"provider": "gemini"}, "provider", "write local, openai, azure, tokenlab or compatible"),
        ({"name": "gpt realtime"}, "name", "pattern"),
        ({"name": ""}, "name", "pattern"),
        ({"name": "x" * 129}, "name", "128"),
        ({"provider": "openai", "name": None}, "name", "is missing; write the model's name"),
        ({"provider": "openai", "name": "gpt-4o-realtime-preview"}, "name", "write gpt-realtime-2.1, which"),
        (
            {"provider": "openai", "name": "gpt-4o-mini-realtime-preview-2024-12-17"},
            "name",
            "write gpt-realtime-2.1-mini, which",
        ),
        ({"provider": "openai", "name": "gpt-4o-mini"}, "name", "has no realtime conversation; write a model"),
        ({"provider": "tokenlab", "name": "whisper-1"}, "name", "has no realtime conversation; write a model"),
        (
            {"provider": "openai", "voice": "marina"},
            "voice",
            "no voice of openai's realtime models; did you mean marin?",
        ),
        ({"provider": "openai", "voice": "nova"}, "voice", "write one of alloy, ash"),
        ({"provider": "tokenlab", "voice": "nova"}, "voice", "no voice of tokenlab's"),
        (
            {"provider": "azure", "deployment": "gpt-4o-realtime-preview", "voice": "cedar"},
            "voice",
            "write one of alloy",
        ),
        (PREVIEW | {"voice": "marin"}, "voice", "no voice of the models of azure's preview API; write one of alloy"),
        ({"provider": "azure", "voice": {"id": "voice_1"}}, "voice", "azure has no custom voices"),
        ({"provider": "openai", "voice": {}}, "voice.id", "required"),
        ({"provider": "openai", "voice": ["marin"]}, "voice", "is a list, which is no voice"),
        ({"provider": "openai", "voice": "ma rin"}, "voice", "write a name such as marin"),
        ({"provider": "openai", "voice": 5}, "voice", 'in quotes: "5"'),
        ({"audio_format": "pcm-16"}, "audio_format", "did you mean pcm16?"),
        ({"provider": "openai", "transcription": "whisper-1"}, "transcription", "or a block: {model: gpt-4o-mini"),
        (
            {"voice": {"id": "abc"}},
            "voice.id",
            "is 'abc', and the id of an account's own voice begins with voice_; write",
        ),
        ({"voice": {"id": ""}}, "voice.id", "is empty, and the id of an account's own voice begins with voice_"),
        ({"transcription": {"language": "jp"}}, "transcription.language", "did you mean ja?"),
        ({"transcription": {"language": "yue"}}, "transcription.language", "leave it out"),
        (
            {"provider": "openai", "transcription": {"model": "gpt-realtime-whisper"}},
            "transcription.model",
            "only without turn detection; write gpt-4o-mini-transcribe",
        ),
        (
            {"provider": "azure", "api_version": "v1", "transcription": {"language": "en"}},
            "transcription.model",
            "a deployment of its resource; write its name as model",
        ),
        ({"noise_reduction": "near_field"}, "noise_reduction", "embedded model has no noise reduction; leave it out"),
        ({"provider": "openai", "noise_reduction": "near"}, "noise_reduction", "write near_field, far_field or off"),
        ({"max_output_tokens": 0}, "max_output_tokens", "write 1 to 4096, or inf"),
        ({"max_output_tokens": 4097}, "max_output_tokens", "write 1 to 4096, or inf"),
        ({"max_output_tokens": True}, "max_output_tokens", "a whole number from 1 to 4096, or inf"),
        ({"max_output_tokens": 1.5}, "max_output_tokens", "a whole number from 1 to 4096, or inf"),
        ({"provider": "openai", "temperature": 0.8}, "temperature", "openai has no temperature; leave it out"),
        ({"temperature": 0.8}, "temperature", "the embedded model has no temperature; leave it out"),
        (SERVER | {"temperature": 0.8}, "temperature", "a compatible server has no temperature; leave it out"),
        ({"provider": "azure", "temperature": 0.5}, "temperature", "is 0.5; write 0.6 to 1.2"),
        ({"provider": "azure", "api_version": "v1", "temperature": 1}, "temperature", "azure has no temperature"),
        ({"speed": 0.2}, "speed", "greater than or equal to 0.25"),
        ({"speed": 1.6}, "speed", "less than or equal to 1.5"),
        ({"tool_choice": "non"}, "tool_choice", "did you mean none?"),
        ({"tool_choice": []}, "tool_choice", "or a tool: {name: lookup_order}"),
        ({"truncation": "auto"}, "truncation", "the embedded model has no truncation of its own; leave it out"),
        (PREVIEW | {"truncation": "auto"}, "truncation", "azure's preview API has no truncation"),
        ({"provider": "openai", "truncation": 0.8}, "truncation", "or {retention_ratio: 0.8}"),
        (
            {"provider": "openai", "truncation": {"retention_ratio": 2}},
            "truncation.retention_ratio",
            "less than or equal",
        ),
        ({"reasoning_effort": "low"}, "reasoning_effort", "the embedded model does not reason; leave it out"),
        (
            {"provider": "openai", "name": "gpt-realtime-2025-08-28", "reasoning_effort": "low"},
            "reasoning_effort",
            "gpt-realtime-2025-08-28 does not reason; leave it out, or write a model of the gpt-realtime-2 family",
        ),
        (PREVIEW | {"reasoning_effort": "low"}, "reasoning_effort", "azure's preview API does not reason"),
        (
            {"provider": "azure", "name": "gpt-realtime-2", "reasoning_effort": "xhigh"},
            "reasoning_effort",
            "azure has no effort xhigh; write minimal, low, medium or high",
        ),
        (
            {"provider": "azure", "deployment": "orders", "reasoning_effort": "low"},
            "reasoning_effort",
            "which model azure's deployment orders is, and not all of them reason; write its model too",
        ),
        ({"session_limit_s": 4}, "session_limit_s", "greater than or equal to 5"),
        ({"reconnect": "always"}, "reconnect", "write within_call or never"),
        ({"provider": "azure", "auth": "token"}, "auth", "write key or entra"),
        ({"provider": "azure", "api_version": "2024-10-21"}, "api_version", "write v1, or a preview such as"),
        ({"provider": "azure", "api_version": "2024-08-01-preview"}, "api_version", "has no realtime sessions"),
        (
            {"provider": "openai", "deployment": "d"},
            "deployment",
            "for provider azure, not for openai; write name instead",
        ),
        ({"provider": "openai", "auth": "entra"}, "auth", "leave it out and set OPENAI_API_KEY"),
        (SERVER | {"api_version": "v1"}, "api_version", "for provider azure, not for compatible; leave it out"),
        ({"provider": "azure", "base_url": "https://x/v1"}, "base_url", "leave it out and set AZURE_OPENAI_ENDPOINT"),
        ({"provider": "tokenlab", "api_key_env": "K"}, "api_key_env", "leave it out and set TOKENLAB_API_KEY"),
        ({"provider": "compatible", "name": "m"}, "base_url", "is missing; write where the server is"),
        (SERVER | {"name": None}, "name", "is missing; write the model's name"),
        (SERVER | {"base_url": "gateway.example.com"}, "base_url", "write http(s):// or ws(s):// with a host"),
        (SERVER | {"base_url": "http://h:port/v1"}, "base_url", "cannot be read"),
        (SERVER | {"base_url": "http://me:secret@h/v1"}, "base_url", "carries a name or password; leave it out"),
        (SERVER | {"api_key_env": "sk-secret"}, "api_key_env", "no name of an environment variable"),
    ],
)
def test_what_a_model_block_may_not_say(values: dict[str, object], key: str, message: str) -> None:
    found = told(values)
    assert list(found) == [key]
    assert message in found[key]
    assert "secret" not in found[key]


@pytest.mark.parametrize(
    "values",
    [
        {"provider": "azure", "temperature": 0.8},
        {"provider": "azure", "truncation": "auto"},
        {"provider": "azure", "reasoning_effort": "low"},
        {"provider": "azure", "transcription": {"language": "en"}},
        {"provider": "azure", "deployment": "gpt-realtime-2", "reasoning_effort": "low"},
        {"provider": "tokenlab", "name": "of-another-vendor", "voice": "nova", "reasoning_effort": "low"},
        SERVER | {"voice": "nova", "reasoning_effort": "low", "api_key_env": "GATEWAY_API_KEY"},
        {"provider": "local", "speed": 1.2, "max_output_tokens": 100, "tool_choice": "none"},
        {"provider": "openai", "name": "gpt-realtime-3", "reasoning_effort": "low"},
    ],
)
def test_what_the_environment_or_the_server_may_allow_is_no_mistake_of_the_file(values: dict[str, object]) -> None:
    block(values)


def test_fallbacks_are_blocks_of_the_same_kind() -> None:
    model = block({"provider": "openai", "audio_format": "pcmu", "fallbacks": [PREVIEW, {"audio_format": "pcmu"}]})
    assert [one.provider for one in model.models] == ["openai", "azure", "local"]
    assert model.fallbacks[0].api_version == "2025-04-01-preview"


@pytest.mark.parametrize(
    ("fallback", "key", "message"),
    [
        ({"provider": "openai", "voice": "nova"}, "fallbacks.0.voice", "write one of alloy"),
        ({"audio_format": "pcm16"}, "fallbacks.0.audio_format", "is pcm16, and the call's is pcmu; leave it out"),
        ({"fallbacks": [{"provider": "openai"}]}, "fallbacks.0.fallbacks", "list them all under model.fallbacks"),
        ({"fallback": []}, "fallbacks.0.fallback", "Extra inputs"),
    ],
)
def test_what_a_fallback_may_not_say(fallback: dict[str, object], key: str, message: str) -> None:
    found = told({"provider": "openai", "audio_format": "pcmu", "fallbacks": [fallback]})
    assert list(found) == [key]
    assert message in found[key]


def test_turn_detection_by_default() -> None:
    detection = TurnDetectionBlock()
    assert (detection.type, detection.threshold, detection.prefix_padding_ms, detection.silence_duration_ms) == (
        "server_vad",
        0.5,
        300,
        500,
    )
    assert TurnDetectionBlock(type="semantic_vad").eagerness == "auto"


@pytest.mark.parametrize("threshold", [0, 1, 0.7])
def test_the_threshold_is_a_share(threshold: float) -> None:
    assert TurnDetectionBlock(threshold=threshold).threshold == threshold


@pytest.mark.parametrize(
    "values",
    [
        {"threshold": -0.1},
        {"threshold": 1.1},
        {"threshold": "0.5"},
        {"threshold": True},
        {"prefix_padding_ms": -1},
        {"prefix_padding_ms": 1.5},
        {"silence_duration_ms": 10_001},
        {"type": "semantic"},
        {"type": None},
        {"type": "semantic_vad", "eagerness": "soon"},
    ],
)
def test_what_turn_detection_may_not_say(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TurnDetectionBlock.model_validate(values)


@pytest.mark.parametrize(
    ("values", "keys", "message"),
    [
        ({"eagerness": "low"}, ["eagerness"], "is for semantic_vad, and this is server_vad; leave it out"),
        (
            {"type": "semantic_vad", "threshold": 0.5, "silence_duration_ms": 500},
            ["silence_duration_ms", "threshold"],
            "or write type: server_vad",
        ),
    ],
)
def test_each_kind_of_turn_detection_has_keys_of_its_own(
    values: dict[str, object], keys: list[str], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        TurnDetectionBlock.model_validate(values)
    assert [error["loc"][0] for error in caught.value.errors()] == keys
    assert all(message in error["msg"] for error in caught.value.errors())


@pytest.mark.parametrize("provider", [provider for provider in PROVIDERS if provider not in ("azure", "compatible")])
def test_who_tells_a_turns_end_by_its_meaning(provider: str) -> None:
    assert refused_turns(block({"provider": provider}), "semantic_vad") == []


def test_azure_does_not_neither_as_a_fallback() -> None:
    assert refused_turns(block({"provider": "azure"}), "server_vad") == []
    assert refused_turns(block(PREVIEW), "semantic_vad") == [
        "azure's preview API has no semantic_vad; write server_vad"
    ]
    assert refused_turns(block({"provider": "openai", "fallbacks": [{"provider": "azure"}]}), "semantic_vad") == [
        "model.fallbacks[0] cannot do it: azure has no semantic_vad; write server_vad"
    ]
