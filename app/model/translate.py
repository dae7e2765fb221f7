"""The agent's leg in words: the model's events become the session's, the session's commands become client events.

Pure: no socket, no clock. The little it remembers ends with the item or the request it is about.
"""

from collections.abc import Mapping
from typing import assert_never

from app.model import messages, refusals, setup
from app.model.messages import ServerMessage
from app.model.setup import ModelSetup
from app.session.commands import (
    AddAgentText,
    AddCallerText,
    AddCue,
    AnswerToolCall,
    CancelResponse,
    DeleteItem,
    RequestResponse,
    SetTurnHandling,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTranscriptFailed,
    CallerTurnCommitted,
    Event,
    ItemTaken,
    RequestRefused,
    ResponseEnded,
    ResponseStarted,
    ToolCallRequested,
    TranscriptionBilled,
    TurnHandlingSet,
)
from app.session.words import ItemId, ModelNumber, Request, ResponseId, ResponseStatus, ToolCallId

WordedCommand = (
    SetTurnHandling
    | RequestResponse
    | CancelResponse
    | TruncateItem
    | DeleteItem
    | AddCallerText
    | AddAgentText
    | AddCue
    | AnswerToolCall
)
"""The commands that are client events; but for audio, which `messages.encode_append` words."""


class Translator:
    """Translates for one session with the model, number `model`, once its settings are confirmed."""

    __slots__ = ("_count", "_model", "_odd_bytes", "_sample_bytes", "_settings_open", "_setup", "_untaken")

    def __init__(self, model: ModelNumber, model_setup: ModelSetup) -> None:
        self._model = model
        self._setup = model_setup
        self._sample_bytes = model_setup.audio_format.sample_bytes
        self._count = 0
        self._settings_open = 0
        """How many SetTurnHandling the model has not answered yet."""
        self._untaken: set[ItemId] = set()
        """Items that we added and that the model has not shown yet."""
        self._odd_bytes: dict[tuple[str, int], bytes] = {}
        """By item and content: half a sample that waits for the delta with its other half."""

    # --- commands -----------------------------------------------------------------------------------------------------

    def setup_message(self) -> bytes:
        """Return the session.update that a session begins with."""
        return self._request(Request.SETTINGS, type="session.update", session=setup.session_settings(self._setup))

    def message(self, command: WordedCommand) -> bytes:
        """Return the client event that a command is on the wire."""
        match command:
            case SetTurnHandling():
                self._settings_open += 1
                session = setup.turn_settings(
                    self._setup,
                    create_response=command.create_response,
                    interrupt_response=command.interrupt_response,
                )
                return self._request(Request.SETTINGS, type="session.update", session=session)
            case RequestResponse():
                # Bare: instructions of a response would replace the session's, and with them what it must never forget.
                return self._request(Request.RESPONSE, type="response.create")
            case CancelResponse():
                return self._request(Request.CANCEL, type="response.cancel", response_id=command.response_id)
            case TruncateItem():
                return self._request(
                    Request.TRUNCATE,
                    type="conversation.item.truncate",
                    item_id=command.item_id,
                    content_index=command.content_index,
                    audio_end_ms=command.audio_end_ms,
                )
            case DeleteItem():
                return self._request(Request.DELETE, type="conversation.item.delete", item_id=command.item_id)
            case AddCallerText():
                return self._text_item(command.item_id, "user", "input_text", command.text)
            case AddAgentText():
                return self._text_item(command.item_id, "assistant", "output_text", command.text)
            case AddCue():
                return self._text_item(command.item_id, "system", "input_text", command.text)
            case AnswerToolCall():
                return self._item(
                    {
                        "id": command.item_id,
                        "type": "function_call_output",
                        "call_id": command.tool_call_id,
                        "output": _encodable(command.output),
                    }
                )
        assert_never(command)

    def _text_item(self, item_id: ItemId, role: str, kind: str, text: str) -> bytes:
        content = [{"type": kind, "text": _encodable(text)}]
        return self._item({"id": item_id, "type": "message", "role": role, "content": content})

    def _item(self, item: Mapping[str, object]) -> bytes:
        item_id = ItemId(str(item["id"]))
        self._untaken.add(item_id)
        event_id = refusals.event_id_for(Request.ITEM, item_id)
        return messages.encode({"type": "conversation.item.create", "event_id": event_id, "item": item})

    def _request(self, request: Request, **fields: object) -> bytes:
        self._count += 1
        return messages.encode({**fields, "event_id": refusals.event_id_for(request, self._count)})

    # --- events -------------------------------------------------------------------------------------------------------

    def events(self, message: ServerMessage) -> list[Event]:
        """Return what a server event means to the session, in order; often nothing. Raises BrokenMessageError."""
        match message:
            case messages.AudioDelta():
                return self._audio(message)
            case messages.TranscriptDelta(response_id, item_id, text):
                if not text:
                    return []
                return [AgentTranscript(self._model, ResponseId(response_id), ItemId(item_id), text)]
            case messages.SpeechStarted(item_id, audio_start_ms):
                return [CallerSpeechStarted(self._model, ItemId(item_id), audio_start_ms)]
            case messages.SpeechStopped(item_id, audio_end_ms):
                return [CallerSpeechStopped(self._model, ItemId(item_id), audio_end_ms)]
            case messages.Committed(item_id):
                return [CallerTurnCommitted(self._model, ItemId(item_id))]
            case messages.ItemAdded(item) | messages.ItemCreated(item) | messages.ItemDone(item):
                return self._item_shown(item)
            case messages.TranscriptionCompleted(item_id, transcript, usage):
                return self._transcribed(ItemId(item_id), transcript or "", usage)
            case messages.TranscriptionFailed(item_id):
                return [CallerTranscriptFailed(self._model, ItemId(item_id))]
            case messages.ResponseCreated(response):
                return [ResponseStarted(self._model, ResponseId(response.id))]
            case messages.OutputItemDone(response_id, item):
                return self._output_item(ResponseId(response_id), item)
            case messages.AudioDone(response_id, item_id, content_index):
                self._odd_bytes.pop((item_id, content_index), None)
                return [AgentAudioEnded(self._model, ResponseId(response_id), ItemId(item_id))]
            case messages.ResponseDone(response):
                return [self._response_ended(response)]
            case messages.ErrorEvent(error):
                return [self._refused(error)]
            case messages.SessionUpdated():
                return self._settings_confirmed()
            case messages.SessionCreated():
                return []
        assert_never(message)

    def _audio(self, delta: messages.AudioDelta) -> list[Event]:
        audio = messages.decode_audio(delta.delta)
        if self._odd_bytes or len(audio) % self._sample_bytes:
            audio = self._whole_samples((delta.item_id, delta.content_index), audio)
        if not audio:
            return []
        return [
            AgentAudio(self._model, ResponseId(delta.response_id), ItemId(delta.item_id), delta.content_index, audio)
        ]

    def _whole_samples(self, part: tuple[str, int], audio: bytes) -> bytes:
        audio = self._odd_bytes.pop(part, b"") + audio
        odd = len(audio) % self._sample_bytes
        if odd:
            self._odd_bytes[part] = audio[-odd:]
            audio = audio[:-odd]
        return audio

    def _item_shown(self, item: messages.Item) -> list[Event]:
        item_id = ItemId(item.id or "")
        if item_id not in self._untaken:
            return []  # the caller's, the model's, or one that was shown before
        self._untaken.discard(item_id)
        return [ItemTaken(self._model, item_id)]

    def _transcribed(self, item_id: ItemId, text: str, usage: Mapping[str, object] | None) -> list[Event]:
        said: list[Event] = [CallerTranscript(self._model, item_id, text)]
        counts = flat_usage(usage)
        if counts:
            said.append(TranscriptionBilled(self._model, counts))
        return said

    def _output_item(self, response_id: ResponseId, item: messages.Item) -> list[Event]:
        # A call that was interrupted is done as well, as incomplete: it must not be run.
        if item.type != "function_call" or item.status != "completed":
            return []
        if not (item.id and item.call_id and item.name):
            raise messages.BrokenMessageError("a function call lacks its id, call_id or name, so it cannot be answered")
        return [
            ToolCallRequested(
                self._model,
                response_id,
                ItemId(item.id),
                ToolCallId(item.call_id),
                item.name,
                item.arguments or "{}",
            )
        ]

    def _response_ended(self, response: messages.Response) -> ResponseEnded:
        # Parts of a response are never sent after its end: half a sample that still waits never gets its other half.
        self._odd_bytes.clear()
        details = response.status_details or messages.StatusDetails()
        error = details.error or messages.StatusError()
        reason = details.reason or error.code or error.type or ""
        try:
            status = ResponseStatus(response.status)
        except ValueError:  # one that the protocol does not know: nothing tells that the response is whole
            status, reason = ResponseStatus.FAILED, reason or f"status_{response.status}"
        return ResponseEnded(self._model, ResponseId(response.id), status, reason, flat_usage(response.usage))

    def _refused(self, error: messages.ErrorBody) -> RequestRefused:
        request = refusals.request_of(error)
        if request is Request.SETTINGS:
            self._settings_open = max(0, self._settings_open - 1)
        item_id = refusals.item_of(error)
        if item_id is not None:
            self._untaken.discard(item_id)
        return RequestRefused(self._model, request, refusals.fault_of(error), refusals.code_of(error))

    def _settings_confirmed(self) -> list[Event]:
        if not self._settings_open:
            return []  # nobody asked
        self._settings_open -= 1
        # Of several under way, only the last one's confirmation says what holds.
        return [] if self._settings_open else [TurnHandlingSet(self._model)]


def flat_usage(usage: Mapping[str, object] | None) -> dict[str, int]:
    """Return a usage object's whole numbers by dotted name: `input_token_details.cached_tokens`.

    Transcription billed by time has `seconds`, a fraction; it comes as `duration_ms`.
    """
    counts: dict[str, int] = {}
    for name, value in (usage or {}).items():
        if isinstance(value, dict):
            counts.update({f"{name}.{inner}": count for inner, count in flat_usage(value).items()})
        elif name == "seconds" and isinstance(value, int | float):
            counts["duration_ms"] = round(value * 1000)
        elif isinstance(value, int) and not isinstance(value, bool):
            counts[name] = value
    return counts


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which a tool's JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
