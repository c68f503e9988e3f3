"""Steps in a row, at once and in races."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.scenarios.flows import control
from tests.scenarios.stage import Service, Stage, on
from workflow.api import resume_hook


@pytest.mark.scenario("addTenWorkflow")
def test_add_ten(service: Service) -> None:
    """Three steps, one after the other."""

    async def work(stage: Stage) -> None:
        run = await stage.start("control.add_ten", 123)
        assert await stage.result(run) == 133
        assert (await stage.record(run)).workflow == "workflow//flows/control.py//add_ten"
        assert (await stage.types(run)).count("step_completed") == 3

    on(service, work)


@pytest.mark.scenario("addTenWorkflow: input and output on the command line")
def test_input_and_output(service: Service) -> None:
    """`wfc inspect` shows what the run was given and what it gave."""

    async def work(stage: Stage) -> str:
        run = await stage.start("control.add_ten", 123)
        await stage.result(run)
        return run.run_id

    shown = service.command("inspect", "run", on(service, work), "--json")
    assert shown.returncode == 0, shown.stderr
    found = json.loads(shown.stdout)
    assert (found["input"], found["output"]) == ({"n": 123}, 133)


@pytest.mark.scenario("addTenWorkflow: the same name in two files", "importedStepOnly")
def test_same_names_in_two_files(service: Service) -> None:
    """Each file's workflow calls its own steps, and a step that it imports."""

    async def work(stage: Stage) -> list[Any]:
        return [
            await stage.run("control.add_ten", 23),
            await stage.run("namesake.add_ten", 23),
            await stage.run("namesake.imported_step_only"),
        ]

    assert on(service, work) == [33, 13, "imported"]


ALONE = {
    "promise_all": ["a", "b", "c"],
    "promise_race": "quick",
    "promise_any": "b",
    "promise_race_stress": ["True"] * 20,
    "null_byte": "null \x00 byte",
}


@pytest.mark.scenario("promiseAll", "promiseRace", "promiseAny", "promiseRaceStress", "nullByte")
@pytest.mark.parametrize("name", ALONE)
def test_alone(service: Service, name: str) -> None:
    """The run ends with the result of the scenario."""
    assert on(service, lambda stage: stage.run(f"control.{name}")) == ALONE[name]


@pytest.mark.scenario("retainedInterleaving")
def test_retained_interleaving(service: Service) -> None:
    """Steps, sleeps, a race and a hook in one run: one exact result."""

    async def work(stage: Stage) -> Any:
        run = await stage.start("control.retained_interleaving", "interleaving")
        await stage.hook("interleaving")
        await resume_hook("interleaving", "now")
        return await stage.result(run)

    assert on(service, work) == [2, [3, None, 4], "hook", "hook:now"]


@pytest.mark.scenario("metadata", "metadataFromHelper")
def test_metadata(service: Service) -> None:
    """A helper of the body and a step are told the same run, and the step its attempt."""

    async def work(stage: Stage) -> None:
        run = await stage.start("control.metadata")
        body, step = await stage.result(run)
        assert body == {"run": run.run_id, "name": "metadata"}
        assert step == {**body, "attempt": 1}

    on(service, work)


@pytest.mark.scenario("idempotency of ten and a hundred steps at once")
def test_idempotency(service: Service) -> None:
    """Ten and then a hundred steps at once: no body runs twice."""
    assert on(service, lambda stage: stage.run("control.idempotency")) == [1] * 110


@pytest.mark.scenario("stepDirectCall")
def test_step_direct_call() -> None:
    """Outside of a workflow a step is the function that was written."""
    assert asyncio.run(control.add(1, 2)) == 3
