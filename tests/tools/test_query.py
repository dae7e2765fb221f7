"""Queries of agent files: what they bind, and that they only read."""

import pytest
from sqlalchemy import text

from app.tools.query import QueryError, read_query


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("select 1", set()),
        ("select status from orders where number = :number", {"number"}),
        ("SELECT a FROM b WHERE c=:c AND d = :d or e = :c;", {"c", "d"}),
        ("select :a::text, b::int from c", {"a"}),
        ("select ':a', \":b\", '12:30', 'it''s :c' from d where e = :e", {"e"}),
        ("select 1 -- where a = :a\n from b /* :c */ where d = :d", {"d"}),
        ("select $$ :a $$, $tag$ :b $tag$ where c = :c", {"c"}),
        ("select parts[1:2] from a", set()),
        ("with late as (select * from orders) select * from late where n = :n", {"n"}),
        ("-- orders\n(select 1) union (select :a)", {"a"}),
        ("select replace(name, 'a', 'b'), updated_at, \"delete\" from inserts", set()),
    ],
)
def test_names_are_what_the_database_will_bind(sql: str, names: set[str]) -> None:
    query = read_query(sql)
    assert query.names == names
    assert set(text(query.text).compile().params) == names


def test_quoted_colons_reach_the_database_as_they_are() -> None:
    for sql in ("select ':a', 'x :: y', '12:30' from b", r"select '\:a', 'c:\d:e', ' ::f' from b"):
        assert str(text(read_query(sql).text)) == sql


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "is empty"),
        (" ; ", "is empty"),
        ("-- nothing\n", "is empty"),
        ("delete from orders", "begins with delete"),
        ("(((", r"begins with \("),
        ("Update orders set a = 1", "begins with update"),
        ("drop table orders", "begins with drop"),
        ("pragma table_info(orders)", "begins with pragma"),
        ("attach 'x' as y", "begins with attach"),
        ("select 1; select 2", "several statements"),
        ("select 1; drop table orders;", "several statements"),
        ("with a as (delete from orders returning *) select * from a", "says delete from"),
        ("with a as (insert  into b values (1)) select 1", "says insert into"),
        ("with a as (update orders set b = 1 returning *) select 1", "says update orders set"),
        ("select * into copy from orders", "says into"),
        ("select * from orders for update", "says for update"),
    ],
)
def test_what_does_not_only_read_is_refused(sql: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        read_query(sql)
