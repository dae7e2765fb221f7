"""Where lines go: a stream behind a thread, so that nobody who logs waits for whoever reads.

A pipe that its reader leaves full blocks the writer (a container's log driver does that). A blocked event loop would
silence every call of the process, so lines wait here, bounded; what does not fit is counted and told afterwards.
"""

import atexit
import queue
import threading
from collections.abc import Callable
from typing import TextIO

WAITING_LINES = 10_000
CLOSE_S = 2.0
LostLine = Callable[[int], str]


class LineOutput:
    """Writes lines to a stream in a thread of its own. `write` never waits and never raises.

    lost: tells how many lines were dropped, as a line to be written once there is room again.
    """

    def __init__(self, stream: TextIO, lost: LostLine, *, waiting_lines: int = WAITING_LINES) -> None:
        self._stream = stream
        self._lost_line = lost
        self._lines: queue.SimpleQueue[str | threading.Event | None] = queue.SimpleQueue()
        self._waiting_lines = waiting_lines
        self._lost = 0
        self._losing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="log-output", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, line: str) -> None:
        """Take a line without its end. Any thread may call it."""
        if self._lines.qsize() >= self._waiting_lines:
            with self._losing:
                self._lost += 1
            return
        self._lines.put(line)

    def flush(self, timeout_s: float = CLOSE_S) -> bool:
        """Wait until all that was taken so far is written; False if the stream did not take it in that time."""
        if not self._thread.is_alive():
            return True
        written = threading.Event()
        self._lines.put(written)
        return written.wait(timeout_s)

    def close(self) -> None:
        """Write what waits and stop, within two seconds: the end of the process does not hang on a blocked reader."""
        atexit.unregister(self.close)
        self._lines.put(None)
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            if isinstance(line, threading.Event):
                line.set()
            else:
                self._put(line)
            if self._lost and self._lines.qsize() <= self._waiting_lines // 2:
                with self._losing:
                    lost, self._lost = self._lost, 0
                self._put(self._lost_line(lost))

    def _put(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass  # the reader has gone, or the stream was closed under us: there is nowhere left to say so
