"""What Twilio is told to do with a call: TwiML documents, as XML texts, by Twilio's own library."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from twilio.twiml.voice_response import VoiceResponse

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0 §2.2: no escape makes these legal; Twilio would refuse the document (error 12100) and drop the call."""


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
        response.say(_NOT_IN_XML.sub(" ", sentence.text), language=sentence.language)
    return response
