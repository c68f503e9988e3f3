"""Failures of steps and bodies: how often they are tried, and what is known about them after."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.stage import Service, Stage, on
from workflow.api import get_run
from workflow.errors import WorkflowRunFailedError


@pytest.mark.scenario("retries until attempt 3", "FatalError can be caught")
@pytest.mark.parametrize(
    ("name", "expected"), [("retries", 3), ("fatal_is_caught", "caught: it failed, attempt 1")]
)
def test_result(service: Service, name: str, expected: Any) -> None:
    """The run ends well."""
    assert on(service, lambda stage: stage.run(f"errors.{name}")) == expected


@pytest.mark.scenario("RetryableError waits")
def test_retry_after(service: Service) -> None:
    """The second attempt comes no sooner than the first one asked for."""

    async def work(stage: Stage) -> None:
        run = await stage.start("errors.retry_after")
        assert await stage.result(run) == 2
        events = {event.type: event.at for event in await stage.events(run)}
        assert events["step_completed"] - events["step_created"] >= 1_000_000

    on(service, work)


@pytest.mark.scenario("maxRetries 0", "FatalError fails at attempt 1", "FatalError of a workflow")
@pytest.mark.parametrize(
    ("name", "cause", "text"),
    [
        ("no_retries", "ValueError", "attempt 1"),
        ("step_is_fatal", "FatalError", "it failed, attempt 1"),
        ("body_is_fatal", "FatalError", "the body gave up"),
    ],
)
def test_failed_at_once(service: Service, name: str, cause: str, text: str) -> None:
    """No second attempt, and the run's failure has its code and the error."""

    async def work(stage: Stage) -> dict[str, Any]:
        return await stage.outcome(await stage.start(f"errors.{name}"))

    found = on(service, work)
    assert found["error"] == "WorkflowRunFailedError"
    assert found["code"] == "run-failed"
    assert (found["cause"], found["cause_message"]) == (cause, text)


@pytest.mark.scenario("FatalError of a step with a TypeError as its cause")
def test_cause(service: Service) -> None:
    """The cause is an error of its own class again."""
    text, is_type_error, cause = on(service, lambda stage: stage.run("errors.cause_of_a_fatal"))
    assert (text, is_type_error) == ("the length", True)
    assert "has no len()" in cause


@pytest.mark.scenario("error subclass round trip")
def test_error_subclass(service: Service) -> None:
    """An error class of the project comes back with its attributes."""
    found = on(service, lambda stage: stage.run("errors.error_subclass"))
    assert found == ["PaymentRefused", 402, "card expired", [402, "card expired"]]


async def _traceback(stage: Stage, name: str) -> str:
    run = await stage.start(f"errors.{name}")
    await stage.outcome(run)
    with pytest.raises(WorkflowRunFailedError) as raised:
        await get_run(run.run_id).return_value
    cause = raised.value.__cause__
    return str(cause.workflow_traceback)  # type: ignore[union-attr]


@pytest.mark.scenario("workflow stack, nested and across files")
def test_workflow_stack(service: Service) -> None:
    """The traceback shows the user's files and lines, through all calls."""
    text = on(service, lambda stage: _traceback(stage, "nested_stack"))
    assert text.count("flows/error_helpers.py") == 4, text
    assert "flows/errors.py" in text
    assert "deep_inside(3)" in text


@pytest.mark.scenario("step stack, also across files")
def test_step_stack(service: Service) -> None:
    """The traceback of a step does so as well."""
    text = on(service, lambda stage: _traceback(stage, "step_stack"))
    assert "flows/errors.py" in text
    assert "error_helpers.py" in text
    assert "in fail_in_another_file" in text


@pytest.mark.scenario("bad step arguments, caught", "bad step result, caught")
@pytest.mark.parametrize(
    ("name", "path"),
    [("bad_arguments_caught", "value.items[1]"), ("bad_result_caught", "result.data[1]")],
)
def test_bad_values_caught(service: Service, name: str, path: str) -> None:
    """The call fails with the path to the value, and the body goes on."""
    text, after = on(service, lambda stage: stage.run(f"errors.{name}"))
    assert path in text
    assert after == "still here"


@pytest.mark.scenario("bad step arguments, uncaught", "bad step result, uncaught")
@pytest.mark.parametrize("name", ["bad_arguments", "bad_result"])
def test_bad_values_uncaught(service: Service, name: str) -> None:
    """The run fails once; nothing is delivered again and again."""

    async def work(stage: Stage) -> None:
        run = await stage.start(f"errors.{name}")
        found = await stage.outcome(run)
        assert found["cause"] == "SerializationError", found
        tasks = await stage.world.list_tasks(run.run_id)
        assert all(task.attempt == 1 for task in tasks)
        types = await stage.types(run)
        assert types.count("step_created") <= 1
        assert types[-1] == "run_failed"

    on(service, work)


@pytest.mark.scenario("workflow that is not registered")
def test_unknown_workflow(service: Service) -> None:
    """The start is refused; no run exists."""

    async def work(stage: Stage) -> dict[str, str]:
        answer = await stage.post("errors.nobody")
        assert answer.status_code == 400
        found: dict[str, str] = answer.json()
        return found

    found = on(service, work)
    assert found["error"] == "WorkflowNotRegisteredError"
    assert "workflow//flows/errors.py//nobody" in found["message"]
