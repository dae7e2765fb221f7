"""What the service and its speech workers say to each other: length-prefixed msgpack over stdin and stdout.

A worker answers requests one by one, in order, and leaves when its stdin ends: so it cannot outlive a parent that was
killed. The libraries behind it hold the interpreter's lock for whole sentences or are under another licence, which is
why they live in processes of their own.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

import msgspec

from app.errors import VoiceAgentError

PREFIX_BYTES = 4


class Speak(msgspec.Struct, frozen=True, tag=True):
    """Say one piece of text, at most a sentence. Answer: Spoken."""

    id: int
    text: str
    voice: str
    words_per_minute: int
    pitch: int


class Pronounce(msgspec.Struct, frozen=True, tag=True):
    """Tell the phonemes of words. Answer: Pronounced."""

    id: int
    words: tuple[str, ...]


class Prepare(msgspec.Struct, frozen=True, tag=True):
    """Build a decoder for these sentences and keep it under the key. Answer: Prepared."""

    id: int
    key: str
    sentences: tuple[str, ...]
    pronunciations: dict[str, str]


class Recognize(msgspec.Struct, frozen=True, tag=True):
    """Understand one turn, PCM16 24 kHz, by the decoder of that key. Answer: Recognized."""

    id: int
    key: str
    pcm: bytes


Request = Speak | Pronounce | Prepare | Recognize


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The worker has loaded its libraries: its first word."""

    id: int = 0


class Spoken(msgspec.Struct, frozen=True, tag=True):
    """pcm: PCM16 24 kHz mono."""

    id: int
    pcm: bytes


class Pronounced(msgspec.Struct, frozen=True, tag=True):
    """phonemes: IPA, in the order of the words."""

    id: int
    phonemes: tuple[str, ...]


class Prepared(msgspec.Struct, frozen=True, tag=True):
    """unknown: words without a pronunciation; while there are any, no decoder was built."""

    id: int
    unknown: tuple[str, ...]


class Recognized(msgspec.Struct, frozen=True, tag=True):
    """text: None when nothing was understood; ratio: how much worse than free speech it fitted, None for silence."""

    id: int
    text: str | None
    ratio: float | None


class Unprepared(msgspec.Struct, frozen=True, tag=True):
    """There is no decoder under the key, or no longer: prepare and ask again."""

    id: int


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The request could not be answered; the reason is for whoever made it. Id 0: the worker cannot start."""

    id: int
    reason: str


Answer = Ready | Spoken | Pronounced | Prepared | Recognized | Unprepared | Failed

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def encode(message: Request | Answer) -> bytes:
    """Return the message as it goes through the pipe, its length in front."""
    payload = _encoder.encode(message)
    return len(payload).to_bytes(PREFIX_BYTES, "big") + payload


def length_of(prefix: bytes) -> int:
    """Return how many bytes follow the prefix."""
    return int.from_bytes(prefix, "big")


def decode_answer(payload: bytes) -> Answer:
    """Return the worker's word. Raises msgspec.DecodeError, whose cause is always a bug of ours."""
    return _answers.decode(payload)


def serve(load: Callable[[], Callable[[Request], Answer]]) -> None:
    """Run a worker: load its libraries, say so, and answer requests until the parent is gone.

    load: returns the function that answers; a VoiceAgentError of either is told to the parent. Anything else ends the
    process with a traceback on stderr, which the parent reports.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent closes us in its own time
    answers = _private_stdout()
    try:
        answer = load()
    except VoiceAgentError as error:
        _send(answers, Failed(0, str(error)))
        return
    try:
        _send(answers, Ready())
        while (payload := _receive(sys.stdin.buffer)) is not None:
            request = _requests.decode(payload)
            try:
                reply = answer(request)
            except VoiceAgentError as error:
                reply = Failed(request.id, str(error))
            _send(answers, reply)
    except BrokenPipeError:
        return  # the parent left while we were busy


def _private_stdout() -> BinaryIO:
    """Keep stdout for answers and send whatever a library prints to stderr, where it cannot break a message."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _send(answers: BinaryIO, answer: Answer) -> None:
    rest = memoryview(encode(answer))
    while rest:
        rest = rest[answers.write(rest) :]


def _receive(requests: BinaryIO) -> bytes | None:
    prefix = requests.read(PREFIX_BYTES)
    if len(prefix) < PREFIX_BYTES:
        return None
    payload = requests.read(length_of(prefix))
    return payload if len(payload) == length_of(prefix) else None
