"""Runs that are cancelled, watched over, and that start others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.stage import Service, Stage, on
from workflow.api import Run, get_run, list_runs


async def _asleep(stage: Stage) -> Run[Any]:
    run = await stage.start("runs.long_sleep")

    async def sleeping() -> bool:
        return "wait_created" in await stage.types(run)

    await stage.until(sleeping)
    return run


@pytest.mark.scenario("cancelRun")
def test_cancel(service: Service) -> None:
    """A sleeping run ends at once, with the reason."""

    async def work(stage: Stage) -> None:
        run = await _asleep(stage)
        await run.cancel("no longer wanted")
        found = await stage.outcome(run)
        assert found["error"] == "WorkflowRunCancelledError"
        assert "no longer wanted" in found["message"]
        assert await run.status == "cancelled"

    on(service, work)


@pytest.mark.scenario("cancelRun from the command line")
def test_cancel_from_the_command_line(service: Service) -> None:
    """`wfc cancel RUN` does the same from a terminal."""

    async def asleep(stage: Stage) -> str:
        return (await _asleep(stage)).run_id

    run_id = on(service, asleep)
    done = service.command("cancel", run_id, "--reason", "typed")
    assert done.returncode == 0, done.stderr

    async def cancelled(stage: Stage) -> str:
        found = await stage.outcome(get_run(run_id))
        assert found["error"] == "WorkflowRunCancelledError"
        return str(found["message"])

    assert "typed" in on(service, cancelled)


@pytest.mark.scenario("spawn a child from a step")
def test_spawn_from_step(service: Service) -> None:
    """A step starts another run and waits for its result."""

    async def work(stage: Stage) -> None:
        run = await stage.start("runs.spawn_from_step", 1)
        child, result = await stage.result(run)
        assert (child != run.run_id, result) == (True, 11)

    on(service, work)


@pytest.mark.scenario("start inside a workflow, with an answer by hook")
def test_start_inside(service: Service) -> None:
    """A child that its parent's body has started answers it by a hook."""
    found = on(service, lambda stage: stage.run("runs.start_inside", "r-hook"))
    assert found == ["from the child", "reported"]


@pytest.mark.scenario("fibonacci: recursive children")
def test_fibonacci(service: Service) -> None:
    """Fifteen runs, each of which waits for those it has started."""

    async def work(stage: Stage) -> None:
        run = await stage.start("runs.fibonacci", 5)
        assert await stage.result(run) == 5
        family = [r.run_id async for r in list_runs(attributes={"$root_run_id": run.run_id})]
        assert len(family) == 14
        assert len([r async for r in list_runs(parent=run.run_id)]) == 2

    on(service, work)


@pytest.mark.scenario("resilient start")
def test_the_same_start_twice(service: Service) -> None:
    """Whoever does not know whether a start came through starts again with the same key."""

    async def work(stage: Stage) -> None:
        options = {"idempotency_key": "order-7"}
        first = await stage.start("control.add_ten", 1, options=options)
        again = await stage.start("control.add_ten", 1, options=options)
        assert first.run_id == again.run_id
        assert await stage.result(again) == 11

    on(service, work)


@pytest.mark.scenario("health over HTTP", "health of the queue")
def test_health_over_http(service: Service) -> None:
    """A server says that it is there, and whether somebody works."""

    async def work(stage: Stage) -> Any:
        answer = await stage.client.get("/.well-known/workflow/v1/flow?__health")
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert on(service, work)["healthy"] is True


@pytest.mark.scenario("health on the command line")
def test_health_on_the_command_line(service: Service) -> None:
    """`wfc health` ends well while the world answers and a worker lives."""
    done = service.command("health")
    assert done.returncode == 0, done.stdout + done.stderr
