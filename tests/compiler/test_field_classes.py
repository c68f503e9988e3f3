"""Classes that come along as fields of others, where the outer one stays outside of the bundle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.worlds.memory import MemoryWorld

ORDER = """
import os
from dataclasses import dataclass
from typing import Generic, Optional, TypeVar
from urllib.request import urlopen

from pydantic import BaseModel, computed_field

T = TypeVar("T")


class Size(BaseModel):
    width: int


class Item(BaseModel):
    sku: str
    size: Optional[Size] = None


class Address(BaseModel):
    town: str


class Note(BaseModel):
    text: str


@dataclass
class Label:
    text: "str"


Labels = list[Label]


class Base(BaseModel):
    to: "Address | None" = None


class Page(BaseModel, Generic[T]):
    entries: list[T] = []


class Notes(Page[Note]):
    pass


class Order(Base):
    items: list[Item]
    labels: Labels = []
    notes: Notes = Notes()
    shop: str = os.environ.get("SHOP", "none")

    def send(self):
        return urlopen(self.shop, self.model_dump_json())


async def weigh(order: Order) -> int:
    "use step"
    return len(order.items) + len(order.labels) + len(order.notes.entries)


async def place(order: Order) -> int:
    "use workflow"
    return await weigh(order)
"""


def test_fields_of_a_class_outside_of_the_bundle_are_known(tmp_path: Path) -> None:
    """Nested models, lists, options, aliases, generic bases, inherited fields: all are listed."""
    manifest = wfc.build(write_project(tmp_path, ORDER), cache=False).manifest
    names = {entry["qualname"]: entry["bundled"] for entry in manifest["classes"].values()}
    assert names["Order"] is False
    assert {"Size", "Item", "Address", "Note", "Label", "Base", "Page", "Notes"} <= set(names)


def test_a_run_takes_such_a_value(tmp_path: Path) -> None:
    """An order whose class uses the network goes through a workflow into a step, parts and all."""
    project = build(tmp_path, ORDER)
    flows = loaded(tmp_path)

    async def main() -> int:
        application = Application(MemoryWorld(), project)
        await application.start()
        try:
            order = flows.Order(
                items=[flows.Item(sku="a", size=flows.Size(width=1))],
                labels=[flows.Label("fragile")],
                notes=flows.Notes(entries=[flows.Note(text="ring twice")]),
                to=flows.Address(town="Ulm"),
            )
            result: int = await (await start(flows.place, order)).result(timeout=60)
            return result
        finally:
            await application.stop()

    assert asyncio.run(main()) == 3


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Later", {"Order", "Later"}),
        ('"Order | None"', {"Order"}),
        ("Loop", {"Order"}),
        ("dict[str, tuple[Later, ...]]", {"Order", "Later"}),
    ],
)
def test_fields_that_refer_back_come_to_an_end(
    tmp_path: Path, field: str, expected: set[str]
) -> None:
    """A class that names itself, a class below it and an alias of itself end the search."""
    text = f"""
from __future__ import annotations
from dataclasses import dataclass
import requests

Loop = "Loop"

@dataclass
class Order:
    part: {field}

    def send(self):
        return requests.post("https://example.com")

@dataclass
class Later:
    back: Order

async def place(order: Order) -> None:
    "use workflow"
"""
    manifest = wfc.build(write_project(tmp_path, text), cache=False).manifest
    assert {entry["qualname"] for entry in manifest["classes"].values()} == expected
