"""`dialtone serve`: the service under uvicorn, with the signals in our own hands.

uvicorn by itself closes every socket when it is told to stop. Here SIGTERM only turns new calls away: running calls and
their callbacks go on until the last has ended; when DRAIN_S is over, those that are left are ended like any other. A
second signal ends at once.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import structlog
import uvicorn

from app.errors import SettingsError
from app.server import Service, create_app
from app.settings import Settings
from app.stream.direct import DirectProtocol
from app.telemetry.logs import configure

log = structlog.get_logger(__name__)

_LEAVE_S = 5.0
"""For the calls that DRAIN_S has ended to leave as others do."""


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Serving:
    """One run of the service, from the bound socket to the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signals = 0
        self._draining: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """Serve until told to stop; return the exit code."""
        settings = self._settings
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((settings.host, settings.port))
            except socket.gaierror as error:
                raise SettingsError(f"HOST: {settings.host} is no address of this machine: {error.strerror}") from error
            except OSError as error:
                configure(settings.log_level, settings.log_format)
                log.error(
                    "service.not_started",
                    detail=f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): set HOST and PORT",
                )
                return 1
            address = settings.address(listener.getsockname()[1])
            app = create_app(settings, address=address)
            server = _Server(
                uvicorn.Config(
                    app,
                    ws=DirectProtocol,
                    ws_max_size=64 * 1024,
                    ws_per_message_deflate=False,
                    ws_ping_interval=None,  # media comes every 20 ms: the session sees a dead line sooner than a ping
                    access_log=False,
                    log_config=None,
                    server_header=False,
                    proxy_headers=False,  # signatures are checked against PUBLIC_URL, never against headers
                    timeout_graceful_shutdown=5,
                    backlog=2048,
                )
            )
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._signalled, server, app.state.service)
            log.info("service.start", address=address, port=listener.getsockname()[1])
            failing = loop.create_task(self._end_when_failed(server, app.state.service))
            await server.serve(sockets=[listener])
            failing.cancel()
            if self._draining is not None:
                self._draining.cancel()
        return 0 if server.started and not app.state.service.failed.is_set() else 1

    async def _end_when_failed(self, server: uvicorn.Server, service: Service) -> None:
        """A service that can never take a call shall not pass for one that is about to."""
        await service.failed.wait()
        server.should_exit = True

    def _signalled(self, server: uvicorn.Server, service: Service) -> None:
        self._signals += 1
        if self._signals == 1:
            self._draining = asyncio.get_running_loop().create_task(self._drain(server, service))
        else:
            service.roster.end_all()
            server.should_exit = True

    async def _drain(self, server: uvicorn.Server, service: Service) -> None:
        service.drain()
        try:
            async with asyncio.timeout(self._settings.drain_s):
                await service.drained()
        except TimeoutError:
            log.warning("service.drain_over", calls=len(service.roster))
            service.roster.end_all()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LEAVE_S):
                    await service.drained()  # the carrier asks for the last word of each
        server.should_exit = True


def serve(settings: Settings) -> int:
    """Run the service in this process; return the exit code."""
    config = uvicorn.Config("app.server:create_app", loop="auto")
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        return runner.run(Serving(settings).run())
