"""The agent file as types: the blocks that the packages below own, put together, and its own few keys."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    PrivateAttr,
    StrictBool,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema

from app.agents.document import Node, Place
from app.model.config import ModelBlock, refused_turns
from app.model.turns import TurnDetectionBlock
from app.model.values import ToolChoiceBlock
from app.session.block import Block, Location, Spoken, nearest, not_yet, without_template, wrong, wrong_within
from app.session.languages import LanguageTag
from app.session.phone_numbers import PhoneNumber
from app.session.policy import BargeInBlock, DisclosureBlock, LastWordsBlock, LimitsBlock, PhrasesBlock
from app.speech.config import VoiceBlock
from app.tools.config import ToolBlock

_AGENT_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
MAX_TOOLS = 128


def _is_agent_id(agent: str) -> str:
    if not re.fullmatch(_AGENT_ID, agent):
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", agent).strip("-._")[:64]
        example = plain or "acme-orders"
        raise wrong(f"{agent!r} is no id; write up to 64 letters, digits, '.', '_' or '-', such as {example}")
    return agent


def _is_prompt(prompt: str) -> str:
    if not prompt.strip():
        raise wrong("is empty; write what the agent is for and how it shall talk")
    return without_template(prompt)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an agent was read from. version: a short hash of the file's bytes; root: its values with their places."""

    source: Path
    version: str
    root: Node


class AgentFile(Block):
    """What one agent is: whom it answers for, how it talks, what it may do."""

    agent: Annotated[
        str,
        AfterValidator(_is_agent_id),
        Field(examples=["acme-orders"], json_schema_extra={"pattern": _AGENT_ID}),
    ]
    """The agent's id, also in logs and records."""

    phone_numbers: tuple[PhoneNumber, ...] = ()
    """The dialled numbers it answers, in E.164 form and in quotes: "+15550100"."""

    default: StrictBool = False
    """Whether it also answers every dialled number that no agent names; true for one agent at most."""

    language: LanguageTag = "en-US"
    """The language it speaks, as a BCP 47 tag."""

    model: ModelBlock = ModelBlock()
    """The realtime model; without this block the embedded one, which needs no key."""

    prompt: Annotated[
        str,
        AfterValidator(_is_prompt),
        Field(examples=["You answer the telephone for Acme. Be brief."], json_schema_extra={"pattern": r"\S"}),
    ]
    """What the model is told about its work."""

    greeting: Annotated[Spoken, Field(examples=["Thank you for calling Acme. How can I help?"])] | None = None
    """Said word for word after the disclosure, interruptible; without it the model is asked to begin."""

    disclosure: DisclosureBlock = Field(examples=["{text: You are speaking with an automated AI assistant.}"])
    """The sentence that says an AI is speaking, before anything else."""

    turn_detection: TurnDetectionBlock = TurnDetectionBlock()
    """How the model hears that the caller's turn begins and ends."""

    barge_in: BargeInBlock = BargeInBlock()
    """How the caller interrupts the agent."""

    tools: Annotated[tuple[ToolBlock, ...], Field(max_length=MAX_TOOLS)] = ()
    """What the model may call while it talks."""

    voice: VoiceBlock | None = None
    """Whose voice speaks instead of the realtime model's, which then answers in writing; left out: the model's own."""

    phrases: PhrasesBlock = PhrasesBlock()
    """Fixed sentences in the agent's own words."""

    on_full: LastWordsBlock = LastWordsBlock()
    """What a caller hears for whom no line is free, and where the call goes then."""

    on_model_loss: LastWordsBlock = LastWordsBlock()
    """What the caller hears when the model is lost for good, and where the call goes then."""

    limits: LimitsBlock = LimitsBlock()
    """How long a call, and silence in it, may last."""

    _origin: Origin | None = PrivateAttr(default=None)

    later: ClassVar[Mapping[str, str]] = {
        "timezone": "leave it out",
        "before_call": "leave it out",
        "hours": "leave it out",
        "recording": "leave it out: calls are not recorded",
        "transcribe": "leave it out",
        "retention": "leave it out",
    }

    def model_post_init(self, context: object, /) -> None:
        if isinstance(context, Origin):
            self._origin = context

    @property
    def source(self) -> Path:
        """The file it was read from."""
        return self._known_origin.source

    @property
    def version(self) -> str:
        """A short hash of the file's bytes: the same words, the same version."""
        return self._known_origin.version

    def place_of(self, location: Location) -> Place:
        """Return line and column of a key's value in the file."""
        return self._known_origin.root.place_of(location)

    @property
    def _known_origin(self) -> Origin:
        if self._origin is None:
            raise ValueError("this agent was not read from a file; build it with app.agents.loader")
        return self._origin

    @field_validator("phone_numbers", mode="before")
    @classmethod
    def _is_a_list(cls, phone_numbers: object) -> object:
        if isinstance(phone_numbers, str | int):
            raise wrong(f'is a single value; write a list: ["+{str(phone_numbers).lstrip("+")}"]')
        return phone_numbers

    @field_validator("phone_numbers")
    @classmethod
    def _names_each_once(cls, phone_numbers: tuple[str, ...]) -> tuple[str, ...]:
        _refuse_repeats(phone_numbers, ())
        return phone_numbers

    @field_validator("disclosure", mode="before")
    @classmethod
    def _is_a_block(cls, disclosure: object) -> object:
        if isinstance(disclosure, str):
            raise wrong('is a text; write it as a block: {text: "You are speaking with …"}')
        return disclosure

    @field_validator("barge_in", mode="before")
    @classmethod
    def _is_more_than_a_mode(cls, barge_in: object) -> object:
        if isinstance(barge_in, str):
            raise wrong(f"is a word; write it as a block: {{mode: {barge_in or 'confirmed'}}}")
        return barge_in

    @field_validator("turn_detection", mode="before")
    @classmethod
    def _is_on(cls, turn_detection: object) -> object:
        if turn_detection is None:
            raise wrong(not_yet("a way to do without turn detection", "write {type: server_vad}, or leave it out"))
        return turn_detection

    @field_validator("turn_detection")
    @classmethod
    def _is_done_by_the_models(cls, turn_detection: TurnDetectionBlock, info: ValidationInfo) -> TurnDetectionBlock:
        model = info.data.get("model")
        if model is not None and (messages := refused_turns(model, turn_detection.type)):
            raise wrong_within([(("type",), message) for message in messages])
        return turn_detection

    @field_validator("tools")
    @classmethod
    def _have_names_of_their_own(cls, tools: tuple[ToolBlock, ...]) -> tuple[ToolBlock, ...]:
        _refuse_repeats([tool.name for tool in tools], ("name",))
        return tools

    @model_validator(mode="after")
    def _suit_each_other(self) -> Self:
        mistakes: list[tuple[Location, str]] = []
        for position, block in enumerate(self.model.models):
            where: Location = ("model", "fallbacks", position - 1) if position else ("model",)
            chosen = block.tool_choice
            names = [tool.name for tool in self.tools]
            if isinstance(chosen, ToolChoiceBlock) and chosen.name not in names:
                meant = nearest(chosen.name, names)
                advice = f"did you mean {meant}?" if meant else "write the name of one of the tools"
                mistakes.append(((*where, "tool_choice", "name"), f"{chosen.name} is none of the tools; {advice}"))
            elif chosen == "required" and not names:
                message = "is required, and there are no tools; write auto, or leave it out"
                mistakes.append(((*where, "tool_choice"), message))
            if self.voice is not None and block.speed is not None:
                message = "is of the model's own voice, and another one speaks (voice); leave one of the two out"
                mistakes.append(((*where, "speed"), message))
        if mistakes:
            raise wrong_within(mistakes)
        return self


def _refuse_repeats(words: "tuple[str, ...] | list[str]", way: Location) -> None:
    mistakes: list[tuple[Location, str]] = [
        ((position, *way), f"{word} stands here twice; leave one out")
        for position, word in enumerate(words)
        if word in words[:position]
    ]
    if mistakes:
        raise wrong_within(mistakes)


class _WithoutTitles(GenerateJsonSchema):
    """A field's title would only be its name once more."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def json_schema() -> dict[str, JsonValue]:
    """Return the JSON Schema (draft 2020-12) of the agent file, for editors: it checks keys and shapes; what one key
    means for another is checked by reading the file."""
    schema: dict[str, JsonValue] = AgentFile.model_json_schema(schema_generator=_WithoutTitles)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Dialtone agent file"}
