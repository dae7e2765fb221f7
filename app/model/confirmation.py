"""What was asked of a session against what it says it has, and settings without what it would not take. Pure."""

import math
import re
from collections.abc import Iterator, Mapping

_ESSENTIAL = frozenset(
    {
        "type",
        "audio",
        "input",
        "output",
        "instructions",
        "tools",
        "output_modalities",
        "modalities",
        "format",
        "rate",
        "input_audio_format",
        "output_audio_format",
        "turn_detection",
        "create_response",
        "interrupt_response",
    }
)
"""What a call cannot do without: what the model is told and may do, how audio is written, who answers a turn."""
_SAYS_WHAT_IT_IS = frozenset({"type", "model", "id"})
"""Without it the object that it stands in means nothing: that goes too."""
_AUDIO_KEYS = (
    "audio.input.format",
    "audio.output.format",
    "input_audio_format",
    "output_audio_format",
)
_DETECTOR_KEYS = ("audio.input.turn_detection", "turn_detection")
_BY_ITSELF: Mapping[str, object] = {
    "type": "realtime",
    "rate": 24_000,
    "tool_choice": "auto",
    "truncation": "auto",
    "eagerness": "auto",
    "max_output_tokens": "inf",
    "max_response_output_tokens": "inf",
}
"""What the protocol has where nothing is said: an answer need not say it."""
_STEP = re.compile(r"[^.\[\]]+")


def differing(asked: Mapping[str, object], answered: Mapping[str, object]) -> list[str]:
    """Return the dotted keys of what we asked for that the answer says otherwise, then those that it leaves out.

    Numbers compare by value, lists of words in any order. An answer is to be the whole session; some servers show a
    part of it, or nothing: where less than half of what was asked is there, what is left out says nothing.
    """
    left_out = _left_out(asked, answered, "") if _is_whole(asked, answered) else ()
    return [*_differing(asked, answered, ""), *left_out]


def ignored(asked: Mapping[str, object], answered: Mapping[str, object]) -> str:
    """Return what the answer says otherwise and no call can be held with; nothing if there is no such thing.

    audio_format: all that is heard would be noise. turn_detection: it is off, so that nobody would be heard at all.
    What the answer leaves out may well be as it was asked for.
    """
    if any(is_about_audio(key) for key in _differing(asked, answered, "")):
        return "audio_format"
    for key in _DETECTOR_KEYS:
        if isinstance(_at(asked, key), Mapping) and _is_off(_at(answered, key, _LEFT_OUT)):
            return "turn_detection"
    return ""


def is_about_audio(key: str) -> bool:
    """Is this the way audio is written, which must agree or all that is heard is noise?"""
    return key.startswith(_AUDIO_KEYS)


def dispensable(key: str) -> tuple[str, ...] | None:
    """Return the steps to what has to go from the settings so that this key goes; None: a call needs it.

    key: dotted, as an error names it: `audio.input.noise_reduction.type`, `turn_detection.eagerness`.
    """
    steps = tuple(_STEP.findall(key))
    if steps[:1] == ("tools",) or "format" in steps:
        return None
    if len(steps) > 1 and steps[-1] in _SAYS_WHAT_IT_IS:
        steps = steps[:-1]
    return None if not steps or steps[-1] in _ESSENTIAL else steps


def dispensable_in(settings: Mapping[str, object]) -> list[tuple[str, ...]]:
    """Return the steps to everything in these settings that a call can do without."""
    return list(_dispensable_in(settings, ()))


def without(settings: Mapping[str, object], steps: tuple[str, ...]) -> dict[str, object]:
    """Return a copy of the settings without what the steps lead to; an equal one if they lead nowhere."""
    first, rest = steps[0], steps[1:]
    left = dict(settings)
    if not rest:
        left.pop(first, None)
        return left
    inner = left.get(first)
    if isinstance(inner, Mapping):
        left[first] = without(inner, rest)
    return left


def _dispensable_in(settings: Mapping[str, object], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, value in settings.items():
        steps = (*above, name)
        if dispensable(".".join(steps)) == steps:
            yield steps
        elif isinstance(value, Mapping):
            yield from _dispensable_in(value, steps)


_LEFT_OUT = object()


def _at(settings: object, key: str, missing: object = None) -> object:
    for step in key.split("."):
        if not isinstance(settings, Mapping) or step not in settings:
            return missing
        settings = settings[step]
    return settings


def _is_off(detection: object) -> bool:
    # none is how the earliest preview wrote it
    return detection is None or (isinstance(detection, Mapping) and detection.get("type") == "none")


def _is_whole(asked: Mapping[str, object], answered: Mapping[str, object]) -> bool:
    wanted = [name for name, value in asked.items() if not _goes_without_saying(name, value)]
    return 2 * sum(name in answered for name in wanted) >= len(wanted)


def _goes_without_saying(name: str, value: object) -> bool:
    return value in (None, "", [], (), {}) or _BY_ITSELF.get(name) == value


def _left_out(asked: Mapping[str, object], answered: Mapping[str, object], key: str) -> Iterator[str]:
    """Yield the keys that are not there; not those within a list, for a tool's schema is written anew by the server."""
    for name, wanted in asked.items():
        below = f"{key}.{name}" if key else name
        got = answered.get(name, _LEFT_OUT)
        if got is _LEFT_OUT:
            if not _goes_without_saying(name, wanted):
                yield below
        elif isinstance(wanted, Mapping) and isinstance(got, Mapping):
            yield from _left_out(wanted, got, below)


def _differing(asked: object, answered: object, key: str) -> Iterator[str]:
    if isinstance(asked, Mapping) and isinstance(answered, Mapping):
        for name, wanted in asked.items():
            if name in answered:
                yield from _differing(wanted, answered[name], f"{key}.{name}" if key else str(name))
    elif isinstance(asked, list | tuple) and isinstance(answered, list | tuple):
        yield from _differing_lists(list(asked), list(answered), key)
    elif not _is_same(asked, answered):
        yield key


def _differing_lists(asked: list[object], answered: list[object], key: str) -> Iterator[str]:
    if all(isinstance(value, str) for value in asked + answered):
        if sorted(map(str, asked)) != sorted(map(str, answered)):
            yield key
    elif len(asked) != len(answered):
        yield key
    else:
        for place, (wanted, got) in enumerate(zip(asked, answered, strict=True)):
            yield from _differing(wanted, got, f"{key}[{place}]")


def _is_same(asked: object, answered: object) -> bool:
    if isinstance(asked, bool) or isinstance(answered, bool):
        return asked is answered
    if isinstance(asked, int | float) and isinstance(answered, int | float):
        return math.isclose(asked, answered, rel_tol=1e-6)  # single precision comes back as 0.6000000238
    if isinstance(asked, str) and isinstance(answered, str):
        return asked.strip() == answered.strip()
    return asked == answered
