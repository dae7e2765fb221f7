"""The process that speaks: `python -m app.local.voice_worker pico` or `espeak`.

Each engine has a process of its own. Pico holds the interpreter's lock for whole sentences. espeak-ng is under the
GPL-3: it is loaded here and nowhere else, with text in and samples out, and nothing of the service is linked with it.
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Protocol

from app.errors import VoiceAgentError
from app.local.loudness import shape
from app.local.pipe import Answer, Failed, Pronounce, Pronounced, Request, Speak, Spoken, serve

_INSTALL = "pip install 'dialtone[local,local-espeak]'"
_PICO_HZ = 16_000
_PICO_VOLUME = 0.5  # the default clips
_PICO_WORDS_PER_MINUTE = 170.0
_LAST_LATIN = "\u024f"
_LATIN_PUNCTUATION = "‘’“”–—…€"
_ESPEAK_SYNCHRONOUS = 2
_ESPEAK_BUFFER_MS = 60
_ESPEAK_DO_NOT_EXIT = 0x8000  # without it a bad data path calls exit()
_ESPEAK_UTF8 = 1
_ESPEAK_RATE, _ESPEAK_PITCH = 1, 3
_ESPEAK_IPA = 2
_ESPEAK_POSITION_CHARACTER = 1


class Synthesizer(Protocol):
    """One engine. Neither loves threads: a worker uses it from one alone."""

    def speak(self, text: str, voice: str, words_per_minute: int, pitch: int) -> tuple[bytes, int]:
        """Return mono PCM16 and its rate in Hz."""
        ...

    def pronounce(self, word: str) -> str:
        """Return the word's phonemes in American English, IPA."""
        ...


class Pico:
    """SVOX Pico: six smooth European voices, 16 kHz."""

    def __init__(self) -> None:
        try:
            from py_nanotts import NanoTTS  # an extra: it has no wheel for macOS
        except ImportError as error:
            raise VoiceAgentError(f"the voice Pico is not installed ({error}): {_INSTALL}") from error
        self._engine = NanoTTS()

    def speak(self, text: str, voice: str, words_per_minute: int, pitch: int) -> tuple[bytes, int]:
        latin = "".join(c for c in text if c in _LATIN_PUNCTUATION or c <= _LAST_LATIN)
        if not any(map(str.isalnum, latin)):
            return b"", _PICO_HZ  # other scripts it reads out byte by byte
        speed = words_per_minute / _PICO_WORDS_PER_MINUTE
        pcm: bytes = self._engine.speak(
            latin, voice=voice, speed=speed, pitch=2.0 ** ((pitch - 50) / 50), volume=_PICO_VOLUME
        )
        return pcm, _PICO_HZ

    def pronounce(self, word: str) -> str:
        raise VoiceAgentError(f"Pico does not tell how {word!r} is pronounced; espeak does: {_INSTALL}")


class Espeak:
    """espeak-ng: more than a hundred languages by rule, 22,050 Hz."""

    def __init__(self) -> None:
        try:
            import espeakng_loader  # an extra of its own: GPL-3, kept to this process
        except ImportError as error:
            raise VoiceAgentError(f"the voice espeak-ng is not installed ({error}): {_INSTALL}") from error
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_Synth.argtypes = [
            ctypes.c_char_p,  # text
            ctypes.c_size_t,  # its bytes with the closing zero
            ctypes.c_uint,  # position
            ctypes.c_int,  # its type
            ctypes.c_uint,  # end position, 0: none
            ctypes.c_uint,  # flags
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self._rate_hz = self._library.espeak_Initialize(
            _ESPEAK_SYNCHRONOUS, _ESPEAK_BUFFER_MS, espeakng_loader.get_data_path().encode(), _ESPEAK_DO_NOT_EXIT
        )
        if self._rate_hz <= 0:
            raise VoiceAgentError(f"espeak-ng does not start with its own data; install it anew: {_INSTALL}")
        self._samples = bytearray()
        callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = callback_type(self._collect)  # kept for ever: the library calls it long after this line
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, 2 * count)
        return 0

    def speak(self, text: str, voice: str, words_per_minute: int, pitch: int) -> tuple[bytes, int]:
        # voice, rate and pitch are the library's globals: set on every call
        self._use(voice)
        self._library.espeak_SetParameter(_ESPEAK_RATE, words_per_minute, 0)
        self._library.espeak_SetParameter(_ESPEAK_PITCH, pitch, 0)
        self._samples.clear()
        encoded = text.encode() + b"\x00"
        status = self._library.espeak_Synth(
            encoded, len(encoded), 0, _ESPEAK_POSITION_CHARACTER, 0, _ESPEAK_UTF8, None, None
        )
        if status != 0:
            raise VoiceAgentError(f"espeak-ng could not speak with the voice {voice!r} (status {status})")
        return bytes(self._samples), self._rate_hz

    def pronounce(self, word: str) -> str:
        self._use("en-us")
        rest = ctypes.c_char_p(word.encode())
        heard = []
        while rest.value:
            heard.append(self._library.espeak_TextToPhonemes(ctypes.byref(rest), _ESPEAK_UTF8, _ESPEAK_IPA) or b"")
        return b" ".join(heard).decode()

    def _use(self, voice: str) -> None:
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise VoiceAgentError(
                f"espeak-ng has no voice {voice!r}; name a language that it speaks, such as en-us or ko"
            )


def load(engine: str) -> Callable[[Request], Answer]:
    """Return what answers the requests to the engine of that name."""
    synthesizer: Synthesizer = Pico() if engine == "pico" else Espeak()

    def answer(request: Request) -> Answer:
        match request:
            case Speak(id, text, voice, words_per_minute, pitch):
                pcm, rate_hz = synthesizer.speak(text, voice, words_per_minute, pitch)
                if not pcm:
                    raise VoiceAgentError(
                        f"the voice {voice} of {engine} says nothing for {text!r}: write it in the voice's own language"
                    )
                return Spoken(id, shape(pcm, rate_hz))
            case Pronounce(id, words):
                return Pronounced(id, tuple(map(synthesizer.pronounce, words)))
            case _:
                return Failed(request.id, "a voice was asked to listen")

    return answer


if __name__ == "__main__":
    serve(lambda: load(sys.argv[1]))
