"""The load itself, without a bridge: callers that can be known again, WebSockets, a model that keeps the rules."""

import asyncio
import json

import pytest

from scripts.benchmarks.callers import BURST_EVERY, PREAMBLE, is_burst
from scripts.benchmarks.load import levels_up_to
from scripts.benchmarks.measure import Desk
from scripts.benchmarks.model import Model, Session
from scripts.benchmarks.wire import Client, client_frame, server_frame

pytestmark = pytest.mark.core


def test_levels_go_on_in_steps_of_twenty_five() -> None:
    assert levels_up_to(160) == [1, 25, 50, 100, 125, 150]


def test_no_level_is_beyond_the_most() -> None:
    assert levels_up_to(60) == [1, 25, 50]


def test_the_preamble_tells_a_caller_from_every_other() -> None:
    preambles = {tuple(is_burst(caller, frame) for frame in range(PREAMBLE)) for caller in range(2000)}

    assert len(preambles) == 2000
    assert all(first and not last for first, *_, last in preambles)


def test_behind_the_preamble_one_frame_in_twenty_five_has_sound() -> None:
    bursts = [frame for frame in range(PREAMBLE, 200) if is_burst(7, frame)]

    assert bursts == list(range(BURST_EVERY, 200, BURST_EVERY))


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False


class Listener(Client):
    def __init__(self) -> None:
        super().__init__("localhost", "/", {})
        self.texts: list[bytes] = []

    def received(self, text: bytes) -> None:
        self.texts.append(text)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_of_any_length_are_read_however_they_are_cut(size: int) -> None:
    listener = Listener()
    listener.connection_made(Transport())
    whole = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + 2 * server_frame(b"x" * size)
    middle = len(whole) - size - 3

    listener.data_received(whole[:middle])
    listener.data_received(whole[middle:])

    assert listener.texts == [b"x" * size] * 2


class Conversation:
    """A session of the scripted model, spoken to directly."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.session = Session(Model(self.desk))
        self.transport = Transport()
        self.session.connection_made(self.transport)
        self.session.data_received(b"GET /v1/realtime HTTP/1.1\r\nSec-WebSocket-Key: a2V5\r\n\r\n")
        self._reader = Listener()
        self._reader.connection_made(Transport())

    def say(self, event: dict[str, object]) -> list[dict[str, object]]:
        """Return what it answers, with all that it had said before."""
        self.session.data_received(client_frame(json.dumps(event).encode()))
        self._reader.data_received(self.transport.written)
        self.transport.written = b""
        texts, self._reader.texts = self._reader.texts, []
        return [json.loads(text) for text in texts]


def test_a_response_begins_with_its_first_audio_at_once() -> None:
    async def scenario() -> None:
        conversation = Conversation()

        events = conversation.say({"type": "response.create"})

        assert next(event["type"] for event in events) == "session.created"
        (delta,) = [event for event in events if event["type"] == "response.output_audio.delta"]
        assert len(str(delta["delta"])) == 9600 * 4 // 3
        conversation.session.closed()

    asyncio.run(scenario())


@pytest.mark.parametrize(("audio_end_ms", "answer"), [(200, "conversation.item.truncated"), (201, "error")])
def test_an_item_is_truncated_up_to_what_was_generated(audio_end_ms: int, answer: str) -> None:
    async def scenario() -> None:
        conversation = Conversation()
        events = conversation.say({"type": "response.create"})
        (delta,) = [event for event in events if event["type"] == "response.output_audio.delta"]

        (event,) = conversation.say(
            {"type": "conversation.item.truncate", "item_id": delta["item_id"], "audio_end_ms": audio_end_ms}
        )

        assert event["type"] == answer
        assert conversation.desk.tally.truncates == 1
        assert conversation.desk.tally.truncates_refused == (answer == "error")
        conversation.session.closed()

    asyncio.run(scenario())


def test_a_cancelled_response_says_so_and_cannot_be_cancelled_again() -> None:
    async def scenario() -> None:
        conversation = Conversation()
        conversation.say({"type": "response.create"})

        first = conversation.say({"type": "response.cancel"})
        second = conversation.say({"type": "response.cancel", "event_id": "again"})

        assert [event["type"] for event in first][-1] == "response.done"
        (error,) = second
        assert isinstance(error["error"], dict)
        assert error["error"]["code"] == "response_cancel_not_active"
        conversation.session.closed()

    asyncio.run(scenario())
