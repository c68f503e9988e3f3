"""Transformed texts by the hash of everything they depend on, under `.workflow-cache/`.

libcst takes longer to import than everything else of a small build; with a full cache it is not
needed. The folder may be deleted or damaged at any time: an unreadable entry is made again. Entries
are JSON, so that reading one cannot run anything.

Workflow mode runs in the sandbox, which checks it. Client mode is imported by applications, so no
text of it comes from here: an entry is only a hash, and the text the one in the generated folder,
if that has this hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from wfc.emit.files import cache_text, read_bytes
from wfc.emit.tool import fingerprint

__all__ = ["Made", "TextCache"]

Made = tuple[str, list[tuple[int, int, str]]]
"""A text, and what the sandbox said about it as (line, column, words)."""


class _Plan(Protocol):
    def to_text(self) -> str: ...


_Job = tuple[str, str, str, _Plan | str]
"""Purpose, path, text, and whatever else the result depends on."""


_OUTSIDE = {"client": "client/{}", "stubs": "client/{}i"}
"""Purposes of texts that run outside the sandbox, and where they go."""


class TextCache:
    """Texts with what the sandbox said about them. `folder` None keeps them in memory only.

    `generated` is the folder that earlier builds wrote to, once it is known.
    """

    def __init__(self, folder: Path | None) -> None:
        self.generated: Path | None = None
        self._folder = folder
        self._before: dict[str, Made] = {}
        self._now: dict[str, Made] = {}

    def get(self, job: _Job, make: Callable[[], Made]) -> Made:
        """What was made of `job`; made if it is not there."""
        found = self.find(job)
        if found is None:
            found = make()
            self.keep(job, found)
        return found

    def find(self, job: _Job) -> Made | None:
        """What was made of `job` before; None if nothing was."""
        key = _key(job)
        found = self._now.get(key) or self._before.get(key)
        if found is None and self._folder is not None:
            found = self._on_disk(self._folder, key, job)
        if found is not None:
            self._now[key] = found
        return found

    def keep(self, job: _Job, made: Made) -> None:
        """Remember what was made of `job`."""
        key = _key(job)
        self._now[key] = made
        if self._folder is not None:
            entry = [_sha256(made[0].encode())] if job[0] in _OUTSIDE else made
            cache_text(self._folder, _name(key), json.dumps(entry))

    def _on_disk(self, folder: Path, key: str, job: _Job) -> Made | None:
        kept = _read(folder / _name(key))
        try:
            if job[0] not in _OUTSIDE:
                text, problems = kept
                if not isinstance(text, str):
                    return None
                return text, [(int(line), int(col), str(why)) for line, col, why in problems]
            if self.generated is None:
                return None
            data = read_bytes(self.generated / _OUTSIDE[job[0]].format(job[1]))
            is_ours = data is not None and [_sha256(data)] == kept
            return (data.decode(), []) if data is not None and is_ours else None
        except (OSError, ValueError, TypeError):
            return None

    def forget_unused(self) -> None:
        """Keep in memory only what was asked for since the last call."""
        self._before, self._now = self._now, {}


def _key(job: _Job) -> str:
    purpose, path, text, rest = job
    rest = rest if isinstance(rest, str) else rest.to_text()
    parts = [fingerprint(), purpose, path, text, rest]
    return _sha256("\0".join(parts).encode(errors="surrogatepass"))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _name(key: str) -> str:
    return f"{key[:2]}/{key}.json"


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
