"""One subcommand, one function. Exit codes: 0 done, 1 found wrong, 2 asked wrong."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app import say
from app.agents.command import check, schema
from app.carrier import command as carrier
from app.errors import SettingsError, VoiceAgentError
from app.local import command as local
from app.local.spoken import spoken
from app.local.voice import caller_voice
from app.local.workers import Mouth
from app.records.command import show
from app.serve import serve
from app.settings import load_settings
from app.telemetry.command import tail

DONE, FOUND_WRONG, ASKED_WRONG = 0, 1, 2

DESCRIPTION = "Dialtone answers the telephone: an AI agent for each number, described in a YAML file."
EPILOG = """\
first steps:
  dialtone serve                           answer calls; AGENTS_DIR names the agents, default deploy/agents
  dialtone call --say "Where is my order?" place a simulated call against it
  dialtone say --agent acme-orders "Hello" the same in writing, without a telephone; the answer's sound is in say.wav
  dialtone check deploy/agents             what is wrong in an agent file, and what to write instead
  dialtone serve | dialtone tail           the calls as stories

The environment's variables are listed in docs/operating.md.
"""


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        return int(args.run(args))
    except SettingsError as error:
        print(f"dialtone {args.command}: {error}", file=sys.stderr)
        return ASKED_WRONG
    except VoiceAgentError as error:
        print(f"dialtone {args.command}: {error}", file=sys.stderr)
        return FOUND_WRONG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "dialtone", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serving = commands.add_parser(
        "serve",
        help="answer calls",
        description="Answer calls on HOST:PORT (127.0.0.1:8080). SIGTERM drains: running calls go on, new ones are "
        "turned away; a second signal ends at once.",
    )
    serving.set_defaults(run=_serve)

    checking = commands.add_parser(
        "check",
        help="validate agent files",
        description="Validate agent files, or all of a folder, also against each other. "
        "A mistake is a line file:line:column: key: what is wrong; what to write.",
    )
    checking.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="an agent file or a folder of them")
    checking.add_argument("--json", action="store_true", help="print the mistakes as a JSON list")
    checking.set_defaults(run=lambda args: check(args.paths, as_json=args.json, out=sys.stdout))

    describing = commands.add_parser(
        "schema",
        help="print the JSON Schema of the agent file",
        description="Print the JSON Schema of the agent file, for editors that complete and check as one types.",
    )
    describing.add_argument("--json", action="store_true", help="as it is anyway: a JSON Schema is JSON")
    describing.set_defaults(run=lambda _: schema(sys.stdout))

    saying = commands.add_parser("say", help="say something in writing to an agent's model and hear the answer")
    say.add_arguments(saying)
    saying.set_defaults(run=lambda args: say.run(args, load_settings()))

    calling = commands.add_parser("call", help="place a simulated call")
    carrier.add_arguments(calling)
    calling.set_defaults(run=_call)

    tailing = commands.add_parser(
        "tail",
        help="tell logs as the story of a call",
        description="Read the service's JSON log lines and tell what happened in each call: events and times.",
    )
    tailing.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the log (default: standard input)")
    tailing.add_argument("--call", metavar="CALL", help="only this call: its CallSid or the beginning of it")
    tailing.add_argument("--json", action="store_true", help="print the lines of the story as JSON")
    tailing.set_defaults(run=_tail)

    showing = commands.add_parser(
        "show",
        help="print the record of a call",
        description="Print what remains of a call: who said what and what of it was heard, tools, disclosure, usage.",
    )
    showing.add_argument("call", metavar="CALL", help="a CallSid or its unambiguous beginning")
    showing.add_argument("--json", action="store_true", help="print the record as JSON")
    showing.set_defaults(run=lambda args: show(load_settings().data_dir, args.call, as_json=args.json, out=sys.stdout))

    modelling = commands.add_parser("model", help="serve the embedded realtime model, or a scripted one, alone")
    local.add_arguments(modelling)
    modelling.set_defaults(run=local.run)
    return parser


def _serve(_: argparse.Namespace) -> int:
    return serve(load_settings())


def _tail(args: argparse.Namespace) -> int:
    if args.file is None:
        return tail(sys.stdin, call=args.call, as_json=args.json, out=sys.stdout)
    try:
        with args.file.open(encoding="utf-8", errors="replace") as source:
            return tail(source, call=args.call, as_json=args.json, out=sys.stdout)
    except OSError as error:
        print(f"dialtone tail: {args.file}: {error.strerror}; name a log file, or pipe one in", file=sys.stderr)
        return ASKED_WRONG


def _call(args: argparse.Namespace) -> int:
    settings = load_settings()
    token = settings.twilio_auth_token

    async def speak(text: str, language: str) -> bytes:
        mouth = Mouth()
        try:
            return await mouth.speak(spoken(text, language), caller_voice(language))
        finally:
            await mouth.close()

    return carrier.run(
        args,
        url=settings.address(),
        speak=speak,
        auth_token=token.get_secret_value() if token is not None else None,
        account_sid=settings.twilio_account_sid,
        records=settings.data_dir / "records",
    )
