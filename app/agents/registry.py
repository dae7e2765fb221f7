"""Which agent answers which number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.agents.loader import Mistaken, load
from app.agents.mistakes import Mistake, in_order, mistake
from app.agents.schema import AgentFile
from app.session.block import Location


@dataclass(frozen=True, slots=True)
class Registry:
    """The agents that can be served, ordered by file, and the mistakes of the files that cannot.

    mistaken: those files. A file that conflicts with one before it is among them.
    """

    agents: tuple[AgentFile, ...]
    mistaken: tuple[Mistaken, ...]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what the agent files beneath a folder give. A folder that is missing or empty gives no agents."""
        return cls.of(files_beneath(folder))

    @classmethod
    def of(cls, files: Iterable[Path]) -> Self:
        """Return what these agent files give."""
        agents: list[AgentFile] = []
        mistaken: list[Mistaken] = []
        for file in files:
            loaded = load(file)
            if isinstance(loaded, AgentFile) and (conflicts := _conflicts(loaded, agents)):
                loaded = Mistaken(file, conflicts, frozenset(loaded.phone_numbers))
            if isinstance(loaded, AgentFile):
                agents.append(loaded)
            else:
                mistaken.append(loaded)
        return cls(tuple(agents), tuple(mistaken))

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """All mistakes, in the order of files and lines."""
        return in_order(mistake for file in self.mistaken for mistake in file.mistakes)

    def for_number(self, dialled: str) -> AgentFile | None:
        """Return who answers a dialled number: who names it, else the default agent, else the only one, else nobody.

        A number that a mistaken file names is not for the only other agent: its callers would reach another business.
        A default agent takes it, since answering what no other agent can is what it was made the default for.
        """
        dialled = dialled.strip()
        for agent in self.agents:
            if dialled in agent.phone_numbers:
                return agent
        for agent in self.agents:
            if agent.default:
                return agent
        if len(self.agents) == 1 and not any(dialled in file.phone_numbers for file in self.mistaken):
            return self.agents[0]
        return None

    def named(self, agent: str) -> AgentFile | None:
        """Return the agent with this id."""
        return next((one for one in self.agents if one.agent == agent), None)


def files_beneath(folder: Path) -> tuple[Path, ...]:
    """Return the YAML files beneath a folder, in order.

    Names with a leading dot are passed over: Kubernetes keeps the versions of a mounted ConfigMap in such folders and
    links to the newest.
    """
    found = (path for pattern in ("*.yaml", "*.yml") for path in folder.rglob(pattern))
    visible = (path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    return tuple(sorted(path for path in visible if path.is_file()))


def _conflicts(agent: AgentFile, others: Sequence[AgentFile]) -> tuple[Mistake, ...]:
    """Return where an agent claims what one read before it has."""
    found = []
    for other in others:
        claims: list[tuple[Location, str]] = [
            (("phone_numbers", position), f"{number} is answered by {other.agent}; leave it to one of the two")
            for position, number in enumerate(agent.phone_numbers)
            if number in other.phone_numbers
        ]
        if agent.agent == other.agent:
            claims.append((("agent",), f"{agent.agent} is the id of another agent; write one of its own"))
        if agent.default and other.default:
            claims.append((("default",), f"{other.agent} is the default agent already; leave one of the two out"))
        for location, message in claims:
            place = other.place_of(location if location[0] != "phone_numbers" else ("phone_numbers",))
            beside = f"{message} (see {other.source}:{place.line})"
            found.append(mistake(agent.source, agent.place_of(location), location, beside))
    return in_order(found)
