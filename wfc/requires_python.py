"""Which Python versions the project says it runs on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

__all__ = ["oldest_python"]

_AT_LEAST = re.compile(r"(?:>=|~=|==|>)\s*3\.(\d+)")


def oldest_python(pyproject: Path) -> tuple[int, int] | None:
    """The lowest version that `[project] requires-python` allows; None where it does not say.

    A file that cannot be read says nothing: whoever reads the settings reports it.
    """
    try:
        table = tomllib.loads(pyproject.read_text("utf-8")).get("project", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    said = table.get("requires-python") if isinstance(table, dict) else None
    if not isinstance(said, str):
        return None
    minors = [int(minor) for minor in _AT_LEAST.findall(said)]
    return (3, max(minors)) if minors else None
