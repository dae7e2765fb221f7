"""What `dialtone model` takes, and that its help tells the truth."""

import argparse
import textwrap
from pathlib import Path

import pytest

from app.local.command import EXAMPLES, add_arguments, run
from app.local.script import parse
from app.local.script_nodes import ScriptError
from app.local.script_steps import CallTool, Speak, Tone


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser("model")
    add_arguments(parser)
    return parser.parse_args(arguments)


def test_the_script_of_the_help_is_one() -> None:
    _, _, behind = EXAMPLES.partition("fits:\n")
    example, _, _ = behind.partition("\n\n")
    script = parse(textwrap.dedent(example), Path("help.yaml"))
    assert [type(step) for turn in script.turns for step in turn.reply] == [Speak, Speak, CallTool, Tone, Speak]
    assert script.otherwise is not None
    assert (len(script.refuse), len(script.timeline)) == (1, 1)


def test_without_a_script_there_is_none() -> None:
    assert parsed().script is None
    assert parsed("--script", "reply.yaml").script == Path("reply.yaml")


def test_a_script_that_cannot_be_played_is_told_before_anything_is_served(tmp_path: Path) -> None:
    script = tmp_path / "reply.yaml"
    script.write_text("turns: [sya: Hello]")
    with pytest.raises(ScriptError, match=r"reply.yaml:1:9: sya: unknown; did you mean say\?"):
        run(parsed("--script", str(script)))


@pytest.mark.parametrize("port", ["-1", "65536", "99999", "nine"])
def test_a_port_that_is_none_is_told(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parsed(f"--port={port}")
    assert f"{port} is no port; write a number from 0 to 65535" in capsys.readouterr().err
