"""The URLs: voice webhook, callbacks, media WebSocket, health."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.ingress import media, webhooks
from app.ingress.door import Door

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The Prometheus text format, which every scraper reads."""


def routes(door: Door) -> list[BaseRoute]:
    """Return all routes of the door.

    Where PUBLIC_URL has a path, Twilio's are served with it and without it: some proxies take it off, some leave it.
    """

    async def media_stream(websocket: WebSocket) -> None:
        await media.serve(door, websocket)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        readiness = door.readiness()
        body = {"ready": readiness.ok, "reason": readiness.reason, "details": dict(readiness.details)}
        return JSONResponse(body, 200 if readiness.ok else 503)

    async def metrics(_: Request) -> Response:
        return Response(door.metrics(), headers={"content-type": _METRICS_TYPE})

    found: list[BaseRoute] = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]
    for prefix in dict.fromkeys(("", door.public_url.prefix)):
        found += webhooks.routes(door, prefix)
        found.append(WebSocketRoute(prefix + webhooks.MEDIA, media_stream))
    return found
