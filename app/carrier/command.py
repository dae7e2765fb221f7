"""`dialtone call`: places a simulated Twilio call against a running service."""

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from app.carrier import faults, files, script, story
from app.carrier.call import ACCOUNT_SID, CallPlan, place_call
from app.carrier.line import Line
from app.carrier.record import await_record
from app.carrier.report import CallReport
from app.carrier.steps import SILENCE_MS, AgentDoes, Say, Step, WaitForAgent, Wav
from app.carrier.timeline import Event
from app.carrier.voice import Speak
from app.errors import VoiceAgentError

DONE, FOUND_WRONG, ASKED_WRONG = 0, 1, 2

_TABLE = Path("-")
_THIS_MACHINE = {"127.0.0.1", "::1", "localhost"}
_RECORD_WAIT_S = 5.0

DESCRIPTION = """\
Place a simulated telephone call, as Twilio would: the signed webhook, the media WebSocket with 20 ms frames in real
time, marks and clears by a play-out clock, and the callbacks. The service must be running (dialtone serve).
"""
EXAMPLES = """\
examples:
  dialtone call --say "Where is my order 1042?" --say "Thank you, goodbye." --out call.wav
      waits for the agent to finish, asks, waits, thanks, waits, hangs up; call.wav: caller left, agent right
  dialtone call --wav question.wav --wav thanks.wav --report call.json
      the same with recorded words; call.json says what was heard when
  dialtone call --script barge-in.yaml --strict
      a scripted caller; any breach of Twilio's wire rules fails the call as well
  dialtone call --json | jq .time_to_first_audio_ms
      a caller who only listens until the agent is silent
  dialtone call --script barge-in.yaml --delay-ms 150 --jitter-ms 60 --report
      over a slow and uneven line; then a table of what the caller truly heard against what the service believes

a script is a YAML list of steps; the options above win over its line:
  - line: {delay_ms: 150, jitter_ms: 60}         # first, if at all; or any option of the line, by its name with _
  - wait: {for: agent_ends, silence_ms: 700}     # or agent_starts; ms: 500; heard_ms: 2000; within_ms: how long at most
  - say: "Where is my order?"                    # or wav: question.wav; besides: language, level_dbfs
  - expect: {agent_speaks_within_ms: 2000}       # counted from the end of the caller's words
  - barge_in: {after_ms: 1500, say: "Stop."}     # so long after the agent's next utterance began
  - dtmf: "1042#"
  - hang_up: true                                # without it: when the agent is silent

the report holds what was truly heard, by the carrier's play-out clock. Whether the service knows it is judged by the
record that it files under DATA_DIR (data); without it (a service elsewhere) position errors are null, and it says why.

TWILIO_AUTH_TOKEN signs the requests, TWILIO_ACCOUNT_SID is the account; without a token nothing is signed.
exit code: 0 the call went as asked, 1 it failed or an expectation was not met, 2 the command was asked wrong
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser of `dialtone call` its options, description and examples."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    where = parser.add_argument_group("where to")
    where.add_argument(
        "--url",
        help="the service's base URL (default: PUBLIC_URL of the environment, else http://HOST:PORT, as for serve)",
    )
    where.add_argument(
        "--to", metavar="NUMBER", default="+15550100", help="number that is dialled (default: %(default)s)"
    )
    where.add_argument(
        "--from",
        dest="from_number",
        metavar="NUMBER",
        default="+15550199",
        help="caller's number (default: %(default)s)",
    )
    what = parser.add_argument_group("what the caller does")
    what.add_argument(
        "--say", metavar="TEXT", action=_InOrder, help="words to say once the agent has ended; may repeat"
    )
    what.add_argument("--wav", metavar="FILE", action=_InOrder, help="the same from a 16-bit PCM WAV file; may repeat")
    what.add_argument("--script", metavar="FILE", type=Path, help="a YAML script of steps, instead of --say and --wav")
    what.add_argument("--language", default="en-US", help="language of the words, BCP 47 (default: %(default)s)")
    what.add_argument(
        "--silence-ms",
        type=int,
        default=SILENCE_MS,
        help="the agent has ended when silent so long (default: %(default)s)",
    )
    what.add_argument(
        "--level-dbfs",
        metavar="DBFS",
        default="-20",
        help="level of the caller's speech; keep: as loud as the voice or the file is (default: %(default)s)",
    )
    what.add_argument(
        "--max-s", type=float, default=120.0, help="hang up after so long at the latest (default: %(default)g)"
    )
    _add_line_arguments(parser)
    result = parser.add_argument_group("what remains")
    result.add_argument(
        "--out", metavar="WAV", type=Path, help="write the call as a stereo WAV: caller left, agent right"
    )
    result.add_argument(
        "--report",
        metavar="FILE",
        type=Path,
        nargs="?",
        const=_TABLE,
        help="write the report as JSON; without FILE, or with -: print what the caller truly heard as a table, which "
        "is otherwise done on a terminal only",
    )
    result.add_argument("--json", action="store_true", help="print the report as JSON instead of the story")
    result.add_argument(
        "--strict", action="store_true", help="fail as well when the service breaks Twilio's wire rules"
    )
    parser.set_defaults(words=[])


def _add_line_arguments(parser: argparse.ArgumentParser) -> None:
    line = parser.add_argument_group(
        "what is wrong with the line",
        "Nothing, unless it is said here. Times at which something happens: ms since the stream began.",
    )
    line.add_argument(
        "--delay-ms",
        metavar="MS[:MS]",
        help="network delay of the media stream each way, or service to carrier:carrier to service",
    )
    line.add_argument("--jitter-ms", metavar="MS", type=int, help="up to so much more for each message; order is kept")
    line.add_argument("--mark-delay-ms", metavar="MS", type=int, help="the carrier returns marks so late")
    line.add_argument("--bunch-marks-ms", metavar="MS", type=int, help="and only every so many ms, all at once")
    line.add_argument(
        "--loss-percent",
        metavar="PERCENT",
        type=float,
        help="telephone packets (20 ms) lost, both ways: of the caller's nothing is sent, the timestamps go on; of the "
        "agent's the telephone repeats what it heard last, fading",
    )
    line.add_argument("--stall-at-ms", metavar="MS", type=int, help="the carrier stops reading its socket then ...")
    line.add_argument("--stall-ms", metavar="MS", type=int, help="... for so long")
    line.add_argument(
        "--drop-at-ms", metavar="MS", type=int, help="the connection is reset then, without a close frame"
    )
    line.add_argument("--line-seed", metavar="N", type=int, dest="seed", help="other chances of jitter and loss")


class _InOrder(argparse.Action):
    """Collects --say and --wav in the order they were given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        words = Say(str(values)) if self.dest == "say" else Wav(Path(str(values)))
        namespace.words = [*namespace.words, words]


def run(
    args: argparse.Namespace,
    *,
    url: str,
    speak: Speak | None,
    auth_token: str | None,
    account_sid: str | None,
    records: Path | None = None,
) -> int:
    """Place the call and return the exit code.

    url: of the service, unless --url names another; speak: the voice at hand; the token signs, the SID names the
    account; records: the folder in which a service of this machine files what it knows of a call.
    """
    try:
        plan = _plan(args, url, auth_token, account_sid)
    except VoiceAgentError as error:
        print(f"dialtone call: {error}", file=sys.stderr)
        return ASKED_WRONG
    live = not args.json and sys.stdout.isatty()
    try:
        report = asyncio.run(place_call(plan, speak=speak, on_event=_print_event if live else None))
        if records is not None:
            _read_record(report, records)
    except VoiceAgentError as error:
        print(f"dialtone call: {error}", file=sys.stderr)
        return ASKED_WRONG
    except KeyboardInterrupt:
        print("dialtone call: interrupted; the call was cut off", file=sys.stderr)
        return FOUND_WRONG
    if args.strict and report.warnings.count:
        codes = ", ".join(str(code) for code in report.warnings.count)
        report.failures.append(f"the service broke the wire's rules (warnings {codes}), and --strict was asked for")
    unwritten = files.write(report, args.out, None if args.report == _TABLE else args.report)
    if args.json:
        print(files.as_json(report))
    else:
        _tell(report, with_events=not live, with_judgement=live or args.report == _TABLE)
    for sentence in unwritten:
        print(f"dialtone call: {sentence}", file=sys.stderr)
    return DONE if report.ok and not unwritten else FOUND_WRONG


def _plan(args: argparse.Namespace, default_url: str, auth_token: str | None, account_sid: str | None) -> CallPlan:
    url = default_url if args.url is None else args.url
    if not _is_address(url):
        raise VoiceAgentError(f"--url {url!r}: http://HOST:PORT or https://HOST is needed")
    if not args.to.strip():
        raise VoiceAgentError(f"--to {args.to!r}: a number is needed, such as +15550100")
    if args.script is not None and args.words:
        raise VoiceAgentError("--script and --say/--wav at once; put the words into the script")
    if args.silence_ms < 0:
        raise VoiceAgentError(f"--silence-ms {args.silence_ms}: milliseconds from 0 on are needed")
    if not args.max_s > 0:
        raise VoiceAgentError(f"--max-s {args.max_s:g}: more than 0 seconds are needed")
    if args.json and args.report == _TABLE:
        raise VoiceAgentError(
            "--json and --report without a FILE at once; the table is for people, the JSON has it all"
        )
    if args.script is not None:
        scripted = script.load(args.script, silence_ms=args.silence_ms)
        steps, line = scripted.steps, scripted.line
    else:
        steps, line = _turns(args.words, args.silence_ms), Line()
    line = _line(args, line)
    level_dbfs = _level_dbfs(args.level_dbfs)
    for path, option in ((args.out, "--out"), (args.report, "--report")):
        if path is not None and path != _TABLE:
            files.check_writable(path, option)
    return CallPlan(
        url=url,
        to_number=args.to,
        from_number=args.from_number,
        steps=steps,
        language=args.language,
        level_dbfs=level_dbfs,
        max_s=args.max_s,
        auth_token=auth_token or None,
        account_sid=account_sid or ACCOUNT_SID,
        line=line,
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _line(args: argparse.Namespace, line: Line) -> Line:
    """The line of the script, if there is one, as far as the options do not say otherwise."""
    asked: dict[str, str | int | float] = {
        name: value for name in faults.NAMES if (value := getattr(args, name)) is not None
    }
    try:
        return faults.line(asked, line)
    except faults.FaultError as error:
        message = re.sub(r"\bstall_(at_)?ms\b", lambda match: _option(match[0]), str(error))
        raise VoiceAgentError(f"{_option(error.name)} {message}") from error


def _option(name: str) -> str:
    return "--line-seed" if name == "seed" else "--" + name.replace("_", "-")


def _level_dbfs(written: str) -> float | None:
    if written == "keep":
        return None
    try:
        level_dbfs = float(written)
    except ValueError:
        level_dbfs = 1.0
    if not -60 <= level_dbfs <= 0:
        raise VoiceAgentError(f"--level-dbfs {written}: a number from -60 to 0, or keep, is needed")
    return level_dbfs


def _turns(words: Sequence[Say | Wav], silence_ms: int) -> list[Step]:
    """Each of the words after the agent has ended."""
    steps: list[Step] = []
    for each in words:
        if isinstance(each, Wav) and not each.path.is_file():
            raise VoiceAgentError(f"--wav {each.path}: there is no such file")
        if isinstance(each, Say) and not each.text.strip():
            raise VoiceAgentError("--say: no words; write what the caller says")
        steps += [WaitForAgent(AgentDoes.ENDS, silence_ms), each]
    return steps


def _read_record(report: CallReport, records: Path) -> None:
    """Put the service's record of the call beside the report, if it is one of this machine."""
    is_cut = any(stream.playout.cleared for stream in report.streams)
    is_here = urlsplit(report.url).hostname in _THIS_MACHINE
    wait_s = _RECORD_WAIT_S if is_cut and is_here else 0.0  # it is filed when the model has had its last word
    record = await_record(records / f"{report.call_sid}.json", wait_s)
    if isinstance(record, str):
        report.record_missing = record
    else:
        report.record = record


def _tell(report: CallReport, *, with_events: bool, with_judgement: bool) -> None:
    if with_events:
        for event in report.events:
            _print_event(event)
    for text in story.summary(report):
        print(text)
    if with_judgement:
        for text in story.judgement(report):
            print(text)


def _print_event(event: Event) -> None:
    text = story.line(event)
    if text is not None:
        print(text, flush=True)
