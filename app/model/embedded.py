"""The embedded realtime model as a process of its own: started when an agent needs it, started again when it dies.

It is given our end of a pipe as its standard input and ends when that closes: so it never outlives the service,
whatever ends it.
"""

import asyncio
import sys
from collections.abc import Callable

import structlog

from app.errors import ModelError

START_S = 60.0
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)
CLOSE_S = 3.0

log = structlog.get_logger(__name__)


class EmbeddedModel:
    """`dialtone model` on a free loopback port, which it keeps over restarts."""

    def __init__(self, *, command: tuple[str, ...] = (sys.executable, "-m", "app", "model")) -> None:
        self._command = command
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._serves = False
        self._watch: asyncio.Task[None] | None = None
        self.url = ""
        """ws://127.0.0.1:PORT/v1/realtime, once started."""

    @property
    def is_running(self) -> bool:
        """Whether it can be reached: a process that was started anew is there seconds before it listens."""
        return self._serves and self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self, restarted: Callable[[], None] | None = None) -> None:
        """Start it and wait until it can be reached; watch it from then on. Raises ModelError when it does not start.

        restarted: told each time it was started anew.
        """
        await self._start()
        self._watch = asyncio.create_task(self._keep(restarted))

    async def close(self) -> None:
        """End it."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self._end()

    async def _start(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *("--host", "127.0.0.1", "--port", str(self._port), "--while-stdin-open"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C at the terminal is for the service, which drains with its model
        )
        self._process, self._serves = process, False
        assert process.stdout is not None  # asked for above
        try:
            async with asyncio.timeout(START_S):
                line = (await process.stdout.readline()).decode().strip()
        except TimeoutError:
            line = ""
        except asyncio.CancelledError:
            await self._end()
            raise
        if not line.startswith("ws://"):
            await self._end()
            raise ModelError(
                f"the embedded model did not start (exit code {process.returncode}); "
                "`dialtone model` tells why, and pip install 'dialtone[local,local-espeak]' installs what it needs"
            )
        self.url = line
        self._port = int(line.rsplit(":", 1)[1].split("/", 1)[0])
        self._serves = True

    async def _keep(self, restarted: Callable[[], None] | None) -> None:
        attempt = 0
        loop = asyncio.get_running_loop()
        while True:
            started_at = loop.time()
            if self._process is not None:
                code = await self._process.wait()
                log.warning("embedded_model.died", exit_code=code)
            if loop.time() - started_at > PAUSES_S[-1]:
                attempt = 0
            pause_s = PAUSES_S[min(attempt, len(PAUSES_S) - 1)]
            await asyncio.sleep(pause_s)  # one that dies at once is not started in a loop
            attempt += 1
            try:
                await self._start()
            except ModelError as error:
                log.error("embedded_model.not_started", detail=str(error))
                self._process = None
                continue
            log.info("embedded_model.restarted", attempt=attempt)
            if restarted is not None:
                restarted()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None  # asked for at the start
        process.stdin.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
