"""Log lines of one call, as they come out of a log."""

from app.telemetry.lines import time_stamp

CALL_SID = "CA01234567"
STARTED_AT = 1_772_357_400.0


def line(after_s: float, event: str, **fields: object) -> dict[str, object]:
    return {
        "timestamp": time_stamp(STARTED_AT + after_s),
        "level": "info",
        "event": event,
        "call_sid": CALL_SID,
        **fields,
    }


START = line(0.0, "call.start", agent="acme-orders", agent_version="3f2a91c0", language="en-US")
END = line(
    12.4,
    "call.end",
    agent="acme-orders",
    outcome="caller_hung_up",
    duration_s=12.0,
    turns=4,
    barge_ins=1,
    tool_calls=0,
    model_losses=0,
    usage={},
    cost_usd=None,
    first_audio_ms=12,
    response_p50_ms=575,
    response_max_ms=700,
)
