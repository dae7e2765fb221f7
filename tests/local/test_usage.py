"""Tokens of text and audio, and the part of the input that was there before."""

import pytest

from app.local.usage import ContextPiece, Usage, agent_audio_tokens, caller_audio_tokens, text_tokens, usage_of

pytestmark = pytest.mark.core


@pytest.mark.parametrize(("ms", "caller", "agent"), [(0, 0, 0), (1, 1, 1), (100, 1, 2), (60_000, 600, 1200)])
def test_audio_counts_as_the_vendor_counts_it(ms: int, caller: int, agent: int) -> None:
    assert (caller_audio_tokens(ms), agent_audio_tokens(ms)) == (caller, agent)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("four", 1), ("five!", 2), ("주문", 2)])
def test_text_counts_a_token_for_four_bytes(text: str, tokens: int) -> None:
    assert text_tokens(text) == tokens


def test_the_common_beginning_is_cached_and_part_of_the_input() -> None:
    before = [ContextPiece("prompt", 10, 0), ContextPiece("a", 0, 5), ContextPiece("b", 3, 60)]
    now = [ContextPiece("prompt", 10, 0), ContextPiece("a", 0, 5), ContextPiece("b", 1, 20), ContextPiece("c", 0, 7)]
    usage = usage_of(now, before, output_text=4, output_audio=40)
    assert usage == Usage(11, 32, cached_text=10, cached_audio=5, output_text=4, output_audio=40)
    assert usage.wire() == {
        "total_tokens": 87,
        "input_tokens": 43,
        "output_tokens": 44,
        "input_token_details": {
            "text_tokens": 11,
            "audio_tokens": 32,
            "image_tokens": 0,
            "cached_tokens": 15,
            "cached_tokens_details": {"text_tokens": 10, "audio_tokens": 5, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": 4, "audio_tokens": 40},
    }
