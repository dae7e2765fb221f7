"""What `dialtone check` and `dialtone schema` print, and their exit status."""

import io
import json
from pathlib import Path

import pytest

from app.agents.command import check, schema
from app.agents.schema import json_schema

SAMPLES = Path(__file__).parents[2] / "deploy" / "agents"


def run(*paths: Path, as_json: bool = False) -> tuple[int, str]:
    out = io.StringIO()
    return check(paths, as_json=as_json, out=out), out.getvalue()


def test_good_files_get_a_line_each() -> None:
    status, printed = run(SAMPLES)
    assert status == 0
    lines = printed.splitlines()
    assert len(lines) == len(list(SAMPLES.glob("*.yaml")))
    assert lines[0].endswith(
        "acme-orders.yaml: ok: acme-orders (+15550100, default), en-US, local local, tools: lookup_order"
    )


@pytest.mark.parametrize(
    ("voice", "told"),
    [("", "Twilio's <Say> speaks the disclosure"), ("voice: {provider: local}\n", "cannot be served")],
)
def test_a_language_that_no_voice_here_speaks_is_warned_of(tmp_path: Path, voice: str, told: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"agent: a\nprompt: p\nlanguage: tlh\n{voice}disclosure: {{text: AI}}\n")
    status, printed = run(path)
    assert status == 0
    good, warning = printed.splitlines()
    assert good.startswith(f"{path}: ok: a")
    assert warning.startswith(f"{path}:3:11: language: warning: no embedded voice for tlh is here")
    assert told in warning
    assert run(path, as_json=True) == (0, "[]\n")


def test_mistakes_get_a_line_each_and_status_1(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("agent: a\npromt: p\n")
    status, printed = run(path)
    assert status == 1
    assert printed.splitlines() == [
        f"{path}:1:1: disclosure: is missing; write, for example, disclosure: "
        "{text: You are speaking with an automated AI assistant.}",
        f"{path}:1:1: prompt: is missing; write, for example, prompt: You answer the telephone for Acme. Be brief.",
        f"{path}:2:1: promt: unknown key; did you mean prompt?",
    ]


def test_mistakes_as_json(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("agent: a\nprompt: p\ndisclosure: {text: AI}\nvoise: x\n")
    status, printed = run(path, as_json=True)
    assert status == 1
    assert json.loads(printed) == [
        {"file": str(path), "line": 4, "column": 1, "key": "voise", "message": "unknown key; did you mean voice?"}
    ]
    assert run(SAMPLES, as_json=True) == (0, "[]\n")


def test_files_named_one_by_one_are_checked_against_each_other(tmp_path: Path) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_bytes((SAMPLES / "hanbit-orders.yaml").read_bytes())
    status, printed = run(SAMPLES / "hanbit-orders.yaml", copy)
    assert status == 1
    assert "is answered by hanbit-orders" in printed
    assert "is the id of another agent" in printed


def test_a_file_named_twice_is_one_file() -> None:
    assert run(SAMPLES, SAMPLES / "acme-orders.yaml")[0] == 0


@pytest.mark.parametrize("missing", ["none.yaml", "empty"])
def test_what_is_not_there_is_asked_wrong(tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / missing) == (2, "")
    assert str(tmp_path / missing) in capsys.readouterr().err


def test_nothing_asked_is_asked_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == (2, "")
    assert "nothing to check" in capsys.readouterr().err


def test_the_schema_is_printed_as_json() -> None:
    out = io.StringIO()
    assert schema(out) == 0
    assert json.loads(out.getvalue()) == json_schema()
