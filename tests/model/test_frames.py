"""Whatever a server sends, and however it is split on its way: cut or not, the library would have read the same."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, State
from websockets.uri import parse_uri

from app.model.frames import ServerFrames

pytestmark = pytest.mark.core

SIZES = st.sampled_from([0, 1, 2, 3, 124, 125, 126, 127, 300, 65_535, 65_536, 70_000]) | st.integers(0, 400)
DATA = st.tuples(st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT]), SIZES, st.booleans())
CONTROL = st.tuples(st.sampled_from([Opcode.PING, Opcode.PONG, Opcode.CLOSE]), st.integers(2, 125), st.just(True))
CUTS = st.lists(st.integers(0, 2_000), max_size=30)


def library() -> ClientProtocol:
    """The library's protocol behind the handshake."""
    protocol = ClientProtocol(parse_uri("ws://localhost/"), max_size=1 << 24)
    protocol.state = State.OPEN
    protocol.parser = Protocol.parse(protocol)
    next(protocol.parser)
    return protocol


def serialized(number: int, opcode: Opcode, size: int, is_final: bool) -> bytes:
    text = b"%d:" % number
    body = (text + b"x" * size)[:size] if opcode is not Opcode.CLOSE else (1000).to_bytes(2, "big") + b"x" * (size - 2)
    return Frame(opcode, body, is_final).serialize(mask=False)


def chunks(stream: bytes, cuts: list[int]) -> list[bytes]:
    found, at = [], 0
    for size in cuts:
        found.append(stream[at : at + size])
        at += size
    return [*found, stream[at:]]


def read(parts: list[bytes], *, by_hand: bool) -> tuple[list[bytes], list[Opcode], int | None, str]:
    """Return what was read: messages and fragments, control frames, the close code that is answered, the breach."""
    protocol, frames = library(), ServerFrames()
    data: list[bytes] = []
    control: list[Opcode] = []

    def give(part: bytes) -> None:
        protocol.receive_data(part)
        for event in protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode < Opcode.CLOSE:
                data.append(bytes(event.data))
            else:
                control.append(event.opcode)

    for part in parts:
        for piece, is_message in frames.cut(part) if by_hand else [(part, False)]:
            if not is_message:
                give(piece)
            elif protocol.close_rcvd is None and protocol.parser_exc is None:
                data.append(piece)
    sent = protocol.close_sent
    return data, control, None if sent is None else sent.code, repr(protocol.parser_exc)


@given(st.lists(DATA | CONTROL, max_size=12), CUTS, st.binary(max_size=12))
@example([(Opcode.TEXT, 300, True)], [1, 1, 1, 1], b"")
@example([(Opcode.TEXT, 70_000, True), (Opcode.TEXT, 5, True)], [3, 5, 1], b"")
@example([(Opcode.TEXT, 5, False), (Opcode.TEXT, 5, True)], [], b"")
@example([(Opcode.TEXT, 5, False), (Opcode.PING, 5, True), (Opcode.CONT, 5, True), (Opcode.TEXT, 5, True)], [], b"")
@example([(Opcode.CLOSE, 5, True), (Opcode.TEXT, 5, True)], [], b"")
@example([], [], b"\x81\x85abcdhello\x81\x01x")
@example([], [], b"\xc1\x01x\x81\x01x")
def test_cut_or_not_the_same_is_read(kinds: list[tuple[Opcode, int, bool]], cuts: list[int], rest: bytes) -> None:
    stream = b"".join(serialized(number, *kind) for number, kind in enumerate(kinds)) + rest
    parts = chunks(stream, cuts)
    assert read(parts, by_hand=True) == read([stream], by_hand=False)


def test_a_message_that_comes_whole_never_meets_the_library() -> None:
    frames = ServerFrames()
    sent = [serialized(number, Opcode.TEXT, size, True) for number, size in enumerate((0, 5, 126, 70_000))]
    pieces = frames.cut(b"".join(sent))
    assert [is_message for _, is_message in pieces] == [True] * 4
    assert [len(piece) for piece, _ in pieces] == [0, 5, 126, 70_000]


def test_a_long_message_in_many_parts_is_not_kept_here() -> None:
    frames = ServerFrames()
    stream = serialized(0, Opcode.TEXT, 1_000_000, True)
    for at in range(0, len(stream), 1000):
        ((piece, is_message),) = frames.cut(stream[at : at + 1000])
        assert (piece, is_message) == (stream[at : at + 1000], False)
    assert frames.cut(serialized(1, Opcode.TEXT, 5, True)) == [(b"1:xxx", True)]
