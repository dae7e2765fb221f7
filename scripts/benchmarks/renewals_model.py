"""The embedded model as a provider that ends each session after a while, and says in its first word when.

`python -m scripts.benchmarks.renewals_model LIMIT_S [SCRIPT]` serves on a free port what `dialtone model` does, until
SIGTERM; its URL is the only line on standard output.
"""

import asyncio
import signal
import sys
from pathlib import Path

from app.local.faculties import Faculties
from app.local.script import load
from app.local.server import RealtimeServer
from app.local.workers import Ears, Mouth


async def _serve(limit_s: float, path: Path | None) -> None:
    until = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, until.set)
    script = None if path is None else load(path)
    mouth = Mouth()
    ears = Ears(mouth)
    try:
        if script is None:
            await ears.start()
        async with RealtimeServer(Faculties(ears, mouth), session_limit_s=limit_s, script=script) as server:
            print(server.url, flush=True)
            await until.wait()
    finally:
        await ears.close()
        await mouth.close()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None))
