"""The block of the agent file that says how the model hears a turn's end."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StrictFloat, StrictInt, model_validator

from app.model.capabilities import SEMANTIC_VAD, SERVER_VAD
from app.session.block import Block, Location, choice, wrong_within

Milliseconds = Annotated[StrictInt, Field(ge=0, le=10_000)]


class TurnDetectionBlock(Block):
    """How the model hears that the caller begins and has ended a turn."""

    type: Annotated[Literal["server_vad", "semantic_vad"], choice(SERVER_VAD, SEMANTIC_VAD)] = "server_vad"
    """server_vad: a turn ends with a silence; semantic_vad: when the caller seems to have said it all."""

    threshold: Annotated[StrictFloat, Field(ge=0, le=1)] = 0.5
    """server_vad: how sure the detector must be that this is speech, from 0 to 1; higher for noisy lines."""

    prefix_padding_ms: Milliseconds = 300
    """server_vad: how much audio before the detected onset belongs to the turn."""

    silence_duration_ms: Milliseconds = 500
    """server_vad: how long a silence ends a turn."""

    eagerness: Annotated[Literal["low", "medium", "high", "auto"], choice("low", "medium", "high", "auto")] = "auto"
    """semantic_vad: how soon a turn is taken for ended; low waits longest. auto is medium."""

    later: ClassVar[Mapping[str, str]] = {"idle_timeout_ms": "leave it out and set limits.idle_prompt_s"}

    @model_validator(mode="after")
    def _has_keys_of_its_type(self) -> Self:
        foreign = (
            {"eagerness"} if self.type == SERVER_VAD else {"threshold", "prefix_padding_ms", "silence_duration_ms"}
        )
        other = SEMANTIC_VAD if self.type == SERVER_VAD else SERVER_VAD
        mistakes: list[tuple[Location, str]] = [
            ((key,), f"is for {other}, and this is {self.type}; leave it out, or write type: {other}")
            for key in sorted(foreign & self.model_fields_set)
        ]
        if mistakes:
            raise wrong_within(mistakes)
        return self
