"""WAV files, 16-bit PCM: reading a caller's words, writing what both sides heard."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.audio.resample import resample
from app.errors import VoiceAgentError


@dataclass(frozen=True, slots=True)
class Recording:
    """Sound as it lies in a file. pcm: signed 16-bit little-endian, channels interleaved."""

    rate_hz: int
    channels: int
    pcm: bytes

    @property
    def duration_ms(self) -> int:
        return len(self.pcm) // (2 * self.channels) * 1000 // self.rate_hz

    def mono(self, rate_hz: int) -> bytes:
        """Return the mean of the channels as PCM16 at the rate asked for."""
        pcm = self.pcm
        if self.channels > 1:
            frames = np.frombuffer(pcm, dtype="<i2").reshape(-1, self.channels)
            pcm = np.rint(frames.mean(axis=1)).astype("<i2").tobytes()
        return resample(pcm, self.rate_hz, rate_hz)


def read(path: Path) -> Recording:
    """Read a 16-bit PCM WAV file. Raises VoiceAgentError with what to do when it is anything else."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise VoiceAgentError(
                    f"{path}: {8 * file.getsampwidth()} bits a sample; 16-bit PCM is needed (sox IN -b 16 OUT.wav)"
                )
            return Recording(file.getframerate(), file.getnchannels(), file.readframes(file.getnframes()))
    except (wave.Error, EOFError) as error:
        reason = str(error) or "it ends too early"
        raise VoiceAgentError(f"{path}: not a PCM WAV file ({reason}); convert it: sox IN -b 16 OUT.wav") from error


def write(path: Path, recording: Recording) -> None:
    """Write a 16-bit PCM WAV file, making the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as opened, wave.open(opened, "wb") as file:  # it spoils the error of a file it opens itself
        file.setnchannels(recording.channels)
        file.setsampwidth(2)
        file.setframerate(recording.rate_hz)
        file.writeframes(recording.pcm)


def interleave(left: bytes, right: bytes) -> bytes:
    """Return two mono PCM16 channels as one stereo stream, the shorter one padded with silence."""
    size = max(len(left), len(right))
    stereo = np.zeros((size // 2, 2), dtype="<i2")
    stereo[: len(left) // 2, 0] = np.frombuffer(left, dtype="<i2")
    stereo[: len(right) // 2, 1] = np.frombuffer(right, dtype="<i2")
    return stereo.tobytes()
