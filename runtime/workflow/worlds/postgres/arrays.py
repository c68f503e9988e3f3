"""Columns of values as PostgreSQL arrays in the binary format.

A batch travels as one array for each column, unnested by the statement. psycopg's own lists would
do, but they choose the element type by looking at the values, fail to when all of them are None,
and write bytes as hexadecimal text.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Any

from psycopg.abc import AdaptContext
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

__all__ = ["Blobs", "Ints", "Texts", "register"]

# Number of dimensions, whether there are nulls, type of the elements; size, lower bound.
_HEAD = Struct("!iiIii")
_INT = Struct("!iq")
_SIZE = Struct("!i")
_NULL = _SIZE.pack(-1)


class _Array:
    """An encoded array."""

    __slots__ = ("data",)
    element = 0

    def _join(self, parts: list[bytes], count: int) -> bytes:
        head = _HEAD.pack(1, 1, self.element, count, 1)
        return head + b"".join(parts) if count else _HEAD.pack(0, 0, self.element, 0, 0)[:12]


class Ints(_Array):
    """bigint[]; booleans count as 0 and 1."""

    __slots__ = ()
    element = 20

    def __init__(self, values: Iterable[int | None]) -> None:
        parts = [_NULL if v is None else _INT.pack(8, v) for v in values]
        self.data = self._join(parts, len(parts))


class Texts(_Array):
    """text[]. Raises ValueError for a character that PostgreSQL cannot store, U+0000."""

    __slots__ = ()
    element = 25

    def __init__(self, values: Iterable[str | None]) -> None:
        parts: list[bytes] = []
        count = 0
        for value in values:
            count += 1
            if value is None:
                parts.append(_NULL)
                continue
            data = value.encode()
            if b"\0" in data:
                raise ValueError(f"PostgreSQL cannot store the character U+0000, as in {value!r}")
            parts.append(_SIZE.pack(len(data)))
            parts.append(data)
        self.data = self._join(parts, count)


class Blobs(_Array):
    """bytea[]."""

    __slots__ = ()
    element = 17

    def __init__(self, values: Iterable[bytes | None]) -> None:
        parts: list[bytes] = []
        count = 0
        for value in values:
            count += 1
            if value is None:
                parts.append(_NULL)
            else:
                parts.append(_SIZE.pack(len(value)))
                parts.append(value)
        self.data = self._join(parts, count)


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> Buffer | None:
        data: bytes = obj.data
        return data


class _IntsDumper(_ArrayDumper):
    oid = 1016


class _TextsDumper(_ArrayDumper):
    oid = 1009


class _BlobsDumper(_ArrayDumper):
    oid = 1001


def register(context: AdaptContext) -> None:
    """Let a connection take these as parameters."""
    context.adapters.register_dumper(Ints, _IntsDumper)
    context.adapters.register_dumper(Texts, _TextsDumper)
    context.adapters.register_dumper(Blobs, _BlobsDumper)
