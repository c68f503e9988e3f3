"""The SQL of the PostgreSQL world, by name. Each query is one statement under a line
`-- :name NAME`; `{schema}` stands for the schema the world lives in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["queries"]


# Where the schema's name stands: in a statement, or within a text.
_PLACE = re.compile(r"'?\{schema\}")


@cache
def queries(schema: str) -> Mapping[str, bytes]:
    """All queries for a schema, whose name is quoted already."""
    bare = schema.replace("%", "%%")  # psycopg looks for parameters in names as well
    within = "'" + bare.replace("'", "''")
    found: dict[str, bytes] = {}
    for path in sorted(Path(__file__).parent.glob("*.sql")):
        for block in path.read_text("utf-8").split("-- :name ")[1:]:
            name, _, sql = block.partition("\n")
            filled = _PLACE.sub(lambda at: within if at[0][0] == "'" else bare, sql.strip())
            found[name.strip()] = filled.encode()
    return found
