"""Direct calls of workflows in code that is not part of a workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project

FLOWS = """\
class Billing:
    @staticmethod
    async def settle(n: int) -> int:
        "use workflow"
        return n


async def place(n: int) -> int:
    "use workflow"
    return n
"""


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("from flows import place\n\nasync def post():\n    return await place(1)\n", "place", 4),
        ("import flows\nimport asyncio\n\nasyncio.run(flows.place(1))\n", "place", 4),
        ("from flows import place as do\n\nrun = lambda: do(1)\n", "place", 3),
        ("from flows import Billing\n\nx = Billing.settle(1)\n", "Billing.settle", 3),
        ("def late():\n    from flows import place\n    return place(1)\n", "place", 3),
    ],
)
def test_a_direct_call_is_a_warning(tmp_path: Path, text: str, name: str, line: int) -> None:
    """In routes, scripts and steps, under other names and as a method; the build goes on."""
    step = '\n\nasync def work() -> None:\n    "use step"\n'
    root = write_project(tmp_path, {"flows.py": FLOWS, "app.py": text + step})
    result = wfc.build(root, write=False, cache=False)
    assert result.ok
    assert [(d.code, d.path, d.span.line) for d in result.diagnostics] == [
        ("WF519", "app.py", line)
    ]
    assert f"`run = await start({name}, ...)`" in result.diagnostics[0].fix


def test_other_calls_are_left_alone(tmp_path: Path) -> None:
    """start() with the workflow, a local function of the same name, and workflow code, which has a
    rule of its own."""
    text = """\
from flows import place
from workflow.api import start


async def post() -> None:
    await start(place, 1)


def other(place):
    return place(1)


async def main() -> int:
    "use workflow"
    return await place(1)
"""
    root = write_project(tmp_path, {"flows.py": FLOWS, "app.py": text})
    result = wfc.build(root, write=False, cache=False)
    assert [(d.code, d.span.line) for d in result.diagnostics] == [("WF515", 15)]
