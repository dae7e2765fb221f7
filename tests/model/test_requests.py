"""What becomes of refused requests: repaired once, or dropped; never asked without end."""

import json
from typing import cast

import pytest

from app.model.messages import ErrorBody
from app.model.requests import MAX_SETTINGS_REPAIRS, Requests
from app.model.setup import Dialect, ModelSetup, session_settings
from app.session.words import ItemId, Request
from tests.support.model_events import Wire

pytestmark = pytest.mark.core

SETTINGS = session_settings(ModelSetup(instructions="Be brief.", voice="marin"))
ITEM = ItemId("item_1")


def sent(message: bytes | None) -> Wire:
    assert message is not None
    return cast(Wire, json.loads(message))


def refusal(event: Wire, code: str | None = "unknown_parameter", **fields: str | None) -> ErrorBody:
    return ErrorBody(code=code, **{"event_id": str(event["event_id"]), **fields})


class TestSettings:
    def test_the_key_that_is_named_is_left_out_from_then_on_and_told_when_the_rest_holds(self) -> None:
        subject = Requests(Dialect.GA)
        first = sent(subject.settings(SETTINGS))
        again = sent(subject.refused(refusal(first, param="session.audio.output.voice")))
        assert again["event_id"] != first["event_id"]
        assert again["session"]["audio"]["output"].keys() == {"format"}  # type: ignore[index]  # nested dicts
        assert subject.confirmed({}).keys == ("audio.output.voice",)
        later = sent(subject.settings(SETTINGS))
        assert "voice" not in later["session"]["audio"]["output"]  # type: ignore[index]  # nested dicts
        assert subject.confirmed({}).keys == ()

    def test_a_key_that_only_the_message_names_is_found(self) -> None:
        subject = Requests(Dialect.PREVIEW)
        event = sent(subject.settings({"temperature": 0.8, "voice": "alloy"}))
        again = subject.refused(refusal(event, message="Unknown parameter: 'session.temperature'.", param=None))
        assert sent(again)["session"] == {"voice": "alloy"}

    @pytest.mark.parametrize("key", ["session.instructions", "session.mood", "session", "type", None])
    def test_where_no_key_can_go_all_goes_that_a_call_can_do_without_and_then_nothing_more(
        self, key: str | None
    ) -> None:
        subject = Requests(Dialect.GA)
        again = sent(subject.refused(refusal(sent(subject.settings(SETTINGS)), param=key)))
        assert again["session"].keys() == {"type", "output_modalities", "instructions", "audio", "tools"}  # type: ignore[attr-defined]  # a dict
        assert subject.refused(refusal(again, param=key)) is None
        assert not subject.confirmed({}).was_asked

    def test_what_was_left_out_for_no_key_is_told(self) -> None:
        subject = Requests(Dialect.PREVIEW)
        event = sent(subject.settings({"instructions": "Be brief.", "voice": "alloy", "temperature": 0.8}))
        again = sent(subject.refused(refusal(event, None)))
        assert again["session"] == {"instructions": "Be brief."}
        assert subject.confirmed({}).keys == ("voice", "temperature")

    def test_a_change_of_turn_handling_does_not_cost_the_rest_of_the_settings(self) -> None:
        subject = Requests(Dialect.PREVIEW)
        event = sent(subject.settings({"turn_detection": {"type": "server_vad", "threshold": 0.5}}))
        assert subject.refused(refusal(event, None)) is None

    def test_an_error_that_says_nothing_is_about_the_settings_until_they_hold(self) -> None:
        subject = Requests(Dialect.GA)
        subject.settings(SETTINGS)
        assert subject.refused(ErrorBody(code="invalid_value")) is not None
        subject.confirmed({})
        subject.settings(SETTINGS)
        assert subject.refused(ErrorBody(code="invalid_value")) is None

    def test_repairs_have_an_end(self) -> None:
        subject = Requests(Dialect.GA)
        wide = {f"key_{number}": number for number in range(MAX_SETTINGS_REPAIRS + 2)}
        event = sent(subject.settings(wide))
        for number in range(MAX_SETTINGS_REPAIRS):
            event = sent(subject.refused(refusal(event, param=f"session.key_{number}")))
        assert subject.refused(refusal(event, param=f"session.key_{MAX_SETTINGS_REPAIRS}")) is None

    def test_a_fault_of_the_servers_is_met_by_asking_once_more(self) -> None:
        subject = Requests(Dialect.GA)
        event = sent(subject.settings(SETTINGS))
        again = sent(subject.refused(refusal(event, None, type="server_error")))
        assert again["session"] == event["session"]
        assert subject.refused(refusal(again, None, type="server_error")) is None

    def test_an_error_that_forgot_the_id_is_about_the_oldest_that_is_open(self) -> None:
        subject = Requests(Dialect.GA)
        subject.settings({"voice": "x", "speed": 1})
        subject.settings({"speed": 2})
        assert sent(subject.refused(ErrorBody(code="invalid_value", param="session.voice")))["session"] == {"speed": 1}

    def test_only_the_last_of_several_answers_is_the_last(self) -> None:
        subject = Requests(Dialect.GA)
        subject.settings({"speed": 1})
        subject.settings({"speed": 2})
        first, second, third = (subject.confirmed({"speed": 1}) for _ in range(3))
        assert (first.was_asked, first.is_last, first.keys) == (True, False, ())
        assert (second.is_last, second.keys) == (True, ("speed",))
        assert not third.was_asked


class TestItems:
    def answer(self, subject: Requests) -> Wire:
        item = {"type": "function_call_output", "call_id": "call_1", "output": "shipped"}
        return sent(subject.item(ITEM, item))

    def test_a_tools_answer_is_told_in_words_and_not_for_ever(self) -> None:
        subject = Requests(Dialect.GA)
        again = sent(subject.refused(refusal(self.answer(subject), "invalid_value")))
        assert again["item"]["role"] == "system"  # type: ignore[index]  # an item is a dict
        assert again["item"]["id"] == ITEM  # type: ignore[index]  # an item is a dict
        assert subject.refused(refusal(again, "invalid_value")) is None
        assert subject.shown(ITEM) is None

    def test_after_a_fault_of_the_servers_it_is_told_as_it_was(self) -> None:
        subject = Requests(Dialect.GA)
        event = self.answer(subject)
        again = sent(subject.refused(refusal(event, "server_error")))
        assert again["item"] == event["item"]
        assert subject.shown(ITEM) == ITEM
        assert subject.shown(ITEM) is None

    def test_an_error_that_forgot_the_id_is_about_the_only_one_that_is_open(self) -> None:
        subject = Requests(Dialect.GA)
        self.answer(subject)
        error = ErrorBody(code="invalid_value", param="item.call_id")
        assert sent(subject.refused(error))["item"]["role"] == "system"  # type: ignore[index]  # an item is a dict
        subject.message_item(ItemId("item_2"), "user", "Hello.")
        assert subject.refused(error) is None  # of two it could be either

    def test_words_whose_place_is_not_there_are_put_behind_all(self) -> None:
        subject = Requests(Dialect.GA)
        event = sent(subject.message_item(ITEM, "assistant", "It is", ItemId("item_0")))
        assert event["previous_item_id"] == "item_0"
        again = sent(subject.refused(refusal(event, "invalid_value", param="previous_item_id")))
        assert again["item"] == event["item"]
        assert "previous_item_id" not in again

    def test_the_callers_words_are_not_reworded(self) -> None:
        subject = Requests(Dialect.GA)
        event = sent(subject.message_item(ITEM, "user", "Hello."))
        assert subject.refused(refusal(event, "invalid_value", param="item.content[0].type")) is None
        assert subject.shown(ITEM) is None

    @pytest.mark.parametrize(
        ("dialect", "first", "then"), [(Dialect.GA, "output_text", "text"), (Dialect.PREVIEW, "text", "output_text")]
    )
    def test_the_agents_words_are_spelt_as_the_server_wants_them(self, dialect: Dialect, first: str, then: str) -> None:
        subject = Requests(dialect)
        event = sent(subject.message_item(ITEM, "assistant", "Hello."))
        again = sent(subject.refused(refusal(event, "invalid_value", param="item.content[0].type")))
        later = sent(subject.message_item(ItemId("item_2"), "assistant", "Hello."))
        spellings = [made["item"]["content"][0]["type"] for made in (event, again, later)]  # type: ignore[index]  # nested
        assert spellings == [first, then, then]


class TestIds:
    """Servers take ids of 32 characters; items of former sessions may have longer ones."""

    LONG = ItemId("item_" + 60 * "a")
    OTHER = ItemId("item_" + 59 * "a" + "b")

    def added(self, subject: Requests, item_id: ItemId, after: ItemId | None = None) -> str:
        event = sent(subject.message_item(item_id, "assistant", "Hello.", after))
        return str(event["item"]["id"])  # type: ignore[index]  # an item is a dict

    def test_one_that_is_short_enough_stays(self) -> None:
        just = ItemId(32 * "x")
        assert self.added(Requests(Dialect.GA), just) == just

    def test_a_longer_one_goes_by_a_name_of_its_own_in_all_that_is_said_of_it(self) -> None:
        subject = Requests(Dialect.GA)
        named, other = ItemId(self.added(subject, self.LONG)), self.added(subject, self.OTHER)
        assert (len(named), len(other)) == (31, 31)
        assert named != other
        assert self.added(Requests(Dialect.GA), self.LONG) == named
        assert subject.shown(named) == self.LONG
        assert subject.shown(named) is None
        assert sent(subject.truncate(self.LONG, 0, 10))["item_id"] == named
        assert sent(subject.delete(self.LONG))["item_id"] == named
        behind = sent(subject.message_item(ItemId("item_2"), "assistant", "Bye.", self.LONG))
        assert behind["previous_item_id"] == named

    def test_what_the_session_has_named_itself_keeps_its_name(self) -> None:
        subject = Requests(Dialect.GA)
        assert sent(subject.truncate(self.LONG, 0, 10))["item_id"] == self.LONG
        assert sent(subject.delete(self.LONG))["item_id"] == self.LONG
        behind = sent(subject.message_item(ITEM, "assistant", "Bye.", self.LONG))
        assert behind["previous_item_id"] == self.LONG

    def test_a_refused_one_is_repaired_under_its_name(self) -> None:
        subject = Requests(Dialect.GA)
        event = sent(subject.message_item(self.LONG, "assistant", "Hello."))
        again = sent(subject.refused(refusal(event, "invalid_value", param="item.content[0].type")))
        assert again["item"]["id"] == event["item"]["id"]  # type: ignore[index]  # an item is a dict
        assert subject.shown(again["item"]["id"]) == self.LONG  # type: ignore[index]  # an item is a dict
        gone = sent(subject.truncate(self.LONG, 0, 10))
        deleted = sent(subject.refused(refusal(gone, "unsupported_content_type")))
        assert deleted["item_id"] == event["item"]["id"]  # type: ignore[index]  # an item is a dict

    def test_a_tool_call_keeps_its_id_in_the_session_that_made_it_alone(self) -> None:
        subject, call_id = Requests(Dialect.GA), "call_" + 60 * "a"
        foreign = sent(subject.answer(ItemId("a1"), call_id, "shipped"))["item"]
        assert len(foreign["call_id"]) <= 32  # type: ignore[index]  # an item is a dict
        subject.called(call_id)
        own = sent(subject.answer(ItemId("a2"), call_id, "shipped"))["item"]
        assert own["call_id"] == call_id  # type: ignore[index]  # an item is a dict


class TestOthers:
    def test_a_cancel_by_name_that_is_not_understood_is_made_without(self) -> None:
        subject = Requests(Dialect.PREVIEW)
        event = sent(subject.cancel("resp_1"))
        assert event["response_id"] == "resp_1"
        again = sent(subject.refused(refusal(event, param="response_id")))
        assert again.keys() == {"type", "event_id"}
        assert subject.refused(refusal(again, param="response_id")) is None

    def test_a_second_request_for_a_response_is_nobodys_to_repair(self) -> None:
        subject = Requests(Dialect.GA)
        event = sent(subject.plain(Request.RESPONSE, type="response.create"))
        assert subject.refused(refusal(event, "conversation_already_has_active_response")) is None

    def test_of_a_truncation_the_item_is_known_by_the_errors_event_or_is_the_last(self) -> None:
        subject = Requests(Dialect.GA)
        first = sent(subject.truncate(ItemId("item-a"), 0, 10))
        subject.truncate(ItemId("item-b"), 0, 10)
        assert sent(subject.refused(refusal(first, "unsupported_content_type")))["item_id"] == "item-a"
        assert sent(subject.refused(ErrorBody(code="unsupported_content_type")))["item_id"] == "item-b"
        assert Requests(Dialect.GA).refused(ErrorBody(code="unsupported_content_type")) is None
