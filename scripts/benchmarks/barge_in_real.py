"""The same over real sockets: the service in a process of its own, a scripted model, the offline carrier's calls."""

import asyncio
import os
import random
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from app.carrier.call import CallPlan, place_call
from app.carrier.judge import Interruption, late_audio
from app.carrier.line import Line
from app.carrier.record import await_record
from app.carrier.report import CallReport
from app.carrier.steps import HangUp, WaitMs
from scripts.benchmarks.measure import Desk, Tally
from scripts.benchmarks.model import Model, Session

_ROOT = Path(__file__).parents[2]
_CALL_S = 24
_INTERRUPTIONS_A_CALL = 4
"""Fewer than there will be."""
_AT_ONCE = 2
_START_S = 60.0
_RECORD_S = 10.0
_BEFORE, _BEHIND = 800, 480
"""Samples around a clear in which the carrier must have kept time: 100 ms before and 60 ms behind it."""
_AGENT = """
agent: interrupted
phone_numbers: ["+15550100"]
model: {provider: openai}
prompt: Be brief.
disclosure: {text: "You are speaking with an AI."}
barge_in: {mode: immediate}
"""
"""Immediate, for a scripted model has no voice of a caller that our own ear could hear."""


class _RandomModel(Model):
    """Hears the caller at random moments of its replies."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        super().__init__(desk)
        self.chance = chance
        self._listening: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: _RandomSession(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}/v1"

    def stop(self) -> None:
        if self._listening is not None:
            self._listening.close()


class _RandomSession(Session):
    def __init__(self, model: _RandomModel) -> None:
        super().__init__(model)
        self._chance = model.chance

    def _interruption(self) -> float | None:
        return self._chance.uniform(0.4, 5.0)


class RealRun:
    """What the calls gave. reports: those with a record beside them."""

    def __init__(self, reports: list[CallReport], tally: Tally) -> None:
        self.reports = reports
        self.truncates, self.refused = tally.truncates, tally.truncates_refused
        self.failures = [failure for report in reports for failure in report.failures]
        self.failures += [report.record_missing for report in reports if report.record is None]

    def judged(self) -> tuple[list[tuple[Line, Interruption]], int]:
        """Return every interruption whose truth is known, with the line of its call; and how many are left out.

        Left out is what happened while the carrier itself was late: the `clear` may have waited for it.
        """
        judged: list[tuple[Line, Interruption]] = []
        left_out = 0
        for report in self.reports:
            if not report.streams:
                continue
            stream = report.streams[0].stream
            for each in report.interruptions():
                if each.at is None or each.error_ms is None:
                    continue
                if any(each.at - _BEFORE <= at <= each.at + _BEHIND for at in stream.traffic.late_at):
                    left_out += 1
                else:
                    judged.append((stream.line, each))
        return judged, left_out

    def late_samples(self) -> int:
        playouts = [stream.playout for report in self.reports for stream in report.streams]
        return sum(late_audio(playout, number) for playout in playouts for number in range(len(playout.cleared)))


async def interrupt(count: int, seed: int, folder: Path) -> RealRun:
    """Hold calls until about so many interruptions have happened."""
    chance = random.Random(seed)
    desk = Desk()
    model = _RandomModel(desk, chance)
    await model.start()
    try:
        async with _service(model.url, folder) as url:
            plans = [
                CallPlan(url=url, steps=(WaitMs(_CALL_S * 1000), HangUp()), line=_line(number, chance))
                for number in range(max(1, -(-count // _INTERRUPTIONS_A_CALL)))
            ]
            turns = asyncio.Semaphore(_AT_ONCE)

            async def place(plan: CallPlan) -> CallReport:
                async with turns:
                    return await place_call(plan)

            reports = await asyncio.gather(*(place(plan) for plan in plans))
            for report in reports:
                path = folder / "data" / "records" / f"{report.call_sid}.json"
                record = await asyncio.to_thread(await_record, path, _RECORD_S)
                if isinstance(record, str):
                    report.record_missing = record
                else:
                    report.record = record
    finally:
        model.stop()
    return RealRun(list(reports), desk.tally)


def _line(number: int, chance: random.Random) -> Line:
    """Every second call over a perfect line."""
    if number % 2 == 0:
        return Line()
    to_carrier_ms, to_service_ms = chance.randint(0, 300), chance.randint(0, 300)
    return Line(to_carrier_ms, to_service_ms, jitter_ms=chance.randint(0, 60), seed=chance.randrange(2**31))


@asynccontextmanager
async def _service(model_url: str, folder: Path) -> AsyncIterator[str]:
    """Run the service as an operator starts it, until the block ends."""
    agents = folder / "agents"
    agents.mkdir()
    (agents / "interrupted.yaml").write_text(_AGENT)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV", "LANG") if name in os.environ}
    environment = {
        "PORT": str(port),
        "AGENTS_DIR": str(agents),
        "DATA_DIR": str(folder / "data"),
        "OPENAI_API_KEY": "benchmark",
        "OPENAI_BASE_URL": model_url,
    }
    with (folder / "service.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "serve"), cwd=_ROOT, env={**inherited, **environment}, stdout=log, stderr=log
        )
    try:
        await _ready(f"http://127.0.0.1:{port}", process, folder / "service.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(_START_S), httpx.AsyncClient() as client:
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"the service ended at once: {_end_of(log)}")
            try:
                if (await client.get(f"{url}/readyz")).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            await asyncio.sleep(0.1)


def _end_of(log: Path) -> str:
    return log.read_text()[-2000:]
