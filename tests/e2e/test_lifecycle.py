"""Starting, stopping, full and broken: what an operator sees, over real processes and signals."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from app.carrier.call import CallPlan, place_call
from app.carrier.steps import HangUp, Step, WaitHeard, WaitMs
from tests.support.service import ACCOUNT, ORDERS_AGENT, TOKEN, Service, served
from tests.support.stand_in_model import StandInModel

AGENT = ORDERS_AGENT.replace("PROVIDER", "openai")
LOCAL_AGENT = ORDERS_AGENT.replace("PROVIDER", "local")


def environment(model: StandInModel) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": "sk-test",
        "OPENAI_BASE_URL": model.url.split("/realtime")[0],
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
    }


def plan(service: Service, step: Step) -> CallPlan:
    return CallPlan(service.url, auth_token=TOKEN, account_sid=ACCOUNT, steps=(step, HangUp()), max_s=40.0)


def test_a_service_told_to_stop_lets_its_call_go_on_and_turns_new_ones_away(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, served(tmp_path, {"orders.yaml": AGENT}, **environment(model)) as service:
            calling = asyncio.create_task(place_call(plan(service, WaitHeard(5000))))
            connection = await model.next_connection()
            await connection.wait_for("conversation.item.create")
            service.process.send_signal(signal.SIGTERM)
            await service.logged("service.draining")
            ready = await service.ready()
            assert (ready.status_code, ready.json()["reason"]) == (503, "draining")
            turned_away = await place_call(plan(service, WaitMs(1000)))
            assert "<Say" in turned_away.answers[0].body
            assert "<Hangup" in turned_away.answers[0].body
            # the running call is neither cut nor silenced: the model still hears the caller, the caller the model
            before = connection.audio_ms
            await connection.hear(before + 1000)
            await connection.reply("Still here.", ms=4500)
            report = await calling
            assert report.ok, report.failures
            assert report.ended_by == "caller"
            assert sum(stretch.end - stretch.begin for stretch in report.agent_heard) >= 4500 * 8
            assert (await service.logged("call.end"))["outcome"] == "caller_hung_up"
            assert await service.ended() == 0
            assert [callback.status for callback in report.callbacks if callback.status >= 400] == []

    asyncio.run(scenario())


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, served(tmp_path, {"orders.yaml": AGENT}, **environment(model)) as service:
            calling = asyncio.create_task(place_call(plan(service, WaitMs(30_000))))
            connection = await model.next_connection()
            await connection.wait_for("conversation.item.create")
            service.process.send_signal(signal.SIGTERM)
            await service.logged("service.draining")
            service.process.send_signal(signal.SIGTERM)
            await service.ended()
            assert (await service.logged("call.end"))["outcome"] == "interrupted"
            report = await calling
            assert report.ended_by != "caller"

    asyncio.run(scenario())


def test_when_there_is_no_more_time_to_drain_calls_are_ended_as_calls_are(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            StandInModel() as model,
            served(tmp_path, {"orders.yaml": AGENT}, DRAIN_S="1", **environment(model)) as service,
        ):
            calling = asyncio.create_task(place_call(plan(service, WaitMs(30_000))))
            connection = await model.next_connection()
            await connection.wait_for("conversation.item.create")
            service.process.send_signal(signal.SIGTERM)
            report = await calling
            assert (report.ended_by, report.close_code) == ("service", 1000)
            assert [answer.asked for answer in report.answers] == ["voice", "after"]
            assert [callback.status for callback in report.callbacks if callback.status >= 400] == []
            assert (await service.logged("call.end"))["outcome"] == "interrupted"
            assert await service.ended() == 0

    asyncio.run(scenario())


def test_when_all_places_are_taken_a_caller_hears_a_sentence(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            StandInModel() as model,
            served(tmp_path, {"orders.yaml": AGENT}, MAX_CALLS="1", **environment(model)) as service,
        ):
            calling = asyncio.create_task(place_call(plan(service, WaitMs(30_000))))
            await model.next_connection()
            second = await place_call(plan(service, WaitMs(1000)))
            assert "busy" in second.answers[0].body
            assert "<Hangup" in second.answers[0].body
            ready = await service.ready()
            assert (ready.status_code, ready.json()["reason"]) == (503, "full")
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            await service.logged("record.filed")
            assert (await service.ready()).status_code == 200

    asyncio.run(scenario())


def test_a_mistaken_file_beside_a_good_one_is_named_and_holds_nothing_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        agents = {"good.yaml": AGENT, "bad.yaml": "agent: bad\nprompt: x\ndisclosur: {text: hm}\n"}
        async with StandInModel() as model, served(tmp_path, agents, **environment(model)) as service:
            ready = await service.ready()
            assert ready.status_code == 200
            assert "did you mean disclosure" in str(ready.json()["details"]["mistakes"])
            await service.logged("agent.mistaken")
            logged = [str(line["detail"]) for line in service.lines if line["event"] == "agent.mistaken"]
            assert any("bad.yaml:3:1: disclosur:" in detail for detail in logged), logged

    asyncio.run(scenario())


def test_a_disclosure_that_our_voice_cannot_speak_is_spoken_by_the_carrier(tmp_path: Path) -> None:
    async def scenario() -> None:
        agent = AGENT.replace("This is an AI.", "저는 인공지능입니다.")  # an English voice has no sound for it
        async with StandInModel() as model, served(tmp_path, {"orders.yaml": agent}, **environment(model)) as service:
            ready = await service.ready()
            assert ready.status_code == 200
            assert "disclosure" in str(ready.json()["details"]["phrases_not_rendered"])
            calling = asyncio.create_task(place_call(plan(service, WaitMs(2500))))
            connection = await model.next_connection()
            told = await connection.wait_for("conversation.item.create")
            assert "저는 인공지능입니다." in str(told)
            report = await calling
            assert report.ok, report.failures
            assert "<Say" in report.answers[0].body
            assert report.answers[0].body.index("<Say") < report.answers[0].body.index("<Connect")
            await service.logged("record.filed")
            disclosure = service.record(report.call_sid)["disclosure"]
            assert isinstance(disclosure, dict)
            assert (disclosure["result"], disclosure["mark"]) == ("heard", None)

    asyncio.run(scenario())


def test_with_no_good_agent_it_is_never_ready(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with served(tmp_path, {"bad.yaml": "agent: bad\n"}, TWILIO_AUTH_TOKEN=TOKEN) as service:
            ready = await service.ready()
            assert (ready.status_code, ready.json()["reason"]) == (503, "no_agent")

    asyncio.run(scenario())


def test_senseless_settings_stop_the_start_with_a_sentence(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app", "serve"),
            env={**os.environ, "HOST": "0.0.0.0", "MAX_CALLS": "0"},
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
        assert process.returncode == 2
        assert b"MAX_CALLS" in errors

    asyncio.run(scenario())


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # it ended while we looked
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def offspring_of(pid: int) -> set[int]:
    found: set[int] = set()
    for child in children_of(pid):
        found |= {child, *offspring_of(child)}
    return found


async def _gone(pids: set[int]) -> bool:
    async with asyncio.timeout(15):
        while any((Path("/proc") / str(pid)).exists() for pid in pids):
            await asyncio.get_running_loop().run_in_executor(None, os.sched_yield)
    return True


def test_the_embedded_model_is_started_again_when_it_dies_and_never_outlives_the_service(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with served(tmp_path, {"orders.yaml": LOCAL_AGENT}) as service:
            models = [pid for pid in children_of(service.process.pid) if b"model" in _command_of(pid)]
            assert len(models) == 1
            os.kill(models[0], signal.SIGKILL)
            await service.logged("embedded_model.died")
            await service.logged("embedded_model.restarted")
            report = await place_call(CallPlan(service.url, steps=(WaitMs(5000), HangUp()), max_s=20.0))
            assert report.ok, report.failures
            end = await service.logged("call.end")
            assert end["model_losses"] == 0
            offspring = offspring_of(service.process.pid)
            assert offspring
            service.process.kill()
            await service.ended()
            assert await _gone(offspring)

    asyncio.run(scenario())


def test_the_embedded_model_is_not_started_when_no_agent_needs_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with StandInModel() as model, served(tmp_path, {"orders.yaml": AGENT}, **environment(model)) as service:
            assert [pid for pid in children_of(service.process.pid) if b"model" in _command_of(pid)] == []

    asyncio.run(scenario())


def _command_of(pid: int) -> bytes:
    return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"_model", b"").replace(b"local", b"")
