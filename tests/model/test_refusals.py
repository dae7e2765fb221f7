import pytest

from app.model import refusals
from app.model.messages import ErrorBody
from app.session.words import Fault, ItemId, Request

pytestmark = pytest.mark.core

TOO_LONG = "Audio content of 800ms is already shorter than 1200ms"
SECOND = "Conversation already has an active response in progress: resp_1"


@pytest.mark.parametrize("request_", list(Request))
def test_an_error_that_names_our_event_is_about_what_it_asked(request_: Request) -> None:
    event_id = refusals.event_id_for(request_, 17)
    assert refusals.request_of(ErrorBody(code="cannot_update_voice", event_id=event_id)) is request_


def test_an_error_that_names_no_event_of_ours_is_about_nothing_known() -> None:
    error = ErrorBody(code="response_cancel_not_active", event_id="event_of_somebody")
    assert refusals.request_of(error) is Request.OTHER
    assert refusals.item_of(error) is None


@pytest.mark.parametrize(
    ("error", "request_"),
    [
        (ErrorBody(code="response_cancel_not_active"), Request.CANCEL),
        (ErrorBody(code="conversation_already_has_active_response"), Request.RESPONSE),
        (ErrorBody(message=SECOND), Request.RESPONSE),
        (ErrorBody(code="invalid_value", message=TOO_LONG), Request.TRUNCATE),
        (ErrorBody(code="unsupported_content_type"), Request.TRUNCATE),
        (ErrorBody(code="item_truncate_invalid_item_id"), Request.TRUNCATE),
        (ErrorBody(code="item_delete_invalid_item_id"), Request.DELETE),
        (ErrorBody(code="cannot_update_voice"), Request.SETTINGS),
        (ErrorBody(code="unknown_parameter", param="session.audio.input.colour"), Request.SETTINGS),
        (ErrorBody(code="string_above_max_length", param="item.call_id"), Request.ITEM),
        (ErrorBody(code="invalid_value", param="previous_item_id"), Request.ITEM),
        (ErrorBody(code="unknown_parameter", param="response.mood"), Request.RESPONSE),
        (ErrorBody(code="invalid_value", param="type"), Request.OTHER),
        (ErrorBody(), Request.OTHER),
    ],
)
def test_an_error_without_an_event_is_judged_by_what_it_says(error: ErrorBody, request_: Request) -> None:
    assert refusals.request_of(error) is request_


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (ErrorBody(code="response_cancel_not_active"), Fault.BENIGN),
        (ErrorBody(code="conversation_already_has_active_response"), Fault.BENIGN),
        (ErrorBody(message=SECOND), Fault.BENIGN),
        (ErrorBody(code="invalid_value", message=TOO_LONG), Fault.BENIGN),
        (ErrorBody(code="item_truncate_invalid_item_id"), Fault.BENIGN),
        (ErrorBody(code="item_delete_invalid_item_id"), Fault.BENIGN),
        (ErrorBody(code="item_retrieve_invalid_item_id"), Fault.BENIGN),
        (ErrorBody(code="input_audio_buffer_commit_empty"), Fault.BENIGN),
        (ErrorBody(code="invalid_value"), Fault.REQUEST),
        (ErrorBody(code="unknown_parameter"), Fault.REQUEST),
        (ErrorBody(code="unsupported_content_type"), Fault.REQUEST),
        (ErrorBody(code="cannot_update_voice"), Fault.REQUEST),
        (ErrorBody(code="a_code_of_tomorrow"), Fault.REQUEST),
        (ErrorBody(), Fault.REQUEST),
        (ErrorBody(type="server_error"), Fault.TRANSIENT),
        (ErrorBody(type="server_error", code="a_code_of_tomorrow"), Fault.TRANSIENT),
        (ErrorBody(code="rate_limit_exceeded"), Fault.TRANSIENT),
        (ErrorBody(code="inference_rate_limit_exceeded"), Fault.TRANSIENT),
        (ErrorBody(type="insufficient_quota"), Fault.FATAL),
        (ErrorBody(code="insufficient_quota"), Fault.FATAL),
        (ErrorBody(code="invalid_api_key"), Fault.FATAL),
        (ErrorBody(code="account_deactivated"), Fault.FATAL),
        (ErrorBody(code="billing_hard_limit_reached"), Fault.FATAL),
        (ErrorBody(type="invalid_request_error", code="session_expired"), Fault.FATAL),
        (ErrorBody(code="beta_api_shape_disabled"), Fault.FATAL),
        (ErrorBody(code="invalid_model"), Fault.FATAL),
        (ErrorBody(code="missing_model"), Fault.FATAL),
        (ErrorBody(code="model_not_found"), Fault.FATAL),
    ],
)
def test_how_bad_an_error_is(error: ErrorBody, fault: Fault) -> None:
    assert refusals.fault_of(error) is fault


def test_the_item_of_a_refused_addition_is_known() -> None:
    event_id = refusals.event_id_for(Request.ITEM, "it-em_7")
    assert refusals.item_of(ErrorBody(event_id=event_id)) == ItemId("it-em_7")
    assert refusals.item_of(ErrorBody(event_id=refusals.event_id_for(Request.DELETE, 7))) is None
    assert refusals.item_of(ErrorBody()) is None


def test_the_code_is_the_vendors_word_or_nothing() -> None:
    assert refusals.code_of(ErrorBody(type="invalid_request_error", code="invalid_value")) == "invalid_value"
    assert refusals.code_of(ErrorBody(type="server_error")) == "server_error"
    assert refusals.code_of(ErrorBody()) == ""


@pytest.mark.parametrize(
    ("status", "body", "reason", "is_final", "is_crowded"),
    [
        (401, b"no", "http_401", True, False),
        (401, b'{"error":{"code":"PermissionDenied"}}', "http_401_PermissionDenied", True, False),
        (401, b'{"error":{"code":"401","message":"Access denied"}}', "http_401", True, False),
        (401, b'{"statusCode":401,"message":"Unauthorized."}', "http_401", True, False),
        (404, b'{"error":{"code":"DeploymentNotFound"}}', "http_404_DeploymentNotFound", True, False),
        (400, b'{"error":{"code":"two words\\n"}}', "http_400", True, False),
        (301, b"", "http_301", True, False),
        (429, b"", "http_429", False, True),
        (429, b'{"error":{"code":"insufficient_quota"}}', "http_429_insufficient_quota", True, False),
        (408, b"", "http_408", False, False),
        (500, b"\xff", "http_500", False, False),
        (503, b'{"error":"busy"}', "http_503", False, False),
    ],
)
def test_what_a_refusal_by_http_means(status: int, body: bytes, reason: str, is_final: bool, is_crowded: bool) -> None:
    assert refusals.judge_status(status, body) == (reason, is_final, is_crowded)


@pytest.mark.parametrize(
    ("error", "is_final"),
    [
        (ErrorBody(code="insufficient_quota"), True),
        (ErrorBody(code="invalid_api_key"), True),
        (ErrorBody(code="model_not_found"), True),
        (ErrorBody(code="session_expired"), False),
        (ErrorBody(code="rate_limit_exceeded"), False),
        (ErrorBody(type="server_error"), False),
        (ErrorBody(code="invalid_value"), False),
    ],
)
def test_whether_a_new_session_would_meet_the_same_error(error: ErrorBody, is_final: bool) -> None:
    assert refusals.is_final(error) is is_final


@pytest.mark.parametrize("code", [1008, 1009, 3000, 3003, 4000, 4004])
def test_closes_that_another_try_would_meet_again(code: int) -> None:
    assert refusals.is_final_close(f"close_{code}")


PASSING = (1000, 1001, 1005, 1006, 1011, 1012, 1013, 1015, 4001)


@pytest.mark.parametrize("reason", [*(f"close_{code}" for code in PASSING), "ping_timeout"])
def test_closes_that_another_try_may_not_meet(reason: str) -> None:
    assert not refusals.is_final_close(reason)


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (ErrorBody(param="session.audio.input.noise_reduction"), "audio.input.noise_reduction"),
        (ErrorBody(param="session.tools[0].parameters"), "tools[0].parameters"),
        (ErrorBody(message="Unknown parameter: 'session.temperature'."), "temperature"),
        (ErrorBody(param="type", message="Invalid value."), None),
        (ErrorBody(param="item.session.x"), None),
        (ErrorBody(), None),
    ],
)
def test_the_setting_that_an_error_names(error: ErrorBody, key: str | None) -> None:
    assert refusals.settings_key(error) == key


def test_the_item_of_a_refused_truncation_is_known() -> None:
    event_id = f"{refusals.event_id_for(Request.TRUNCATE, 3)}-it-em_7"
    assert refusals.item_of(ErrorBody(event_id=event_id), Request.TRUNCATE) == ItemId("it-em_7")
    assert refusals.item_of(ErrorBody(event_id=event_id)) is None
