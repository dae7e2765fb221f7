"""The media WebSocket: from the handshake to the call behind the door."""

import asyncio
import re

from starlette.websockets import WebSocket

from app.bridge.incoming import IncomingCall
from app.errors import CallRefused, StreamError
from app.ingress.door import Door
from app.ingress.webhooks import MEDIA
from app.stream.leg import POLICY, StreamIdentity, StreamLeg
from app.stream.socket import accepted

_CALL_SID = re.compile("[A-Za-z0-9]{1,64}")
"""What is written to the log of a `start`, which nobody has signed."""
_TELEPHONE = ("audio/x-mulaw", 8000, 1)


async def serve(door: Door, websocket: WebSocket) -> None:
    """Serve one media stream, to its end. Returns when the call is over."""
    try:
        door.signatures.check_handshake(
            door.public_url.socket(MEDIA), websocket.headers.get("x-twilio-signature"), websocket.scope.get("server")
        )
    except CallRefused as refusal:
        door.note_refusal(refusal, MEDIA)
        await websocket.close(POLICY)  # before accept: the handshake is answered with 403
        return
    async with accepted(websocket) as socket:
        leg = StreamLeg(socket)
        whose: dict[str, str] = {}
        try:
            stream = await _opened(door, leg)
            if _CALL_SID.fullmatch(stream.call_sid):
                whose["call_sid"] = stream.call_sid
            call = _let_in(door, stream)
        except CallRefused as refusal:
            door.note_refusal(refusal, MEDIA, **whose)
            socket.close(POLICY, refusal.reason)
            return
        try:
            await door.run_call(call, leg)
        finally:
            door.admission.leave(call.call_sid)


async def _opened(door: Door, leg: StreamLeg) -> StreamIdentity:
    try:
        async with asyncio.timeout(door.start_within_s):
            return await leg.opened()
    except TimeoutError as error:
        message = f"no start message within {door.start_within_s:g} s of the handshake"
        raise CallRefused("no_start", message) from error
    except StreamError as error:
        raise CallRefused("left_before_start", str(error)) from error


def _let_in(door: Door, stream: StreamIdentity) -> IncomingCall:
    """Return the call that the stream belongs to, which then has a place. Raises CallRefused."""
    if door.account_sid is not None and stream.account_sid != door.account_sid:
        raise CallRefused("other_account", "accountSid is not the configured TWILIO_ACCOUNT_SID")
    if (stream.encoding, stream.rate_hz, stream.channels) != _TELEPHONE:
        raise CallRefused("other_format", "mediaFormat is not audio/x-mulaw, 8000 Hz, one channel")
    if door.has_stream(stream.call_sid):
        raise CallRefused("second_stream", "a stream of this call is open already")
    return door.admission.redeem(stream.parameters.get("ticket", ""), stream.call_sid, door.clock())
