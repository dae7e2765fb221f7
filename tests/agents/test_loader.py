"""From files to agents or mistakes: every mistake at once, each in its place."""

import hashlib
import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from app.agents.loader import Mistaken, load, read
from app.agents.schema import AgentFile

GOOD = b"""\
agent: acme-orders
phone_numbers: ["+15550100"]
prompt: |
  Be brief.
disclosure: {text: "You are speaking with an AI."}
"""

BAD = """\
agnt: acme
agent: acme orders
phone_numbers: [+15550100, "+15550100"]
default: yes
threshold: 0.5
idle_prompt: 5
xyz: 5
model:
  provider: opnai
  voice: 5
prompt: 42
greeting: ""
disclosure: {txt: hi}
turn_detection: {type: sever_vad, threshold: 2, prefix_padding_ms: 1.5}
limits:
  max_call_s: .inf
  idle_hangup_s: 12
  idle_hangup_s: 40
tools:
  - timeout: 5
    sql: {query: "select 1 from orders where number = :order", urlenv: X}
  - hello
"""

TOLD = """\
a.yaml:1:1: agnt: unknown key; did you mean agent? It stands in line 2.
a.yaml:2:8: agent: 'acme orders' is no id; write up to 64 letters, digits, '.', '_' or '-', such as acme-orders
a.yaml:3:17: phone_numbers[0]: is a number, which loses its plus sign; write it in quotes: "+15550100"
a.yaml:4:10: default: is the text 'yes'; write true
a.yaml:5:1: threshold: unknown key here; write it as turn_detection.threshold
a.yaml:6:1: idle_prompt: unknown key; did you mean limits.idle_prompt_s?
a.yaml:7:1: xyz: unknown key; the keys here are agent, phone_numbers, default, language, model, prompt, \
greeting, disclosure, turn_detection, barge_in, tools, voice, phrases, on_full, on_model_loss, limits
a.yaml:9:13: model.provider: is 'opnai'; did you mean openai?
a.yaml:10:10: model.voice: is 5; write a text in quotes: "5"
a.yaml:11:9: prompt: is 42; write a text in quotes: "42"
a.yaml:12:11: greeting: is empty; write what the agent shall say
a.yaml:13:1: disclosure.text: is missing; write, for example, text: You are speaking with an automated AI assistant.
a.yaml:13:14: disclosure.txt: unknown key; did you mean text?
a.yaml:14:24: turn_detection.type: is 'sever_vad'; did you mean server_vad?
a.yaml:14:46: turn_detection.threshold: is 2; write 1 or less
a.yaml:14:68: turn_detection.prefix_padding_ms: is 1.5; write a whole number
a.yaml:16:15: limits.max_call_s: is .inf; write a finite number
a.yaml:17:18: limits.idle_hangup_s: is 12 and idle_prompt_s is 12, so nobody would ask the caller before hanging up; \
write more than 12
a.yaml:18:3: limits.idle_hangup_s: stands here twice (first in line 17); leave one out
a.yaml:20:5: tools[0].name: is missing; write, for example, name: lookup_order
a.yaml:20:5: tools[0].timeout: unknown key; did you mean timeout_s?
a.yaml:21:64: tools[0].sql.urlenv: unknown key; did you mean url_env?
a.yaml:22:5: tools[1]: is the text 'hello'; write a block of keys
"""


def mistakes(text: str) -> list[str]:
    loaded = read(Path("a.yaml"), text.encode())
    assert isinstance(loaded, Mistaken), "the file was taken"
    return [str(mistake) for mistake in loaded.mistakes]


def test_a_good_file_gives_an_agent_with_its_source_and_version(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_bytes(GOOD)
    agent = load(path)
    assert isinstance(agent, AgentFile)
    assert agent.source == path
    assert agent.version == hashlib.sha256(GOOD).hexdigest()[:12]
    assert agent.prompt == "Be brief.\n"


def test_other_bytes_are_another_version() -> None:
    first, second = read(Path("a"), GOOD), read(Path("a"), GOOD + b"# changed\n")
    assert isinstance(first, AgentFile)
    assert isinstance(second, AgentFile)
    assert first.version != second.version


def test_all_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    assert "\n".join(mistakes(BAD)) + "\n" == TOLD


def test_yaml_that_breaks_off_is_told_with_its_place() -> None:
    (only,) = mistakes("agent: a\nprompt: [b\ndisclosure: {text: c}\n")
    assert only.startswith("a.yaml:3:")
    assert ": file: is not YAML here: " in only


def test_an_empty_file_and_one_that_is_no_block() -> None:
    for text in ("", "# nothing\n", "---\n"):
        (only,) = mistakes(text)
        assert only.endswith("file: is empty; write at least agent, prompt and disclosure")
    (only,) = mistakes("- agent: a\n")
    assert only == "a.yaml:1:1: file: is no block of keys; write at least agent, prompt and disclosure"


def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    missing = load(tmp_path / "none.yaml")
    assert isinstance(missing, Mistaken)
    assert "no such file" in missing.mistakes[0].message
    folder = load(tmp_path)
    assert isinstance(folder, Mistaken)
    assert "directory" in folder.mistakes[0].message


def test_a_mistaken_file_still_says_which_numbers_it_is_for() -> None:
    loaded = read(Path("a.yaml"), b'agent: a\nphone_numbers: ["+15550100", +15550101]\n')
    assert isinstance(loaded, Mistaken)
    assert loaded.phone_numbers == {"+15550100", "+15550101"}


def test_a_duplicate_key_alone_makes_a_file_mistaken() -> None:
    loaded = read(Path("a.yaml"), GOOD + b"agent: other\n")
    assert isinstance(loaded, Mistaken)
    assert [mistake.key for mistake in loaded.mistakes] == ["agent"]
    assert loaded.phone_numbers == {"+15550100"}


def test_secrets_do_not_come_back_in_messages() -> None:
    text = GOOD.decode() + 'tools: [{name: a, sql: {query: select 1, url_env: "postgresql://me:hush@db/shop"}}]'
    (only,) = mistakes(text)
    assert "hush" not in only
    assert "the name of the environment variable" in only


SAMPLE = """
{"agent": "a", "phone_numbers": ["+15550100"], "default": true, "language": "en-US",
 "model": {"provider": "openai", "name": "gpt-realtime-2.1", "voice": "marin", "audio_format": "pcm16",
           "transcription": {"model": "whisper-1", "language": "en"}, "noise_reduction": "near_field",
           "max_output_tokens": 500, "speed": 1.1, "tool_choice": {"name": "t"}, "truncation": {"retention_ratio": 0.8},
           "reasoning_effort": "low", "session_limit_s": 60, "reconnect": "never",
           "fallbacks": [{"provider": "azure", "deployment": "d", "api_version": "2025-04-01-preview", "auth": "key",
                          "temperature": 0.7},
                         {"provider": "compatible", "base_url": "http://h/v1", "api_key_env": "K", "name": "m",
                          "voice": {"id": "voice_1"}}]},
 "prompt": "p", "greeting": "g", "disclosure": {"text": "AI", "texts": {"ko": "k"}, "interruptible": false,
 "on_failure": {"transfer": "+15550111"}},
 "barge_in": {"mode": "off", "min_speech_ms": 250, "resume_after_false_alarm_ms": 500, "dtmf": true},
 "turn_detection": {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500},
 "tools": [{"name": "t", "description": "d", "timeout_s": 5,
            "parameters": {"type": "object", "properties": {"n": {"type": "string", "enum": ["a"], "pattern": "a"}},
                           "required": ["n"]},
            "sql": {"query": "select :n", "url_env": "X"}}],
 "limits": {"max_call_s": 1800, "idle_prompt_s": 12, "idle_hangup_s": 30}}
"""

ANYTHING: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", " ", "x", "object", ":n", "+1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def with_one_replaced(value: JsonValue, target: int, other: JsonValue, seen: list[int]) -> JsonValue:
    """Return the value with its target-th part (in the order of writing) replaced by the other."""
    seen[0] += 1
    if seen[0] == target:
        return other
    if isinstance(value, dict):
        return {key: with_one_replaced(part, target, other, seen) for key, part in value.items()}
    if isinstance(value, list):
        return [with_one_replaced(part, target, other, seen) for part in value]
    return value


@settings(deadline=None)  # the machine may be busy
@given(st.integers(1, 100), ANYTHING)
def test_anything_anywhere_gives_an_agent_or_mistakes(target: int, other: JsonValue) -> None:
    text = json.dumps(with_one_replaced(json.loads(SAMPLE), target, other, [0]), indent=1)
    for constant, yaml in (("NaN", ".nan"), ("-Infinity", "-.inf"), ("Infinity", ".inf")):
        text = text.replace(constant, yaml)
    loaded = read(Path("a.yaml"), text.encode())
    if isinstance(loaded, Mistaken):
        assert loaded.mistakes
        for mistake in loaded.mistakes:
            assert 1 <= mistake.line <= text.count("\n") + 1
            assert "see dialtone schema" not in mistake.message, "every message says what to write"
            assert "; " in mistake.message or "? " in mistake.message
    else:
        json.dumps(loaded.model_dump(), allow_nan=False, default=lambda word: word.value)
