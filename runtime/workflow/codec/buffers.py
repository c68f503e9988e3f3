"""Bytes, arrays of numbers, and numpy's arrays and scalars.

What the format has is written as the format has it: base64 of a buffer, and around it the name of
the typed array. An array of numpy has more to say, its shape and its kind of numbers, and so has an
entry of ours. numpy is never imported for writing, as whoever has a value of its has it loaded; for
reading it is imported when such a value is met.

Reading copies buffers that entries may share. Each copy is charged to the reader, so that a few
bytes cannot ask for much memory; writing charges the same, so that what is written can be read.
"""

from __future__ import annotations

import re
import struct
import sys
from array import array
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from workflow.codec.layers import MAX_VALUE
from workflow.codec.refusals import Refused
from workflow.errors import SerializationError

if TYPE_CHECKING:
    from workflow.codec.reader import Reader
    from workflow.codec.writer import Writer

__all__ = [
    "MAX_COPIED",
    "TYPED_ARRAYS",
    "is_numpy",
    "read_array",
    "read_buffer",
    "read_bytes",
    "read_numbers",
    "read_numpy",
    "write_array",
    "write_buffer",
    "write_numpy",
]

MAX_COPIED = 8 * MAX_VALUE  # more than a value takes of which nothing is shared
TYPED_ARRAYS = {
    "b": "Int8Array",
    "h": "Int16Array",
    "H": "Uint16Array",
    "i": "Int32Array",
    "I": "Uint32Array",
    "q": "BigInt64Array",
    "Q": "BigUint64Array",
    "f": "Float32Array",
    "d": "Float64Array",
}
_TYPE_CODES = {name: code for code, name in TYPED_ARRAYS.items()}
# numbers, truth values, times and text of a fixed length, in either order of bytes; no long
# doubles, which are of another length elsewhere and have bytes that mean nothing
_DTYPE = re.compile(
    r"[<>|](b1|[iu][1248]|f[248]|c8|c16|[SU][0-9]{1,9})|[<>][mM]8(\[[0-9]{0,9}[A-Za-z]{1,7}\])?"
)
_MAX_DIMENSIONS = 64
_LAST_CHARACTER = 0x10FFFF


# -- writing ---------------------------------------------------------------------------------


def write_buffer(writer: Writer, data: bytes) -> int:
    """The entry of a buffer; equal ones share it."""
    return writer.cons(f'["ArrayBuffer","{b64encode(data).decode()}"]')


def write_array(writer: Writer, value: array[Any], depth: int) -> str:
    """The text of an `array.array`."""
    writer.charge(len(value) * value.itemsize)
    name = TYPED_ARRAYS.get(value.typecode)
    if name is None:
        items = writer.payload((value.typecode, tuple(value.tolist())), depth + 1)
        return f'["array",{items}]'
    if sys.byteorder == "big":
        value = value[:]
        value.byteswap()
    return f'["{name}",{write_buffer(writer, value.tobytes())}]'


def is_numpy(kind: type) -> bool:
    """Whether values of this type are arrays or scalars of numpy itself."""
    numpy = sys.modules.get("numpy")
    if numpy is None or kind.__module__.partition(".")[0] != "numpy":
        return False
    return kind is numpy.ndarray or issubclass(kind, numpy.generic)


def write_numpy(writer: Writer, value: Any, depth: int) -> str:
    """The text of an array or a scalar of numpy. Raises Refused for arrays of objects."""
    kind = value.dtype.str
    if not _DTYPE.fullmatch(kind):
        raise Refused(
            f"numpy values of dtype {value.dtype} cannot be recorded. Convert it first: "
            "value.tolist(), or columns of numbers."
        )
    writer.charge(value.nbytes)
    scalar = type(value).__name__ != "ndarray"
    parts = (kind, None if scalar else value.shape, value.tobytes())
    return f'["numpy",{writer.payload(parts, depth + 1)}]'


# -- reading ---------------------------------------------------------------------------------


def read_buffer(raw: list[Any]) -> bytes:
    if type(raw[1]) is not str:
        raise TypeError("a buffer is recorded as text")
    return b64decode(raw[1], validate=True)


def read_bytes(reader: Reader, raw: list[Any], depth: int) -> bytes:
    """The bytes of a typed array, or of a part of a buffer."""
    buffer = reader.value(raw[1], depth)
    if not isinstance(buffer, bytes):
        raise SerializationError("a typed array has no buffer")
    if len(raw) <= 2:
        return buffer
    size = 1 if raw[0] not in _TYPE_CODES else array(_TYPE_CODES[raw[0]]).itemsize
    size = 2 if raw[0] == "Float16Array" else size
    start, length = raw[2], raw[3] * size
    if start < 0 or length < 0 or start + length > len(buffer):
        raise SerializationError("a typed array reaches outside its buffer")
    reader.charge(length)
    return buffer[start : start + length]


def read_numbers(reader: Reader, raw: list[Any], depth: int) -> array[Any]:
    data = read_bytes(reader, raw, depth)
    reader.charge(len(data))
    if raw[0] == "Float16Array":
        reader.charge(len(data))
        return array("f", struct.unpack(f"<{len(data) // 2}e", data))
    made: array[Any] = array(_TYPE_CODES[raw[0]])
    made.frombytes(data)
    if sys.byteorder == "big":
        made.byteswap()
    return made


def read_array(reader: Reader, raw: list[Any], depth: int) -> array[Any]:
    """An array of a kind that the format does not have: its code and its items."""
    code, items = reader.value(raw[1], depth)
    reader.charge(8 * len(items))
    if code in ("u", "w"):
        text = "".join(items)
        reader.charge(4 * len(text))
        return array(code, text)
    return array(code, items)


def read_numpy(reader: Reader, raw: list[Any], depth: int) -> Any:
    """An array that can be written to, or a scalar. Raises SerializationError without numpy."""
    kind, shape, data = reader.value(raw[1], depth)
    if type(kind) is not str or not _DTYPE.fullmatch(kind) or type(data) is not bytes:
        raise TypeError("a numpy value is recorded as its dtype, shape and bytes")
    try:
        import numpy
    except ImportError:
        raise SerializationError(
            "a value of numpy was recorded, and numpy is not installed here"
        ) from None
    dtype = numpy.dtype(kind)
    if not dtype.itemsize:  # text without a character, which no array has
        return dtype.type()
    reader.charge(len(data))
    sizes = [1] if shape is None else shape
    if not isinstance(sizes, list) or len(sizes) > _MAX_DIMENSIONS:
        raise TypeError("a shape is a list of sizes")
    made = numpy.frombuffer(data, dtype) if data else numpy.empty(0, dtype)
    made = made.copy().reshape(sizes)
    if dtype.kind == "U" and made.size:
        codes = numpy.ascontiguousarray(made).view(f"{dtype.str[0]}u4")
        if int(codes.max()) > _LAST_CHARACTER:
            raise ValueError("it has a character that is none")
    return made[0] if shape is None else made
