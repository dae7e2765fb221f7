"""What a caller misses of an agent that answers in tones.

Each answer has a pitch of its own, other than its neighbours', and a known length. So a silence with the same pitch
before and behind it lies within an answer and is a gap, one between two pitches is a pause; and what of an answer never
sounded, because it was cut or left out, is known too. No clock and no call: samples of a telephone line (8 kHz) alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.carrier.playout import LINE_HZ

Samples = NDArray[np.int16]

PITCHES_HZ = (400, 600, 800, 1000)
"""Of one answer after the other, over and over; whole periods fit a block."""
AROUND_S = 3.0
"""So much before and behind a moment is looked at."""
_WINDOW = 40
"""5 ms: silence is measured in these."""
_BLOCK = 320
"""40 ms: a pitch is told by these, in steps of 25 Hz."""
_AUDIBLE = 32768 * 10 ** (-50 / 20)
_PURE = 0.98
"""So much of a block's power is at one pitch when nothing but a tone is in it."""


@dataclass(slots=True)
class Tone:
    """One answer as it was heard, from sample `begin` to `end`; where two meet without a pause, to a block."""

    hz: int
    begin: int
    end: int


def tones(channel: Samples) -> list[Tone]:
    """Return the answers in it, in order; speech is none."""
    blocks = channel[: len(channel) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).astype(np.float64)
    power = np.abs(np.fft.rfft(blocks, axis=1)) ** 2
    pitch = power.argmax(axis=1)
    is_pure = (power.max(axis=1) > _PURE * power.sum(axis=1)) & (np.sqrt((blocks**2).mean(axis=1)) > _AUDIBLE)
    found: list[Tone] = []
    for place in is_pure.nonzero()[0].tolist():
        hz, begin = int(pitch[place]) * LINE_HZ // _BLOCK, place * _BLOCK
        if hz not in PITCHES_HZ:
            continue
        if found and found[-1].hz == hz:
            found[-1].end = begin + _BLOCK
        else:
            found.append(Tone(hz, begin, begin + _BLOCK))
    _find_edges(channel, found)
    return found


def _find_edges(channel: Samples, found: Sequence[Tone]) -> None:
    """Give each answer what is audible of it in the blocks at its edges, of which it has only a part."""
    audible = _audible(channel)
    for number, tone in enumerate(found):
        least = max(0, tone.begin - _BLOCK, found[number - 1].end if number else 0)
        most = min(
            len(channel), tone.end + _BLOCK, found[number + 1].begin if number + 1 < len(found) else len(channel)
        )
        while tone.begin > least and audible[tone.begin // _WINDOW - 1]:
            tone.begin -= _WINDOW
        while tone.end < most and tone.end // _WINDOW < len(audible) and audible[tone.end // _WINDOW]:
            tone.end += _WINDOW


def gap_ms(channel: Samples, heard: Sequence[Tone], at: int, tone_ms: int) -> int | None:
    """Return what the caller missed around sample `at` of the answer that sounds then; None if none has to sound.

    That is the longest silence within the answer, or what of it never sounded if that is more. heard: all answers of
    the channel; tone_ms: how long each one is. The last one may be cut by the end of the call.
    """
    whole = tone_ms * LINE_HZ // 1000
    tone = next((each for each in reversed(heard) if each.begin <= at < max(each.end, each.begin + whole)), None)
    if tone is None:
        return None
    sounded = int(_audible(channel[tone.begin : tone.end]).sum()) * _WINDOW
    missing = min(whole, len(channel) - tone.begin) - sounded
    if missing <= _BLOCK:
        missing = 0  # as much as the edges may be off
    if at >= tone.end and not missing:
        return None
    around = round(AROUND_S * LINE_HZ)
    silence, _ = _silence(channel[max(tone.begin, at - around) : min(tone.end, at + around)])
    return max(silence, missing) * 1000 // LINE_HZ


def longest_gap(channel: Samples, heard: Sequence[Tone]) -> tuple[int, int]:
    """Return the longest silence within any answer, in ms, and the sample at which it began; 0, 0 if there is none."""
    found = [(size, each.begin + at) for each in heard for size, at in [_silence(channel[each.begin : each.end])]]
    size, at = max(found, key=lambda one: one[0], default=(0, 0))
    return (size * 1000 // LINE_HZ, at) if size else (0, 0)


def _silence(channel: Samples) -> tuple[int, int]:
    """Return how many samples the longest silence has, and where it begins."""
    audible = _audible(channel).nonzero()[0]
    if not len(audible):
        return len(channel), 0
    bounds = np.concatenate(([-1], audible, [len(channel) // _WINDOW]))
    sizes = np.diff(bounds) - 1
    longest = int(sizes.argmax())
    return int(sizes[longest]) * _WINDOW, (int(bounds[longest]) + 1) * _WINDOW


def _audible(channel: Samples) -> NDArray[np.bool_]:
    windows = channel[: len(channel) // _WINDOW * _WINDOW].reshape(-1, _WINDOW).astype(np.float64)
    return np.asarray(np.sqrt((windows**2).mean(axis=1)) > _AUDIBLE, dtype=np.bool_)
