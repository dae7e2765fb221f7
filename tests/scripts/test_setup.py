"""scripts/setup.sh in a folder of its own, with programs that stand in for interpreters: nothing is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "scripts" / "setup.sh"
INTERPRETER = """#!/bin/sh
# Python {version}, as far as setup.sh asks; {pip} is pip's exit code
verdict=untested
case {version} in 3.10.*) verdict=old ;; 3.11.* | 3.12.* | 3.13.*) verdict=supported ;; esac
case "$*" in
    "-m venv --clear "*) mkdir -p "$4/bin" && rm -rf "$4"/* && mkdir "$4/bin" && cp "$0" "$4/bin/python" ;;
    "-m pip install "*) exit {pip} ;;
    "-c "*version*) echo "$verdict {version}" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    shutil.copy(SETUP, tmp_path / "scripts")
    (tmp_path / "scripts" / "run").write_text('source "$(dirname "$0")/setup.sh"\ncommand -v python\n')
    (tmp_path / "pyproject.toml").write_text("")
    return tmp_path


def interpreter(checkout: Path, version: str, *, pip: int = 0) -> str:
    path = checkout / f"python-{version}-{pip}"
    path.write_text(INTERPRETER.format(version=version, pip=pip))
    path.chmod(0o755)
    return str(path)


def run(checkout: Path, python: str = "", *, first: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script. first: the interpreter that PATH names python3."""
    search = os.environ["PATH"]
    if first:
        (checkout / "path").mkdir(exist_ok=True)
        shutil.copy(first, checkout / "path" / "python3")
        search = f"{checkout / 'path'}:{search}"
    return subprocess.run(
        ["bash", "scripts/run"],
        cwd=checkout,
        env={"PATH": search, "HOME": str(checkout), "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def environment(checkout: Path) -> str:
    """Return what the environment says that it is."""
    return subprocess.run(
        [checkout / ".venv/bin/python", "-c", "version"], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("3.10.4", "older than Python 3.11"),
        ("/bin/true", "no Python that runs"),
        ("/bin/echo", "no Python that runs"),
        ("/nowhere/python", "no Python that runs"),
    ],
)
def test_an_interpreter_that_cannot_serve_is_refused_before_anything_is_removed(
    checkout: Path, named: str, says: str
) -> None:
    good = interpreter(checkout, "3.12.1")
    assert run(checkout, good).returncode == 0
    refused = run(checkout, named if named.startswith("/") else interpreter(checkout, named))
    assert refused.returncode == 1
    assert says in refused.stderr
    assert "3.11 to 3.13" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert environment(checkout) == "supported 3.12.1"
    again = run(checkout)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.strip() == str(checkout / ".venv/bin/python")


def test_a_newer_interpreter_is_tried_with_a_word_that_it_is_untested(checkout: Path) -> None:
    done = run(checkout, interpreter(checkout, "3.14.0"))
    assert done.returncode == 0
    assert "newer than those that Dialtone is tested with" in done.stderr
    assert environment(checkout) == "untested 3.14.0"


def test_an_environment_of_an_old_or_a_broken_interpreter_is_made_anew(checkout: Path) -> None:
    good = interpreter(checkout, "3.12.1")
    for broken in (interpreter(checkout, "3.10.4"), "/bin/true", "/bin/false"):
        shutil.rmtree(checkout / ".venv", ignore_errors=True)
        (checkout / ".venv/bin").mkdir(parents=True)
        shutil.copy(broken, checkout / ".venv/bin/python")
        done = run(checkout, first=good)
        assert done.returncode == 0
        assert environment(checkout) == "supported 3.12.1"


def test_a_failed_installation_is_said_and_tried_again(checkout: Path) -> None:
    failing, good = interpreter(checkout, "3.12.1", pip=2), interpreter(checkout, "3.12.1")
    assert run(checkout, good).returncode == 0
    (checkout / "pyproject.toml").write_text("[project]")
    (checkout / ".venv/bin/python").write_text(Path(failing).read_text())
    for _ in range(2):
        failed = run(checkout, failing)
        assert failed.returncode == 1
        assert "could not be installed" in failed.stderr
    (checkout / "pyproject.toml").write_text("")
    assert "could not be installed" in run(checkout, failing).stderr, "taken for what it was before"
    (checkout / ".venv/bin/python").write_text(Path(good).read_text())
    assert run(checkout, good).returncode == 0
