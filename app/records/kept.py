"""What a record gathers while its call lasts, such as turns. Packed, so that those of an hour take little memory."""

from typing import Generic, TypeVar

import msgspec

_ARRAY = b"\xdd"
"""The beginning of a MessagePack array of up to 2³² - 1 elements, whose number follows in four bytes."""
_pack = msgspec.msgpack.Encoder().encode

Kind = TypeVar("Kind", bound=msgspec.Struct)


class Kept(Generic[Kind]):
    """Records of one kind in the order of adding, without the names of their fields, in one buffer."""

    __slots__ = ("_count", "_kind", "_packed")

    def __init__(self, kind: type[Kind]) -> None:
        self._kind = kind
        self._packed = bytearray()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, record: Kind) -> None:
        """Keep one more. Its texts must be such as UTF-8 can hold."""
        self._packed += _pack(msgspec.structs.astuple(record))
        self._count += 1

    def all(self) -> list[Kind]:
        """Return them, unpacked."""
        fields = self._kind.__struct_fields__
        rows: list[list[object]] = msgspec.msgpack.decode(_ARRAY + self._count.to_bytes(4, "big") + self._packed)
        return [msgspec.convert(dict(zip(fields, row, strict=True)), self._kind) for row in rows]
