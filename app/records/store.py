"""Where records lie: one JSON file for each call, `<CallSid>.json`, readable by us alone."""

import os
import re
import tempfile
from pathlib import Path

import msgspec

from app.errors import VoiceAgentError
from app.records.record import CallRecord

_CALL_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RecordStore:
    """The records in one folder, which is made when the first is filed.

    Reading and writing block on the disk: in a running service they belong in a thread (`asyncio.to_thread`).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, record: CallRecord) -> Path:
        """Write the record and return its file. It is whole or not there: written aside, then renamed.

        A record of the same call is replaced. OSError when the disk will not; VoiceAgentError when the CallSid cannot
        be a file's name.
        """
        if not _CALL_SID.fullmatch(record.call_sid):
            raise VoiceAgentError(
                f"cannot file the record of call {record.call_sid!r}: a CallSid is 1 to 64 letters, digits, - and _"
            )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{record.call_sid}.json"
        number, name = tempfile.mkstemp(prefix=f".{record.call_sid}.", suffix=".tmp", dir=self.folder)  # mode 0600
        aside = Path(name)
        try:
            with os.fdopen(number, "wb") as written:
                written.write(record.to_json() + b"\n")
                written.flush()
                os.fsync(written.fileno())
            aside.replace(path)
        except BaseException:  # however it ends, no half of a record is left lying
            aside.unlink(missing_ok=True)
            raise
        return path

    def find(self, beginning: str) -> list[str]:
        """Return the CallSids on file that begin so, in order; only the one when it is a whole CallSid on file."""
        if not self.folder.is_dir():
            return []
        call_sids = sorted(path.stem for path in self.folder.glob("*.json") if _CALL_SID.fullmatch(path.stem))
        if beginning in call_sids:
            return [beginning]
        return [call_sid for call_sid in call_sids if call_sid.startswith(beginning)]

    def read(self, call_sid: str) -> CallRecord:
        """Return the record of a call that `find` has named. VoiceAgentError when the file is no record."""
        path = self.folder / f"{call_sid}.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=CallRecord)
        except OSError as error:
            raise VoiceAgentError(f"{path} cannot be read: {error.strerror}") from error
        except msgspec.DecodeError as error:
            raise VoiceAgentError(f"{path} is not the record of a call: {error}") from error
