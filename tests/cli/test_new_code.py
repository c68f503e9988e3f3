"""`wfc resume --new-code`: a parked run leaves the code it was begun with, if its log fits another.

The ordinary case: a deploy gives a class a field more, and a step returns it to a run of the old
code, which has no such field.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.test_check import built
from tests.cli.test_resume import look, resume, served
from tests.engine.test_versions import parked, waiting
from tests.project import ended, until
from workflow.api import resume_hook, start
from workflow.codec import Codec
from workflow.engine import Application, Project
from workflow.world.port import World
from workflow.world.records import Parked, RunRecord

CODE = """
    import asyncio
    from dataclasses import dataclass
    from workflow import create_hook

    @dataclass
    class Parcel:
        weight: int

    async def weigh(n: int) -> Parcel:
        "use step"
        return Parcel(n)

    async def order(token: str, many: int) -> list:
        "use workflow"
        first = await weigh(0)
        await create_hook(token=token)
        found = await asyncio.gather(*[weigh(n) for n in range(many)])
        return ["old code", first, found]
"""
LONGER = CODE.replace("weight: int\n", "weight: int\n        height: int = 4\n").replace(
    "old code", "new code"
)
OTHER = LONGER.replace("weigh(0)", "weigh(1)")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.path", list(sys.path))
    return tmp_path


def until_parked(folder: Path, many: int, new: str) -> tuple[str, Project, Parked]:
    """A run of the old code that has met the longer class, `many` times at once."""

    async def begin(application: Application, world: World) -> str:
        run = await start("order", "t", many)
        await waiting(world, "t")  # type: ignore[arg-type]  # any world will do
        return run.run_id

    run_id = served(folder, built(folder, CODE), begin)
    project = built(folder, new)

    async def answer(application: Application, world: World) -> Parked:
        await resume_hook("t", None)
        why = await parked(world, run_id)  # type: ignore[arg-type]  # any world will do

        async def posted() -> bool:
            return not await world.list_tasks(run_id)

        await until(world, posted, what="that the results are in the mail")
        return why

    return run_id, project, served(folder, project, answer)


@pytest.mark.parametrize("many", [1, 12])  # by its owner, and by tasks as well
def test_a_run_goes_on_with_the_code_of_this_build(folder: Path, many: int) -> None:
    """Its log is replayed under the new classes: what was recorded without the field has the
    default."""
    run_id, project, why = until_parked(folder, many, LONGER)
    assert why.code == "serialization"
    assert "weigh().height: the recorded Parcel has a field 'height'" in why.reason
    assert why.reason.endswith(
        f"`wfc resume {run_id} --new-code`; or deploy steps that return what its code knows"
    )
    assert "Give the class this field" not in why.reason
    tried = resume(folder, run_id, "--new-code", "--dry-run")
    assert (tried.exit_code, tried.stderr) == (0, "1 run would go on\n")
    done = resume(folder, "--code", "serialization", "--new-code")
    assert (done.exit_code, done.stdout) == (0, f"{run_id}\n")

    async def finish(application: Application, world: World) -> RunRecord:
        return await ended(application, run_id)

    run = served(folder, project, finish)
    assert run.status == "completed"
    assert run.bundle == project.bundle.hash
    classes = project.registry.classes
    name, first, found = Codec(classes).decode(run.output or b"")
    assert (name, first.height, [each.weight for each in found]) == ("new code", 4, [*range(many)])


def test_a_run_whose_log_does_not_fit_stays_parked(folder: Path) -> None:
    """It is told how the code differs, nothing is changed, and the exit status is 1."""
    run_id, _, why = until_parked(folder, 1, OTHER)
    done = resume(folder, run_id, "--new-code")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"{run_id} does not fit the new code: replay differs from the log at position 2: "
    )
    assert done.stderr.endswith("no run goes on; 1 does not fit the new code\n")

    async def still(world: World) -> Parked | None:
        return (await world.load(run_id)).run.parked

    assert look(folder, still) == why


def test_it_needs_a_build(folder: Path) -> None:
    """Without one there is no new code, and nothing is looked at."""
    assert resume(folder, "wrun_1", "--new-code").exit_code == 2
