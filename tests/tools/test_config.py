"""The tools block: names, parameters and queries that fit together."""

import pytest
from pydantic import ValidationError

from app.tools.config import SqlBlock, ToolBlock

PARAMETERS = {"type": "object", "properties": {"number": {"type": "string"}, "list": {"type": "array"}}}


def tool(**values: object) -> ToolBlock:
    return ToolBlock.model_validate({"name": "find", "sql": {"query": "select 1"}} | values)


def test_a_name_and_a_query_are_enough() -> None:
    least = tool()
    assert (least.description, least.timeout_s) == ("", 5)
    assert least.parameters == {"type": "object", "properties": {}}
    assert least.sql.url_env is None


@pytest.mark.parametrize("name", ["lookup_order", "a", "A-1", "x" * 64])
def test_names_that_models_take(name: str) -> None:
    assert tool(name=name).name == name


@pytest.mark.parametrize("name", ["", "look up", "주문조회", "x" * 65, "a.b", "a\n"])
def test_names_that_models_refuse(name: str) -> None:
    with pytest.raises(ValidationError, match="is no name for a tool"):
        tool(name=name)


@pytest.mark.parametrize("timeout_s", [0, -1, 121, "5", True])
def test_the_time_is_some_seconds(timeout_s: object) -> None:
    with pytest.raises(ValidationError):
        tool(timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select :nummer", "did you mean :number"),
        ("select :zzz", "add zzz to the tool's parameters.properties"),
        ("select :list", "an array, which a query cannot bind"),
        ("delete from orders", "begins with delete"),
    ],
)
def test_a_query_binds_scalar_parameters_of_the_tool(query: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as refusal:
        tool(parameters=PARAMETERS, sql={"query": query})
    assert [error["loc"] for error in refusal.value.errors()] == [("sql", "query")]


def test_a_query_need_not_bind_every_parameter() -> None:
    assert tool(parameters=PARAMETERS, sql={"query": "select :number"}).sql.query == "select :number"


def test_a_variable_is_named_and_a_url_is_not_repeated() -> None:
    assert SqlBlock(query="select 1", url_env="ORDERS_DATABASE_URL").url_env == "ORDERS_DATABASE_URL"
    with pytest.raises(ValidationError, match="write the name of the environment variable"):
        SqlBlock(query="select 1", url_env="sqlite:///orders.db")
    with pytest.raises(ValidationError, match="is no name of an environment variable"):
        SqlBlock(query="select 1", url_env="ORDERS DATABASE")
