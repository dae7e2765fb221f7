"""The files of a call, recording and report: tried before the call is placed, written when it is over."""

import json
from pathlib import Path

from app.audio import wav
from app.carrier.report import CallReport
from app.errors import VoiceAgentError


def check_writable(path: Path, option: str) -> None:
    """Try to write a file and leave everything as it was. Raises VoiceAgentError with what to write instead.

    Only trying tells: a superuser may write anywhere, but not make a folder below /proc. option: that named the file.
    """
    made: list[Path] = []
    try:
        if path.is_dir():
            raise VoiceAgentError(f"{option} {path}: is a folder; name a file in it")
        for folder in reversed(path.parents):
            if not folder.exists():
                folder.mkdir()
                made.append(folder)
        if not path.exists():
            path.touch(exist_ok=False)
            path.unlink()
        elif path.is_file():  # of a pipe or a device, opening would be a deed
            with path.open("ab"):
                pass
    except OSError as error:
        raise VoiceAgentError(
            f"{option} {path}: cannot be written ({error.strerror}); name a file where you may write, such as "
            f"{'call.wav' if option == '--out' else 'call.json'}"
        ) from error
    finally:
        for folder in reversed(made):
            folder.rmdir()


def write(report: CallReport, out: Path | None, report_path: Path | None) -> list[str]:
    """Write what was asked for, and return a sentence for each file that could not be written."""
    failures: list[str] = []
    if out is not None:
        try:
            wav.write(out, report.recording())
        except OSError as error:
            failures.append(f"--out {out}: could not be written ({error.strerror}); the recording is lost")
    if report_path is not None:
        try:
            report_path.parent.mkdir(parents=True, exist_ok=True)
            report_path.write_text(as_json(report) + "\n", encoding="utf-8")
        except OSError as error:
            failures.append(
                f"--report {report_path}: could not be written ({error.strerror}); --json prints it instead"
            )
    return failures


def as_json(report: CallReport) -> str:
    """Return the report as programs read it."""
    return json.dumps(report.to_json(), indent=2, ensure_ascii=False)
