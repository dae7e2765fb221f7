"""The two that are measured, the service and the naive bridge, each a process on the one core that is theirs."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks.callers import ACCOUNT, DIALLED, TOKEN
from scripts.benchmarks.measure import Meter

ROOT = Path(__file__).parents[2]
_START_S = 60.0

_AGENT = f"""
agent: load
phone_numbers: ["{DIALLED}"]
model: {{provider: openai, audio_format: AUDIO_FORMAT}}
prompt: Be brief.
disclosure: {{text: "You are speaking with an AI."}}
barge_in: {{mode: immediate}}
"""
"""Without a greeting, so that the model begins, as the naive bridge has it begin; and as with that, the model's voice
detector decides what an interruption is (what our own ear costs: `bench hearing`)."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A running bridge. address: http://host:port; log: what it wrote."""

    name: str
    address: str
    meter: Meter
    log: Path


def cores() -> tuple[int | None, set[int]]:
    """Return the core for who is measured and those for all else; None where processes cannot be bound to cores."""
    if not hasattr(os, "sched_getaffinity"):
        return None, set()
    mine = sorted(os.sched_getaffinity(0))
    return (mine[-1], set(mine[:-1])) if len(mine) > 1 else (None, set(mine))


@asynccontextmanager
async def service(model_url: str, core: int | None, folder: Path, audio_format: str) -> AsyncIterator[Bridge]:
    """Run the service as an operator starts it. model_url: where its agent's model is; audio_format: as in its file."""
    agents = folder / "agents"
    agents.mkdir()
    (agents / "load.yaml").write_text(_AGENT.replace("AUDIO_FORMAT", audio_format))
    port = _free_port()
    environment = {
        "PORT": str(port),
        "AGENTS_DIR": str(agents),
        "DATA_DIR": str(folder / "data"),
        "MAX_CALLS": "10000",
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "OPENAI_API_KEY": "benchmark",
        "OPENAI_BASE_URL": model_url,
    }
    async with _process("service", ("-m", "app", "serve"), environment, port, core, folder) as bridge:
        yield bridge


@asynccontextmanager
async def naive(model_url: str, core: int | None, folder: Path) -> AsyncIterator[Bridge]:
    """Run the naive bridge."""
    port = _free_port()
    environment = {"MODEL_URL": f"{model_url.replace('http', 'ws', 1)}/realtime"}
    arguments = ("-W", "ignore", "-m", "scripts.benchmarks.naive", str(port))
    async with _process("naive", arguments, environment, port, core, folder) as bridge:
        yield bridge


@asynccontextmanager
async def _process(
    name: str, arguments: tuple[str, ...], environment: dict[str, str], port: int, core: int | None, folder: Path
) -> AsyncIterator[Bridge]:
    log = folder / f"{name}.log"
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV", "LANG") if name in os.environ}

    def bind() -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})

    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=ROOT,
            env={**inherited, **environment},
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            preexec_fn=bind,
        )
    try:
        await _answers(port, process, log)
        yield Bridge(name, f"http://127.0.0.1:{port}", Meter(process.pid), log)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(10):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _answers(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until it serves; the naive bridge has no /readyz, and is ready when it says so with any status but 503."""
    async with asyncio.timeout(_START_S):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"it ended at once: {_end_of(log)}")
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = await reader.read()
                writer.close()
                if answer and b" 503 " not in answer.split(b"\r\n", 1)[0]:
                    return
            except OSError:
                pass  # it does not listen yet
            await asyncio.sleep(0.1)


def _end_of(log: Path) -> str:
    return log.read_text()[-2000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
