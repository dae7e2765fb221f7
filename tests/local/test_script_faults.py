"""The errors that a script can send: each of its class, and taken for that by the service's own leg."""

from typing import cast

import msgspec
import pytest

from app.local.protocol import encode
from app.local.script_faults import FAILURES, FAULTS, FaultClass
from app.model.messages import ErrorBody
from app.model.refusals import fault_of
from app.session.words import Fault
from tests.support.realtime_schema import server_faults

pytestmark = pytest.mark.core

TAKEN_FOR = {
    FaultClass.RACE: Fault.BENIGN,
    FaultClass.REQUEST: Fault.REQUEST,
    FaultClass.TRANSIENT: Fault.TRANSIENT,
    FaultClass.FATAL: Fault.FATAL,
    FaultClass.OVER: Fault.FATAL,
}


@pytest.mark.parametrize("name", FAULTS)
def test_an_error_is_valid_and_means_what_its_class_says(name: str) -> None:
    fault = FAULTS[name]
    event = {"event_id": "event_1", **fault.wire()}
    assert server_faults(event) == []
    body = msgspec.json.decode(encode(cast("dict[str, object]", event["error"])), type=ErrorBody)
    assert fault_of(body) is TAKEN_FOR[fault.fault_class]


def test_there_is_one_of_each_class_and_those_that_end_a_session_close_it() -> None:
    assert {fault.fault_class for fault in FAULTS.values()} == set(FaultClass)
    over = {name: fault.close_code for name, fault in FAULTS.items() if fault.fault_class is FaultClass.OVER}
    assert over == {
        "session_expired": 1001,
        "beta_api_shape_disabled": 4000,
        "invalid_model": 4000,
        "missing_model": 4000,
        "model_not_found": 4004,
    }


def test_a_response_fails_for_what_passes_or_for_the_account() -> None:
    assert set(FAILURES) >= {"server_error", "rate_limit_exceeded", "insufficient_quota"}
    assert FAULTS["server_error"].failure() == {
        "type": "server_error",
        "code": None,
        "message": "The server had an error while processing your request.",
    }


def test_a_message_names_what_was_refused() -> None:
    fields = {"item_id": "item_1", "audio_end_ms": 900, "duration_ms": 800}
    assert FAULTS["too_long"].worded(fields) == "Audio content of 800ms is already shorter than 900ms"
    assert FAULTS["item_delete_invalid_item_id"].worded(fields) == (
        "Item with item_id 'item_1' not found in conversation."
    )
