"""`dialtone model`: the embedded realtime model as a process of its own."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

from app.errors import VoiceAgentError
from app.local.faculties import Faculties
from app.local.script_steps import Script, Vad
from app.local.server import RealtimeServer
from app.local.vad import TurnDetector
from app.local.workers import Ears, Mouth


async def serve(
    host: str,
    port: int,
    *,
    script: Script | None = None,
    until: asyncio.Event | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the realtime model at `ws://HOST:PORT/v1/realtime` until the event is set; None: until cancelled.

    port 0 takes a free one. script: what the model says and does, instead of the dialogue. ready: told the URL once
    clients can connect. Raises VoiceAgentError when the port cannot be had or the voice activity model is not
    installed; without a recogniser it serves, and hears nothing.
    """
    if script is None or script.vad is Vad.AUDIO:
        TurnDetector()  # without it no session could be held: say so now, not to the first caller
    mouth = Mouth()
    ears = Ears(mouth)
    try:
        if ears.available and (script is None or script.caller is None):
            await ears.start()
        try:
            async with RealtimeServer(Faculties(ears, mouth), host=host, port=port, script=script) as server:
                if ready is not None:
                    ready(server.url)
                await (until or asyncio.Event()).wait()
        except socket.gaierror as error:
            raise VoiceAgentError(f"{host} is no address of this machine ({error.strerror}): choose another") from error
        except OSError as error:
            raise VoiceAgentError(
                f"cannot listen on {host}:{port} ({error}): choose another port, or 0 for a free one"
            ) from error
    finally:
        await ears.close()
        await mouth.close()


def run(host: str, port: int, *, while_stdin_open: bool, script: Script | None = None) -> int:
    """Serve in this process until SIGTERM or SIGINT and return the exit code; the URL is the only line on stdout.

    while_stdin_open: end also when standard input does, so that the model never outlives who started it.
    """
    try:
        asyncio.run(_run(host, port, while_stdin_open=while_stdin_open, script=script))
    except VoiceAgentError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _run(host: str, port: int, *, while_stdin_open: bool, script: Script | None) -> None:
    loop = asyncio.get_running_loop()
    until = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, until.set)
    if while_stdin_open:
        # a thread: the loop cannot watch /dev/null or a file, which end at once and are asked for all the same
        threading.Thread(target=_await_end_of_stdin, args=(loop, until), daemon=True).start()
    await serve(host, port, script=script, until=until, ready=_announce)


def _announce(url: str) -> None:
    print(url, flush=True)


def _await_end_of_stdin(loop: asyncio.AbstractEventLoop, until: asyncio.Event) -> None:
    try:
        while os.read(0, 4096):  # the descriptor: a lock of sys.stdin held by this thread would spoil the exit
            pass
    except OSError:
        pass  # closed, which is an end too
    try:
        loop.call_soon_threadsafe(until.set)
    except RuntimeError:
        pass  # the loop is over: nothing is left to end
