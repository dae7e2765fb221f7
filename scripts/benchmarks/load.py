"""N calls at once over the real sockets: what they cost, and how late they make a frame.

One core is for the bridge that is measured and nothing else of ours; callers and scripted model are this process, on
the other cores, and awake all the time. At each level service and naive bridge are measured one after the other, so
that a machine that changes its mood changes both.
"""

import asyncio
import gc
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

import uvloop

from scripts.benchmarks import bridges, table
from scripts.benchmarks.bridges import Bridge
from scripts.benchmarks.callers import Caller, Clockwork, place_call
from scripts.benchmarks.level import Level
from scripts.benchmarks.measure import Desk, Slice, Tally, slope, spread, stolen_s, undisturbed
from scripts.benchmarks.model import Model
from scripts.benchmarks.rows import judge
from scripts.benchmarks.wakeful import Wakeful

_FIRST_LEVELS = (1, 25, 50, 100)
_STEP = 25
_CALLS_A_SECOND = 50.0
_SETTLE_S = 4.0
"""From the last call's start on: disclosure and first reply are under way everywhere."""
_HOLD_CALLS = 50
_FILL_S = 45.0
_HOLD_S = 30.0
"""At one level the calls are held on, to see whether memory grows with their length: first until what a call keeps at
most, such as the end of its journal, is full."""
_SLICE_S = 0.25
_DISTURBED_S = 0.005
_LEAST_SLICES = 8
"""With fewer quiet ones than these a level is measured longer, at most so many times as long; if there are not enough
of them even then, the delays are told over all."""
_LONGER = 3
_FULL_SHARE = 0.97
"""Of its core: a bridge that uses so much has no higher levels, even if nobody can tell whether it was late."""
_STRAGGLERS_S = 1.0
"""A frame that takes longer has been lost."""
_LEAVE_S = 10.0


def levels_up_to(most: int) -> list[int]:
    """Return the levels that are measured one after the other until it is late."""
    return [*(level for level in _FIRST_LEVELS if level <= most), *range(_FIRST_LEVELS[-1] + _STEP, most + 1, _STEP)]


def halfway(measured: Sequence[Level]) -> int | None:
    """Return the level between the highest in time and the lowest that was late, if there is room for one."""
    in_time = max((level.calls for level in measured if not level.is_late), default=0)
    late = min((level.calls for level in measured if level.is_late), default=0)
    return (in_time + late) // 2 if late - in_time >= _STEP else None


def run(levels: Sequence[int], seconds: float, audio_format: str, json_path: Path | None) -> int:
    """Measure, print, and return 0 when every row that was measured is met, else 1. audio_format: pcm16 or pcmu."""
    core, others = bridges.cores()
    if core is not None:
        os.sched_setaffinity(0, others)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(table.heading(core, others, seconds, audio_format), flush=True)
    with tempfile.TemporaryDirectory(prefix="dialtone-bench-") as folder:
        measured = uvloop.run(_measure(levels, seconds, audio_format, core, Path(folder)))
    rows = judge(measured, audio_format)
    print(table.notes(measured))
    print(table.verdicts(rows))
    if json_path is not None:
        machine = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "core_of_the_bridge": core,
            "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        figures = {
            "machine": machine,
            "seconds": seconds,
            "audio_format": audio_format,
            "levels": [{**asdict(level), "late": level.is_late} for level in measured],
            "rows": [asdict(row) for row in rows],
        }
        json_path.write_text(json.dumps(figures, indent=1) + "\n")
    return 0 if all(row.is_met is not False for row in rows) else 1


async def _measure(
    levels: Sequence[int], seconds: float, audio_format: str, core: int | None, folder: Path
) -> list[Level]:
    measured: list[Level] = []
    async with AsyncExitStack() as stack:
        load = Load(core)
        await load.model.start()
        stack.callback(load.close)
        service = await stack.enter_async_context(bridges.service(load.model.url, core, folder, audio_format))
        naive = await stack.enter_async_context(bridges.naive(load.model.url, core, folder))
        gc.collect()
        gc.freeze()
        gc.disable()  # the load's pauses would be taken for the bridge's
        bases = {}
        for bridge in (service, naive):
            await load.warm_up(bridge)
            bases[bridge.name] = (bridge.meter.rss_kb(), bridge.meter.uss_kb())
        late: set[str] = set()
        for calls in levels:
            for bridge in (service, naive):
                if bridge.name in late:
                    continue
                held = bridge is service and (calls == _HOLD_CALLS or len(levels) == 1)
                level = await load.level(bridge, calls, seconds, bases[bridge.name], held=held)
                measured.append(level)
                print(table.line(level, measured), flush=True)
                if level.is_late or level.core_share > _FULL_SHARE:
                    late.add(bridge.name)
            if len(late) == len(bases):  # the naive one by itself too: by it the core is judged
                break
        for bridge in (service, naive) if len(levels) > 1 else ():
            between = halfway([level for level in measured if level.bridge == bridge.name])
            if between is not None:
                level = await load.level(bridge, between, seconds, bases[bridge.name], held=False)
                measured.append(level)
                print(table.line(level, measured), flush=True)
    return measured


class Load:
    """All callers, and the model that answers them."""

    def __init__(self, core: int | None) -> None:
        """core: the bridge's."""
        self._core = core
        self._desk = Desk()
        self.model = Model(self._desk)
        self._clockwork = Clockwork(self._desk)
        self._wakeful = Wakeful() if core is not None else None  # not on the bridge's own core
        self._calls = 0

    def close(self) -> None:
        self._clockwork.stop()
        self.model.stop()
        if self._wakeful is not None:
            self._wakeful.stop()

    async def warm_up(self, bridge: Bridge) -> None:
        """Have some calls come and go, so that all is loaded that calls need."""
        callers = await self._place(bridge, 5, progress="")
        await asyncio.sleep(_SETTLE_S)
        await self._hang_up(callers)

    async def level(
        self, bridge: Bridge, calls: int, seconds: float, base: tuple[float, float], *, held: bool
    ) -> Level:
        """Place so many calls, measure them for so many seconds, and hang up.

        base: RSS and USS without calls, kB; held: whether the growth of memory is watched besides.
        """
        what = f"{bridge.name}, {calls} calls"
        callers = await self._place(bridge, calls, progress=what)
        await self._pass(_SETTLE_S, f"{what}: settling")
        meter = bridge.meter
        began, cpu, waited = time.monotonic(), meter.cpu_s(), meter.waited_s()
        busy_s = self._busy_s()
        slices = await self._slices(bridge, seconds, what)
        took = time.monotonic() - began
        cpu, waited = meter.cpu_s() - cpu, meter.waited_s() - waited
        busy_s = self._busy_s() - busy_s
        sent = {caller.number: caller.frames for caller in callers}
        ended = sum(not caller.is_open for caller in callers)
        await self._pass(_STRAGGLERS_S, f"{what}: stragglers")
        lost = sum(part.tally.frames_lost for part in slices) + sum(
            max(0, sent[number] - self._arrived(number)) for number in sent
        )
        rss_kb, uss_kb = meter.rss_kb(), meter.uss_kb()
        drift_kb = await self._drift(bridge, what) if held else None
        await self._hang_up(callers)
        all_of_it = [part.tally for part in slices]
        quiet = undisturbed(slices)
        is_conclusive = len(quiet) >= _LEAST_SLICES
        delays = quiet if is_conclusive else all_of_it
        return Level(
            bridge=bridge.name,
            calls=calls,
            seconds=took,
            cpu_ms=1000 * cpu / (took * calls),
            core_share=cpu / took,
            quiet_share=len(quiet) / (len(slices) - 1),
            is_conclusive=is_conclusive,
            up=spread([delay for tally in delays for delay in tally.up]),
            down=spread([delay for tally in delays for delay in tally.down]),
            clear=spread([delay for tally in delays for delay in tally.clears]),
            clears_missing=sum(tally.clears_missing for tally in all_of_it),
            first_audio=spread([caller.first_audio_s for caller in callers if caller.first_audio_s is not None]),
            frames=sum(tally.frames for tally in all_of_it),
            lost=lost,
            failed=calls - len(callers) + ended,
            truncates=sum(tally.truncates for tally in all_of_it),
            refused=sum(tally.truncates_refused for tally in all_of_it),
            errors=sum(tally.errors for tally in all_of_it),
            rss_kb=(rss_kb - base[0]) / calls,
            uss_kb=(uss_kb - base[1]) / calls,
            drift_kb=None if drift_kb is None else drift_kb / calls,
            load_late=spread([late for tally in delays for late in tally.late_ticks]),
            load_share=busy_s / took,
        )

    async def _slices(self, bridge: Bridge, seconds: float, what: str) -> list[Slice]:
        """Measure for so long, in slices, and note which of them somebody disturbed; longer if nearly all are."""
        slices: list[Slice] = []
        began = time.monotonic()
        longest = int(_LONGER * seconds / _SLICE_S)
        waited_s, stolen = bridge.meter.waited_s(), stolen_s(self._core)
        self._desk.tally = Tally()
        while (left_s := began + seconds - time.monotonic()) > 0 or (
            len(undisturbed(slices)) < _LEAST_SLICES and len(slices) < longest
        ):
            told = f"{left_s:.0f} s" if left_s > 0 else "waiting for the machine to be quiet"
            await self._pass(_SLICE_S, f"{what}: {told}")
            tally, self._desk.tally = self._desk.tally, Tally()
            before, before_stolen = waited_s, stolen
            waited_s, stolen = bridge.meter.waited_s(), stolen_s(self._core)
            taken_s = waited_s - before + stolen - before_stolen
            is_late = max(tally.late_ticks, default=0.0) > _DISTURBED_S
            slices.append(Slice(tally, is_disturbed=is_late or taken_s > 2 * _DISTURBED_S))
        return slices

    async def _drift(self, bridge: Bridge, what: str) -> float:
        """Return by how many kB the process grows in a minute."""
        began = time.monotonic()
        memory: list[tuple[float, float]] = []
        while (since := time.monotonic() - began) < _FILL_S + _HOLD_S:
            if since >= _FILL_S:
                memory.append((since / 60, bridge.meter.rss_kb()))
            await self._pass(1.0, f"{what}: does memory grow? {_FILL_S + _HOLD_S - since:.0f} s")
        return slope(memory)

    def _busy_s(self) -> float:
        return time.process_time() if self._wakeful is None else self._wakeful.busy_s

    def _arrived(self, number: int) -> int:
        session = self.model.sessions.get(number)
        return session.frames if session is not None else 0

    async def _place(self, bridge: Bridge, calls: int, *, progress: str) -> list[Caller]:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            placing = []
            for i in range(calls):
                await asyncio.sleep(max(0.0, began + i / _CALLS_A_SECOND - time.monotonic()))
                if progress:
                    table.progress(f"{progress}: calling")
                placing.append(group.create_task(self._call(bridge)))
        return [caller for task in placing if (caller := task.result()) is not None]

    async def _call(self, bridge: Bridge) -> Caller | None:
        self._calls = (self._calls + 1) % (1 << 16)
        try:
            caller = await place_call(self._calls, bridge.address, self._desk)
        except OSError:
            return None
        self.model.callers[caller.number] = caller
        self._clockwork.add(caller)
        return caller

    async def _hang_up(self, callers: Sequence[Caller]) -> None:
        for caller in callers:
            caller.hang_up()
        _, left = await asyncio.wait([caller.gone for caller in callers], timeout=_LEAVE_S)
        for caller in callers:
            if not caller.gone.done():
                caller.transport.abort()
        deadline = time.monotonic() + _LEAVE_S
        while self.model.sessions and time.monotonic() < deadline:  # noqa: ASYNC110 - nothing here needs to be quick
            await asyncio.sleep(0.05)
        if left or self.model.sessions:
            print(f"{len(left)} calls and {len(self.model.sessions)} model sessions did not end", file=sys.stderr)
        self._clockwork.remove_all()
        self.model.callers.clear()
        self.model.sessions.clear()
        gc.collect()

    async def _pass(self, seconds: float, what: str) -> None:
        table.progress(what)
        await asyncio.sleep(seconds)
