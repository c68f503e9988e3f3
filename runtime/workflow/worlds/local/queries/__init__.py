"""The SQL of the local world, by name. Each query is one statement under a line `-- :name NAME`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["QUERIES", "for_rows"]


def _read(folder: Path) -> dict[str, str]:
    queries: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        for block in path.read_text("utf-8").split("-- :name ")[1:]:
            name, _, sql = block.partition("\n")
            queries[name.strip()] = sql.strip()
    return queries


QUERIES = _read(Path(__file__).parent)


@cache
def for_rows(name: str, width: int, count: int) -> str:
    """A query of `groups.sql` for `count` tuples of `width` values."""
    row = f"({', '.join('?' * width)})"
    return QUERIES[name].replace("{rows}", ", ".join([row] * count))
