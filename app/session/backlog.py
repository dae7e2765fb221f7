"""The caller's audio that the model has not had yet: kept while there is no model, then sent at twice real time.

Faster would confuse the model's voice detector (reference: realtime API, pitfall 24).
"""

from collections import deque


class Backlog:
    """max_bytes: what is kept at most; the oldest goes first."""

    __slots__ = ("_frames", "_max_bytes", "size_bytes")

    def __init__(self, max_bytes: int) -> None:
        self._frames: deque[bytes] = deque()
        self._max_bytes = max_bytes
        self.size_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def keep(self, frame: bytes) -> None:
        self._frames.append(frame)
        self.size_bytes += len(frame)
        while self.size_bytes > self._max_bytes:
            self.size_bytes -= len(self._frames.popleft())

    def next_two(self) -> list[bytes]:
        """Take the oldest two frames, or the one that there is."""
        frames = [self._frames.popleft() for _ in range(min(2, len(self._frames)))]
        self.size_bytes -= sum(len(frame) for frame in frames)
        return frames
