"""The bridge of every sample, to compare with: starlette, websockets, stdlib json, μ-law passed straight through.

It has no disclosure, pacing, ledger, record or checks, and its truncations count what was sent, as samples do.
"""

import asyncio
import json
import os
import sys

import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

FORMAT = {"type": "audio/pcmu"}
SETTINGS = {
    "type": "realtime",
    "instructions": "Be brief.",
    "audio": {"input": {"format": FORMAT, "turn_detection": {"type": "server_vad"}}, "output": {"format": FORMAT}},
}


async def voice(request: Request) -> Response:
    stream = f'<Connect><Stream url="ws://{request.url.netloc}/twilio/media" /></Connect>'
    return Response(f"<Response>{stream}</Response>", media_type="text/xml")


async def media(carrier: WebSocket) -> None:
    await carrier.accept()
    stream_sid, latest_ms, item_id, began_ms = "", 0, None, None
    marks: list[str] = []
    async with websockets.connect(os.environ["MODEL_URL"], max_size=None) as model:
        await model.send(json.dumps({"type": "session.update", "session": SETTINGS}))
        await model.send(json.dumps({"type": "response.create"}))

        async def from_carrier() -> None:
            nonlocal stream_sid, latest_ms
            async for text in carrier.iter_text():
                message = json.loads(text)
                if message["event"] == "media":
                    latest_ms = int(message["media"]["timestamp"])
                    audio = message["media"]["payload"]
                    await model.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
                elif message["event"] == "start":
                    stream_sid = message["start"]["streamSid"]
                elif message["event"] == "mark" and marks:
                    marks.pop(0)
            await model.close()

        async def from_model() -> None:
            nonlocal item_id, began_ms
            async for text in model:
                event = json.loads(text)
                if event["type"] == "response.output_audio.delta":
                    play = {"event": "media", "streamSid": stream_sid, "media": {"payload": event["delta"]}}
                    await carrier.send_json(play)
                    item_id = event["item_id"]
                    began_ms = latest_ms if began_ms is None else began_ms
                    await carrier.send_json({"event": "mark", "streamSid": stream_sid, "mark": {"name": "delta"}})
                    marks.append("delta")
                elif event["type"] == "input_audio_buffer.speech_started" and marks and began_ms is not None:
                    heard = {"item_id": item_id, "content_index": 0, "audio_end_ms": latest_ms - began_ms}
                    await model.send(json.dumps({"type": "conversation.item.truncate", **heard}))
                    await carrier.send_json({"event": "clear", "streamSid": stream_sid})
                    marks.clear()
                    item_id = began_ms = None

        await asyncio.gather(from_carrier(), from_model())


app = Starlette(routes=[Route("/twilio/voice", voice, methods=["POST"]), WebSocketRoute("/twilio/media", media)])

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), ws="websockets", log_level="warning")
