"""What users read of errors whose class is not known, and of time-outs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.project import build, loaded
from workflow.api import start
from workflow.engine import Application
from workflow.errors import StepFailedError, StepTimeoutError, WorkflowError, WorkflowRunFailedError
from workflow.worlds import memory

FLOWS = """
    import asyncio

    from pydantic import BaseModel

    from workflow import step_options
    from workflow.api import start

    class Order(BaseModel):
        id: int

    @step_options(max_retries=0)
    async def leave(code: int) -> None:
        "use step"
        raise SystemExit(code)

    @step_options(max_retries=0)
    async def odd() -> None:
        "use step"
        class Odd(Exception):
            pass
        raise Odd("two")

    @step_options(max_retries=0)
    async def unrecordable() -> object:
        "use step"
        return {"lock": object()}  # wfc: ignore[WF902] what happens then

    @step_options(max_retries=0, timeout=0.05)
    async def slow() -> None:
        "use step"
        await asyncio.sleep(60)

    @step_options(max_retries=0, timeout="2s", run_in="process")
    async def slow_elsewhere() -> None:
        "use step"
        await asyncio.sleep(60)

    async def flow(what: str) -> None:
        "use workflow"
        match what:
            case "step":
                await leave(3)
            case "odd":
                await odd()
            case "unrecordable":
                await unrecordable()
            case "slow":
                await slow()
            case "slow elsewhere":
                await slow_elsewhere()
            case "body":
                raise SystemExit(3)
            case "model":
                Order(id="x")
            case "child":
                await (await start(flow, "body"))
"""


def failed(tmp_path: Path, what: str) -> WorkflowRunFailedError:
    """The error that whoever waits for such a run gets."""
    project = build(tmp_path, FLOWS)

    async def main() -> WorkflowRunFailedError:
        async with Application(memory.create(), project):
            run: Any = await start(loaded(tmp_path).flow, what)
            with pytest.raises(WorkflowRunFailedError) as caught:
                await run.result(60)
            return caught.value

    return asyncio.run(main())


@pytest.mark.parametrize(("what", "text"), [("step", "SystemExit: 3"), ("odd", "Odd: two")])
def test_an_unknown_class_out_of_a_step_is_named(tmp_path: Path, what: str, text: str) -> None:
    """The text has the class, not its message alone; local classes without what is around them."""
    error = failed(tmp_path, what)
    assert type(error.__cause__) is StepFailedError
    assert str(error.__cause__) == text
    assert str(error).endswith(f"failed: StepFailedError: {text}")


@pytest.mark.parametrize(
    ("what", "text"), [("body", "SystemExit: 3"), ("model", "ValidationError: 1 validation error")]
)
def test_what_comes_out_of_a_body_is_no_steps_error(tmp_path: Path, what: str, text: str) -> None:
    """Where no step was involved, none is spoken of; the recorded traceback stays."""
    error = failed(tmp_path, what)
    cause = error.__cause__
    assert type(cause) is WorkflowError
    assert str(cause).startswith(text)
    assert f"failed: {text}" in str(error)
    assert "StepFailedError" not in str(error)
    assert vars(cause)["type_name"].endswith(text.partition(":")[0])
    assert ", in flow\n" in vars(cause)["workflow_traceback"]


def test_a_parent_sees_the_same_of_a_child(tmp_path: Path) -> None:
    """The child's failure is told in the same words where a body waits for it."""
    error = failed(tmp_path, "child")
    assert isinstance(error.__cause__, WorkflowRunFailedError)
    assert str(error.__cause__).endswith("failed: SystemExit: 3")


@pytest.mark.parametrize("what", ["slow", "slow elsewhere"])
def test_a_time_out_has_no_cause(tmp_path: Path, what: str) -> None:
    """How asyncio ends the waiting is nobody's concern: the error is one line, without a chain."""
    cause = failed(tmp_path, what).__cause__
    assert isinstance(cause, StepTimeoutError)
    assert cause.__cause__ is None
    recorded = vars(cause)["workflow_traceback"]
    assert "CancelledError" not in recorded
    assert "During handling" not in recorded
    assert "direct cause" not in recorded


def test_a_result_that_cannot_be_recorded_is_told_without_our_frames(tmp_path: Path) -> None:
    """Nobody of the user's code was running: what is shown is the error, and the awaiting line."""
    error = failed(tmp_path, "unrecordable")
    text = getattr(error.__cause__, "workflow_traceback", "")
    assert "result.lock" in str(error)
    assert "await unrecordable()" in text
    assert "steps.py" not in text
    assert "codec.py" not in text
