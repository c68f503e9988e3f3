"""Reading what may not be there, and writing what may not be read half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["read_bytes", "replace_text"]


def read_bytes(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def replace_text(file: Path, text: str) -> None:
    """Put a file of the cache in place, whole or not at all; where that is not possible, nothing
    happens: a read-only checkout builds all the same."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        os.replace(temporary, file)
    except OSError:
        return
