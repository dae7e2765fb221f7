"""A record, kept from a typical journal."""

import msgspec

from app.records.record import CallRecord, RecordKeeper
from tests.support.journals import HEAD, TYPICAL, write


def a_record(call_sid: str = HEAD.call_sid) -> CallRecord:
    keeper = RecordKeeper(HEAD)
    write(TYPICAL, keeper)
    return msgspec.structs.replace(keeper.finish(), call_sid=call_sid)
