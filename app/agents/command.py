"""What `dialtone check` and `dialtone schema` do."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from app.agents.registry import Registry, files_beneath
from app.agents.schema import AgentFile, json_schema
from app.speech.local import LocalSynthesizer

DONE, FOUND_WRONG, ASKED_WRONG = 0, 1, 2


def check(paths: Sequence[Path], *, as_json: bool, out: TextIO) -> int:
    """Check agent files, and folders of them, one by one and against each other; return the exit status.

    Prints a line for each mistake, or a line for each file when there is none, with a warning where a voice is missing;
    as_json: a list of the mistakes. What was asked wrong goes to standard error.
    """
    files: list[Path] = []
    for path in paths:
        found = files_beneath(path) if path.is_dir() else (path,)
        if not path.exists():
            print(f"{path}: there is no such file or folder; name an agent file or a folder of them", file=sys.stderr)
            return ASKED_WRONG
        if not found:
            print(f"{path}: no agent file beneath it; name a folder that holds *.yaml files", file=sys.stderr)
            return ASKED_WRONG
        files += [file for file in found if file not in files]
    if not files:
        print("nothing to check; name an agent file or a folder of them", file=sys.stderr)
        return ASKED_WRONG
    registry = Registry.of(files)
    mistakes = registry.mistakes
    if as_json:
        listing = [
            {"file": str(one.file), "line": one.line, "column": one.column, "key": one.key, "message": one.message}
            for one in mistakes
        ]
        print(json.dumps(listing, ensure_ascii=False, indent=2), file=out)
    elif mistakes:
        for mistake in mistakes:
            print(mistake, file=out)
    else:
        voice = LocalSynthesizer()
        for agent in registry.agents:
            print(_summary(agent), file=out)
            if not voice.speaks(agent.language):
                print(_without_voice(agent), file=out)
    return FOUND_WRONG if mistakes else DONE


def schema(out: TextIO) -> int:
    """Print the JSON Schema of the agent file; return the exit status."""
    print(json.dumps(json_schema(), ensure_ascii=False, indent=2), file=out)
    return DONE


def _without_voice(agent: AgentFile) -> str:
    place = agent.place_of(("language",))
    here = (
        f"{agent.source}:{place.line}:{place.column}: language: warning: no embedded voice for {agent.language} is here"
    )
    if agent.voice is not None:
        return f"{here}, so this agent cannot be served; install 'dialtone[local-espeak]', or leave voice out"
    return (
        f"{here}: Twilio's <Say> speaks the disclosure, the model begins instead of the greeting, other phrases are "
        "left out; install 'dialtone[local-espeak]', or write a language that is spoken"
    )


def _summary(agent: AgentFile) -> str:
    numbers = ", ".join(agent.phone_numbers) or "no number of its own"
    default = ", default" if agent.default else ""
    tools = ", ".join(tool.name for tool in agent.tools) or "none"
    models = ", then ".join(
        f"{block.provider} {block.name or block.deployment or ''}".rstrip() for block in agent.model.models
    )
    return f"{agent.source}: ok: {agent.agent} ({numbers}{default}), {agent.language}, {models}, tools: {tools}"
