"""The same over real sockets: the service, the embedded model behind relays that break, the offline carrier's calls."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.carrier.call import CallPlan, place_call
from app.carrier.record import await_record
from app.carrier.report import CallReport
from app.carrier.steps import AgentDoes, HangUp, Say, Step, WaitForAgent
from app.local.spoken import spoken
from app.local.voice import caller_voice
from app.local.workers import Mouth
from scripts.benchmarks import table
from scripts.benchmarks.real_service import EMBEDDED, model, orders_agent, service

_LANES = 2
"""Calls at once."""
_CALL_S = 36.0
"""A call, about."""
_RECORD_S = 20.0
_FIRST_S, _LAST_S = 0.5, 30.0
_STEPS: tuple[Step, ...] = (
    WaitForAgent(AgentDoes.ENDS),
    Say("Where is my order? The number is one zero four two."),
    WaitForAgent(AgentDoes.ENDS),
    Say("When will it arrive?"),
    WaitForAgent(AgentDoes.ENDS),
    Say("That is all. Goodbye."),
    WaitForAgent(AgentDoes.ENDS),
    HangUp(),
)


@dataclass(frozen=True, slots=True)
class RealCase:
    """One call. gap_s: the longest silence from the caller's words to the agent's; is_told: the order's state was."""

    lost_at_s: float
    losses: int
    outcome: str
    is_told: bool
    gap_s: float
    failures: tuple[str, ...]


class _Relay:
    """Passes bytes between the service and the model, until it breaks what is open."""

    def __init__(self, port: int) -> None:
        self._model_port = port
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.break_off()

    def break_off(self) -> None:
        """Reset every connection, both sides of it."""
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beyond, to_model = await asyncio.open_connection("127.0.0.1", self._model_port)
        self._open |= {writer, to_model}
        await asyncio.gather(_pass_on(reader, to_model), _pass_on(beyond, writer))
        self._open -= {writer, to_model}


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # broken off
    finally:
        writer.close()


async def lose(count: int, seed: int, folder: Path) -> list[RealCase]:
    """Hold so many calls, each of which loses its model's connection once."""
    chances = random.Random(seed)
    mouth = Mouth()
    over = 0
    print(
        f"\nOver real sockets, the model's connection reset once in each of {count} calls; {_LANES} at a time, so this "
        f"takes about {max(1, round(count * _CALL_S / _LANES / 60))} min.",
        flush=True,
    )
    async with model(*EMBEDDED) as port, _lanes(port) as relays, service(folder, _agents(relays)) as url:
        waiting: asyncio.Queue[int] = asyncio.Queue()
        for lane in range(len(relays)):
            waiting.put_nowait(lane)

        async def speak(text: str, language: str) -> bytes:
            return await mouth.speak(spoken(text, language), caller_voice(language))

        async def hold(at_s: float) -> RealCase:
            lane = await waiting.get()
            breaking = asyncio.get_running_loop().call_later(at_s, relays[lane].break_off)
            try:
                plan = CallPlan(url, to_number=_number(lane), steps=_STEPS, max_s=120.0)
                report = await place_call(plan, speak=speak)
            finally:
                breaking.cancel()
                waiting.put_nowait(lane)
            nonlocal over
            over += 1
            table.progress(f"{over} of {count} calls are over, with the model lost after {at_s:.1f} s in this one")
            return await _judged(report, at_s, folder)

        moments = [chances.uniform(_FIRST_S, _LAST_S) for _ in range(count)]
        cases = await asyncio.gather(*(hold(at_s) for at_s in moments))
    await mouth.close()
    return list(cases)


async def _judged(report: CallReport, at_s: float, folder: Path) -> RealCase:
    path = folder / "data" / "records" / f"{report.call_sid}.json"
    missing = await asyncio.to_thread(await_record, path, _RECORD_S)
    if isinstance(missing, str):
        return RealCase(at_s, 0, missing, False, 0.0, (*report.failures, missing))
    record = json.loads(path.read_text())
    said = " ".join(turn["heard"] or "" for turn in record["turns"] if turn["speaker"] == "agent").lower()
    answered = [report.answered_after_ms(number) for number in range(len(report.spoken))]
    gap_ms = max((each for each in answered if each is not None), default=0)
    failures = tuple(report.failures)
    told = "shipped" in said
    return RealCase(at_s, int(record["model_losses"]), str(record["outcome"]), told, gap_ms / 1000, failures)


def _number(lane: int) -> str:
    return f"+1555010{lane}"


@asynccontextmanager
async def _lanes(port: int) -> AsyncIterator[list[_Relay]]:
    relays = [_Relay(port) for _ in range(_LANES)]
    for relay in relays:
        await relay.start()
    try:
        yield relays
    finally:
        for relay in relays:
            relay.stop()


def _agents(relays: list[_Relay]) -> dict[str, str]:
    return {
        f"lane-{lane}": orders_agent(f"lane-{lane}", _number(lane), relay.port) for lane, relay in enumerate(relays)
    }
