"""The leg, on a socket that only notes what it is told."""

import asyncio
import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from app.audio.formats import PCM16_24K, ULAW_8K, AudioFormat
from app.errors import InvariantError, StreamError
from app.session.commands import ClearPlayback, HangUp, ListenClosely, PlayAudio, SendMark, TransferCall
from app.session.events import CallerAudio, CallerDigit, Event, PlaybackReached, StreamEnded, StreamStalled
from app.session.words import StreamEnd, Verdict
from app.stream.leg import StreamLeg
from app.stream.receiver import MAX_MESSAGE_BYTES, Receiver
from tests.support.door import CALL, STREAM, connected, media, said, start

pytestmark = pytest.mark.core


@dataclass
class NotedSocket:
    sent: list[bytes] = field(default_factory=list)
    writes: int = 0
    closed: list[int] = field(default_factory=list)

    def attach(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def send_texts(self, *texts: bytes) -> None:
        self.sent.extend(texts)
        self.writes += 1

    def close(self, code: int, reason: str = "") -> None:
        self.closed.append(code)


@dataclass
class Line:
    """A leg whose `run` has begun."""

    socket: NotedSocket
    leg: StreamLeg
    events: list[Event] = field(default_factory=list)
    on_event: Callable[[Event], None] = lambda event: None

    def hear(self, *texts: str) -> None:
        for text in texts:
            self.leg.receive_text(text.encode())

    def report(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)


def play(script: Callable[[Line], None], *, before: Callable[[Line], None] = lambda line: None) -> Line:
    """Run a leg: `before` happens after `start` and before `run`, `script` after; the stream then goes away."""

    async def scenario() -> Line:
        socket = NotedSocket()
        line = Line(socket, StreamLeg(socket))
        line.hear(connected(), start("ticket"))
        await line.leg.opened()
        before(line)
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            running = group.create_task(line.leg.run(line.report))
            for _ in range(2):
                await asyncio.sleep(0)
            script(line)
            line.leg.gone(by_us=False)
            await running
        return line

    return asyncio.run(scenario())


def test_what_happens_is_reported_in_order() -> None:
    line = play(
        lambda line: line.hear(
            media(2), said("dtmf", 3, {"digit": "7"}), said("mark", 4, {"name": "1:2"}), said("stop", 5, {}), media(6)
        )
    )
    first, *rest = line.events
    assert isinstance(first, CallerAudio)
    assert len(first.audio) == 960
    assert rest == [CallerDigit("7"), PlaybackReached(1, 2), StreamEnded(StreamEnd.STOPPED)]
    assert line.leg.lost_messages == 0


def test_who_it_is_stands_in_start() -> None:
    async def scenario() -> None:
        leg = StreamLeg(NotedSocket())
        leg.receive_text(start("opaque").encode())
        identity = await leg.opened()
        assert (identity.call_sid, identity.stream_sid, identity.parameters) == (CALL, STREAM, {"ticket": "opaque"})
        assert (identity.encoding, identity.rate_hz, identity.channels) == ("audio/x-mulaw", 8000, 1)

    asyncio.run(scenario())


def test_a_stream_that_ends_before_start_has_no_identity() -> None:
    async def scenario() -> None:
        leg = StreamLeg(NotedSocket())
        leg.receive_text(connected().encode())
        leg.receive_text(media(1).encode())
        assert leg.broken_messages == 1
        asyncio.get_running_loop().call_soon(lambda: leg.gone(by_us=False))
        with pytest.raises(StreamError, match="before its start"):
            await leg.opened()

    asyncio.run(scenario())


def test_commands_become_messages() -> None:
    def script(line: Line) -> None:
        for command in (PlayAudio(b"\x00\x00" * 2400, ends=True), SendMark(1, 2), ClearPlayback()):
            line.leg.perform(command)

    socket = play(script).socket
    kinds = [text.partition(b",")[0] for text in socket.sent]
    assert kinds == [b'{"event":"media"', b'{"event":"mark"', b'{"event":"clear"']
    assert socket.writes == 2, "audio goes together with its mark"


def test_listening_closely_sends_nothing() -> None:
    def script(line: Line) -> None:
        line.leg.perform(ListenClosely(True))
        line.hear(media(2), media(3))
        line.leg.perform(ListenClosely(False))

    line = play(script)
    assert line.socket.sent == []
    assert [event.verdict for event in line.events if isinstance(event, CallerAudio)] == [Verdict.SILENCE] * 2


@pytest.mark.parametrize("last", [HangUp(), HangUp("Goodbye."), TransferCall("+15550111")])
def test_leaving_closes_the_socket_and_nothing_follows(last: HangUp | TransferCall) -> None:
    def script(line: Line) -> None:
        line.leg.perform(last)
        line.leg.perform(last)
        line.leg.perform(SendMark(1, 2))
        line.hear(media(2))

    line = play(script)
    assert line.socket.closed == [1000]
    assert line.socket.sent == []
    assert line.events == [StreamEnded(StreamEnd.CLOSED)]


def test_a_socket_that_goes_without_stop_is_lost() -> None:
    assert play(lambda line: None).events == [StreamEnded(StreamEnd.LOST)]


def test_a_socket_that_this_process_ends_is_closed() -> None:
    assert play(lambda line: line.leg.gone(by_us=True)).events == [StreamEnded(StreamEnd.CLOSED)]


def test_a_message_that_is_too_long_ends_the_stream() -> None:
    def script(line: Line) -> None:
        line.hear("x" * MAX_MESSAGE_BYTES)
        assert line.events == []
        line.hear("x" * (MAX_MESSAGE_BYTES + 1))

    line = play(script)
    assert line.leg.broken_messages == 1
    assert line.socket.closed == [1009]
    assert line.events == [StreamEnded(StreamEnd.LOST)]


def test_what_is_passed_over_is_counted() -> None:
    def script(line: Line) -> None:
        line.hear("{", said("news", 2, {}), said("mark", 3, {"name": "other"}), connected(), start("ticket"))
        line.hear(start("ticket", "CA" + "9" * 32))
        line.leg.receive_binary(3)

    line = play(script)
    assert (line.leg.broken_messages, line.leg.unknown_messages) == (3, 2)
    assert line.events == [StreamEnded(StreamEnd.LOST)]


def test_a_stall_is_told_once() -> None:
    def script(line: Line) -> None:
        line.leg.stalled()
        line.leg.stalled()

    assert play(script).events == [StreamStalled(), StreamEnded(StreamEnd.LOST)]


def test_what_came_before_run_waits_for_it() -> None:
    def before(line: Line) -> None:
        line.hear(media(2), said("dtmf", 3, {"digit": "1"}), said("stop", 4, {}))
        assert line.events == []

    audio, *rest = play(lambda line: None, before=before).events
    assert isinstance(audio, CallerAudio)
    assert rest == [CallerDigit("1"), StreamEnded(StreamEnd.STOPPED)]


def test_the_end_is_last_also_when_it_comes_amid_what_waited() -> None:
    def before(line: Line) -> None:
        line.hear(said("dtmf", 2, {"digit": "1"}), said("dtmf", 3, {"digit": "2"}))

        def hang_up(event: Event) -> None:
            line.leg.perform(HangUp())

        line.on_event = hang_up

    assert play(lambda line: None, before=before).events == [CallerDigit("1"), StreamEnded(StreamEnd.CLOSED)]


@pytest.mark.parametrize(("audio", "size"), [(ULAW_8K, 160), (PCM16_24K, 960)])
def test_audio_is_in_the_format_of_the_call_also_what_came_before_it_was_said(audio: AudioFormat, size: int) -> None:
    def before(line: Line) -> None:
        line.hear(media(2))
        line.leg.use(audio)
        line.leg.perform(PlayAudio(b"\xff" * audio.bytes_of(100), ends=True))
        line.leg.perform(SendMark(1, 1))
        line.hear(media(3))

    line = play(lambda line: line.hear(media(4)), before=before)
    assert [len(event.audio) for event in line.events if isinstance(event, CallerAudio)] == [size] * 3
    assert line.leg.lost_messages == 0
    sent, _ = line.socket.sent
    assert len(b64decode(json.loads(sent)["media"]["payload"])) == 800


def test_the_format_is_said_once_and_before_the_call_begins() -> None:
    def begun(line: Line) -> None:
        with pytest.raises(InvariantError, match="once"):
            line.leg.use(ULAW_8K)

    play(begun)

    def twice(line: Line) -> None:
        line.leg.use(ULAW_8K)
        begun(line)

    play(lambda line: None, before=twice)

    async def too_early() -> None:
        with pytest.raises(InvariantError, match="after its start"):
            StreamLeg(NotedSocket()).use(ULAW_8K)

    asyncio.run(too_early())


def test_a_stall_before_the_call_is_told_when_it_begins() -> None:
    line = play(lambda line: line.leg.stalled(), before=lambda line: line.leg.stalled())
    assert line.events == [StreamStalled(), StreamEnded(StreamEnd.LOST)]


def test_a_stream_that_is_not_open_takes_no_commands() -> None:
    async def scenario() -> None:
        socket = NotedSocket()
        leg = StreamLeg(socket)
        leg.perform(PlayAudio(b"\x00\x00" * 2400))
        leg.perform(SendMark(1, 1))
        assert socket.sent == []

    asyncio.run(scenario())


def test_a_call_that_does_not_begin_fills_no_memory() -> None:
    def before(line: Line) -> None:
        for number in range(2, 700):
            line.hear(said("dtmf", number, {"digit": "1"}))

    line = play(lambda line: None, before=before)
    assert line.socket.closed == [1013]
    assert line.events == [CallerDigit("1")] * 500 + [StreamEnded(StreamEnd.LOST)]


def test_a_binary_message_that_is_too_long_ends_the_stream_like_any_other() -> None:
    line = play(lambda line: line.leg.receive_binary(MAX_MESSAGE_BYTES + 1))
    assert line.socket.closed == [1009]
    assert line.events == [StreamEnded(StreamEnd.LOST)]
