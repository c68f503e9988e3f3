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
from wfc.cli import main
from workflow.api import start
from workflow.engine import Application, Project
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
    assert "stays on old code, bundle " in text
    assert "under the new code it would stop: replay differs from the log at position 2" in text


def test_a_removed_step_is_named(project: Path) -> None:
    """A step that the old code may still call, and that the new build does not have."""
    rebuild(project, CODE.replace("ship(", "send("))
    found = verdict(project, 0)
    assert found["missing_steps"] == ["step//flows_of_check.py//ship"]
    assert "may still call step//flows_of_check.py//ship" in check(project).output


def test_a_bundle_that_is_gone_stops_the_run(project: Path) -> None:
    """Exit status 1, with the reason the run would be parked for."""
    rebuild(project, CODE.replace("charge(5)", "charge(6)"))

    async def lose() -> None:
        world = create_local_world(project / ".workflow-data")
        await world.open()
        try:
            await world._writer.run(lambda tx: tx._connection.execute("delete from bundles"))
        finally:
            await world.close()

    asyncio.run(lose())
    found = verdict(project, 1)
    assert not found["continues"]
    assert "is not in this world" in found["problems"][0]
    assert "would not continue: the bundle" in check(project).output


def test_without_a_subject_it_says_what_there_is_to_check(project: Path) -> None:
    """`wfc check` alone is wrong use."""
    result = CliRunner().invoke(main, ["check", "--root", str(project)])
    assert result.exit_code == 2
    assert "--against-runs" in result.output
