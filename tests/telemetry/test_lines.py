import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.telemetry.lines import console_line, drop_personal, json_line, time_stamp


@pytest.mark.parametrize(
    ("seconds", "stamp"),
    [
        (1_772_357_400.0, "2026-03-01T09:30:00.000Z"),
        (1_772_357_400.1254, "2026-03-01T09:30:00.125Z"),
        (1_772_357_400.9996, "2026-03-01T09:30:01.000Z"),
    ],
)
def test_a_time_stamp_is_utc_to_the_millisecond(seconds: float, stamp: str) -> None:
    assert time_stamp(seconds) == stamp


def test_time_level_event_and_call_come_first() -> None:
    line = json_line({"zone": 1, "call_sid": "CA1", "event": "x.y", "level": "info", "timestamp": "t"})
    assert line == '{"timestamp":"t","level":"info","event":"x.y","call_sid":"CA1","zone":1}'


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.integers(), st.binary(), st.just(object()))))
def test_whatever_is_logged_is_one_line_of_json(fields: dict[str, object]) -> None:
    line = json_line(dict(fields))
    assert "\n" not in line
    assert isinstance(json.loads(line), dict)


def test_half_a_surrogate_pair_is_written_all_the_same() -> None:
    assert json.loads(json_line({"event": "x", "reason": "\ud800"})) == {"event": "x", "reason": "\ud800"}


def test_personal_keys_are_dropped_at_any_depth() -> None:
    fields = {"event": "x", "pii_number": "+15550100", "peer": {"pii_words": "hello", "port": 1}}
    assert drop_personal(None, "info", fields) == {"event": "x", "peer": {"port": 1}}


def test_a_console_line_shows_event_and_fields() -> None:
    line = console_line(colors=False)({"timestamp": "t", "level": "info", "event": "call.start", "agent": "acme"})
    assert line.split() == ["t", "[info", "]", "call.start", "agent=acme"]
