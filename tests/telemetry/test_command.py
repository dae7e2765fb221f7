import io
import json
import os
from collections.abc import Mapping

import pytest

from app.telemetry.command import tail
from tests.support.log_lines import CALL_SID, END, START, line

OTHER = {"call_sid": "CA0999"}


def text_of(*lines: Mapping[str, object] | str) -> io.StringIO:
    return io.StringIO("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines))


class Pipe(io.StringIO):
    """A source that cannot be read twice."""

    def seekable(self) -> bool:
        return False


def told(source: io.StringIO, call: str | None = None, *, as_json: bool = False) -> tuple[int, list[str]]:
    out = io.StringIO()
    code = tail(source, call=call, as_json=as_json, out=out)
    return code, out.getvalue().splitlines()


def test_all_calls_are_told_each_line_with_its_call() -> None:
    assert told(text_of(START, START | OTHER, line(1.0, "stream.stalled"))) == (
        0,
        [
            "CA012345    0.00 s  call answered by acme-orders (version 3f2a91c0)",
            "CA0999    0.00 s  call answered by acme-orders (version 3f2a91c0)",
            "CA012345    1.00 s  the line to the carrier is congested",
        ],
    )


@pytest.mark.parametrize("source", [io.StringIO, Pipe])
@pytest.mark.parametrize("call", ["CA01", CALL_SID])
def test_one_call_is_told_by_the_beginning_of_its_name(source: type[io.StringIO], call: str) -> None:
    log = source(text_of(START | OTHER, START, line(1.0, "stream.stalled"), line(2.0, "x") | OTHER).getvalue())
    assert told(log, call) == (
        0,
        [
            "   0.00 s  call answered by acme-orders (version 3f2a91c0)",
            "   1.00 s  the line to the carrier is congested",
        ],
    )


def test_other_lines_are_passed_over() -> None:
    log = text_of("Listening on 8080", "{", "[1]", '"text"', '{"event": 1, "call_sid": "CA1"}', "", "[" * 5000, START)
    assert told(log)[1] == ["CA012345    0.00 s  call answered by acme-orders (version 3f2a91c0)"]


def test_as_json_the_lines_come_with_their_story() -> None:
    code, lines = told(text_of(START, line(1.5, "stream.end", end="lost"), START | OTHER), "CA01", as_json=True)
    assert code == 0
    assert [json.loads(one) for one in lines] == [
        {**START, "at_s": 0.0, "story": "call answered by acme-orders (version 3f2a91c0)"},
        {**line(1.5, "stream.end", end="lost"), "at_s": 1.5, "story": "stream lost: the carrier's line broke"},
    ]


def test_an_ambiguous_beginning_tells_nothing_and_names_the_calls(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(text_of(START, START | OTHER), "CA0") == (1, [])
    assert capsys.readouterr().err == (
        "dialtone tail: more than one call begins with CA0: CA01234567, CA0999; write more of it\n"
    )


def test_a_whole_name_is_meant_even_if_another_begins_with_it() -> None:
    longer = START | {"call_sid": CALL_SID + "1"}
    assert told(text_of(longer, START), CALL_SID)[0] == 0


def test_from_a_pipe_ambiguity_is_noticed_when_it_appears(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = told(Pipe(text_of(START, START | OTHER, END).getvalue()), "CA0")
    assert (code, len(lines)) == (1, 1)
    assert "CA01234567, CA0999" in capsys.readouterr().err


@pytest.mark.parametrize("source", [io.StringIO, Pipe])
def test_an_unknown_call_is_told_what_there_is(source: type[io.StringIO], capsys: pytest.CaptureFixture[str]) -> None:
    many = [START | {"call_sid": f"CA{number:02}"} for number in range(12)]
    assert told(source(text_of(*many).getvalue()), "CA9") == (1, [])
    assert capsys.readouterr().err == (
        "dialtone tail: no call begins with CA9; there are: "
        "CA00, CA01, CA02, CA03, CA04, CA05, CA06, CA07, CA08, CA09 and 2 more\n"
    )


def test_a_log_without_calls_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(text_of("nothing"), "CA9") == (1, [])
    assert capsys.readouterr().err == "dialtone tail: no call begins with CA9, nor any other\n"


def test_when_all_calls_are_asked_for_and_there_is_none_the_format_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told(text_of("2026-03-01 [info] call.start agent=acme")) == (0, [])
    assert "LOG_FORMAT=json" in capsys.readouterr().err


@pytest.mark.parametrize("call", ["", "CA*", "../x", "CA 1"])
def test_what_is_no_call_is_asked_wrong(call: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(text_of(START), call) == (2, [])
    assert "write it as the logs do" in capsys.readouterr().err


def test_a_pipe_is_followed_as_it_comes() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as source, os.fdopen(writing, "w", encoding="utf-8") as log:
        seen: list[str] = []

        class Watched(io.StringIO):
            def write(self, text: str) -> int:
                seen.append(text)
                if len(seen) == 1:  # the first line was told while the pipe was open: now the second is written
                    log.write(json.dumps(END) + "\n")
                    log.close()
                return super().write(text)

        log.write(json.dumps(START) + "\n")
        log.flush()
        assert tail(source, call=None, as_json=False, out=Watched()) == 0
    assert len(seen) == 2


@pytest.mark.parametrize("ending", [KeyboardInterrupt, BrokenPipeError])
def test_who_has_seen_enough_ends_it_without_complaint(ending: type[BaseException]) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise ending

    assert tail(text_of(START), call=None, as_json=False, out=Gone()) == 0
