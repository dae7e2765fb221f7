"""When the service says that it can take a call, by the models that its agents have."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from app import server
from app.errors import SettingsError
from app.server import Service
from app.settings import Settings
from tests.support.captured_logs import captured_logs

AGENT = 'agent: {0}\nphone_numbers: ["+1555010{1}"]\nmodel: {2}\nprompt: p\ndisclosure: {{text: "An AI."}}\n'
LOCAL = "{provider: local}"
BOTH = "{provider: openai, fallbacks: [{provider: local}]}"


class Embedded:
    """The embedded model, as far as the service knows it."""

    made: ClassVar[list["Embedded"]] = []
    """Of one test; its fixture empties it."""

    def __init__(self) -> None:
        self.url = ""
        self.is_running = False
        self.made.append(self)

    async def start(self) -> None:
        self.url = "ws://127.0.0.1:9/v1/realtime"
        self.is_running = True

    async def close(self) -> None:
        self.is_running = False


@pytest.fixture(autouse=True)
def _without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(server, "EmbeddedModel", Embedded)
    Embedded.made.clear()


def serving(tmp_path: Path, models: dict[str, str], look: Callable[[Service], None], **environment: object) -> None:
    """Start a service with agents of these models and look at it."""

    async def scenario() -> None:
        for number, (name, model) in enumerate(models.items()):
            (tmp_path / f"{name}.yaml").write_text(AGENT.format(name, number, model))
        settings = Settings.model_validate({"agents_dir": tmp_path, "data_dir": tmp_path / "data", **environment})
        service = Service(settings, address="http://127.0.0.1:8080")
        try:
            await service.start()
            look(service)
        finally:
            await service.stop()

    asyncio.run(scenario())


def test_without_the_embedded_model_there_is_no_call_if_no_agent_has_another(tmp_path: Path) -> None:
    def look(service: Service) -> None:
        assert service.readiness().ok
        Embedded.made[0].is_running = False
        assert service.readiness().reason == "embedded_model_down"

    serving(tmp_path, {"a": LOCAL, "b": "{fallbacks: [{provider: local, voice: other}]}"}, look)


def test_an_agent_with_another_model_can_do_without_the_embedded_one(tmp_path: Path) -> None:
    def look(service: Service) -> None:
        assert Embedded.made[0].is_running, "a fallback needs it"
        Embedded.made[0].is_running = False
        assert service.readiness().ok

    serving(tmp_path, {"a": BOTH}, look, openai_api_key=SecretStr("sk"))


def test_an_agent_whose_fallback_lacks_its_key_is_not_ready_and_says_so(tmp_path: Path) -> None:
    def look(service: Service) -> None:
        readiness = service.readiness()
        assert (readiness.ok, readiness.reason) == (False, "no_agent")
        told = readiness.details["agents_not_ready"]
        assert isinstance(told, dict)
        assert told["a"].startswith("model.fallbacks[0] (tokenlab): the model's key is empty: set TOKENLAB_API_KEY")
        door = service.door()
        agent = door.agent_for("+15550100")
        assert agent is not None, "somebody answers that number, though not now"
        assert not door.is_ready(agent)

    serving(tmp_path, {"a": "{fallbacks: [{provider: tokenlab}]}"}, look)


def test_all_agents_count_their_sessions_on_the_same_account(tmp_path: Path) -> None:
    def look(service: Service) -> None:
        agents = [service.registry.for_number(number) for number in ("+15550100", "+15550101")]
        (first,), (second,) = (service.accounts_of(agent) for agent in agents if agent is not None)
        assert first is not None
        assert first is second
        assert service.readiness().ok
        assert first.enter()
        assert service.readiness().reason == "full"

    openai = "{provider: openai}"
    serving(tmp_path, {"a": openai, "b": openai}, look, openai_api_key=SecretStr("sk"), openai_max_sessions=1)


def test_a_limit_on_the_cost_of_models_without_a_price_is_said_to_have_no_effect(tmp_path: Path) -> None:
    def look(service: Service) -> None:
        assert service.readiness().ok
        assert service.readiness().details["costs_unknown"] == {
            "b": ["compatible m"],
            "c": ["openai whisper-1", "compatible m"],
        }

    server_of_m = "{provider: compatible, base_url: 'http://127.0.0.1:9/v1', name: m}"
    limited = "\nlimits: {max_cost_usd: 2.0}"
    models = {
        "a": "{provider: openai, fallbacks: [{provider: local}]}" + limited,
        "b": server_of_m + limited,
        "c": f"{{provider: openai, transcription: {{model: whisper-1}}, fallbacks: [{server_of_m}]}}" + limited,
        "d": server_of_m,
    }
    with captured_logs() as logs:
        serving(tmp_path, models, look, openai_api_key=SecretStr("sk"))
    told = [line for line in logs.lines if line["event"] == "cost.unknown"]
    assert [(line["agent"], line["models"]) for line in told] == [
        ("b", ["compatible m"]),
        ("c", ["openai whisper-1", "compatible m"]),
    ]
    assert "max_cost_usd cannot end calls that have used compatible m, until deploy/prices.yaml has" in str(told[0])


def test_agents_that_are_looked_for_where_no_folder_is_stop_the_start(tmp_path: Path) -> None:
    settings = Settings.model_validate({"agents_dir": tmp_path / "agent", "data_dir": tmp_path / "data"})
    with pytest.raises(SettingsError, match=r"AGENTS_DIR: .*/agent is no folder; name the one that holds"):
        Service(settings, address="http://127.0.0.1:8080")


def test_a_database_that_does_not_answer_is_told_and_holds_nobody_back(tmp_path: Path) -> None:
    tool = "tools: [{name: find, sql: {query: select 1}}]\n"
    (tmp_path / "shop.yaml").write_text(AGENT.format("shop", 0, LOCAL) + tool)

    def look(service: Service) -> None:
        ready = service.readiness()
        assert ready.ok
        (told,) = ready.details["databases_silent"]["shop"]  # type: ignore[index] # by agent
        assert told == "DATABASE_URL: the database does not answer (OperationalError); lookups fail until it does"

    serving(tmp_path, {}, look)
