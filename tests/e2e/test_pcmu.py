"""Calls in G.711 from end to end: nothing of the audio is changed on its way, in either direction."""

import asyncio
import json
import random
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import httpx
import websockets

from app.audio.formats import ULAW_8K
from app.audio.transcoder import as_audio
from app.carrier.call import CallPlan, place_call
from app.carrier.steps import AgentDoes, HangUp, Press, WaitForAgent
from tests.support.service import ORDERS_AGENT, Service, served
from tests.support.stand_in_model import StandInModel

PATIENCE_S = 20.0
CALL, STREAM, ACCOUNT = "CA" + "7" * 32, "MZ" + "8" * 32, "AC" + "9" * 32
PCMU = "audio_format: pcmu"
AGENT = f"""
agent: straight
phone_numbers: ["+15550100"]
model: {{provider: openai, {PCMU}}}
prompt: Be brief.
disclosure: {{text: "This is an AI."}}
barge_in: {{mode: immediate}}
"""


class Carrier:
    """The carrier's end of one stream, which plays nothing: a mark goes back as soon as it comes.

    Its caller makes a noise of all the bytes that μ-law has, never the same, a frame every 20 ms.
    """

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.said = bytearray()
        """All of it so far."""
        self.played: list[bytes] = []
        """The payloads since the last `rewind`."""
        self.clears = 0
        self._socket = socket
        self._messages = 0
        self._news = asyncio.Condition()

    @property
    def heard(self) -> bytes:
        return b"".join(self.played)

    async def begin(self, parameters: dict[str, str]) -> None:
        await self._socket.send('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        format_ = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        start = {"streamSid": STREAM, "accountSid": ACCOUNT, "callSid": CALL, "tracks": ["inbound"]}
        await self._say("start", {**start, "customParameters": parameters, "mediaFormat": format_})

    async def speak(self) -> None:
        """Send frame after frame, until cancelled."""
        chance = random.Random(3)
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        while True:
            frame = chance.randbytes(160)
            body = {"track": "inbound", "timestamp": str(len(self.said) // 8), "payload": b64encode(frame).decode()}
            self.said += frame
            await self._say("media", body)
            await asyncio.sleep(began_at + len(self.said) / 8000 - loop.time())

    async def until_heard(self, size: int) -> None:
        """Return when so much has come since the last `rewind`."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: len(self.heard) >= size)

    async def until_cleared(self) -> None:
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: self.clears > 0)

    def rewind(self) -> None:
        self.played.clear()

    async def read(self) -> None:
        async for text in self._socket:
            message = json.loads(text)
            async with self._news:
                if message["event"] == "media":
                    self.played.append(b64decode(message["media"]["payload"], validate=True))
                elif message["event"] == "clear":
                    self.clears += 1
                else:
                    await self._say("mark", message["mark"])
                self._news.notify_all()

    async def _say(self, event: str, body: object) -> None:
        self._messages += 1
        message = {"event": event, "sequenceNumber": str(self._messages), "streamSid": STREAM, event: body}
        await self._socket.send(json.dumps(message))


@asynccontextmanager
async def calling(service: Service) -> AsyncIterator[Carrier]:
    """Place a call, without a token to sign with, and be on its stream."""
    form = {"CallSid": CALL, "AccountSid": ACCOUNT, "To": "+15550100", "From": "+15550199"}
    async with httpx.AsyncClient() as client:
        twiml = (await client.post(f"{service.url}/twilio/voice", data=form)).text
    document = ElementTree.fromstring(twiml)  # noqa: S314 - our own service's
    (stream,) = document.iter("Stream")
    parameters = {one.attrib["name"]: one.attrib["value"] for one in document.iter("Parameter")}
    async with websockets.connect(stream.attrib["url"], compression=None, proxy=None) as socket:
        carrier = Carrier(socket)
        reading = asyncio.create_task(carrier.read())
        await carrier.begin(parameters)
        speaking = asyncio.create_task(carrier.speak())
        try:
            yield carrier
        finally:
            speaking.cancel()
            await asyncio.wait({speaking})
            await socket.close()
            await reading


def test_g711_goes_through_byte_for_byte_and_is_cut_at_its_own_bytes(tmp_path: Path) -> None:
    async def scenario() -> None:
        chance = random.Random(7)
        async with (
            StandInModel() as model,
            served(
                tmp_path,
                {"straight.yaml": AGENT},
                OPENAI_API_KEY="sk-test",
                OPENAI_BASE_URL=model.url.split("/realtime")[0].replace("ws://", "http://"),
            ) as service,
            calling(service) as carrier,
        ):
            connection = await model.next_connection()
            session = cast("dict[str, object]", (await connection.expect("session.update"))["session"])
            audio = cast("dict[str, dict[str, object]]", session["audio"])
            assert [audio[way]["format"] for way in ("input", "output")] == [{"type": "audio/pcmu"}] * 2

            await connection.wait_for("response.create")
            # the disclosure, to its last byte
            assert carrier.heard in [as_audio(sound, ULAW_8K) for sound in _sounds(tmp_path)]
            carrier.rewind()
            pieces = [chance.randbytes(size) for size in (1, 777, 4000, 160, 11_062)]
            reply = await connection.begin_reply()
            await reply.words("All of it.")
            for piece in pieces:
                await reply.audio(piece)
            await reply.end()
            await carrier.until_heard(16_000)
            assert carrier.heard == b"".join(pieces)

            carrier.rewind()
            long = chance.randbytes(80_000)
            reply = await connection.begin_reply()
            await reply.words("Ten seconds, of which one is heard.")
            await reply.audio(long)
            await reply.end()
            await carrier.until_heard(8_000)
            await connection.caller_speaks()
            cut = await connection.wait_for("conversation.item.truncate")
            await carrier.until_cleared()
            heard = carrier.heard
            assert long.startswith(heard)
            assert cut["item_id"] == reply.item_id
            assert 500 <= cast("int", cut["audio_end_ms"]) <= len(heard) / 8

            # from the call's first frame on, before the model was there
            assert len(connection.audio) > 16_000
            assert carrier.said.startswith(connection.audio)

    asyncio.run(scenario())


def _sounds(tmp_path: Path) -> list[bytes]:
    """The sentences that the service has kept, PCM16 24 kHz, behind their digests."""
    return [path.read_bytes()[32:] for path in (tmp_path / "data" / "phrases").iterdir()]


def test_a_whole_call_with_the_embedded_model_in_g711(tmp_path: Path) -> None:
    async def scenario() -> None:
        agent = ORDERS_AGENT.replace("provider: PROVIDER", f"provider: local, {PCMU}")
        async with served(tmp_path, {"orders.yaml": agent}) as service:
            steps = (
                WaitForAgent(AgentDoes.ENDS, silence_ms=1000),
                Press("1042#"),
                WaitForAgent(AgentDoes.ENDS, silence_ms=1500),
                HangUp(),
            )
            report = await place_call(CallPlan(service.url, steps=steps, max_s=40.0))
            assert report.ok, report.failures
            await service.logged("record.filed")
            record = service.record(report.call_sid)
            (call,) = cast("list[dict[str, object]]", record["tool_calls"])
            assert (call["name"], call["arguments"], call["status"]) == ("lookup_order", {"order_number": "1042"}, "ok")
            assert cast("dict[str, object]", record["disclosure"])["result"] == "heard"
            said = [str(turn["heard"]) for turn in cast("list[dict[str, object]]", record["turns"])]
            assert said[0] == "Hello."
            assert any("shipped" in words for words in said), said

    asyncio.run(scenario())
