"""What Twilio is told to do with a call: TwiML documents, as XML texts, by Twilio's own library."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from twilio.twiml.voice_response import VoiceResponse

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 §2.2: no escape makes these legal; Twilio would refuse the document (error 12100) and drop the call."""
_USUAL_REGIONS = {
    "ca": "ES", "da": "DK", "de": "DE", "en": "US", "es": "ES", "fi": "FI", "fr": "FR", "it": "IT", "ja": "JP",
    "ko": "KR", "nb": "NO", "nl": "NL", "pl": "PL", "pt": "BR", "ru": "RU", "sv": "SE", "zh": "CN",
}  # fmt: skip
"""For languages named without one: Twilio's voices are listed by language and region, and "ko" is none of them. A <Say>
that it cannot carry out is passed over without a word, and the stream behind it would pass for its proof."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something for Twilio's own voice. language: BCP 47."""

    text: str
    language: str


def connect(
    *, stream_url: str, parameters: Mapping[str, str], status_url: str, after_url: str, before: Sentence | None = None
) -> str:
    """Open a bidirectional stream, and ask after_url what to do when it has ended.

    parameters: for the stream's `start`; name and value together below 500 characters. before: spoken first.
    """
    response = _say(VoiceResponse(), before)
    stream = response.connect(action=after_url, method="POST").stream(
        url=stream_url, status_callback=status_url, status_callback_method="POST"
    )
    for name, value in parameters.items():
        stream.parameter(name=name, value=value)
    return str(response)


def hang_up(before: Sentence | None = None) -> str:
    """End the call. before: spoken first."""
    response = _say(VoiceResponse(), before)
    response.hangup()
    return str(response)


def dial(number: str, before: Sentence | None = None) -> str:
    """Connect the caller to somebody else; the call ends with that conversation. before: spoken first."""
    response = _say(VoiceResponse(), before)
    response.dial(number)
    return str(response)


def reject() -> str:
    """Refuse the call before it is answered, which costs nothing."""
    response = VoiceResponse()
    response.reject(reason="rejected")
    return str(response)


def _say(response: VoiceResponse, sentence: Sentence | None) -> VoiceResponse:
    if sentence is not None:
        response.say(_NOT_IN_XML.sub(" ", sentence.text), language=_locale(sentence.language))
    return response


def _locale(language: str) -> str:
    """Return a BCP 47 tag as Twilio's list of voices has it: language and region, nothing else."""
    spoken, *rest = language.split("-")
    regions = (part for part in rest if (len(part), part.isupper()) == (2, True) or (len(part) == 3 and part.isdigit()))
    region = next(regions, _USUAL_REGIONS.get(spoken))
    return f"{spoken}-{region}" if region else language
