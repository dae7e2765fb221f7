"""The lines of the libraries, which speak through the standard library's logging: taken to the same output as ours."""

import logging

from structlog.typing import EventDict

from app.telemetry.lines import Render, time_stamp
from app.telemetry.output import LineOutput


def record_fields(record: logging.LogRecord) -> EventDict:
    """A line of the standard library's logging in our fields: the event is the logger's name, the text its message."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError):  # its format and its arguments do not match
        message = str(record.msg)
    fields: EventDict = {
        "timestamp": time_stamp(record.created),
        "level": record.levelname.lower(),
        "event": record.name,
        "message": message,
    }
    if record.exc_info:
        fields["exc_info"] = record.exc_info
    return fields


class LibraryHandler(logging.Handler):
    """Takes the libraries' lines to our output."""

    def __init__(self, render: Render, output: LineOutput) -> None:
        super().__init__()
        self._render = render
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        self._output.write(self._render(record_fields(record)))


def route_libraries(number: int, handler: logging.Handler) -> None:
    """Libraries are heard from WARNING on: below, they write what they carry (frames, forms, URLs with arguments).

    The server may say how it starts and stops; its access log and its line for each WebSocket stay away.
    """
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, LibraryHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(number, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()  # under bare uvicorn its own are there already
        logger.propagate = True
        logger.setLevel(max(number, logging.INFO))
    logging.getLogger("uvicorn.error").addFilter(_no_socket_line)
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    access.disabled = True


def _no_socket_line(record: logging.LogRecord) -> bool:
    return '"WebSocket %s"' not in str(record.msg) and record.msg not in ("connection open", "connection closed")
