"""The script of a model as it is read: every field by value, and every mistake with its place."""

import math
from pathlib import Path

import pytest

from app.audio import wav
from app.audio.wav import Recording
from app.local.script import load, parse
from app.local.script_faults import FAULTS, altered
from app.local.script_nodes import ScriptError
from app.local.script_steps import (
    Awkward,
    CallerSpeaks,
    CallerTurn,
    CallTool,
    Close,
    End,
    Manner,
    Moment,
    Mute,
    Refusal,
    Script,
    SendError,
    SendEvent,
    Speak,
    Speech,
    Tone,
    Transcript,
    Turn,
    Vad,
    Wait,
    Wav,
    When,
    WhenCut,
)

pytestmark = pytest.mark.core

PATH = Path("reply.yaml")


def test_the_smallest_script() -> None:
    assert parse("otherwise: {say: Hello.}", PATH) == Script(otherwise=Turn((Speak("Hello."),)))
    assert parse("turns: [say: Hello.]", PATH) == Script((Turn((Speak("Hello."),)),))
    assert parse("timeline: [{at_ms: 0, drop: true}]", PATH) == Script(timeline=(Moment(0, Close(None)),))


def test_everything_is_read(tmp_path: Path) -> None:
    wav.write(tmp_path / "hello.wav", Recording(8000, 1, b"\0\0" * 80))
    script = tmp_path / "reply.yaml"
    script.write_text(
        """
language: ko-KR
play: once
vad: script
awkward: [unknown_events, obfuscation]
pace: 20
delta_ms: 100
transcript: first
caller:
  - Where?
  - {says: There., after_ms: 500}
  - {says: Never., after_ms: never}
  - {fails: server_error, after_ms: 5}
turns:
  - reply:
      - {say: One., phase: commentary}
      - {tone_ms: 3000, tone_hz: 660, words: La., phase: final_answer}
      - {wav: hello.wav, words: Hello.}
      - wait_ms: 300
      - call: {name: find, arguments: {number: "1042", count: 2, far: 1.5, now: true, no: null, list: [a]}, piece_ms: 5}
      - call: {name: find, arguments: '{"broken', piece_chars: 3}
      - call: {name: find}
      - speech_started: true
      - speech_stopped: true
      - speech_ms: 600
      - error: session_expired
      - error: {code: server_error, message: Later., param: x, close: 1011}
      - event: {type: x.y, more: [1]}
      - close: 1012
      - close: {code: 4001, reason: enough}
      - drop: true
      - mute: true
  - when: {caller_says: order, tool_answers: find}
    again: true
    delay_ms: 200
    before: [speech_started: true, wait_ms: 5]
    pace: max
    delta_bytes: [1, 4801]
    transcript: last
    tone_ms: 10
    end: {incomplete: content_filter}
    when_cut: {late_deltas: 3, done: after_next, within_ms: 500, created: false}
  - {when: {caller_says: [a, b]}, pace: 0.5, delta_bytes: 7, end: never}
  - {end: {failed: rate_limit_exceeded}}
  - {end: completed}
otherwise: {end: {cancelled: turn_detected}, delta_ms: 40}
refuse:
  - {event: conversation.item.truncate, error: too_long, nth: 2, then_truncates: true}
  - {event: response.create, error: server_error, message: Later., param: response}
  - {event: session, error: server_error, close: 1013}
timeline:
  - {at_ms: 2000, speech_started: true}
  - {at_ms: 1000, mute: true}
""",
        encoding="utf-8",
    )
    manner = Manner(20.0, 100, (), Transcript.FIRST)
    later = altered(FAULTS["server_error"], message="Later.", param="x", close_code=1011)
    assert load(script) == Script(
        turns=(
            Turn(
                reply=(
                    Speak("One.", "commentary"),
                    Tone(3000, 660, "La.", "final_answer"),
                    Wav(tmp_path / "hello.wav", "Hello."),
                    Wait(300),
                    CallTool(
                        "find", '{"number":"1042","count":2,"far":1.5,"now":true,"no":null,"list":["a"]}', piece_ms=5
                    ),
                    CallTool("find", '{"broken', piece_chars=3),
                    CallTool("find", "{}"),
                    Speech.STARTED,
                    Speech.STOPPED,
                    CallerSpeaks(600),
                    SendError(FAULTS["session_expired"]),
                    SendError(later),
                    SendEvent({"type": "x.y", "more": [1]}),
                    Close(1012),
                    Close(4001, "enough"),
                    Close(None),
                    Mute(),
                ),
                manner=manner,
            ),
            Turn(
                reply=(Tone(10),),
                when=When(("order",), "find"),
                again=True,
                delay_ms=200,
                before=(Speech.STARTED, Wait(5)),
                manner=Manner(math.inf, 100, (1, 4801), Transcript.LAST),
                end=End("incomplete", "content_filter"),
                when_cut=WhenCut(3, True, 500, False),
            ),
            Turn(when=When(("a", "b")), manner=Manner(0.5, 100, (7,), Transcript.FIRST), end=None),
            Turn(manner=manner, end=End("failed", fault=FAULTS["rate_limit_exceeded"])),
            Turn(manner=manner),
        ),
        otherwise=Turn(manner=Manner(20.0, 40, (), Transcript.FIRST), end=End("cancelled", "turn_detected")),
        language="ko-KR",
        vad=Vad.SCRIPT,
        once=True,
        awkward=Awkward(obfuscation=True, unknown_events=True),
        caller=(
            CallerTurn("Where?"),
            CallerTurn("There.", after_ms=500),
            CallerTurn("Never.", after_ms=None),
            CallerTurn(None, "server_error", 5),
        ),
        refuse=(
            Refusal("conversation.item.truncate", FAULTS["too_long"], 2, True),
            Refusal(
                "response.create",
                altered(FAULTS["server_error"], message="Later.", param="response", close_code=None),
            ),
            Refusal("session", altered(FAULTS["server_error"], message=None, param=None, close_code=1013)),
        ),
        timeline=(Moment(1000, Mute()), Moment(2000, Speech.STARTED)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "reply.yaml:1:1: the script is empty; write turns: and a list, such as `- say: Hello`"),
        ("a: [", "not YAML"),
        ("- say: Hello", "reply.yaml:1:1: a script: names with values are needed, as in `turns: [{say: Hello}]`"),
        ("pace: 5", "1:1: nothing to play; write what the model answers, as in turns: [{say: Hello}]"),
        ("turn: []", "1:1: turn: unknown; did you mean turns?"),
        ("turns: {say: Hello}", "1:8: turns: a list is needed, as in `- say: Hello`"),
        ("turns: [Hello]", "1:9: a turn: names with values are needed, as in `- say: Hello`"),
        ("turns:\n  - sya: Hello", "reply.yaml:2:5: sya: unknown; did you mean say?"),
        ("turns: [{say: Hello, say: You}]", "1:22: say: stands here twice; keep one"),
        ("turns: [{say: 1042}]", '1:15: say: text is needed; put it in quotes, as in say: "1042"'),
        ("turns: [{say: ' '}]", "1:15: say: no words; write some"),
        ("turns: [{say: Hello, tone_ms: 5}]", "1:22: say and tone_ms in one step; make two steps of them"),
        ("turns: [{say: Hello, tone_hz: 500}]", "1:22: tone_hz: has no meaning beside say; leave it out"),
        ("turns: [{say: Hello, reply: []}]", "1:10: say: stands beside reply; put it into the list"),
        ("turns: [{reply: [{phase: commentary}]}]", "1:18: nothing to do here; write one of say, tone_ms, wav, call"),
        ("turns: [{say: Hi, phase: answer}]", "1:26: answer: unknown; did you mean final_answer?"),
        ("turns: [{tone_ms: 0}]", "1:19: tone_ms: whole milliseconds from 1 to 3600000 are needed, as in tone_ms: 700"),
        ("turns: [{tone_ms: 1.5}]", "1:19: tone_ms: whole milliseconds"),
        ("turns: [{tone_ms: 5, tone_hz: 8000}]", "1:31: tone_hz: a whole number from 100 to 3400 is needed"),
        ("turns: [{wav: none.wav}]", "1:15: wav: there is no file none.wav"),
        ("turns: [{call: {}}]", "1:16: call: lacks name, as in `call: {name: lookup_order"),
        ("turns: [{call: {name: x, arguments: [1]}}]", "1:37: arguments: names with values are needed, or a text"),
        (
            "turns: [{call: {name: x, arguments: {day: 2026-11-24}}}]",
            "1:43: arguments: text is needed; put it in quotes",
        ),
        ("turns: [{call: {name: x, piece_chars: 0}}]", "1:39: piece_chars: a whole number from 1 to 100000 is needed"),
        ("turns: [{error: server_eror}]", "1:17: server_eror: unknown; did you mean server_error?"),
        ("turns: [{error: {close: 1011}}]", "1:17: error: lacks code, as in error: {code: server_error, close: 1011}"),
        ("turns: [{event: {typ: x}}]", "1:17: event: lacks type, as in event: {type:"),
        (
            "turns: [{close: 1006}]",
            "1:17: close: no close frame carries 1006; write drop: true to break off without one",
        ),
        ("turns: [{close: 99}]", "1:17: close: a whole number from 1000 to 4999 is needed, as in close: 1011"),
        ("turns: [{drop: false}]", "1:16: drop: write true, or leave it out"),
        ("turns: [{mute: 'true'}]", "1:16: mute: write true, or leave it out"),
        ("turns: [{pace: 0, say: Hi}]", "1:16: pace: how many times real time, from 0.01 to 10000, or max"),
        ("turns: [{delta_ms: 5, delta_bytes: 7, say: Hi}]", "1:23: delta_ms and delta_bytes; keep one"),
        ("turns: [{delta_bytes: [], say: Hi}]", "1:23: delta_bytes: an empty list; write sizes, as in [1, 4801]"),
        ("turns: [{transcript: early, say: Hi}]", "1:22: early: unknown; write one of beside, first, last"),
        ("turns: [{again: true, say: Hi}]", "1:10: again: without when this turn would serve for ever; use otherwise"),
        ("turns: [{again: 1, when: {caller_says: x}}]", "1:17: again: write true or false"),
        ("turns: [{when: {}}]", "1:16: when: write caller_says or tool_answers, or leave when out"),
        ("turns: [{when: {caller_say: x}}]", "1:17: caller_say: unknown; did you mean caller_says?"),
        ("turns: [{before: [say: Hi]}]", "1:19: before: nothing is said before the response begins; put it into reply"),
        ("turns: [{end: done}]", "1:15: done: unknown; write one of completed, never"),
        (
            "turns: [{end: {}}]",
            "1:15: end: give one of failed, incomplete, cancelled, as in end: {failed: server_error}",
        ),
        ("turns: [{end: {failed: invalid_json}}]", "1:24: invalid_json: unknown; "),
        ("turns: [{when_cut: {within_ms: 5}}]", "1:21: within_ms: belongs to done: after_next; leave it out"),
        ("otherwise: {when: {caller_says: x}}", "1:13: when: has no meaning in otherwise; leave it out"),
        ("turns: []\nawkward: [odd]", "2:11: odd: unknown; write one of obfuscation, null_previous_item_id"),
        ("turns: []\ncaller: [{after_ms: 5}]", "2:10: caller: give one of says and fails"),
        (
            "turns: []\ncaller: [{fails: noise}]",
            "2:18: noise: unknown; write one of audio_unintelligible, server_error",
        ),
        (
            "turns: []\nrefuse: [{error: too_long}]",
            "2:10: refuse: lacks event, as in `- {event: conversation.item.truncate",
        ),
        ("turns: []\nrefuse: [{event: response.crate, error: too_long}]", "did you mean response.create?"),
        (
            "turns: []\nrefuse: [{event: response.create, error: too_long}]",
            "2:42: too_long: refuses conversation.item.truncate only; write a code",
        ),
        (
            "turns: []\nrefuse: [{event: response.create, error: server_error, then_truncates: true}]",
            "2:56: then_truncates: belongs to conversation.item.truncate; leave it out",
        ),
        (
            "turns: []\nrefuse: [{event: session, error: server_error}]",
            "2:34: server_error: closes no session; write invalid_model or add close: 1013",
        ),
        ("timeline: [{drop: true}]", "1:12: timeline: lacks at_ms, as in `- {at_ms: 4000, speech_started: true}`"),
        ("timeline: [{at_ms: 5, say: Hi}]", "1:23: say: unknown; "),
        ("timeline: [{at_ms: 5}]", "1:12: nothing to do here; "),
    ],
)
def test_a_mistake_is_shown_where_it_stands(text: str, message: str) -> None:
    with pytest.raises(ScriptError) as refused:
        parse(text, PATH)
    assert message in str(refused.value)


def test_a_wav_file_that_cannot_be_played_is_named(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_bytes(b"MP3")
    with pytest.raises(ScriptError, match=r"reply.yaml:1:15: wav: .*song.wav: not a PCM WAV file"):
        parse("turns: [{wav: song.wav}]", tmp_path / "reply.yaml")


def test_a_script_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"none.yaml: cannot be read"):
        load(tmp_path / "none.yaml")
