"""How a text is cut into sentences and spread over its audio, and how fast that leaves."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.local.speaking import Pace, sentences_of, shares, steps

pytestmark = pytest.mark.core


@given(st.text())
def test_sentences_are_the_text(text: str) -> None:
    assert "".join(sentences_of(text)) == text


def test_a_sentence_ends_at_its_mark() -> None:
    text = 'It has shipped! "When?" 곧 도착합니다. 네。はい'
    assert sentences_of(text) == ["It has shipped! ", '"When?" ', "곧 도착합니다. ", "네。", "はい"]
    assert sentences_of("It costs 12.50 in all") == ["It costs 12.50 in all"]


@given(st.integers(1, 5000), st.integers(1, 700), st.integers(1, 700))
def test_steps_cover_the_whole(size: int, first: int, step: int) -> None:
    ends = steps(size, first, step)
    lengths = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    assert ends[-1] == size
    assert len(lengths) == 1 or lengths[0] == first
    assert all(length == step for length in lengths[1:-1])
    assert len(lengths) == 1 or step / 2 <= lengths[-1] < step * 1.5 + 1


@given(st.text(alphabet="ab ."), st.integers(1, 5000), st.integers(1, 700))
def test_words_are_spread_over_the_audio_and_none_is_lost(text: str, size: int, step: int) -> None:
    spread = list(shares(text, steps(size, step, step)))
    assert "".join(words for words, _, _ in spread) == text
    assert [end for _, end, _ in spread] == steps(size, step, step)


def test_a_word_goes_with_the_audio_that_it_begins_in() -> None:
    assert list(shares("Order 1042 has shipped.", [100, 300, 500, 690])) == [
        ("Order ", 100, 180),
        ("1042 ", 300, 330),
        ("has shipped.", 500, 690),
        ("", 690, 690),
    ]


def test_audio_is_held_back_to_a_multiple_of_real_time() -> None:
    pace = Pace(4.0)
    assert pace.wait_s(200, now_s=100.0) == pytest.approx(0.05)
    assert pace.wait_s(200, now_s=100.02) == pytest.approx(0.08), "what came early waits for what was before it"
    assert pace.wait_s(400, now_s=105.0) == pytest.approx(0.1), "what came late catches nothing up"
    assert Pace(math.inf).wait_s(60_000, now_s=5.0) == 0.0
