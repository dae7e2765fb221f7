"""The embedded model's ears and mouth, as the rest of the service uses them. The speech libraries run in processes of
their own, started on first need; nothing of them is loaded here."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from importlib.util import find_spec
from typing import TypeVar

from app.audio.formats import PCM16_24K
from app.errors import InvariantError, VoiceAgentError
from app.local import pipe
from app.local.pronunciation import arpabet_of
from app.local.vocabulary import Vocabulary
from app.local.voice import Engine, Voice, agent_voice, has_voice, is_installed, sentences
from app.local.worker import Worker, WorkerLost

_INSTALL = "pip install 'dialtone[local,local-espeak]'"
_PAUSE_BETWEEN_SENTENCES_MS = 150
"""Beside what the sentences' own trimmed edges leave: a quarter of a second in all."""

T = TypeVar("T")


class Mouth:
    """Speaks. Pico has one worker process and espeak-ng, for its licence, another; each starts when first needed."""

    def __init__(self) -> None:
        self._workers: dict[Engine, Worker] = {
            "pico": Worker("app.local.voice_worker", "pico"),
            "espeak": Worker("app.local.voice_worker", "espeak"),
        }

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the workers that run now."""
        return tuple(worker.process_id for worker in self._workers.values() if worker.process_id is not None)

    def speaks(self, language: str) -> bool:
        """Whether a voice for this language (BCP 47) is installed here."""
        return has_voice(agent_voice(language))

    async def speak(self, text: str, voice: Voice) -> bytes:
        """Return the whole text spoken: PCM16 24 kHz mono, -20 dBFS while speaking, peaks below -3 dBFS.

        Emoji, markup and the like are left out; a text without a letter or a digit gives nothing. Numbers are read as
        the engine likes: spell them out before. Raises VoiceAgentError when the voice is not installed or does not know
        the text's script.
        """
        async with aclosing(self.stream(text, voice)) as pieces:
            return b"".join([piece async for piece in pieces])

    async def stream(self, text: str, voice: Voice) -> AsyncGenerator[bytes, None]:
        """Give what `speak` returns by sentences, each made when it is asked for; closing it cancels the rest."""
        self._require(voice.engine)
        pause = b""
        for sentence in sentences(text):
            spoken = await self._say(sentence, voice)
            yield pause + spoken
            pause = PCM16_24K.silence * (PCM16_24K.bytes_of(_PAUSE_BETWEEN_SENTENCES_MS) // PCM16_24K.sample_bytes)

    async def phonemes(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return the words' phonemes in American English, IPA, in order. Raises VoiceAgentError without espeak-ng."""
        self._require("espeak")
        worker = self._workers["espeak"]
        match await _twice(lambda: worker.ask(lambda id: pipe.Pronounce(id, tuple(words)))):
            case pipe.Pronounced(_, phonemes):
                return phonemes
            case answer:
                raise _unexpected(answer)

    async def close(self) -> None:
        """End the worker processes."""
        for worker in self._workers.values():
            await worker.close()

    async def _say(self, sentence: str, voice: Voice) -> bytes:
        def request(id: int) -> pipe.Speak:
            return pipe.Speak(id, sentence, voice.name, voice.words_per_minute, voice.pitch)

        match await _twice(lambda: self._workers[voice.engine].ask(request)):
            case pipe.Spoken(_, pcm):
                return pcm
            case answer:
                raise _unexpected(answer)

    def _require(self, engine: Engine) -> None:
        if not is_installed(engine):
            name = "Pico" if engine == "pico" else "espeak-ng"
            raise VoiceAgentError(f"the voice {name} is not installed: {_INSTALL}")


class Ears:
    """Hears a small English vocabulary. The recogniser is one worker process with a decoder for each vocabulary."""

    def __init__(self, mouth: Mouth | None = None) -> None:
        """mouth: whose espeak-ng, if installed, tells how words are pronounced that the dictionary lacks."""
        self._mouth = mouth
        self._worker = Worker("app.local.ears_worker")

    @property
    def available(self) -> bool:
        """Whether the recogniser is installed here."""
        return find_spec("pocketsphinx") is not None

    @property
    def reason(self) -> str | None:
        """Why there are no ears; None when there are."""
        if self.available:
            return None
        return (
            "the recogniser is not installed, so callers can press keys but are not heard: "
            f"{_INSTALL} on Python 3.11 to 3.13; elsewhere its source builds with a C compiler"
        )

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the worker, if it runs now."""
        return () if self._worker.process_id is None else (self._worker.process_id,)

    async def start(self) -> None:
        """Start the worker process, so that the first turn need not wait. Raises VoiceAgentError if not `available`."""
        self._require()
        await self._worker.start()

    async def prepare(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        """Build the decoder for this vocabulary, unless there is one. Takes 0.1 s and 10 MB of the worker.

        Returns the words whose pronunciation nobody knows: the sentences with them are not listened for. Give
        `pronunciations` for them, or install espeak-ng. Raises VoiceAgentError when no sentence is left.
        """
        self._require()
        pronunciations = dict(vocabulary.pronunciations)
        unknown = await self._prepare(vocabulary.key, vocabulary.sentences, pronunciations)
        if not unknown:
            return ()
        guessed = await self._guess(unknown)
        without = tuple(word for word in unknown if word not in guessed)
        known = tuple(s for s in vocabulary.sentences if not set(s.split()) & set(without))
        if not known:
            raise VoiceAgentError(
                f"no sentence can be listened for: the pronunciation of {', '.join(without)} is unknown"
            )
        await self._prepare(vocabulary.key, known, pronunciations | guessed)
        return without

    async def recognize(self, pcm: bytes, vocabulary: Vocabulary) -> str | None:
        """Return the words of one turn, lower case, or None when it was not understood.

        pcm: PCM16 24 kHz mono, from 300 ms before the speech to 200 ms after it. None means that free speech would have
        fitted far better than any sentence of the vocabulary. Takes about a tenth of the turn's length.
        """
        self._require()
        for _ in range(2):
            answer = await _twice(lambda: self._worker.ask(lambda id: pipe.Recognize(id, vocabulary.key, pcm)))
            match answer:
                case pipe.Recognized(_, text):
                    return text
                case pipe.Unprepared():
                    await self.prepare(vocabulary)
                case _:
                    raise _unexpected(answer)
        raise VoiceAgentError("the recogniser forgot its vocabulary twice: too many agents are in use at once")

    async def close(self) -> None:
        """End the worker process."""
        await self._worker.close()

    async def _prepare(self, key: str, listed: tuple[str, ...], pronunciations: dict[str, str]) -> tuple[str, ...]:
        match await _twice(lambda: self._worker.ask(lambda id: pipe.Prepare(id, key, listed, pronunciations))):
            case pipe.Prepared(_, unknown):
                return unknown
            case answer:
                raise _unexpected(answer)

    async def _guess(self, words: tuple[str, ...]) -> dict[str, str]:
        if self._mouth is None or not is_installed("espeak"):
            return {}
        spoken = zip(words, await self._mouth.phonemes(words), strict=True)
        return {word: phones for word, ipa in spoken if (phones := arpabet_of(ipa))}

    def _require(self) -> None:
        if self.reason is not None:
            raise VoiceAgentError(self.reason)


async def _twice(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again, of a new process, when the first died over the request."""
    try:
        return await ask()
    except WorkerLost:
        return await ask()


def _unexpected(answer: pipe.Answer) -> InvariantError:
    return InvariantError(f"a speech worker answered with {type(answer).__name__}")
