"""One client's session: what it sends is obeyed or refused here, and its turns and responses are joined.

Taking in an event is one synchronous step, and what it sets off is on its way to the client when the step returns. Two
things wait, each in a task of its own: listening to a turn, and making a response, which begins by awaiting the turns
that are being listened to. All of them end with the task group that the session is given.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from app.local.conversation import Conversation
from app.local.dialogue import Entry
from app.local.faculties import Faculties
from app.local.generation import Generation
from app.local.hearing import Hearing
from app.local.items import CallerAudio, Item, Message, ToolOutput, decode_audio, item_from_wire
from app.local.protocol import Emit, Wire, checked, client_event_id, decode, error_event, new_id
from app.local.responses import Response
from app.local.session_settings import SessionSettings
from app.local.shapes import RequestError
from app.local.turns import IdleTimedOut, InputAudioBuffer, TurnBegan, TurnEnded, TurnPaused


class RealtimeSession:
    """Speaks the server's side of the protocol with one client.

    expires_at: Unix seconds, told to the client; who holds the socket keeps to it. emit: takes each event for the
    client. tasks: what listening and answering run in; `close` ends them.
    """

    def __init__(
        self, model: str, faculties: Faculties, *, expires_at: int, emit: Emit, tasks: asyncio.TaskGroup
    ) -> None:
        self._id = new_id("sess")
        self._expires_at = expires_at
        self._settings = SessionSettings(model)
        self._emit: Emit = lambda event: emit({"event_id": new_id("event"), **event})
        self._conversation = Conversation()
        self._input = InputAudioBuffer(faculties.new_detector)
        self._tasks = tasks
        self._hearing = self._new_hearing(faculties)
        self._generation = self._new_generation(faculties)
        self._turn_waits = False
        """A turn ended while a response was being made that it could not interrupt."""
        self._obey: dict[str, Callable[[Wire], None]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
            "output_audio_buffer.clear": self._clear_output,
        }
        self._input.configure(self._settings.input_format, self._settings.turn_detection)

    def open(self) -> None:
        """Greet the client with the session as it is before any update."""
        self._emit({"type": "session.created", "session": self._wire()})

    def receive(self, message: str | bytes) -> None:
        """Take in one message of the client; what is wrong with it is answered with an `error` event."""
        event_id: str | None = None
        try:
            event = decode(message)
            event_id = client_event_id(event)
            kind, fields = checked(event)
            self._obey[kind](fields)
        except RequestError as refusal:
            self._emit(error_event(refusal, event_id))

    def tell_error(self, code: str, message: str) -> None:
        """Tell the client of an error that no event of its own caused."""
        self._emit(error_event(RequestError(code, message), None))

    def close(self) -> None:
        """End all that is under way, without a word."""
        self._generation.close()
        self._hearing.close()

    def _new_hearing(self, faculties: Faculties) -> Hearing:
        return Hearing(faculties.ears, tasks=self._tasks, emit=self._emit)

    def _new_generation(self, faculties: Faculties) -> Generation:
        return Generation(
            faculties,
            self._conversation,
            self._hearing,
            tasks=self._tasks,
            emit=self._emit,
            ended=self._response_ended,
        )

    def _wire(self) -> Wire:
        named: Wire = {"id": self._id, "object": "realtime.session", "expires_at": self._expires_at}
        return {**self._settings.wire(), **named}

    def _entries(self) -> list[Entry]:
        return [entry for item in self._conversation.items for entry in item.entries()]

    # The session and the caller's audio

    def _update(self, fields: Wire) -> None:
        self._settings = self._settings.updated(fields["session"], voice_is_fixed=self._generation.has_spoken)
        self._input.configure(self._settings.input_format, self._settings.turn_detection)
        self._hearing.listen_for(self._settings)
        self._emit({"type": "session.updated", "session": self._wire()})

    def _append(self, fields: Wire) -> None:
        self._take_in(decode_audio(str(fields["audio"]), "audio"))

    def _take_in(self, audio: bytes) -> None:
        for happened in self._input.append(audio, agent_is_responding=self._generation.active is not None):
            match happened:
                case TurnBegan():
                    self._turn_began(happened)
                case TurnPaused(pcm):
                    self._hearing.listen_ahead(pcm, self._settings, entries=self._entries())
                case TurnEnded():
                    stopped: Wire = {"audio_end_ms": happened.audio_end_ms, "item_id": happened.item_id}
                    self._emit({"type": "input_audio_buffer.speech_stopped", **stopped})
                    self._commit_turn(happened.item_id, happened.duration_ms, happened.pcm)
                    self._answer_turn()
                case IdleTimedOut():
                    self._idle_timed_out(happened)

    def _turn_began(self, turn: TurnBegan) -> None:
        started: Wire = {"audio_start_ms": turn.audio_start_ms, "item_id": turn.item_id}
        self._emit({"type": "input_audio_buffer.speech_started", **started})
        detection = self._settings.turn_detection
        if detection is not None and detection.interrupt_response:
            self._generation.interrupt()

    def _idle_timed_out(self, silence: IdleTimedOut) -> None:
        self._emit(
            {
                "type": "input_audio_buffer.timeout_triggered",
                "audio_start_ms": silence.audio_start_ms,
                "audio_end_ms": silence.audio_end_ms,
                "item_id": silence.item_id,
            }
        )
        duration_ms = silence.audio_end_ms - silence.audio_start_ms
        self._commit_turn(silence.item_id, duration_ms, silence.pcm, is_silence=True)
        self._answer_turn()

    def _commit_turn(self, item_id: str, duration_ms: int, pcm: bytes, *, is_silence: bool = False) -> None:
        part = CallerAudio(duration_ms, is_silence=is_silence)
        item = Message(item_id, "user", [part])
        entries = self._entries()
        previous = self._conversation.add(item)
        self._emit({"type": "input_audio_buffer.committed", "item_id": item_id, "previous_item_id": previous})
        self._announce(item, previous)
        self._hearing.hear(part, pcm, self._settings, entries=entries, item_id=item_id)

    def _answer_turn(self) -> None:
        detection = self._settings.turn_detection
        if detection is None or not detection.create_response:
            return
        if self._generation.active is None:
            self._generation.create(self._settings, {})
        else:
            self._turn_waits = True

    def _response_ended(self, response: Response) -> None:
        if response.is_out_of_band:
            return
        self._input.agent_finished(response.audio_ms)
        if self._turn_waits:
            self._turn_waits = False
            self._answer_turn()

    def _commit(self, fields: Wire) -> None:
        turn = self._input.commit()
        self._commit_turn(turn.item_id, turn.duration_ms, turn.pcm)

    def _clear(self, fields: Wire) -> None:
        self._input.clear()
        self._emit({"type": "input_audio_buffer.cleared"})

    # The conversation

    def _announce(self, item: Item, previous: str | None) -> None:
        for stage in ("added", "done"):
            self._emit({"type": f"conversation.item.{stage}", "previous_item_id": previous, "item": item.wire()})

    def _create_item(self, fields: Wire) -> None:
        item, unheard = item_from_wire(cast(Wire, fields["item"]), self._settings.input_format)
        if isinstance(item, ToolOutput) and not self._conversation.has_tool_call(item.call_id):
            raise RequestError(
                "invalid_value", f"Tool call id '{item.call_id}' not found in conversation.", "item.call_id"
            )
        entries = self._entries()
        previous = self._conversation.add(item, cast("str | None", fields.get("previous_item_id")))
        self._announce(item, previous)
        for one in unheard:
            self._hearing.hear(
                one.part, one.pcm, self._settings, entries=entries, item_id=item.id, content_index=one.content_index
            )

    def _retrieve_item(self, fields: Wire) -> None:
        item = self._conversation.retrieve(str(fields["item_id"]))
        self._emit({"type": "conversation.item.retrieved", "item": item.wire()})

    def _truncate_item(self, fields: Wire) -> None:
        place: Wire = {key: fields[key] for key in ("item_id", "content_index", "audio_end_ms")}
        self._conversation.truncate(
            str(fields["item_id"]), cast(int, fields["content_index"]), cast(int, fields["audio_end_ms"])
        )
        self._emit({"type": "conversation.item.truncated", **place})

    def _delete_item(self, fields: Wire) -> None:
        self._conversation.delete(str(fields["item_id"]))
        self._emit({"type": "conversation.item.deleted", "item_id": fields["item_id"]})

    # Responses

    def _create_response(self, fields: Wire) -> None:
        overrides = cast(Wire, fields.get("response", {}))
        given = self._given(cast(list[Wire], overrides["input"])) if "input" in overrides else None
        self._generation.create(self._settings, overrides, given)

    def _given(self, wires: list[Wire]) -> list[Item]:
        """Return the items of a response's `input`; a reference stands for the item of the conversation."""
        items: list[Item] = []
        for wire in wires:
            if wire["type"] == "item_reference":
                items.append(self._conversation.retrieve(str(wire["id"])))
            else:
                item, unheard = item_from_wire(wire, self._settings.input_format)
                items.append(item)
                if unheard:
                    raise RequestError(
                        "invalid_value",
                        "Audio in a response's input is not supported: create an item of it first and refer to that.",
                        "response.input",
                    )
        return items

    def _cancel_response(self, fields: Wire) -> None:
        self._generation.cancel(cast("str | None", fields.get("response_id")))

    def _clear_output(self, fields: Wire) -> None:
        raise RequestError(
            "invalid_value", "output_audio_buffer.clear is for WebRTC and SIP: clear what you play yourself.", "type"
        )
