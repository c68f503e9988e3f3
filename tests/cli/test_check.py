"""`wfc check --against-runs`: real builds, real SQLite, runs that wait while the code changes."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import wfc
from tests.engine.test_versions import waiting
from tests.project import until
from wfc.cli import main
from wfc.cli.check import _old_text
from workflow.api import resume_hook, start
from workflow.engine import Application, Project
from workflow.engine.against import Verdict
from workflow.world.records import Letter, Parked, RunFilter
from workflow.worlds.local import create_local_world

CODE = """
    from workflow import create_hook

    async def charge(cents: int) -> int:
        "use step"
        return cents

    async def ship(cents: int) -> str:
        "use step"
        return f"shipped for {cents}"

    async def order(token: str) -> str:
        "use workflow"
        cents = await charge(5)
        await create_hook(token=token)
        return await ship(cents)
"""


def built(folder: Path, source: str) -> Project:
    """The folder's project, built from this source; its steps are not imported twice."""
    (folder / "flows_of_check.py").write_text(textwrap.dedent(source))
    result = wfc.build(folder)
    assert not [d for d in result.diagnostics if d.severity == "error"]
    forget()
    return Project.load(folder / "generated")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one run that waits for a hook, between two of its steps."""
    monkeypatch.setattr("sys.path", list(sys.path))
    old = built(tmp_path, CODE)

    async def begin() -> None:
        world = create_local_world(tmp_path / ".workflow-data")
        async with Application(world, old):
            await start("order", "t")
            await waiting(world, "t")  # type: ignore[arg-type]  # any world will do

    asyncio.run(begin())
    return tmp_path


def forget() -> None:
    """Load the module anew at the next import, as in a new process."""
    for name in list(sys.modules):
        if name == "flows_of_check" or name.startswith("workflow_generated_"):
            del sys.modules[name]


def check(folder: Path, *options: str) -> Result:
    forget()
    command = ["check", "--against-runs", "--root", str(folder), *options]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def verdict(folder: Path, status: int) -> dict[str, Any]:
    result = check(folder, "--json")
    assert result.exit_code == status, result.output
    data: dict[str, Any] = json.loads(result.output.splitlines()[0])
    return data


def rebuild(folder: Path, source: str) -> None:
    (folder / "flows_of_check.py").write_text(textwrap.dedent(source))
    assert not [d for d in wfc.build(folder).diagnostics if d.severity == "error"]


def test_an_unchanged_build_has_nothing_to_say(project: Path) -> None:
    """Every run goes on, on the code of this build."""
    result = check(project)
    assert result.exit_code == 0
    assert "1 open run: 0 would not continue, 0 of all stay on old code" in result.output
    assert "wrun_" not in result.output


def test_a_changed_body_says_who_stays_on_old_code_and_why(project: Path) -> None:
    """The run continues where it is; under the new code it would diverge, in the same words."""
    rebuild(project, CODE.replace("charge(5)", "charge(6)"))
    found = verdict(project, 0)
    assert found["continues"]
    assert found["code"] == "old"
    assert "position 2" in found["under_new_code"]
    assert "the argument 'cents' has another value" in found["under_new_code"]
    text = check(project).output
    assert text.startswith(
        f"{found['run_id']} stays on old code, bundle {found['bundle'][:12]}: order\n"
        f"  under the new code {found['run_id']} order would stop: "
        "replay differs from the log at position 2"
    )


def test_a_removed_step_is_named(project: Path) -> None:
    """A step that the old code may still call, and that the new build does not have."""
    rebuild(project, CODE.replace("ship(", "send("))
    found = verdict(project, 0)
    assert found["missing_steps"] == ["step//flows_of_check.py//ship"]
    text = check(project).output
    assert "  it may still call step//flows_of_check.py//ship, which is not here\n" in text
    assert text.endswith("1 of all stay on old code, 1 may call steps that are not here\n")


def test_changed_parameters_and_classes_are_told_before_a_value_has_to_fit(project: Path) -> None:
    """What the old code may call in another way is no reason to stop yet, and is counted."""
    rebuild(
        project,
        CODE.replace("ship(cents: int)", "ship(cents: int, to: str)").replace(
            "ship(cents)\n", "ship(cents, 'ann')\n"
        ),
    )
    found = verdict(project, 0)
    assert found["continues"]
    assert found["changes"] == [
        "it may still call step//flows_of_check.py//ship in another way: "
        "ship(cents: int, to: str) -> str needs 'to', which was not recorded"
    ]
    text = check(project).output
    assert f"  {found['changes'][0]}\n" in text
    assert text.endswith("stay on old code, 1 may stop at steps or classes that have changed\n")


def test_of_many_runs_with_the_same_to_say_one_is_told_in_full(project: Path) -> None:
    """The others are named, up to ten; what concerns a bundle is said once for all its runs."""

    async def more() -> None:
        world = create_local_world(project / ".workflow-data")
        old = built(project, CODE)
        async with Application(world, old):
            for n in range(12):
                await start("order", f"t{n}")
                await waiting(world, f"t{n}")  # type: ignore[arg-type]  # any world will do

    asyncio.run(more())
    rebuild(project, CODE.replace("charge(5)", "charge(6)"))
    text = check(project).output
    assert text.startswith("13 open runs stay on old code, bundle ")
    assert text.partition("\n")[0].endswith(": 13 of order")
    assert "  under the new code 13 runs of order, such as wrun_" in text
    assert text.count("replay differs") == 1
    assert len(check(project, "--json").stdout.splitlines()) == 13

    spoil(project, "delete from events where type = 'step_created'")
    text = check(project).output
    assert text.count("would not continue: replay differs") == 1
    assert "  the same goes for wrun_" in text
    assert ", … (12 in all, named by --json)\n" in text
    assert text.count("wrun_") == 12, "eleven that stop, and an example under the new code"


def test_the_workflows_of_an_old_bundle_are_named_and_counted() -> None:
    """By their short names; by their ids where two files have a workflow of one name."""

    def text(*names: str) -> str:
        runs = [Verdict(f"wrun_{n}", f"workflow//{w}", "b" * 64, True) for n, w in enumerate(names)]
        return _old_text("b" * 64, runs)

    assert text("a.py//order") == "wrun_0 stays on old code, bundle bbbbbbbbbbbb: order"
    assert text("a.py//order", "b.py//refund", "a.py//order").endswith(": 2 of order, 1 of refund")
    both = text("a.py//order", "b.py//order")
    assert both.endswith(": 1 of workflow//a.py//order, 1 of workflow//b.py//order")


def test_a_bundle_that_is_gone_stops_the_run(project: Path) -> None:
    """Exit status 1, with the reason the run would be parked for."""
    rebuild(project, CODE.replace("charge(5)", "charge(6)"))

    spoil(project, "delete from bundles")
    found = verdict(project, 1)
    assert not found["continues"]
    assert "is not in this world" in found["problems"][0]
    assert "would not continue: the bundle" in check(project).output


def spoil(folder: Path, statement: str) -> None:
    """Change the stored rows behind the engine's back."""

    async def change() -> None:
        world = create_local_world(folder / ".workflow-data")
        await world.open()
        try:
            await world._writer.run(lambda tx: tx._connection.execute(statement))
        finally:
            await world.close()

    asyncio.run(change())


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "update events set name = 'step//flows_of_check.py//refund'"
            " where type = 'step_created'",
            "replay differs from the log at position 2: the log says step_created refund",
        ),
        (
            "delete from events where type = 'step_created'",
            "replay differs from the log at position",
        ),
        (
            "update events set payload = x'00ff' where type = 'step_completed'",
            "the value at position 3 of its log cannot be read: ",
        ),
        (
            "update events set payload = cast('devl[\"Nobody\"' as blob)"
            " where type = 'run_created'",
            "the value at position 1 of its log cannot be read: ",
        ),
        ("update runs set workflow = 'workflow//flows_of_check.py//gone'", "gone"),
    ],
)
def test_a_log_that_does_not_fit_is_a_reason(project: Path, statement: str, problem: str) -> None:
    """Divergences, values that cannot be read and missing workflows are listed, with status 1."""
    spoil(project, statement)
    found = verdict(project, 1)
    assert not found["continues"]
    assert problem in found["problems"][0]
    result = check(project)
    assert result.exit_code == 1
    assert f"{found['run_id']} " in result.output
    assert "would not continue: " in result.output
    assert "1 open run: 1 would not continue" in result.output


WAITS_FOR_A_STEP = CODE.replace(
    'return f"shipped for {cents}"', 'raise RetryableError("later", retry_after="1d")'
).replace("import create_hook", "import RetryableError, create_hook")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("ship(", "send(", "it waits for the step 'ship' (step//flows_of_check.py//ship)"),
        ("ship(cents: int)", "ship(cents: int, *, to: str)", "ship"),
    ],
)
def test_a_step_it_waits_for_must_be_there_and_take_its_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, problem: str
) -> None:
    """An open step call that the new build cannot do is a reason, with status 1."""
    monkeypatch.setattr("sys.path", list(sys.path))
    project = built(tmp_path, WAITS_FOR_A_STEP)

    async def begin() -> None:
        world = create_local_world(tmp_path / ".workflow-data")
        async with Application(world, project):
            run = await start("order", "t")
            await waiting(world, "t")  # type: ignore[arg-type]  # any world will do
            await resume_hook("t", None)

            async def tried() -> bool:
                return any(task.error for task in await world.list_tasks(run.run_id))

            await until(world, tried, what="the first attempt")

    asyncio.run(begin())
    assert verdict(tmp_path, 0)["continues"]
    changed = WAITS_FOR_A_STEP.replace(old, new)
    if "to: str" in new:
        changed = changed.replace("await ship(cents)", "await ship(cents, to='ann')")
    rebuild(tmp_path, changed)
    found = verdict(tmp_path, 1)
    assert any(problem in text for text in found["problems"]), found
    assert "would not continue: " in check(tmp_path).output


def test_a_parked_run_is_noted(project: Path) -> None:
    """It is said with its reason; whether it would go on is a matter of the replay."""
    asyncio.run(_parked(project))
    found = verdict(project, 0)
    assert found["notes"] == ["it is parked already (test): by hand"]


async def _parked(folder: Path) -> None:
    world = create_local_world(folder / ".workflow-data")
    await world.open()
    try:
        (run,) = (await world.list_runs(RunFilter())).items
        await world.post(run.run_id, Letter(kind="nudge"))
        (claimed,) = (await world.claim_runs("repair", 1)).runs
        parked = Parked(code="test", reason="by hand")
        assert await world.park(run.run_id, "repair", claimed.fence, parked)
    finally:
        await world.close()


def test_without_a_subject_it_says_what_there_is_to_check(project: Path) -> None:
    """`wfc check` alone is wrong use."""
    result = CliRunner().invoke(main, ["check", "--root", str(project)])
    assert result.exit_code == 2
    assert "--against-runs" in result.output
