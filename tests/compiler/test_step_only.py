"""What only a step can do, in the body of a workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project

TEXT = """\
from workflow import get_step_metadata, get_workflow_metadata, get_writable


async def tell(out) -> str:
    "use step"
    await out.write("a")
    await get_writable().write("b")
    return get_step_metadata().step_id


def key() -> str:
    return get_step_metadata().step_id


async def flow(n: int, file) -> None:
    "use workflow"
    out = get_writable(str)
    {}


async def helper() -> str:
    return get_step_metadata().step_id
"""
WRONG = {
    "key = get_step_metadata().step_id": "about the attempt of a step",
    "await out.write('a')": "calls write() of a stream",
    "await out.close()": "calls close() of a stream",
    "await get_writable().write_from(file)": "calls write_from() of a stream",
    "async def inner():\n        await out.write('a')\n    await inner()": "calls write() of a",
}
RIGHT = (
    "await tell(out)",
    "await file.write('a')",
    "print(get_workflow_metadata().workflow_run_id)",
    "async def step():\n        'use step'\n        await out.write('a')\n    await step()",
)


def findings(body: str, root: Path) -> list[str]:
    result = wfc.build(write_project(root, TEXT.format(body)), write=False, cache=False)
    return [d.message for d in result.diagnostics if d.code == "WF520"]


@pytest.mark.parametrize("body", WRONG)
def test_what_a_workflow_cannot_do(body: str, tmp_path: Path) -> None:
    """The finding says why; at run time it would be a ContextError."""
    [message] = findings(body, tmp_path)
    assert WRONG[body] in message


@pytest.mark.parametrize("body", RIGHT)
def test_what_a_workflow_can_do(body: str, tmp_path: Path) -> None:
    """Pass a stream on, write to something else, and contain a step."""
    assert findings(body, tmp_path) == []
