"""Models that workflow code makes itself, with the types of pydantic that only constrain."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.worlds import memory

FLOWS = """
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    UUID4, AwareDatetime, BaseModel, FiniteFloat, NaiveDatetime, NonPositiveInt, StrictInt,
    StringConstraints, ValidationError,
)


class Order(BaseModel):
    at: AwareDatetime
    local: NaiveDatetime | None = None
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2)] = "ab"
    count: StrictInt = 1
    change: NonPositiveInt = 0
    price: FiniteFloat = 1.0
    key: UUID4 | None = None


async def made() -> Order:
    "use workflow"
    return Order(at=datetime.now(UTC), name=" tea ", key="5b0b0b0e-1c1c-4c1c-8c1c-0123456789ab")


async def refused() -> list[str]:
    "use workflow"
    said = []
    for wrong in (
        {"at": datetime(2026, 1, 1)}, {"local": "2026-01-01T00:00:00Z"}, {"name": "a"},
        {"count": "1"}, {"change": 1}, {"price": float("inf")}, {"key": "no"},
    ):
        try:
            Order(**{"at": datetime.now(UTC), **wrong})
        except ValidationError as error:
            said += [each["loc"][0] for each in error.errors()]
    return said


async def changes() -> list[str]:
    "use workflow"
    said = []
    for kind in (AwareDatetime, StringConstraints, StringConstraints(min_length=1), NonPositiveInt):
        try:
            setattr(kind, "min_length", 9)
        except Exception as error:
            said.append(type(error).__name__)
    return said
"""


def test_types_that_constrain(tmp_path: Path) -> None:
    """They check in a body as they do anywhere, and what all runs share of them stays as it is."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> tuple[Any, ...]:
        async with Application(memory.create(), project):
            runs = [await start(each) for each in (flows.made, flows.refused, flows.changes)]
            return tuple([await run.result(60) for run in runs])

    order, wrong, changed = asyncio.run(main())
    assert type(order) is flows.Order
    assert (order.name, order.key.version) == ("tea", 4)
    assert wrong == ["at", "local", "name", "count", "change", "price", "key"]
    assert changed == ["SandboxError"] * 4
