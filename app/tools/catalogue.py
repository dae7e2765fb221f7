"""An agent's tools: what the model is offered, and what runs when it calls one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from pydantic import JsonValue

from app.errors import SettingsError
from app.tools.config import ToolBlock
from app.tools.database import Databases
from app.tools.parameters import Schema
from app.tools.sql import SqlRunner


class Runner(Protocol):
    """What does a tool's work."""

    async def run(self, arguments: Mapping[str, JsonValue]) -> str:
        """Return what the model is told. arguments: as the tool's schema asks. Raises ToolError; may be cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: the first three are what the model is offered. timeout_s: when it is given up."""

    name: str
    description: str
    parameters: Schema
    timeout_s: float
    runner: Runner


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The tools of one agent, in the order of its file. All its calls share it."""

    tools: tuple[Tool, ...]

    @classmethod
    def of(cls, blocks: Sequence[ToolBlock], databases: Databases) -> Self:
        """Return the tools that an agent file describes.

        Raises SettingsError, naming the tool, when the database it is to read is not configured.
        """
        return cls(tuple(_tool(block, databases) for block in blocks))

    def named(self, name: str) -> Tool | None:
        """Return the tool that the model calls so."""
        return next((tool for tool in self.tools if tool.name == name), None)


def _tool(block: ToolBlock, databases: Databases) -> Tool:
    try:
        database = databases.database(block.sql.url_env)
    except SettingsError as error:
        raise SettingsError(f"the tool {block.name} has no database: {error}") from error
    return Tool(
        name=block.name,
        description=block.description or block.name.replace("_", " ").replace("-", " "),
        parameters=block.parameters,
        timeout_s=block.timeout_s,
        runner=SqlRunner(block.sql.query, block.parameters, database),
    )
