"""`dialtone model`: serves the embedded realtime model, or one that is on a script."""

import argparse
from pathlib import Path

from app.local.script import load
from app.local.serving import run as serve

MAX_PORT = 65_535
DESCRIPTION = """\
Serve the embedded realtime model, which needs no key and no network: ws://H:N/v1/realtime, any key accepted. Prints
that URL when it is ready. It hears a small English vocabulary and answers by rules: for trying and testing, never for
production. With --script its replies come from a file, with every awkward thing that a realtime model does.
"""
EXAMPLES = """\
examples:
  dialtone model
      the embedded model alone; the service starts one of its own where an agent says provider: local
  dialtone model --script reply.yaml --port 9100
      and, for an agent with provider: openai:
      OPENAI_API_KEY=any OPENAI_BASE_URL=http://127.0.0.1:9100/v1 dialtone serve

a script is a YAML file; each response that is asked for takes the first turn left that fits:
  caller: ["Where is order 1042?"]         # what the caller's turns are taken for, in order; without it: the ears
  pace: 20                                 # times real time, or max; also in a turn, like delta_ms and delta_bytes
  turns:
    - say: "Hello, how can I help?"        # or tone_ms: 3000, or wav: FILE, with words: for the transcript
    - when: {caller_says: order}           # or {tool_answers: lookup_order}; again: true keeps the turn
      reply:
        - {say: "One moment.", phase: commentary}
        - call: {name: lookup_order, arguments: {order_number: "1042"}}
    - {when: {tool_answers: lookup_order}, tone_ms: 6000, words: "It has shipped.", when_cut: {late_deltas: 3}}
    - {say: "I am", end: {failed: server_error}}     # or {incomplete: content_filter}, or never
  otherwise: {say: "I see."}
  refuse:
    - {event: conversation.item.truncate, error: too_long}
  timeline:                                # by the caller's audio, which a call sends in real time
    - {at_ms: 60000, error: session_expired}         # or speech_started: true, event:, close: 1011, drop:, mute: true

All of it: deploy/model-scripts/awkward.yaml.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser of `dialtone model` its options, description and examples."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=9100, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--script", type=Path, metavar="FILE", help="what the model says and does, in YAML")
    parser.add_argument("--while-stdin-open", action="store_true", help="end when standard input ends")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text} is no port; write a number from 0 to {MAX_PORT}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Serve as the options say and return the exit code. Raises ScriptError for a script that cannot be played."""
    script = None if args.script is None else load(args.script)
    return serve(args.host, args.port, while_stdin_open=args.while_stdin_open, script=script)
