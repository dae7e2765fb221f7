import io
import json
import logging
import logging.config
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
import uvicorn.config

from app.telemetry.logs import CallLog, configure
from tests.support.captured_logs import Logs, captured_logs
from tests.support.journals import HEAD, TYPICAL, write


@pytest.fixture
def logs() -> Iterator[Logs]:
    with captured_logs() as logs:
        yield logs


def test_lines_of_ours_go_through_the_same_output(logs: Logs) -> None:
    log = structlog.get_logger()
    with structlog.contextvars.bound_contextvars(call_sid="CA1"):
        log.warning("tool.timeout", name="find", pii_arguments="1042")
    (line,) = logs.lines
    assert line.pop("timestamp")
    assert line == {"level": "warning", "event": "tool.timeout", "call_sid": "CA1", "name": "find"}


def test_a_trace_is_one_field_without_the_values_of_variables(logs: Logs) -> None:
    words = "-".join(("order", "1042"))
    try:
        int(words[:0])
    except ValueError:
        structlog.get_logger().exception("call.broken")
    (line,) = logs.lines
    assert line["event"] == "call.broken"
    assert line["level"] == "error"
    assert "ValueError" in str(line["exception"])
    assert "order-1042" not in str(line["exception"])


def test_libraries_speak_from_warning_on(logs: Logs) -> None:
    logging.getLogger("httpx").info("GET https://shop.example/orders/1042")
    logging.getLogger("websockets").debug("> TEXT 'hello'")
    logging.getLogger("asyncio").warning("slow: %s", "callback")
    assert [(line["event"], line["level"], line["message"]) for line in logs.lines] == [
        ("asyncio", "warning", "slow: callback"),
    ]


def test_a_librarys_trace_is_kept(logs: Logs) -> None:
    try:
        raise OSError("disk full")
    except OSError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    (line,) = logs.lines
    assert "OSError: disk full" in str(line["exception"])


def test_the_server_says_how_it_starts_and_not_who_connects(logs: Logs) -> None:
    server = logging.getLogger("uvicorn.error")
    server.info("Application startup complete.")
    server.info('%s - "WebSocket %s" [accepted]', "127.0.0.1:5000", "/twilio/media")
    server.info("connection open")
    server.debug("< TEXT 'hello'")
    logging.getLogger("uvicorn.access").info("POST /twilio/voice")
    assert [line["message"] for line in logs.lines] == ["Application startup complete."]


def test_the_level_holds_for_our_own_lines() -> None:
    with captured_logs("WARNING") as logs:
        structlog.get_logger().info("service.start")
        structlog.get_logger().warning("service.late")
        assert [line["event"] for line in logs.lines] == ["service.late"]


def test_a_terminal_gets_lines_for_people() -> None:
    with captured_logs():
        stream = io.StringIO()
        output = configure("INFO", "console", out=stream)
        write(TYPICAL, CallLog(HEAD))
        output.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[0].startswith("2026-03-01T09:30:00.000Z [info     ] call.start")


def test_under_bare_uvicorn_its_own_handlers_make_room() -> None:
    with captured_logs():  # puts everything back afterwards
        logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)
        with captured_logs() as logs:
            logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
            logging.getLogger("uvicorn.access").info("POST /twilio/voice")
            assert [line["message"] for line in logs.lines] == ["Started server process [7]"]
            assert not any(logging.getLogger(name).handlers for name in ("uvicorn", "uvicorn.error", "uvicorn.access"))


def test_lines_are_out_when_the_process_ends() -> None:
    program = """
import structlog
import uvicorn.config
from app.telemetry.logs import configure
configure("INFO", "json")
structlog.get_logger().info("service.stop", reason="signal")
raise SystemExit(3)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    assert json.loads(line) | {"timestamp": ""} == {
        "timestamp": "",
        "level": "info",
        "event": "service.stop",
        "reason": "signal",
    }
