import asyncio
import time

from app.telemetry.loop_lag import watch_loop


def test_a_blocked_loop_is_late_by_as_long() -> None:
    async def scenario() -> list[float]:
        lags_s: list[float] = []
        seen = asyncio.Event()

        def report(lag_s: float) -> None:
            lags_s.append(lag_s)
            seen.set()

        watching = asyncio.create_task(watch_loop(report, every_s=0.001))
        async with asyncio.timeout(10):
            await seen.wait()
            lags_s.clear()
            seen.clear()
            time.sleep(0.05)  # noqa: ASYNC251 - the blocked loop is what is measured
            await seen.wait()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return lags_s

    assert max(asyncio.run(scenario())) >= 0.04
