"""When the garbage collector runs: often over what is young, and over everything when no call is on.

By itself CPython collects whenever enough more objects have been made than freed, and looks at all that were made since
the last time, while every call waits. A call makes about as many as it frees, so its turn comes seldom and then takes
long: with 75 calls on, 14 to 50 ms every few seconds, and 105 to 190 ms for a whole one.

What a call leaves is freed by counting references, as soon as it is over. The rest, such as the cycles in which
connections of the server's library stand, can wait.
"""

import asyncio
import gc
import time
from collections.abc import Callable

YOUNG_EVERY_S = 0.1
"""What has come since then is looked at in less than a millisecond."""
WHOLE_EVERY_S = 60.0
"""While nobody is on: a request for readiness leaves something too."""
MOST_S = 900.0
"""So long at most without a whole one: then callers wait for it."""


async def collect_garbage(
    is_idle: Callable[[], bool],
    *,
    young_every_s: float = YOUNG_EVERY_S,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Collect until cancelled; meanwhile the interpreter does not by itself. is_idle: is no call on?"""
    gc.disable()
    try:
        whole_at, was_idle = clock(), False
        while True:
            await asyncio.sleep(young_every_s)  # a pause between two rounds, which nothing is to end sooner
            idle = is_idle()
            past_s = clock() - whole_at
            if past_s >= MOST_S or (idle and (not was_idle or past_s >= WHOLE_EVERY_S)):
                gc.collect()
                whole_at = clock()
            else:
                gc.collect(0)
            was_idle = idle
    finally:
        gc.enable()
