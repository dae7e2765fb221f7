"""How late the event loop is: whatever lags here is heard by every caller of the process."""

import asyncio
from collections.abc import Callable


async def watch_loop(report: Callable[[float], None], *, every_s: float = 0.5) -> None:
    """Report, until cancelled, how many seconds later than asked the loop woke."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every_s
        await asyncio.sleep(every_s)  # how late this one wakes is what is measured
        report(max(0.0, loop.time() - due))
