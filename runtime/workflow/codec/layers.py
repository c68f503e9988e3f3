"""What may lie around the bytes of a value, from outside inwards: encryption, compression.

Values are written plain; the engine adds the layers where it hands bytes to a world, and takes them
away where it gets them back (`workflow.engine.sealing`). Reading a value therefore meets at most
compression that was switched off since, which it unpacks, or bytes that nobody here could open.
"""

from __future__ import annotations

from workflow.codec.compression import COMPRESSED, uncompressed
from workflow.codec.encryption import SEALED, described
from workflow.errors import DecryptionError

__all__ = ["MAX_VALUE", "TAG", "layered", "plain"]

TAG = b"devl"
MAX_VALUE = 64 * 1024 * 1024  # bytes of one value
_LAYERS = (COMPRESSED, SEALED)


def layered(data: bytes | None) -> bool:
    """Whether something lies around the value."""
    return data is not None and data[:4] in _LAYERS


def plain(data: bytes, max_size: int = MAX_VALUE) -> bytes:
    """`data` without compression. Raises DecryptionError where it is encrypted, SerializationError
    where it cannot be unpacked or would take more than `max_size` bytes."""
    if data[:4] == SEALED:
        raise DecryptionError(
            f"{described(data)}, and this process does not have that key, or the bytes were changed"
        )
    return uncompressed(data, max_size + len(TAG))
