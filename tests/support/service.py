"""The real service in a process of its own, as an operator starts it: environment in, log lines out."""

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
TOKEN = "12345"
ACCOUNT = "AC" + "0" * 32

ORDERS_AGENT = """
agent: orders
phone_numbers: ["+15550100"]
model: {provider: PROVIDER}
prompt: You answer the telephone for Acme.
greeting: "Hello."
disclosure: {text: "This is an AI."}
tools:
  - name: lookup_order
    description: Find an order by its number.
    parameters: {type: object, properties: {order_number: {type: string}}, required: [order_number]}
    sql: {query: "select status, eta from orders where number = :order_number"}
"""


class Service:
    """A running service. lines: what it has logged by now, parsed."""

    def __init__(self, process: asyncio.subprocess.Process, data_dir: Path) -> None:
        self.process = process
        self.data_dir = data_dir
        self.lines: list[dict[str, object]] = []
        self.url = ""
        self._arrived = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def logged(self, event: str, *, times: int = 1) -> dict[str, object]:
        """Return the n-th line of that event, when it is there."""

        def found() -> list[dict[str, object]]:
            return [line for line in self.lines if line["event"] == event]

        try:
            async with asyncio.timeout(PATIENCE_S), self._arrived:
                await self._arrived.wait_for(lambda: len(found()) >= times or self._reading.done())
        except TimeoutError as error:
            raise AssertionError(f"waited for {event}; logged: {self.lines}") from error
        assert len(found()) >= times, f"the service ended without {event}; logged: {self.lines}"
        return found()[times - 1]

    async def ready(self) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.get(f"{self.url}/readyz")

    async def ended(self) -> int:
        """Return the exit code, when the process is gone."""
        async with asyncio.timeout(PATIENCE_S):
            code = await self.process.wait()
            await self._reading
        return code

    def record(self, call_sid: str) -> dict[str, object]:
        path = self.data_dir / "records" / f"{call_sid}.json"
        record: dict[str, object] = json.loads(path.read_text())
        return record

    async def close(self) -> None:
        if self.process.returncode is None:
            self.process.terminate()
            try:
                async with asyncio.timeout(5):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(json.loads(line))
            async with self._arrived:
                self._arrived.notify_all()
        async with self._arrived:
            self._arrived.notify_all()


@asynccontextmanager
async def served(tmp_path: Path, agents: Mapping[str, str], **environment: str) -> AsyncIterator[Service]:
    """Start the service on a free port and wait until it is ready. agents: file name → contents."""
    folder = tmp_path / "agents"
    folder.mkdir(exist_ok=True)
    for name, text in agents.items():
        (folder / name).write_text(text)
    data_dir = tmp_path / "data"
    data_dir.mkdir(exist_ok=True)
    with sqlite3.connect(data_dir / "dialtone.db") as orders:
        orders.execute("create table if not exists orders (number text primary key, status text, eta text)")
        orders.execute("insert or replace into orders values ('1042', 'shipped', '2026-11-25')")
    orders.close()
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "VIRTUAL_ENV")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "serve"),
        cwd=ROOT,
        env={**inherited, "PORT": "0", "AGENTS_DIR": str(folder), "DATA_DIR": str(data_dir), **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    service = Service(process, data_dir)
    try:
        service.url = str((await service.logged("service.start"))["address"])
        await service.logged("service.ready")
        yield service
    finally:
        await service.close()
