"""Transformed texts by the hash of everything they depend on, under `.workflow-cache/`.

libcst takes longer to import than everything else of a small build; with a full cache it is not
needed. The folder may be deleted or damaged at any time: an unreadable entry is made again. Entries
are JSON, so that reading one cannot run anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

__all__ = ["Made", "TextCache", "fingerprint"]

Made = tuple[str, list[tuple[int, int, str]]]
"""A text, and what the sandbox said about it as (line, column, words)."""


class _Plan(Protocol):
    def to_text(self) -> str: ...


_Job = tuple[str, str, str, _Plan | str]
"""Purpose, path, text, and whatever else the result depends on."""


@cache
def fingerprint() -> str:
    """A value that changes when the code that makes the texts does."""
    import wfc.transform
    import workflow.sandbox

    found: list[tuple[object, ...]] = [sys.version_info[:2]]
    if (libcst := find_spec("libcst")) is not None and libcst.origin is not None:
        found.append((libcst.origin, os.stat(libcst.origin).st_mtime_ns))
    for package in (*wfc.transform.__path__, *workflow.sandbox.__path__):
        for path in sorted(Path(package).rglob("*.py")):
            status = path.stat()
            found.append((path.name, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(found).encode()).hexdigest()


class TextCache:
    """Texts with what the sandbox said about them. `folder` None keeps them in memory only."""

    def __init__(self, folder: Path | None) -> None:
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
            found = _read(_file(self._folder, key))
        if found is not None:
            self._now[key] = found
        return found

    def keep(self, job: _Job, made: Made) -> None:
        """Remember what was made of `job`."""
        key = _key(job)
        self._now[key] = made
        if self._folder is not None:
            _write(_file(self._folder, key), json.dumps(made))

    def forget_unused(self) -> None:
        """Keep in memory only what was asked for since the last call."""
        self._before, self._now = self._now, {}


def _key(job: _Job) -> str:
    purpose, path, text, rest = job
    rest = rest if isinstance(rest, str) else rest.to_text()
    parts = [fingerprint(), purpose, path, text, rest]
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()


def _file(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.json"


def _read(file: Path) -> Made | None:
    try:
        text, problems = json.loads(file.read_bytes())
        if isinstance(text, str):
            return text, [(int(line), int(column), str(why)) for line, column, why in problems]
    except (OSError, ValueError, TypeError, RecursionError):
        pass
    return None


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        os.replace(temporary, file)
    except OSError:
        return  # a read-only checkout builds all the same
