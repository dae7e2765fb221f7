"""How a word is spoken, in the recogniser's alphabet: the 39 ARPAbet phones of American English, without stress.

For words that the dictionary lacks the phonemes come from espeak-ng (IPA) and are translated here. One in ten of them
is wrong by the dictionary's word, two words in five have an error: good enough to be listened for, not to be relied on.
"""

from collections.abc import Mapping

_PHONES = {
    # vowels; those before r first, as the dictionary writes them
    "aɪɚ": "AY ER", "aɪə": "AY AH", "aʊɚ": "AW ER", "ɔːɹ": "AO R", "oːɹ": "AO R", "ɔɹ": "AO R", "ɑːɹ": "AA R",
    "ɑɹ": "AA R", "ɛɹ": "EH R", "eəɹ": "EH R", "ɪɹ": "IH R", "iːɹ": "IH R", "iɹ": "IH R", "ʊɹ": "UH R", "ʊəɹ": "UH R",
    "ɚɹ": "ER", "ɜːɹ": "ER", "ɜː": "ER", "ɜ": "ER", "ɚ": "ER", "ɝ": "ER", "əɹ": "ER",
    "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "ɔɪ": "OY", "oʊ": "OW", "əʊ": "OW", "iə": "IY AH",
    "ɑː": "AA", "ɑ": "AA", "ɒ": "AA", "a": "AA", "aː": "AA", "æ": "AE", "ʌ": "AH", "ɐ": "AH", "ə": "AH", "ɔː": "AO",
    "ɔ": "AO", "o": "OW", "oː": "OW", "ɛ": "EH", "e": "EH", "iː": "IY", "i": "IY", "ɪ": "IH", "ᵻ": "IH", "ʊ": "UH",
    "uː": "UW", "u": "UW",
    # consonants
    "tʃ": "CH", "dʒ": "JH", "n̩": "AH N", "m̩": "AH M", "l̩": "AH L", "əl": "AH L", "b": "B", "d": "D", "ð": "DH",
    "f": "F", "ɡ": "G", "g": "G", "h": "HH", "k": "K", "x": "K", "l": "L", "ɬ": "L", "m": "M", "n": "N", "ɲ": "N Y",
    "ŋ": "NG", "p": "P", "ɹ": "R", "r": "R", "s": "S", "ʃ": "SH", "ç": "SH", "t": "T", "ɾ": "T", "ʔ": "T", "θ": "TH",
    "v": "V", "w": "W", "ʍ": "W", "j": "Y", "z": "Z", "ʒ": "ZH",
}  # fmt: skip
_LONGEST = max(map(len, _PHONES))

ON_THE_TELEPHONE: Mapping[str, tuple[str, ...]] = {
    "zero": ("TH IH R OW", "DH IY R OW", "S IY R OW", "IY R OW"),
    "this": ("DH IH F",),
    "is": ("IH",),
}
"""What words sound like as well where the line ends at 3400 Hz: it takes away what tells s and z from their neighbours.
Without it "one zero" is heard as "one three oh", and "is this a robot" is not understood."""


def arpabet_of(ipa: str) -> str:
    """Return IPA as ARPAbet phones ("hɛlˈoʊ" → "HH EH L OW"), by the longest match; what is no phone is passed over.

    ipa: as espeak-ng writes American English, stress marks and all. Nothing in it gives the empty string.
    """
    phones: list[str] = []
    at = 0
    while at < len(ipa):
        for length in range(_LONGEST, 0, -1):
            if (phone := _PHONES.get(ipa[at : at + length])) is not None:
                phones.append(phone)
                at += length
                break
        else:
            at += 1  # stress, length, tie bars, spaces
    return " ".join(phones)
