"""`dialtone show`: one call's record, for a person or as JSON."""

import re
import sys
from pathlib import Path
from typing import TextIO

from app.errors import VoiceAgentError
from app.records.page import page
from app.records.store import RecordStore

_NAMED = 10
"""So many calls are named when the asked one is not there."""


def show(data_dir: Path, call: str, *, as_json: bool, out: TextIO) -> int:
    """Print the record of a call and return the exit code: 1 when it is not on file or not the only one, 2 asked wrong.

    call: a CallSid or its unambiguous beginning.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", call):
        return _refuse(2, f"{call!r} is no CallSid nor the beginning of one: write it as the logs do, such as CA1f3c")
    store = RecordStore(data_dir / "records")
    found = store.find(call)
    if not found:
        there = store.find("")
        return _refuse(
            1, f"no record begins with {call}" + (f"; there are: {_names(there)}" if there else f" in {store.folder}")
        )
    if len(found) > 1:
        return _refuse(1, f"more than one record begins with {call}: {_names(found)}; write more of it")
    try:
        record = store.read(found[0])
    except VoiceAgentError as error:
        return _refuse(1, str(error))
    out.write(record.to_json().decode() + "\n" if as_json else page(record))
    return 0


def _names(call_sids: list[str]) -> str:
    more = len(call_sids) - _NAMED
    return ", ".join(call_sids[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _refuse(code: int, message: str) -> int:
    print(f"dialtone show: {message}", file=sys.stderr)
    return code
