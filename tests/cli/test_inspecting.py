"""`wfc inspect` tells what a run was started with, and finds runs by it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.project import build, loaded
from wfc.cli import main
from workflow.api import list_runs, with_options
from workflow.engine import Application
from workflow.worlds.local import create_local_world

FLOWS = """
    from workflow import create_hook, sleep
    from workflow.api import start

    async def rest() -> None:
        "use workflow"
        await sleep("1 day")

    async def family() -> str:
        "use workflow"
        run = await start(rest)
        await sleep("1 day")
        return run.run_id

    async def begin() -> str:
        "use step"
        run = await start(rest)
        return run.run_id

    async def by_a_step() -> str:
        "use workflow"
        run_id = await begin()
        await sleep("1 day")
        return run_id

    async def asks(token: str) -> None:
        "use workflow"
        await create_hook(token=token)
"""
DEADLINE = datetime(2099, 12, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose local world has some runs: one with all options, and two families."""
    folder = tmp_path_factory.mktemp("inspecting")
    project = build(folder, FLOWS)
    flows = loaded(folder)

    async def fill() -> None:
        world = create_local_world(data_dir=folder / ".workflow-data")
        async with Application(world, project):
            options = with_options(
                run_id="wrun_all",
                idempotency_key="order 7",
                attributes={"customer": "ada", "city": "Köln"},
                delay=datetime(2099, 1, 1, tzinfo=UTC),
                deadline=DEADLINE,
            )
            await options.start(flows.rest)
            await with_options(attributes={"customer": "bob"}).start(flows.rest)
            for name in ("family", "by_a_step"):
                parent = await with_options(run_id=f"wrun_{name}").start(getattr(flows, name))
                change = 0
                while not [run async for run in list_runs(parent=parent)]:
                    change = await world.wait_for_change(change, None)
            for token in ("one", "two"):
                await with_options(run_id=f"wrun_{token}").start(flows.asks, token)
                while await world.get_hook(token) is None:
                    change = await world.wait_for_change(change, None)

    asyncio.run(fill())
    return folder


def inspect(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(main, ["inspect", *words, "--root", str(folder)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_run_tells_what_it_was_started_with(folder: Path) -> None:
    """Key, deadline, attributes, and when it begins."""
    lines = inspect(folder, "run", "wrun_all").splitlines()
    for line in (
        "key           order 7",
        "deadline      2099-12-31T00:00:00.000+00:00",
        "attribute     city = Köln",
        "attribute     customer = ada",
        "waiting       begins at 2099-01-01T00:00:00.000+00:00",
    ):
        assert line in lines, lines
    told = json.loads(inspect(folder, "run", "wrun_all", "--json"))
    assert told["idempotency_key"] == "order 7"
    assert told["deadline"] == "2099-12-31T00:00:00.000+00:00"
    assert told["attributes"] == {"customer": "ada", "city": "Köln"}


def test_a_run_without_any_of_it_says_nothing(folder: Path) -> None:
    """No empty lines; of a child, the parent, and not the attributes that say the same."""
    (line,) = inspect(folder, "runs", "--parent", "wrun_family").splitlines()[1:]
    told = inspect(folder, "run", line.split()[0])
    assert "parent        wrun_family" in told.splitlines()
    for word in ("key  ", "deadline  ", "attribute  "):
        assert word not in told


def listed(folder: Path, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(inspect(folder, "runs", "--json", *words))
    return found


def test_runs_are_found_by_attributes(folder: Path) -> None:
    """Of several attributes, a run has all."""
    assert [run["run_id"] for run in listed(folder, "--attribute", "city=Köln")] == ["wrun_all"]
    assert len(listed(folder, "--attribute", "customer=bob")) == 1
    both = ("--attribute", "customer=bob", "--attribute", "city=Köln")
    assert listed(folder, *both) == []


@pytest.mark.parametrize("parent", ["wrun_family", "wrun_by_a_step"])
def test_runs_are_found_by_their_parent(folder: Path, parent: str) -> None:
    """Whether its body or a step of it has started them."""
    (child,) = listed(folder, "--parent", parent)
    assert child["parent_run"] == parent
    assert str(child["workflow"]).endswith("//rest")


@pytest.mark.parametrize("given", ["customer", "=ada", ""])
def test_an_attribute_is_a_name_and_a_value(folder: Path, given: str) -> None:
    """Anything else is refused with the form to write."""
    words = ["inspect", "runs", "--root", str(folder), "--attribute", given]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "NAME=VALUE" in result.output


def test_hooks_of_one_run(folder: Path) -> None:
    """All open hooks are listed, or those of a run; a run that is not there is an error."""
    assert {hook["token"] for hook in json.loads(inspect(folder, "hooks", "--json"))} == {
        "one",
        "two",
    }
    (hook,) = json.loads(inspect(folder, "hooks", "--run", "wrun_two", "--json"))
    assert (hook["token"], hook["run_id"]) == ("two", "wrun_two")
    given = ["inspect", "hooks", "--run", "wrun_none", "--root", str(folder)]
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 2
    assert "no run 'wrun_none'" in result.output
