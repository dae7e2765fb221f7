"""The caller's audio on its way to a model: what it has not had yet, and what another one would have to hear again.

While there is no model the frames wait; then they are sent at twice real time, for faster would confuse the model's
voice detector (reference: realtime API, pitfall 24), with pauses over a second shortened to one. What was sent is kept
for as long as the model has not written it down: with a model that is lost, no word of the caller's may be.
"""

from collections import deque

from app.audio.formats import AudioFormat

KEPT_MS = 10_000
"""How much is kept at most; the oldest goes first."""
PAUSE_MS = 1000
RECENT_MS = 1000
"""So much of what was sent is always kept: somebody may have begun to speak, and the model has not said so yet."""

_Frame = tuple[int, bytes, bool]
"""Where on the stream it begins, in bytes; the audio; is it silent?"""


class Backlog:
    """needed_from: from where on, in bytes of the stream, what was sent is to be kept; None: only what is recent.

    is_due: does anything wait? An attribute, for it is asked with every frame.
    late_until: up to where on the stream the audio was, or will be, sent later than it came.
    """

    __slots__ = (
        "_due",
        "_had",
        "_had_bytes",
        "_kept_bytes",
        "_next",
        "_pause_bytes",
        "_paused_bytes",
        "_places",
        "_recent_bytes",
        "_sounds",
        "is_due",
        "late_until",
        "needed_from",
        "size_bytes",
    )

    def __init__(self, audio: AudioFormat) -> None:
        self._due: deque[_Frame] = deque()
        self._had: deque[_Frame] = deque()
        self._had_bytes = 0
        self._kept_bytes = audio.bytes_of(KEPT_MS)
        self._pause_bytes = audio.bytes_of(PAUSE_MS)
        self._recent_bytes = audio.bytes_of(RECENT_MS)
        self._next = -1  # where on the stream the frame begins that comes behind the last one that was given
        self._places: deque[tuple[int, int]] = deque(maxlen=256)
        """From which byte of what was given on so many bytes more had passed on the stream: nothing given, nothing
        known. A new one begins where something was left out."""
        self._paused_bytes = 0  # of silence at the end of what is due
        self._sounds = 0  # frames that are due and not silent
        self.is_due = False
        self.size_bytes = 0
        self.needed_from: int | None = None
        self.late_until = 0

    def __bool__(self) -> bool:
        return self.is_due

    @property
    def holds_sound(self) -> bool:
        """Does anything wait that could be words?"""
        return self._sounds > 0

    @property
    def oldest(self) -> int:
        """Where on the stream begins what is kept of it; 0 when nothing is."""
        if self._had:
            return self._had[0][0]
        return self._due[0][0] if self._due else 0

    def had(self, position: int, frame: bytes, is_silent: bool) -> None:
        """The model was given this frame as it came."""
        had = self._had
        had.append((position, frame, is_silent))
        if position != self._next:
            self._leave_out(position)
        self._next = position + len(frame)
        self._had_bytes += len(frame)
        floor = position - self._recent_bytes
        if self.needed_from is not None and self.needed_from < floor:
            floor = self.needed_from
        while had[0][0] < floor or self._had_bytes > self._kept_bytes:
            self._had_bytes -= len(had.popleft()[1])

    def place_of(self, audio_bytes: int) -> int:
        """Return where on the stream, in bytes, that is which this model counts as so many bytes of its audio."""
        for given, more in reversed(self._places):
            if audio_bytes >= given:
                return audio_bytes + more
        return audio_bytes

    def keep(self, position: int, frame: bytes, *, is_silent: bool) -> None:
        """The model cannot be given this frame yet. Of a pause, what is over a second is left out."""
        size = len(frame)
        self.late_until = position + size
        self._paused_bytes = self._paused_bytes + size if is_silent else 0
        if self._paused_bytes > self._pause_bytes:
            return
        self._due.append((position, frame, is_silent))
        self.is_due = True
        self._sounds += not is_silent
        self.size_bytes += size
        while self.size_bytes > self._kept_bytes:
            self._take()

    def next_two(self) -> list[bytes]:
        """Take the oldest two frames, or the one that there is: the model is given them now."""
        frames = []
        for _ in range(min(2, len(self._due))):
            position, frame, is_silent = self._take()
            self.had(position, frame, is_silent)
            frames.append(frame)
        return frames

    def begin_again(self, position: int) -> None:
        """What was sent from there on was sent in vain: it is due once more, to another model, before what waits."""
        self._places.clear()
        self._next = -1
        frames = [frame for frame in self._had if frame[0] >= position]
        frames += self._due
        self._had.clear()
        self._had_bytes = 0
        self._due.clear()
        self.is_due = False
        self._sounds = self._paused_bytes = self.size_bytes = 0
        for at, frame, is_silent in frames:
            self.keep(at, frame, is_silent=is_silent)

    def skip_to(self, position: int) -> None:
        """What was said before there needs not be said to this model."""
        while self._due and self._due[0][0] < position:
            self._take()

    def copy_from(self, other: "Backlog", position: int) -> None:
        """Have due for this model what another one was given from there on, and what waits for that one too."""
        for at, frame, is_silent in [*other._had, *other._due]:
            if at >= position:
                self.keep(at, frame, is_silent=is_silent)

    def _leave_out(self, position: int) -> None:
        given = self._next - self._places[-1][1] if self._places else 0
        self._places.append((given, position - given))

    def _take(self) -> _Frame:
        taken = self._due.popleft()
        self.is_due = bool(self._due)
        self.size_bytes -= len(taken[1])
        self._sounds -= not taken[2]
        return taken
