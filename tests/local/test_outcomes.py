import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.local.outcomes import Detail, Verdict, detail_of, read_outcome

pytestmark = pytest.mark.core

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("output", "verdict", "records"),
    [
        (
            '{"rows":[{"status":"shipped","eta":"2026-11-25"}]}',
            Verdict.FOUND,
            [{"status": "shipped", "eta": "2026-11-25"}],
        ),
        ('{"rows":[],"row_count":0}', Verdict.NOTHING, []),
        ('{"status":"shipped"}', Verdict.FOUND, [{"status": "shipped"}]),
        ('[{"status":"shipped"},{"status":"open"}]', Verdict.FOUND, [{"status": "shipped"}, {"status": "open"}]),
        (
            '{"order":{"status":"open","ship_to":{"city":"Bonn"}}}',
            Verdict.FOUND,
            [{"order_status": "open", "order_ship_to_city": "Bonn"}],
        ),
        ('{"items":[{"name":"Lamp"}],"status":"open"}', Verdict.FOUND, [{"items": "Lamp", "status": "open"}]),
        ("[]", Verdict.NOTHING, []),
        ("null", Verdict.NOTHING, []),
        ("", Verdict.NOTHING, []),
        ('{"found":false}', Verdict.NOTHING, []),
        ('{"error":"order not found"}', Verdict.NOTHING, []),
        ('{"error":{"message":"the database did not answer"}}', Verdict.FAILED, []),
        ('{"status":"error","message":"broken"}', Verdict.FAILED, []),
        ('{"success":false}', Verdict.FAILED, []),
        ("Error: timed out", Verdict.FAILED, []),
        ('{"ok":true}', Verdict.DONE, []),
        ('{"rows_affected":1}', Verdict.DONE, []),
        ('{"rows_affected":0}', Verdict.NOTHING, []),
        ("true", Verdict.DONE, []),
        ("Done.", Verdict.DONE, []),
        ('{"error":"ask the caller to confirm, then call again"}', Verdict.ASK_FIRST, []),
        ("Order 1042 is on its way.", Verdict.TOLD, []),
        ('{"result":"Order 1042 is on its way."}', Verdict.TOLD, []),
        ("42.5", Verdict.FOUND, [{"result": 42.5}]),
    ],
)
def test_each_shape_of_an_answer_is_read(output: str, verdict: Verdict, records: list[dict[str, object]]) -> None:
    outcome = read_outcome(output, is_look_up=True)
    assert outcome.verdict is verdict
    assert list(outcome.records) == records


@pytest.mark.parametrize("output", ["null", "", '""', "{}", "[]", " "])
def test_nothing_means_done_where_there_was_nothing_to_find(output: str) -> None:
    assert read_outcome(output, is_look_up=False).verdict is Verdict.DONE
    assert read_outcome(output, is_look_up=True).verdict is Verdict.NOTHING


@pytest.mark.parametrize("output", ['{"rows": []}', '{"rows_affected":0}', "false", '{"found":false}'])
def test_a_tool_that_says_that_there_was_none_is_believed(output: str) -> None:
    assert read_outcome(output, is_look_up=False).verdict is Verdict.NOTHING


def test_what_is_nested_too_deep_to_be_read_is_a_failure() -> None:
    for levels in (150, 400, 100_000):
        outcome = read_outcome("[" * levels + "]" * levels, is_look_up=True)
        assert outcome.verdict is Verdict.FAILED


@given(JSON)
def test_any_json_is_read(value: object) -> None:
    outcome = read_outcome(json.dumps(value), is_look_up=True)
    assert bool(outcome.records) == (outcome.verdict is Verdict.FOUND)


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    read_outcome(text, is_look_up=True)


@pytest.mark.parametrize(
    ("field", "detail"),
    [
        ("status", Detail.STATUS),
        ("orderStatus", Detail.STATUS),
        ("eta", Detail.ARRIVAL),
        ("expected_delivery", Detail.ARRIVAL),
        ("delivery_address", Detail.PLACE),
        ("delivery_fee", Detail.PRICE),
        ("tracking_number", Detail.TRACKING),
        ("total", Detail.PRICE),
        ("carrier", Detail.CARRIER),
        ("created_at", Detail.DATE),
        ("colour", Detail.OTHER),
    ],
)
def test_a_field_tells_what_its_name_says(field: str, detail: Detail) -> None:
    assert detail_of(field) is detail
