"""Compression: a layer around the bytes of a value, with a format tag of its own.

`gzip`, then a gzip member of the bytes below. What comes out of storage may have been made to
unpack to more than there is memory, so unpacking stops at a limit.
"""

from __future__ import annotations

import zlib

from workflow.errors import SerializationError

__all__ = ["COMPRESSED", "compressed", "uncompressed"]

COMPRESSED = b"gzip"
_GZIP = 31  # zlib's number for "a gzip member with the largest window"
_LEVEL = 3  # measured: a third more time than level 1 for a tenth less text; 6 takes twice as long


def compressed(data: bytes, above: int) -> bytes:
    """`data` in a layer of gzip if it has more than `above` bytes and gets smaller by it."""
    if len(data) <= above:
        return data
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    packed = COMPRESSED + packer.compress(data) + packer.flush()
    return packed if len(packed) < len(data) else data


def uncompressed(data: bytes, limit: int) -> bytes:
    """The bytes in the layer, `data` itself if there is none.

    Never makes more than `limit` bytes. Raises SerializationError when there are more, and for
    anything but one whole gzip member.
    """
    if data[:4] != COMPRESSED:
        return data
    unpacker = zlib.decompressobj(_GZIP)
    try:
        found = unpacker.decompress(memoryview(data)[4:], limit)
    except zlib.error as wrong:
        raise SerializationError(f"a compressed value cannot be unpacked: {wrong}") from None
    if not unpacker.eof:
        if unpacker.unconsumed_tail or len(found) == limit:
            raise SerializationError(f"a compressed value unpacks to more than {limit} bytes")
        raise SerializationError("a compressed value is cut off")
    if unpacker.unused_data:
        raise SerializationError("a compressed value is followed by other bytes")
    if found[:4] == COMPRESSED:
        raise SerializationError("a value is compressed twice")
    return found
