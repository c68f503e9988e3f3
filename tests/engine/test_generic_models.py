"""Generic models of pydantic: in signatures of workflows and steps, which no body can make."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.worlds import memory

MODELS = """
from typing import Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Item(BaseModel):
    name: str


class Page(BaseModel, Generic[T]):
    entries: list[T] = []


class Items(Page[Item]):
    total: int = 0
"""

FLOWS = (
    MODELS
    + """

async def longer(page: Page[Item]) -> Page[Item]:
    "use step"
    return Page[Item](entries=[*page.entries, Item(name="last")])


async def counted(page: Page[Item]) -> Items:
    "use step"
    return Items(entries=page.entries, total=len(page.entries))


async def grows(page: Page[Item]) -> list[object]:
    "use workflow"
    more = await longer(page)
    items = await counted(more)
    return [[entry.name for entry in more.entries], items.total, items, more]
"""
)


@pytest.mark.parametrize("given", ["dict", "model"])
def test_they_go_through_a_workflow(given: str, tmp_path: Path) -> None:
    """A body sees the fields of one, and passes it on; what comes out is of the form it was."""
    project = build(tmp_path, FLOWS)
    flows = loaded(tmp_path)

    async def main() -> Any:
        page: Any = {"entries": [{"name": "a"}]}
        if given == "model":
            page = flows.Page[flows.Item](entries=[flows.Item(name="a")])
        async with Application(memory.create(), project):
            return await (await start(flows.grows, page)).result(60)

    names, total, items, more = asyncio.run(main())
    assert (names, total) == (["a", "last"], 2)
    assert type(items) is flows.Items
    assert type(more) is flows.Page[flows.Item]
    assert items.entries == more.entries == [flows.Item(name="a"), flows.Item(name="last")]


def test_a_body_that_makes_one_is_told_what_to_write(tmp_path: Path) -> None:
    """The build stops, and says where such a model can be made."""
    source = (
        MODELS
        + '\nasync def f() -> Page[int]:\n    "use workflow"\n    return Page[int](entries=[])\n'
    )
    found = wfc.build(write_project(tmp_path, source), cache=False).diagnostics
    assert [each.code for each in found] == ["WF812"]
    assert "Make it in a step, or write a model for each type" in found[0].message
