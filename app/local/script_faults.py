"""The errors that a realtime model can send, by code: of which class each is, how the vendor words it, what follows.

Texts are shortened; the words that clients match on are the vendor's. `{…}` in a text is a field of the refused event.
"""

from dataclasses import dataclass, replace
from enum import Enum

from app.local.protocol import Wire


class FaultClass(Enum):
    """What a client is to make of an error."""

    RACE = "benign race"
    REQUEST = "request bug"
    TRANSIENT = "transient"
    FATAL = "fatal for the account"
    OVER = "the session is over"


@dataclass(frozen=True, slots=True)
class Fault:
    """One error. kind: its `type`; names_event: whether it carries the id of the client's event, if it answers one.

    close_code: of the close that follows; None: the session goes on.
    """

    name: str
    fault_class: FaultClass
    code: str | None
    message: str
    kind: str = "invalid_request_error"
    param: str | None = None
    names_event: bool = True
    close_code: int | None = None

    def wire(self) -> Wire:
        """Return the `error` event that comes by itself."""
        return {"type": "error", "error": {**self.failure(), "param": self.param, "event_id": None}}

    def failure(self) -> Wire:
        """Return what stands in a failed response."""
        return {"type": self.kind, "code": self.code, "message": self.worded({})}

    def worded(self, fields: Wire) -> str:
        """Return the message. fields: of the event that is refused."""
        message = self.message
        for name in ("item_id", "audio_end_ms", "duration_ms"):
            message = message.replace(f"{{{name}}}", str(fields.get(name, "0" if name.endswith("_ms") else "item_…")))
        return message


def _faults() -> dict[str, Fault]:
    race, request, over = FaultClass.RACE, FaultClass.REQUEST, FaultClass.OVER
    transient, fatal = FaultClass.TRANSIENT, FaultClass.FATAL
    no_item = "Item with item_id '{item_id}' not found in conversation."
    plain = [
        (race, "response_cancel_not_active", "Cancellation failed: no active response found", None),
        (
            race,
            "conversation_already_has_active_response",
            "Conversation already has an active response in progress. Wait until it is finished.",
            None,
        ),
        (race, "item_truncate_invalid_item_id", no_item, "item_id"),
        (race, "item_delete_invalid_item_id", no_item, "item_id"),
        (race, "item_retrieve_invalid_item_id", no_item, "item_id"),
        (
            race,
            "input_audio_buffer_commit_empty",
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only "
            "has 0.00ms of audio.",
            None,
        ),
        (request, "invalid_json", "The message is not valid JSON.", None),
        (request, "invalid_event", "The event is not valid.", None),
        (request, "invalid_value", "Invalid value.", None),
        (request, "invalid_type", "Invalid type.", None),
        (request, "unknown_parameter", "Unknown parameter: 'session.scripted'.", "session.scripted"),
        (request, "missing_required_parameter", "Missing required parameter: 'session.type'.", "session.type"),
        (request, "integer_below_min_value", "Invalid value: integer below minimum value.", None),
        (request, "string_above_max_length", "Invalid 'item.call_id': string too long.", "item.call_id"),
        (request, "unsupported_content_type", "Only model output audio messages can be truncated", None),
        (
            request,
            "cannot_update_voice",
            "Cannot update a conversation's voice if assistant audio is present.",
            "session.audio.output.voice",
        ),
    ]
    faults = [Fault(code, kind, code, message, param=param) for kind, code, message, param in plain]
    faults += [
        Fault(
            "too_long",
            race,
            "invalid_value",
            "Audio content of {duration_ms}ms is already shorter than {audio_end_ms}ms",
            names_event=False,
        ),
        Fault(
            "server_error", transient, None, "The server had an error while processing your request.", "server_error"
        ),
        Fault("rate_limit_exceeded", transient, "rate_limit_exceeded", "Rate limit reached.", "rate_limit_error"),
        Fault(
            "inference_rate_limit_exceeded",
            transient,
            "inference_rate_limit_exceeded",
            "Rate limit reached for inference.",
            "rate_limit_error",
        ),
        Fault(
            "insufficient_quota", fatal, "insufficient_quota", "You exceeded your current quota.", "insufficient_quota"
        ),
        Fault("invalid_api_key", fatal, "invalid_api_key", "Incorrect API key provided.", close_code=3000),
        Fault("account_deactivated", fatal, "account_deactivated", "This account was deactivated."),
        Fault("billing_hard_limit_reached", fatal, "billing_hard_limit_reached", "Billing hard limit was reached."),
        Fault(
            "session_expired",
            over,
            "session_expired",
            "Your session hit the maximum duration of 60 minutes.",
            names_event=False,
            close_code=1001,
        ),
        Fault(
            "beta_api_shape_disabled", over, "beta_api_shape_disabled", "The beta shape is disabled.", close_code=4000
        ),
        Fault("invalid_model", over, "invalid_model", "This model is not a realtime model.", close_code=4000),
        Fault("missing_model", over, "missing_model", "You must provide a model parameter.", close_code=4000),
        Fault("model_not_found", over, "model_not_found", "The model does not exist.", close_code=4004),
    ]
    return {fault.name: fault for fault in faults}


FAULTS = _faults()
"""By name, which is the code but for `too_long`: the `invalid_value` of a truncation beyond the audio."""

FAILURES = {
    name: fault for name, fault in FAULTS.items() if fault.fault_class in {FaultClass.TRANSIENT, FaultClass.FATAL}
}
"""What a failed response may have failed for."""


def altered(fault: Fault, *, message: str | None, param: str | None, close_code: int | None) -> Fault:
    """Return the fault with what a script says otherwise; None: as it is."""
    return replace(
        fault,
        message=fault.message if message is None else message,
        param=fault.param if param is None else param,
        close_code=fault.close_code if close_code is None else close_code,
    )
