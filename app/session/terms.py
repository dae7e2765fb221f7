"""What a call's session is told beforehand: the agent's rules, in plain values."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.audio.formats import AudioFormat
from app.session.words import Phrase


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules of one call.

    audio: how the audio of model, voice and caller is written inside this call.
    phrases: the words of each fixed sentence that can be spoken; one that is missing is left out.
    """

    audio: AudioFormat
    phrases: Mapping[Phrase, str]
    disclosure_interruptible: bool = False
    max_call_s: float = 1800.0
    idle_prompt_s: float = 12.0
    idle_hangup_s: float = 30.0
