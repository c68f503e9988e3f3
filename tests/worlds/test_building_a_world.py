"""docs/building-a-world.md: its samples run, and it names all of the port."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workflow.testing import WorldConformance
from workflow.world import Append, AuthProvider, Queue, Storage, Streamer, World

PAGE = (Path(__file__).parent.parent.parent / "docs" / "building-a-world.md").read_text("utf-8")


def _samples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def _namespace() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "page"}
    for sample in _samples("python"):
        exec(compile(sample, "building-a-world.md", "exec"), names)
    return names


def _cases() -> list[str]:
    return sorted(name for name in dir(WorldConformance) if name.startswith("test_"))


@pytest.mark.parametrize("case", _cases())
def test_the_suite_of_the_page(case: str) -> None:
    """The test class on the page runs, and its world passes."""
    getattr(_namespace()["TestRedisWorld"](), case)()


def test_when_a_run_is_due() -> None:
    """The page's rule for due runs."""
    due_since = _namespace()["due_since"]
    idle = {
        "owner": None, "completed_at": None, "parked": None, "mail": 1, "seen": 1, "mailed_at": 5,
        "next_timer": None, "claims": 0,
    }  # fmt: skip

    def since(**changes: object) -> object:
        return due_since(SimpleNamespace(**{**idle, **changes}), 10)

    assert since() is None
    assert since(mail=2) == 5
    assert since(next_timer=11) is None
    assert since(next_timer=10) == 10
    assert since(mail=2, next_timer=3) == 3
    assert since(mail=2, mailed_at=11, next_timer=3) == 3
    assert since(mail=2, mailed_at=11, next_timer=3, claims=2) is None
    for never in ({"owner": "ann"}, {"completed_at": 9}, {"parked": "why"}):
        assert since(mail=2, next_timer=3, **never) is None


def test_when_an_append_fits() -> None:
    """The page's rule for appends."""
    fits = _namespace()["fits"]
    append = Append(run_id="run", worker="ann", fence=3, expected=7, at=0)
    run = {"completed_at": None, "parked": None, "fence": 3, "head": 7}
    assert fits(SimpleNamespace(**run), append)
    for wrong in ({"completed_at": 1}, {"parked": "why"}, {"fence": 4}, {"head": 8}):
        assert not fits(SimpleNamespace(**{**run, **wrong}), append)


def test_entry_point_of_the_page() -> None:
    """The page's settings are TOML for the group that `connect` looks in."""
    (sample,) = _samples("toml")
    assert tomllib.loads(sample)["project"]["entry-points"]["workflow.worlds"]


@pytest.mark.parametrize("part", [Storage, Queue, Streamer, AuthProvider, World])
def test_every_method_is_on_the_page(part: type) -> None:
    """The table names the methods of each Protocol, no more and no fewer."""
    title = "`World` itself" if part is World else f"`{part.__name__}`"
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {title} |")]
    methods = {name for name, _ in inspect.getmembers(part, inspect.isfunction)}
    own = {name for name in vars(part) if name in methods and not name.startswith("_")}
    listed = set(re.findall(r"`(\w+)`", row.rsplit("| ", 1)[1]))
    assert listed == own | ({"name"} if part is World else set())
