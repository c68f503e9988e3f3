"""Transformed texts by the hash of everything they depend on, under `.workflow-cache/`.

libcst takes longer to import than everything else of a small build; with a full cache it is not
needed. The folder may be deleted or damaged at any time: an unreadable entry is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

__all__ = ["TextCache", "fingerprint"]

Problems = list[tuple[int, int, str]]
Made = tuple[str, Problems]


@cache
def fingerprint() -> str:
    """A value that changes when the code that makes the texts does."""
    import wfc.transform
    import workflow.sandbox

    found = []
    for package in (*wfc.transform.__path__, *workflow.sandbox.__path__):
        for path in sorted(Path(package).rglob("*.py")):
            status = path.stat()
            found.append((path.name, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(found).encode()).hexdigest()


class TextCache:
    """Texts with what the sandbox said about them. `folder` None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, parts: Iterable[str], make: Callable[[], Made]) -> Made:
        """The text for `parts`, everything it depends on; made if it is not there."""
        if self._folder is None:
            return make()
        key = hashlib.sha256(json.dumps([fingerprint(), *parts]).encode()).hexdigest()
        file = self._folder / key[:2] / f"{key}.json"
        found = _read(file)
        if found is None:
            found = make()
            self._keep(file, found)
        return found

    def _keep(self, file: Path, made: Made) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=file.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(made, out)
            os.replace(temporary, file)
        except OSError:
            return  # a read-only checkout builds all the same


def _read(file: Path) -> Made | None:
    try:
        text, problems = json.loads(file.read_bytes())
        if isinstance(text, str):
            return text, [(int(line), int(column), str(why)) for line, column, why in problems]
    except (OSError, ValueError, TypeError):
        pass
    return None
