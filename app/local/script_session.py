"""One client's session with a scripted model: the embedded model's own, but for what the script says."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from app.local.faculties import Faculties
from app.local.generation import Generation
from app.local.hearing import Hearing
from app.local.items import AgentAudio, Message
from app.local.protocol import Emit, Wire
from app.local.realtime_session import RealtimeSession
from app.local.script_delivery import Sounds
from app.local.script_faults import FaultClass
from app.local.script_generation import ScriptedGeneration
from app.local.script_hearing import CuedDetector, ScriptedHearing
from app.local.script_progress import Stage
from app.local.script_steps import OPENING, CallerSpeaks, Close, Cue, Mute, Refusal, SendError, SendEvent, Speech, Vad
from app.local.shapes import RequestError
from app.local.turns import Detector

_UNKNOWN_EVENT: Wire = {"type": "response.scripted_unknown_event", "note": "Clients pass over what they do not know."}


class ScriptedSession(RealtimeSession):
    """leave: ends the connection behind all events so far."""

    def __init__(
        self,
        model: str,
        faculties: Faculties,
        stage: Stage,
        *,
        expires_at: int,
        emit: Emit,
        leave: Callable[[Close], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._script = stage.script
        self._progress = stage.progress()
        self._new_inner_detector = faculties.new_detector if self._script.vad is Vad.AUDIO else None
        self._detector = CuedDetector(None)
        self._send = emit
        self._leave = leave
        self._is_mute = False
        self._behind: list[Callable[[], None]] = []
        """What is done when the client's event has been answered."""
        super().__init__(
            model,
            replace(faculties, new_detector=self._new_detector),
            expires_at=expires_at,
            emit=self._emit_awkwardly,
            tasks=tasks,
        )
        for event in {refusal.event for refusal in self._script.refuse} - {OPENING}:
            self._obey[event] = self._refusing(event, self._obey[event])

    def open(self) -> None:
        refusal = self._progress.refusal_of(OPENING)
        if refusal is not None:
            self.perform(SendError(refusal.fault))
            return
        super().open()
        self._catch_up()

    def receive(self, message: str | bytes) -> None:
        super().receive(message)
        behind, self._behind = self._behind, []
        for deed in behind:
            deed()

    def perform(self, cue: Cue) -> None:
        """Let something happen now that no event of the client calls for."""
        match cue:
            case Speech.STARTED:
                self._detector.start()
                self._take_in(b"")
            case Speech.STOPPED:
                self._detector.stop()
                self._take_in(b"")
            case CallerSpeaks(ms):
                self._detector.start(for_ms=ms)
                self._take_in(b"")
            case SendError(fault):
                self._emit(fault.wire())
                if fault.close_code is not None:
                    self._leave(_close_after(fault.fault_class, fault.code, fault.message, fault.close_code))
            case SendEvent(event):
                self._emit(dict(event))
            case Close():
                self._leave(cue)
            case Mute():
                self._is_mute = True

    def _new_detector(self) -> Detector:
        self._detector = CuedDetector(self._new_inner_detector() if self._new_inner_detector else None)
        return self._detector

    def _new_hearing(self, faculties: Faculties) -> Hearing:
        if self._script.caller is None:
            return super()._new_hearing(faculties)
        return ScriptedHearing(self._progress, faculties.ears, tasks=self._tasks, emit=self._emit)

    def _new_generation(self, faculties: Faculties) -> Generation:
        return ScriptedGeneration(
            self._progress,
            Sounds(faculties.mouth, self._script.language),
            self.perform,
            faculties,
            self._conversation,
            self._hearing,
            tasks=self._tasks,
            emit=self._emit,
            ended=self._response_ended,
        )

    def _append(self, fields: Wire) -> None:
        super()._append(fields)
        self._catch_up()

    def _catch_up(self) -> None:
        for cue in self._progress.due(self._input.position_ms):
            self.perform(cue)

    def _emit_awkwardly(self, event: Wire) -> None:
        if self._is_mute:
            return
        awkward = self._script.awkward
        if awkward.obfuscation and str(event["type"]).endswith(".delta"):
            event = {**event, "obfuscation": "x7Fq2L"}
        if awkward.null_previous_item_id and "previous_item_id" in event:
            event = {**event, "previous_item_id": None}
        self._send(event)
        if awkward.unknown_events and event["type"] == "response.created":
            self._send({"event_id": f"{event['event_id']}_unknown", **_UNKNOWN_EVENT})

    def _refusing(self, event: str, obey: Callable[[Wire], None]) -> Callable[[Wire], None]:
        def refuse_or_obey(fields: Wire) -> None:
            refusal = self._progress.refusal_of(event)
            if refusal is None:
                obey(fields)
            else:
                self._refuse(refusal, fields)

        return refuse_or_obey

    def _refuse(self, refusal: Refusal, fields: Wire) -> None:
        fault = refusal.fault
        length_ms = self._length_ms(fields)
        asked_ms = fields.get("audio_end_ms")
        told_ms = length_ms
        if isinstance(asked_ms, int) and length_ms >= asked_ms:
            told_ms = max(0, asked_ms - 1)  # the refusal is a lie, but it could be true
        if refusal.then_truncates:
            self._behind.append(lambda: self._truncate_at_end(fields, length_ms))
        if fault.close_code is not None:
            close = _close_after(fault.fault_class, fault.code, fault.message, fault.close_code)
            self._behind.append(lambda: self._leave(close))
        message = fault.worded({**fields, "duration_ms": told_ms})
        raise RequestError(fault.code, message, fault.param, answers=fault.names_event, kind=fault.kind)

    def _length_ms(self, fields: Wire) -> int:
        """Return how long the agent's audio is in the item that an event is about; 0: there is none."""
        item = self._conversation.find(str(fields.get("item_id")))
        parts = item.parts if isinstance(item, Message) else []
        return next((part.duration_ms for part in parts if isinstance(part, AgentAudio)), 0)

    def _truncate_at_end(self, fields: Wire, length_ms: int) -> None:
        asked_ms = fields["audio_end_ms"]
        assert isinstance(asked_ms, int)
        if length_ms:
            self._truncate_item({**fields, "audio_end_ms": min(asked_ms, length_ms)})


def _close_after(fault_class: FaultClass, code: str | None, message: str, close_code: int) -> Close:
    """Return the close that follows an error, with the reason that the vendor gives it."""
    reason = message if code == "session_expired" else f"invalid_request_error.{code}"
    return Close(close_code, reason if fault_class is not FaultClass.TRANSIENT else "")
