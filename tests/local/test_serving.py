"""The model as a process: it says where it is, serves, and is gone with whoever started it."""

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest
from websockets.asyncio.client import connect

_START = "import sys; from app.local.serving import run; sys.exit(run('127.0.0.1', {port}, while_stdin_open={tied}))"
_STARTER = """
import subprocess, sys
model = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE)
print("started", flush=True)
model.wait()
"""


@asynccontextmanager
async def model(*, port: int = 0, tied: bool = False) -> AsyncIterator[Process]:
    code = _START.format(port=port, tied=tied)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=PIPE if tied else DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(30):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()  # to the end of its pipes: they are ours to close


async def url_of(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def first_event(url: str) -> str:
    async with connect(f"{url}?model=any", additional_headers={"Authorization": "Bearer any"}, proxy=None) as client:
        return str(json.loads(await client.recv())["type"])


def family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert alive == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_cleanly_when_told_to(number: signal.Signals) -> None:
    async def scenario() -> None:
        async with model() as process:
            url = await url_of(process)
            assert url.startswith("ws://127.0.0.1:")
            assert url.endswith("/v1/realtime")
            assert await first_event(url) == "session.created"
            processes = family(process.pid)
            process.send_signal(number)
            rest, complaints = await process.communicate()
            assert (process.returncode, rest, complaints) == (0, b"", b"")
            assert_gone(processes)

    asyncio.run(scenario())


def test_it_ends_when_standard_input_does() -> None:
    async def scenario() -> None:
        async with model(tied=True) as process:
            assert await first_event(await url_of(process)) == "session.created"
            processes = family(process.pid)
            assert process.stdin is not None
            process.stdin.close()
            assert await process.wait() == 0
            assert_gone(processes)

    asyncio.run(scenario())


def test_it_does_not_outlive_who_started_it() -> None:
    async def scenario() -> None:
        code = _START.format(port=0, tied=True)
        starter = await asyncio.create_subprocess_exec(sys.executable, "-c", _STARTER, code, stdout=PIPE)
        async with asyncio.timeout(30):
            assert starter.stdout is not None
            assert await starter.stdout.readline() == b"started\n"
            assert await first_event(await url_of(starter)) == "session.created"
            model_and_workers = family(starter.pid)[1:]
            assert model_and_workers
            starter.kill()
            await starter.communicate()
            assert_gone(model_and_workers)

    asyncio.run(scenario())


def test_a_port_that_is_taken_is_named() -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            async with model(port=port) as process:
                told, complaint = await process.communicate()
                assert (process.returncode, told) == (1, b"")
                assert f"cannot listen on 127.0.0.1:{port}" in complaint.decode()
                assert "choose another port" in complaint.decode()

    asyncio.run(scenario())
