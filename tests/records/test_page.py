import msgspec
import pytest

from app.records.page import page
from app.records.record import ToolCallRecord, TurnRecord
from app.session.words import DisclosureResult, Speaker, ToolStatus
from tests.support.records import a_record

pytestmark = pytest.mark.core


def test_a_typical_call_on_a_page() -> None:
    assert page(a_record()).splitlines() == [
        "call      CA0123456789abcdef0123456789abcdef",
        "agent     acme-orders (version 3f2a91c0)",
        "time      2026-03-01T09:30:00.000Z to 2026-03-01T09:30:12.000Z, 12.0 s",
        "outcome   caller_hung_up",
        "          4 turns, 1 barge-in, 1 tool call",
        "cost      0.0125 US$",
        "",
        "disclosure (en-US) heard to its end, proven by mark 1:2",
        "     0.01 –    3.15 s  agent   You are speaking with an automated AI assistant.",
        "  sha256 19cd1589e38fb29e727c508051d1e6a8115b805f2013401fc49634e8485d6039",
        "",
        "turns",
        "     3.90 –    5.50 s  caller  Where is my order 1042?",
        "     6.45 –    7.95 s  agent   Your order has shipped",
        "                       unheard … and comes on Friday.",
        "     7.90 –    8.30 s  caller  (not written down)",
        "     9.50 –   10.90 s  agent   You are welcome. Goodbye.",
        "",
        "tool calls",
        '  lookup_order {"order_number":"1042"}',
        '    ok: {"status": "shipped"}',
        "",
        "usage",
        "  input_tokens                      250",
        "  output_tokens                      70",
        "  transcription.input_tokens         20",
        "  transcription.output_tokens         6",
    ]


@pytest.mark.parametrize(
    ("cost_usd", "usage", "told"),
    [
        (0.5, {}, ["cost      0.5000 US$"]),
        (0.0, {"input_tokens": 1}, ["cost      0.0000 US$"]),
        (None, {"input_tokens": 1}, ["cost      not known: the price of something that was used is missing"]),
        (0.0, {}, ["cost      0.0000 US$"]),
        (None, {}, []),
    ],
)
def test_what_a_call_cost(cost_usd: float | None, usage: dict[str, int], told: list[str]) -> None:
    lines = page(msgspec.structs.replace(a_record(), cost_usd=cost_usd, usage=usage)).splitlines()
    assert [line for line in lines if line.startswith("cost")] == told


def turn_lines(generated: str | None, heard: str | None) -> list[str]:
    turn = TurnRecord(speaker=Speaker.AGENT, generated=generated, heard=heard, start_ms=0, end_ms=1000)
    lines = page(msgspec.structs.replace(a_record(), turns=[turn], tool_calls=[], usage={})).splitlines()
    return [line[23:] for line in lines[lines.index("turns") + 1 :]]


@pytest.mark.parametrize(
    ("generated", "heard", "lines"),
    [
        ("All of it.", "All of it.", ["agent   All of it."]),
        ("All of it.", "", ["agent   ", "unheard All of it."]),
        ("All of it.", None, ["agent   (not written down)", "unheard All of it."]),
        ("All of it.", "something else", ["agent   something else", "unheard All of it."]),
        (
            "word " * 20,
            "word " * 20,
            ["agent   " + " ".join(["word"] * 14), "        " + " ".join(["word"] * 6)],
        ),
        ("clear\x1b[2J\nscreen", "clear\x1b[2J\nscreen", ["agent   clear�[2J screen"]),
    ],
)
def test_what_was_heard_of_a_turn(generated: str, heard: str | None, lines: list[str]) -> None:
    assert turn_lines(generated, heard) == lines


def test_a_call_in_which_nothing_was_said() -> None:
    record = a_record()
    disclosure = msgspec.structs.replace(
        record.disclosure, result=DisclosureResult.HANGUP, end_ms=None, mark=None, interruptions=2
    )
    empty = msgspec.structs.replace(
        record, disclosure=disclosure, turns=[], tool_calls=[], usage={}, cost_usd=None, barge_ins=0, model_losses=1
    )
    assert page(empty).splitlines()[4:] == [
        "          0 turns, 0 barge-ins, 0 tool calls, 1 model loss",
        "",
        "disclosure (en-US) not heard to its end: the call was over before, cut 2 times",
        "     0.01 –       ? s  agent   You are speaking with an automated AI assistant.",
        "  sha256 19cd1589e38fb29e727c508051d1e6a8115b805f2013401fc49634e8485d6039",
        "",
        "turns",
        "  none",
    ]


def test_arguments_that_are_no_object_are_shown_as_they_were_written() -> None:
    call = ToolCallRecord(name="find", arguments='{"order', result="bad arguments", status=ToolStatus.ERROR)
    assert page(msgspec.structs.replace(a_record(), tool_calls=[call], usage={})).splitlines()[-2:] == [
        '  find {"order',
        "    error: bad arguments",
    ]
