"""The SQL of the PostgreSQL world, by name. Each query is one statement under a line
`-- :name NAME`; `{schema}` stands for the schema the world lives in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["queries"]


@cache
def queries(schema: str) -> Mapping[str, bytes]:
    """All queries for a schema, whose name is quoted already."""
    found: dict[str, bytes] = {}
    for path in sorted(Path(__file__).parent.glob("*.sql")):
        for block in path.read_text("utf-8").split("-- :name ")[1:]:
            name, _, sql = block.partition("\n")
            found[name.strip()] = sql.strip().replace("{schema}", schema).encode()
    return found
