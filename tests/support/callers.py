"""Callers to listen to: people from the recorded clips, and the demo's own voice."""

import asyncio
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.audio.formats import MODEL_HZ, TELEPHONE_HZ
from app.local.voice import caller_voice
from app.local.workers import Mouth
from tests.support import telephone
from tests.support.telephone import Samples

CLIPS = Path(__file__).parents[1] / "audio" / "clips"
_FAINT_DB = 20.0


@dataclass(frozen=True, eq=False)
class Utterance:
    """Something said without a long pause, cut at its edges. samples: 8 kHz, 300 to 3400 Hz."""

    name: str
    language: str
    samples: Samples

    @property
    def duration_ms(self) -> int:
        return len(self.samples) * 1000 // TELEPHONE_HZ


@cache
def people() -> tuple[Utterance, ...]:
    """Return what people say in the clips, one utterance for each stretch between pauses."""
    said = []
    for row in json.loads((CLIPS / "index.json").read_text("utf-8")):
        if row["kind"] != "speech":
            continue
        clip = telephone.load(CLIPS / row["file"])
        audible_dbfs = telephone.active_level_dbfs(clip) - _FAINT_DB  # less is somebody in the background
        for number, samples in enumerate(telephone.utterances(clip), 1):
            if telephone.active_level_dbfs(samples) > audible_dbfs:
                said.append(Utterance(f"{Path(row['file']).stem}#{number}", row["language"], samples))
    return tuple(said)


@cache
def kitchen() -> Samples:
    """Return 25 s of a tap running and dishes, 8 kHz."""
    return telephone.load(CLIPS / "noise" / "continuous" / "dishes.wav")


@cache
def caller_says(*phrases: str) -> tuple[Utterance, ...]:
    """Return the phrases in the voice of the demo's caller, whole, pauses and all."""
    return asyncio.run(_speak(phrases))


async def _speak(phrases: tuple[str, ...]) -> tuple[Utterance, ...]:
    mouth = Mouth()
    try:
        said = []
        for phrase in phrases:
            samples = telephone.from_pcm(await mouth.speak(phrase, caller_voice("en")), MODEL_HZ)
            (whole,) = telephone.utterances(samples, pause_ms=1000)
            said.append(Utterance(phrase, "en", whole))
        return tuple(said)
    finally:
        await mouth.close()
