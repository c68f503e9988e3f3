"""Where the keys of runs come from, and what is compressed: settings and the world."""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, TypeAlias

from workflow.codec.encryption import RunKey, key_id, opened, run_key
from workflow.errors import DecryptionError, WorldError
from workflow.world.port import World

__all__ = ["Keys", "compress_above", "keys_of"]

Source: TypeAlias = Callable[[str], Awaitable[Sequence[bytes]]]

_REMEMBERED = 5000  # runs whose keys are kept


class Keys:
    """The keys of runs, newest first: derived from `masters`, or given by `source` for each run."""

    def __init__(self, masters: Sequence[bytes] = (), source: Source | None = None) -> None:
        self._masters = tuple(masters)
        self._source = source
        self._known: OrderedDict[str, tuple[RunKey, ...]] = OrderedDict()

    @property
    def ids(self) -> tuple[bytes, ...]:
        """The ids of `masters`, the one that seals first; none where `source` gives the keys."""
        return tuple(map(key_id, self._masters)) if self._source is None else ()

    async def of(self, run_id: str, *, afresh: bool = False) -> tuple[RunKey, ...]:
        """The keys of a run; the first one seals. Empty where values are not encrypted.

        Raises WorldError for keys of a wrong length, and when the world cannot give any.
        """
        if self._source is None and not self._masters:
            return ()
        found = None if afresh else self._known.get(run_id)
        if found is None:
            found = self._known[run_id] = await self._make(run_id)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    async def opened(self, data: bytes, writer: str, run_id: str | None) -> bytes:
        """Bytes that were sealed by `writer`, which has to be `run_id` if that is given.

        Raises DecryptionError. A world is asked again before its key is said to be missing.
        """
        keys = await self.of(writer)
        try:
            return opened(data, keys, run_id)
        except DecryptionError:
            if self._source is None:
                raise
            again = await self.of(writer, afresh=True)
            if {key.id for key in again} <= {key.id for key in keys}:
                raise
            return opened(data, again, run_id)

    async def _make(self, run_id: str) -> tuple[RunKey, ...]:
        if self._source is None:
            return tuple(run_key(master, run_id) for master in self._masters)
        try:
            given = await self._source(run_id)
        except WorldError:
            raise
        except Exception as error:
            raise WorldError(f"the world gives no keys for {run_id}: {error}") from error
        try:
            return tuple(map(RunKey, given))
        except ValueError as wrong:
            raise WorldError(f"the world gives a key for {run_id} that is none: {wrong}") from None


def keys_of(world: World, environment: Mapping[str, str]) -> Keys | None:
    """The keys that `world` gives by `encryption_keys(run_id)`, or those of the environment.

    None when there are none. Raises WorldError for WORKFLOW_ENCRYPTION_KEYS that are not keys, and
    where `cryptography` is not installed.
    """
    source: Any = getattr(world, "encryption_keys", None)
    text = environment.get("WORKFLOW_ENCRYPTION_KEYS", "").strip()
    if source is None and not text:
        return None
    if find_spec("cryptography") is None:
        raise WorldError(
            "encryption needs the package cryptography: pip install 'workflow-compiler[encryption]'"
        )
    if source is not None:
        return Keys(source=source)
    return Keys([_key(n, part.strip()) for n, part in enumerate(text.split(","), 1)])


def _key(number: int, text: str) -> bytes:
    """One key of the setting. Its text is in no message: it is a secret."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise WorldError(
            f"key {number} in WORKFLOW_ENCRYPTION_KEYS is not 32 bytes in base64. Make one with: "
            'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'
        )
    return key


def compress_above(environment: Mapping[str, str]) -> int | None:
    """WORKFLOW_COMPRESS_ABOVE in bytes, None when values are not compressed. Raises WorldError."""
    text = environment.get("WORKFLOW_COMPRESS_ABOVE", "").strip()
    if not text:
        return None
    if not text.isdecimal():
        raise WorldError(f"WORKFLOW_COMPRESS_ABOVE is {text!r}; give a number of bytes, or nothing")
    return int(text)
