"""What a model's `error` events mean: how bad each is, and which request of ours it answers.

Every event of ours but the appends carries an id that tells what it asks for, so that an error that names it needs no
memory here. Errors that come by themselves, or forget the id (seen for truncations), are judged by their code.
"""

import re

import msgspec

from app.model.messages import ErrorBody
from app.session.words import Fault, ItemId, Request

_FAULT_OF_CODE = {
    "response_cancel_not_active": Fault.BENIGN,
    "conversation_already_has_active_response": Fault.BENIGN,
    "item_truncate_invalid_item_id": Fault.BENIGN,
    "item_delete_invalid_item_id": Fault.BENIGN,
    "item_retrieve_invalid_item_id": Fault.BENIGN,
    "input_audio_buffer_commit_empty": Fault.BENIGN,
    "rate_limit_exceeded": Fault.TRANSIENT,
    "inference_rate_limit_exceeded": Fault.TRANSIENT,
    "server_error": Fault.TRANSIENT,
    "insufficient_quota": Fault.FATAL,
    "invalid_api_key": Fault.FATAL,
    "account_deactivated": Fault.FATAL,
    "billing_hard_limit_reached": Fault.FATAL,
    "session_expired": Fault.FATAL,
    "beta_api_shape_disabled": Fault.FATAL,
    "invalid_model": Fault.FATAL,
    "missing_model": Fault.FATAL,
    "model_not_found": Fault.FATAL,
}
_REQUEST_OF_CODE = {
    "response_cancel_not_active": Request.CANCEL,
    "conversation_already_has_active_response": Request.RESPONSE,
    "item_truncate_invalid_item_id": Request.TRUNCATE,
    "unsupported_content_type": Request.TRUNCATE,
    "item_delete_invalid_item_id": Request.DELETE,
    "cannot_update_voice": Request.SETTINGS,
}
_REQUEST_OF_PARAM = {
    "session": Request.SETTINGS,
    "item": Request.ITEM,
    "previous_item_id": Request.ITEM,
    "audio_end_ms": Request.TRUNCATE,
    "response": Request.RESPONSE,
    "response_id": Request.CANCEL,
}
"""By the first part of the parameter that the server found wrong."""


_RENEWABLE = frozenset({"session_expired"})
"""Fatal for the session alone: a new one is as good as new."""
_CROWDED = frozenset({"rate_limit_exceeded", "inference_rate_limit_exceeded", "rate_limit_error", "too_many_sessions"})
_FINAL_CLOSES = frozenset({"close_1008", "close_1009", "close_3000", "close_3003", "close_4000", "close_4004"})
"""Policy, a message too big, authentication, and a model or a shape that is not served."""
_PASSING_STATUS = frozenset({408, 425, 429})
_PLAIN_CODE = re.compile(r"[A-Za-z][A-Za-z_]{1,60}")
_SESSION_KEY = re.compile(r"session\.([\w.\[\]]+)")


class _HttpBody(msgspec.Struct):
    error: ErrorBody


_decode_http_body = msgspec.json.Decoder(_HttpBody).decode


def event_id_for(request: Request, subject: str | int) -> str:
    """Return the id for a client event, from which an error that echoes it can be read back."""
    return f"{request.value}-{subject}"


def fault_of(error: ErrorBody) -> Fault:
    """Return how bad it is. What is not known is our request's fault, and what is the server's passes."""
    known = _FAULT_OF_CODE.get(error.code or "")
    if known is not None:
        return known
    if error.type in ("server_error", "rate_limit_error") or error.type in _FAULT_OF_CODE:
        return _FAULT_OF_CODE.get(error.type, Fault.TRANSIENT)
    if _is_too_long_a_truncation(error) or _is_second_response(error):
        return Fault.BENIGN
    return Fault.REQUEST


def request_of(error: ErrorBody) -> Request:
    """Return which request of ours failed, by the id it had, else by what the error says."""
    if error.event_id:
        try:
            return Request(error.event_id.partition("-")[0])
        except ValueError:
            return Request.OTHER  # not an id of ours
    by_code = _REQUEST_OF_CODE.get(error.code or "")
    if by_code is not None:
        return by_code
    if _is_too_long_a_truncation(error):
        return Request.TRUNCATE
    if _is_second_response(error):
        return Request.RESPONSE
    return _REQUEST_OF_PARAM.get((error.param or "").partition(".")[0], Request.OTHER)


def item_of(error: ErrorBody, request: Request = Request.ITEM) -> ItemId | None:
    """Return the item that we wanted to add, or to truncate, if that is what failed and the error says so."""
    kind, _, subject = (error.event_id or "").partition("-")
    if kind != request.value:
        return None
    return ItemId(subject.partition("-")[2] if request is Request.TRUNCATE else subject)


def settings_key(error: ErrorBody) -> str | None:
    """Return the key of the session's settings that was found wrong, dotted, if the error names one."""
    named = _SESSION_KEY.match(error.param or "") or _SESSION_KEY.search(error.message or "")
    return named[1].rstrip(".") if named else None


def is_final(error: ErrorBody) -> bool:
    """Would a new session with the same provider meet the same error?"""
    return fault_of(error) is Fault.FATAL and error.code not in _RENEWABLE


def is_crowded(error: ErrorBody) -> bool:
    """Does the provider say that there are too many sessions?"""
    return error.code in _CROWDED or error.type in _CROWDED


def is_final_close(reason: str) -> bool:
    """Would a new session be closed so too? reason: `close_` and the code."""
    return reason in _FINAL_CLOSES


def judge_status(status: int, body: bytes) -> tuple[str, bool, bool]:
    """Return what an upgrade's refusal by HTTP means: the reason for logs, is it final, are there too many sessions.

    A body in the vendor's shape adds its code, which tells a quota that is used up from a moment's crowd.
    """
    try:
        error = _decode_http_body(body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        error = ErrorBody()
    code = error.code if error.code and _PLAIN_CODE.fullmatch(error.code) else ""
    reason = f"http_{status}_{code}" if code else f"http_{status}"
    final = is_final(error) or (300 <= status < 500 and status not in _PASSING_STATUS)
    return reason, final, status == 429 and not final


def code_of(error: ErrorBody) -> str:
    """Return the vendor's word for it: the code, else the type, else nothing."""
    return error.code or error.type or ""


def _is_too_long_a_truncation(error: ErrorBody) -> bool:
    # the code, invalid_value, is shared with honest mistakes, and the error names no event
    return "already shorter than" in (error.message or "")


def _is_second_response(error: ErrorBody) -> bool:
    # older servers send it without a code
    return not error.code and "already has an active response" in (error.message or "")
