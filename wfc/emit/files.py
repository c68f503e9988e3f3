"""Reading what may not be there, and writing what may not be read half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["cache_text", "read_bytes", "replace_text"]


def read_bytes(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def cache_text(folder: Path, name: str, text: str) -> None:
    """Put the file `name` into the cache `folder`, which version control is told to leave out;
    where it cannot be written, nothing happens."""
    ignored = folder / ".gitignore"
    if not ignored.exists():
        replace_text(ignored, "*\n")
    replace_text(folder / name, text)


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
