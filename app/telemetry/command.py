"""`dialtone tail`: structured logs in, the story of one call or of all out."""

import re
import sys
from collections.abc import Iterator
from typing import TextIO

import msgspec

from app.telemetry.story import Line, Storyteller, sentence

_NAMED = 10
"""So many calls are named when the asked one is not there."""


def tail(source: TextIO, *, call: str | None, as_json: bool, out: TextIO) -> int:
    """Tell the log lines of `source` as they come; other lines are passed over. Return the exit code.

    call: a CallSid or its unambiguous beginning, None for all calls. A file is looked through first, so that an
    ambiguous beginning tells nothing; from a pipe it is noticed when the second such call appears.
    as_json: the lines themselves, with `at_s` (seconds from the call's start, or null) and `story` added.
    """
    if call is not None and not re.fullmatch(r"[A-Za-z0-9_-]+", call):
        return _refuse(2, f"{call!r} is no CallSid nor the beginning of one: write it as the logs do, such as CA1f3c")
    whole = False
    if call is not None and source.seekable():
        begin = source.tell()
        calls = list({call_sid: None for call_sid, _ in _lines(source)})
        source.seek(begin)
        chosen = [call] if call in calls else [call_sid for call_sid in calls if call_sid.startswith(call)]
        if len(chosen) != 1:
            return _not_one(call, chosen, calls)
        call, whole = chosen[0], True
    try:
        return _tell(source, call, whole, as_json, out)
    except (KeyboardInterrupt, BrokenPipeError):  # how following a log is ended, and how `| head` ends it
        return 0


def _tell(source: TextIO, call: str | None, whole: bool, as_json: bool, out: TextIO) -> int:
    """Tell the lines as they come. whole: call is all of a CallSid and not the beginning of one."""
    teller = Storyteller(names_calls=call is None)
    seen: dict[str, None] = {}
    told: str | None = None
    for call_sid, line in _lines(source):
        if call is not None:
            seen[call_sid] = None
            if call_sid != call and (whole or not call_sid.startswith(call)):
                continue
            if told is not None and told != call_sid:
                return _not_one(call, [told, call_sid], list(seen))
            whole = call_sid == call
        told = call_sid
        text = teller.tell(line)
        if as_json:
            text = msgspec.json.encode({**line, "at_s": teller.seconds(line), "story": sentence(line)}).decode()
        out.write(f"{text}\n")
        out.flush()
    if told is None:
        if call is not None:
            return _not_one(call, [], list(seen))
        return _refuse(0, "no line of a call among these; the service writes them as JSON (LOG_FORMAT=json)")
    return 0


def _lines(source: TextIO) -> Iterator[tuple[str, Line]]:
    """The lines that belong to a call, each with its CallSid; whatever else a log holds is passed over."""
    for text in source:
        try:
            line = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            continue
        if isinstance(line, dict) and isinstance(line.get("event"), str) and isinstance(line.get("call_sid"), str):
            yield line["call_sid"], line


def _not_one(call: str, chosen: list[str], there: list[str]) -> int:
    if chosen:
        return _refuse(1, f"more than one call begins with {call}: {_names(chosen)}; write more of it")
    return _refuse(1, f"no call begins with {call}" + (f"; there are: {_names(there)}" if there else ", nor any other"))


def _names(calls: list[str]) -> str:
    more = len(calls) - _NAMED
    return ", ".join(calls[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _refuse(code: int, message: str) -> int:
    print(f"dialtone tail: {message}", file=sys.stderr)
    return code
