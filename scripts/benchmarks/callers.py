"""The carrier and its callers: calls over the real webhook and the real media WebSocket, frames in real time.

A caller's audio is silence with a burst of sound of one frame every half second, and its number in bits at the
beginning. Both survive any codec, so the model's end knows whose audio it gets and that none is missing (model.py).
What comes back is played at 8,000 bytes a second: marks return when they are reached, all of them after a clear.
Source: Twilio, Media Streams.
"""

import asyncio
import re
import time
from collections import deque
from html import unescape
from urllib.parse import urlencode, urlsplit

import pybase64

from app.carrier.signature import sign
from scripts.benchmarks.measure import Desk
from scripts.benchmarks.wire import Client, client_frame

TOKEN = "benchmark-token"  # noqa: S105 - signs the calls of a service that lives for one run
ACCOUNT = "AC" + "b" * 32
DIALLED = "+15550100"

FRAME_S = 0.02
BURST_EVERY = 25
_NUMBER_BITS = 16
PREAMBLE = 2 + _NUMBER_BITS
"""Frames: a burst, the caller's number, a pause."""
_KEPT = 4096

_SILENCE = pybase64.b64encode(b"\xff" * 160)
_SOUND = pybase64.b64encode(bytes((0x10 + i % 8 * 0x11) & 0x7F | (i // 4 % 2) << 7 for i in range(160)))


def is_burst(caller: int, frame: int) -> bool:
    """Is there sound in a caller's frame of that number?"""
    if frame >= PREAMBLE:
        return frame % BURST_EVERY == 0
    return frame == 0 or (frame <= _NUMBER_BITS and bool(caller >> (frame - 1) & 1))


class Caller(Client):
    """One call's media stream. sent_at: when each of the last frames left, by number modulo its length."""

    def __init__(self, number: int, call_sid: str, url: str, parameters: dict[str, str], desk: Desk) -> None:
        address = urlsplit(url)
        super().__init__(address.netloc, address.path, {"X-Twilio-Signature": sign(url, (), TOKEN)})
        self.number = number
        self.call_sid = call_sid
        self._desk = desk
        self.frames = 0
        self.sent_at = [0.0] * _KEPT
        self.reply_at = 0.0
        """When the model sent the first delta of a reply of which nothing has come yet."""
        self.interrupted_at = 0.0
        """When the model said that the caller speaks, while a clear is awaited."""
        self.first_audio_s: float | None = None
        self.gone = asyncio.get_running_loop().create_future()
        self.started = asyncio.get_running_loop().create_future()
        self._parameters = parameters
        self._stream_sid = f"MZ{number:032x}"
        self._end = f'"}},"streamSid":"{self._stream_sid}"}}'.encode()
        self._messages = 0
        self._started_at = 0.0
        self._played_until = 0.0
        self._marks: deque[tuple[float, bytes]] = deque()

    @property
    def is_hearing(self) -> bool:
        """Does something sound at the caller's ear?"""
        return self._played_until > time.monotonic()

    def opened(self) -> None:
        pairs = ",".join(f'"{name}":"{value}"' for name, value in self._parameters.items())
        self.transport.write(client_frame(b'{"event":"connected","protocol":"Call","version":"1.0.0"}'))
        self._send(
            b'"event":"start"',
            f'"start":{{"streamSid":"{self._stream_sid}","accountSid":"{ACCOUNT}","callSid":"{self.call_sid}",'
            f'"tracks":["inbound"],"customParameters":{{{pairs}}},"mediaFormat":'
            '{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}'.encode(),
        )
        self._started_at = time.monotonic()
        if not self.started.done():  # nobody waits any more
            self.started.set_result(None)

    def closed(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        if not self.started.done():
            self.started.set_exception(ConnectionError("the media socket was refused"))

    def hang_up(self) -> None:
        """The caller puts the receiver down."""
        if self.is_open and not self.transport.is_closing():
            self._send(b'"event":"stop"', f'"stop":{{"accountSid":"{ACCOUNT}","callSid":"{self.call_sid}"}}'.encode())
            self.transport.write(b"\x88\x82\0\0\0\0\x03\xe8")  # 1000

    def tick(self) -> None:
        """20 ms are over: return the marks that were reached, send the next frame."""
        if not self.is_open or self.transport.is_closing():
            return
        marks = self._marks
        if marks:
            now = time.monotonic()
            while marks and marks[0][0] <= now:
                self._return_mark(marks.popleft()[1])
        frame = self.frames
        self.frames = frame + 1
        self._messages += 1
        text = (
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d","payload":"'
            % (
                self._messages,
                frame + 1,
                frame * 20,
            )
        )
        payload = _SOUND if is_burst(self.number, frame) else _SILENCE
        whole = client_frame(b"".join((text, payload, self._end)))
        self.sent_at[frame % _KEPT] = time.monotonic()
        self.transport.write(whole)

    def received(self, text: bytes) -> None:
        kind = text[:20]
        if b"media" in kind:
            now = time.monotonic()
            if self.reply_at:
                self._desk.tally.down.append(now - self.reply_at)
                self.reply_at = 0.0
            if self.first_audio_s is None:
                self.first_audio_s = now - self._started_at
            begin = text.index(b'"', text.index(b'payload":') + 9) + 1
            size = (text.index(b'"', begin) - begin) * 3 // 4 - text.count(b"=", begin)
            self._played_until = max(self._played_until, now) + size / 8000
        elif b"mark" in kind:
            begin = text.index(b'"', text.index(b'name":') + 6) + 1
            name = text[begin : text.index(b'"', begin)]
            if self._marks or self._played_until > time.monotonic():
                self._marks.append((self._played_until, name))
            else:
                self._return_mark(name)
        elif b"clear" in kind:
            now = time.monotonic()
            if self.interrupted_at:
                self._desk.tally.clears.append(now - self.interrupted_at)
                self.interrupted_at = 0.0
            self._played_until = now
            while self._marks:
                self._return_mark(self._marks.popleft()[1])

    def _return_mark(self, name: bytes) -> None:
        self._send(b'"event":"mark"', b'"mark":{"name":"' + name + b'"}')

    def _send(self, event: bytes, body: bytes) -> None:
        self._messages += 1
        self.transport.write(
            client_frame(
                b'{%b,"sequenceNumber":"%d","streamSid":"%b",%b}'
                % (event, self._messages, self._stream_sid.encode(), body)
            )
        )


async def place_call(number: int, address: str, desk: Desk) -> Caller:
    """Call the bridge at that address (http://host:port); return the caller once its stream has begun.

    Raises OSError (a TimeoutError among them) with what was answered instead.
    """
    call_sid = f"CA{number:08x}{time.time_ns():024x}"[:34]
    url = f"{address}/twilio/voice"
    form = {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallSid": call_sid,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "From": f"+1555{number:07d}",
        "To": DIALLED,
    }
    document = await _post(url, form)
    stream = re.search(r'<Stream[^>]*\surl="([^"]+)"', document)
    if stream is None:
        raise ConnectionError(f"no <Stream> in the webhook's answer: {document}")
    parameters = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<Parameter name="([^"]*)" value="([^"]*)"', document)
    }
    socket_url = unescape(stream[1])
    where = urlsplit(socket_url)
    caller = Caller(number, call_sid, socket_url, parameters, desk)
    async with asyncio.timeout(10):
        await asyncio.get_running_loop().create_connection(lambda: caller, where.hostname or "", where.port or 80)
        await caller.started
    return caller


async def _post(url: str, form: dict[str, str]) -> str:
    where = urlsplit(url)
    body = urlencode(form).encode()
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        writer.write(
            f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"X-Twilio-Signature: {sign(url, form.items(), TOKEN)}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + body
        )
        async with asyncio.timeout(10):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, document = answer.decode().partition("\r\n\r\n")
    if not head.startswith("HTTP/1.1 200"):
        raise ConnectionError(f"{url} was answered {head.splitlines()[0] if head else 'nothing'}: {document}")
    return document


class Clockwork:
    """Moves all callers on: each every 20 ms, spread over twenty phases, on an absolute schedule."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._phases: list[list[Caller]] = [[] for _ in range(20)]
        self._loop = asyncio.get_running_loop()
        self._next = time.monotonic()
        self._phase = 0
        self._timer = self._loop.call_soon(self._run)

    def add(self, caller: Caller) -> None:
        self._phases[caller.number % 20].append(caller)

    def remove_all(self) -> None:
        for phase in self._phases:
            phase.clear()

    def stop(self) -> None:
        self._timer.cancel()

    def _run(self) -> None:
        while (late := time.monotonic() - self._next) >= 0:
            phase = self._phases[self._phase]
            if phase:
                self._desk.tally.late_ticks.append(late)
                for caller in phase:
                    caller.tick()
            self._phase = (self._phase + 1) % 20
            self._next += FRAME_S / 20
        self._timer = self._loop.call_later(max(0.0, self._next - time.monotonic()), self._run)
