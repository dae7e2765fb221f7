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
_STEP = re.compile(r"[^.\[\]]+")


def differing(asked: Mapping[str, object], answered: Mapping[str, object]) -> list[str]:
    """Return the dotted keys of what we asked for that the answer says otherwise.

    What the answer leaves out says nothing; numbers compare by value, lists of words in any order.
    """
    return list(_differing(asked, answered, ""))


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
