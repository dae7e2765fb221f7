"""Whole spoken calls over the socket: a telephone voice; voice detection, recogniser, dialogue, synthesiser."""

import asyncio
import math
from dataclasses import dataclass, field

import numpy as np

from app.audio.formats import MODEL_HZ
from app.local.faculties import Faculties
from app.local.server import RealtimeServer
from app.local.voice import caller_voice
from app.local.workers import Ears, Mouth
from tests.support import telephone
from tests.support.local_caller import call

ORDER = "Where is my order? The number is one zero four two."
ARRIVAL = "Actually, when will it arrive?"
GOODBYE = "That is all. Goodbye."
LEVELS_DBFS = (-16.0, -20.0, -24.0, -28.0, -32.0)
CALLS = 20


@dataclass(slots=True)
class Phrases:
    """The caller's phrases as the line carries them, 8 kHz, without its noise."""

    samples: dict[str, telephone.Samples] = field(default_factory=dict)

    async def render(self, mouth: Mouth) -> None:
        for text in (ORDER, ARRIVAL, GOODBYE):
            pcm = await mouth.speak(text, caller_voice("en"))
            self.samples[text] = telephone.from_pcm(pcm, MODEL_HZ)

    def said(self, text: str, *, dbfs: float, lead_ms: int, seed: int) -> bytes:
        """Return a turn over the line: a pause, the phrase, and the silence behind it."""
        speech = telephone.at_level(self.samples[text], dbfs)
        return telephone.over_the_line(
            np.concatenate([telephone.silence(lead_ms), speech, telephone.silence(900)]), seed=seed
        )


async def hold_call(url: str, phrases: Phrases, *, dbfs: float, lead_ms: int, seed: int) -> str | None:
    """Hold the call of three turns; return what went wrong, or None."""

    def say(text: str, turn: int) -> bytes:
        return phrases.said(text, dbfs=dbfs, lead_ms=lead_ms + 7 * turn, seed=3 * seed + turn)

    async with call(url) as caller:
        answer = await caller.speak(say(ORDER, 0))
        if [(one["name"], one["arguments"]) for one in answer.calls] != [("lookup_order", '{"order_number":"1042"}')]:
            return f"heard {caller.heard}, answered {answer}"
        answer = await caller.give_output(answer.calls[0], {"status": "shipped", "eta": "2026-11-24"})
        if "shipped" not in answer.said or answer.audio_ms < 1000:
            return f"of the order it says {answer}"
        answer = await caller.speak(say(ARRIVAL, 1))
        if answer.calls or "November" not in answer.said:
            return f"heard {caller.heard}, answered {answer}"
        answer = await caller.speak(say(GOODBYE, 2))
        if answer.calls or "bye" not in answer.said.lower():
            return f"heard {caller.heard}, answered {answer}"
        return None


def test_twenty_calls_of_three_turns_succeed() -> None:
    async def scenario() -> None:
        mouth = Mouth()
        ears = Ears(mouth)
        phrases = Phrases()
        faults: list[str] = []
        numbers = iter(range(CALLS))

        async def hold_calls(url: str) -> None:
            for number in numbers:
                dbfs = LEVELS_DBFS[number % len(LEVELS_DBFS)]
                fault = await hold_call(url, phrases, dbfs=dbfs, lead_ms=300 + 37 * number, seed=number)
                if fault is not None:
                    faults.append(f"call {number} at {dbfs} dBFS: {fault}")

        try:
            await phrases.render(mouth)
            async with (
                RealtimeServer(Faculties(ears, mouth, speed=math.inf)) as server,
                asyncio.timeout(900),
                asyncio.TaskGroup() as callers,
            ):
                for _ in range(2):  # two at a time keep the server and its speech workers busy
                    callers.create_task(hold_calls(server.url))
        finally:
            await ears.close()
            await mouth.close()
        assert faults == []

    asyncio.run(scenario())
