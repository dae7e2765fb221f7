"""Calls over slow, uneven, lossy, stalled and lost lines, over real sockets. The times asserted are least ones."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from app.audio import mulaw
from app.carrier.call import CallPlan, place_call
from app.carrier.line import Line
from app.carrier.report import CallReport
from app.carrier.steps import HangUp, Step, WaitMs
from app.carrier.voice import utterance
from tests.support.phone_service import Media, PhoneService, listen, part, serving

SECOND = mulaw.encode(b"\x00\x10" * 8000)
HELLO = utterance("hello", b"\x00\x10" * 8 * 400)
LONG: Sequence[Step] = (WaitMs(20_000), HangUp())


def place(service: PhoneService, line: Line, steps: Sequence[Step] = LONG) -> CallReport:
    async def scenario() -> CallReport:
        async with asyncio.timeout(30), serving(service):
            return await place_call(CallPlan(url=service.url, steps=steps, line=line))

    return asyncio.run(scenario())


def events(report: CallReport) -> list[str]:
    return [event.kind for event in report.events if event.kind.startswith("line_")]


def test_what_is_sent_arrives_late_both_ways_and_in_order() -> None:
    took_s: list[float] = []

    async def speaks(media: Media) -> None:
        began = time.monotonic()
        await media.mark("empty")
        await media.marked("empty")
        took_s.append(time.monotonic() - began)
        await media.play(SECOND)
        await media.mark("cut")
        await media.clear()
        await media.mark("behind")
        await media.marked("behind")
        assert media.marks() == ["empty", "cut", "behind"]

    service = PhoneService(conversation=speaks)
    report = place(service, Line(to_carrier_ms=120, to_service_ms=80, jitter_ms=40))
    assert took_s[0] >= 0.2
    assert report.failures == []
    assert report.ended_by == "service"
    (cleared,) = report.streams[0].playout.cleared
    heard = sum(piece.size for piece in report.streams[0].playout.heard)
    assert heard + cleared.size == len(SECOND)
    assert cleared.size > 0
    received = service.streams[0].received
    assert [message["event"] for message in received[:2]] == ["connected", "start"]
    assert [message["sequenceNumber"] for message in received[1:]] == [str(n) for n in range(1, len(received))]


def test_audio_sounds_when_it_arrives_and_not_when_it_was_sent() -> None:
    service = PhoneService(conversation=_plays_at_once)
    report = place(service, Line(to_carrier_ms=300))
    assert report.time_to_first_media_ms is not None
    assert report.time_to_first_media_ms >= 300
    assert report.agent_heard[0].begin // 8 >= 300


async def _plays_at_once(media: Media) -> None:
    await media.play(SECOND[:800])
    await media.mark("end")
    await media.marked("end")


def test_a_caller_who_hangs_up_is_heard_to_the_last_message() -> None:
    service = PhoneService()
    report = place(service, Line(to_service_ms=200), [WaitMs(200), HangUp()])
    (media,) = service.streams
    assert media.received[-1]["event"] == "stop"
    assert len(media.of("media")) == report.streams[0].stream.traffic.frames_sent == 10
    assert (report.ended_by, report.close_code) == ("caller", 1000)


def test_times_count_from_the_streams_start_on_a_machine_that_is_slow_too(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = itertools.count()
    slow = SimpleNamespace(monotonic=lambda: time.monotonic() + 0.004 * next(readings))
    monkeypatch.setattr("app.carrier.stream.time", slow)
    monkeypatch.setattr("app.carrier.timeline.time", slow)
    report = place(PhoneService(), Line(), [HELLO, HangUp()])
    assert report.streams[0].begin == 0
    assert report.spoken[0].begin == 0
    (started,) = [event for event in report.events if event.kind == "stream_started"]
    assert started.at_ms == 0


def test_marks_come_back_in_bunches() -> None:
    async def speaks(media: Media) -> None:
        for number in range(5):
            await media.mark(f"1:{number}")
            frames = len(media.of("media"))
            await media.until(lambda frames=frames: len(media.of("media")) > frames + 1)  # type: ignore[misc] # bound now
        await media.marked("1:4")

    service = PhoneService(conversation=speaks)
    report = place(service, Line(mark_delay_ms=100, bunch_marks_ms=400))
    kinds = [str(message["event"]) for message in service.streams[0].received]
    groups = "".join("m" if kind == "mark" else " " for kind in kinds).split()
    assert sum(len(group) for group in groups) == 5
    assert len(groups) < 5
    assert [mark.played for mark in report.streams[0].marks] == [True] * 5
    assert report.failures == []


def test_a_lost_packet_of_the_caller_is_a_gap_in_the_timestamps_alone() -> None:
    line = Line(loss_percent=30)
    service = PhoneService()
    report = place(service, line, [HELLO, WaitMs(200), HangUp()])
    frames = [part(message, "media") for message in service.streams[0].of("media")]
    kept = [number for number in range(30) if not line.loses_from_caller(number)]
    assert [frame["timestamp"] for frame in frames] == [str(number * 20) for number in kept]
    assert [frame["chunk"] for frame in frames] == [str(number) for number in range(1, len(kept) + 1)]
    told = report.to_json()["streams"]
    assert isinstance(told, list)
    assert isinstance(told[0], dict)
    assert (told[0]["frames_sent"], told[0]["frames_lost"]) == (len(kept), 30 - len(kept))
    assert 0 < len(kept) < 30


def test_a_lost_packet_of_the_agent_is_concealed_and_moves_no_mark() -> None:
    service = PhoneService(conversation=_plays_a_second)
    report = place(service, Line(loss_percent=40))
    (stream,) = report.streams
    (piece,) = stream.playout.heard
    assert stream.marks[0].returned_at == piece.at + len(SECOND)
    told = report.to_json()["streams"]
    assert isinstance(told, list)
    assert isinstance(told[0], dict)
    lost = told[0]["agent_frames_lost"]
    assert isinstance(lost, int)
    assert 5 < lost < 40  # of 50 or 51
    heard = report.recording().pcm[2::4]  # the agent's side, low bytes
    assert len(set(heard)) > 2  # silence, the tone and its fading repetitions


async def _plays_a_second(media: Media) -> None:
    await media.play(SECOND)
    await media.mark("end")
    await media.marked("end")


def test_a_stalled_reader_takes_nothing_in_until_it_reads_again() -> None:
    async def speaks(media: Media) -> None:
        await media.until(lambda: len(media.of("media")) >= 10)  # 200 ms and more: in the stall
        await media.mark("waits")
        await media.marked("waits")

    service = PhoneService(conversation=speaks)
    report = place(service, Line(stall_at_ms=100, stall_ms=500))
    (mark,) = report.streams[0].marks
    assert mark.sent_at >= 600 * 8
    assert events(report) == ["line_stalled", "line_resumed"]
    assert report.failures == []


def test_a_stalled_reader_fills_the_services_buffers() -> None:
    waiting: list[int] = []

    async def speaks(media: Media) -> None:
        await media.until(lambda: len(media.of("media")) >= 10)
        sending = asyncio.create_task(_send_much(media))
        await media.until(lambda: len(media.of("media")) >= 20)
        waiting.append(not sending.done())
        await sending

    report = place(PhoneService(conversation=speaks), Line(stall_at_ms=100, stall_ms=1500))
    assert waiting == [True]
    assert events(report) == ["line_stalled", "line_resumed"]
    assert report.streams[0].stream.traffic.media == 60


async def _send_much(media: Media) -> None:
    for _ in range(60):
        await media.play(SECOND * 10)


def test_a_call_that_ends_in_a_stall_ends() -> None:
    report = place(PhoneService(), Line(stall_at_ms=100, stall_ms=30_000), [WaitMs(300), HangUp()])
    assert (report.ended_by, report.close_code) == ("caller", 1000)


def test_a_connection_that_is_reset_ends_the_stream_and_the_call_goes_on() -> None:
    service = PhoneService(conversation=listen_to_nothing)
    report = place(service, Line(drop_at_ms=200))
    (stream,) = report.streams
    assert (stream.ended_by, stream.close_code) == ("line", 1006)
    assert stream.end - stream.begin >= 200 * 8
    assert events(report) == ["line_dropped"]
    assert report.failures == []
    assert service.streams[0].of("stop") == []
    assert service.asked_for("/twilio/after")
    told = [dict(asked.form)["StreamEvent"] for asked in service.asked_for("/twilio/stream-status")]
    assert sorted(told) == ["stream-error", "stream-started"]


async def listen_to_nothing(media: Media) -> None:
    await media.until(lambda: media.closed)


def test_a_clear_over_a_slow_line_is_judged_where_it_arrived() -> None:
    async def speaks(media: Media) -> None:
        await media.play(SECOND[:1600])
        await media.mark("1:1")
        await media.play(SECOND)
        await media.mark("1:2")
        await media.marked("1:1")
        await media.clear()
        await listen(media)

    report = place(
        PhoneService(conversation=speaks), Line(to_carrier_ms=100, to_service_ms=100), [WaitMs(1500), HangUp()]
    )
    told = report.to_json()["interruptions"]
    assert isinstance(told, list)
    (judged,) = told
    assert isinstance(judged, dict)
    assert judged["position_error_ms"] is None
    assert judged["why"] == "the service's record of this call is not at hand"
    (cleared,) = report.streams[0].playout.cleared
    heard = sum(piece.size for piece in report.streams[0].playout.heard)
    assert heard == cleared.offset >= (200 + 200) * 8  # 200 ms, and the second while mark and clear were under way
    assert judged["discarded_ms"] == cleared.size // 8
