"""Which models an agent's calls may speak with: what the file says, what the environment adds, what neither can do."""

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from app.agents.loader import read
from app.agents.schema import AgentFile
from app.audio.formats import PCM16_24K, ULAW_8K
from app.choices import Choices, Refusal
from app.errors import ModelError, SettingsError
from app.model.choice import ModelChoice
from app.model.opening import ConnectError
from app.model.setup import Dialect, ModelSetup, NamedTool, Retention, SemanticVad, ServerVad, VoiceId, session_settings
from app.settings import Settings
from tests.support.realtime_schema import client_faults

pytestmark = pytest.mark.core

EMBEDDED = "ws://127.0.0.1:9/v1/realtime"
ENDPOINT = "https://acme.openai.azure.com"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


class Identity:
    """An identity with Microsoft Entra."""

    def __init__(self) -> None:
        self.is_closed = False

    async def token(self) -> str:
        return "fresh"

    async def close(self) -> None:
        self.is_closed = True


def azure(**more: object) -> Settings:
    given: dict[str, object] = {
        "azure_openai_endpoint": ENDPOINT,
        "azure_openai_api_key": SecretStr("k"),
        "azure_openai_deployment_name": "voices",
    }
    return Settings.model_validate(given | more)


def agent(model: str, more: str = "") -> AgentFile:
    text = f"agent: a\nlanguage: ko-KR\nprompt: p\ndisclosure: {{text: AI}}\nmodel: {model}\n{more}"
    loaded = read(Path("a.yaml"), text.encode())
    assert isinstance(loaded, AgentFile), loaded
    return loaded


def choices(environment: Settings, environ: dict[str, str] | None = None) -> Choices:
    return Choices(environment, environ or {}, lambda: EMBEDDED, credential=Identity)


def only(model: str, settings: Settings, environ: dict[str, str] | None = None, more: str = "") -> ModelChoice:
    (choice,) = choices(settings, environ).of(agent(model, more))
    return choice


def test_openai_by_its_key_and_base_url() -> None:
    settings = Settings(openai_api_key=SecretStr("sk-1"), openai_base_url="http://127.0.0.1:9100/v1")
    choice = only("{provider: openai}", settings)
    assert choice.target.url == "ws://127.0.0.1:9100/v1/realtime?model=gpt-realtime-2.1"
    assert choice.target.headers == {"Authorization": "Bearer sk-1"}
    assert choice.setup == ModelSetup("p", "marin", language="ko-KR")
    assert choice.account is not None
    assert choice.account.name == "openai"


def test_tokenlab_at_its_own_address_unless_another_is_set() -> None:
    choice = only("{provider: tokenlab}", Settings(tokenlab_api_key=SecretStr("sk")))
    assert choice.target.url == "wss://api.tokenlab.sh/v1/realtime?model=gpt-realtime"
    assert choice.setup.voice == "marin"


def test_the_embedded_model_is_where_it_is_and_nobody_counts_its_sessions() -> None:
    choice = only("{provider: local}", Settings())
    assert choice.target.url == f"{EMBEDDED}?model=local"
    assert choice.account is None

    def missing() -> str:
        raise ModelError("the embedded model is not running")

    with pytest.raises(ModelError, match="not running"):
        Choices(Settings(), {}, missing).of(agent("{provider: local}"))


def test_a_compatible_server_by_the_file_alone() -> None:
    server = "{provider: compatible, base_url: 'https://gateway.example.com/v1', name: m"
    choice = only(server + ", api_key_env: GATEWAY_KEY}", Settings(), {"GATEWAY_KEY": "secret"})
    assert choice.target.url == "wss://gateway.example.com/v1/realtime?model=m"
    assert choice.target.headers == {"Authorization": "Bearer secret"}
    assert choice.setup.voice is None, "the server's own"
    assert only(server + "}", Settings()).target.headers == {}
    with pytest.raises(SettingsError, match=r"model \(compatible\): GATEWAY_KEY is not set: set it to the key"):
        only(server + ", api_key_env: GATEWAY_KEY}", Settings(), {"GATEWAY_KEY": ""})


@pytest.mark.parametrize(
    ("model", "settings", "url"),
    [
        ("{provider: azure}", azure(), "/openai/v1/realtime?model=voices"),
        ("{provider: azure, deployment: mine}", azure(), "/openai/v1/realtime?model=mine"),
        ("{provider: azure, name: gpt-realtime}", azure(), "/openai/v1/realtime?model=voices"),
        (
            "{provider: azure, name: gpt-realtime}",
            azure(azure_openai_deployment_name=None),
            "/openai/v1/realtime?model=gpt-realtime",
        ),
        ("{provider: azure}", azure(openai_api_version="v1"), "/openai/v1/realtime?model=voices"),
        (
            "{provider: azure}",
            azure(openai_api_version="2025-04-01-preview"),
            "/openai/realtime?api-version=2025-04-01-preview&deployment=voices",
        ),
        (
            "{provider: azure, api_version: 2024-10-01-preview}",
            azure(openai_api_version="v1"),
            "/openai/realtime?api-version=2024-10-01-preview&deployment=voices",
        ),
        (
            "{provider: azure, api_version: v1}",
            azure(openai_api_version="2025-04-01-preview"),
            "/openai/v1/realtime?model=voices",
        ),
    ],
)
def test_azure_by_the_file_and_else_by_the_environment(model: str, settings: Settings, url: str) -> None:
    choice = only(model, settings)
    assert choice.target.url == f"wss://acme.openai.azure.com{url}"
    assert choice.target.headers == {"api-key": "k"}


@pytest.mark.parametrize(
    ("model", "version", "dialect", "voice", "transcription_model"),
    [
        ("{provider: azure}", None, Dialect.GA, "marin", None),
        ("{provider: azure, transcription: {model: ears}}", None, Dialect.GA, "marin", "ears"),
        ("{provider: azure, name: gpt-4o-realtime-preview}", None, Dialect.GA, "alloy", None),
        ("{provider: azure}", "2025-04-01-preview", Dialect.PREVIEW, "alloy", "whisper-1"),
        ("{provider: azure, voice: sage, transcription: off}", "2025-04-01-preview", Dialect.PREVIEW, "sage", None),
    ],
)
def test_what_azure_is_told_depends_on_the_api(
    model: str, version: str | None, dialect: Dialect, voice: str, transcription_model: str | None
) -> None:
    choice = only(model, azure(openai_api_version=version))
    assert choice.target.dialect is dialect
    assert (choice.setup.voice, choice.setup.transcription_model) == (voice, transcription_model)


@pytest.mark.parametrize(
    ("model", "settings", "sentence"),
    [
        ("{provider: openai}", Settings(), r"model \(openai\): the model's key is empty: set OPENAI_API_KEY"),
        ("{provider: tokenlab}", Settings(), "set TOKENLAB_API_KEY"),
        ("{provider: azure}", Settings(), r"AZURE_OPENAI_ENDPOINT is not set: set it to https://RESOURCE"),
        ("{provider: azure}", azure(azure_openai_deployment_name=None), "write deployment, or set AZURE_OPENAI_DEPLOY"),
        (
            "{provider: azure}",
            azure(azure_openai_api_key=None),
            "no way to authenticate: set AZURE_OPENAI_API_KEY, or write auth: entra",
        ),
        ("{provider: azure, auth: key}", azure(azure_openai_api_key=None), "no way to authenticate: set AZURE"),
        (
            "{provider: azure, auth: entra}",
            azure(),
            "auth is entra and AZURE_OPENAI_API_KEY is set.*: unset the key, or write auth: key",
        ),
        ("{provider: azure}", azure(openai_api_version="2024-06-01"), "OPENAI_API_VERSION: '2024-06-01' has no realt"),
        ("{provider: azure, temperature: 0.8}", azure(), "model.temperature: azure has no temperature; leave it out"),
        (
            "{provider: azure, temperature: 0.8}",
            azure(),
            r"^a.yaml:5:39: model.temperature: .* Neither api_version nor OPENAI_API_VERSION selects .*version: 2025",
        ),
        (
            "{provider: local, fallbacks: [{provider: azure, truncation: auto, name: gpt-realtime}]}",
            azure(openai_api_version="2025-04-01-preview"),
            r"^a.yaml:5:68: model.fallbacks\[0\].truncation: .* OPENAI_API_VERSION is 2025-04-01-preview .*version: v1",
        ),
        (
            "{provider: azure, reasoning_effort: low}",
            azure(),
            r"such as name: gpt-realtime-2$",
        ),  # nor has the preview it
        (
            "{provider: azure, transcription: {language: ko}}",
            azure(),
            r"^a.yaml:5:26: model.transcription.model: .* Neither api_version nor OPENAI_API_VERSION",
        ),
        (
            "{provider: azure, truncation: auto, voice: marin}",
            azure(openai_api_version="2025-04-01-preview"),
            r"^a.yaml:5:38: model.truncation: azure's preview API has no trunc.*; "
            r"a.yaml:5:51: model.voice: marin is no voice of .* preview API; .*verse. OPENAI_API_VERSION is 2025",
        ),
        (
            "{provider: azure, reasoning_effort: low}",
            azure(),
            "model.reasoning_effort: nothing says which model azure's deployment voices",
        ),
        (
            "{provider: azure, transcription: {language: ko}}",
            azure(),
            "model.transcription.model: azure transcribes wi",
        ),
    ],
)
def test_what_the_environment_lacks_is_said_with_what_to_do(model: str, settings: Settings, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        only(model, settings)


def test_a_fallback_is_named_by_its_place() -> None:
    model = "{provider: local, fallbacks: [{provider: local}, {provider: openai}]}"
    with pytest.raises(SettingsError, match=r"^model\.fallbacks\[1\] \(openai\): the model's key is empty"):
        choices(Settings()).of(agent(model))


def test_entra_gives_a_fresh_token_for_every_connection_and_is_one_for_all() -> None:
    identities: list[Identity] = []

    def identity() -> Identity:
        identities.append(Identity())
        return identities[-1]

    async def scenario() -> None:
        subject = Choices(azure(azure_openai_api_key=None), {}, lambda: EMBEDDED, credential=identity)
        own, other = subject.of(agent("{provider: azure, auth: entra, fallbacks: [{provider: azure, auth: entra}]}"))
        assert own.target.headers == {}
        assert own.target.prepare is not None
        assert await own.target.prepare() == {"Authorization": "Bearer fresh"}
        assert own.account is other.account
        await subject.close()
        assert [one.is_closed for one in identities] == [True]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("failure", "refused"),
    [
        (ConnectError("entra_refused", "no identity", is_final=True), {1: Refusal("no identity", lasts=False)}),
        (ConnectError("model_without_realtime", "no", is_final=True), {1: Refusal("no", lasts=True)}),
        (ConnectError("entra_failed", "Microsoft Entra gave no token"), {}),
        (None, {}),
    ],
)
def test_who_refuses_for_good_is_known_before_any_call(
    failure: ConnectError | None, refused: dict[int, Refusal]
) -> None:
    class Nobody(Identity):
        async def token(self) -> str:
            if failure is not None:
                raise failure
            return "fresh"

    async def scenario() -> None:
        subject = Choices(azure(azure_openai_api_key=None), {}, lambda: EMBEDDED, credential=Nobody)
        taken = subject.of(agent("{provider: local, fallbacks: [{provider: azure, auth: entra}]}"))
        assert await subject.refusals(taken) == refused

    asyncio.run(scenario())


def test_without_the_extra_entra_is_refused_with_what_to_install() -> None:
    def missing() -> Identity:
        raise SettingsError("auth: entra needs azure-identity: pip install 'dialtone[azure]'")

    subject = Choices(azure(azure_openai_api_key=None), {}, lambda: EMBEDDED, credential=missing)
    with pytest.raises(SettingsError, match=r"model \(azure\): .*dialtone\[azure\]"):
        subject.of(agent("{provider: azure, auth: entra}"))


def test_sessions_are_counted_by_provider_and_key_for_all_agents_together() -> None:
    settings = azure(openai_api_key=SecretStr("sk"), openai_max_sessions=7, azure_openai_max_sessions=3)
    subject = choices(settings, {"A": "1", "B": "2"})
    own, fallback, local = subject.of(
        agent("{provider: openai, fallbacks: [{provider: azure}, {provider: local}]}"),
    )
    (again,) = subject.of(agent("{provider: openai, name: gpt-realtime}"))
    assert own.account is again.account
    assert own.account is not None
    assert fallback.account is not None
    assert (own.account.name, own.account.max_sessions) == ("openai", 7)
    assert (fallback.account.name, fallback.account.max_sessions) == ("azure", 3)
    assert local.account is None
    server = "{{provider: compatible, base_url: 'http://h/v1', name: m, api_key_env: {}}}"
    first, second, third = (subject.of(agent(server.format(key)))[0].account for key in "ABA")
    assert first is third
    assert first is not second


def test_everything_the_file_says_reaches_the_session() -> None:
    model = (
        "{provider: openai, voice: {id: voice_1}, audio_format: pcmu, transcription: {model: whisper-1, language: en}, "
        "noise_reduction: near_field, max_output_tokens: 500, speed: 1.1, tool_choice: {name: find}, "
        "truncation: {retention_ratio: 0.8}, reasoning_effort: low, fallbacks: [{provider: local, speed: 0.9, "
        "noise_reduction: off, max_output_tokens: inf, transcription: off, tool_choice: none}]}"
    )
    tools = "tools: [{name: find, sql: {query: select 1}}]\nturn_detection: {type: semantic_vad, eagerness: low}"
    own, fallback = choices(Settings(openai_api_key=SecretStr("sk"))).of(agent(model, tools))
    assert own.setup == ModelSetup(
        instructions="p",
        voice=VoiceId("voice_1"),
        turn_detection=SemanticVad("low"),
        language="ko-KR",
        transcription_model="whisper-1",
        transcription_language="en",
        audio_format=ULAW_8K,
        noise_reduction="near_field",
        max_output_tokens=500,
        speed=1.1,
        tool_choice=NamedTool("find"),
        truncation=Retention(0.8),
        reasoning_effort="low",
    )
    assert fallback.setup == ModelSetup(
        instructions="p",
        voice="default",
        turn_detection=SemanticVad("low"),
        language="ko-KR",
        transcription_model=None,
        audio_format=ULAW_8K,
        max_output_tokens="inf",
        speed=0.9,
        tool_choice="none",
    )


def test_the_preview_alone_has_a_temperature() -> None:
    model = "{provider: azure, api_version: 2025-04-01-preview, temperature: 0.7}"
    more = "turn_detection: {threshold: 0.7, prefix_padding_ms: 200, silence_duration_ms: 600}"
    setup = only(model, azure(), more=more).setup
    assert (setup.temperature, setup.turn_detection) == (0.7, ServerVad(0.7, 200, 600))
    assert setup.audio_format == PCM16_24K


REACHED: list[dict[str, object]] = [
    {"provider": "local"},
    {"provider": "openai"},
    {"provider": "tokenlab"},
    {"provider": "compatible", "base_url": "http://127.0.0.1:9/v1", "name": "m"},
    {"provider": "azure"},
    {"provider": "azure", "deployment": "gpt-realtime-2", "api_version": "v1"},
    {"provider": "azure", "api_version": "2025-04-01-preview"},
]
SETTINGS: dict[str, list[object]] = {
    "name": ["gpt-realtime-2.1", "gpt-realtime", "gpt-4o-realtime-preview", "gpt-realtime-3", "orders"],
    "voice": ["marin", "alloy", "nova", {"id": "voice_1"}],
    "transcription": ["off", None, {"model": "whisper-1"}, {"language": "ko"}],
    "noise_reduction": ["near_field", "off"],
    "max_output_tokens": [1, 4096, "inf"],
    "temperature": [0.6, 1.2],
    "speed": [0.25, 1.5],
    "tool_choice": ["auto", "none", "required", {"name": "find"}],
    "truncation": ["auto", "disabled", {"retention_ratio": 0.5}],
    "reasoning_effort": ["low", "xhigh"],
    "session_limit_s": [60],
    "reconnect": ["never", "within_call"],
}
SOME: st.SearchStrategy[dict[str, object]] = st.lists(
    st.sampled_from([(key, value) for key, values in SETTINGS.items() for value in values]), max_size=3
).map(dict)
MODELS: st.SearchStrategy[dict[str, object]] = st.builds(
    lambda reached, some: reached | some, st.sampled_from(REACHED), SOME
)
WHOLE_SESSIONS: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {"model": MODELS | st.builds(lambda own, other: own | {"fallbacks": [other]}, MODELS, MODELS)},
    optional={"turn_detection": st.sampled_from([{"type": "semantic_vad"}, {"threshold": 0.1}])},
)


@given(WHOLE_SESSIONS, st.sampled_from([None, "2025-04-01-preview"]))
@settings(deadline=None, max_examples=200)  # the machine may be busy
def test_what_is_taken_is_something_that_the_protocol_has(keys: dict[str, object], version: str | None) -> None:
    least = {"agent": "a", "prompt": "p", "disclosure": {"text": "AI"}}
    tools = [{"name": "find", "sql": {"query": "select 1"}}]
    loaded = read(Path("a.yaml"), json.dumps(least | {"tools": tools} | keys).encode())
    if not isinstance(loaded, AgentFile):
        assert all("; " in mistake.message for mistake in loaded.mistakes), "each says what to write"
        return
    keyed = azure(openai_api_key=SecretStr("k"), tokenlab_api_key=SecretStr("k"), openai_api_version=version)
    taken: tuple[ModelChoice, ...] = ()
    refused = ""
    try:
        taken = choices(keyed).of(loaded)
    except SettingsError as error:
        refused = str(error)
    assert not refused or "azure" in refused, "only there does the environment have a say beyond the keys"
    for choice in taken:
        session = session_settings(choice.setup, choice.target.dialect)
        if choice.target.dialect is Dialect.GA:
            assert client_faults({"type": "session.update", "session": session}) == []
            assert choice.setup.temperature is None
        else:
            assert choice.setup.truncation is None
            assert choice.setup.reasoning_effort is None
