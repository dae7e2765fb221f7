"""The blocks of the agent file that the session obeys: the disclosure and the limits of a call."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, StrictBool, StrictFloat, ValidationInfo, field_validator

from app.session.block import Block, Spoken, wrong

Seconds = Annotated[StrictFloat, Field(gt=0, le=86_400)]
"""Twilio ends every call after 24 hours."""


class DisclosureBlock(Block):
    """The sentence that says an AI is speaking. It is spoken first, before any audio of the model."""

    text: Annotated[Spoken, Field(examples=["You are speaking with an automated AI assistant."])]
    """What the caller is told, word for word, before anything of the model is heard."""

    interruptible: StrictBool = False
    """Whether the caller's voice may cut the disclosure off; it is then said again until it was heard whole."""

    later: ClassVar[Mapping[str, str]] = {
        "texts": "write one text, in the agent's language",
        "on_failure": "leave it out: a call whose disclosure cannot be spoken is hung up",
        "recording": "leave it out: calls are not recorded",
    }


class LimitsBlock(Block):
    """How long a call, and silence in it, may last. Both idle times count from the last activity:
    speech, pressed keys, audio of the agent."""

    max_call_s: Seconds = 1800.0
    """Seconds after which the agent says goodbye and hangs up."""

    idle_prompt_s: Seconds = 12.0
    """Seconds without activity after which the agent asks whether the caller is still there."""

    idle_hangup_s: Seconds = 30.0
    """Seconds without activity after which the agent says goodbye and hangs up; more than idle_prompt_s."""

    later: ClassVar[Mapping[str, str]] = {"max_cost_usd": "leave it out and limit the call's length with max_call_s"}

    @field_validator("idle_hangup_s")
    @classmethod
    def _comes_after_the_prompt(cls, idle_hangup_s: float, info: ValidationInfo) -> float:
        idle_prompt_s = info.data.get("idle_prompt_s")
        if idle_prompt_s is not None and idle_hangup_s <= idle_prompt_s:
            raise wrong(
                f"is {idle_hangup_s:g} and idle_prompt_s is {idle_prompt_s:g}, so nobody would ask the caller before "
                f"hanging up; write more than {idle_prompt_s:g}"
            )
        return idle_hangup_s
