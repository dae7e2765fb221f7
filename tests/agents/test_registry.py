"""Which agent answers which number, and what happens to files that cannot be served."""

from pathlib import Path

import pytest

from app.agents.registry import Registry, files_beneath

SAMPLES = Path(__file__).parents[2] / "deploy" / "agents"


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, "prompt: p", "disclosure: {text: AI}", ""]))
    return path


def answering(registry: Registry, number: str) -> str | None:
    agent = registry.for_number(number)
    return agent.agent if agent else None


def test_the_samples_answer_their_numbers() -> None:
    registry = Registry.load(SAMPLES)
    assert registry.mistakes == ()
    assert answering(registry, "+15550100") == "acme-orders"
    assert answering(registry, "+8225550100") == "hanbit-orders"
    assert answering(registry, "+4930123456") == "acme-orders", "the default one"


def test_the_korean_sample_speaks_korean() -> None:
    agent = Registry.load(SAMPLES).named("hanbit-orders")
    assert agent is not None
    assert agent.language == "ko-KR"
    for text in (agent.disclosure.text, agent.greeting, agent.prompt):
        assert text
        assert any("가" <= letter <= "힣" for letter in text)


def test_a_named_number_goes_before_the_default_one(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "agent: a", "default: true")
    write(tmp_path, "b.yml", "agent: b", 'phone_numbers: ["+15550100"]')
    registry = Registry.load(tmp_path)
    assert answering(registry, "+15550100") == "b"
    assert answering(registry, " +15550100 ") == "b"
    assert answering(registry, "+15550199") == "a"


def test_the_only_agent_answers_every_number(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "agent: a", 'phone_numbers: ["+15550100"]')
    assert answering(Registry.load(tmp_path), "+15550199") == "a"


def test_of_two_without_a_default_nobody_answers_an_unknown_number(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "agent: a", 'phone_numbers: ["+15550100"]')
    write(tmp_path, "b.yaml", "agent: b")
    assert answering(Registry.load(tmp_path), "+15550199") is None


@pytest.mark.parametrize("folder", ["none", "empty"])
def test_without_agents_nobody_answers(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    registry = Registry.load(tmp_path / folder)
    assert (registry.agents, registry.mistakes) == ((), ())
    assert answering(registry, "+15550100") is None


def test_good_files_are_served_beside_a_mistaken_one(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "agent: a", 'phone_numbers: ["+15550100"]', "colour: red")
    write(tmp_path, "b.yaml", "agent: b", 'phone_numbers: ["+15550101"]')
    registry = Registry.load(tmp_path)
    assert [agent.agent for agent in registry.agents] == ["b"]
    assert [mistake.key for mistake in registry.mistakes] == ["colour"]
    assert answering(registry, "+15550101") == "b"
    assert answering(registry, "+15550199") == "b"
    assert answering(registry, "+15550100") is None, "a caller of a's must not reach b"


def test_the_default_agent_stands_in_for_a_mistaken_one(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "agent: a", 'phone_numbers: ["+15550100"]', "colour: red")
    write(tmp_path, "b.yaml", "agent: b", "default: true")
    assert answering(Registry.load(tmp_path), "+15550100") == "b", "that is what a default agent is for"


def test_a_conflict_leaves_the_first_file_in_service(tmp_path: Path) -> None:
    first = write(tmp_path, "a.yaml", "agent: a", "default: true", 'phone_numbers: ["+15550100"]')
    write(tmp_path, "b.yaml", "agent: b", 'phone_numbers: ["+15550101", "+15550100"]')
    write(tmp_path, "c.yaml", "agent: a")
    write(tmp_path, "d.yaml", "agent: d", "default: true")
    registry = Registry.load(tmp_path)
    assert [agent.agent for agent in registry.agents] == ["a"]
    told = [str(mistake).removeprefix(f"{tmp_path}/") for mistake in registry.mistakes]
    assert told == [
        f"b.yaml:2:30: phone_numbers[1]: +15550100 is answered by a; leave it to one of the two (see {first}:3)",
        f"c.yaml:1:8: agent: a is the id of another agent; write one of its own (see {first}:1)",
        f"d.yaml:2:10: default: a is the default agent already; leave one of the two out (see {first}:2)",
    ]


def test_files_are_found_beneath_and_hidden_ones_passed_over(tmp_path: Path) -> None:
    here = write(tmp_path, "z.yaml", "agent: z")
    below = write(tmp_path / "shop", "a.yml", "agent: a")
    write(tmp_path / "..2026_11_20", "z.yaml", "agent: z")
    write(tmp_path, ".draft.yaml", "agent: draft")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "notes.txt").write_text("no agent")
    assert files_beneath(tmp_path) == (below, here)
