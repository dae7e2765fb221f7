import os
from pathlib import Path

import msgspec
import pytest

from app.errors import VoiceAgentError
from app.records.store import RecordStore
from tests.support.journals import HEAD
from tests.support.records import a_record


def test_what_is_filed_is_read_again(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "records")
    assert store.file(a_record()) == tmp_path / "records" / f"{HEAD.call_sid}.json"
    assert store.read(HEAD.call_sid) == a_record()


def test_records_are_for_us_alone(tmp_path: Path) -> None:
    path = RecordStore(tmp_path / "data" / "records").file(a_record())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_record_filed_again_replaces_the_first(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.file(a_record())
    store.file(msgspec.structs.replace(a_record(), barge_ins=7))
    assert store.read(HEAD.call_sid).barge_ins == 7
    assert [path.name for path in tmp_path.iterdir()] == [f"{HEAD.call_sid}.json"]


def test_a_disk_that_will_not_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RecordStore(tmp_path)
    store.file(a_record())

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.file(msgspec.structs.replace(a_record(), barge_ins=7))
    assert [path.name for path in tmp_path.iterdir()] == [f"{HEAD.call_sid}.json"]
    assert store.read(HEAD.call_sid).barge_ins == 1


@pytest.mark.parametrize("call_sid", ["", "../CA1", "CA1/2", "CA 1", ".CA1", "C" * 65, "CA1\n"])
def test_a_call_sid_that_is_no_name_of_a_file_is_refused(tmp_path: Path, call_sid: str) -> None:
    with pytest.raises(VoiceAgentError, match="a CallSid is"):
        RecordStore(tmp_path).file(a_record(call_sid))
    assert list(tmp_path.iterdir()) == []


def test_calls_are_found_by_the_beginning_of_their_name(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    for call_sid in ("CA12", "CA1", "CA2"):
        store.file(a_record(call_sid))
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".CA3.x.tmp").touch()
    assert store.find("") == ["CA1", "CA12", "CA2"]
    assert store.find("CA") == ["CA1", "CA12", "CA2"]
    assert store.find("CA1") == ["CA1"]
    assert store.find("CA3") == []
    assert RecordStore(tmp_path / "none").find("CA") == []


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "CA1.json").write_text('{"call_sid": "CA1"}')
    with pytest.raises(VoiceAgentError, match=r"CA1\.json is not the record of a call: .*missing required field"):
        RecordStore(tmp_path).read("CA1")
