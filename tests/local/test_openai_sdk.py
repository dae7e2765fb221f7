"""The vendor's own client holds a spoken conversation with the embedded model, as it would with the vendor's."""

import asyncio
import base64
import json
import math
from typing import cast

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeFunctionToolParam, RealtimeResponse

from app.audio.formats import PCM16_24K
from app.local.faculties import Faculties
from app.local.server import RealtimeServer
from app.local.voice import caller_voice
from app.local.workers import Ears, Mouth
from tests.support.local_caller import INSTRUCTIONS, LOOKUP_ORDER

TOOL = cast(RealtimeFunctionToolParam, LOOKUP_ORDER)


class Conversation:
    """What the client's connection brought, until the last event that was asked for."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.types: list[str] = []
        self.heard: list[str] = []
        self.said = ""
        self.audio_bytes = 0

    async def until_done(self) -> RealtimeResponse:
        """Read events to the end of the next response that was not cut."""
        self.said, self.audio_bytes = "", 0
        while True:
            event = await self.connection.recv()
            self.types.append(event.type)
            if event.type == "conversation.item.input_audio_transcription.completed":
                self.heard.append(event.transcript)
            elif event.type == "response.output_audio_transcript.delta":
                self.said += event.delta
            elif event.type == "response.output_audio.delta":
                self.audio_bytes += len(base64.b64decode(event.delta))
            elif event.type == "response.done" and event.response.status != "cancelled":
                return event.response
            assert event.type != "error", event

    async def until(self, kind: str) -> None:
        while (event := await self.connection.recv()).type != kind:
            self.types.append(event.type)

    async def speak(self, pcm: bytes) -> None:
        size = PCM16_24K.bytes_of(100)
        for begin in range(0, len(pcm), size):
            await self.connection.input_audio_buffer.append(audio=base64.b64encode(pcm[begin : begin + size]).decode())


def test_a_spoken_conversation_with_the_vendors_client() -> None:
    async def scenario() -> None:
        mouth = Mouth()
        ears = Ears(mouth)
        try:
            await hold_conversation(ears, mouth)
        finally:
            await ears.close()
            await mouth.close()

    async def hold_conversation(ears: Ears, mouth: Mouth) -> None:
        async def spoken(text: str) -> bytes:
            silence = PCM16_24K.silence * (PCM16_24K.bytes_of(800) // 2)
            return silence + await mouth.speak(text, caller_voice("en")) + silence

        async with (
            asyncio.timeout(120),
            RealtimeServer(Faculties(ears, mouth, speed=math.inf)) as server,
            AsyncOpenAI(base_url=_http(server.url), api_key="any") as client,
            client.realtime.connect(model="gpt-realtime-2.1") as connection,
        ):
            conversation = Conversation(connection)
            await conversation.until("session.created")
            await connection.session.update(
                session={
                    "type": "realtime",
                    "instructions": INSTRUCTIONS,
                    "tools": [TOOL],
                    "audio": {
                        "input": {
                            "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
                            "turn_detection": {"type": "server_vad", "silence_duration_ms": 500},
                        },
                        "output": {"voice": "marin"},
                    },
                }
            )
            await conversation.until("session.updated")

            await connection.response.create()
            assert (await conversation.until_done()).status == "completed"
            assert conversation.said
            assert conversation.audio_bytes > PCM16_24K.bytes_of(500), "it begins, in sound"

            await conversation.speak(await spoken("My order number is one zero four two."))
            response = await conversation.until_done()
            (call,) = [item for item in response.output or [] if item.type == "function_call"]
            assert (call.name, json.loads(call.arguments)) == ("lookup_order", {"order_number": "1042"})
            assert "one zero four two" in conversation.heard[-1]
            assert call.call_id is not None

            output = json.dumps({"status": "shipped", "eta": "2026-11-24"})
            await connection.conversation.item.create(
                item={"type": "function_call_output", "call_id": call.call_id, "output": output}
            )
            await connection.response.create()
            response = await conversation.until_done()
            assert "shipped" in conversation.said
            assert response.usage is not None
            assert response.usage.output_token_details is not None
            audio_ms = PCM16_24K.ms_of(conversation.audio_bytes)
            assert response.usage.output_token_details.audio_tokens == -(-audio_ms // 50)

            await conversation.speak(await spoken("That is all. Goodbye."))
            await conversation.until_done()
            assert "bye" in conversation.said.lower()
            assert conversation.types.count("input_audio_buffer.speech_started") >= 2

    asyncio.run(scenario())


def _http(url: str) -> str:
    """Return the base URL as a client of the vendor is given it."""
    return url.replace("ws://", "http://").removesuffix("/realtime")
