"""The block of the agent file that says whose voice speaks instead of the realtime model's."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from app.session.block import Block, choice

_LATER = "write local, the embedded voice, or leave the block out: the realtime model speaks"
_NO_CHOICE = "leave it out: the embedded voice has one voice for each language, the agent's"


class VoiceBlock(Block):
    """A voice of ours speaks what the model answers. The model then answers in writing."""

    provider: Annotated[
        Literal["local"],
        choice("local", later=dict.fromkeys(("typecast", "supertone", "openai", "tokenlab"), _LATER)),
    ]
    """Who speaks: local, the embedded voice, which needs neither key nor network."""

    later: ClassVar[Mapping[str, str]] = {
        "voice_id": _NO_CHOICE,
        "model": _NO_CHOICE,
        "language": _NO_CHOICE,
        "settings": _NO_CHOICE,
        "fallbacks": "leave it out: there is no other voice yet",
    }
