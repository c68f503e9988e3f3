"""Encryption: the outermost layer around the bytes of a value, with a key for each run.

`encr`, a version, the id of the key, the length of the run's id and the run's id, a nonce of 12
bytes; then the bytes below, sealed with AES-256-GCM. Everything before the nonce is authenticated,
so a value cannot be moved to another run. `cryptography` is imported when the first key is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from workflow.errors import DecryptionError

__all__ = [
    "SEALED",
    "RunKey",
    "described",
    "key_id",
    "key_of",
    "opened",
    "run_key",
    "sealed",
    "sealed_for",
]

SEALED = b"encr"
_VERSION = 1
_FIXED = 10  # tag, version, key id, length of the run's id
_NONCE = 12
_KEY = 32


def key_id(key: bytes) -> bytes:
    """What a key is called in values, errors and listings. It tells nothing about the key."""
    return hashlib.sha256(b"workflow key id\0" + key).digest()[:4]


class RunKey:
    """A key of 32 bytes for the values of one run. Raises ValueError for another length.

    Values name it by `id`, which is made from the key itself unless it is given.
    """

    __slots__ = ("cipher", "id")

    def __init__(self, key: bytes, id: bytes | None = None) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(key) != _KEY:
            raise ValueError(f"a key has {_KEY} bytes, not {len(key)}")
        self.id = key_id(key) if id is None else id
        self.cipher: Any = AESGCM(key)


def run_key(master: bytes, run_id: str) -> RunKey:
    """The key of a run, derived from an application's key by HKDF with SHA-256.

    It has the id of the application's key: that is the one somebody has to look for.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = b"workflow run\0" + run_id.encode()
    return RunKey(HKDF(hashes.SHA256(), _KEY, salt=None, info=info).derive(master), key_id(master))


def sealed(data: bytes, key: RunKey, run_id: str, random: Callable[[int], bytes]) -> bytes:
    """`data` sealed for a run; `random` gives bytes that nobody can guess."""
    name = run_id.encode()
    if len(name) > 255:
        raise ValueError("a run's id has at most 255 bytes where values are encrypted")
    head = SEALED + bytes((_VERSION,)) + key.id + bytes((len(name),)) + name
    nonce = random(_NONCE)
    sealed_part: bytes = key.cipher.encrypt(nonce, data, head)
    return head + nonce + sealed_part


def opened(data: bytes, keys: Sequence[RunKey], run_id: str | None) -> bytes:
    """The bytes in the layer; `data` itself if there is none.

    `run_id` is the run that the value must have been sealed for, None for any. Raises
    DecryptionError when none of the keys is the one it was sealed with, and for bytes that were
    changed or belong to another run.
    """
    if data[:4] != SEALED:
        return data
    wanted, name, end = _head(data)
    if run_id is not None and name != run_id.encode():
        raise DecryptionError(f"a value sealed for {_shown(name)} stands in the log of {run_id}")
    for key in keys:
        if key.id == wanted:
            from cryptography.exceptions import InvalidTag

            try:
                found: bytes = key.cipher.decrypt(
                    data[end : end + _NONCE], data[end + _NONCE :], data[:end]
                )
            except InvalidTag:
                raise DecryptionError(
                    f"a value of {_shown(name)} does not open with the key {wanted.hex()} it "
                    "names: its bytes were changed"
                ) from None
            return found
    raise DecryptionError(f"{described(data)}, and this process does not have that key. {_ADVICE}")


def sealed_for(data: bytes) -> str | None:
    """The id of the run that a value was sealed for, None when it is not sealed.

    Not to be believed before the value is opened. Raises DecryptionError for a broken layer.
    """
    return _shown(_head(data)[1]) if data[:4] == SEALED else None


def key_of(data: bytes) -> bytes | None:
    """The id of the key that a value was sealed with, None when it is not sealed.

    Raises DecryptionError for a broken layer.
    """
    return _head(data)[0] if data[:4] == SEALED else None


def described(data: bytes) -> str:
    """What one can tell of a sealed value without its key. Raises DecryptionError."""
    wanted, name, _ = _head(data)
    return f"a value of {_shown(name)} is encrypted with the key {wanted.hex()}"


_ADVICE = (
    "Add it to WORKFLOW_ENCRYPTION_KEYS, or to what the world gives, and resume the run. "
    "`wfc inspect keys` lists the ids of keys."
)


def _head(data: bytes) -> tuple[bytes, bytes, int]:
    """The key's id, the run's id, and where the nonce begins."""
    if len(data) < _FIXED or data[4] != _VERSION or len(data) < _FIXED + data[9] + _NONCE:
        raise DecryptionError("an encrypted value is cut off, or of a version not known here")
    end = _FIXED + data[9]
    return data[5:9], data[_FIXED:end], end


def _shown(name: bytes) -> str:
    return name.decode(errors="replace")
