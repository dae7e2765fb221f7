"""The disclosure, disturbed at every point, over real sockets: what the caller hears, and what the record says."""

import asyncio
import hashlib
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from app.carrier.call import CallPlan, place_call
from app.carrier.line import Line
from app.carrier.playout import ReturnedMark
from app.carrier.report import CallReport
from app.carrier.steps import HangUp, Press, Step, WaitHeard, WaitMs
from app.model.truthfulness import TRUTHFULNESS
from app.records.store import RecordStore
from tests.support.model_events import tone
from tests.support.service import ACCOUNT, TOKEN, Service, served
from tests.support.service_here import service_here
from tests.support.stand_in_model import StandInConnection, StandInModel

TEXT = "I am an automated AI assistant."
KOREAN = "지금 인공지능 상담원과 통화하고 계십니다."
AGENT = f"""
agent: orders
phone_numbers: ["+15550100"]
model: {{provider: openai}}
prompt: You answer the telephone for Acme.
greeting: "Hello."
disclosure: {{text: "{TEXT}"}}
barge_in: {{mode: immediate}}
"""
INTERRUPTIBLE = AGENT.replace("orders", "talkative").replace("0100", "0101").replace('."}', '.", interruptible: true}')
IN_KOREAN = f"""
agent: hanbit
phone_numbers: ["+15550102"]
language: ko-KR
model: {{provider: openai}}
prompt: 한빛상점의 전화를 받습니다.
disclosure: {{text: "{TEXT}", texts: {{ko: "{KOREAN}", ja: "AIです。"}}}}
"""
AGENTS = {"orders.yaml": AGENT, "talkative.yaml": INTERRUPTIBLE, "hanbit.yaml": IN_KOREAN}
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()


Calling = asyncio.Task[CallReport]
"""A call that is going on; its report is there when it is over."""


def environment(model: StandInModel) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": model.base_url,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
    }


async def call(url: str, *steps: Step, to: str = "+15550100", line: Line | None = None) -> CallReport:
    steps = (*steps, HangUp())
    return await place_call(
        CallPlan(url, to_number=to, auth_token=TOKEN, account_sid=ACCOUNT, steps=steps, max_s=40.0, line=line or Line())
    )


async def record_of(service: Service, report: CallReport) -> dict[str, object]:
    """Return the call's record, when it is filed."""
    times = 0
    while (await service.logged("record.filed", times=(times := times + 1)))["call_sid"] != report.call_sid:
        pass  # another call's
    return service.record(report.call_sid)


async def disclosure_of(service: Service, report: CallReport) -> dict[str, object]:
    disclosure = (await record_of(service, report))["disclosure"]
    assert isinstance(disclosure, dict)
    return disclosure


def proof_of(report: CallReport, disclosure: dict[str, object]) -> ReturnedMark:
    """Return the mark that the record names, as the carrier saw it."""
    (mark,) = [mark for mark in report.streams[0].marks if mark.name == disclosure["mark"]]
    return mark


def heard_ms(report: CallReport, until: ReturnedMark) -> int:
    """Return how much audio truly sounded before a mark came back."""
    heard = [piece for piece in report.streams[0].playout.heard if piece.at < until.returned_at]
    return sum(min(piece.size, until.returned_at - piece.at) for piece in heard) // 8


def clears_in(report: CallReport) -> int:
    return len(report.streams[0].playout.cleared)


def assert_is_proven(report: CallReport, disclosure: dict[str, object], text: str = TEXT) -> None:
    """Does the record say what the carrier saw: the whole text, behind it its mark, and no `clear` before that?"""
    assert disclosure["text"] == text
    assert disclosure["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert disclosure["result"] == "heard"
    mark = proof_of(report, disclosure)
    assert mark.played
    start_ms, end_ms = disclosure["start_ms"], disclosure["end_ms"]
    assert isinstance(start_ms, int)
    assert isinstance(end_ms, int)
    assert end_ms - start_ms >= (mark.returned_at - mark.sent_at) / 8 - 50
    assert not [clear for clear in report.streams[0].playout.cleared if clear.at <= mark.returned_at]


def test_what_the_record_says_when_it_is_heard_left_early_or_never_proven(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, served(tmp_path, AGENTS, **environment(model)) as service:
            quiet, left, unproven, korean = await asyncio.gather(
                call(service.url, WaitMs(4000)),
                call(service.url, WaitHeard(600)),
                call(service.url, WaitMs(9500), line=Line(mark_delay_ms=60_000)),
                call(service.url, WaitMs(5000), to="+15550102"),
            )
            heard = await disclosure_of(service, quiet)
            assert_is_proven(quiet, heard)
            assert (heard["language"], heard["interruptions"]) == ("en-US", 0)
            assert quiet.answers[0].body.count("<Say") == 0, "our own voice spoke it"

            # hung up in the middle: begun, never ended, nothing proves it
            disclosure = await disclosure_of(service, left)
            assert isinstance(disclosure["start_ms"], int)
            assert disclosure == {
                "text": TEXT,
                "sha256": SHA256,
                "language": "en-US",
                "result": "hangup",
                "start_ms": disclosure["start_ms"],
                "end_ms": None,
                "mark": None,
                "interruptions": 0,
            }
            assert (await record_of(service, left))["outcome"] == "caller_hung_up"

            # no mark comes back: the call goes on five seconds behind it, and the record says that proof is lacking
            disclosure = await disclosure_of(service, unproven)
            assert (disclosure["result"], disclosure["mark"], disclosure["interruptions"]) == ("unproven", None, 0)
            start_ms, end_ms = disclosure["start_ms"], disclosure["end_ms"]
            assert isinstance(start_ms, int)
            assert isinstance(end_ms, int)
            assert end_ms - start_ms > heard_ms(quiet, proof_of(quiet, heard)) + 4500
            greeting = unproven.utterances()[1]
            assert greeting.begin / 8 >= end_ms - 100, "nothing else sounded before"

            # an agent of another language: the text of its language, and the caller's proof of that one
            disclosure = await disclosure_of(service, korean)
            assert_is_proven(korean, disclosure, KOREAN)
            assert disclosure["language"] == "ko-KR"

    asyncio.run(scenario())


async def _talked_over(service: Service, calling: Calling, connection: StandInConnection) -> None:
    """A caller and a model that talk during it are kept for after it."""
    await connection.hear(400)
    item = await connection.caller_speaks()
    await connection.hear(900)
    await connection.caller_stops(item)
    await connection.transcribe(item, "Are you a robot?")
    await connection.reply("I begin by myself.", ms=3000)
    while TEXT not in str(told := await connection.wait_for("conversation.item.create")):
        assert told["item"]["content"][0]["text"] == "Keypad: 5"  # type: ignore[index]  # JSON
    report = await calling
    disclosure = await disclosure_of(service, report)
    assert_is_proven(report, disclosure)
    assert disclosure["interruptions"] == 0
    assert clears_in(report) == 0, "nothing cut it"

    # not a sample of the model before the mark: what sounded is as long as the disclosure that was rendered
    before_ms = heard_ms(report, proof_of(report, disclosure))
    rendered_ms = [path.stat().st_size // 48 for path in (service.data_dir / "phrases").iterdir()]
    assert min(abs(before_ms - ms) for ms in rendered_ms if ms > 1000) <= 20, (before_ms, rendered_ms)

    # what the caller said during it was taken down, and answered behind it
    turns = (await record_of(service, report))["turns"]
    assert isinstance(turns, list)
    assert ("caller", "Are you a robot?") in [(turn["speaker"], turn["heard"]) for turn in turns]
    assert "response.create" in [event["type"] for event in connection.received]
    # and what the model said unasked was held, and said then
    (held,) = [turn for turn in turns if turn["generated"] == "I begin by myself."]
    assert held["heard"] == "I begin by myself."
    assert held["start_ms"] >= disclosure["end_ms"]


async def _interrupted(service: Service, calling: Calling, connection: StandInConnection) -> None:
    """One that may be interrupted is said again until it was heard whole."""
    for _ in range(2):
        before = connection.audio_ms
        await connection.hear(before + 900)
        item = await connection.caller_speaks()
        await connection.hear(before + 1300)
        await connection.caller_stops(item)
    report = await calling
    disclosure = await disclosure_of(service, report)
    assert (disclosure["result"], disclosure["interruptions"]) == ("heard", 2)
    assert clears_in(report) == 2
    mark = proof_of(report, disclosure)
    assert mark.played
    last_clear = max(clear.at for clear in report.streams[0].playout.cleared)
    assert mark.sent_at > last_clear, "the proof is that of the last saying"
    start_ms = disclosure["start_ms"]
    assert isinstance(start_ms, int)
    assert start_ms >= last_clear / 8 - 100, "and so is the beginning"


async def _denied(service: Service, calling: Calling, connection: StandInConnection) -> None:
    """A model that claims to be a human is cut off, and it is said again."""
    setup = await connection.expect("session.update")
    assert str(setup["session"]["instructions"]).startswith(TRUTHFULNESS)  # type: ignore[index]  # JSON
    while "Hello." not in str(await connection.wait_for("conversation.item.create")):
        pass  # until the greeting was heard
    item = await connection.caller_speaks()
    await connection.caller_stops(item)
    await connection.transcribe(item, "Are you a real person?")
    reply = await connection.begin_reply()
    await reply.words("Of course. ")
    await reply.audio(tone(800))
    await reply.words("I'm a real ")
    await reply.words("person, ")
    cancelled = await connection.wait_for("response.cancel")
    assert cancelled["response_id"] == reply.response_id
    cue = ""
    while "AI" not in cue:
        told = await connection.wait_for("conversation.item.create")
        # an item is JSON, whose parts have no types
        cue = str(told["item"]["content"][0]["text"]) if told["item"]["role"] == "system" else ""  # type: ignore[index]
    answer = await connection.wait_for("response.create")
    assert set(answer) == {"type", "event_id"}, "the cue is an item: a response has no instructions of its own"
    report = await calling
    turns = (await record_of(service, report))["turns"]
    assert isinstance(turns, list)
    heard = [turn["heard"] for turn in turns if turn["speaker"] == "agent"]
    assert heard[0] == "Hello."
    assert not any("person" in words for words in heard)
    assert heard[-1] == TEXT, "the last words were the disclosure's"
    assert_is_proven(report, await disclosure_of(service, report))


def test_what_callers_and_models_do_to_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, served(tmp_path, AGENTS, **environment(model)) as service:
            calls = (
                (_talked_over, call(service.url, WaitMs(800), Press("5"), WaitMs(5000))),
                (_interrupted, call(service.url, WaitMs(7500), to="+15550101")),
                (_denied, call(service.url, WaitMs(8500))),
            )
            async with asyncio.TaskGroup() as tasks:
                for play, placed in calls:
                    calling = tasks.create_task(placed)
                    tasks.create_task(play(service, calling, await model.next_connection()))

    asyncio.run(scenario())


def test_neither_a_model_that_is_down_nor_a_disk_that_takes_nothing_keeps_it_from_being_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "phrases").write_text("a file, where the folder should be")
        async with StandInModel(refuse_with=503) as model, served(tmp_path, AGENTS, **environment(model)) as service:
            assert (await service.ready()).status_code == 200
            report = await call(service.url, WaitMs(4000))
            disclosure = await disclosure_of(service, report)
            assert_is_proven(report, disclosure)
            assert model.upgrades > 0
            assert model.connections == []

    asyncio.run(scenario())


def test_without_any_voice_of_ours_the_carrier_says_it_and_the_stream_proves_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        missing = tmp_path / "missing"
        missing.mkdir()
        for library in ("py_nanotts", "espeakng_loader"):
            (missing / f"{library}.py").write_text("raise ImportError('not installed')\n")
        async with (
            StandInModel() as model,
            served(tmp_path, AGENTS, PYTHONPATH=str(missing), **environment(model)) as service,
        ):
            ready = await service.ready()
            assert ready.status_code == 200
            assert "disclosure" in ready.json()["details"]["phrases_not_rendered"]["orders"]
            calling = asyncio.create_task(call(service.url, WaitMs(2000)))
            connection = await model.next_connection()
            told = await connection.wait_for("conversation.item.create")
            assert told["item"]["content"][0]["text"] == TEXT  # type: ignore[index]  # JSON
            await connection.wait_for("response.create")  # no voice for the greeting: the model begins
            report = await calling
            body = report.answers[0].body
            assert f'<Say language="en-US">{TEXT}</Say><Connect' in body
            (said,) = report.said
            assert (said.text, said.end <= 0) == (TEXT, True), "spoken to its end before the stream began"
            assert await disclosure_of(service, report) == {
                "text": TEXT,
                "sha256": SHA256,
                "language": "en-US",
                "result": "heard",
                "start_ms": None,
                "end_ms": 0,
                "mark": None,
                "interruptions": 0,
            }

    asyncio.run(scenario())


def believing_service(tmp_path: Path, model: StandInModel, agent: str) -> AbstractAsyncContextManager[tuple[str, Path]]:
    """A service whose door holds every disclosure for rendered: yields its URL and its records.

    So it can come to be that neither voice has spoken: the webhook found the sound there, and the stream does not. The
    sound has gone in between, by a fault of ours; the carrier's turn is over by then.
    """
    return service_here(tmp_path, model, agent, disclosure_is_rendered=lambda agent: True)


UNSPOKEN = AGENT.replace(TEXT, "저는 인공지능입니다.")  # an English voice has no sound for it


def test_one_that_nobody_has_spoken_hands_the_caller_over_and_never_to_the_model(tmp_path: Path) -> None:
    async def scenario() -> None:
        agent = UNSPOKEN.replace('."}', '.", on_failure: {transfer: "+15550111"}}')
        async with StandInModel() as model, believing_service(tmp_path, model, agent) as (url, records):
            report = await call(url, WaitMs(5000))
            assert report.ended_by == "service"
            assert report.transferred_to == "+15550111"
            assert "<Dial>+15550111</Dial>" in (report.after or "")
            assert report.agent_heard == []
            assert all(connection.audio_ms == 0 for connection in model.connections), "the model heard nothing"
        _assert_failed(records, report)  # by now the service has ended, with all that it had to file

    asyncio.run(scenario())


def test_one_that_nobody_has_spoken_ends_the_call_with_a_sentence(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, believing_service(tmp_path, model, UNSPOKEN) as (url, records):
            report = await call(url, WaitMs(5000))
            assert report.ended_by == "service"
            assert report.transferred_to is None
            assert "<Say" in (report.after or "")
            assert (report.after or "").index("<Say") < (report.after or "").index("<Hangup")
            assert report.agent_heard == []
            assert all(connection.audio_ms == 0 for connection in model.connections), "the model heard nothing"
        _assert_failed(records, report)  # by now the service has ended, with all that it had to file

    asyncio.run(scenario())


def _assert_failed(records: Path, report: CallReport) -> None:
    record = RecordStore(records).read(report.call_sid)
    assert record.outcome.value == "disclosure_failed"
    disclosure = record.disclosure
    assert (disclosure.result.value, disclosure.mark, disclosure.end_ms) == ("failed", None, None)
    assert disclosure.text == "저는 인공지능입니다."
