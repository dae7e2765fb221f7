"""The agent's leg in words: the model's events become the session's, the session's commands become client events.

Pure: no socket, no clock. The little it remembers ends with the item or the request it is about.
"""

from collections import deque
from collections.abc import Mapping
from typing import assert_never

from app.model import messages, refusals, setup
from app.model.endings import error_of, flat_usage, silent_items
from app.model.messages import ServerMessage
from app.model.requests import Confirmation, Requests
from app.model.setup import Dialect, ModelSetup
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
    AgentText,
    AgentTextEnded,
    AgentTranscript,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTranscriptFailed,
    CallerTurnCommitted,
    Event,
    ItemTaken,
    ModelSettingsDiffer,
    RateLimitsReported,
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

    __slots__ = (
        "_begun",
        "_model",
        "_odd_bytes",
        "_over",
        "_requests",
        "_sample_bytes",
        "_settings",
        "_setup",
        "_speaks",
        "owed",
    )

    def __init__(self, model: ModelNumber, model_setup: ModelSetup, dialect: Dialect = Dialect.GA) -> None:
        self._model = model
        self._setup = model_setup
        self._settings = setup.session_settings(model_setup, dialect)
        self._speaks = model_setup.speaks
        self._sample_bytes = model_setup.audio_format.sample_bytes
        self._requests = Requests(dialect)
        self.owed: list[bytes] = []
        """What an error or the end of a response calls for on the wire by itself; whoever sends it takes it out."""
        self._begun: set[str] = set()
        """Responses that have begun and not ended."""
        self._over: deque[str] = deque(maxlen=16)
        """Responses that have ended."""
        self._odd_bytes: dict[tuple[str, int], bytes] = {}
        """By item and content: half a sample that waits for the delta with its other half."""

    # --- commands -----------------------------------------------------------------------------------------------------

    def setup_message(self) -> bytes:
        """Return the session.update that a session begins with."""
        return self._requests.settings(self._settings)

    def message(self, command: WordedCommand) -> bytes:
        """Return the client event that a command is on the wire."""
        requests = self._requests
        match command:
            case SetTurnHandling():
                settings = setup.turn_settings(
                    self._setup,
                    requests.dialect,
                    create_response=command.create_response,
                    interrupt_response=command.interrupt_response,
                )
                return requests.settings(settings)
            case RequestResponse():
                # Bare: instructions of a response would replace the session's, and with them what it must never forget.
                return requests.plain(Request.RESPONSE, type="response.create")
            case CancelResponse():
                return requests.cancel(command.response_id)
            case TruncateItem():
                return requests.truncate(command.item_id, command.content_index, command.audio_end_ms)
            case DeleteItem():
                return requests.delete(command.item_id)
            case AddCallerText():
                return requests.message_item(command.item_id, "user", _encodable(command.text))
            case AddAgentText():
                return requests.message_item(command.item_id, "assistant", _encodable(command.text), command.after)
            case AddCue():
                return requests.message_item(command.item_id, "system", _encodable(command.text))
            case AnswerToolCall():
                return requests.answer(command.item_id, command.tool_call_id, _encodable(command.output))
        assert_never(command)

    # --- events -------------------------------------------------------------------------------------------------------

    def events(self, message: ServerMessage) -> list[Event]:
        """Return what a server event means to the session, in order; often nothing. Raises BrokenMessageError."""
        match message:
            case messages.AudioDelta():
                return self._audio(message)
            case messages.TranscriptDelta(response_id, item_id, text):
                if not text:
                    return []
                # Some servers speak although they are to write: what they say is what they would have written.
                words = AgentTranscript if self._speaks else AgentText
                return [words(self._model, ResponseId(response_id), ItemId(item_id), text)]
            case messages.TextDelta(response_id, item_id, text):
                if self._speaks or not text:
                    return []  # words that nobody will hear: what becomes of them is known at the response's end
                return [AgentText(self._model, ResponseId(response_id), ItemId(item_id), text)]
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
                return self._response_begun(response.id)
            case messages.OutputItemDone(response_id, item):
                return self._output_item(ResponseId(response_id), item)
            case messages.AudioDone(response_id, item_id, content_index):
                self._odd_bytes.pop((item_id, content_index), None)
                if not self._speaks:
                    return []
                return [AgentAudioEnded(self._model, ResponseId(response_id), ItemId(item_id))]
            case messages.ResponseDone(response):
                if response.id in self._over:
                    return []
                # One that the caller cut before it was born may end without having begun (pitfall 14).
                return [*self._response_begun(response.id), self._response_ended(response)]
            case messages.ErrorEvent(error):
                return self._refused(error)
            case messages.RateLimitsUpdated(limits):
                return self._rate_limits(limits or [])
            case messages.SessionCreated() | messages.SessionUpdated():
                return []
        assert_never(message)

    def _audio(self, delta: messages.AudioDelta) -> list[Event]:
        if not self._speaks:
            return []  # our own voice speaks
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

    def settings_hold(self, session: Mapping[str, object] | None) -> Confirmation:
        """Take in that settings of ours are in effect: a session.updated."""
        return self._requests.confirmed(session or {})

    def differences(self, confirmation: Confirmation) -> list[Event]:
        """Return the report of what is otherwise than we asked; nothing if nothing is."""
        return [ModelSettingsDiffer(self._model, confirmation.keys)] if confirmation.keys else []

    def settled(self, confirmation: Confirmation) -> list[Event]:
        """Return what the answer to a change of how turns are handled means."""
        return self.differences(confirmation) + ([TurnHandlingSet(self._model)] if confirmation.is_last else [])

    def _rate_limits(self, limits: list[messages.RateLimit]) -> list[Event]:
        left = {limit.name: int(limit.remaining) for limit in limits if limit.name and limit.remaining is not None}
        return [RateLimitsReported(self._model, left)] if left else []

    def _item_shown(self, item: messages.Item) -> list[Event]:
        taken = self._requests.shown(ItemId(item.id or ""))
        return [] if taken is None else [ItemTaken(self._model, taken)]

    def _transcribed(self, item_id: ItemId, text: str, usage: Mapping[str, object] | None) -> list[Event]:
        said: list[Event] = [CallerTranscript(self._model, item_id, text)]
        counts = flat_usage(usage)
        if counts:
            said.append(TranscriptionBilled(self._model, counts))
        return said

    def _output_item(self, response_id: ResponseId, item: messages.Item) -> list[Event]:
        if item.type == "message" and item.id and not self._speaks:
            return [AgentTextEnded(self._model, response_id, ItemId(item.id))]
        # A call that was interrupted is done as well, as incomplete: it must not be run.
        if item.type != "function_call" or item.status != "completed":
            return []
        if not (item.id and item.call_id and item.name):
            raise messages.BrokenMessageError("a function call lacks its id, call_id or name, so it cannot be answered")
        self._requests.called(item.call_id)
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

    def _response_begun(self, response_id: str) -> list[Event]:
        if response_id in self._begun or response_id in self._over:
            return []
        self._begun.add(response_id)
        return [ResponseStarted(self._model, ResponseId(response_id))]

    def _response_ended(self, response: messages.Response) -> ResponseEnded:
        self._begun.discard(response.id)
        self._over.append(response.id)
        # Parts of a response are never sent after its end: half a sample that still waits never gets its other half.
        self._odd_bytes.clear()
        details = response.status_details or messages.StatusDetails()
        reason = details.reason or refusals.code_of(error_of(response))
        try:
            status = ResponseStatus(response.status)
        except ValueError:  # one that the protocol does not know: nothing tells that the response is whole
            status, reason = ResponseStatus.FAILED, reason or f"status_{response.status}"
        silent = silent_items(response) if self._speaks and status is ResponseStatus.COMPLETED else []
        if silent:
            # The caller heard nothing (pitfall 10): the model must not believe that it has answered.
            self.owed += [self._requests.delete(item_id) for item_id in silent]
            status, reason = ResponseStatus.FAILED, "text_without_audio"
        return ResponseEnded(self._model, ResponseId(response.id), status, reason, flat_usage(response.usage))

    def _refused(self, error: messages.ErrorBody) -> list[Event]:
        repair = self._requests.refused(error)
        if repair is not None:
            self.owed.append(repair)
            return []
        request = refusals.request_of(error)
        return [RequestRefused(self._model, request, refusals.fault_of(error), refusals.code_of(error))]


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which a tool's JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
