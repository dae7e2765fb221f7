"""What the leg needs of a WebSocket, and the ways to have it.

Under `DirectProtocol` (see direct.py) a message is handed on in the very callback in which its bytes arrived, and an
answer is written to the transport at once. Under any other server there is an outbox and one writer (see outbox.py).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.websockets import WebSocket

from app.stream.direct import EXTENSION, DirectProtocol
from app.stream.outbox import OutboxSocket
from app.stream.receiver import StreamSocket


@asynccontextmanager
async def accepted(websocket: WebSocket) -> AsyncIterator[StreamSocket]:
    """Accept the WebSocket, give it as the leg wants it, and close it in the end (1000, if nobody has before)."""
    direct = websocket.scope.get("extensions", {}).get(EXTENSION)
    await websocket.accept()
    if isinstance(direct, DirectProtocol):
        try:
            yield direct
        finally:
            direct.close(1000)
    else:
        async with OutboxSocket(websocket) as outbox:
            yield outbox
