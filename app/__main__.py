"""python -m app: the command line."""

import os
import sys

# One call's arithmetic is far too small to share over threads; a BLAS that tries steals cores from other calls.
# It is read when numpy is loaded, so it stands before everything else.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from app.cli import run


def main() -> None:
    """Run the command that the arguments name and exit with its code: 0 done, 1 found wrong, 2 asked wrong."""
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough: `dialtone tail | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
