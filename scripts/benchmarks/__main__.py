"""python -m scripts.benchmarks: what scripts/bench runs."""

import argparse
import sys
from pathlib import Path

from scripts.benchmarks import barge_in, hearing, load, losses, renewals, rows


def main() -> int:
    """Run the benchmark that the arguments name; return 0 if all that was measured is met, 1 if not, 2: asked wrong."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Benchmarks of the service; docs/benchmarks.md.")
    benchmarks = parser.add_subparsers(dest="benchmark", required=True)
    asked = benchmarks.add_parser("load", help="many calls at once over the real sockets, the service on one core")
    asked.add_argument(
        "--calls", type=_count, metavar="N", help="only this level (default: 1, 25, 50, 100, … until late)"
    )
    asked.add_argument("--seconds", type=_count, default=10, metavar="S", help="measured at each level (default: 10)")
    asked.add_argument("--most", type=_count, default=400, metavar="N", help="no level beyond this (default: 400)")
    asked.add_argument(
        "--format",
        choices=rows.FORMATS,
        default="pcm16",
        help="of the service's agent: pcm16 transcodes, pcmu is G.711 straight through, as the naive bridge has it "
        "either way (default: %(default)s)",
    )
    asked.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    heard = benchmarks.add_parser("hearing", help="our own ear: coughs, words, sentences, noise and the agent's echo")
    heard.add_argument(
        "--audio", type=_recordings, default=hearing.CLIPS, metavar="DIR", help="recordings (default: the tests' own)"
    )
    cut = benchmarks.add_parser("barge-in", help="interruptions at random moments against what was truly heard")
    cut.add_argument("--count", type=_count, default=500, metavar="N", help="in virtual time (default: 500)")
    cut.add_argument("--seed", type=int, default=1, metavar="N", help="other chances (default: 1)")
    cut.add_argument(
        "--real", type=_count, nargs="?", const=40, default=0, metavar="N", help="about N more over real sockets (40)"
    )
    cut.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    lost = benchmarks.add_parser(
        "losses", help="the model lost at random moments of emulated calls: what was lost with it"
    )
    lost.add_argument("--count", type=_count, default=1000, metavar="N", help="calls, in virtual time (default: 1000)")
    lost.add_argument("--seed", type=int, default=1, metavar="N", help="other chances (default: 1)")
    lost.add_argument(
        "--real", type=_count, nargs="?", const=50, default=0, metavar="N", help="so many more over real sockets (50)"
    )
    lost.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    renewed = benchmarks.add_parser(
        "renewals", help="calls across their provider's session limit: gaps in the agent's voice, context kept"
    )
    renewed.add_argument("--calls", type=_count, default=2, metavar="N", help="of each of two kinds (default: 2)")
    renewed.add_argument("--limit", type=_limit, default=60.0, metavar="S", help="of a session (default: 60)")
    renewed.add_argument("--times", type=_count, default=3, metavar="K", help="renewals in each call (default: 3)")
    renewed.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    arguments = parser.parse_args()
    if arguments.benchmark == "renewals":
        return renewals.run(arguments.calls, arguments.limit, arguments.times, arguments.json)
    if arguments.benchmark == "losses":
        return losses.run(arguments.count, arguments.seed, arguments.real, arguments.json)
    if arguments.benchmark == "barge-in":
        return barge_in.run(arguments.count, arguments.seed, arguments.real, arguments.json)
    if arguments.benchmark == "hearing":
        return hearing.run(arguments.audio)
    levels = [arguments.calls] if arguments.calls else load.levels_up_to(arguments.most)
    return load.run(levels, float(arguments.seconds), arguments.format, arguments.json)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is too few; write 1 or more")
    return number


def _limit(text: str) -> float:
    seconds = float(text)
    if not 10 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is no session limit for a call; write 10 to 3600 seconds")
    return seconds


def _recordings(text: str) -> Path:
    folder = Path(text)
    if not (folder / "index.json").is_file():
        raise argparse.ArgumentTypeError(f"{text} has no index.json; name a folder like tests/audio/clips")
    return folder


if __name__ == "__main__":
    sys.exit(main())
