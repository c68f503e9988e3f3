"""Kill the server at every kind of place, start it again, and compare with an undisturbed run."""

import asyncio
import itertools
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.server import RESULTS, Died, Server


@dataclass(frozen=True)
class Outcome:
    """What a run came to: its answer to `GET /runs/{id}`, its recorded step results, its bodies.

    `results` counts (event type, step) and `bodies` the executions of each step's body.
    """

    result: dict[str, Any]
    results: Counter[tuple[str, str]]
    bodies: Counter[str]


async def outcome(server: Server, run_id: str, state: dict[str, Any]) -> Outcome:
    """Check what holds for every run, however often it was interrupted, and sum it up."""
    recorded = [event for event in await server.events(run_id) if event.type in RESULTS]
    times = {event.ref: event.at for event in recorded}
    assert len(times) == len(recorded), "a step has two recorded results"
    again = [step for at, step_id, step in server.bodies() if at > times[step_id]]
    assert not again, "these ran again after their result was recorded"
    names = await step_names(server, run_id)
    return Outcome(
        result={name: value for name, value in state.items() if name != "run_id"},
        results=Counter((event.type, names[event.ref]) for event in recorded),
        bodies=Counter(step for _, _, step in server.bodies()),
    )


async def step_names(server: Server, run_id: str) -> dict[str, str]:
    """The step called under each correlation id."""
    events = await server.events(run_id)
    return {event.ref: event.name for event in events if event.type == "step_created"}


async def undisturbed(folder: Path) -> Outcome:
    """Sign up on a server that nobody kills."""
    async with Server(folder) as server:
        await server.start()
        run_id = await server.sign_up()
        return await outcome(server, run_id, await server.see_through(run_id))


async def killed(folder: Path, failpoint: str) -> Outcome | None:
    """Sign up on a server that dies at the failpoint, and finish on a second one.

    None when the run ended without ever reaching the failpoint.
    """
    async with Server(folder) as server:
        await server.start(failpoint)
        run_id = await server.sign_up()
        try:
            await server.see_through(run_id)
        except Died:
            assert await server.was_killed()
        else:
            return None
        await server.start()
        return await outcome(server, run_id, await server.see_through(run_id))


def assert_same(disturbed: Outcome, model: Outcome) -> None:
    """Same result, same recorded step results, and at most one extra execution of each body.

    A body may also have run once less: an attempt that dies before its body counts as one of the
    attempts after which the mail server gives in.
    """
    assert disturbed.result == model.result
    assert disturbed.results == model.results
    for step, times in model.bodies.items():
        assert max(1, times - 1) <= disturbed.bodies[step] <= times + 1, step


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The outcome of an undisturbed run."""
    return asyncio.run(undisturbed(tmp_path_factory.mktemp("undisturbed")))


def test_an_undisturbed_run_runs_each_body_as_often_as_it_must(model: Outcome) -> None:
    """Without a kill only the step that fails twice runs more than once, and the run completes."""
    assert model.result["status"] == "completed"
    assert model.result["result"]["status"] == "done"
    assert model.bodies == {
        "create_user": 1,
        "send_welcome": 3,
        "choose_plan": 1,
        "reserve_storage": 1,
        "ask_to_confirm": 1,
    }


# One of each kind by default; a server takes its time to start, and each case starts two.
FAILPOINTS = [
    "before_step_body:3",  # the second attempt of a step that fails
    "after_step_body",
    "after_step_body:6",  # the webhook's answer is out, and nobody knows
    "after_commit",
    "during_sleep",
    "waiting_for_hook",
]
MORE_FAILPOINTS = [
    "before_step_body",
    "before_step_body:6",  # the second of two parallel steps
    "after_step_body:2",  # the step that failed before
    "after_step_body:3",  # the first of two parallel steps
    "after_commit:3",
    "waiting_for_hook:2",  # the webhook
]
THOROUGH = "WORKFLOW_TEST_THOROUGH" in os.environ


@pytest.mark.fault("F1", "F2", "F3")
@pytest.mark.parametrize("failpoint", [*FAILPOINTS, *(MORE_FAILPOINTS if THOROUGH else ())])
def test_a_killed_run_ends_like_an_undisturbed_one(
    failpoint: str, model: Outcome, tmp_path: Path
) -> None:
    """A run whose process dies at the failpoint has the same result and records each step once."""
    disturbed = asyncio.run(killed(tmp_path, failpoint))
    assert disturbed is not None, "the failpoint was never reached"
    assert_same(disturbed, model)
    # The first body runs again exactly when its process died between the body and its commit.
    assert disturbed.bodies["create_user"] == (2 if failpoint == "after_step_body" else 1)


@pytest.mark.skipif(not THOROUGH, reason="minutes long; `make test-all` runs it")
@pytest.mark.parametrize("name", ["before_step_body", "after_step_body", "after_commit"])
def test_a_run_may_be_killed_at_every_single_place(
    name: str, model: Outcome, tmp_path: Path
) -> None:
    """The first, second, third … time the failpoint is reached, until a run never reaches it."""
    for nth in itertools.count(1):
        folder = tmp_path / str(nth)
        folder.mkdir()
        disturbed = asyncio.run(killed(folder, f"{name}:{nth}"))
        if disturbed is None:
            break
        assert_same(disturbed, model)
    assert nth > 5, "a sign-up has more steps than that"
