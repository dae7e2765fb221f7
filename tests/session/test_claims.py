"""Claims to be human, by labelled sentences of our own, oblique and hostile ones among them: + is one, - is none."""

import re
from pathlib import Path

import pytest

from app.session.claims import claims_to_be_human

pytestmark = pytest.mark.core

SETS = sorted(Path(__file__).parent.glob("claims/*.txt"))
LABELLED = [
    pytest.param(line[2:], line[0] == "+", id=f"{path.stem}:{number}")
    for path in SETS
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
]
INNOCENT = [param for param in LABELLED if not param.values[1]]
CLAIMS = [param for param in LABELLED if param.values[1]]


def grown(sentence: str) -> list[str]:
    """Return what has been said after each word, and after each piece of one."""
    pieces = re.findall(r"\s*[^\s\w]|\s*\w{1,3}", sentence)
    return ["".join(pieces[: count + 1]) for count in range(len(pieces))]


@pytest.mark.parametrize(("sentence", "is_claim"), LABELLED)
def test_each_sentence_by_itself(sentence: str, is_claim: bool) -> None:
    assert claims_to_be_human(sentence, is_whole=True) is is_claim


@pytest.mark.parametrize(("sentence", "is_claim"), INNOCENT)
def test_an_innocent_sentence_is_innocent_while_it_grows(sentence: str, is_claim: bool) -> None:
    assert [text for text in grown(sentence) if claims_to_be_human(text)] == []


@pytest.mark.parametrize(("sentence", "is_claim"), CLAIMS)
def test_a_claim_is_found_while_it_is_being_said(sentence: str, is_claim: bool) -> None:
    said = sentence + " Now, how can I help?"
    assert any(claims_to_be_human(text) for text in grown(said))


@pytest.mark.parametrize(
    ("so_far", "more"),
    [
        ("I am a human", "-made program."),
        ("I'm a real person", "'s assistant."),
        ("I'm not an AI", " expert."),
        ("I'm human", "? No."),
        ("I'm not a robot,", " I'm an AI."),
        ("저는 사람입니다", "라고 말할 수 없습니다."),
        ("저는 사람이에요", "? 아니요."),
        ("私は人間です", "か。"),
        ("私は人間です", "とは申しません。"),
    ],
)
def test_what_may_still_become_something_else_is_no_claim_yet(so_far: str, more: str) -> None:
    assert not claims_to_be_human(so_far)
    assert not claims_to_be_human(so_far + more)


def test_the_end_of_the_words_makes_a_claim_of_what_waited_for_more() -> None:
    for waiting in ("I am a human", "I'm not a robot", "저는 사람입니다", "私は人間です"):
        assert not claims_to_be_human(waiting)
        assert claims_to_be_human(waiting, is_whole=True)


def test_letters_are_read_in_any_case_and_width_with_any_apostrophe() -> None:
    for said in ("I’M HUMAN.", "i'm human.", "Im human.", "Ｉ'm ｈｕｍａｎ.", "I  am\nnot\ta  robot."):
        assert claims_to_be_human(said, is_whole=True), said


def test_only_the_end_of_a_long_text_is_read() -> None:
    chatter = "Your order is on its way. " * 200
    assert claims_to_be_human(chatter + "I'm a real person.", is_whole=True)
    assert not claims_to_be_human("I'm a real person. " + chatter)


@pytest.mark.parametrize(
    "words", ["I am really, ", "you are really ", "고객님 ", "저는 진짜 ", "はい、", "AIではなく、"]
)
def test_a_model_that_repeats_itself_costs_no_more_than_its_words(words: str) -> None:
    """Patterns that try every way to share the words out would not come back."""
    assert not claims_to_be_human(words * 150, is_whole=True)
