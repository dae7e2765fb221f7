"""The pages for operators and their machines."""

from app.ingress.door import Readiness
from tests.support.door import run, served


def test_the_process_is_alive() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            response = await twilio.client.get("/healthz")
            assert (response.status_code, response.text) == (200, "ok\n")

    run(scenario())


def test_readiness_says_why_not() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            response = await twilio.client.get("/readyz")
            assert (response.status_code, response.json()) == (200, {"ready": True, "reason": "", "details": {}})
            twilio.house.readiness = Readiness(ok=False, reason="draining", details={"live_calls": 3})
            response = await twilio.client.get("/readyz")
            assert response.status_code == 503
            assert response.json() == {"ready": False, "reason": "draining", "details": {"live_calls": 3}}

    run(scenario())


def test_metrics_are_what_prometheus_reads() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            response = await twilio.client.get("/metrics")
            assert (response.status_code, response.text) == (200, "calls 1\n")
            assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"

    run(scenario())
