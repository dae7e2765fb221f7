"""The service and a model, each a process of its own as an operator starts it, for measuring over real sockets."""

import asyncio
import os
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

_ROOT = Path(__file__).parents[2]
_START_S = 90.0
EMBEDDED = ("app", "model", "--port", "0")
"""The module and the arguments of the embedded model."""


@asynccontextmanager
async def model(*command: str) -> AsyncIterator[int]:
    """Run a module with arguments, which prints the URL of the model it serves; give its port, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command), cwd=_ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_S):
            line = (await process.stdout.readline()).decode()
        if not line:
            raise RuntimeError(f"{' '.join(command)} ended before it served anything; it says above why")
        yield int(line.rsplit(":", 1)[1].split("/", 1)[0])
    finally:
        await _end(process)


@asynccontextmanager
async def service(folder: Path, agents: Mapping[str, str]) -> AsyncIterator[str]:
    """Run the service with these agents, by name; give its URL, until the block ends.

    folder: for agents/, data/ with the records and the one order, 1042, and service.log, which is whole once the block
    has ended. The key of models is in MODEL_KEY.
    """
    (folder / "agents").mkdir()
    for name, text in agents.items():
        (folder / "agents" / f"{name}.yaml").write_text(text)
    (folder / "data").mkdir()
    with sqlite3.connect(folder / "data" / "orders.db") as database:
        database.execute("create table orders (number text primary key, status text, eta text)")
        database.execute("insert into orders values ('1042', 'shipped', '2026-11-25')")
    database.close()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV", "LANG") if name in os.environ}
    environment = {
        "PORT": str(port),
        "AGENTS_DIR": str(folder / "agents"),
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": "sqlite:///orders.db",
        "MODEL_KEY": "benchmark",
    }
    with (folder / "service.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "serve"), cwd=_ROOT, env={**inherited, **environment}, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(_START_S), httpx.AsyncClient() as client:
            while not await _is_ready(client, url):
                if process.returncode is not None:
                    raise RuntimeError(f"the service ended at once: {(folder / 'service.log').read_text()[-2000:]}")
                await asyncio.sleep(0.1)
        yield url
    finally:
        await _end(process)


def model_block(port: int) -> str:
    """Return what stands under `model:` for a model on this port."""
    return (
        "  provider: compatible\n  name: local\n  api_key_env: MODEL_KEY\n" + f"  base_url: http://127.0.0.1:{port}/v1"
    )


def orders_agent(name: str, number: str, model_port: int) -> str:
    """Return the sample's agent file with another name, telephone number and model."""
    sample = (_ROOT / "deploy" / "agents" / "acme-orders.yaml").read_text()
    text = sample.replace("agent: acme-orders ", f"agent: {name} ").replace("default: true", "default: false")
    text = text.replace("+15550100", number)
    return text.replace("  provider: local", model_block(model_port))


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/readyz")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False  # it does not listen yet


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()
