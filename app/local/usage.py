"""What a response counts as: tokens of text and of audio, in and out, and how much of the input was there before.

Audio as the vendor counts it: one token for 100 ms of the caller, one for 50 ms of the agent. Text is an estimate, four
bytes a token, since this model reads no tokens.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from app.local.protocol import Wire

CALLER_MS_A_TOKEN = 100
AGENT_MS_A_TOKEN = 50
_BYTES_A_TOKEN = 4


def text_tokens(text: str) -> int:
    """Return about how many tokens a text is; none only for the empty one."""
    return -(-len(text.encode()) // _BYTES_A_TOKEN)


def caller_audio_tokens(ms: int) -> int:
    """Return the tokens of so much audio of the caller."""
    return -(-ms // CALLER_MS_A_TOKEN)


def agent_audio_tokens(ms: int) -> int:
    """Return the tokens of so much audio of the agent."""
    return -(-ms // AGENT_MS_A_TOKEN)


@dataclass(frozen=True, slots=True)
class ContextPiece:
    """One stretch of what a response was given. key: the same as long as the contents are."""

    key: str
    text_tokens: int
    audio_tokens: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one response. Cached ones are part of the input."""

    input_text: int = 0
    input_audio: int = 0
    cached_text: int = 0
    cached_audio: int = 0
    output_text: int = 0
    output_audio: int = 0

    @property
    def total(self) -> int:
        return self.input_text + self.input_audio + self.output_text + self.output_audio

    def wire(self) -> Wire:
        """Return the `usage` of a `response.done`."""
        return {
            "total_tokens": self.total,
            "input_tokens": self.input_text + self.input_audio,
            "output_tokens": self.output_text + self.output_audio,
            "input_token_details": {
                "text_tokens": self.input_text,
                "audio_tokens": self.input_audio,
                "image_tokens": 0,
                "cached_tokens": self.cached_text + self.cached_audio,
                "cached_tokens_details": {
                    "text_tokens": self.cached_text,
                    "audio_tokens": self.cached_audio,
                    "image_tokens": 0,
                },
            },
            "output_token_details": {"text_tokens": self.output_text, "audio_tokens": self.output_audio},
        }


def usage_of(
    context: Sequence[ContextPiece],
    before: Sequence[ContextPiece],
    *,
    output_text: int,
    output_audio: int,
    longest: int | None = None,
) -> Usage:
    """Return a response's usage. before: the context of the response before it, whose common beginning is cached.

    longest: the tokens that its output may have; what a last delta has beyond them is given away.
    """
    if longest is not None:
        output_text = min(output_text, longest)
        output_audio = min(output_audio, longest - output_text)
    cached = [here for here, _ in takewhile(lambda pair: pair[0] == pair[1], zip(context, before, strict=False))]
    return Usage(
        input_text=_sum_text(context),
        input_audio=_sum_audio(context),
        cached_text=_sum_text(cached),
        cached_audio=_sum_audio(cached),
        output_text=output_text,
        output_audio=output_audio,
    )


def _sum_text(pieces: Iterable[ContextPiece]) -> int:
    return sum(piece.text_tokens for piece in pieces)


def _sum_audio(pieces: Iterable[ContextPiece]) -> int:
    return sum(piece.audio_tokens for piece in pieces)
