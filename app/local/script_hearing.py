"""The caller's turns as a script has them: where they begin and end, and what they are taken for."""

import asyncio
from collections.abc import Sequence

from app.audio.formats import PCM16_24K
from app.local.dialogue import Entry
from app.local.faculties import Ears
from app.local.hearing import Hearing, transcription_failure
from app.local.items import CallerAudio
from app.local.protocol import Emit, Wire
from app.local.script_progress import Progress
from app.local.session_settings import SessionSettings
from app.local.turns import Detector
from app.local.vad import SpeechStarted, SpeechStopped

_FAILURES = {
    "audio_unintelligible": transcription_failure("audio_unintelligible", "The audio was not understood."),
    "server_error": transcription_failure(None, "The transcription failed.", kind="server_error"),
}


class ScriptedHearing(Hearing):
    """Takes each turn for what the script says next, in any language, and listens to none."""

    def __init__(self, progress: Progress, ears: Ears, *, tasks: asyncio.TaskGroup, emit: Emit) -> None:
        super().__init__(ears, tasks=tasks, emit=emit)
        self._progress = progress
        self._group = tasks
        self._late: set[asyncio.Task[None]] = set()

    def listen_for(self, settings: SessionSettings) -> None:
        """There is nothing to learn: no audio is listened to."""

    def listen_ahead(self, pcm: bytes, settings: SessionSettings, *, entries: Sequence[Entry]) -> None:
        """There is nothing to begin with."""

    def hear(
        self,
        part: CallerAudio,
        pcm: bytes,
        settings: SessionSettings,
        *,
        entries: Sequence[Entry],
        item_id: str,
        content_index: int = 0,
    ) -> None:
        turn = self._progress.caller_turn()
        part.transcript = turn.text
        if turn.after_ms is None:
            return
        place: Wire = {"item_id": item_id, "content_index": content_index}
        failure = None if turn.text else _FAILURES[turn.failure]

        def tell() -> None:
            self._tell(place, part, failure, settings.transcription)

        if not turn.after_ms:
            tell()
            return

        async def tell_late(after_s: float) -> None:
            await asyncio.sleep(after_s)  # transcripts come late: so late does the script have this one
            tell()

        task = self._group.create_task(tell_late(turn.after_ms / 1000))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def close(self) -> None:
        super().close()
        for task in self._late:
            task.cancel()


class CuedDetector:
    """Finds turns as another detector does, and where it is told to. inner: None: only there.

    Of two that overlap the first one counts; what the other says about it is left out.
    """

    def __init__(self, inner: Detector | None) -> None:
        self._inner = inner
        self._bytes = 0
        self._padding_ms = 0
        self._cued: list[SpeechStarted | SpeechStopped] = []
        self._from_ms: int | None = None  # of the turn that was cued
        self._until_ms: int | None = None
        self._is_open = False
        self._is_overruled = False  # the inner one's turn is not ours: its end will not count

    @property
    def voiced_ms(self) -> tuple[int, int] | None:
        return self._inner.voiced_ms if self._inner and self._from_ms is None else None

    @property
    def silence_ms(self) -> int:
        return self._inner.silence_ms if self._inner and self._from_ms is None else 0

    def configure(self, *, threshold: float, prefix_padding_ms: int, silence_duration_ms: int) -> None:
        self._padding_ms = prefix_padding_ms
        if self._inner is not None:
            self._inner.configure(
                threshold=threshold, prefix_padding_ms=prefix_padding_ms, silence_duration_ms=silence_duration_ms
            )

    def start(self, *, for_ms: int | None = None) -> None:
        """Let speech begin here; it is told by the next push. Nothing happens while somebody speaks.

        for_ms: so much audio later it ends; None: when it is told to.
        """
        if not self._is_open:
            self._from_ms, self._is_open = self._now_ms, True
            self._until_ms = None if for_ms is None else self._now_ms + for_ms
            self._cued.append(SpeechStarted(max(0, self._now_ms - self._padding_ms)))

    def stop(self) -> None:
        """Let speech end here; it is told by the next push. Nothing happens while nobody speaks."""
        if self._is_open:
            voiced = self._inner.voiced_ms if self._inner and self._from_ms is None else None
            began_ms = self._from_ms if self._from_ms is not None else voiced[0] if voiced else self._now_ms
            self._is_overruled = self._is_overruled or self._from_ms is None
            self._from_ms, self._until_ms, self._is_open = None, None, False
            self._cued.append(SpeechStopped(self._now_ms, began_ms, self._now_ms))

    def push(self, pcm: bytes) -> list[SpeechStarted | SpeechStopped]:
        self._bytes += len(pcm)
        if self._until_ms is not None and self._now_ms >= self._until_ms:
            self.stop()
        edges, self._cued = self._cued, []
        for edge in self._inner.push(pcm) if self._inner is not None and pcm else ():
            match edge:
                case SpeechStarted() if self._is_open:
                    self._is_overruled = True
                case SpeechStopped() if self._is_overruled:
                    self._is_overruled = False
                case _:
                    self._is_open = isinstance(edge, SpeechStarted)
                    edges.append(edge)
        return edges

    @property
    def _now_ms(self) -> int:
        return PCM16_24K.ms_of(self._bytes)
