import io
import threading

from app.telemetry.output import LineOutput


class Gate(io.StringIO):
    """A stream whose reader takes nothing until it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.reached = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.open.wait(10)
        return super().write(text)


def lost(count: int) -> str:
    return f"{count} lost"


def test_lines_are_written_in_order() -> None:
    stream = io.StringIO()
    output = LineOutput(stream, lost)
    for number in range(100):
        output.write(str(number))
    assert output.flush()
    assert stream.getvalue() == "".join(f"{number}\n" for number in range(100))
    output.close()


def test_a_blocked_reader_holds_nobody_up_and_is_told_what_it_missed() -> None:
    stream = Gate()
    output = LineOutput(stream, lost, waiting_lines=4)
    output.write("first")
    assert stream.reached.wait(10)  # the thread hangs in the stream now
    for number in range(10):
        output.write(str(number))
    assert not output.flush(timeout_s=0)
    stream.open.set()
    assert output.flush()
    output.close()
    lines = stream.getvalue().splitlines()
    assert lines == ["first", "0", "1", "2", "3", "6 lost"]


def test_a_reader_that_has_gone_is_no_error() -> None:
    stream = io.StringIO()
    output = LineOutput(stream, lost)
    stream.close()
    output.write("nobody reads this")
    assert output.flush()
    output.close()


def test_close_writes_what_waits_and_ends_the_thread() -> None:
    before = threading.active_count()
    stream = io.StringIO()
    output = LineOutput(stream, lost)
    output.write("last words")
    output.close()
    assert stream.getvalue() == "last words\n"
    assert threading.active_count() == before
    assert output.flush()  # nothing to wait for
