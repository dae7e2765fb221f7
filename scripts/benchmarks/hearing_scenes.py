"""What comes down a caller's line, and what our own ear makes of it: the pieces that `hearing` is made of."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.audio import mulaw
from app.audio.close_listening import ONSET_MS
from app.audio.formats import FRAME_MS
from app.audio.speech_detector import SILENCE, SOUND, SPEECH, Judgement, SpeechDetector
from app.audio.voice_model import VoiceModels
from tests.support import telephone
from tests.support.telephone import Samples

MIN_SPEECH_MS = 250
RESUME_AFTER_MS = 500
_FRAME_BYTES = 160
_PER_MS = 8
_HISS = 32768 * 10 ** (telephone.LINE_NOISE_DBFS / 20)


@dataclass(frozen=True, eq=False)
class Clip:
    name: str
    samples: Samples


@dataclass(frozen=True)
class Heard:
    """What was made of a scene.

    speech_ms: the most that one judgement of the session would count; enough_ms: when that was MIN_SPEECH_MS, since the
    moment that counts, None: never; onset_ms: likewise the first verdict SPEECH; sound, speech: shares of the frames.
    """

    speech_ms: int
    enough_ms: int | None
    onset_ms: int | None
    sound: float
    speech: float
    interruptions: int


def clips(audio: Path, folder: str, *, prefix: str = "") -> list[Clip]:
    """Return the recordings of one folder, as the line carries them."""
    return [Clip(path.stem, telephone.load(path)) for path in sorted((audio / folder).glob(f"{prefix}*.wav"))]


def sentences(audio: Path) -> list[Clip]:
    """Return what people say in the clips: up to three utterances of each that last 600 ms or more."""
    said = []
    for row in json.loads((audio / "index.json").read_text("utf-8")):
        name = Path(row["file"]).stem
        if row["kind"] != "speech" or "_word_" in name:
            continue
        whole = telephone.load(audio / row["file"])
        audible_dbfs = telephone.active_level_dbfs(whole) - 12  # less is somebody in the background
        for number, samples in enumerate(telephone.utterances(whole)[:3], 1):
            if len(samples) >= 600 * _PER_MS and telephone.active_level_dbfs(samples) > audible_dbfs:
                said.append(Clip(f"{name}#{number}", samples))
    return said


def ulaw_of(samples: Samples, seed: int = 0, *, hiss: float = _HISS) -> bytes:
    """Return the samples with the line's own noise, as G.711."""
    noisy = samples + np.random.default_rng(seed).normal(0.0, hiss, len(samples)) if hiss else samples
    return mulaw.encode(np.clip(np.rint(noisy), -32768, 32767).astype("<i2").tobytes())


def amid_silence(samples: Samples, before_ms: int, after_ms: int = 800) -> Samples:
    return np.concatenate([telephone.silence(before_ms), samples, telephone.silence(after_ms)])


def talking(clip: Clip, seconds: int, dbfs: float) -> Samples:
    """Return an agent who says the clip over and over."""
    return telephone.at_level(np.resize(clip.samples, seconds * 1000 * _PER_MS), dbfs)


def echo_of(agent: Samples, loss_db: float, delay_ms: int) -> Samples:
    """Return what comes back of the agent's voice on the caller's side."""
    late = np.concatenate([telephone.silence(delay_ms), agent])[: len(agent)]
    return late * 10 ** (loss_db / 20)


def hear(
    caller: bytes,
    models: VoiceModels,
    *,
    agent: bytes = b"",
    since_ms: int = 0,
    until_ms: int | None = None,
    always_closely: bool = False,
) -> Heard:
    """Have a detector judge the caller's side; it listens closely as the session has it: while there is a sound.

    agent: what is sent meanwhile, 20 ms for each 20 ms of the caller. since_ms, until_ms: what counts for the result.
    """
    verdicts = list(_verdicts(caller, models, agent, always_closely))
    counted = verdicts[since_ms // FRAME_MS : None if until_ms is None else until_ms // FRAME_MS]
    most = interruptions = speech_ms = 0
    enough = onset = None
    since_speech_ms = RESUME_AFTER_MS
    before = SILENCE
    for number, verdict in enumerate(counted, 1):
        if verdict is SPEECH:
            if before is not SPEECH and since_speech_ms >= RESUME_AFTER_MS:
                speech_ms = 0
            more = FRAME_MS if before is SPEECH else ONSET_MS
            interruptions += speech_ms < MIN_SPEECH_MS <= speech_ms + more
            speech_ms += more
            most = max(most, speech_ms)
            since_speech_ms = 0
            onset = onset or number * FRAME_MS
            if enough is None and speech_ms >= MIN_SPEECH_MS:
                enough = number * FRAME_MS
        else:
            since_speech_ms += FRAME_MS
        before = verdict
    whole = max(1, len(counted))
    sound = sum(verdict >= SOUND for verdict in counted) / whole
    return Heard(most, enough, onset, sound, counted.count(SPEECH) / whole, interruptions)


def _verdicts(caller: bytes, models: VoiceModels, agent: bytes, always_closely: bool) -> Iterator[Judgement]:
    detector = SpeechDetector(models)
    since_speech_ms = RESUME_AFTER_MS
    for at in range(0, len(caller) - _FRAME_BYTES + 1, _FRAME_BYTES):
        if sent := agent[at : at + _FRAME_BYTES]:
            detector.agent_audio(sent)
        verdict = detector.judge(caller[at : at + _FRAME_BYTES])
        since_speech_ms = 0 if verdict is SPEECH else since_speech_ms + FRAME_MS
        detector.listen_closely(always_closely or verdict is not SILENCE or since_speech_ms < RESUME_AFTER_MS)
        yield verdict
    detector.listen_closely(False)
