"""The voice's leg: speaks what was rendered, in the step in which it is asked."""

import asyncio

from app.session.commands import CancelSpeech, SpeakPhrase
from app.session.events import Event, SpeechAudio, SpeechEnded, SpeechFailed
from app.session.words import Phrase, PieceNumber
from app.speech.leg import SpeechLeg


def test_a_rendered_sentence_is_given_whole_and_a_missing_one_fails() -> None:
    async def scenario() -> None:
        leg = SpeechLeg({Phrase.DISCLOSURE: b"\x01\x00"})
        told: list[Event] = []
        leg.perform(SpeakPhrase(PieceNumber(9), Phrase.DISCLOSURE))  # before it runs, nobody could be told
        running = asyncio.create_task(leg.run(told.append))
        await asyncio.sleep(0)
        leg.perform(SpeakPhrase(PieceNumber(1), Phrase.DISCLOSURE))
        leg.perform(CancelSpeech(PieceNumber(1)))
        leg.perform(SpeakPhrase(PieceNumber(2), Phrase.GREETING))
        assert told == [
            SpeechAudio(PieceNumber(1), b"\x01\x00"),
            SpeechEnded(PieceNumber(1)),
            SpeechFailed(PieceNumber(2), "not_rendered"),
        ]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())
