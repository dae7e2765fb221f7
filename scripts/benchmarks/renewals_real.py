"""The calls: the service, models that end their sessions, and the offline carrier's callers, over real sockets."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from app.audio import wav
from app.carrier.call import CallPlan, place_call
from app.carrier.playout import LINE_HZ
from app.carrier.record import await_record
from app.carrier.report import CallReport
from app.carrier.steps import AgentDoes, HangUp, Say, Step, Utterance, WaitForAgent, WaitMs
from app.carrier.voice import levelled, utterance
from app.local.spoken import spoken
from app.local.voice import caller_voice
from app.local.workers import Mouth
from app.session.renewal import SHARE
from scripts.benchmarks.real_service import model, model_block, orders_agent, service
from scripts.benchmarks.renewals_gaps import PITCHES_HZ, Samples, gap_ms, longest_gap, tones

_CLIPS = Path(__file__).parents[2] / "tests" / "audio" / "clips" / "speech"
_TURNS = (
    (("en_ill_disposed.wav", 0.26, 2.79), ("en_brooklyn_bridge.wav", 0.12, 1.68), ("en_ever_forget.wav", 0.2, 1.37)),
    (("en_testing_routine.wav", 0.25, 2.58), ("en_brooklyn_bridge.wav", 0.12, 1.68), ("en_ever_forget.wav", 0.2, 1.37)),
    (("en_order_latte.wav", 0.79, 3.32), ("en_brooklyn_bridge.wav", 0.12, 1.68), ("en_ever_forget.wav", 0.2, 1.37)),
)
"""What the caller says, over and over: recordings, and where in them, in seconds, somebody speaks."""
_FIRST_WORDS = (("en_ever_forget.wav", 0.2, 1.37),)
_BETWEEN_WORDS_S = 0.45
"""Long enough to be known for silence, too short to end a turn."""
_TURN_SILENCE_MS = 700
_BETWEEN_TURNS_MS = 1500
_TURN_S = 7.4
"""From one turn to the next, at the least."""
_TONE_MS = 7_000
"""Nearly as much, so that the agent is hardly ever silent, and what it has still to say does not pile up."""
_QUICK_PACE = 10.0
"""So many times faster than it sounds every second answer is generated: at a renewal most of them are done."""
_CALLS_APART_MS = 4000
"""So much later than the call before, each call comes to its long turns."""
_BEFORE_QUESTION_MS = 7000
_QUESTION_S = 14.0
"""From one question to the next, at the least."""
_PLACED_APART_S = 1.5
_LEVEL_DBFS = -20.0
_RECORD_S = 20.0
_GAPS, _CONTEXT = "gaps", "context"
_NEEDLE = "november 25"
_ORDER = "1042"
_TALKER = """
agent: NAME
phone_numbers: ["NUMBER"]
language: en-US
model:
MODEL
prompt: Answer at length.
disclosure: {text: "You are speaking with an automated AI assistant."}
turn_detection: {type: server_vad, silence_duration_ms: TURN_SILENCE_MS}
barge_in: {mode: off}
"""


@dataclass(frozen=True, slots=True)
class Renewal:
    """One renewal, `at_s` seconds into the call. gap_ms: None if no answer had to sound, or it was not measured."""

    at_s: float
    gap_ms: int | None
    is_agent_speaking: bool
    is_caller_speaking: bool
    is_carrier_late: bool
    """Did the carrier itself not keep time around it?"""


@dataclass(frozen=True, slots=True)
class Gap:
    """A silence within an answer, `at_s` seconds into the call; is_carrier_late as in Renewal."""

    ms: int
    at_s: float
    is_carrier_late: bool


@dataclass(frozen=True, slots=True)
class RenewedCall:
    """One call. longest: of the gaps in all its answers, wherever; keeps_context: None where nobody asked."""

    kind: str
    call_sid: str
    renewals: tuple[Renewal, ...]
    longest: Gap | None
    keeps_context: bool | None
    last_answer: str
    losses: int
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Held:
    kind: str
    report: CallReport
    record: Mapping[str, object]


async def renew(calls: int, limit_s: float, times: int, folder: Path, tell: Callable[[str], None]) -> list[RenewedCall]:
    """Hold so many calls of each kind, all at once, each across so many session limits. tell: what is going on."""
    mouth = Mouth()

    async def speak(text: str, language: str) -> bytes:
        return await mouth.speak(spoken(text, language), caller_voice(language))

    lasts_s = _last_renewal_s(limit_s, times)
    turns = math.ceil(lasts_s / _TURN_S)
    plans = [(_GAPS, _number(_GAPS, place), _talks(place, turns)) for place in range(calls)]
    plans += [(_CONTEXT, _number(_CONTEXT, 0), _asks(math.ceil(lasts_s / _QUESTION_S)))] * calls
    script = folder / "tones.yaml"
    script.write_text(_script(turns, limit_s))
    tell("starting the models and the service")
    async with _served(calls, limit_s, script, folder) as url:

        async def hold(place: int, kind: str, number: str, steps: Sequence[Step]) -> _Held:
            await asyncio.sleep(place * _PLACED_APART_S)
            plan = CallPlan(url, to_number=number, steps=steps, max_s=2 * lasts_s + 120)
            report = await place_call(plan, speak=speak)
            path = folder / "data" / "records" / f"{report.call_sid}.json"
            missing = await asyncio.to_thread(await_record, path, _RECORD_S)
            if isinstance(missing, str):
                report.failures.append(missing)
                return _Held(kind, report, {})
            return _Held(kind, report, json.loads(path.read_text()))

        telling = asyncio.create_task(_tell_progress(folder, len(plans) * times, tell))
        try:
            held = await asyncio.gather(*(hold(place, *plan) for place, plan in enumerate(plans)))
        finally:
            telling.cancel()
            await mouth.close()
    log = list(_lines(folder))
    return [_judged(each, log, times) for each in held]


def _last_renewal_s(limit_s: float, times: int) -> float:
    """Return when the last renewal is over at the latest: a session's time begins when the next one is opened."""
    return (times - 1) * (1 - SHARE) * limit_s + limit_s


def _number(kind: str, place: int) -> str:
    return f"+15551{place:03d}" if kind == _GAPS else "+15550100"


def _talks(place: int, turns: int) -> list[Step]:
    """A caller who speaks turn after turn, whatever the agent is saying; each one is answered when it is over."""
    steps: list[Step] = [WaitForAgent(AgentDoes.ENDS), _turn(_FIRST_WORDS), WaitMs(_BETWEEN_TURNS_MS)]
    steps.append(WaitMs(place * _CALLS_APART_MS % round(_TURN_S * 1000)))
    for number in range(turns):
        steps += [_turn(_TURNS[(place + number) % len(_TURNS)]), WaitMs(_BETWEEN_TURNS_MS)]
    return [*steps, HangUp()]


def _turn(sentences: Sequence[tuple[str, float, float]]) -> Utterance:
    pieces: list[bytes] = []
    for name, begin_s, end_s in sentences:
        pcm = wav.read(_CLIPS / name).mono(LINE_HZ)
        pieces.append(levelled(pcm[2 * round(begin_s * LINE_HZ) : 2 * round(end_s * LINE_HZ)], _LEVEL_DBFS))
    return utterance(sentences[0][0], bytes(2 * round(_BETWEEN_WORDS_S * LINE_HZ)).join(pieces))


def _asks(times: int) -> list[Step]:
    """A caller who names the order once and comes back to it so many times, without its number."""
    again: list[Step] = [WaitMs(_BEFORE_QUESTION_MS), Say("When will it arrive?"), WaitForAgent(AgentDoes.ENDS)]
    first: list[Step] = [
        WaitForAgent(AgentDoes.ENDS),
        Say("Where is my order? The number is one zero four two."),
        WaitForAgent(AgentDoes.ENDS),
    ]
    return [*first, *again * times, HangUp()]


@asynccontextmanager
async def _served(calls: int, limit_s: float, script: Path, folder: Path) -> AsyncIterator[str]:
    command = ("scripts.benchmarks.renewals_model", str(limit_s))
    async with AsyncExitStack() as models:
        # a scripted model for each call: which answer comes next is the model's to know, not the session's
        scripted = [await models.enter_async_context(model(*command, str(script))) for _ in range(calls)]
        embedded = await models.enter_async_context(model(*command))
        agents = {f"talker-{place}": _talker(place, port) for place, port in enumerate(scripted)}
        agents["orders"] = orders_agent("orders", _number(_CONTEXT, 0), embedded)
        async with service(folder, agents) as url:
            yield url


def _talker(place: int, port: int) -> str:
    text = _TALKER.replace("NAME", f"talker-{place}").replace("NUMBER", _number(_GAPS, place))
    text = text.replace("TURN_SILENCE_MS", str(_TURN_SILENCE_MS))
    return text.replace("MODEL", model_block(port))


def _script(turns: int, limit_s: float) -> str:
    """Return answers enough for so many turns, each twice in case that turns fall apart."""
    # every other one takes half of what is left of a session when its renewal waits no longer: at some it is under way
    slow = max(1.2, _TONE_MS / 1000 / (limit_s * SHARE / 4))
    answers = [
        f'  - {{tone_ms: {_TONE_MS}, tone_hz: {PITCHES_HZ[number % len(PITCHES_HZ)]}, words: "Answer {number}.", '
        f"pace: {slow if number % 2 == 0 else max(slow, _QUICK_PACE):g}}}"
        for number in range(2 * turns + 10)
    ]
    caller = ['  - "Go on."'] * (2 * len(answers))  # around a renewal two sessions hear the same
    return "\n".join(["play: once", "caller:", *caller, "turns:", *answers, ""])


async def _tell_progress(folder: Path, expected: int, tell: Callable[[str], None]) -> None:
    began = time.monotonic()
    while True:
        renewed = sum(line.get("event") == "model.renewed" for line in await asyncio.to_thread(list, _lines(folder)))
        tell(f"on for {time.monotonic() - began:.0f} s; renewals {renewed}, {expected} or more are needed")
        await asyncio.sleep(1.0)


def _lines(folder: Path) -> Iterator[Mapping[str, object]]:
    """Give the service's log, as far as it is written."""
    for line in (folder / "service.log").read_text().splitlines():
        try:
            fields = json.loads(line)
        except ValueError:
            continue  # half written, or of a library
        if isinstance(fields, dict):
            yield fields


def _judged(held: _Held, log: Sequence[Mapping[str, object]], times: int) -> RenewedCall:
    report, record = held.report, held.record
    lines = [line for line in log if line.get("call_sid") == report.call_sid]
    begins = [_time(line) for line in lines if line["event"] == "call.start"]
    at = [round((_time(line) - begins[0]) * LINE_HZ) for line in lines if line["event"] == "model.renewed"]
    recording = report.recording()
    begin = min([0, *(said.begin for said in report.said if said.pcm)])
    agent: Samples = np.frombuffer(recording.pcm, dtype="<i2")[1::2]
    heard = tones(agent) if held.kind == _GAPS else []
    renewals = []
    for sample in at:
        gap = gap_ms(agent, heard, sample - begin, _TONE_MS) if held.kind == _GAPS else None
        is_agent_speaking = any(each.begin <= sample < each.end for each in report.utterances())
        is_caller_speaking = any(words.begin <= sample < words.end for words in report.spoken)
        late = _is_carrier_late(report, sample)
        renewals.append(Renewal(sample / LINE_HZ, gap, is_agent_speaking, is_caller_speaking, late))
    longest_ms, place = longest_gap(agent, heard)
    longest = (
        Gap(longest_ms, (place + begin) / LINE_HZ, _is_carrier_late(report, place + begin)) if longest_ms else None
    )
    failures = [*report.failures]
    if record and record["outcome"] != "caller_hung_up":
        failures.append(f"the call's outcome is {record['outcome']}")
    answer = _last_answer(record)
    keeps = None
    if held.kind == _CONTEXT:
        keeps = _NEEDLE in answer.lower() and _orders(record) == {_ORDER}
        if len(at) >= times and report.spoken and report.spoken[-1].begin <= at[times - 1]:
            failures.append("the last question came before the last renewal")
    return RenewedCall(
        held.kind,
        report.call_sid,
        tuple(renewals),
        longest,
        keeps,
        answer,
        int(str(record.get("model_losses", 0))),
        tuple(failures),
    )


def _is_carrier_late(report: CallReport, sample: int) -> bool:
    return any(abs(late - sample) < LINE_HZ for stream in report.streams for late in stream.stream.traffic.late_at)


def _time(line: Mapping[str, object]) -> float:
    return datetime.fromisoformat(str(line["timestamp"])).timestamp()


def _last_answer(record: Mapping[str, object]) -> str:
    """Return what was heard of the agent behind the caller's last turn."""
    turns = record.get("turns", [])
    assert isinstance(turns, list)
    last = max((place for place, turn in enumerate(turns) if turn["speaker"] == "caller"), default=len(turns))
    return " ".join(turn["heard"] or "" for turn in turns[last:] if turn["speaker"] == "agent")


def _orders(record: Mapping[str, object]) -> set[str]:
    """Return the numbers that were looked up."""
    calls = record.get("tool_calls", [])
    assert isinstance(calls, list)
    return {str(call["arguments"].get("order_number")) for call in calls}
