"""How blocks word what is wrong."""

from typing import Annotated

import pytest
from pydantic import ValidationError

from app.session.block import Block, choice, nearest

pytestmark = pytest.mark.core


class Light(Block):
    colour: Annotated[str, choice("red", "amber", "green", later={"blue": "write green"})] = "red"


@pytest.mark.parametrize(
    ("colour", "message"),
    [
        ("gren", "did you mean green?"),
        ("blue", "this version does not have blue yet; write green"),
        ("xyz", "is 'xyz'; write red, amber or green"),
        (None, "is empty; write red, amber or green"),
        (5, "is 5; write red, amber or green"),
    ],
)
def test_a_choice_names_what_there_is(colour: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("?", r"\?")):
        Light(colour=colour)


def test_a_known_choice_is_taken() -> None:
    assert Light(colour="amber").colour == "amber"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("agnt", "agent"),
        ("phone-numbers", "phone_numbers"),
        ("Phone Numbers", "phone_numbers"),
        ("zzz", None),
        ("", None),
    ],
)
def test_the_nearest_word(word: str, meant: str | None) -> None:
    assert nearest(word, ["agent", "phone_numbers", "prompt"]) == meant
