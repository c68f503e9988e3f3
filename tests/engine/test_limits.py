"""Runs that would go on for ever are ended, with an error that has a name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.engine.limits import Limits
from workflow.errors import WorkflowRunFailedError
from workflow.testing import VirtualClock
from workflow.worlds import memory

START = 1_700_000_000 * 1_000_000

FLOWS = """
    async def tick(n: int) -> int:
        "use step"
        return n

    async def busy(steps: int) -> str:
        "use workflow"
        for n in range(steps):
            await tick(n)
        try:
            n = 0
            while True:
                n += 1
        except Exception:
            return "caught"

    async def counts(steps: int) -> str:
        "use workflow"
        for n in range(steps):
            await tick(n)
        return "done"
"""


def outcome(folder: Path, name: str, steps: int) -> str:
    """The result of a run, or the code of the error it failed with."""
    project = build(folder, FLOWS)

    async def main() -> str:
        async with Application(memory.create(VirtualClock(START)), project):
            run = await start(getattr(loaded(folder), name), steps)
            try:
                return str(await run.result(60))
            except WorkflowRunFailedError as error:
                return f"{error.error_code}: {error}"

    return asyncio.run(main())


@pytest.mark.fault("F21")
def test_a_body_that_never_waits_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy loop ends the run with BusyWorkflowError, also when the body catches it, and the
    replay check sees the same end."""
    monkeypatch.setenv("WORKFLOW_MAX_ROUNDS", "5000")
    monkeypatch.setenv("WORKFLOW_REPLAY_CHECK", "1")
    assert outcome(tmp_path, "busy", 2).startswith("busy: ")


def test_a_log_may_only_become_so_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with more events than allowed fails with LogTooLongError; one with fewer goes on."""
    monkeypatch.setenv("WORKFLOW_MAX_EVENTS", "100")
    assert outcome(tmp_path, "counts", 30) == "done"
    assert outcome(tmp_path, "counts", 200).startswith("log-too-long: ")


def test_the_settings_are_numbers() -> None:
    """Limits come from the environment; what is no number that makes sense is refused by name."""
    assert Limits.read({}) == Limits()
    assert Limits.read({"WORKFLOW_MAX_EVENTS": "1000"}).events == 1000
    for name in ("WORKFLOW_MAX_EVENTS", "WORKFLOW_MAX_ROUNDS"):
        for text in ("many", "-5", "99", "1.5"):
            with pytest.raises(ValueError, match=name):
                Limits.read({name: text})
