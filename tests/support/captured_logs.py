"""All that this process logs, as it would be written, while a test looks."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from app.telemetry.logs import configure
from app.telemetry.output import LineOutput

_SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access")


class Logs:
    def __init__(self, stream: io.StringIO, output: LineOutput) -> None:
        self._stream = stream
        self._output = output

    @property
    def text(self) -> str:
        assert self._output.flush()
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.text.splitlines()]


@contextmanager
def captured_logs(level: str = "DEBUG") -> Iterator[Logs]:
    """Take in JSON lines from `level` on; afterwards logging is as it was before."""
    loggers = [logging.getLogger(), *map(logging.getLogger, _SERVER_LOGGERS)]
    before = [(one, list(one.handlers), list(one.filters), one.level, one.propagate, one.disabled) for one in loggers]
    stream = io.StringIO()
    output = configure(level, "json", out=stream)
    try:
        yield Logs(stream, output)
    finally:
        output.close()
        structlog.reset_defaults()
        for one, handlers, filters, number, propagate, disabled in before:
            one.handlers[:], one.filters[:] = handlers, filters
            one.setLevel(number)
            one.propagate, one.disabled = propagate, disabled
