"""`wfc run --input`: JSON becomes what the workflow's annotations say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_runs import wfc

FLOWS = """
from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections import OrderedDict


class Item(BaseModel):
    sku: str = Field(min_length=3)
    day: date


@dataclass
class Order:
    id: UUID
    items: list[Item]


async def place(order: Order, /, *more: Item, rush: date | None = None, **notes: int) -> list[str]:
    "use workflow"
    found = [type(order).__name__, type(order.id).__name__, type(order.items[0]).__name__]
    found += [type(item).__name__ for item in more] + [str(rush and rush.year)]
    return found + [f"{name} {note + 1}" for name, note in notes.items()]


async def plain(anything, unread: OrderedDict[str, int] | None = None) -> list:
    "use workflow"
    return [anything, unread]
"""
UUID = "12345678123456781234567812345678"
ITEM = {"sku": "abc", "day": "2026-01-02"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built project whose workflows take models."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "flows.py").write_text(FLOWS)
    built = wfc(folder, "build")
    assert built.returncode == 0, built.stderr + built.stdout
    return folder


def run(project: Path, name: str, **given: object) -> list[object]:
    done = wfc(project, "run", name, "--quiet", "--input", json.dumps(given))
    assert done.returncode == 0, done.stderr
    result: list[object] = json.loads(done.stdout)
    return result


def test_models_dates_and_ids_are_made(project: Path) -> None:
    """Nested models, dataclasses, ids and dates come into the workflow as what they are, also from
    `*more` and `**notes`."""
    order = {"id": UUID, "items": [ITEM]}
    given = {"order": order, "*more": [ITEM], "rush": "2026-01-01", "note": 1}
    assert run(project, "place", **given) == ["Order", "UUID", "Item", "Item", "2026", "note 2"]
    assert run(project, "place", order=order) == ["Order", "UUID", "Item", "None"]


def test_what_has_no_readable_annotation_stays_json(project: Path) -> None:
    """Without an annotation, or with one that only type checkers can read, the JSON is passed."""
    assert run(project, "plain", anything={"a": 1}, unread={"b": 2}) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        (
            "place",
            {"order": {"id": UUID, "items": [{"sku": "a", "day": "today"}]}},
            ["order.items[0].sku: String should have at least 3", "order.items[0].day: Input"],
        ),
        ("place", {"order": {"id": UUID, "items": []}, "*more": [1]}, ["*more[0]: "]),
        ("place", {"order": {"id": UUID, "items": []}, "rush": "no"}, ["rush: "]),
        ("place", {}, ["missing a required", "'order'"]),
        ("plain", {"anything": 1, "extra": 2}, ["unexpected keyword argument 'extra'"]),
    ],
)
def test_input_that_does_not_fit(
    project: Path, name: str, given: dict[str, object], expected: list[str]
) -> None:
    """Each value that does not fit is named by its path, and no run is started."""
    done = wfc(project, "run", name, "--input", json.dumps(given))
    assert done.returncode == 2
    assert "--input does not fit" in done.stderr
    assert "wrun_" not in done.stderr
    for text in expected:
        assert text in done.stderr
