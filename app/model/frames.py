"""The frames of one server, cut from its bytes as they arrive.

The library's parser is a generator that copies each frame twice, and costs as much as all that a message means. So a
text message that is one frame and has come whole is cut out here; every other byte is given to the library as it is:
control frames, fragments, what comes in pieces, what breaks the protocol. It always stands between two frames then, or
within one that it is given to its end.

RFC 6455 §5.2 is the frame. No extension is agreed on, so no bit beside FIN may be set.
"""

import sys

_FINAL_TEXT = 0x81
_FINAL = 0x80
_OPCODE = 0x0F
_MASKED = 0x80
_MEDIUM = 126
"""Says that the size stands in the two bytes behind; the next number, in eight."""
_FIRST_CONTROL = 0x08

Piece = tuple[bytes, bool]
"""A text message (True), or bytes for the library (False)."""


class ServerFrames:
    """Begin it with the first byte behind the handshake."""

    __slots__ = ("_header", "_is_fragmented", "_passing")

    def __init__(self) -> None:
        self._header = b""  # the beginning of one, kept until it says how long its frame is
        self._passing = 0  # bytes of a frame whose beginning the library has
        self._is_fragmented = False

    def cut(self, data: bytes) -> list[Piece]:
        """Return what these bytes are, in order."""
        pieces: list[Piece] = []
        at = 0
        if self._passing:
            at = min(self._passing, len(data))
            self._passing -= at
            pieces.append((data[:at], False))
        elif self._header:
            data = self._header + data
        end = len(data)
        while end - at >= 2:
            first, size, body = data[at], data[at + 1], at + 2
            if size >= _MEDIUM:
                if size >= _MASKED:  # which no server may send: the library says so, and takes in nothing more
                    size, body = sys.maxsize, at
                else:
                    body = at + (4 if size == _MEDIUM else 10)
                    size = int.from_bytes(data[at + 2 : body], "big")
                if body > end:
                    break
            after = body + size
            if first == _FINAL_TEXT and after <= end and not self._is_fragmented:
                pieces.append((data[body:after], True))
            else:
                if first & _OPCODE < _FIRST_CONTROL:
                    self._is_fragmented = first < _FINAL
                pieces.append((data[at:after], False))
                self._passing = max(0, after - end)
            at = after
        self._header = data[at:]
        return pieces
