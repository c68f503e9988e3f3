"""A hook that nobody resumes in time."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path

import pytest

from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.errors import WorkflowRunFailedError
from workflow.worlds import memory

FLOWS = """
    from workflow import create_hook, create_webhook

    async def chosen() -> str:
        "use workflow"
        return await create_hook(token="approve:1", timeout="20ms")

    async def generated() -> str:
        "use workflow"
        return await create_hook(timeout=0.02)

    async def web() -> str:
        "use workflow"
        return (await create_webhook(token="pay", timeout=0.02)).method

    async def caught() -> str:
        "use workflow"
        try:
            return await create_hook(token="t", timeout=0.02)
        except TimeoutError as error:
            return f"{error} {error.__context__}"
"""


def outcome(folder: Path, name: str) -> tuple[str, BaseException | None]:
    """The result of a run or the text of its error, and the error."""
    project = build(folder, FLOWS)
    flows = loaded(folder)

    async def main() -> tuple[str, BaseException | None]:
        async with Application(memory.create(), project):
            run = await start(getattr(flows, name))
            try:
                return str(await run.result(60)), None
            except WorkflowRunFailedError as failed:
                return str(failed.__cause__), failed.__cause__

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("chosen", "hook approve:1 was not resumed within 0.02 s"),
        ("generated", "a hook was not resumed within 0.02 s"),
        ("web", "webhook pay was not resumed within 0.02 s"),
    ],
)
def test_the_error_says_which_hook_and_how_long(tmp_path: Path, name: str, text: str) -> None:
    """A token of the author's is shown, a generated one is not; nothing of asyncio is above it."""
    said, error = outcome(tmp_path, name)
    assert said == text
    assert isinstance(error, TimeoutError)
    recorded = getattr(error, "workflow_traceback", "")
    assert "TimeoutError" in recorded
    assert "CancelledError" not in recorded + "".join(traceback.format_exception(error))


def test_it_can_be_caught(tmp_path: Path) -> None:
    """`except TimeoutError` in the workflow gets the same words, and no other error with them."""
    assert outcome(tmp_path, "caught")[0] == "hook t was not resumed within 0.02 s None"
