"""A speech worker seen from the service: a process that is started when needed, asked, and started again if it dies."""

import asyncio
import os
import sys
from collections.abc import Callable
from itertools import count

from app.errors import VoiceAgentError
from app.local.pipe import PREFIX_BYTES, Answer, Failed, Request, decode_answer, encode, length_of

_LAST_WORDS_BYTES = 2000
_LEAVE_S = 2.0
"""How long a worker may finish its sentence after its stdin was closed, before it is killed."""
_READ_AHEAD_BYTES = 1 << 20


class WorkerLost(VoiceAgentError):  # noqa: N818 - it says what happened, as its siblings do
    """The process died with a request in its hands; another one may be asked."""


class Worker:
    """One worker process and its queue. Requests are answered in order, one in the pipe at a time.

    So a request that is cancelled while it waits is never sent, and one that runs costs the others a sentence at most.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        """module: what `python -m` runs. Nothing is started before the first request; one event loop alone may ask."""
        self._command = (sys.executable, "-m", module, *arguments)
        self._ids = count(1)
        self._turn = asyncio.Lock()
        self._running: _Process | None = None
        self._closed = False

    @property
    def process_id(self) -> int | None:
        """Of the process that runs now."""
        return None if self._running is None or self._running.is_over else self._running.process_id

    async def start(self) -> None:
        """Start the process unless it runs, and wait until it has loaded its libraries.

        Raises VoiceAgentError with the worker's own reason when it cannot start.
        """
        async with self._turn:
            await self._started()

    async def ask(self, request: Callable[[int], Request]) -> Answer:
        """Return the answer to the request, which is made from the id it gets. Starts the process if need be.

        Raises VoiceAgentError when the worker says why it cannot, WorkerLost when it dies over the request.
        """
        async with self._turn:
            process = await self._started()
            answer = await process.ask(request(next(self._ids)))
        if isinstance(answer, Failed):
            raise VoiceAgentError(answer.reason)
        return answer

    async def close(self) -> None:
        """Let the process go and wait for its end. Whoever waits for an answer gets WorkerLost."""
        self._closed = True
        if self._running is not None:
            await self._running.close()
            self._running = None

    async def _started(self) -> "_Process":
        if self._closed:
            raise VoiceAgentError("the speech worker was closed; nothing can be asked of it any more")
        if self._running is not None and self._running.is_over:
            await self._running.close()
            self._running = None
        if self._running is None:
            spawned = await _Process.spawn(self._command)
            if self._closed:  # meanwhile
                await spawned.close()
                raise WorkerLost("the speech worker was closed while it started")
            self._running = spawned
        await self._running.ready()
        return self._running


class _Process:
    """One life of a worker."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("all three are pipes")
        self._process = process
        self._name = name
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._waiting: dict[int, asyncio.Future[Answer]] = {0: asyncio.get_running_loop().create_future()}
        self._first_word = self._waiting[0]
        self._last_words = b""
        self._errors = asyncio.create_task(self._read_errors())
        self._reader = asyncio.create_task(self._read_answers())

    @classmethod
    async def spawn(cls, command: tuple[str, ...]) -> "_Process":
        # one thread each: they work beside calls in real time, and their sums are too small to share out
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, limit=_READ_AHEAD_BYTES
        )
        return cls(process, " ".join(command[2:]))

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come of it."""
        return self._reader.done()

    async def ready(self) -> None:
        """Wait for its first word. Raises VoiceAgentError when that is why it cannot start."""
        first = await asyncio.shield(self._first_word)
        if isinstance(first, Failed):
            raise VoiceAgentError(first.reason)

    async def ask(self, request: Request) -> Answer:
        if self._stdin.is_closing():  # it is dead, and its end has not come through the other pipe yet
            await asyncio.wait([self._reader])
        if self.is_over:
            raise self._lost()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = answer
        try:
            self._stdin.write(encode(request))
            return await answer
        finally:
            self._waiting.pop(request.id, None)

    async def close(self) -> None:
        self._stdin.close()
        try:
            async with asyncio.timeout(_LEAVE_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
        await asyncio.gather(self._reader, self._errors)
        await self._process.wait()

    async def _read_answers(self) -> None:
        try:
            while True:
                prefix = await self._stdout.readexactly(PREFIX_BYTES)
                answer = decode_answer(await self._stdout.readexactly(length_of(prefix)))
                waiting = self._waiting.pop(answer.id, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)  # else whoever asked was cancelled meanwhile
        except (asyncio.IncompleteReadError, ConnectionError):
            await asyncio.wait([self._errors])
            lost = self._lost()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(lost)
                    waiting.exception()  # nobody may be waiting for it: that is no leak
            self._waiting.clear()

    async def _read_errors(self) -> None:
        while said := await self._stderr.read(_READ_AHEAD_BYTES):
            self._last_words = (self._last_words + said)[-_LAST_WORDS_BYTES:]

    def _lost(self) -> WorkerLost:
        said = self._last_words.decode(errors="replace").strip()
        return WorkerLost(f"the speech worker ({self._name}) ended; its last words: {said or 'none'}")
