"""A session of the embedded model without a socket, a worker or a model of speech: what it hears is on a script, and a
caller speaks where the audio is not silent."""

import asyncio
import base64
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import cast

from app.audio.formats import PCM16_24K
from app.local.dialogue import CallTool, Entry, Say
from app.local.faculties import Faculties
from app.local.protocol import encode
from app.local.realtime_session import RealtimeSession
from app.local.vad import SpeechStarted, SpeechStopped
from app.local.vocabulary import ToolOffer, Vocabulary
from app.local.voice import Voice
from tests.support.realtime_schema import client_faults, server_faults

Event = dict[str, object]

SILENCE = b"\x00\x00"
VOICE = b"\x00\x10"
MS_A_CHARACTER = 50
"""How long the scripted mouth takes for each."""


def silence(ms: int) -> bytes:
    """Return so much PCM16 at 24 kHz of nothing."""
    return SILENCE * (PCM16_24K.bytes_of(ms) // 2)


def voice(ms: int) -> bytes:
    """Return so much PCM16 at 24 kHz that `LoudnessDetector` takes for speech."""
    return VOICE * (PCM16_24K.bytes_of(ms) // 2)


class LoudnessDetector:
    """Finds turns as the real detector does, 20 ms at a time, but takes every sample that is not 0 for speech."""

    CHUNK_MS = 20

    def __init__(self) -> None:
        self._pending = b""
        self._now_ms = self._voiced_from_ms = self._voiced_to_ms = 0
        self.speaking = False
        self.settings: tuple[float, int, int] = (0.5, 300, 500)

    @property
    def voiced_ms(self) -> tuple[int, int] | None:
        return (self._voiced_from_ms, self._voiced_to_ms) if self.speaking else None

    @property
    def silence_ms(self) -> int:
        return self._now_ms - self._voiced_to_ms if self.speaking else 0

    def configure(self, *, threshold: float, prefix_padding_ms: int, silence_duration_ms: int) -> None:
        self.settings = (threshold, prefix_padding_ms, silence_duration_ms)

    def push(self, pcm: bytes) -> list[SpeechStarted | SpeechStopped]:
        edges: list[SpeechStarted | SpeechStopped] = []
        self._pending += pcm
        size = PCM16_24K.bytes_of(self.CHUNK_MS)
        while len(self._pending) >= size:
            chunk, self._pending = self._pending[:size], self._pending[size:]
            edges += self._judge(any(chunk))
        return edges

    def _judge(self, voiced: bool) -> list[SpeechStarted | SpeechStopped]:
        _, padding_ms, silence_ms = self.settings
        self._now_ms += self.CHUNK_MS
        if voiced:
            self._voiced_to_ms = self._now_ms
            if self.speaking:
                return []
            self.speaking = True
            self._voiced_from_ms = self._now_ms - self.CHUNK_MS
            return [SpeechStarted(max(0, self._voiced_from_ms - padding_ms))]
        if self.speaking and self._now_ms - self._voiced_to_ms >= silence_ms:
            self.speaking = False
            return [SpeechStopped(self._now_ms, self._voiced_from_ms, self._voiced_to_ms)]
        return []


class ScriptedEars:
    """Hears the next line of a script, whatever is said. hold: recognising waits until it is set."""

    def __init__(self, *script: str | Exception | None) -> None:
        self.script = list(script)
        self.heard: list[bytes] = []
        self.prepared: list[Vocabulary] = []
        self.available = True
        self.reason: str | None = None
        self.hold = asyncio.Event()
        self.hold.set()

    async def prepare(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        self.prepared.append(vocabulary)
        return ()

    async def recognize(self, pcm: bytes, vocabulary: Vocabulary) -> str | None:
        self.heard.append(pcm)
        line = self.script.pop(0)
        await self.hold.wait()
        if isinstance(line, Exception):
            raise line
        return line


class SteadyMouth:
    """Speaks every text as a steady tone of 50 ms a character. hold: speaking waits until it is set."""

    def __init__(self) -> None:
        self.spoken: list[tuple[str, Voice]] = []
        self.failure: Exception | None = None
        self.hold = asyncio.Event()
        self.hold.set()

    async def speak(self, text: str, voice: Voice) -> bytes:
        self.spoken.append((text, voice))
        await self.hold.wait()
        if self.failure is not None:
            raise self.failure
        return VOICE * (PCM16_24K.bytes_of(MS_A_CHARACTER * len(text)) // 2)


class ScriptedReply:
    """Says and does the next lines of a script; keeps what it was asked."""

    def __init__(self, *script: Sequence[Say | CallTool]) -> None:
        self.script = list(script)
        self.asked: list[tuple[Entry, ...]] = []
        self.instructions: list[str] = []
        self.tools: list[tuple[ToolOffer, ...]] = []
        self.tool_choices: list[str] = []
        self.languages: list[str] = []
        self.failure: Exception | None = None

    def __call__(
        self,
        entries: Sequence[Entry],
        *,
        instructions: str,
        tools: Sequence[ToolOffer],
        tool_choice: str = "auto",
        language: str,
    ) -> Sequence[Say | CallTool]:
        if self.failure is not None:
            raise self.failure
        self.asked.append(tuple(entries))
        self.instructions.append(instructions)
        self.tools.append(tuple(tools))
        self.tool_choices.append(tool_choice)
        self.languages.append(language)
        return self.script.pop(0) if self.script else [Say("Yes.")]


class Talk:
    """A client that speaks with a session directly. Every event, either way, is held against the vendor's schema."""

    def __init__(self) -> None:
        self.ears = ScriptedEars()
        self.mouth = SteadyMouth()
        self.reply = ScriptedReply()
        self.detectors: list[LoudnessDetector] = []
        self.events: list[Event] = []
        self._news = asyncio.Event()
        self._session: RealtimeSession | None = None

    def _new_detector(self) -> LoudnessDetector:
        self.detectors.append(LoudnessDetector())
        return self.detectors[-1]

    def _take(self, event: Event) -> None:
        event = json.loads(encode(event))
        assert not server_faults(event), server_faults(event)
        self.events.append(event)
        self._news.set()

    def open(self, tasks: asyncio.TaskGroup, *, speed: float) -> RealtimeSession:
        faculties = Faculties(self.ears, self.mouth, self.reply, self._new_detector, speed)
        self._session = RealtimeSession("any", faculties, expires_at=1_900_000_000, emit=self._take, tasks=tasks)
        self._session.open()
        return self._session

    def send(self, kind: str, /, *, valid: bool = True, **fields: object) -> list[Event]:
        """Send an event and return what came at once. valid: it is held against the schema of client events."""
        event = {"type": kind, **fields}
        if valid:
            assert not client_faults(event), client_faults(event)
        return self.send_text(json.dumps(event))

    def send_text(self, message: str | bytes) -> list[Event]:
        assert self._session is not None
        before = len(self.events)
        self._session.receive(message)
        return self.events[before:]

    def update(self, **session: object) -> list[Event]:
        return self.send("session.update", session={"type": "realtime", **session})

    def say(self, audio: bytes, *, chunk_ms: int = 20) -> list[Event]:
        """Append audio in the session's format (PCM16 at 24 kHz unless it was changed) in chunks."""
        before = len(self.events)
        size = PCM16_24K.bytes_of(chunk_ms)
        for begin in range(0, len(audio), size):
            self.send("input_audio_buffer.append", audio=base64.b64encode(audio[begin : begin + size]).decode())
        return self.events[before:]

    def take_turn(self, heard: str | None, *, ms: int = 600) -> list[Event]:
        """Speak and be silent for long enough; the ears will make `heard` of it."""
        self.ears.script.append(heard)
        return self.say(voice(ms) + silence(600))

    async def until(self, kind: str, count: int = 1, *, since: int = 0) -> Event:
        """Wait for the `count`-th event of a type from the `since`-th event on, and return it."""
        async with asyncio.timeout(10):
            while True:
                found = [event for event in self.events[since:] if event["type"] == kind]
                if len(found) >= count:
                    return found[count - 1]
                self._news.clear()
                await self._news.wait()

    async def until_done(self, count: int = 1) -> Mapping[str, object]:
        """Wait for the `count`-th response to be done and return it, its rate limits being out too."""
        await self.until("rate_limits.updated", count)
        return cast("Mapping[str, object]", self.of("response.done")[count - 1]["response"])

    async def until_quiet(self) -> None:
        """Wait until every response that was begun is over."""
        async with asyncio.timeout(10):
            while len(self.of("response.created")) > len(self.of("rate_limits.updated")):
                self._news.clear()
                await self._news.wait()

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["type"] == kind]

    def types(self, since: int = 0) -> list[str]:
        """Return the events' types, repeated deltas as one."""
        types: list[str] = []
        for event in self.events[since:]:
            kind = str(event["type"])
            if not (kind.endswith(".delta") and kind in types[-2:]):
                types.append(kind)
        return types


@asynccontextmanager
async def talk(*, speed: float = math.inf) -> AsyncIterator[Talk]:
    """Open a session; whatever it started has ended when this does."""
    client = Talk()
    async with asyncio.TaskGroup() as tasks:
        session = client.open(tasks, speed=speed)
        try:
            yield client
        finally:
            session.close()


def error_of(events: Sequence[Event]) -> Mapping[str, object]:
    """Return the one error among the events."""
    (error,) = [event["error"] for event in events if event["type"] == "error"]
    assert isinstance(error, dict)
    return error


def run(scenario: Callable[[Talk], Awaitable[None]], *, speed: float = math.inf) -> None:
    """Run a coroutine function of a test with a session of its own."""

    async def whole() -> None:
        async with talk(speed=speed) as client:
            await scenario(client)

    asyncio.run(whole())
