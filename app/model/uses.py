"""What a catalogue says of a model's uses: is realtime among them? Pure.

TokenLab's documents name places where a model's detail says what it is for (`lemondata.category`, `capability_flags`,
`supported_operations`), and none of their words is realtime. So every place is looked at where a catalogue says such
things: one that says realtime is a yes, a no is only what leaves no room for it, and all else is left open.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WHOLE_PLACE = re.compile(r"(^|_)(endpoints?|operations?|methods|routes)(_|$)")
"""Such a key lists all that a model can be asked for."""
_PLACE = re.compile(
    _WHOLE_PLACE.pattern + r"|(^|_)(types?|kind|categor(y|ies)|modes?|tasks?|tags?|purpose|capabilit(y|ies)|features?"
    r"|support(s|ed)|recommended|use_cases|modalit(y|ies)|protocols?)(_|$)"
)
"""Such a key says something of what a model is or can do."""
_NAME = re.compile(r"id|(display_)?name|aliases|model|root|parent|slug|title|description|object|owned_by")
"""Outside of such places: which model this is, in its maker's words."""
_REMARK = re.compile(r"method|description|object|status")
"""Within such places: no use of a model."""
_SWITCHES = ("supported", "supports", "enabled", "available", "value")
"""Whether what stands beside it holds: `{name: realtime, supported: false}`."""
_CHAT = r"chat|chat_completions?|completions?|messages|responses|generate_?content"
_OTHER_USE = re.compile(
    rf"(^|_)({_CHAT}|tts|stt|asr|(text|speech|image|audio)_to_(text|image|video)|text_to_speech|speech_synthesis|audio_speech"
    r"|transcri(be|ptions?)|translations?|embeddings?|rerank(er|ing)?|moderations?|(image|video|music|3d)(_generation)?"
    r"|(images|videos)(_generations|_edits|_variations)?|ocr)$"
)
_MAY_BE_REALTIME = re.compile(r"voice|live|agent|duplex|conversation|audio_chat")
"""Whatever else the word has."""
_BESIDES = re.compile(
    r"(^|_)(vision|tools?|function|stream|json|structured|reason|thinking|cach|prompt|text|parallel|https?|rest|get|post|model)"
)
"""What a model of any use may have."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A word that a detail says of its model, or denies. is_whole: those beside it are all that there is."""

    word: str
    holds: bool
    is_whole: bool = False


def says_realtime(detail: object, name: str = "") -> bool | None:
    """Say whether a model's detail lists realtime among its uses; None when it leaves that open.

    name: the model's. One that says realtime may be filed under chat, where a catalogue has no other word for it.
    """
    claims = list(_claims(detail, "")) if isinstance(detail, dict) else []
    about_realtime = [claim.holds for claim in claims if _is_realtime(claim.word)]
    if about_realtime:
        return any(about_realtime)
    said = [claim for claim in claims if claim.holds and (_is_other_use(claim.word) or not _BESIDES.search(claim.word))]
    whole = [claim for claim in said if claim.is_whole]
    if not whole and _is_realtime(_plain(name)):
        said = [claim for claim in said if not re.fullmatch(_CHAT, claim.word)]
    uses = [_is_other_use(claim.word) for claim in whole or said]
    return False if uses and all(uses) else None


def _claims(value: object, place: str) -> Iterator[_Claim]:
    """Yield what is said below a value. place: the key of the place that it stands in; empty: in none."""
    if isinstance(value, dict):
        is_off = _is_denied(value)
        for name, inner in value.items():
            yield from _claims_of_key(_plain(str(name)), inner, place, is_off=is_off)
    elif isinstance(value, list):
        for inner in value:
            yield from _claims(inner, place)
    elif isinstance(value, str) and value:
        word = _plain(value)
        if place or _is_realtime(word):
            yield _claim(word, place)


def _claims_of_key(key: str, value: object, place: str, *, is_off: bool) -> Iterator[_Claim]:
    """Yield what a block says by one of its keys. is_off: another of its keys says that it does not hold."""
    below = key if _PLACE.search(key) else place
    if not place and _NAME.fullmatch(key) and not isinstance(value, dict):
        if isinstance(value, str) and _plain(value) == "realtime":  # a use, and no model's name
            yield _claim("realtime", place, holds=not is_off)
    elif _is_realtime(key):
        if value or value is False:
            yield _claim(key, place, holds=not _is_denied(value))
    elif isinstance(value, bool):
        if below and key not in _SWITCHES:
            yield _claim(key, place, holds=value)
    elif isinstance(value, str) and not _REMARK.fullmatch(key):
        for claim in _claims(value, below):
            yield _Claim(claim.word, claim.holds and not (place and is_off), claim.is_whole)
    elif isinstance(value, dict | list):
        yield from _claims(value, below)


def _claim(word: str, place: str, *, holds: bool = True) -> _Claim:
    return _Claim(word, holds, _WHOLE_PLACE.search(place) is not None)


def _is_denied(value: object) -> bool:
    if isinstance(value, dict):
        return any(value.get(switch) is False for switch in _SWITCHES)
    return value is False or (isinstance(value, str) and value.lower() in ("false", "no", "none", "unsupported"))


def _is_realtime(word: str) -> bool:
    return "realtime" in word.replace("_", "")


def _is_other_use(word: str) -> bool:
    return _OTHER_USE.search(word) is not None and not _MAY_BE_REALTIME.search(word)


def _plain(word: str) -> str:
    """Return a word, or an endpoint's path, in small letters with underlines: `/v1/chat/completions`, `realTime`."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()).strip("_")
