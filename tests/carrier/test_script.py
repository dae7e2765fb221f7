from pathlib import Path

import pytest

from app.carrier.line import Line
from app.carrier.script import Script, ScriptError, load, parse
from app.carrier.steps import (
    AgentDoes,
    BargeIn,
    ExpectAgent,
    HangUp,
    Press,
    Say,
    WaitForAgent,
    WaitHeard,
    WaitMs,
    Wav,
)

pytestmark = pytest.mark.core

PATH = Path("call.yaml")


def test_every_step_is_read(tmp_path: Path) -> None:
    (tmp_path / "question.wav").write_bytes(b"RIFF")
    script = tmp_path / "call.yaml"
    script.write_text("""
- wait: {for: agent_starts}
- wait: {for: agent_ends}
- wait: {for: agent_ends, silence_ms: 1200, within_ms: 9000}
- wait: {ms: 500}
- wait: {heard_ms: 2000, within_ms: 4000}
- say: "No."
- say: 주문 번호는요?
  language: ko-KR
  level_dbfs: -30.5
- wav: question.wav
- dtmf: "1042#"
- barge_in: {after_ms: 1500, say: "Stop."}
- barge_in: {after_ms: 0, wav: question.wav, level_dbfs: -26}
- expect: {agent_speaks_within_ms: 2000}
- hang_up: true
""")
    wav = tmp_path / "question.wav"
    assert load(script, silence_ms=800).steps == [
        WaitForAgent(AgentDoes.STARTS, 800),
        WaitForAgent(AgentDoes.ENDS, 800),
        WaitForAgent(AgentDoes.ENDS, 1200, 9000),
        WaitMs(500),
        WaitHeard(2000, 4000),
        Say("No."),
        Say("주문 번호는요?", "ko-KR", -30.5),
        Wav(wav),
        Press("1042#"),
        BargeIn(1500, Say("Stop.")),
        BargeIn(0, Wav(wav, -26)),
        ExpectAgent(2000),
        HangUp(),
    ]


def test_words_that_older_yaml_took_for_truth_are_words() -> None:
    assert parse("- say: no\n- say: off\n", PATH, silence_ms=700).steps == [Say("no"), Say("off")]


def test_a_script_may_begin_with_its_line() -> None:
    read = parse("- line: {delay_ms: 150, jitter_ms: 60, loss_percent: 0.5}\n- say: Hello\n", PATH, silence_ms=700)
    assert read == Script([Say("Hello")], Line(150, 150, 60, loss_percent=0.5))
    assert parse("- line: {delay_ms: 150:40}\n", PATH, silence_ms=700) == Script([], Line(150, 40))
    assert parse("- say: Hello\n", PATH, silence_ms=700).line == Line()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- line: fast", "1:9: line: names with values are needed, as in `line: {delay_ms: 150, jitter_ms: 60}`"),
        ("- line: {jitter: 5}", "1:10: jitter: unknown; did you mean jitter_ms?"),
        ("- line: {jitter_ms: [5]}", "1:21: jitter_ms: a list or names: a whole number of milliseconds"),
        ("- line: {loss_percent: .nan}", "1:24: loss_percent: .nan: a number from 0 to 100"),
        ("- line: {stall_ms: 5}", "1:20: stall_ms: 5: says how long; stall_at_ms must say when"),
        ("- say: Hello\n- line: {jitter_ms: 5}", "2:3: line: stands by itself and before all steps"),
        ("- line: {jitter_ms: 5}\n  say: Hello", "1:3: line: stands by itself and before all steps"),
        ("", "call.yaml:1:1: the script is empty"),
        ("say: hi\n", "call.yaml:1:1: a script is a list"),
        ("- hello\n", "call.yaml:1:3: a step: names with values"),
        ("- sya: hi\n", "call.yaml:1:3: sya: unknown; did you mean say?"),
        ("- shout: hi\n", "call.yaml:1:3: shout: unknown; write one of say, wav"),
        ("- say: hi\n  langauge: ko\n", "call.yaml:2:3: langauge: unknown; did you mean language?"),
        ("- say: hi\n  wav: a.wav\n", "call.yaml:2:3: say and wav in one step"),
        ("- say: hi\n  say: ho\n", "call.yaml:2:3: say: stands here twice"),
        ("- say: 5\n", 'call.yaml:1:8: say: text is needed; put it in quotes, as in say: "5"'),
        ("- say: true\n", 'text is needed; put it in quotes, as in say: "true"'),
        ('- say: " "\n', "call.yaml:1:8: say: no words"),
        ("- say: hi\n  level_dbfs: 3\n", "call.yaml:2:15: level_dbfs: a number from -60 to 0"),
        ("- say: hi\n  level_dbfs: .nan\n", "level_dbfs: a number from -60 to 0"),
        ("- wav: missing.wav\n", "call.yaml:1:8: wav: there is no file missing.wav"),
        ('- dtmf: "12x"\n', "call.yaml:1:9: dtmf: '12x'; keys are"),
        ("- dtmf: 1042\n", 'as in dtmf: "1042"'),
        ("- wait: agent_ends\n", "call.yaml:1:9: wait: names with values are needed, as in `wait: {for: agent_ends}`"),
        ("- wait: {}\n", "call.yaml:1:9: wait: give one of"),
        ("- wait: {ms: 5, heard_ms: 5}\n", "wait: give one of"),
        ("- wait: {for: agent_end}\n", "call.yaml:1:15: agent_end: unknown; did you mean agent_ends?"),
        ("- wait: {for: agent_starts, silence_ms: 5}\n", "silence_ms: belongs to agent_ends"),
        ("- wait: {ms: 5, within_ms: 5}\n", "call.yaml:1:17: within_ms: has no meaning beside ms"),
        ("- wait: {ms: -5}\n", "call.yaml:1:14: ms: whole milliseconds"),
        ("- wait: {ms: 1.5}\n", "ms: whole milliseconds"),
        ("- barge_in: {say: Stop}\n", "barge_in: lacks after_ms"),
        ("- barge_in: {after_ms: 5}\n", "barge_in: give one of say and wav"),
        ("- barge_in: {after_ms: 5, say: a, loud: 1}\n", "call.yaml:1:35: loud: unknown"),
        ("- expect: {agent_speaks_in_ms: 5}\n", "did you mean agent_speaks_within_ms?"),
        ("- expect: {}\n", "expect: write agent_speaks_within_ms"),
        ("- hang_up: false\n", "call.yaml:1:12: hang_up: write true"),
        ("- hang_up: true\n- say: hi\n", "call.yaml:2:3: a step after hang_up"),
        ("- say: 'hi\n", "not YAML"),
        ("- say: *hi\n", "call.yaml:1:8: not YAML"),
        ("- {}\n", "call.yaml:1:3: an empty step"),
    ],
)
def test_a_mistake_is_shown_with_its_place_and_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse(text, PATH, silence_ms=700)
    assert message in str(caught.value)


def test_a_script_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="cannot be read"):
        load(tmp_path / "none.yaml", silence_ms=700)
