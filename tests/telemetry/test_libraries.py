import io
import logging

from app.telemetry.libraries import LibraryHandler, record_fields
from app.telemetry.lines import json_line
from app.telemetry.output import LineOutput


def record_of(message: str, *arguments: object) -> logging.LogRecord:
    record = logging.LogRecord("httpx", logging.ERROR, __file__, 1, message, arguments, None)
    record.created = 1_772_357_400.5
    return record


def test_a_record_becomes_our_fields() -> None:
    assert record_fields(record_of("%d bytes", 12)) == {
        "timestamp": "2026-03-01T09:30:00.500Z",
        "level": "error",
        "event": "httpx",
        "message": "12 bytes",
    }


def test_a_message_that_does_not_fit_its_arguments_is_kept() -> None:
    assert record_fields(record_of("%d bytes", "no number"))["message"] == "%d bytes"


def test_the_handler_writes_to_our_output() -> None:
    stream = io.StringIO()
    output = LineOutput(stream, str)
    LibraryHandler(json_line, output).emit(record_of("gone"))
    output.close()
    assert stream.getvalue() == (
        '{"timestamp":"2026-03-01T09:30:00.500Z","level":"error","event":"httpx","message":"gone"}\n'
    )
