"""From the agent file's tools to what is offered and what runs."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from app.agents.loader import load
from app.agents.schema import AgentFile
from app.errors import SettingsError
from app.tools.catalogue import Catalogue
from app.tools.config import ToolBlock
from app.tools.database import Databases

SAMPLES = sorted((Path(__file__).parents[2] / "deploy" / "agents").glob("*.yaml"))


def block(**values: object) -> ToolBlock:
    return ToolBlock.model_validate({"name": "find-order", "sql": {"query": "select 1 as one"}} | values)


def test_the_order_of_the_file_is_kept(tmp_path: Path) -> None:
    source = Databases(default_url="sqlite:///a.db", data_dir=tmp_path, environ={})
    catalogue = Catalogue.of([block(name="b"), block(name="a")], source)
    assert [tool.name for tool in catalogue.tools] == ["b", "a"]
    assert catalogue.named("a") is catalogue.tools[1]
    assert catalogue.named("c") is None


def test_a_tool_without_a_description_is_described_by_its_name(tmp_path: Path) -> None:
    source = Databases(default_url="sqlite:///a.db", data_dir=tmp_path, environ={})
    catalogue = Catalogue.of([block(), block(name="b", description="Finds.")], source)
    assert [tool.description for tool in catalogue.tools] == ["find order", "Finds."]


def test_a_database_that_is_not_configured_is_told_with_the_tool(tmp_path: Path) -> None:
    source = Databases(default_url="sqlite:///a.db", data_dir=tmp_path, environ={})
    wanting = block(sql={"query": "select 1", "url_env": "ORDERS_DATABASE_URL"})
    with pytest.raises(SettingsError, match="the tool find-order has no database: ORDERS_DATABASE_URL is not set"):
        Catalogue.of([wanting], source)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_the_samples_look_orders_up(sample: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("create table orders (number text primary key, status text, eta text)")
    connection.execute("insert into orders values ('1042', 'in transit', '2026-11-25')")
    connection.commit()
    connection.close()
    agent = load(sample)
    assert isinstance(agent, AgentFile)

    async def scenario() -> str:
        source = Databases(default_url="sqlite:///shop.db", data_dir=tmp_path, environ={})
        tool = Catalogue.of(agent.tools, source).named("lookup_order")
        assert tool is not None
        try:
            return await tool.runner.run({"order_number": "1042"})
        finally:
            await source.close()

    assert asyncio.run(scenario()) == '{"rows": [{"status": "in transit", "eta": "2026-11-25"}]}'
