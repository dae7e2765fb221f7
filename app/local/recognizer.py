"""Understands a turn: which of an agent's sentences was it, if any? Runs in the worker process, on one thread.

Two decoders hear the same features. One knows the sentences; a closed model always hears its own words, so it alone can
say nothing about whether they were spoken. The other is a free loop of phones: it tells how well anything would have
fitted. The ratio of the two log scores decides.
"""

import math
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from app.errors import VoiceAgentError
from app.local.features import features_of
from app.local.pronunciation import ON_THE_TELEPHONE

if TYPE_CHECKING:  # an extra, loaded where it is used: a platform may lack its wheel
    from pocketsphinx import Decoder

HIGHEST_RATIO = 1.7
"""Above it what was said is none of the sentences. Right ones lie at 0.96 to 1.66, foreign ones at 1.5 to 2.4."""
_DISCOUNT_MASS = 0.1  # of probability for sentences not listed; the default, one half, gives as much to word salad
_LANGUAGE_WEIGHT = 9.0
_LOOP_BEAM = 1e-20
_LOOP_WEIGHT = 2.0
_DECODERS_KEPT = 16
"""About 10 MB each; the one that was not asked for longest goes first."""
_QUIET = "FATAL"  # the library writes pages to stderr otherwise
_ALTERNATE = re.compile(r"\(\d+\)$")


@dataclass(frozen=True, slots=True)
class Heard:
    """What fitted best. ratio: its log score over that of free speech; text and ratio are None for silence."""

    text: str | None
    ratio: float | None

    @property
    def understood(self) -> str | None:
        """The text, unless free speech would have fitted too much better."""
        return self.text if self.ratio is not None and self.ratio <= HIGHEST_RATIO else None


class Recognizer:
    """Decoders by the key of their sentences. Keeps nothing of a turn: equal audio gives equal words in any order."""

    def __init__(self) -> None:
        try:
            import pocketsphinx  # an extra: there is no wheel for every platform
        except ImportError as error:
            raise VoiceAgentError(
                f"the recogniser is not installed ({error}): pip install 'dialtone[local,local-espeak]'"
            ) from error
        self._model = Path(pocketsphinx.get_model_path("en-us"))
        self._decoders: OrderedDict[str, Decoder] = OrderedDict()
        self._loop = pocketsphinx.Decoder(
            allphone=str(self._model / "en-us-phone.lm.bin"),
            lm=None,
            beam=_LOOP_BEAM,
            pbeam=_LOOP_BEAM,
            lw=_LOOP_WEIGHT,
            loglevel=_QUIET,
        )

    @cached_property
    def _dictionary(self) -> dict[str, list[str]]:
        """Pronunciations by word, 126,000 of them, 30 MB: read once for all vocabularies."""
        entries: dict[str, list[str]] = {}
        with (self._model / "cmudict-en-us.dict").open(encoding="utf-8") as lines:
            for line in lines:
                word, _, phones = line.strip().partition(" ")
                entries.setdefault(_ALTERNATE.sub("", word), []).append(phones)
        for word, sounds_like in ON_THE_TELEPHONE.items():
            entries[word] = [*entries[word], *sounds_like]
        return entries

    def is_prepared(self, key: str) -> bool:
        """Whether there is a decoder under the key."""
        return key in self._decoders

    def prepare(self, key: str, sentences: Sequence[str], pronunciations: Mapping[str, str]) -> list[str]:
        """Build and keep a decoder for the sentences; return the words whose pronunciation is unknown.

        While there are any, nothing is built. pronunciations: word → ARPAbet; they come before the dictionary's.
        """
        if key in self._decoders:
            return []
        if not sentences:
            raise VoiceAgentError("there is no sentence to listen for: give at least one")
        words = sorted({word for sentence in sentences for word in sentence.split()})
        phones = {word: self._phones(word, pronunciations) for word in words}
        if unknown := [word for word in words if not phones[word]]:
            return unknown
        self._decoders[key] = self._build(sentences, phones)
        while len(self._decoders) > _DECODERS_KEPT:
            self._decoders.popitem(last=False)
        return []

    def recognize(self, key: str, pcm: bytes) -> Heard:
        """Return what was heard of one turn, PCM16 24 kHz mono. KeyError without a decoder under the key."""
        decoder = self._decoders[key]
        self._decoders.move_to_end(key)
        features = features_of(pcm)
        best = _decode(decoder, features)
        free = _decode(self._loop, features)
        if best is None or free is None:
            return Heard(None, None)
        return Heard(best[0], best[1] / free[1])

    def _phones(self, word: str, pronunciations: Mapping[str, str]) -> list[str]:
        given = pronunciations.get(word)
        return [given] if given else self._dictionary.get(word, [])

    def _build(self, sentences: Sequence[str], phones: Mapping[str, list[str]]) -> "Decoder":
        from pocketsphinx import Decoder
        from pocketsphinx.lm import ArpaBoLM

        language = ArpaBoLM(
            text="\n".join(f"<s> {sentence} </s>" for sentence in sentences),
            add_start=False,
            discount_mass=_DISCOUNT_MASS,
        )
        language.compute()
        with TemporaryDirectory(prefix="dialtone-") as folder:
            lm, dictionary = Path(folder, "sentences.lm"), Path(folder, "words.dict")
            language.write_file(str(lm))
            dictionary.write_text("".join(_entry(word, variants) for word, variants in phones.items()), "utf-8")
            return Decoder(lm=str(lm), dict=str(dictionary), lw=_LANGUAGE_WEIGHT, loglevel=_QUIET)


def _entry(word: str, variants: Sequence[str]) -> str:
    """Return the word's lines of a dictionary: the second pronunciation is called word(2)."""
    return "".join(f"{word if n == 1 else f'{word}({n})'} {phones}\n" for n, phones in enumerate(variants, 1))


def _decode(decoder: "Decoder", features: bytes) -> tuple[str, float] | None:
    """Return the best words and their log score, or None for silence."""
    if not features:
        return None
    decoder.start_utt()
    # The library subtracts the mean within the very bytes that it is given: it gets a copy that nobody else looks at.
    own = bytes(bytearray(features))
    decoder.process_cep(own, False, True)  # not without search; the utterance is whole, so is its mean
    decoder.end_utt()
    best = decoder.hyp()
    if best is None or not best.hypstr or not 0.0 < best.score < 1.0:
        return None
    words = " ".join(_ALTERNATE.sub("", word) for word in best.hypstr.split())
    return words, math.log(best.score)
