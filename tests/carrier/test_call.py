"""Whole calls over real sockets against a small service that keeps Twilio's contract, or breaks it."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from twilio.request_validator import (  # type: ignore[import-untyped, unused-ignore] # twilio ships no types
    RequestValidator,
)
from websockets.asyncio.server import ServerConnection, serve

from app.audio import mulaw
from app.carrier.call import CallPlan, place_call
from app.carrier.report import CallReport
from app.carrier.steps import AgentDoes, BargeIn, HangUp, Press, Step, WaitForAgent, WaitMs
from app.carrier.timeline import Event
from app.carrier.voice import Speak, utterance
from app.errors import VoiceAgentError
from tests.support.phone_service import Media, PhoneService, listen, part, serving

TOKEN = "12345"


def tone(ms: int, hz: int = 440) -> bytes:
    """PCM16, 8 kHz."""
    return bytes(np.rint(6000 * np.sin(2 * np.pi * hz * np.arange(8 * ms) / 8000)).astype("<i2").tobytes())


def place(
    service: PhoneService, steps: Sequence[Step] = (HangUp(),), *, speak: Speak | None = None, max_s: float = 20
) -> CallReport:
    async def scenario() -> CallReport:
        async with asyncio.timeout(30), serving(service):
            plan = CallPlan(url=service.url, steps=steps, auth_token=TOKEN, max_s=max_s)
            return await place_call(plan, speak=speak)

    return asyncio.run(scenario())


HELLO = utterance("hello", tone(200, 300))


def test_the_webhook_is_a_signed_form_with_blank_values_kept() -> None:
    service = PhoneService()
    report = place(service)
    (voice,) = service.asked_for("/twilio/voice")
    form = dict(voice.form)
    assert voice.method == "POST"
    assert form["CallSid"] == report.call_sid
    assert report.call_sid.startswith("CA")
    assert len(report.call_sid) == 34
    assert (form["CallStatus"], form["Direction"], form["ApiVersion"]) == ("ringing", "inbound", "2010-04-01")
    assert (form["From"], form["To"], form["FromCity"]) == ("+15550199", "+15550100", "")
    assert voice.headers["user-agent"] == "TwilioProxy/1.1"
    assert voice.headers["i-twilio-idempotency-token"]
    for asked in service.asked:
        assert RequestValidator(TOKEN).validate(asked.url, dict(asked.form), asked.headers["x-twilio-signature"])


def test_the_handshake_is_twilios() -> None:
    service = PhoneService()
    place(service)
    headers = service.streams[0].websocket.headers
    assert headers["user-agent"] == "Twilio.TmeWs/1.0"
    assert headers["sec-websocket-version"] == "13"
    assert RequestValidator(TOKEN).validate(service.media_url, {}, headers["x-twilio-signature"])
    assert not {"origin", "sec-websocket-extensions", "sec-websocket-protocol"} & set(headers)


def test_without_a_token_nothing_is_signed() -> None:
    async def scenario() -> None:
        service = PhoneService()
        async with asyncio.timeout(30), serving(service):
            await place_call(CallPlan(url=service.url, steps=(HangUp(),)))
        assert "x-twilio-signature" not in service.asked[0].headers
        assert "x-twilio-signature" not in service.streams[0].websocket.headers

    asyncio.run(scenario())


def test_a_stream_is_counted_without_a_gap_and_keeps_its_schedule() -> None:
    service = PhoneService()
    began = time.monotonic()
    report = place(service, [WaitMs(400), Press("12"), HELLO, WaitMs(200), HangUp()])
    assert time.monotonic() - began >= 1.2  # 400 + 2 · 200 + 200 + 200 ms are real ones
    (media,) = service.streams
    assert [message["event"] for message in media.received[:3]] == ["connected", "start", "media"]
    assert media.received[-1]["event"] == "stop"
    assert [message["sequenceNumber"] for message in media.received[1:]] == [
        str(number) for number in range(1, len(media.received))
    ]
    frames = [part(message, "media") for message in media.of("media")]
    assert [frame["chunk"] for frame in frames] == [str(number) for number in range(1, len(frames) + 1)]
    assert [frame["timestamp"] for frame in frames] == [str(number * 20) for number in range(len(frames))]
    assert len(frames) == report.streams[0].stream.traffic.frames_sent == 60
    (spoken,) = report.spoken
    heard = media.heard()
    assert heard[: spoken.begin] == b"\xff" * spoken.begin
    assert heard[800 * 8 : 1000 * 8] == HELLO.ulaw
    assert [part(message, "dtmf")["digit"] for message in media.of("dtmf")] == ["1", "2"]
    assert media.start["customParameters"] == {"ticket": "secret-1"}


def test_marks_come_back_when_played_and_on_clear_and_the_report_knows_which() -> None:
    async def speaks(media: Media) -> None:
        await media.mark("empty")
        await media.play(mulaw.encode(tone(300)))
        await media.mark("one")
        await media.play(mulaw.encode(tone(5000, 800)))
        await media.mark("two")
        await media.marked("one")
        await media.clear()
        await media.mark("three")
        await media.marked("three")
        assert media.marks() == ["empty", "one", "two", "three"]

    report = place(PhoneService(conversation=speaks), [WaitMs(20_000), HangUp()])
    stream = report.streams[0]
    assert [(mark.name, mark.played) for mark in stream.marks] == [
        ("empty", True),
        ("one", True),
        ("two", False),
        ("three", True),
    ]
    marks = {mark.name: mark for mark in stream.marks}
    (first, *_) = stream.playout.heard
    assert marks["one"].returned_at == first.at + 2400
    (cleared,) = stream.playout.cleared
    assert marks["two"].returned_at == cleared.at
    heard = sum(piece.size for piece in stream.playout.heard)
    assert heard == cleared.at - first.at
    assert heard + cleared.size == 5300 * 8
    (agent,) = report.agent_heard
    assert agent.begin == pytest.approx(first.at, abs=8)
    assert agent.end == pytest.approx(cleared.at, abs=8)
    assert report.warnings.count == {}
    assert report.ok


def test_a_barge_in_is_measured_and_the_recording_holds_both_sides_where_they_were() -> None:
    async def speaks(media: Media) -> None:
        await media.play(mulaw.encode(tone(4000)))
        await media.until(lambda: media.heard().strip(b"\xff") != b"")
        await media.clear()
        await media.until(lambda: media.heard().endswith(b"\xff" * 160))

    report = place(PhoneService(conversation=speaks), [BargeIn(500, HELLO), WaitMs(20_000), HangUp()])
    ((words, stretch),) = report.barge_ins()
    assert report.failures == []
    assert words.begin >= report.agent_heard[0].begin + 500 * 8
    assert stretch.end == pytest.approx(report.streams[0].playout.cleared[0].at, abs=8)
    (barge_in,) = _list(report.to_json()["barge_ins"])
    assert barge_in == {
        "caller_start_ms": words.begin // 8,
        "agent_silent_ms": stretch.end // 8,
        "time_to_silence_ms": (stretch.end - words.begin) // 8,
        "overlap_ms": (min(words.end, stretch.end) - words.begin) // 8,
    }
    recording = report.recording()
    assert (recording.rate_hz, recording.channels) == (8000, 2)
    both = np.frombuffer(recording.pcm, dtype="<i2").reshape(-1, 2)
    assert len(both) == report.streams[0].end
    for side, (begin, end) in enumerate([(words.begin, words.end), (report.agent_heard[0].begin, stretch.end)]):
        loud = np.flatnonzero(np.abs(both[:, side].astype(int)) > 150)
        assert loud[0] == pytest.approx(begin, abs=2)
        assert loud[-1] == pytest.approx(end, abs=8)


def test_when_the_service_closes_the_stream_its_action_is_asked_and_obeyed() -> None:
    async def speaks(media: Media) -> None:
        await media.play(mulaw.encode(tone(200)))
        await media.mark("said")
        await media.marked("said")

    service = PhoneService(conversation=speaks, after="<Response><Dial>+15550111</Dial></Response>")
    report = place(service, [WaitMs(20_000), HangUp()])
    assert report.failures == []
    assert (report.ended_by, report.close_code, report.transferred_to) == ("service", 1000, "+15550111")
    assert report.after == "<Response><Dial>+15550111</Dial></Response>"
    (after,) = service.asked_for("/twilio/after")
    assert dict(after.form)["CallSid"] == report.call_sid
    assert dict(after.form)["CallStatus"] == "in-progress"
    events = [dict(asked.form) for asked in service.asked_for("/twilio/stream-status")]
    assert Counter(event["StreamEvent"] for event in events) == {"stream-started": 1, "stream-stopped": 1}
    assert {event["StreamSid"] for event in events} == {report.stream_sid}
    (status,) = service.asked_for("/twilio/status")
    assert dict(status.form)["CallStatus"] == "completed"


def test_when_the_caller_hangs_up_no_action_is_asked() -> None:
    service = PhoneService()
    report = place(service, [WaitMs(100), HangUp()])
    assert (report.ended_by, report.close_code, report.after) == ("caller", 1000, None)
    assert service.asked_for("/twilio/after") == []
    assert len(service.streams[0].of("stop")) == 1
    assert service.asked_for("/twilio/status")


def test_a_say_takes_its_time_and_is_in_the_recording() -> None:
    async def speak(text: str, language: str) -> bytes:
        assert (text, language) == ("You speak with an AI.", "ko-KR")
        return np.repeat(np.frombuffer(tone(300), dtype="<i2"), 3).tobytes()

    service = PhoneService()
    service.voice = service.voice.replace(
        "<Connect", '<Say language="ko-KR">You speak with an AI.</Say><Pause length="0"/><Connect', 1
    )
    report = place(service, [WaitMs(100), HangUp()], speak=speak)
    (said,) = report.said
    assert said.end - said.begin == 2400
    assert said.end <= 0
    sound = np.frombuffer(report.recording().pcm, dtype="<i2").reshape(-1, 2)
    assert len(sound) == report.streams[0].end - said.begin
    assert np.abs(sound[:2400, 1]).max() > 3000


def test_a_say_without_a_voice_takes_about_as_long() -> None:
    async def mute(text: str, language: str) -> bytes:
        raise VoiceAgentError("no voice for ja-JP")

    service = PhoneService(voice='<Response><Say language="ja-JP">はい</Say></Response>')
    report = place(service, speak=mute)
    (said,) = report.said
    assert said.pcm == b""
    assert said.end - said.begin == pytest.approx(630 * 8, abs=8)
    assert [event.details["reason"] for event in report.events if event.kind == "say_without_voice"] == [
        "no voice for ja-JP"
    ]


def test_a_call_that_is_full_is_told_so_and_ends_without_a_stream() -> None:
    report = place(PhoneService(voice="<Response><Say>Full.</Say><Hangup/></Response>"))
    assert report.ended_by == "service"
    assert [said.text for said in report.said] == ["Full."]
    assert report.failures == ["the service opened no media stream"]


def test_a_rejected_call_was_refused() -> None:
    service = PhoneService(voice='<Response><Reject reason="busy"/></Response>')
    report = place(service)
    assert (report.ended_by, report.rejected) == ("refused", "busy")
    assert report.failures == ["the call was rejected (busy)"]
    assert dict(service.asked_for("/twilio/status")[0].form)["CallStatus"] == "busy"


@pytest.mark.parametrize(
    ("service", "code"),
    [
        (PhoneService(voice="not <xml"), "12100"),
        (PhoneService(content_type="application/json"), "12300"),
        (PhoneService(voice_status=403), "11200"),
        (PhoneService(voice="<Response><Redirect>/twilio/voice</Redirect></Response>"), "11215"),
        (PhoneService(voice='<Response><Connect><Stream url="http://x/y"/></Connect></Response>'), "31922"),
        (PhoneService(voice='<Response><Connect><Stream name="x"/></Connect></Response>'), "31923"),
        (PhoneService(voice="<Response><Say>a</Say><Reject/></Response>"), "12200"),
    ],
)
def test_a_service_that_breaks_its_word_fails_the_call_with_twilios_number(service: PhoneService, code: str) -> None:
    report = place(service)
    assert report.ended_by == "error"
    assert len(report.failures) == 1
    assert report.failures[0].startswith(f"{code}: ")


def test_a_service_that_is_not_there_is_named() -> None:
    async def scenario() -> CallReport:
        async with asyncio.timeout(30), serving(PhoneService()) as gone:
            url = gone.url
        return await place_call(CallPlan(url=url))

    report = asyncio.run(scenario())
    assert report.failures[0].startswith("11205: POST http://127.0.0.1:")
    assert "is the service running there?" in report.failures[0]


def test_a_refused_handshake_is_reported_and_the_action_asked() -> None:
    service = PhoneService(accept=False)
    report = place(service)
    assert report.failures[0].startswith("31920: ")
    assert "403" in report.failures[0]
    assert report.ended_by == "service"
    (event,) = [dict(asked.form) for asked in service.asked_for("/twilio/stream-status")]
    assert event["StreamEvent"] == "stream-error"
    assert "403" in event["StreamError"]
    assert service.asked_for("/twilio/after")


def test_a_stream_that_is_closed_as_forbidden_fails_the_call() -> None:
    async def closes(media: Media) -> None:
        await media.websocket.close(1008, "ticket unknown")
        media.closed = True

    report = place(PhoneService(conversation=closes), [WaitMs(20_000), HangUp()])
    assert report.close_code == 1008
    assert report.failures == ["31921: the service's stream ended with 1008 ticket unknown"]


def test_a_stream_whose_connection_is_lost_is_an_error_to_everybody() -> None:
    async def vanishes(connection: ServerConnection) -> None:
        for _ in range(5):
            await connection.recv()
        connection.transport.abort()

    async def scenario(service: PhoneService) -> CallReport:
        async with asyncio.timeout(30), serving(service), serve(vanishes, "127.0.0.1", 0, compression=None) as lost:
            (socket,) = lost.sockets
            service.voice = service.voice.replace("{media_url}", f"ws://127.0.0.1:{socket.getsockname()[1]}/media")
            return await place_call(CallPlan(url=service.url, steps=(WaitMs(20_000), HangUp())))

    service = PhoneService()
    report = asyncio.run(scenario(service))
    assert report.failures == ["31903: the service's stream ended with 1006"]
    assert service.asked_for("/twilio/after")
    events = {dict(asked.form)["StreamEvent"] for asked in service.asked_for("/twilio/stream-status")}
    assert events == {"stream-started", "stream-error"}


def test_breaches_of_the_wire_are_warned_about_once_and_counted() -> None:
    async def speaks(media: Media) -> None:
        await media.send({"event": "mark", "streamSid": media.stream_sid, "mark": {"name": "x"}, "sequenceNumber": "1"})
        await media.send({"event": "clear", "streamSid": "MZ-of-another"})
        await media.websocket.send_bytes(b"\xff" * 160)
        await media.mark("right")
        await media.marked("right")

    report = place(PhoneService(conversation=speaks), [WaitMs(20_000), HangUp()])
    assert report.warnings.count == {31951: 2, 31950: 1}
    assert report.warnings.first[31951] == "a mark message has sequenceNumber besides"
    assert [mark.name for mark in report.streams[0].marks] == ["right"]
    assert report.ok  # warnings fail a call only when that is asked for


def test_a_call_that_does_not_end_is_hung_up() -> None:
    async def babbles(media: Media) -> None:
        for _ in range(10):
            await media.play(mulaw.encode(tone(1000)))
        await listen(media)

    service = PhoneService(conversation=babbles)
    report = place(service, [WaitForAgent(AgentDoes.ENDS), HELLO], max_s=1)
    assert report.ended_by == "caller"
    assert report.failures[0] == "the call was not over after 1 s; the caller hung up"
    assert service.streams[0].of("stop")


def test_steps_that_the_end_of_the_call_prevented_are_named() -> None:
    async def leaves(media: Media) -> None:
        await media.until(lambda: len(media.of("media")) > 3)

    report = place(PhoneService(conversation=leaves), [WaitMs(2000), HELLO, Press("1")])
    assert report.failures == ["the call was over before step 2: say 'hello' and what follows"]


def test_redirects_are_followed_and_signed_anew() -> None:
    async def scenario() -> CallReport:
        async with asyncio.timeout(30), serving(service):
            return await place_call(CallPlan(url=f"{service.url}/moved", steps=(HangUp(),), auth_token=TOKEN))

    service = PhoneService()
    report = asyncio.run(scenario())
    assert report.streams
    signatures = {asked.headers["x-twilio-signature"] for asked in service.asked if asked.url.endswith("/twilio/voice")}
    assert len(signatures) == 2


def test_a_second_stream_of_the_same_call_goes_on_with_the_same_caller() -> None:
    async def leaves_once(media: Media) -> None:
        if len(service.streams) == 1:
            await media.until(lambda: len(media.of("media")) >= 15)
        else:
            await media.play(mulaw.encode(tone(200)))
            await listen(media)

    service = PhoneService(conversation=leaves_once)
    service.after = service.voice.replace(' action="/twilio/after"', "")
    report = place(service, [WaitForAgent(AgentDoes.STARTS), HELLO, HangUp()])
    assert len(report.streams) == 2
    assert report.streams[1].begin > report.streams[0].end
    first, second = service.streams
    assert part(second.received[1], "start")["callSid"] == part(first.received[1], "start")["callSid"]
    assert part(second.of("media")[0], "media")["timestamp"] == "0"
    assert HELLO.ulaw in second.heard()
    assert len(report.spoken) == 1
    assert report.spoken[0].begin > report.agent_heard[0].begin > report.streams[1].begin
    assert report.ended_by == "caller"


def test_events_are_told_as_they_come_and_the_report_is_json() -> None:
    seen: list[Event] = []

    async def scenario() -> CallReport:
        service = PhoneService()
        async with asyncio.timeout(30), serving(service):
            return await place_call(CallPlan(url=service.url, steps=(HELLO, HangUp())), on_event=seen.append)

    report = asyncio.run(scenario())
    kinds = [event.kind for event in seen]
    assert kinds == [
        "call_placed",
        "twiml",
        "stream_started",
        "caller_words",
        "caller_silent",
        "stream_stopped",
        "call_ended",
    ]
    assert [event.at_ms is None for event in seen] == [True, True, False, False, False, False, False]
    assert sorted(event.kind for event in report.events) == sorted(kinds)
    told = json.loads(json.dumps(report.to_json()))
    assert told["ok"] is True
    assert told["caller_spoke"] == [{"start_ms": 0, "end_ms": 200, "text": "hello", "answered_after_ms": None}]
    assert all(event["at_ms"] is not None for event in told["events"])


def test_an_utterance_with_pauses_is_told_once_and_heard_in_its_parts() -> None:
    async def speaks(media: Media) -> None:
        await media.play(b"".join(mulaw.encode(tone(100) + bytes(16 * ms)) for ms in (300, 400, 900, 0)))
        await media.mark("end")
        await media.marked("end")

    report = place(PhoneService(conversation=speaks), [WaitMs(20_000), HangUp()])
    assert len(report.agent_heard) == 4
    told = [event for event in report.events if event.kind.startswith("agent_")]
    assert [event.kind for event in told] == ["agent_speaks", "agent_silent", "agent_speaks", "agent_silent"]
    first = report.agent_heard[0].begin // 8
    assert [event.at_ms for event in told] == pytest.approx([first, first + 1000, first + 1900, first + 2000], abs=2)


def test_many_calls_run_in_one_loop() -> None:
    async def speaks(media: Media) -> None:
        await media.play(mulaw.encode(tone(400)))
        await media.mark("said")
        await media.marked("said")
        await media.until(lambda: HELLO.ulaw in media.heard())

    async def scenario() -> list[CallReport]:
        service = PhoneService(conversation=speaks)
        async with asyncio.timeout(30), serving(service):
            plan = CallPlan(url=service.url, steps=(HELLO, WaitMs(20_000), HangUp()))
            return await asyncio.gather(*(place_call(plan) for _ in range(20)))

    reports = asyncio.run(scenario())
    assert len({report.call_sid for report in reports}) == 20
    assert len({report.stream_sid for report in reports}) == 20
    assert [report.failures for report in reports] == [[]] * 20
    assert {sum(piece.size for piece in report.streams[0].playout.heard) for report in reports} == {3200}
    assert [[mark.played for mark in report.streams[0].marks] for report in reports] == [[True]] * 20


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value
