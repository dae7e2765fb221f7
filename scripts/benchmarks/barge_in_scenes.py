"""What happens in the virtual calls: replies, lines and interruptions, drawn by a seed."""

import random
from dataclasses import dataclass
from enum import Enum

from app.carrier.line import Line
from app.session.words import BargeInMode

BYTES_PER_MS = 48
"""PCM16 at 24 kHz."""


class Network(Enum):
    """What lies between service and carrier; the goals differ."""

    NONE = "no network delay"
    UNEVEN = "no delay, jitter and late marks"
    FAR = "0 to 300 ms each way"
    FAR_UNEVEN = "0 to 300 ms, jitter and late marks"


@dataclass(frozen=True, slots=True)
class Reply:
    """One response of the model: its items by their length, its deltas by size and time after the response's start."""

    items_ms: tuple[int, ...]
    deltas: tuple[tuple[float, int, int], ...]
    """(seconds after the start, item, bytes)"""
    interrupted_after_s: float
    """From when its first sound can be heard."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One call: over this line, judged in this mode."""

    network: Network
    line: Line
    mode: BargeInMode
    seed: int


def scenes(count: int, seed: int) -> list[Scene]:
    """Return so many calls, the four networks and the two modes evenly."""
    chance = random.Random(seed)
    networks, modes = list(Network), [BargeInMode.IMMEDIATE, BargeInMode.CONFIRMED]
    drawn = []
    for number in range(count):
        network = networks[number % len(networks)]
        mode = modes[number // len(networks) % len(modes)]
        drawn.append(Scene(network, _line(network, chance), mode, chance.randrange(2**31)))
    return drawn


def _line(network: Network, chance: random.Random) -> Line:
    is_far = network in (Network.FAR, Network.FAR_UNEVEN)
    is_uneven = network in (Network.UNEVEN, Network.FAR_UNEVEN)
    return Line(
        to_carrier_ms=chance.randint(0, 300) if is_far else 0,
        to_service_ms=chance.randint(0, 300) if is_far else 0,
        jitter_ms=chance.randint(10, 100) if is_uneven else 0,
        mark_delay_ms=chance.choice((0, 20, 60)) if is_uneven else 0,
        bunch_marks_ms=chance.choice((0, 0, 40)) if is_uneven else 0,
        seed=chance.randrange(2**31),
    )


def reply(chance: random.Random) -> Reply:
    """Draw a reply: short or long, of one item or several, made at once, quickly or at little more than its pace."""
    items = 1 if chance.random() < 0.5 else chance.randint(2, 4)
    is_short = chance.random() < 0.4
    items_ms = tuple(chance.randint(200, 1500) if is_short else chance.randint(1500, 9000) for _ in range(items))
    faster = chance.choice((1.15, 1.5, 5.0, 20.0, 1e6))
    largest_ms = chance.choice((20, 60, 250, 1000))
    deltas: list[tuple[float, int, int]] = []
    made_ms = 0.0
    for item, length_ms in enumerate(items_ms):
        left = length_ms * BYTES_PER_MS
        while left:
            size = min(left, 2 * chance.randint(1, largest_ms * BYTES_PER_MS // 2))
            made_ms += size / BYTES_PER_MS
            deltas.append((made_ms / 1000 / faster, item, size))
            left -= size
    return Reply(items_ms, tuple(deltas), chance.uniform(0.02, max(0.1, sum(items_ms) / 1000 - 0.05)))
