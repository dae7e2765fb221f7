"""The blocks of the agent file that the session obeys: the disclosure, interruptions and the limits of a call."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from app.session.block import Block, Location, Spoken, choice, nearest, wrong, wrong_within
from app.session.languages import PATTERN, checked_language, primary
from app.session.phone_numbers import PhoneNumber
from app.session.words import BargeInMode

Seconds = Annotated[StrictFloat, Field(gt=0, le=86_400)]
"""Twilio ends every call after 24 hours."""


class TransferTo(Block):
    """Hand the caller over to somebody else."""

    transfer: Annotated[PhoneNumber, Field(examples=['"+15550100"'])]
    """The number the caller is put through to, in E.164 form and in quotes: "+15550100"."""


def _is_way_out(way: object) -> object:
    if way == "hangup" or isinstance(way, TransferTo):
        return way
    if isinstance(way, dict):
        return TransferTo.model_validate(way)
    advice = 'write hangup, or a number to transfer the caller to: {transfer: "+15550100"}'
    if isinstance(way, str) and nearest(way, ["hangup"]):
        advice = "did you mean hangup?"
    shown = "empty" if way is None or way == "" else repr(way)
    raise wrong(f"is {shown}; {advice}")


WayOut = Annotated[Literal["hangup"] | TransferTo, BeforeValidator(_is_way_out)]
"""Where a call goes that cannot go on."""


class LastWordsBlock(Block):
    """What a caller is told whose call cannot be served (on), and where the call goes then."""

    say: Spoken | None = None
    """The sentence; without it the one of the agent's language."""

    then: WayOut = "hangup"
    """hangup, or {transfer: "+15550100"}."""

    @property
    def transfer(self) -> str | None:
        """The number the caller is put through to; None: the call ends."""
        return self.then.transfer if isinstance(self.then, TransferTo) else None


class PhrasesBlock(Block):
    """Fixed sentences in the agent's own words; those left out come in the agent's language."""

    idle: Spoken | None = None
    """After a silence (limits.idle_prompt_s): whether the caller is still there."""

    goodbye: Spoken | None = None
    """Before the agent hangs up."""

    cover: Spoken | None = None
    """While a lost model is replaced, when that takes more than a second."""

    full: Spoken | None = None
    """To a caller for whom no line is free; on_full.say goes before it."""

    later: ClassVar[Mapping[str, str]] = {"filler": "leave it out: nothing is said while a tool runs"}


def _has_words(text: str) -> str:
    if not any(map(str.isalnum, text)):
        raise wrong(f"{text!r} holds no word, so no voice could speak it; write that an AI is speaking")
    return text


Disclosed = Annotated[Spoken, AfterValidator(_has_words)]
"""A sentence that any voice has a sound for, ours or the carrier's: silence would pass for a disclosure."""


class DisclosureBlock(Block):
    """The sentence that says an AI is speaking. It is spoken first, before any audio of the model."""

    text: Annotated[Disclosed, Field(examples=["You are speaking with an automated AI assistant."])]
    """What the caller is told, word for word, before anything of the model is heard."""

    texts: Annotated[
        Mapping[str, Disclosed],
        Field(
            examples=['{ko: "저는 인공지능 상담원입니다.", ja: "こちらはAIの自動音声です。"}'],
            json_schema_extra={"propertyNames": {"pattern": PATTERN}},
        ),
    ] = {}
    """The same by language, as BCP 47 tags: the one of the agent's own tag is spoken, else the one of its language
    without region (ko for ko-KR), else `text`."""

    interruptible: StrictBool = False
    """Whether the caller's voice may cut the disclosure off; it is then said again until it was heard whole."""

    on_failure: WayOut = "hangup"
    """What becomes of a call whose disclosure can be spoken by nobody: hangup, behind a sentence of apology, or
    {transfer: "+15550100"}. It never reaches the model."""

    later: ClassVar[Mapping[str, str]] = {"recording": "leave it out: calls are not recorded"}

    @field_validator("texts", mode="before")
    @classmethod
    def _is_by_language(cls, texts: object) -> object:
        if not isinstance(texts, Mapping):
            shown = "empty" if texts is None else "a list" if isinstance(texts, list) else "no block"
            raise wrong(f"is {shown}; write a text for each language: {{ko: …, ja: …}}")
        return texts

    @field_validator("texts")
    @classmethod
    def _has_languages_for_keys(cls, texts: Mapping[str, str]) -> Mapping[str, str]:
        by_tag: dict[str, str] = {}
        mistakes: list[tuple[Location, str]] = []
        for written, text in texts.items():
            try:
                tag = checked_language(written)
            except PydanticCustomError as error:
                mistakes.append(((written,), error.message()))
                continue
            if tag in by_tag:
                mistakes.append(((written,), f"{tag} stands here twice; leave one out"))
            by_tag[tag] = text
        if mistakes:
            raise wrong_within(mistakes)
        return by_tag

    def text_for(self, language: str) -> str:
        """Return what a caller is told in this language, a BCP 47 tag."""
        return self.texts.get(language) or self.texts.get(primary(language)) or self.text

    @property
    def transfer_on_failure(self) -> str | None:
        """The number a call is handed to whose disclosure cannot be spoken; None: it is hung up with a sentence."""
        return self.on_failure.transfer if isinstance(self.on_failure, TransferTo) else None


def _as_word(mode: object) -> object:
    return mode.value if isinstance(mode, BargeInMode) else mode


class BargeInBlock(Block):
    """When a sound of the caller is an interruption, and what becomes of the agent's words when it was none."""

    mode: Annotated[
        BargeInMode,
        choice(*(mode.value for mode in BargeInMode)),
        BeforeValidator(_as_word),
        WithJsonSchema({"type": "string", "enum": [mode.value for mode in BargeInMode]}),
    ] = BargeInMode.CONFIRMED
    """Who decides: confirmed, the service once it has heard enough speech, so that a cough only makes the agent pause;
    immediate, the model's voice detector, at once; off, nobody: what the caller says is answered after the reply."""

    min_speech_ms: Annotated[StrictInt, Field(ge=60, le=2000)] = 250
    """In `confirmed`: how much speech of the caller is an interruption."""

    resume_after_false_alarm_ms: Annotated[StrictInt, Field(ge=0, le=5000)] = 500
    """In `confirmed`: how long after a sound that was no interruption the agent goes on, at the latest."""

    dtmf: StrictBool = False
    """Whether a pressed key interrupts as well."""


class LimitsBlock(Block):
    """How long a call, and silence in it, may last. Both idle times count from the last activity:
    speech, pressed keys, audio of the agent."""

    max_call_s: Seconds = 1800.0
    """Seconds after which the agent says goodbye and hangs up."""

    idle_prompt_s: Seconds = 12.0
    """Seconds without activity after which the agent asks whether the caller is still there."""

    idle_hangup_s: Seconds = 30.0
    """Seconds without activity after which the agent says goodbye and hangs up; more than idle_prompt_s."""

    max_cost_usd: Annotated[StrictFloat, Field(gt=0, le=1000)] | None = None
    """What the model may cost in one call, in US dollars by deploy/prices.yaml; then the agent says goodbye and hangs
    up."""

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
