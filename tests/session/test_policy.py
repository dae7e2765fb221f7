"""The blocks that the session obeys."""

import pytest
from pydantic import ValidationError

from app.session.policy import BargeInBlock, DisclosureBlock, LimitsBlock, TransferTo
from app.session.words import BargeInMode

pytestmark = pytest.mark.core


def test_the_defaults() -> None:
    assert LimitsBlock() == LimitsBlock(max_call_s=1800, idle_prompt_s=12, idle_hangup_s=30)
    disclosure = DisclosureBlock(text="An AI speaks.")
    assert (disclosure.interruptible, disclosure.on_failure, dict(disclosure.texts)) == (False, "hangup", {})
    assert BargeInBlock() == BargeInBlock(
        mode=BargeInMode.CONFIRMED, min_speech_ms=250, resume_after_false_alarm_ms=500, dtmf=False
    )


def test_a_text_goes_by_the_whole_tag_then_by_the_language_then_by_what_all_are_told() -> None:
    block = DisclosureBlock(text="all", texts={"zh": "language", "zh-Hant-TW": "tag"})
    assert [block.text_for(tag) for tag in ("zh-Hant-TW", "zh-CN", "zh", "en")] == [
        "tag",
        "language",
        "language",
        "all",
    ]


def test_a_failed_disclosure_hands_over_or_hangs_up() -> None:
    assert DisclosureBlock(text="AI").transfer_on_failure is None
    assert DisclosureBlock(text="AI", on_failure=TransferTo(transfer="+15550111")).transfer_on_failure == "+15550111"


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


@pytest.mark.parametrize("text", ["", "  \n", "x" * 1001, "Hello {{ name }}", "…", "\x01\x02", "🤖", "?!"])
def test_a_disclosure_can_be_spoken(text: str) -> None:
    with pytest.raises(ValidationError):
        DisclosureBlock(text=text)
    with pytest.raises(ValidationError):
        DisclosureBlock(text="An AI speaks.", texts={"ko": text})


def test_blocks_are_frozen() -> None:
    limits = LimitsBlock()
    with pytest.raises(ValidationError, match="frozen"):
        limits.max_call_s = 5.0
