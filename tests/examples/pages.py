"""The files that a page of the documentation tells its readers to write."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["DOCS", "files_of", "write"]

DOCS = Path(__file__).parents[2] / "docs"
_FILE = re.compile(r"<!-- file: (?P<name>[\w/.]+) -->\n```\w+\n(?P<text>.*?)```", re.S)


def files_of(page: Path) -> dict[str, str]:
    """By name, the texts of the blocks below a line such as `<!-- file: flows.py -->`."""
    return {found["name"]: found["text"] for found in _FILE.finditer(page.read_text("utf-8"))}


def write(page: Path, folder: Path) -> None:
    """Write the files of a page into `folder`."""
    for name, text in files_of(page).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
