"""The embedded model's process: started, started again, gone with us; against a stand-in program."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from app.errors import ModelError
from app.model.embedded import EmbeddedModel

PROGRAM = """
import sys
port = int(sys.argv[sys.argv.index("--port") + 1]) or 41234
print(f"ws://127.0.0.1:{port}/v1/realtime", flush=True)
sys.stdin.read()
"""


def test_it_is_started_again_on_the_same_port_and_ends_when_its_input_does() -> None:
    async def scenario() -> None:
        model = EmbeddedModel(command=(sys.executable, "-c", PROGRAM))
        again = asyncio.Event()
        await model.start(again.set)
        assert model.url == "ws://127.0.0.1:41234/v1/realtime"
        first = model.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(30):
            await again.wait()
        assert model.is_running
        assert model.pid != first
        assert model.url == "ws://127.0.0.1:41234/v1/realtime"
        await model.close()
        assert not model.is_running

    asyncio.run(scenario())


def test_one_that_does_not_start_is_said_with_what_to_do() -> None:
    async def scenario() -> None:
        model = EmbeddedModel(command=(sys.executable, "-c", "raise SystemExit(3)"))
        with pytest.raises(ModelError, match=r"exit code 3.*pip install"):
            await model.start()
        await model.close()

    asyncio.run(scenario())


def test_one_that_was_killed_runs_again_only_when_it_serves(tmp_path: Path) -> None:
    """The new process is there seconds before it listens; until then no call may be sent its way."""
    gate = tmp_path / "gate"
    gate.touch()
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n{PROGRAM}"

    async def scenario() -> None:
        model = EmbeddedModel(command=(sys.executable, "-c", waits))
        again = asyncio.Event()
        await model.start(again.set)
        first = model.pid
        assert first is not None
        gate.unlink()
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(30):
            while model.pid == first:  # noqa: ASYNC110 - another process, which nobody announces
                await asyncio.sleep(0.01)
        assert not model.is_running
        gate.touch()
        async with asyncio.timeout(30):
            await again.wait()
        assert model.is_running
        await model.close()

    asyncio.run(scenario())
