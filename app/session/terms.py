"""What a call's session is told beforehand: the agent's rules, in plain values."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.audio.formats import AudioFormat
from app.session.cost import FREE, Price
from app.session.words import BargeInMode, Phrase


@dataclass(frozen=True, slots=True)
class ModelTerms:
    """The rules of one of the models that a call may speak with.

    session_limit_s: how long its provider lets a session last; None: not known. reconnects: whether a session that was
    lost within the call may be opened again with it. price: what it costs; None: not known. transcribes: whether it
    gives the caller's words.
    """

    session_limit_s: float | None = None
    reconnects: bool = True
    price: Price | None = FREE
    transcribes: bool = True


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of one call.

    audio: how the audio of model, voice and caller is written inside this call.
    phrases: the words of each fixed sentence that can be spoken; one that is missing is left out.
    transfer_undisclosed: where a call goes whose disclosure could not be spoken; None: it is hung up with a sentence.
    models: the agent's own, then the fallbacks in their order. transfer_unserved: where a call goes whose model is lost
    for good; None: it is hung up with a sentence.
    barge_in, min_speech_ms, resume_after_ms: who decides that the caller interrupts, from how much speech on, and how
    long after a sound that was no interruption the agent goes on. digits_interrupt: so does a pressed key.
    """

    audio: AudioFormat
    phrases: Mapping[Phrase, str]
    disclosure_interruptible: bool = False
    transfer_undisclosed: str | None = None
    models: tuple[ModelTerms, ...] = (ModelTerms(),)
    transfer_unserved: str | None = None
    barge_in: BargeInMode = BargeInMode.CONFIRMED
    min_speech_ms: int = 250
    resume_after_ms: int = 500
    digits_interrupt: bool = False
    max_call_s: float = 1800.0
    max_cost_usd: float | None = None
    idle_prompt_s: float = 12.0
    idle_hangup_s: float = 30.0
