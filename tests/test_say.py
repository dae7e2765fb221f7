"""`dialtone say`: what it prints, what it writes, how it ends; a process of its own where a model is spoken to."""

import asyncio
import json
import os
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app.audio import wav
from app.bridge import typed_talk
from app.cli import run
from tests.support.captured_logs import captured_logs
from tests.support.service import ORDERS_AGENT, ROOT
from tests.support.stand_in_model import StandInModel
from tests.support.stand_in_providers import AZURE, AZURE_PREVIEW, COMPATIBLE, TOKENLAB, Provider

PATIENCE_S = 60.0
PLAIN = """
agent: plain
model: {provider: openai}
prompt: Be brief.
disclosure: {text: "This is an AI."}
"""


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


async def say(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, stdout: int = PIPE) -> Said:
    """Run the command in that folder, with the agents that lie there."""
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "VIRTUAL_ENV")}
    own = {"PYTHONPATH": str(ROOT), "AGENTS_DIR": str(folder), "DATA_DIR": str(folder)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "say", *arguments),
        cwd=folder,
        env=inherited | own | dict(environment or {}),
        stdout=stdout,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Said(process.returncode, (out or b"").decode(), err.decode())


def spoken_to(
    play: Callable[[StandInModel], Coroutine[object, object, None]], folder: Path, *arguments: str, stdout: int = PIPE
) -> Said:
    """Run the command against a stand-in for the vendor that plays its part."""

    async def scenario() -> Said:
        async with StandInModel() as model:
            playing = asyncio.create_task(play(model))
            environment = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": model.base_url}
            said = await say(folder, *arguments, environment=environment, stdout=stdout)
            await playing
            return said

    return asyncio.run(scenario())


def test_the_embedded_model_looks_an_order_up_and_its_voice_is_a_wav_file(tmp_path: Path) -> None:
    agent = ORDERS_AGENT.replace("provider: PROVIDER", "provider: local, audio_format: pcmu")
    (tmp_path / "orders.yaml").write_text(agent)
    with sqlite3.connect(tmp_path / "dialtone.db") as orders:
        orders.execute("create table orders (number text primary key, status text, eta text)")
        orders.execute("insert into orders values ('1042', 'shipped', '2026-11-25')")
    orders.close()

    said = asyncio.run(say(tmp_path, "--agent", "orders", "Where is my order 1042?", "Thank you, goodbye."))

    assert said.code == 0, said.err
    assert "shipped" in said.out
    lines = said.err.splitlines()
    assert lines[:3] == ["> Where is my order 1042?", "tool lookup_order: ok", "> Thank you, goodbye."]
    sound = wav.read(tmp_path / "say.wav")
    assert (sound.rate_hz, sound.channels) == (24_000, 1)
    assert lines[3] == f"say.wav: {sound.duration_ms / 1000:.1f} s"
    assert sound.duration_ms > 2000
    samples = np.frombuffer(sound.pcm, dtype="<i2").astype(np.float64)
    assert 200 < np.sqrt(np.mean(samples**2)) < 8000  # a voice: neither silence nor noise from a wrong format


def test_what_a_model_writes_is_spoken_by_the_agents_own_voice(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(PLAIN + "voice: {provider: local}\n")

    async def play(model: StandInModel) -> None:
        connection = await model.next_connection()
        settings = await connection.expect("session.update")
        assert settings["session"]["output_modalities"] == ["text"]  # type: ignore[index]  # JSON
        await connection.wait_for("response.create")
        await connection.reply_in_text("Good morning. How can I help?")

    said = spoken_to(play, tmp_path, "--agent", "plain.yaml", "Hello.")
    assert (said.code, said.out) == (0, "Good morning. How can I help?\n")
    sound = wav.read(tmp_path / "say.wav")
    assert 1000 < sound.duration_ms < 5000
    samples = np.frombuffer(sound.pcm, dtype="<i2").astype(np.float64)
    assert 200 < np.sqrt(np.mean(samples**2)) < 8000


def test_words_are_printed_and_turns_told_also_as_json(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(PLAIN)

    async def play(model: StandInModel) -> None:
        connection = await model.next_connection()
        await connection.wait_for("response.create")
        await connection.reply("Good morning.", ms=500)

    said = spoken_to(play, tmp_path, "--agent", "plain.yaml", "Hello.", "--out", "new/hello.wav")
    assert (said.code, said.out) == (0, "Good morning. \n")
    assert said.err == "> Hello.\nnew/hello.wav: 0.5 s\n"
    assert wav.read(tmp_path / "new" / "hello.wav").duration_ms == 500

    said = spoken_to(play, tmp_path, "--agent", "plain", "Hello.", "--json")
    assert said.code == 0
    told = json.loads(said.out)
    assert (told["agent"], told["model"], told["audio"]) == ("plain", "gpt-realtime-2.1", "say.wav")
    assert told["error"] is None
    (turn,) = told["turns"]
    assert (turn["text"], turn["answer"], turn["audio_ms"], turn["tool_calls"]) == ("Hello.", "Good morning.", 500, [])
    assert turn["usage"]["output_tokens"] == 10


def test_what_was_said_before_the_model_left_is_written(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(PLAIN)

    async def play(model: StandInModel) -> None:
        connection = await model.next_connection()
        await connection.wait_for("response.create")
        await connection.reply("Good morning.", ms=500)
        await connection.wait_for("response.create")
        connection.drop()
        connection = await model.next_connection()
        await connection.wait_for("response.create")
        connection.drop()

    said = spoken_to(play, tmp_path, "--agent", "plain", "Hello.", "And now?")
    assert said.code == 1
    assert "close_1006; asking again in a new session" in said.err
    assert "dialtone say: gpt-realtime-2.1 was lost amid the conversation: close_1006" in said.err
    assert wav.read(tmp_path / "say.wav").duration_ms == 500


def test_a_reader_that_has_seen_enough_does_not_cost_the_file(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(PLAIN)

    async def play(model: StandInModel) -> None:
        connection = await model.next_connection()
        await connection.wait_for("response.create")
        await connection.reply("Good morning.", ms=500)

    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        said = spoken_to(play, tmp_path, "--agent", "plain", "Hello.", stdout=write_end)
    finally:
        os.close(write_end)
    assert (said.code, said.err) == (0, "> Hello.\nsay.wav: 0.5 s\n")
    assert wav.read(tmp_path / "say.wav").duration_ms == 500


@pytest.mark.parametrize(
    ("provider", "model", "environment"),
    [
        (AZURE, "{provider: azure}", {"AZURE_OPENAI_ENDPOINT": "BASE", "AZURE_OPENAI_DEPLOYMENT_NAME": "voices"}),
        (
            AZURE_PREVIEW,
            "{provider: azure, deployment: voices}",
            {"AZURE_OPENAI_ENDPOINT": "BASE", "OPENAI_API_VERSION": "2025-04-01-preview"},
        ),
        (TOKENLAB, "{provider: tokenlab, name: gpt-realtime-2.1, audio_format: pcmu}", {"TOKENLAB_BASE_URL": "BASE"}),
        (COMPATIBLE, "{provider: compatible, base_url: 'BASE', name: m, api_key_env: GATEWAY_KEY}", {}),
    ],
    ids=["azure", "azure-preview", "tokenlab", "compatible"],
)
def test_any_provider_is_spoken_to(tmp_path: Path, provider: Provider, model: str, environment: dict[str, str]) -> None:
    async def scenario() -> None:
        async with StandInModel(provider=provider) as server:
            agent = PLAIN.replace("{provider: openai}", model).replace("BASE", server.base_url)
            (tmp_path / "plain.yaml").write_text(agent)
            settings = {name: value.replace("BASE", server.base_url) for name, value in environment.items()}
            keys = dict.fromkeys(("AZURE_OPENAI_API_KEY", "TOKENLAB_API_KEY", "GATEWAY_KEY"), "sk-test")
            saying = asyncio.create_task(say(tmp_path, "--agent", "plain.yaml", "Hello.", environment=settings | keys))
            connection = await server.next_connection()
            await connection.wait_for("response.create")
            await connection.reply("Good morning.", ms=480)
            said = await saying
            assert (said.code, said.out) == (0, "Good morning. \n"), said.err

    asyncio.run(scenario())
    sound = wav.read(tmp_path / "say.wav")
    # the stand-in's bytes are those of 480 ms of PCM16, which as G.711 last six times as long
    assert (sound.rate_hz, sound.duration_ms) == (24_000, 2880 if "pcmu" in model else 480)


def test_a_model_that_has_no_realtime_is_refused_with_those_that_have(tmp_path: Path) -> None:
    async def scenario() -> Said:
        async with StandInModel(provider=TOKENLAB) as server:
            (tmp_path / "plain.yaml").write_text(PLAIN.replace("openai", "tokenlab, name: chat-only"))
            environment = {"TOKENLAB_API_KEY": "sk-test", "TOKENLAB_BASE_URL": server.base_url}
            return await say(tmp_path, "--agent", "plain", "Hello.", environment=environment)

    said = asyncio.run(scenario())
    assert (said.code, said.out) == (1, "")
    assert "chat-only is no realtime model of TokenLab; those that are: " in said.err


@pytest.fixture
def agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that the command's environment names, with the plain agent in it."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HOST", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AGENTS_DIR", str(tmp_path))
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.yaml").write_text(PLAIN)
    with captured_logs():  # the command sends logs elsewhere; afterwards they go where they went before
        yield tmp_path


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("--agent", "plane", "Hello."), "no agent of that id in"),
        (("--agent", "plane", "Hello."), "where there are: plain; write one of these ids"),
        (("--agent", "other.yaml", "Hello."), "--agent other.yaml: there is no such file"),
        (("--agent", "plain", " "), "TEXT has no words; write what the caller says"),
        (("--agent", "plain", "Hello.", "--out", "say.mp3"), "write one that ends in .wav"),
        (("--agent", "plain", "Hello."), "set OPENAI_API_KEY"),
    ],
)
def test_what_is_asked_wrong_is_told_with_what_to_write(
    agents: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], advice: str
) -> None:
    assert run(["say", *arguments]) == 2
    told = capsys.readouterr()
    assert (told.out, "dialtone say: " in told.err, advice in told.err) == ("", True, True)
    assert sorted(path.name for path in agents.iterdir()) == ["plain.yaml"]


def test_a_mistaken_agent_file_is_told_as_check_tells_it(agents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (agents / "plain.yaml").write_text(PLAIN.replace("prompt", "promt"))
    assert run(["say", "--agent", "plain.yaml", "Hello."]) == 1
    assert "plain.yaml:4:1: promt: unknown" in capsys.readouterr().err
    assert run(["say", "--agent", "plain", "Hello."]) == 2
    assert "plain.yaml:4:1: promt: unknown" in capsys.readouterr().err


def test_a_model_that_cannot_be_reached_is_told(
    agents: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setattr(typed_talk, "PAUSES_S", (0.0,))
    assert run(["say", "--agent", "plain", "Hello."]) == 1
    told = capsys.readouterr().err
    assert "dialtone say: gpt-realtime-2.1 could not be reached: connect_refused (check the base URL" in told
    assert not (agents / "say.wav").exists()


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["say", "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert 'dialtone say --agent acme-orders "Where is my order 1042?"' in told
    assert "exit code: 0 it answered" in told
