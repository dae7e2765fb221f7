"""The agent file as types: what must be there, what is understood, what editors are told."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from app.agents.loader import Mistaken, read
from app.agents.schema import AgentFile, json_schema
from app.session.block import Block
from app.session.words import BargeInMode

SAMPLES = sorted((Path(__file__).parents[2] / "deploy" / "agents").glob("*.yaml"))
LEAST = "agent: a\nprompt: p\ndisclosure: {text: An AI speaks.}\n"


def agent(text: str) -> AgentFile:
    loaded = read(Path("a.yaml"), text.encode())
    assert isinstance(loaded, AgentFile), loaded
    return loaded


def messages(text: str) -> dict[str, str]:
    loaded = read(Path("a.yaml"), text.encode())
    assert isinstance(loaded, Mistaken), "the file was taken"
    return {mistake.key: mistake.message for mistake in loaded.mistakes}


def test_three_keys_are_enough() -> None:
    least = agent(LEAST)
    assert (least.agent, least.prompt, least.disclosure.text) == ("a", "p", "An AI speaks.")
    assert least.disclosure.interruptible is False
    assert (least.phone_numbers, least.default, least.language, least.greeting) == ((), False, "en-US", None)
    assert least.model.provider == "local"
    assert (least.limits.max_call_s, least.limits.idle_prompt_s, least.limits.idle_hangup_s) == (1800, 12, 30)
    detection = least.turn_detection
    assert (detection.type, detection.threshold) == ("server_vad", 0.5)
    assert (detection.prefix_padding_ms, detection.silence_duration_ms) == (300, 500)
    assert least.tools == ()


@pytest.mark.parametrize("key", ["agent", "prompt", "disclosure"])
def test_each_of_the_three_is_required(key: str) -> None:
    text = "".join(line + "\n" for line in LEAST.splitlines() if not line.startswith(key))
    assert list(messages(text)) == [key]
    assert messages(text)[key].startswith(f"is missing; write, for example, {key}: ")


def test_a_disclosure_without_text_is_refused() -> None:
    assert "is missing" in messages("agent: a\nprompt: p\ndisclosure: {}\n")["disclosure.text"]
    assert "is empty" in messages("agent: a\nprompt: p\ndisclosure: {text: '  '}\n")["disclosure.text"]
    assert "write it as a block" in messages("agent: a\nprompt: p\ndisclosure: I am an AI\n")["disclosure"]


def test_an_agent_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        agent(LEAST).agent = "b"


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("+1 555 0100", 'write "+15550100"'),
        ("0049 30 1234567", 'write "+49301234567"'),
        ("15550100", 'write "+15550100"'),
        ("hello", 'write it like "+15550100"'),
        ("+0123456789", 'write it like "+15550100"'),
        ("+1234567890123456", 'write it like "+15550100"'),
    ],
)
def test_a_number_that_is_not_e164_is_refused_with_the_likely_one(written: str, advice: str) -> None:
    assert messages(LEAST + f'phone_numbers: ["{written}"]')["phone_numbers[0]"].endswith(advice)


def test_a_number_without_quotes_is_a_number_and_refused() -> None:
    assert messages(LEAST + "phone_numbers: [+15550100]")["phone_numbers[0]"].endswith('in quotes: "+15550100"')
    assert messages(LEAST + "phone_numbers: +15550100")["phone_numbers"].endswith('write a list: ["+15550100"]')
    assert "twice" in messages(LEAST + 'phone_numbers: ["+15550100", "+15550100"]')["phone_numbers[1]"]


@pytest.mark.parametrize(
    ("written", "understood"),
    [("ko-kr", "ko-KR"), ("EN-us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("ja", "ja"), ("es-419", "es-419")],
)
def test_a_language_is_understood_in_any_case(written: str, understood: str) -> None:
    assert agent(LEAST + f"language: {written}").language == understood


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("en_US", "did you mean en-US?"),
        ("kr-KR", "did you mean ko-KR?"),
        ("jp", "did you mean ja?"),
        ("korean!", "write one like en-US"),
    ],
)
def test_what_is_no_language_is_refused(written: str, advice: str) -> None:
    assert messages(LEAST + f"language: {written}")["language"].endswith(advice)


def test_tool_names_are_unique() -> None:
    tool = "{name: find, sql: {query: select 1}}"
    assert "twice" in messages(LEAST + f"tools: [{tool}, {tool}]")["tools[1].name"]


def test_templates_are_not_spoken_as_they_stand() -> None:
    text = "agent: a\nprompt: 'Hi {{ caller_number }}'\ngreeting: '{% if x %}'\ndisclosure: {text: '{{ x }}'}"
    found = messages(text)
    assert set(found) == {"prompt", "greeting", "disclosure.text"}
    assert all("does not have templates" in message for message in found.values())


LATER_KEYS = [
    "timezone: Asia/Seoul",
    "before_call: {tool: find}",
    "hours: {open: {mon-fri: '09:00-18:00'}}",
    "recording: off",
    "transcribe: {after_call: true}",
    "retention: {records_days: 90}",
]


@pytest.mark.parametrize("provider", ["typecast", "supertone", "openai", "tokenlab"])
def test_voices_of_later_versions_are_refused_with_what_to_do(provider: str) -> None:
    found = messages(LEAST + f"voice: {{provider: {provider}}}")
    assert found == {
        "voice.provider": f"this version does not have {provider} yet; write local, the embedded voice, or leave the "
        "block out: the realtime model speaks"
    }


def test_a_voice_speaks_instead_of_the_models_own() -> None:
    assert (
        "leave it out: the embedded voice"
        in messages(LEAST + "voice: {provider: local, voice_id: x}")["voice.voice_id"]
    )
    text = LEAST + "model: {provider: openai, speed: 1.2, fallbacks: [{provider: openai, speed: 1.1}]}\n"
    assert agent(text).model.speed == 1.2
    found = messages(text + "voice: {provider: local}")
    assert set(found) == {"model.speed", "model.fallbacks[0].speed"}
    assert "leave one of the two out" in found["model.speed"]


@pytest.mark.parametrize("line", LATER_KEYS)
def test_keys_of_later_versions_are_refused_with_what_to_do(line: str) -> None:
    key = line.partition(":")[0]
    found = messages(LEAST + line)
    assert list(found) == [key]
    assert found[key].startswith(f"this version does not have {key} yet; ")


@pytest.mark.parametrize(
    ("block", "key", "known_as"),
    [
        ("disclosure: {text: AI, recording: We record}", "recording", "disclosure.recording"),
        ("phrases: {filler: Moment}", "filler", "phrases.filler"),
        ("turn_detection: {idle_timeout_ms: 6000}", "idle_timeout_ms", "turn_detection.idle_timeout_ms"),
        ("tools: [{name: a, python: 'shop:find'}]", "python", "tools[0].python"),
        ("tools: [{name: a, http: {url: x}}]", "http", "tools[0].http"),
        ("tools: [{mcp: {url: x}}]", "mcp", "tools[0].mcp"),
        ("tools: [{builtin: end_call}]", "builtin", "tools[0].builtin"),
        ("tools: [{name: a, confirm: true, sql: {query: select 1}}]", "confirm", "tools[0].confirm"),
        ("tools: [{name: a, sql: {query: select 1, write: false}}]", "write", "tools[0].sql.write"),
    ],
)
def test_keys_of_later_versions_within_blocks_are_refused(block: str, key: str, known_as: str) -> None:
    text = "agent: a\nprompt: p\n" + block + ("" if block.startswith("disclosure") else "\ndisclosure: {text: AI}")
    found = messages(text)
    assert list(found) == [known_as], "one mistake, told once"
    assert found[known_as].startswith(f"this version does not have {key} yet; ")


def test_what_comes_later_is_not_there_already() -> None:
    def blocks(block: type[Block]) -> list[type[Block]]:
        return [block, *(inner for child in block.__subclasses__() for inner in blocks(child))]

    for block in blocks(Block):
        assert not set(block.later) & set(block.model_fields)


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (
            "model: {provider: azure}\nturn_detection: {type: semantic_vad}",
            "turn_detection.type",
            "azure has no semantic_vad; write server_vad",
        ),
        (
            "model: {fallbacks: [{provider: azure}]}\nturn_detection: {type: semantic_vad}",
            "turn_detection.type",
            "model.fallbacks[0] cannot do it: azure has no semantic_vad; write server_vad",
        ),
        (
            "model: {tool_choice: {name: fnd}}\ntools: [{name: find, sql: {query: select 1}}]",
            "model.tool_choice.name",
            "fnd is none of the tools; did you mean find?",
        ),
        (
            "model: {fallbacks: [{tool_choice: required}]}",
            "model.fallbacks[0].tool_choice",
            "is required, and there are no tools; write auto, or leave it out",
        ),
        (
            "model: {fallbacks: [{provider: openai, temperature: 1}]}",
            "model.fallbacks[0].temperature",
            "openai has no temperature; leave it out (azure's preview API alone has it)",
        ),
        ("model: {fallbacks: {provider: local}}", "model.fallbacks", "is a block of keys; write a list"),
        ("model: {fallbacks: [{voise: x}]}", "model.fallbacks[0].voise", "unknown key; did you mean voice?"),
        ("temperature: 0.8", "temperature", "unknown key here; write it as model.temperature"),
        (
            "model: {transcription: {prompt: Names and numbers.}}",
            "model.transcription.prompt",
            "this version does not have prompt yet; leave it out",
        ),
        (
            "turn_detection: {idle_timeout_ms: 5000}",
            "turn_detection.idle_timeout_ms",
            "this version does not have idle_timeout_ms yet; leave it out and set limits.idle_prompt_s",
        ),
        (
            "turn_detection: {timeout_ms: 5000}",
            "turn_detection.timeout_ms",
            "unknown key; this version does not have idle_timeout_ms yet; leave it out and set limits.idle_prompt_s",
        ),
        ("limits: {idle_timeout_s: 5}", "limits.idle_timeout_s", "unknown key; did you mean idle_prompt_s?"),
        ("limits: {timeout_s: 5}", "limits.timeout_s", "unknown key here; write it as tools[…].timeout_s"),
    ],
)
def test_what_the_model_block_and_the_rest_mean_for_each_other(text: str, key: str, message: str) -> None:
    assert messages(LEAST + text) == {key: message}


def test_a_mistake_within_a_fallback_has_its_place() -> None:
    text = LEAST + "model:\n  fallbacks:\n    - provider: openai\n      voice: marina\n"
    loaded = read(Path("a.yaml"), text.encode())
    assert isinstance(loaded, Mistaken)
    assert [str(mistake) for mistake in loaded.mistakes] == [
        "a.yaml:7:14: model.fallbacks[0].voice: marina is no voice of openai's realtime models; did you mean marin?"
    ]


def disclosure(keys: str) -> dict[str, str]:
    return messages(f"agent: a\nprompt: p\ndisclosure: {{text: An AI speaks., {keys}}}\n")


def test_interruptions_are_confirmed_unless_the_file_says_otherwise() -> None:
    barge_in = agent(LEAST).barge_in
    assert (barge_in.mode, barge_in.dtmf) == (BargeInMode.CONFIRMED, False)
    assert (barge_in.min_speech_ms, barge_in.resume_after_false_alarm_ms) == (250, 500)
    own = "{mode: immediate, min_speech_ms: 60, resume_after_false_alarm_ms: 0, dtmf: true}"
    assert agent(LEAST + f"barge_in: {own}").barge_in.mode is BargeInMode.IMMEDIATE


@pytest.mark.parametrize("mode", BargeInMode)
def test_each_mode_is_a_word_also_the_one_that_older_yaml_takes_for_false(mode: BargeInMode) -> None:
    assert agent(LEAST + f"barge_in: {{mode: {mode.value}}}").barge_in.mode is mode


@pytest.mark.parametrize(
    ("written", "key", "advice"),
    [
        ("{mode: confirm}", "barge_in.mode", "did you mean confirmed?"),
        ("{mode: false}", "barge_in.mode", "write confirmed, immediate or off"),
        ("{mode: }", "barge_in.mode", "is empty; write confirmed, immediate or off"),
        ("{min_speech_ms: 59}", "barge_in.min_speech_ms", "write 60 or more"),
        ("{min_speech_ms: 2001}", "barge_in.min_speech_ms", "write 2000 or less"),
        ("{min_speech_ms: 250.5}", "barge_in.min_speech_ms", "write a whole number"),
        ("{resume_after_false_alarm_ms: -1}", "barge_in.resume_after_false_alarm_ms", "write 0 or more"),
        ("{resume_after_false_alarm_ms: 5001}", "barge_in.resume_after_false_alarm_ms", "write 5000 or less"),
        ("{dtmf: yes}", "barge_in.dtmf", "write true"),
        ("{min_speech: 250}", "barge_in.min_speech", "did you mean min_speech_ms?"),
        ("off", "barge_in", "write it as a block: {mode: off}"),
    ],
)
def test_what_no_interruption_can_be_judged_by_is_refused(written: str, key: str, advice: str) -> None:
    found = messages(LEAST + f"barge_in: {written}")
    assert list(found) == [key]
    assert found[key].endswith(advice)


def test_the_disclosure_is_said_in_the_agents_language() -> None:
    texts = "{ko: 인공지능입니다., ko-kp: 다른 말, EN-gb: An AI.}"
    block = agent(f"agent: a\nprompt: p\ndisclosure: {{text: An AI speaks., texts: {texts}}}").disclosure
    assert dict(block.texts) == {"ko": "인공지능입니다.", "ko-KP": "다른 말", "en-GB": "An AI."}
    assert block.text_for("ko-KP") == "다른 말"
    assert block.text_for("ko-KR") == "인공지능입니다."
    assert block.text_for("en-US") == "An AI speaks.", "a text for another country is no text for this one"
    assert block.text_for("ja") == "An AI speaks."


@pytest.mark.parametrize(
    ("texts", "key", "advice"),
    [
        ("{en_US: An AI.}", "disclosure.texts.en_US", "did you mean en-US?"),
        ("{jp: AIです。}", "disclosure.texts.jp", "did you mean ja?"),
        ("{ko: 가, KO: 나}", "disclosure.texts.KO", "ko stands here twice; leave one out"),
        ("{ko: ''}", "disclosure.texts.ko", "write what the agent shall say"),
        ("{ko: 5}", "disclosure.texts.ko", 'write a text in quotes: "5"'),
        ("{ko: '{{ x }}'}", "disclosure.texts.ko", "write the words themselves"),
        ("An AI.", "disclosure.texts", "write a text for each language: {ko: …, ja: …}"),
        ("[An AI.]", "disclosure.texts", "write a text for each language: {ko: …, ja: …}"),
    ],
)
def test_texts_stand_under_languages(texts: str, key: str, advice: str) -> None:
    found = disclosure(f"texts: {texts}")
    assert list(found) == [key]
    assert found[key].endswith(advice)


def test_where_a_call_goes_that_cannot_be_disclosed() -> None:
    def way(written: str) -> str | None:
        text = f"agent: a\nprompt: p\ndisclosure: {{text: An AI speaks., on_failure: {written}}}"
        return agent(text).disclosure.transfer_on_failure

    assert agent(LEAST).disclosure.transfer_on_failure is None
    assert way("hangup") is None
    assert way('{transfer: "+15550111"}') == "+15550111"


@pytest.mark.parametrize(
    ("written", "key", "advice"),
    [
        ("hang up", "disclosure.on_failure", "did you mean hangup?"),
        ("transfer", "disclosure.on_failure", 'a number to transfer the caller to: {transfer: "+15550100"}'),
        ("''", "disclosure.on_failure", 'a number to transfer the caller to: {transfer: "+15550100"}'),
        ("{}", "disclosure.on_failure.transfer", 'write, for example, transfer: "+15550100"'),
        ("{transfer: +15550100}", "disclosure.on_failure.transfer", 'in quotes: "+15550100"'),
        ("{transfer: '5550100'}", "disclosure.on_failure.transfer", 'write "+5550100"'),
        ("{transfer: '+15550100', wait: x}", "disclosure.on_failure.wait", "the keys here are transfer"),
    ],
)
def test_a_way_out_is_a_hang_up_or_a_number(written: str, key: str, advice: str) -> None:
    found = disclosure(f"on_failure: {written}")
    assert list(found) == [key]
    assert found[key].endswith(advice)


def plain(text: str) -> Any:  # Any: a YAML text can hold anything; jsonschema takes it so
    return YAML(typ="safe", pure=True).load(text)


def test_the_json_schema_is_one_and_describes_every_key() -> None:
    schema: Any = json_schema()  # Any: a JSON document
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert sorted(schema["required"]) == ["agent", "disclosure", "prompt"]
    assert json.loads(json.dumps(schema)) == schema
    for block in [schema, *schema["$defs"].values()]:
        assert block["additionalProperties"] is False
        for key, part in block["properties"].items():
            assert part.get("description"), key


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_the_samples_are_valid_by_the_json_schema(sample: Path) -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(plain(sample.read_text()))


@pytest.mark.parametrize(
    "wrong",
    [
        LEAST + "agnt: b",
        LEAST + "phone_numbers: ['555']",
        LEAST + "default: 'yes'",
        LEAST + "model: {provider: azur}",
        LEAST + "model: {fallbacks: [local]}",
        LEAST + "model: {fallbacks: [{fallbacks: [{provider: local}]}]}",
        LEAST + "model: {voice: {name: marin}}",
        LEAST + "model: {transcription: whisper-1}",
        LEAST + "model: {noise_reduction: on}",
        LEAST + "model: {max_output_tokens: 5000}",
        LEAST + "model: {speed: 2}",
        LEAST + "model: {provider: azure, temperature: 2}",
        LEAST + "model: {tool_choice: always}",
        LEAST + "model: {truncation: {ratio: 0.8}}",
        LEAST + "model: {reconnect: always}",
        LEAST + "limits: {max_call_s: 0}",
        LEAST + "turn_detection: {type: semantic}",
        LEAST + "turn_detection: {eagerness: soon}",
        LEAST + "tools: [{name: 'a b', sql: {query: select 1}}]",
        LEAST + "tools: [{name: a}]",
        LEAST + "barge_in: {mode: confirm}",
        LEAST + "barge_in: {min_speech_ms: 10}",
        LEAST + "barge_in: off",
        "agent: a\nprompt: p\ndisclosure: {text: AI, texts: {en_US: AI}}",
        "agent: a\nprompt: p\ndisclosure: {text: AI, on_failure: transfer}",
        "agent: a\nprompt: p\ndisclosure: {text: AI, on_failure: {transfer: '555'}}",
        LEAST + "tools: [{name: a, sql: {query: select 1}, parameters: {type: string}}]",
        "agent: a\nprompt: ''\ndisclosure: {text: AI}",
        "agent: a\nprompt: p\ndisclosure: {}",
        "agent: a\nprompt: p",
    ],
)
def test_the_json_schema_refuses_what_the_reader_refuses(wrong: str) -> None:
    assert messages(wrong)
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(plain(wrong))
