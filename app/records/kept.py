"""What a record gathers while its call lasts, such as turns. Packed, so that those of an hour take little memory."""

import zlib
from typing import Generic, TypeVar

import msgspec

_ARRAY = b"\xdd"
"""The beginning of a MessagePack array of up to 2³² - 1 elements, whose number follows in four bytes."""
_BLOCK_BYTES = 4096
"""So much is pressed at a time, in a tenth of a millisecond; speech to a third."""
_pack = msgspec.msgpack.Encoder().encode

Kind = TypeVar("Kind", bound=msgspec.Struct)


class Kept(Generic[Kind]):
    """Records of one kind in the order of adding, without the names of their fields, pressed block by block."""

    __slots__ = ("_blocks", "_count", "_kind", "_packed")

    def __init__(self, kind: type[Kind]) -> None:
        self._kind = kind
        self._blocks: list[bytes] = []
        self._packed = bytearray()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, record: Kind) -> None:
        """Keep one more. Its texts must be such as UTF-8 can hold."""
        self._packed += _pack(msgspec.structs.astuple(record))
        self._count += 1
        if len(self._packed) >= _BLOCK_BYTES:
            self._blocks.append(zlib.compress(self._packed, 1))
            self._packed = bytearray()

    def all(self) -> list[Kind]:
        """Return them, unpacked."""
        fields = self._kind.__struct_fields__
        packed = b"".join([*map(zlib.decompress, self._blocks), self._packed])
        rows: list[list[object]] = msgspec.msgpack.decode(_ARRAY + self._count.to_bytes(4, "big") + packed)
        return [msgspec.convert(dict(zip(fields, row, strict=True)), self._kind) for row in rows]
