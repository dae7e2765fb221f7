"""YAML 1.2 with places: what scalars mean, where things stand, what is refused."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from app.agents.document import MAX_BYTES, MAX_DEPTH, Document, Node, Place, read_document


def root(text: str) -> Node:
    document = read_document(text.encode())
    assert document.flaws == ()
    assert document.root is not None
    return document.root


def flaw(text: str) -> tuple[int, int, str]:
    document = read_document(text.encode())
    assert len(document.flaws) == 1, document.flaws
    only = document.flaws[0]
    return only.place.line, only.place.column, only.message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("off", "off"), ("no", "no"), ("yes", "yes"), ("on", "on"), ("y", "y"), ("2026-12-25", "2026-12-25"),
        ("12:30", "12:30"), ("0o17", 15), ("017", 17), ("0x1F", 31), ("-4", -4), ("+15550100", 15550100),
        ("1_000", "1_000"), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("true", True), ("False", False),
        ("TRUE", True), ("tRue", "tRue"), ("null", None), ("~", None), ("", None), ("'5'", "5"), ('"true"', "true"),
        ("!!str 5", "5"), ("=", "="), ("<<", "<<"), ("9" * 101, "9" * 101),
    ],
)  # fmt: skip
def test_scalars_mean_what_the_core_schema_says(written: str, meant: JsonValue) -> None:
    value = root(f"key: {written}\n").value
    assert value == {"key": meant}
    assert isinstance(value, dict)
    assert type(value["key"]) is type(meant)


def test_infinity_and_not_a_number_are_floats() -> None:
    value = root("[.inf, -.INF, .nan]").value
    assert isinstance(value, list)
    assert value[:2] == [math.inf, -math.inf]
    assert isinstance(value[2], float)
    assert math.isnan(value[2])


def test_places_of_keys_and_values() -> None:
    node = root("agent: acme\ntools:\n  - name: find\n    sql: {query: 'select 1'}\n")
    assert node.place_of(("agent",)) == Place(1, 8)
    assert node.place_of_key(("agent",)) == Place(1, 1)
    assert node.place_of(("tools", 0)) == Place(3, 5)
    assert node.place_of_key(("tools", 0, "sql", "query")) == Place(4, 11)
    assert node.place_of(("tools", 0, "sql", "query")) == Place(4, 18)


def test_a_value_that_is_left_out_is_placed_at_its_key() -> None:
    root = read_document(b"a:\nb:\n  c:\n\n# d\ne: ''\n").root
    assert root is not None
    assert root.place_of(("a",)) == Place(1, 1)
    assert root.place_of(("b", "c")) == Place(3, 3)
    assert root.place_of(("e",)) == Place(6, 4)


def test_what_is_missing_is_placed_at_the_key_of_its_block() -> None:
    node = root("agent: acme\nlimits:\n  max_call_s: 5\ntools:\n  - name: find\n")
    assert node.place_of(("prompt",)) == Place(1, 1)
    assert node.place_of(("limits", "idle_hangup_s")) == Place(2, 1)
    assert node.place_of(("limits", "x", "y")) == Place(2, 1)
    assert node.place_of(("tools", 0, "sql")) == Place(5, 5)


def test_a_key_that_stands_twice_is_a_flaw_and_the_first_counts() -> None:
    document = read_document(b"a: 1\nb: 2\na: 3\n")
    assert document.root is not None
    assert document.root.value == {"a": 1, "b": 2}
    assert flaw("a: 1\nb: 2\na: 3\n") == (3, 1, "stands here twice (first in line 1); leave one out")


def test_several_flaws_are_told_at_once() -> None:
    document = read_document(b"a: 1\na: 2\nb: !secret x\nc: *none\n[x]: 3\n")
    assert [found.place.line for found in document.flaws] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\n\tb: 2\n", 2, 1, "indent with spaces"),
        ("a: b: c\n", 1, 5, "in quotes"),
        ("a: [1, 2\n", 2, 1, "brackets"),
        ("a: 'x\n", 2, 1, "quotes"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
        ("a: !!python/object:os.system x\n", 1, 4, "leave the tag out"),
        ("a: !!set {x}\n", 1, 4, "leave the tag out"),
        ("a: !mine [x]\n", 1, 4, "leave the tag out"),
        ("a: &x [*x]\n", 1, 8, "has no &x before it"),
        ("? {a: b}\n: 1\n", 1, 3, "no word"),
        ("a: \x00\n", 1, 4, "does not allow"),
        ("a: 1\nb: @x\n", 2, 4, "cannot start any token"),
        ('a: 1\nb: "\\U00110000"\n', 2, 1, "no character"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', 2, 1, "no character"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_where_it_stands(text: str, line: int, column: int, message: str) -> None:
    found = flaw(text)
    assert found[:2] == (line, column)
    assert message in found[2]


def test_a_file_that_is_not_utf8_is_refused_where_it_ends_to_be() -> None:
    document = read_document("a: 1\nb: Käse".encode("latin-1"))
    assert document.root is None
    assert document.flaws[0].place == Place(2, 5)
    assert "UTF-8" in document.flaws[0].message


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert root("\ufeffa: 1").place_of_key(("a",)) == Place(1, 1)


def test_aliases_are_the_value_they_name() -> None:
    node = root("a: &x {b: 1}\nc: *x\n")
    assert node.value == {"a": {"b": 1}, "c": {"b": 1}}
    assert node.place_of(("c", "b")) == Place(1, 11)


def test_a_small_text_that_unfolds_to_a_huge_one_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    document = read_document("\n".join(lines).encode())
    assert document.root is None
    assert "holds more than" in document.flaws[-1].message


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 50_000, "a: 1\n" * 200_000, "- " * 100_000 + "x"])
def test_deep_long_and_large_texts_are_refused(text: str) -> None:
    document = read_document(text.encode())
    assert document.flaws
    assert document.root is None


def test_a_text_beyond_the_limit_is_refused_unread() -> None:
    assert str(MAX_BYTES) in read_document(b"#" * (MAX_BYTES + 1)).flaws[0].message


def test_the_deepest_text_that_is_taken() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read_document(deepest.encode()).flaws == ()
    assert f"deeper than {MAX_DEPTH}" in flaw(f"[{deepest}]")[2]


JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text("abc:#-'\" {}[]é한", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab ", max_size=3), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)  # the machine may be busy
@given(JSON)
def test_json_is_read_as_itself(value: JsonValue) -> None:
    assert root(json.dumps(value)).value == value


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=60) | st.text("ab:-[]{}&*!|>'\"#\n ,?%@", max_size=60).map(str.encode))
def test_any_bytes_give_a_document(content: bytes) -> None:
    assert isinstance(read_document(content), Document)


def test_a_character_in_two_halves_is_one_and_half_a_character_is_refused() -> None:
    assert root(r'{"\ud83d\ude00": "\ud83d\ude00 hi"}').value == {"😀": "😀 hi"}
    for half in (r'key: "\ud83d"', r'"\ude00": v'):
        line, column, message = flaw(half)
        assert (line, message.partition(";")[2]) == (1, " write the character itself"), column
