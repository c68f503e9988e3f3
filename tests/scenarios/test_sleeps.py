"""Waiting for time, in real time and short."""

from __future__ import annotations

from typing import Any

import pytest

from tests.project import until
from tests.scenarios.stage import Service, Stage, on
from workflow.api import resume_hook


@pytest.mark.scenario("sleeping")
def test_sleeping(service: Service) -> None:
    """The run goes on when its time has come, not before."""

    async def work(stage: Stage) -> float:
        run = await stage.start("sleeps.sleeping", "1s")
        slept: float = await stage.result(run)
        assert (await stage.types(run)).count("wait_completed") == 1
        return slept

    assert on(service, work) >= 1


@pytest.mark.scenario("sleeping")
def test_a_week_can_be_cut_short(service: Service) -> None:
    """A long sleep ends when the run is woken from outside."""

    async def work(stage: Stage) -> None:
        run = await stage.start("sleeps.sleeping", "7 days")

        async def asleep() -> bool:
            return (await stage.types(run)).count("wait_created") == 1

        await until(stage.world, asleep)
        await run.wake_up()
        assert await stage.result(run) < 60

    on(service, work)


@pytest.mark.scenario("parallelSleep")
def test_parallel_sleep(service: Service) -> None:
    """Ten sleeps of a second at once take one second and not ten."""
    assert 1 <= on(service, lambda stage: stage.run("sleeps.parallel_sleep")) < 10


@pytest.mark.scenario("sleepInLoop")
def test_sleep_in_loop(service: Service) -> None:
    """Each turn of the loop really waits."""
    first, second, third = on(service, lambda stage: stage.run("sleeps.sleep_in_loop"))
    assert first >= 0.2
    assert second >= first + 0.2
    assert third >= second + 0.2


@pytest.mark.scenario("sleepWinsRace", "stepWinsRace", "sleepWithSequentialSteps")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sleep_wins_race", "sleep"),
        ("step_wins_race", "step"),
        ("sleep_with_sequential_steps", [0, 2, 4]),
    ],
)
def test_sleep_and_steps(service: Service, name: str, expected: Any) -> None:
    """Sleeps race with steps, and do not hold them up."""
    assert on(service, lambda stage: stage.run(f"sleeps.{name}")) == expected


@pytest.mark.scenario("hookWithSleep", "hookWithSleepFinalStep")
@pytest.mark.parametrize(
    ("name", "payloads", "expected"),
    [
        ("hook_with_sleep", ["one", "two", "three"], ["one", "two", "three"]),
        ("hook_with_sleep_final_step", ["first", "last"], ["first", "last", "final step"]),
    ],
)
def test_hook_with_sleep(
    service: Service, name: str, payloads: list[str], expected: list[str]
) -> None:
    """All payloads arrive while a sleep is pending."""

    async def work(stage: Stage) -> Any:
        run = await stage.start(f"sleeps.{name}", name)
        await stage.hook(name)
        for payload in payloads:
            await resume_hook(name, payload)
        return await stage.result(run)

    assert on(service, work) == expected
