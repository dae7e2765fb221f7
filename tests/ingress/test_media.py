"""The media WebSocket over real sockets, under our protocol and under uvicorn's own: what each gets at the door."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
import websockets
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode

from app.ingress.signature import PublicUrl, Signatures
from app.session.commands import ClearPlayback, HangUp, PlayAudio, SendMark
from app.session.events import CallerAudio, CallerDigit, Event, PlaybackReached, StreamEnded, StreamStalled
from app.session.words import StreamEnd
from app.stream.direct import DirectProtocol
from app.stream.leg import StreamLeg
from tests.support.door import CALL, STREAM, Twilio, connected, media, run, said, served, start

Server = tuple[type[asyncio.Protocol] | str, bool]
SERVERS: list[Server] = [(DirectProtocol, True), (DirectProtocol, False), ("websockets-sansio", False)]

server = pytest.mark.parametrize("server", SERVERS, ids=["direct-uvloop", "direct", "stock"])


def play(server: Server, scenario: Callable[[Twilio], Awaitable[None]], **changes: object) -> None:
    """Play a scenario against a door on this server."""
    ws, fast_loop = server

    async def whole() -> None:
        async with served(ws=ws, **changes) as twilio:
            await scenario(twilio)

    run(whole(), fast_loop=fast_loop)


async def close_code(socket: websockets.ClientConnection) -> int:
    """Return the code under which the service closes."""
    async with asyncio.timeout(10):
        await socket.wait_closed()
        assert socket.close_code is not None
        return socket.close_code


async def begin(twilio: Twilio, socket: websockets.ClientConnection, call_sid: str = CALL) -> StreamLeg:
    """Let a call in and begin its stream; return the leg."""
    await socket.send(connected())
    await socket.send(start(await twilio.ticket(call_sid), call_sid))
    await twilio.house.until(lambda: call_sid in twilio.house.live)
    return twilio.house.legs[-1]


def ended(twilio: Twilio) -> bool:
    return bool(twilio.house.events) and isinstance(twilio.house.events[-1], StreamEnded) and not twilio.house.live


@server
def test_a_call_goes_both_ways(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        def answer(leg: StreamLeg, event: Event) -> None:
            if isinstance(event, CallerDigit):
                leg.perform(PlayAudio(b"\x00\x00" * 2400, ends=True))
                leg.perform(SendMark(1, 1))
                leg.perform(ClearPlayback())

        twilio.house.on_event = answer
        async with twilio.socket() as socket:
            await begin(twilio, socket)
            for number in range(2, 7):
                await socket.send(media(number))
            await socket.send(said("dtmf", 7, {"track": "inbound_track", "digit": "5"}))
            texts = [await socket.recv() for _ in range(3)]
            assert all(isinstance(text, str) for text in texts)
            sound, mark, clear = map(json.loads, texts)
            assert sound["event"] == "media"
            assert len(sound["media"]["payload"]) == 1068  # 800 bytes of μ-law
            assert mark == {"event": "mark", "streamSid": STREAM, "mark": {"name": "1:1"}}
            assert clear == {"event": "clear", "streamSid": STREAM}
            await socket.send(said("mark", 8, mark["mark"]))
            await socket.send(said("stop", 9, {"callSid": CALL}))
            assert await close_code(socket) == CloseCode.NORMAL_CLOSURE
        await twilio.house.until(lambda: ended(twilio))
        *frames, digit, reached, end = twilio.house.events
        assert [type(frame) for frame in frames] == [CallerAudio] * 5
        assert (digit, reached, end) == (CallerDigit("5"), PlaybackReached(1, 1), StreamEnded(StreamEnd.STOPPED))
        assert twilio.door.admission.live_calls == 0

    play(server, scenario)


@server
def test_hanging_up_closes_the_stream_behind_what_was_sent(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        async with twilio.socket() as socket:
            leg = await begin(twilio, socket)
            for number in range(100):
                leg.perform(SendMark(1, number))
            leg.perform(HangUp())
            leg.perform(SendMark(1, 100))
            names = [json.loads(await socket.recv())["mark"]["name"] for _ in range(100)]
            assert names == [f"1:{number}" for number in range(100)]
            assert await close_code(socket) == CloseCode.NORMAL_CLOSURE
        await twilio.house.until(lambda: ended(twilio))
        assert twilio.house.events == [StreamEnded(StreamEnd.CLOSED)]

    play(server, scenario)


@server
@pytest.mark.parametrize("politely", [True, False])
def test_a_socket_that_goes_without_stop_is_a_lost_stream(server: Server, politely: bool) -> None:
    async def scenario(twilio: Twilio) -> None:
        async with twilio.socket() as socket:
            await begin(twilio, socket)
            if politely:
                await socket.close()
            else:
                socket.transport.abort()
            await twilio.house.until(lambda: ended(twilio))
        assert twilio.house.events == [StreamEnded(StreamEnd.LOST)]

    play(server, scenario)


@server
@pytest.mark.parametrize("signature", [None, "x" * 28, "over https"])
def test_a_handshake_that_is_not_signed_for_this_socket_gets_403(server: Server, signature: str | None) -> None:
    async def scenario(twilio: Twilio) -> None:
        if signature is None:
            headers = {}
        elif signature == "over https":
            headers = twilio.sign(twilio.door.public_url.page("/twilio/media"))
        else:
            headers = {"X-Twilio-Signature": signature}
        url = f"ws://127.0.0.1:{twilio.port}/twilio/media"
        with pytest.raises(InvalidStatus) as refused:
            await websockets.connect(url, additional_headers=headers, proxy=None)
        assert refused.value.response.status_code == 403
        assert twilio.house.refusals == ["unsigned" if signature is None else "wrong_signature"]

    play(server, scenario)


@server
def test_a_handshake_signed_with_a_slash_behind_it_is_let_through(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        url = f"ws://127.0.0.1:{twilio.port}/twilio/media"
        headers = twilio.sign(twilio.door.public_url.socket("/twilio/media/"))
        async with websockets.connect(url, additional_headers=headers, proxy=None) as socket:
            await begin(twilio, socket)

    play(server, scenario)


@server
def test_without_a_token_loopback_is_served_unsigned(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        twilio.token = None
        async with twilio.socket() as socket:
            await begin(twilio, socket)

    play(server, scenario, signatures=Signatures(None))


@server
def test_a_public_url_with_a_path_is_served_with_it(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        headers = twilio.sign("wss://example.com/phones/twilio/media")
        for path in ("/twilio/media", "/phones/twilio/media"):
            url = f"ws://127.0.0.1:{twilio.port}{path}"
            async with websockets.connect(url, additional_headers=headers, proxy=None) as socket:
                await begin(twilio, socket)
                await socket.send(said("stop", 2, {}))
                assert await close_code(socket) == CloseCode.NORMAL_CLOSURE

    play(server, scenario, public_url=PublicUrl.parse("https://example.com/phones"))


@server
def test_a_ticket_is_good_once(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        ticket = await twilio.ticket()
        async with twilio.socket() as socket:
            await socket.send(start(ticket))
            await twilio.house.until(lambda: bool(twilio.house.live))
            await socket.send(said("stop", 2, {}))
            assert await close_code(socket) == CloseCode.NORMAL_CLOSURE
        await twilio.house.until(lambda: not twilio.house.live)
        async with twilio.socket() as socket:
            await socket.send(start(ticket))
            assert await close_code(socket) == CloseCode.POLICY_VIOLATION
        assert twilio.house.refusals == ["used"]
        assert len(twilio.house.calls) == 1

    play(server, scenario)


@server
@pytest.mark.parametrize(
    ("ticket", "changes", "reason"),
    [
        ("ticket-9", {}, "unknown"),
        ("", {}, "unknown"),
        ("ticket-1", {"customParameters": {}}, "unknown"),
        ("ticket-1", {"callSid": "CA9"}, "other_call"),
        ("ticket-1", {"accountSid": "AC9"}, "other_account"),
        ("ticket-1", {"mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 8000, "channels": 1}}, "other_format"),
        (
            "ticket-1",
            {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 16000, "channels": 1}},
            "other_format",
        ),
        ("ticket-1", {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 2}}, "other_format"),
    ],
)
def test_a_start_that_may_not_come_in_is_closed(
    server: Server, ticket: str, changes: dict[str, object], reason: str
) -> None:
    async def scenario(twilio: Twilio) -> None:
        await twilio.ticket()
        async with twilio.socket() as socket:
            await socket.send(connected())
            await socket.send(start(ticket, changes=changes))
            assert await close_code(socket) == CloseCode.POLICY_VIOLATION
        assert twilio.house.refusals == [reason]
        assert twilio.house.calls == []
        assert twilio.door.admission.live_calls == 0

    play(server, scenario)


@server
def test_a_ticket_that_is_too_old_is_closed(server: Server) -> None:
    now = [0.0]

    async def scenario(twilio: Twilio) -> None:
        ticket = await twilio.ticket()
        now[0] = 61.0
        async with twilio.socket() as socket:
            await socket.send(start(ticket))
            assert await close_code(socket) == CloseCode.POLICY_VIOLATION
        assert twilio.house.refusals == ["expired"]

    play(server, scenario, clock=lambda: now[0])


@server
def test_a_second_stream_beside_an_open_one_is_closed_and_the_first_goes_on(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        async with twilio.socket() as first:
            await begin(twilio, first)
            again = await twilio.ticket()
            async with twilio.socket() as second:
                await second.send(start(again))
                assert await close_code(second) == CloseCode.POLICY_VIOLATION
            await first.send(said("dtmf", 2, {"digit": "1"}))
            await twilio.house.until(lambda: twilio.house.events == [CallerDigit("1")])
        assert twilio.house.refusals == ["second_stream"]

    with capture_logs() as lines:
        play(server, scenario)
    (refused,) = [line for line in lines if line["event"] == "door.refused"]
    assert refused["call_sid"] == CALL


@server
def test_who_never_starts_is_closed(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        async with twilio.socket() as socket:
            await socket.send(connected())
            await socket.send(media(1))
            assert await close_code(socket) == CloseCode.POLICY_VIOLATION
        assert twilio.house.refusals == ["no_start"]

    play(server, scenario, start_within_s=0.2)


@server
def test_who_leaves_before_start_is_noted(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        async with twilio.socket() as socket:
            await socket.send(connected())
        await twilio.house.until(lambda: twilio.house.refusals == ["left_before_start"])

    play(server, scenario)


@server
def test_a_message_over_64_kib_ends_its_stream_and_no_other(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        async with twilio.socket() as other, twilio.socket() as socket:
            await begin(twilio, other, "CA2")
            await begin(twilio, socket)
            await socket.send("x" * 65_536)
            await socket.send(said("dtmf", 2, {"digit": "2"}))
            await twilio.house.until(lambda: twilio.house.events == [CallerDigit("2")])
            await socket.send("x" * 65_537)
            assert await close_code(socket) == CloseCode.MESSAGE_TOO_BIG
            await twilio.house.until(lambda: CALL not in twilio.house.live)
            assert twilio.house.events == [CallerDigit("2"), StreamEnded(StreamEnd.LOST)]
            assert twilio.house.legs[1].broken_messages == 1
            await other.send(said("dtmf", 2, {"digit": "1"}))
            await twilio.house.until(lambda: twilio.house.events[-1] == CallerDigit("1"))

    play(server, scenario)


@server
def test_broken_unknown_and_binary_messages_are_counted_and_passed_over(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        async with twilio.socket() as socket:
            leg = await begin(twilio, socket)
            await socket.send("{")
            await socket.send('{"event":"media","media":{}}')
            await socket.send(b"\x00\x01")
            await socket.send(media(2).encode())  # binary, whatever stands in it
            await socket.send('{"event":"news"}')
            await socket.send(['{"event":"dtmf",', '"dtmf":{"digit"', ':"1"}}'])  # in fragments
            await twilio.house.until(lambda: twilio.house.events == [CallerDigit("1")])
            assert (leg.broken_messages, leg.unknown_messages) == (4, 1)

    play(server, scenario)


@server
def test_a_ping_is_answered_between_messages(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        async with twilio.socket() as socket:
            await begin(twilio, socket)
            await socket.send(media(2))
            async with asyncio.timeout(10):
                await (await socket.ping())
            await socket.send(said("dtmf", 3, {"digit": "1"}))
            await twilio.house.until(lambda: CallerDigit("1") in twilio.house.events)

    play(server, scenario)


@server
def test_a_carrier_that_stops_reading_is_a_stall_told_once(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        async with twilio.socket() as socket:
            leg = await begin(twilio, socket)
            socket.transport.pause_reading()
            frame = PlayAudio(b"\x00\x00" * 24_000)
            for _ in range(2000):
                leg.perform(frame)
                leg.perform(SendMark(1, 1))
                await asyncio.sleep(0)
                if twilio.house.events:
                    break
            for _ in range(10):
                leg.perform(frame)
                leg.perform(SendMark(1, 1))
                await asyncio.sleep(0)
            assert twilio.house.events == [StreamStalled()]
            leg.perform(HangUp())
            assert twilio.house.events == [StreamStalled(), StreamEnded(StreamEnd.CLOSED)]
            socket.transport.abort()

    play(server, scenario)


@server
def test_a_server_that_stops_by_itself_has_closed_the_stream(server: Server) -> None:
    async def scenario(twilio: Twilio) -> None:
        async with twilio.socket() as socket:
            await begin(twilio, socket)
            await twilio.stop()
            await twilio.house.until(lambda: ended(twilio))
            assert await close_code(socket) == CloseCode.SERVICE_RESTART
        assert twilio.house.events == [StreamEnded(StreamEnd.CLOSED)]

    play(server, scenario)


def test_nothing_personal_is_logged_and_the_reason_is() -> None:
    async def scenario(twilio: Twilio) -> None:
        with capture_logs() as logs:
            async with twilio.socket() as socket:
                await socket.send(start("secret-ticket"))
                await close_code(socket)
        (line,) = logs
        assert (line["event"], line["reason"], line["route"]) == ("door.refused", "unknown", "/twilio/media")
        assert "secret" not in str(logs)

    play(SERVERS[1], scenario)
