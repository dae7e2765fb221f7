import io
import json
from pathlib import Path

import pytest

from app.records.command import show
from app.records.page import page
from app.records.store import RecordStore
from tests.support.records import a_record


def shown(data_dir: Path, call: str, *, as_json: bool = False) -> tuple[int, str]:
    out = io.StringIO()
    return show(data_dir, call, as_json=as_json, out=out), out.getvalue()


def file(data_dir: Path, *call_sids: str) -> None:
    for call_sid in call_sids:
        RecordStore(data_dir / "records").file(a_record(call_sid))


def test_a_record_is_shown_by_the_beginning_of_its_calls_name(tmp_path: Path) -> None:
    file(tmp_path, "CA12", "CA34")
    assert shown(tmp_path, "CA1") == (0, page(a_record("CA12")))


def test_as_json_it_is_what_was_filed(tmp_path: Path) -> None:
    file(tmp_path, "CA12")
    code, text = shown(tmp_path, "CA12", as_json=True)
    assert code == 0
    assert text == (tmp_path / "records" / "CA12.json").read_text()
    assert json.loads(text)["call_sid"] == "CA12"


def test_an_ambiguous_beginning_names_the_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file(tmp_path, "CA12", "CA13")
    assert shown(tmp_path, "CA1") == (1, "")
    assert capsys.readouterr().err == (
        "dialtone show: more than one record begins with CA1: CA12, CA13; write more of it\n"
    )


def test_an_unknown_call_is_told_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file(tmp_path, "CA12")
    assert shown(tmp_path, "CA9") == (1, "")
    assert capsys.readouterr().err == "dialtone show: no record begins with CA9; there are: CA12\n"


def test_without_records_the_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(tmp_path, "CA9") == (1, "")
    assert capsys.readouterr().err == f"dialtone show: no record begins with CA9 in {tmp_path / 'records'}\n"


@pytest.mark.parametrize("call", ["", "../CA1", "CA*"])
def test_what_is_no_call_is_asked_wrong(tmp_path: Path, call: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(tmp_path, call) == (2, "")
    assert "is no CallSid" in capsys.readouterr().err


def test_a_broken_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file(tmp_path, "CA12")
    (tmp_path / "records" / "CA12.json").write_text("{")
    assert shown(tmp_path, "CA12") == (1, "")
    assert "CA12.json is not the record of a call" in capsys.readouterr().err
