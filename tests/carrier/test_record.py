"""The service's record as the carrier reads it."""

import json
import threading
from pathlib import Path

import pytest

from app.carrier.record import Claim, Disclosed, RecordError, ServiceRecord, await_record, read_record

DISCLOSURE = {
    "text": "This is an AI.",
    "sha256": "0",
    "language": "en-US",
    "result": "heard",
    "start_ms": 3,
    "end_ms": 2020,
    "mark": "1:4",
    "interruptions": 0,
}
INTERRUPTION = {"at_ms": 4100, "item_id": "item_7", "heard_ms": 820, "generated_ms": 5000, "mark": "1:9"}


def write(path: Path, **fields: object) -> Path:
    path.write_text(json.dumps(fields))
    return path


def test_what_can_be_judged_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "CA1.json", call_sid="CA1", disclosure=DISCLOSURE, interruptions=[INTERRUPTION])
    assert read_record(path) == ServiceRecord(
        (Claim(4100, "item_7", 820, 5000, "1:9"),),
        Disclosed("This is an AI.", "heard", "1:4", 3, 2020, 0),
    )


def test_a_record_without_interruptions_or_disclosure_is_one_too(tmp_path: Path) -> None:
    assert read_record(write(tmp_path / "CA1.json", call_sid="CA1")) == ServiceRecord(None, None)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"interruptions": [1]}', '{"disclosure": {"mark": 3}}', '{"interruptions": [{"at_ms": "1"}]}']
)
def test_what_is_no_record_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "CA1.json"
    path.write_text(text)
    with pytest.raises(RecordError) as caught:
        read_record(path)
    assert str(caught.value).startswith(f"{path}: ")
    why = await_record(path, 0)
    assert isinstance(why, str)
    assert str(path) in why


def test_a_record_that_is_still_being_filed_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "CA1.json"
    writer = threading.Timer(0.2, lambda: write(tmp_path / "aside", call_sid="CA1").replace(path))
    writer.start()
    try:
        assert await_record(path, 30) == ServiceRecord(None, None)
    finally:
        writer.join()


def test_a_record_that_is_not_there_says_what_to_set(tmp_path: Path) -> None:
    why = await_record(tmp_path / "CA1.json", 0)
    assert isinstance(why, str)
    assert "DATA_DIR must be the service's own" in why
