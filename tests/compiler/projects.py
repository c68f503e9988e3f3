"""Small projects in temporary folders for the compiler's tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["write_project"]


def write_project(root: Path, files: str | Mapping[str, str]) -> Path:
    """Write files by path, or one text as `flows.py`, and return the folder."""
    for path, text in ({"flows.py": files} if isinstance(files, str) else files).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return root
