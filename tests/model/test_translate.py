import base64
import json
from itertools import pairwise
from typing import cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audio.formats import ULAW_8K
from app.model import messages
from app.model.endings import flat_usage
from app.model.setup import ModelSetup
from app.model.translate import Translator, WordedCommand
from app.session.commands import (
    AddAgentText,
    AddCallerText,
    AddCue,
    AnswerToolCall,
    AppendInputAudio,
    CancelResponse,
    CloseModel,
    DeleteItem,
    ModelCommand,
    OpenModel,
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
from app.session.words import Fault, ItemId, ModelNumber, Request, ResponseId, ResponseStatus, ToolCallId
from tests.support.model_events import EXAMPLES, Wire, error_body, function_call_item, response_object, tone
from tests.support.realtime_schema import client_faults

pytestmark = pytest.mark.core

MODEL = ModelNumber(3)
SETUP = ModelSetup(instructions="Be brief.", voice="marin")
RESPONSE, SPOKEN, TURN = ResponseId("resp_1"), ItemId("item_2"), ItemId("item_1")
_ids = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=32)
_texts = st.text(st.characters(codec=None))  # lone surrogates too


def translator() -> Translator:
    return Translator(MODEL, SETUP)


def sent(message: bytes) -> Wire:
    """What a message of ours says, held against the schema."""
    event = cast(Wire, json.loads(message))
    assert client_faults(event) == []
    return event


def told(subject: Translator, event: Wire) -> list[Event]:
    message = messages.decode(json.dumps(event).encode())
    return [] if message is None else subject.events(message)


def error(code: str | None = "invalid_value", message: str = "No.", **fields: object) -> Wire:
    return {"type": "error", "event_id": "event_1", "error": error_body(code, message, **fields)}


def delta(audio: bytes, item_id: str = "item_2", content_index: int = 0) -> Wire:
    return {
        **EXAMPLES["response.output_audio.delta"],
        "item_id": item_id,
        "content_index": content_index,
        "delta": base64.b64encode(audio).decode(),
    }


COMMANDS: dict[WordedCommand, Wire] = {
    RequestResponse(MODEL): {"type": "response.create"},
    CancelResponse(MODEL, RESPONSE): {"type": "response.cancel", "response_id": "resp_1"},
    TruncateItem(MODEL, SPOKEN, 0, 1240): {
        "type": "conversation.item.truncate",
        "item_id": "item_2",
        "content_index": 0,
        "audio_end_ms": 1240,
    },
    DeleteItem(MODEL, SPOKEN): {"type": "conversation.item.delete", "item_id": "item_2"},
    AddCallerText(MODEL, ItemId("a1"), "12#"): {
        "type": "conversation.item.create",
        "item": {"id": "a1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "12#"}]},
    },
    AddAgentText(MODEL, ItemId("a2"), "Hello"): {
        "type": "conversation.item.create",
        "item": {
            "id": "a2",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello"}],
        },
    },
    AddCue(MODEL, ItemId("a3"), "Begin."): {
        "type": "conversation.item.create",
        "item": {
            "id": "a3",
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "Begin."}],
        },
    },
    AnswerToolCall(MODEL, ItemId("a4"), ToolCallId("call_1"), '{"status":"shipped"}'): {
        "type": "conversation.item.create",
        "item": {
            "id": "a4",
            "type": "function_call_output",
            "call_id": "call_1",
            "output": '{"status":"shipped"}',
        },
    },
}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_a_command_is_this_event_and_no_other(command: WordedCommand) -> None:
    event = sent(translator().message(command))
    assert event.pop("event_id")
    assert event == COMMANDS[command]


def test_every_command_to_the_model_is_tried_here() -> None:
    tried = {type(command) for command in COMMANDS} | {SetTurnHandling}
    assert (
        tried == set(get_args(WordedCommand)) == set(get_args(ModelCommand)) - {OpenModel, CloseModel, AppendInputAudio}
    )


def test_how_turns_are_handled_is_an_update_of_the_settings() -> None:
    event = sent(translator().message(SetTurnHandling(MODEL, create_response=True, interrupt_response=True)))
    assert event["type"] == "session.update"
    assert event["session"] == {
        "type": "realtime",
        "audio": {
            "input": {
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                    "create_response": True,
                    "interrupt_response": True,
                }
            }
        },
    }


_commands = st.one_of(
    st.builds(SetTurnHandling, st.just(MODEL), st.booleans(), st.booleans()),
    st.just(RequestResponse(MODEL)),
    st.builds(CancelResponse, st.just(MODEL), _ids),
    st.builds(TruncateItem, st.just(MODEL), _ids, st.integers(0, 5), st.integers(0, 3_600_000)),
    st.builds(DeleteItem, st.just(MODEL), _ids),
    st.builds(AddCallerText, st.just(MODEL), _ids, _texts),
    st.builds(AddAgentText, st.just(MODEL), _ids, _texts),
    st.builds(AddCue, st.just(MODEL), _ids, _texts),
    st.builds(AnswerToolCall, st.just(MODEL), _ids, _ids, _texts),
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(_commands, max_size=20))
def test_whatever_is_asked_becomes_valid_events_with_ids_of_their_own(commands: list[WordedCommand]) -> None:
    subject = translator()
    first = sent(subject.setup_message())
    events = [sent(subject.message(command)) for command in commands]
    ids = [event["event_id"] for event in [first, *events]]
    additions = [event["event_id"] for event in events if event["type"] == "conversation.item.create"]
    assert len(set(ids)) == len(ids) - (len(additions) - len(set(additions)))  # an item's id names its event
    assert all(isinstance(event_id, str) and 0 < len(event_id) <= 64 for event_id in ids)


@pytest.mark.parametrize(
    ("kind", "events"),
    [
        ("input_audio_buffer.speech_started", [CallerSpeechStarted(MODEL, TURN, 1040)]),
        ("input_audio_buffer.speech_stopped", [CallerSpeechStopped(MODEL, TURN, 2310)]),
        ("input_audio_buffer.committed", [CallerTurnCommitted(MODEL, TURN)]),
        (
            "conversation.item.input_audio_transcription.completed",
            [
                CallerTranscript(MODEL, TURN, "Where is my order?"),
                TranscriptionBilled(
                    MODEL,
                    {
                        "total_tokens": 30,
                        "input_tokens": 24,
                        "output_tokens": 6,
                        "input_token_details.text_tokens": 0,
                        "input_token_details.audio_tokens": 24,
                    },
                ),
            ],
        ),
        ("conversation.item.input_audio_transcription.failed", [CallerTranscriptFailed(MODEL, TURN)]),
        ("response.created", [ResponseStarted(MODEL, RESPONSE)]),
        ("response.output_audio.delta", [AgentAudio(MODEL, RESPONSE, SPOKEN, 0, tone(20))]),
        ("response.output_audio.done", [AgentAudioEnded(MODEL, RESPONSE, SPOKEN)]),
        ("response.output_audio_transcript.delta", [AgentTranscript(MODEL, RESPONSE, SPOKEN, "Good morning.")]),
        (
            "response.output_item.done",
            [
                ToolCallRequested(
                    MODEL,
                    RESPONSE,
                    ItemId("item_3"),
                    ToolCallId("call_1"),
                    "lookup_order",
                    '{"order_number":"1042"}',
                )
            ],
        ),
        (
            "response.done",
            [
                ResponseStarted(MODEL, RESPONSE),  # nothing has said so before
                ResponseEnded(
                    MODEL,
                    RESPONSE,
                    ResponseStatus.COMPLETED,
                    "",
                    {
                        "total_tokens": 124,
                        "input_tokens": 100,
                        "output_tokens": 24,
                        "input_token_details.text_tokens": 60,
                        "input_token_details.audio_tokens": 40,
                        "input_token_details.image_tokens": 0,
                        "input_token_details.cached_tokens": 32,
                        "input_token_details.cached_tokens_details.text_tokens": 32,
                        "input_token_details.cached_tokens_details.audio_tokens": 0,
                        "input_token_details.cached_tokens_details.image_tokens": 0,
                        "output_token_details.text_tokens": 0,
                        "output_token_details.audio_tokens": 24,
                    },
                ),
            ],
        ),
        ("error", [RequestRefused(MODEL, Request.ITEM, Fault.REQUEST, "invalid_value")]),
        # the conversation's items are told by other events, settings that nobody asked for by none
        ("conversation.item.added", []),
        ("conversation.item.created", []),
        ("conversation.item.done", []),
        ("session.created", []),
        ("session.updated", []),
    ],
)
def test_an_event_of_the_model_in_the_sessions_words(kind: str, events: list[Event]) -> None:
    assert told(translator(), EXAMPLES[kind]) == events


@pytest.mark.parametrize("kind", sorted(set(EXAMPLES) & messages.IGNORED_TYPES))
def test_what_is_passed_over_says_nothing(kind: str) -> None:
    assert told(translator(), EXAMPLES[kind]) == []


class TestAudio:
    @settings(deadline=None)  # a busy machine is no failure
    @given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=12))
    def test_deltas_cut_anywhere_are_the_same_audio_in_whole_samples(self, audio: bytes, cuts: list[int]) -> None:
        subject = translator()
        edges = sorted({0, len(audio), *(min(cut, len(audio)) for cut in cuts)})
        heard = b""
        for start, end in pairwise(edges):
            for event in told(subject, delta(audio[start:end])):
                assert isinstance(event, AgentAudio)
                assert event.audio
                assert len(event.audio) % 2 == 0
                heard += event.audio
        assert heard == audio[: len(audio) // 2 * 2]

    def test_an_empty_delta_is_nothing(self) -> None:
        assert told(translator(), delta(b"")) == []

    def test_half_a_sample_stays_with_its_own_part_of_its_own_item(self) -> None:
        subject = translator()
        assert told(subject, delta(b"\x01", "a")) == []
        assert told(subject, delta(b"\x02", "a", 1)) == []
        assert told(subject, delta(b"\x03\x04", "b")) == [AgentAudio(MODEL, RESPONSE, ItemId("b"), 0, b"\x03\x04")]
        assert told(subject, delta(b"\x05", "a")) == [AgentAudio(MODEL, RESPONSE, ItemId("a"), 0, b"\x01\x05")]
        assert told(subject, delta(b"\x06", "a", 1)) == [AgentAudio(MODEL, RESPONSE, ItemId("a"), 1, b"\x02\x06")]

    @pytest.mark.parametrize("end", ["response.output_audio.done", "response.done"])
    def test_half_a_sample_is_dropped_where_its_item_ends(self, end: str) -> None:
        subject = translator()
        told(subject, delta(b"\x01"))
        told(subject, EXAMPLES[end])
        assert told(subject, delta(b"\x02\x03")) == [AgentAudio(MODEL, RESPONSE, SPOKEN, 0, b"\x02\x03")]

    def test_telephone_audio_has_samples_of_one_byte(self) -> None:
        subject = Translator(MODEL, ModelSetup("", "marin", audio_format=ULAW_8K))
        assert told(subject, delta(b"\x7f")) == [AgentAudio(MODEL, RESPONSE, SPOKEN, 0, b"\x7f")]

    def test_a_delta_that_is_not_base64_is_broken(self) -> None:
        with pytest.raises(messages.BrokenMessageError):
            told(translator(), {**delta(b""), "delta": "AAA"})


class TestItems:
    @pytest.mark.parametrize("first", ["added", "created", "done"])
    def test_an_item_of_ours_is_taken_once_however_it_is_shown(self, first: str) -> None:
        subject = translator()
        event = sent(subject.message(AddCue(MODEL, ItemId("a1"), "Begin.")))
        shown = [
            told(subject, {**EXAMPLES[f"conversation.item.{kind}"], "item": event["item"]})
            for kind in (first, "added", "created", "done")
        ]
        assert shown == [[ItemTaken(MODEL, ItemId("a1"))], [], [], []]

    def test_a_tools_answer_is_an_item_of_ours_too(self) -> None:
        subject = translator()
        event = sent(subject.message(AnswerToolCall(MODEL, ItemId("a1"), ToolCallId("call_1"), "{}")))
        assert told(subject, {**EXAMPLES["conversation.item.added"], "item": event["item"]}) == [
            ItemTaken(MODEL, ItemId("a1"))
        ]

    def test_an_item_with_an_id_that_servers_do_not_take_is_taken_by_its_own(self) -> None:
        subject, long_id = translator(), ItemId("item_" + 60 * "a")
        event = sent(subject.message(AddAgentText(MODEL, long_id, "Hello.")))
        assert len(event["item"]["id"]) <= 32  # type: ignore[index]  # an item is a dict
        assert told(subject, {**EXAMPLES["conversation.item.added"], "item": event["item"]}) == [
            ItemTaken(MODEL, long_id)
        ]
        for command in (TruncateItem(MODEL, long_id, 0, 10), DeleteItem(MODEL, long_id)):
            assert sent(subject.message(command))["item_id"] == event["item"]["id"]  # type: ignore[index]  # a dict

    def test_an_item_without_an_id_is_nobodys(self) -> None:
        item = {"type": "message", "role": "user", "content": []}
        assert told(translator(), {**EXAMPLES["conversation.item.added"], "item": item}) == []

    def test_a_refused_item_is_waited_for_no_longer(self) -> None:
        subject = translator()
        event = sent(subject.message(AddCue(MODEL, ItemId("a1"), "Begin.")))
        assert told(subject, error(event_id=event["event_id"])) == [
            RequestRefused(MODEL, Request.ITEM, Fault.REQUEST, "invalid_value")
        ]
        assert told(subject, {**EXAMPLES["conversation.item.added"], "item": event["item"]}) == []


class TestToolCalls:
    @pytest.mark.parametrize("status", ["incomplete", "in_progress", None])
    def test_a_call_that_is_not_complete_is_not_run(self, status: str | None) -> None:
        item = {**function_call_item("item_3", "call_1", "lookup_order", "{}"), "status": status}
        assert told(translator(), {**EXAMPLES["response.output_item.done"], "item": item}) == []

    @pytest.mark.parametrize("lacking", ["id", "call_id", "name"])
    def test_a_call_that_cannot_be_answered_is_broken(self, lacking: str) -> None:
        item = {**function_call_item("item_3", "call_1", "lookup_order", "{}"), lacking: None}
        with pytest.raises(messages.BrokenMessageError):
            told(translator(), {**EXAMPLES["response.output_item.done"], "item": item})

    @pytest.mark.parametrize("call_id", ["call_1", "call_" + 60 * "a"])
    def test_a_call_is_answered_by_its_own_id_however_long(self, call_id: str) -> None:
        subject = translator()
        item = function_call_item("item_3", call_id, "lookup_order", "{}")
        told(subject, {**EXAMPLES["response.output_item.done"], "item": item})
        answer = sent(subject.message(AnswerToolCall(MODEL, ItemId("a1"), ToolCallId(call_id), "{}")))
        assert answer["item"]["call_id"] == call_id  # type: ignore[index]  # an item is a dict

    def test_a_call_without_arguments_has_none(self) -> None:
        item = {**function_call_item("item_3", "call_1", "now", ""), "arguments": None}
        (event,) = told(translator(), {**EXAMPLES["response.output_item.done"], "item": item})
        assert isinstance(event, ToolCallRequested)
        assert event.arguments == "{}"


class TestResponses:
    @pytest.mark.parametrize(
        ("status", "details", "expected", "reason"),
        [
            ("completed", {"type": "completed"}, ResponseStatus.COMPLETED, ""),
            (
                "cancelled",
                {"type": "cancelled", "reason": "turn_detected"},
                ResponseStatus.CANCELLED,
                "turn_detected",
            ),
            (
                "incomplete",
                {"type": "incomplete", "reason": "max_output_tokens"},
                ResponseStatus.INCOMPLETE,
                "max_output_tokens",
            ),
            (
                "incomplete",
                {"type": "incomplete", "reason": "content_filter"},
                ResponseStatus.INCOMPLETE,
                "content_filter",
            ),
            (
                "failed",
                {"type": "failed", "error": {"type": "server_error", "code": None}},
                ResponseStatus.FAILED,
                "server_error",
            ),
            (
                "failed",
                {"type": "failed", "error": {"type": "tokens", "code": "rate_limit_exceeded", "message": "No."}},
                ResponseStatus.FAILED,
                "rate_limit_exceeded",
            ),
            ("failed", None, ResponseStatus.FAILED, ""),
            ("evaporated", None, ResponseStatus.FAILED, "status_evaporated"),
            (None, None, ResponseStatus.FAILED, "status_None"),
        ],
    )
    def test_how_a_response_ended_and_why(
        self, status: str, details: Wire | None, expected: ResponseStatus, reason: str
    ) -> None:
        response = {
            **response_object("resp_1", "completed"),
            "status": status,
            "status_details": details,
            "usage": None,
        }
        subject = translator()
        told(subject, EXAMPLES["response.created"])
        assert told(subject, {**EXAMPLES["response.done"], "response": response}) == [
            ResponseEnded(MODEL, RESPONSE, expected, reason, {})
        ]


class TestTurnHandling:
    def updated(self, subject: Translator) -> list[Event]:
        return subject.settled(subject.settings_hold({"type": "realtime"}))

    def test_a_change_is_confirmed_once(self) -> None:
        subject = translator()
        subject.message(SetTurnHandling(MODEL, True, True))
        assert self.updated(subject) == [TurnHandlingSet(MODEL)]
        assert self.updated(subject) == []

    def test_of_two_changes_under_way_the_last_ones_confirmation_counts(self) -> None:
        subject = translator()
        subject.message(SetTurnHandling(MODEL, True, True))
        subject.message(SetTurnHandling(MODEL, False, False))
        assert self.updated(subject) == []
        assert self.updated(subject) == [TurnHandlingSet(MODEL)]

    def test_a_refused_change_is_not_confirmed_by_the_next_one_too_early(self) -> None:
        subject = translator()
        event = sent(subject.message(SetTurnHandling(MODEL, True, True)))
        assert told(subject, error("unknown_parameter", event_id=event["event_id"])) == [
            RequestRefused(MODEL, Request.SETTINGS, Fault.REQUEST, "unknown_parameter")
        ]
        assert self.updated(subject) == []
        subject.message(SetTurnHandling(MODEL, True, True))
        assert self.updated(subject) == [TurnHandlingSet(MODEL)]

    def test_an_error_about_settings_out_of_the_blue_upsets_nothing(self) -> None:
        subject = translator()
        told(subject, error("cannot_update_voice"))
        subject.message(SetTurnHandling(MODEL, True, True))
        assert self.updated(subject) == [TurnHandlingSet(MODEL)]


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (RequestResponse(MODEL), Request.RESPONSE),
        (CancelResponse(MODEL, RESPONSE), Request.CANCEL),
        (TruncateItem(MODEL, SPOKEN, 0, 10), Request.TRUNCATE),
        (DeleteItem(MODEL, SPOKEN), Request.DELETE),
        (AddCallerText(MODEL, ItemId("a1"), "1"), Request.ITEM),
        (SetTurnHandling(MODEL, True, True), Request.SETTINGS),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_refusal_is_told_with_what_was_refused(command: WordedCommand, request_: Request) -> None:
    subject = translator()
    event = sent(subject.message(command))
    assert told(subject, error(None, event_id=event["event_id"])) == [
        RequestRefused(MODEL, request_, Fault.REQUEST, "invalid_request_error")
    ]


@pytest.mark.parametrize(
    ("usage", "flat"),
    [
        (None, {}),
        ({}, {}),
        ({"type": "duration", "seconds": 3.24}, {"duration_ms": 3240}),
        ({"type": "duration", "seconds": 2}, {"duration_ms": 2000}),
        (
            {"type": "tokens", "total_tokens": 7, "details": {"a": {"b": 1}, "c": None}},
            {"total_tokens": 7, "details.a.b": 1},
        ),
        ({"estimated": True, "share": 0.5, "total_tokens": 7}, {"total_tokens": 7}),
    ],
)
def test_usage_is_whole_numbers_by_dotted_name(usage: Wire | None, flat: dict[str, int]) -> None:
    assert flat_usage(usage) == flat


def test_a_bill_without_figures_is_none() -> None:
    event = {**EXAMPLES["conversation.item.input_audio_transcription.completed"], "usage": None, "transcript": None}
    assert told(translator(), event) == [CallerTranscript(MODEL, TURN, "")]


class TestResponsesThatCross:
    """`created` may be missing, late or doubled, and so may `done` (pitfall 14)."""

    def test_one_that_ends_unborn_has_begun_all_the_same(self) -> None:
        subject = translator()
        begun, ended = told(subject, EXAMPLES["response.done"])
        assert begun == ResponseStarted(MODEL, RESPONSE)
        assert isinstance(ended, ResponseEnded)
        assert told(subject, EXAMPLES["response.created"]) == []

    def test_what_is_said_twice_is_told_once(self) -> None:
        subject = translator()
        assert len(told(subject, EXAMPLES["response.created"])) == 1
        assert told(subject, EXAMPLES["response.created"]) == []
        assert len(told(subject, EXAMPLES["response.done"])) == 1
        assert told(subject, EXAMPLES["response.done"]) == []
