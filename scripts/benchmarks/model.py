"""A scripted realtime model: OpenAI's GA protocol as far as a telephone bridge needs it, spoken from templates.

It answers with replies of 6 s that come at four times real time in deltas of 200 ms, and decides by itself when its
caller speaks: three of four replies are interrupted, one amid its generation, two while they play out. Audio is PCM16
at 24 kHz or μ-law, as the session asks. What is asked too late or too long is refused as the real server does.
"""

import asyncio
import json
import math
import struct
import time
from collections.abc import Callable, Mapping
from functools import cache

import pybase64

from scripts.benchmarks.callers import PREAMBLE, Caller, is_burst
from scripts.benchmarks.measure import Desk, Tally
from scripts.benchmarks.wire import Server, server_frame

REPLY_S = 6.0
DELTA_S = 0.2
FASTER = 4
_DELTAS = round(REPLY_S / DELTA_S)
_WORDS_EVERY = 3
"""Deltas of audio for each of the transcript."""

_INTERRUPTED_AFTER_S = (1.0, 2.5, 4.0, None)
"""By turns; None: the reply is heard to its end."""
_AFTER_REPLY_S = 0.6
_CALLER_SPEAKS_S = 1.2
_TRANSCRIBED_AFTER_S = 0.3
_ANSWERED_AFTER_S = 0.5

_USAGE = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {"text_tokens": 119, "audio_tokens": 13, "cached_tokens": 64},
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}


def _sound(rate_hz: int) -> list[int]:
    """A reply's worth of a voice-like sound, signed 16-bit."""
    return [
        round(6000 * math.sin(2 * math.pi * 220 * t / rate_hz) * (0.6 + 0.4 * math.sin(2 * math.pi * 3 * t / rate_hz)))
        for t in range(round(REPLY_S * rate_hz))
    ]


def _ulaw(sample: int) -> int:
    """ITU-T G.711."""
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> exponent + 3 & 0x0F) & 0xFF


class Format:
    """How audio travels in a session: the deltas of a reply, ready in base64, and what silence looks like."""

    def __init__(self, pcm: bytes, bytes_per_frame: int, silence: bytes) -> None:
        size = len(pcm) // _DELTAS
        self.deltas = [pybase64.b64encode(pcm[i * size : (i + 1) * size]) for i in range(_DELTAS)]
        self.text_per_frame = bytes_per_frame * 4 // 3
        self.silence = silence


@cache
def formats() -> Mapping[str, Format]:
    """Return the formats by their wire names."""
    wide, narrow = _sound(24_000), _sound(8_000)
    return {
        "audio/pcm": Format(struct.pack(f"<{len(wide)}h", *wide), 960, b"AAAAAAAA"),
        "audio/pcmu": Format(bytes(map(_ulaw, narrow)), 160, b"////////"),
    }


class Model:
    """All sessions of one model server. callers: the other ends of the calls, by number."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.callers: dict[int, Caller] = {}
        self.sessions: dict[int, Session] = {}
        self.formats = formats()
        self.url = ""
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: Session(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()


class Session(Server):
    """One session. Whose it is, it finds out by the audio."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.frames = 0
        """Of the caller, that have come."""
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._format = model.formats["audio/pcm"]
        self._caller: Caller | None = None
        self._number = 0
        self._answers = self._cancels = True
        self._timer: asyncio.TimerHandle | None = None
        self._step_at = 0.0
        self._speech_at = 0.0
        self._reply = 0
        self._delta = 0
        self._active = False
        self._turns = 0
        self._generated_ms: dict[str, int] = {}
        self._delta_head = b""
        self._events = {
            "session.update": self._update,
            "response.create": self._create,
            "response.cancel": self._cancel,
            "conversation.item.truncate": self._truncate,
            "conversation.item.create": self._item,
            "conversation.item.delete": self._delete,
        }

    def opened(self) -> None:
        self._say("session.created", session={"type": "realtime", "object": "realtime.session", "id": "sess_1"})

    def closed(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._caller is not None:
            self._model.sessions.pop(self._caller.number, None)

    # --- what comes ---------------------------------------------------------------------------------------------------

    def received(self, text: bytes) -> None:
        if b"buffer.append" in text[:45]:
            self._hear(text)
            return
        event = json.loads(text)
        handle = self._events.get(event["type"])
        if handle is None:
            self._refuse(event, "invalid_value", f"Invalid value: {event['type']!r}")
        else:
            handle(event)

    def _hear(self, text: bytes) -> None:
        now = time.monotonic()
        tally = self._model.desk.tally
        begin = text.index(b'"', text.index(b'audio":') + 7) + 1
        step, silence = self._format.text_per_frame, self._format.silence
        # the middle of a frame tells: neighbours reach 8 ms into it at most, by a filter and its delay
        for middle in range(begin + step // 2, len(text) - step // 2, step):
            is_loud = text[middle : middle + 8] != silence
            frame = self.frames
            self.frames = frame + 1
            caller = self._caller
            if caller is None:
                self._read_number(frame, is_loud=is_loud)
                continue
            if is_loud != is_burst(caller.number, frame):
                self._out_of_step(caller, frame, tally, is_loud=is_loud)
                continue
            tally.frames += 1
            tally.up.append(now - caller.sent_at[frame % len(caller.sent_at)])

    def _read_number(self, frame: int, *, is_loud: bool) -> None:
        if frame and is_loud:
            self._number |= 1 << (frame - 1)
        if frame == PREAMBLE - 1:
            self._caller = self._model.callers.get(self._number)
            if self._caller is None:
                self._model.desk.tally.frames_lost += 1
                self.frames = 0
                self._number = 0
            else:
                self._model.sessions[self._number] = self

    def _out_of_step(self, caller: Caller, frame: int, tally: Tally, *, is_loud: bool) -> None:
        """A burst that comes early says how many frames are missing; one that does not come is missing itself."""
        lost = 1
        if is_loud:
            while not is_burst(caller.number, frame + lost):
                lost += 1
        tally.frames_lost += lost
        self.frames = frame + lost + (1 if is_loud else 0)

    def _update(self, event: dict) -> None:  # type: ignore[type-arg] # JSON, here and below
        audio = event["session"].get("audio", {})
        heard = audio.get("input", {})
        if "format" in heard:
            self._format = self._model.formats[heard["format"]["type"]]
        detection = heard.get("turn_detection") or {}
        self._answers = detection.get("create_response", True)
        self._cancels = detection.get("interrupt_response", True)
        self._say("session.updated", session=event["session"])

    def _create(self, event: dict) -> None:  # type: ignore[type-arg]  # JSON
        if self._active:
            self._refuse(
                event, "conversation_already_has_active_response", "Conversation already has an active response"
            )
        else:
            self._begin_reply()

    def _cancel(self, event: dict) -> None:  # type: ignore[type-arg]  # JSON
        if self._active:
            self._end_reply("cancelled", "client_cancelled")
        else:
            self._refuse(
                event, "response_cancel_not_active", "Cancellation failed: no active response found", harm=False
            )

    def _truncate(self, event: dict) -> None:  # type: ignore[type-arg]  # JSON
        tally = self._model.desk.tally
        tally.truncates += 1
        generated_ms = self._generated_ms.get(event["item_id"])
        asked_ms = event["audio_end_ms"]
        if generated_ms is None:
            tally.truncates_refused += 1
            self._refuse(event, "item_truncate_invalid_item_id", "Item not found", harm=False)
        elif asked_ms > generated_ms:
            tally.truncates_refused += 1
            message = f"Audio content of {generated_ms}ms is already shorter than {asked_ms}ms"
            self._refuse(event, "invalid_value", message, harm=False)
        else:
            self._say("conversation.item.truncated", item_id=event["item_id"], content_index=0, audio_end_ms=asked_ms)

    def _item(self, event: dict) -> None:  # type: ignore[type-arg]  # JSON
        self._say("conversation.item.added", item=event["item"], previous_item_id=None)
        self._say("conversation.item.done", item=event["item"], previous_item_id=None)

    def _delete(self, event: dict) -> None:  # type: ignore[type-arg]  # JSON
        self._say("conversation.item.deleted", item_id=event["item_id"])

    # --- what is said -------------------------------------------------------------------------------------------------

    @property
    def _response_id(self) -> str:
        return f"resp_{self._reply:06d}"

    @property
    def _item_id(self) -> str:
        return f"item_reply_{self._reply:06d}"

    def _begin_reply(self) -> None:
        self._reply += 1
        self._delta = 0
        self._active = True
        self._model.desk.tally.replies += 1
        ids = {"response_id": self._response_id, "output_index": 0}
        item = {"id": self._item_id, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        part = {**ids, "item_id": self._item_id, "content_index": 0}
        self._say("response.created", response={"id": self._response_id, "status": "in_progress", "output": []})
        self._say("response.output_item.added", **ids, item=item)
        self._say("conversation.item.added", item=item, previous_item_id=None)
        self._say("response.content_part.added", **part, part={"type": "audio", "transcript": ""})
        self._delta_head = (
            f'{{"type":"response.output_audio.delta","event_id":"event_{self._reply:06d}","response_id":'
            f'"{self._response_id}","item_id":"{self._item_id}","output_index":0,"content_index":0,"delta":"'.encode()
        )
        interrupted_after_s = self._interruption()
        self._speech_at = time.monotonic() + (
            REPLY_S + _AFTER_REPLY_S if interrupted_after_s is None else interrupted_after_s
        )
        if self._caller is not None:
            self._caller.reply_at = time.monotonic()
        self._step_at = time.monotonic()
        self._go_on()

    def _interruption(self) -> float | None:
        return _INTERRUPTED_AFTER_S[(self._reply + self._number) % len(_INTERRUPTED_AFTER_S)]

    def _go_on(self) -> None:
        """Send the deltas that are due, and come again for the next."""
        now = time.monotonic()
        if now >= self._speech_at:
            self._caller_starts()
            return
        while self._active and self._step_at <= now:
            self.transport.write(server_frame(self._delta_head + self._format.deltas[self._delta] + b'"}'))
            if self._delta % _WORDS_EVERY == 0:
                self._say(
                    "response.output_audio_transcript.delta",
                    response_id=self._response_id,
                    item_id=self._item_id,
                    output_index=0,
                    content_index=0,
                    delta=" and so on",
                )
            self._delta += 1
            self._generated_ms[self._item_id] = round(self._delta * DELTA_S * 1000)
            self._step_at += DELTA_S / FASTER
            if self._delta == _DELTAS:
                self._end_reply("completed", None)
        self._after(min(self._step_at, self._speech_at) if self._active else self._speech_at, self._go_on)

    def _end_reply(self, status: str, reason: str | None) -> None:
        self._active = False
        ids = {"response_id": self._response_id, "output_index": 0}
        part = {**ids, "item_id": self._item_id, "content_index": 0}
        words = " and so on" * (self._delta // _WORDS_EVERY)
        item = {
            "id": self._item_id,
            "type": "message",
            "role": "assistant",
            "status": "completed" if reason is None else "incomplete",
            "content": [{"type": "output_audio", "transcript": words}],
        }
        self._say("response.output_audio.done", **part)
        self._say("response.output_audio_transcript.done", **part, transcript=words)
        self._say("response.content_part.done", **part, part={"type": "audio", "transcript": words})
        self._say("response.output_item.done", **ids, item=item)
        self._say("conversation.item.done", item=item, previous_item_id=None)
        details = None if reason is None else {"type": "cancelled", "reason": reason}
        response = {"id": self._response_id, "status": status, "status_details": details, "output": [item]}
        self._say("response.done", response={**response, "usage": _USAGE})

    # --- the caller's turns -------------------------------------------------------------------------------------------

    @property
    def _turn_id(self) -> str:
        return f"item_turn_{self._turns:06d}"

    def _caller_starts(self) -> None:
        self._turns += 1
        caller = self._caller
        if caller is not None:
            if caller.interrupted_at:
                self._model.desk.tally.clears_missing += 1
            caller.reply_at = 0.0
            caller.interrupted_at = time.monotonic() if caller.is_hearing else 0.0
        self._say("input_audio_buffer.speech_started", audio_start_ms=self.frames * 20, item_id=self._turn_id)
        if self._active and self._cancels:
            self._end_reply("cancelled", "turn_detected")
        self._after(time.monotonic() + _CALLER_SPEAKS_S, self._caller_stops)

    def _caller_stops(self) -> None:
        item = {"id": self._turn_id, "type": "message", "role": "user", "status": "completed", "content": []}
        self._say("input_audio_buffer.speech_stopped", audio_end_ms=self.frames * 20, item_id=self._turn_id)
        self._say("input_audio_buffer.committed", item_id=self._turn_id, previous_item_id=None)
        self._say("conversation.item.added", item=item, previous_item_id=None)
        self._say("conversation.item.done", item=item, previous_item_id=None)
        self._after(time.monotonic() + _TRANSCRIBED_AFTER_S, self._transcribed)

    def _transcribed(self) -> None:
        self._say(
            "conversation.item.input_audio_transcription.completed",
            item_id=self._turn_id,
            content_index=0,
            transcript="wait, there is something else",
            usage={"type": "duration", "seconds": 1.2},
        )
        self._after(time.monotonic() + _ANSWERED_AFTER_S - _TRANSCRIBED_AFTER_S, self._answer)

    def _answer(self) -> None:
        if self._answers and not self._active:
            self._begin_reply()

    # ------------------------------------------------------------------------------------------------------------------

    def _after(self, when: float, step: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(0.0, when - time.monotonic()), step)

    def _refuse(self, event: dict, code: str, message: str, *, harm: bool = True) -> None:  # type: ignore[type-arg]
        if harm:
            self._model.desk.tally.errors += 1
        error = {"type": "invalid_request_error", "code": code, "message": message, "param": None}
        self._say("error", error={**error, "event_id": event.get("event_id")})

    def _say(self, kind: str, **fields: object) -> None:
        if not self.transport.is_closing():
            text = json.dumps({"type": kind, "event_id": "event_0", **fields}, separators=(",", ":"))
            self.transport.write(server_frame(text.encode()))
