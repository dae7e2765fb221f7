"""The demonstration: starts the service as an operator would, calls it, tells the call, and judges it."""

import argparse
import asyncio
import json
import os
import secrets
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from app.audio import wav
from app.carrier.call import CallPlan, place_call
from app.carrier.report import CallReport
from app.carrier.steps import AgentDoes, HangUp, Say, Step, WaitForAgent, WaitHeard
from app.local.spoken import spoken
from app.local.voice import caller_voice
from app.local.workers import Mouth
from app.telemetry.story import tell
from scripts.demonstration.timeline import Span, Timeline, draw
from scripts.demonstration.verdict import judge

ROOT = Path(__file__).parents[2]
FOLDER = Path("data/demo")
AGENT = ROOT / "deploy" / "agents" / "acme-orders.yaml"
ORDERS = [
    ("1042", "shipped", "2026-11-25"),
    ("1043", "being packed", "2026-12-01"),
    ("2718", "delivered", "2026-11-20"),
]
STEPS: tuple[Step, ...] = (
    WaitForAgent(AgentDoes.ENDS),
    Say("Where is my order? The number is one zero four two."),
    # the agent reads the number back (some three seconds), looks it up and answers (nine): speak into its answer
    WaitHeard(5500),
    Say("Actually, when will it arrive?"),
    WaitForAgent(AgentDoes.ENDS),
    Say("That is all. Goodbye."),
    WaitForAgent(AgentDoes.ENDS),
    HangUp(),
)
READY_S = 90.0


def main() -> int:
    parser = argparse.ArgumentParser("scripts/demo", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="leave the service running after the call")
    args = parser.parse_args()
    os.chdir(ROOT)
    try:
        return asyncio.run(demonstrate(leave_running=args.serve))
    except KeyboardInterrupt:
        return 130


async def demonstrate(*, leave_running: bool) -> int:
    make_orders(FOLDER / "dialtone.db")
    token = secrets.token_hex(16)  # so that the signatures are really checked
    log = FOLDER / "service.log"
    async with service(log, token) as url:
        report = await call(url, token)
        lines = await story_of(log, report.call_sid)
        record_path = FOLDER / "records" / f"{report.call_sid}.json"
        record = json.loads(record_path.read_text()) if record_path.is_file() else None

        print("\nThe call, as the service's log tells it:\n")
        for line in tell(lines):
            print(line)
        wav.write(FOLDER / "call.wav", report.recording())
        (FOLDER / "report.json").write_text(json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n")
        if record is not None:
            (FOLDER / "timeline.svg").write_text(picture(report, record, lines))

        print("\nWhat had to happen:\n")
        findings = judge(report, record, ORDERS[0])
        for finding in findings:
            print(f"  {'yes' if finding.holds else 'NO '}  {finding.what}: {finding.detail}")
        print(f"\n  recording  {FOLDER / 'call.wav'} (caller left, agent right)")
        print(f"  timeline   {FOLDER / 'timeline.svg'}")
        print(f"  record     dialtone show {report.call_sid[:8]}   with DATA_DIR={FOLDER}")
        print(f"  log        {log}")
        failed = [finding for finding in findings if not finding.holds]
        if failed:
            print(f"\nThe demonstration failed: {'; '.join(finding.what for finding in failed)}.", file=sys.stderr)
            return 1
        if leave_running:
            print(f"\nThe service goes on at {url}; its signatures are checked with this run's token. Call it:\n")
            print(f"  TWILIO_AUTH_TOKEN={token} .venv/bin/dialtone call --url {url} \\")
            print('      --say "Where is my order? The number is one zero four three."\n\nCtrl-C ends it.')
            await asyncio.Event().wait()
    return 0


def make_orders(path: Path) -> None:
    """Write the shop's orders where the tool looks them up."""
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path)
    with database:
        database.execute("create table if not exists orders (number text primary key, status text, eta text)")
        database.executemany("insert or replace into orders values (?, ?, ?)", ORDERS)
    database.close()


@asynccontextmanager
async def service(log: Path, token: str) -> AsyncIterator[str]:
    """Start the service on a free port, wait until it is ready, give its address, stop it in the end."""
    agents = FOLDER / "agents"
    agents.mkdir(exist_ok=True)
    (agents / AGENT.name).write_text(AGENT.read_text())
    environment = {
        **os.environ,
        "HOST": "127.0.0.1",
        "PORT": "0",
        "DATA_DIR": str(FOLDER),
        "AGENTS_DIR": str(agents),
        "TWILIO_AUTH_TOKEN": token,
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "info",
        "MAX_CALLS": "50",
    }
    for name in ("PUBLIC_URL", "TWILIO_ACCOUNT_SID", "DATABASE_URL"):
        environment.pop(name, None)
    began = time.monotonic()
    progress("Starting the service and the embedded model …")
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "serve"), env=environment, stdout=out
        )
    try:
        url = await ready(log, process)
        progress(f"The service is ready at {url} after {time.monotonic() - began:.1f} s.")
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(15):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def ready(log: Path, process: asyncio.subprocess.Process) -> str:
    """Return the service's address once it may take a call."""
    async with asyncio.timeout(READY_S), httpx.AsyncClient() as client:
        while process.returncode is None:
            started = [line for line in events(log) if line["event"] == "service.start"]
            if started:
                url = str(started[0]["address"])
                try:
                    answer = await client.get(f"{url}/readyz")
                    if answer.status_code == 200:
                        return url
                except httpx.TransportError:
                    pass  # it is bound but not listening yet
            await asyncio.sleep(0.2)
    raise SystemExit(f"the service did not start; {log} tells why")


def events(log: Path) -> list[dict[str, object]]:
    lines = []
    for line in log.read_text(errors="replace").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue  # the last line may be half written
    return lines


async def call(url: str, token: str) -> CallReport:
    """Place the call; say on a terminal where it is."""
    mouth = Mouth()

    async def speak(text: str, language: str) -> bytes:
        return await mouth.speak(spoken(text, language), caller_voice(language))

    progress("Calling. The call lasts about three quarters of a minute.")
    try:
        return await place_call(CallPlan(url, steps=STEPS, auth_token=token, max_s=100.0), speak=speak)
    finally:
        await mouth.close()


async def story_of(log: Path, call_sid: str) -> list[dict[str, object]]:
    """Return the call's log lines, the record's filing being the last."""
    async with asyncio.timeout(15):
        while True:
            lines = [line for line in events(log) if line.get("call_sid") == call_sid]
            if any(line["event"] == "record.filed" for line in lines):
                return lines
            await asyncio.sleep(0.1)


def picture(report: CallReport, record: dict[str, object], lines: list[dict[str, object]]) -> str:
    """Return the call as a picture: both voices over time, and what happened."""
    recording = report.recording()
    timeline = Timeline(recording, title=f"{report.call_sid[:10]}…  {record['agent']}: {record['outcome']}")
    disclosure = record["disclosure"]
    assert isinstance(disclosure, dict)
    timeline.spans.append(Span(disclosure["start_ms"], disclosure["end_ms"], "disclosure", "agent"))
    turns = record["turns"]
    assert isinstance(turns, list)
    for turn in turns:
        timeline.spans.append(
            Span(turn["start_ms"], turn["end_ms"], turn["heard"] or "(not understood)", turn["speaker"])
        )
    start = next(moment(line) for line in lines if line["event"] == "call.start")
    for line in lines:
        at_ms = round((moment(line) - start) * 1000)
        if line["event"] == "barge_in.start":
            timeline.marks.append((at_ms, f"barge-in after {line['heard_ms']} ms of the item", "barge_in"))
        elif line["event"] == "tool.done":
            timeline.marks.append((at_ms, f"{line['name']}: {line['status']} ({line['duration_ms']} ms)", "tool"))
        elif line["event"] == "disclosure.heard":
            timeline.marks.append((at_ms, f"proof: mark {line['mark']}", "proof"))
    return draw(timeline)


def moment(line: dict[str, object]) -> float:
    from_iso = time.strptime(str(line["timestamp"])[:19], "%Y-%m-%dT%H:%M:%S")
    return time.mktime(from_iso) + float("0" + str(line["timestamp"])[19:-1])


def progress(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
