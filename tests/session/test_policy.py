"""The blocks that the session obeys."""

import pytest
from pydantic import ValidationError

from app.session.policy import DisclosureBlock, LimitsBlock

pytestmark = pytest.mark.core


def test_the_defaults() -> None:
    assert LimitsBlock() == LimitsBlock(max_call_s=1800, idle_prompt_s=12, idle_hangup_s=30)
    assert DisclosureBlock(text="An AI speaks.").interruptible is False


def test_the_hang_up_comes_after_the_prompt() -> None:
    assert LimitsBlock(idle_prompt_s=5, idle_hangup_s=5.5).idle_hangup_s == 5.5
    with pytest.raises(ValidationError, match="write more than 30"):
        LimitsBlock(idle_prompt_s=30, idle_hangup_s=30)
    with pytest.raises(ValidationError, match="is 30 and idle_prompt_s is 40"):
        LimitsBlock(idle_prompt_s=40)


@pytest.mark.parametrize("seconds", [0, -1, 86_401, float("nan"), float("inf"), True, "60"])
def test_a_limit_is_a_number_of_seconds_up_to_a_day(seconds: float) -> None:
    with pytest.raises(ValidationError):
        LimitsBlock(max_call_s=seconds)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 1001, "Hello {{ name }}"])
def test_a_disclosure_can_be_spoken(text: str) -> None:
    with pytest.raises(ValidationError):
        DisclosureBlock(text=text)


def test_blocks_are_frozen() -> None:
    limits = LimitsBlock()
    with pytest.raises(ValidationError, match="frozen"):
        limits.max_call_s = 5.0
