"""The sentences there are when the agent file words none."""

from dataclasses import fields

import pytest

from app.speech.wording import ENGLISH, JAPANESE, KOREAN, Wording, wording_for


@pytest.mark.parametrize(
    ("tag", "wording"),
    [
        ("en-US", ENGLISH),
        ("en", ENGLISH),
        ("ko-KR", KOREAN),
        ("KO", KOREAN),
        ("ja-JP", JAPANESE),
        ("de-DE", ENGLISH),
        ("kok-IN", ENGLISH),
    ],
)
def test_the_language_decides(tag: str, wording: Wording) -> None:
    assert wording_for(tag) is wording


@pytest.mark.parametrize("wording", [ENGLISH, KOREAN, JAPANESE], ids=lambda wording: wording.language)
def test_every_sentence_is_there_short_and_a_sentence(wording: Wording) -> None:
    for field in fields(Wording):
        if field.name != "language":
            sentence = getattr(wording, field.name)
            assert sentence.endswith((".", "?", "。")), field.name
            assert len(sentence) <= 120, field.name
