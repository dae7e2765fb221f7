"""The voice's leg: speaks what was rendered in the step in which it is asked, and what a model writes in order."""

import asyncio

from app.audio.formats import PCM16_24K, ULAW_8K
from app.errors import VoiceAgentError
from app.session.commands import CancelSpeech, Speak, SpeakPhrase
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


class Voice:
    """Speaks a text when it is let, in the order of asking."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._spoken: asyncio.Queue[bytes | VoiceAgentError] = asyncio.Queue()

    async def speak(self, text: str) -> bytes:
        self.asked.append(text)
        spoken = await self._spoken.get()
        if isinstance(spoken, VoiceAgentError):
            raise spoken
        return spoken

    def give(self, spoken: bytes | VoiceAgentError) -> None:
        self._spoken.put_nowait(spoken)


def test_written_sentences_are_spoken_one_behind_the_other_and_a_cancelled_one_not_at_all() -> None:
    async def scenario() -> None:
        voice = Voice()
        leg = SpeechLeg({}, voice.speak)
        told: asyncio.Queue[Event] = asyncio.Queue()
        running = asyncio.create_task(leg.run(told.put_nowait))
        await asyncio.sleep(0)
        for number, text in enumerate(("One.", "Two.", "Three.", "Four."), 1):
            leg.perform(Speak(PieceNumber(number), text))
        voice.give(b"\x01\x00")
        assert await told.get() == SpeechAudio(PieceNumber(1), b"\x01\x00")
        assert await told.get() == SpeechEnded(PieceNumber(1))
        while len(voice.asked) < 2:  # noqa: ASYNC110 - a step or two
            await asyncio.sleep(0)
        leg.perform(CancelSpeech(PieceNumber(2)))  # is being spoken, and nobody waits for it
        leg.perform(CancelSpeech(PieceNumber(3)))
        voice.give(VoiceAgentError("hoarse"))
        assert await told.get() == SpeechFailed(PieceNumber(4), "not_spoken")
        assert voice.asked == ["One.", "Two.", "Four."]
        leg.perform(Speak(PieceNumber(5), "Five."))
        voice.give(b"\x05\x00")
        assert await told.get() == SpeechAudio(PieceNumber(5), b"\x05\x00")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())


def test_a_written_sentence_is_given_in_the_calls_format() -> None:
    async def scenario() -> None:
        voice = Voice()
        leg = SpeechLeg({}, voice.speak, ULAW_8K)
        told: asyncio.Queue[Event] = asyncio.Queue()
        running = asyncio.create_task(leg.run(told.put_nowait))
        await asyncio.sleep(0)
        leg.perform(Speak(PieceNumber(1), "One."))
        voice.give(bytes(PCM16_24K.bytes_of(100)))
        spoken = await told.get()
        assert isinstance(spoken, SpeechAudio)
        assert spoken.audio == b"\xff" * ULAW_8K.bytes_of(100)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())


def test_without_a_voice_a_sentence_fails() -> None:
    async def scenario() -> None:
        leg = SpeechLeg({})
        told: asyncio.Queue[Event] = asyncio.Queue()
        running = asyncio.create_task(leg.run(told.put_nowait))
        await asyncio.sleep(0)
        leg.perform(Speak(PieceNumber(1), "One."))
        assert await told.get() == SpeechFailed(PieceNumber(1), "no_voice")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())
