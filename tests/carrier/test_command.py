"""`dialtone call` as a person or a script runs it."""

import argparse
import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.audio import mulaw, wav
from app.carrier import command
from app.carrier.voice import Speak
from tests.support.phone_service import Media, PhoneService, listen, serving


@contextmanager
def running(service: PhoneService) -> Iterator[PhoneService]:
    """Serve it in a thread of its own, since the command runs a loop of its own."""
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with serving(service):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield service
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive()


def call(
    *arguments: str,
    url: str = "http://127.0.0.1:8080",
    speak: Speak | None = None,
    auth_token: str | None = None,
    records: Path | None = None,
) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    account_sid = "AC" + "1" * 32
    return command.run(
        parser.parse_args(arguments),
        url=url,
        speak=speak,
        auth_token=auth_token,
        account_sid=account_sid,
        records=records,
    )


async def beep(text: str, language: str) -> bytes:
    """A voice that says anything as 0.2 s of a tone."""
    samples = 6000 * np.sin(2 * np.pi * 440 * np.arange(4800) / 24_000)
    return bytes(np.rint(samples).astype("<i2").tobytes())


async def answers(media: Media) -> None:
    """Speaks 0.3 s at the start and then listens."""
    await media.play(mulaw.encode(b"\x00\x10" * 2400))
    await listen(media)


def test_a_call_is_told_as_a_story_written_as_wav_and_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "new" / "call.wav", tmp_path / "other" / "call.json"
    script = tmp_path / "call.yaml"
    script.write_text('- wait: {for: agent_ends}\n- say: "Where is it?"\n- dtmf: "1#"\n- hang_up: true\n')
    with running(PhoneService(conversation=answers)) as service:
        arguments = ["--url", service.url, "--script", str(script), "--out", str(out), "--report", str(report)]
        assert call(*arguments, speak=beep) == 0
    told = capsys.readouterr().out
    for words in ("agent speaks", "agent is silent", "caller: Where is it?", "presses a key", "call ends (caller)"):
        assert words in told
    assert "1#" not in told
    assert "FAILED" not in told
    assert wav.read(out).channels == 2
    written = json.loads(report.read_text(encoding="utf-8"))
    assert written["ok"] is True
    assert [words["text"] for words in written["caller_spoke"]] == ["Where is it?"]
    assert dict(service.asked[0].form)["AccountSid"] == "AC" + "1" * 32


def test_words_and_files_are_said_in_the_order_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "thanks.wav"
    wav.write(path, wav.Recording(8000, 1, b"\x00\x10" * 1600))

    async def echoes(media: Media) -> None:
        sound = mulaw.encode(b"\x00\x10" * 1600)
        await media.play(sound)
        for turn in (1, 2):
            await media.until(partial(_has_spoken, media, turn))
            await media.play(sound)
        await media.mark("end")
        await media.marked("end")

    with running(PhoneService(conversation=echoes)) as service:
        arguments = ["--url", service.url, "--say", "One", "--wav", str(path), "--silence-ms", "300", "--json"]
        assert call(*arguments, speak=beep, auth_token="secret") == 0
    report = json.loads(capsys.readouterr().out)
    assert [words["text"] for words in report["caller_spoke"]] == ["One", "thanks.wav"]
    assert report["ended_by"] == "service"
    assert "x-twilio-signature" in service.asked[0].headers


def _has_spoken(media: Media, times: int) -> bool:
    """Has so many stretches of the caller's sound ended, by 100 ms of silence?"""
    return sum(1 for piece in media.heard().split(b"\xff" * 800)[:-1] if piece.strip(b"\xff")) >= times


def test_a_breach_of_the_wire_fails_the_call_only_when_strict(capsys: pytest.CaptureFixture[str]) -> None:
    async def breaks(media: Media) -> None:
        await media.send({"event": "hangup", "streamSid": media.stream_sid})
        await media.play(mulaw.encode(b"\x00\x10" * 800))
        await media.mark("end")
        await media.marked("end")

    with running(PhoneService(conversation=breaks)) as service:
        assert call("--url", service.url) == 0
        assert call("--url", service.url, "--strict") == 1
    assert "FAILED: the service broke the wire's rules (warnings 31951)" in capsys.readouterr().out


def test_on_a_terminal_the_story_is_told_as_it_happens_and_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told_before_the_end = []

    async def looks(media: Media) -> None:
        told_before_the_end.append(capsys.readouterr().out)

    with running(PhoneService(conversation=looks)) as service:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert call("--url", service.url) == 1
    assert "begins" in told_before_the_end[0]
    after = capsys.readouterr().out
    assert "begins" not in after
    assert "call ends (service)" in after
    assert "FAILED: the agent was never heard" in after


def interrupted(at_mark: str) -> dict[str, object]:
    """A service's record of a call with one interruption."""
    disclosure = {"text": "", "result": "heard", "mark": "1:1", "start_ms": 0, "end_ms": 60_000, "interruptions": 0}
    claim = {"at_ms": 5, "item_id": "item_7", "heard_ms": 120, "generated_ms": 900, "mark": at_mark}
    return {"disclosure": disclosure, "interruptions": [claim]}


async def is_interrupted(media: Media) -> None:
    """200 ms that are heard, then a second that is cut."""
    await media.play(mulaw.encode(b"\x00\x10" * 1600))
    await media.mark("1:1")
    await media.play(mulaw.encode(b"\x00\x10" * 8000))
    await media.mark("1:2")
    await media.marked("1:1")
    await media.clear()
    await media.marked("1:2")


def test_what_was_truly_heard_is_told_against_the_services_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def files(media: Media) -> None:
        await is_interrupted(media)
        (tmp_path / f"{media.start['callSid']}.json").write_text(json.dumps(interrupted("1:2")))

    with running(PhoneService(conversation=files)) as service:
        assert call("--url", service.url, "--delay-ms", "40:20", "--report", records=tmp_path) == 0
    told = capsys.readouterr().out
    assert "item_7: " in told
    assert "120 ms told to the model, position error " in told
    assert "0 ms of cleared audio" in told
    assert "proven: mark 1:1 came back played at " in told


def test_the_report_holds_the_position_error_or_why_there_is_none(tmp_path: Path) -> None:
    report = tmp_path / "call.json"

    async def files(media: Media) -> None:
        await is_interrupted(media)
        (tmp_path / f"{media.start['callSid']}.json").write_text(json.dumps(interrupted("1:2")))

    with running(PhoneService(conversation=files)) as service:
        assert call("--url", service.url, "--report", str(report), records=tmp_path) == 0
        known = json.loads(report.read_text(encoding="utf-8"))
        assert call("--url", service.url, "--report", str(report)) == 0
        unknown = json.loads(report.read_text(encoding="utf-8"))
    (judged,), (cleared,) = known["interruptions"], known["clears"]
    assert judged["at_ms"] == cleared["at_ms"]
    assert judged["discarded_ms"] + judged["truly_heard_ms"] == pytest.approx(1000, abs=1)
    assert judged["position_error_ms"] == 120 - judged["truly_heard_ms"]
    assert (judged["item_id"], judged["mark"], judged["why"]) == ("item_7", "1:2", None)
    assert cleared["late_ms"] == 0
    assert known["disclosure"]["proven"] is True
    (without,) = unknown["interruptions"]
    assert (without["position_error_ms"], without["truly_heard_ms"]) == (None, None)
    assert without["why"] == "the service's record of this call is not at hand"
    assert unknown["disclosure"]["proven"] is None


def test_the_line_of_a_script_holds_unless_an_option_says_otherwise(tmp_path: Path) -> None:
    script, report = tmp_path / "call.yaml", tmp_path / "call.json"
    script.write_text("- line: {drop_at_ms: 100, delay_ms: 5}\n- wait: {ms: 300}\n- hang_up: true\n")

    def ended_by(*options: str) -> str:
        with running(PhoneService()) as service:
            call("--url", service.url, "--script", str(script), "--report", str(report), *options)
        (stream,) = json.loads(report.read_text(encoding="utf-8"))["streams"]
        return str(stream["ended_by"])

    assert ended_by() == "line"
    assert ended_by("--drop-at", "60000") == "caller"


def test_a_call_that_fails_exits_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    with running(PhoneService(voice="<Response><Reject/></Response>")) as service:
        assert call("--url", service.url) == 1
    assert "FAILED: the call was rejected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--url", "localhost:8080"], "--url 'localhost:8080': http://HOST:PORT"),
        (["--url", ""], "--url '': http://HOST:PORT"),
        (["--url", "http://127.0.0.1:0"], "--url 'http://127.0.0.1:0': http://HOST:PORT"),
        (["--url", "http://127.0.0.1:x"], "--url 'http://127.0.0.1:x': http://HOST:PORT"),
        (["--to", " "], "--to ' ': a number is needed, such as +15550100"),
        (["--say", "hi", "--script", "x.yaml"], "--script and --say/--wav at once"),
        (["--say", " "], "--say: no words"),
        (["--wav", "missing.wav"], "--wav missing.wav: there is no such file"),
        (["--script", "missing.yaml"], "missing.yaml: cannot be read"),
        (["--level-dbfs", "6"], "--level-dbfs 6: a number from -60 to 0, or keep"),
        (["--level-dbfs", "loud"], "--level-dbfs loud"),
        (["--silence-ms", "-1"], "--silence-ms -1"),
        (["--max-s", "0"], "--max-s 0"),
        (["--out", "."], "--out .: is a folder"),
        (["--delay-ms", "fast"], "--delay-ms fast: whole milliseconds are needed, or two of them as in 150:40"),
        (["--loss-percent", "101"], "--loss-percent 101.0: a number from 0 to 100 is needed"),
        (["--stall-ms", "100"], "--stall-ms 100: says how long; --stall-at-ms must say when"),
        (["--stall-at-ms", "100"], "--stall-at-ms 100: says when; --stall-ms must say for how long"),
        (["--stall-at-ms", "100", "--stall-ms", "0"], "--stall-ms 0: --stall-at-ms says when"),
        (["--out", "/proc/x/y.wav"], "--out /proc/x/y.wav: cannot be written (No such file or directory); name a file"),
        (["--report", "/proc/y.json"], "--report /proc/y.json: cannot be written"),
        (["--out", "y" * 300], "cannot be written (File name too long)"),
        (["--line-seed", "-1"], "--line-seed -1: a whole number from 0"),
        (["--report", "--json"], "--json and --report without a FILE at once"),
        (["--say", "hi"], "no voice is at hand to say 'hi'"),
    ],
)
def test_what_was_asked_wrong_is_said_and_exits_with_two(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("dialtone call: ")
    assert message in captured.err


def test_the_help_teaches_by_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        call("--help")
    assert caught.value.code == 0
    told = capsys.readouterr().out
    assert 'dialtone call --say "Where is my order 1042?"' in told
    assert "- barge_in: {after_ms: 1500" in told
    assert "- line: {delay_ms: 150" in told
    assert "default: PUBLIC_URL of the environment, else http://HOST:PORT" in " ".join(told.split())


def test_without_a_url_the_service_of_this_environment_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    with running(PhoneService(conversation=answers)) as service:
        assert call(url=service.url) == 0
    assert f"at {service.url}" in capsys.readouterr().out


def test_files_are_tried_before_the_call_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("as it was")
    asked = ["--say", "hi", "--out", str(tmp_path / "new" / "call.wav"), "--report", str(kept)]
    assert call(*asked) == 2, "there is no voice"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]
    assert kept.read_text() == "as it was"


def test_a_file_that_cannot_be_written_after_all_costs_neither_story_nor_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "call.wav", tmp_path / "call.json"

    async def takes_its_place(media: Media) -> None:
        out.mkdir()
        await answers(media)

    with running(PhoneService(conversation=takes_its_place)) as service:
        assert call("--url", service.url, "--out", str(out), "--report", str(report)) == 1
    captured = capsys.readouterr()
    assert "agent speaks" in captured.out
    assert f"--out {out}: could not be written (Is a directory)" in captured.err
    assert json.loads(report.read_text(encoding="utf-8"))["ok"] is True
