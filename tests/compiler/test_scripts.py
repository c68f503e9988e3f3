"""Scripts that start runs: no application, no client modules, only the build in the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.compiler.shop import SHOP, python

SCRIPT = """\
import asyncio
import sys
from dataclasses import dataclass

from workflow.api import get_run, get_world, start


@dataclass
class Order:
    id: str


async def place(order: Order) -> Order:
    "use workflow"
    return Order(order.id + "!")


async def main() -> None:
    if sys.argv[1:]:
        await get_world().open()
        order = await get_run(sys.argv[1]).result(timeout=60)
        print(order, type(order) is Order)
    else:
        print((await start(place, Order("a"))).run_id)


if __name__ == "__main__":
    asyncio.run(main())
"""
WORK = """
    import asyncio
    from workflow.engine import Application, Project
    from workflow.api import get_run, get_world
    async def main():
        application = Application(get_world(), Project.load("generated"))
        await application.start()
        await get_run({run!r}).result(timeout=60)
        await application.stop()
    asyncio.run(main())
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = write_project(tmp_path / "shop", {**SHOP, "desk.py": SCRIPT})
    assert wfc.build(root, cache=False).ok
    return root


def test_a_script_starts_a_run_with_a_model(shop: Path) -> None:
    """The user's own module is imported, and start() takes instances of the build's classes."""
    code = """
        import asyncio
        from workflow.api import start
        from shop.flows import place
        from shop.models import Order
        print(asyncio.run(start(place, Order("a"), times=2)).run_id)
    """
    assert python(code, shop).startswith("wrun_")


def test_a_script_may_hold_the_workflow_itself(shop: Path) -> None:
    """`python desk.py`: the functions and classes of `__main__` are those of the build, and what
    comes back is an instance of the class of the script."""
    code = (
        "import subprocess, sys\n"
        "print(subprocess.check_output([sys.executable, 'desk.py', *{given!r}], text=True), end='')"
    )
    run = python(code.format(given=[]), shop).strip()
    assert run.startswith("wrun_"), run
    python(WORK.format(run=run), shop)
    assert python(code.format(given=[run]), shop).strip() == "Order(id='a!') True"


def test_a_later_process_reads_the_result(shop: Path) -> None:
    """A script that has imported nothing gets a result whose class the build knows."""
    start = """
        import asyncio
        from workflow.api import start
        from desk import Order, place
        print(asyncio.run(start(place, Order("b"))).run_id)
    """
    run = python(start, shop).strip()
    python(WORK.format(run=run), shop)
    read = f"""
        import asyncio
        from workflow.api import get_run, get_world
        async def main():
            await get_world().open()
            print(await get_run({run!r}).result(timeout=60))
        asyncio.run(main())
    """
    assert python(read, shop).strip() == "Order(id='b!')"


def test_a_script_without_a_build_is_told_where_one_is_looked_for(shop: Path) -> None:
    """The error names the folder and the variable."""
    code = """
        import asyncio, os
        os.environ["WORKFLOW_GENERATED"] = "elsewhere"
        from workflow.api import start
        from desk import Order, place
        asyncio.run(start(place, Order("a")))
    """
    words = python(code, shop, ok=False)
    assert "place is not a workflow of a build" in words
    assert "WORKFLOW_GENERATED" in words


def test_a_script_that_starts_a_step_is_told_so(shop: Path) -> None:
    """A step is not a workflow that was forgotten to be marked."""
    code = """
        import asyncio
        from workflow.api import start
        from shop.flows import STEP
        asyncio.run(start(STEP))
    """
    step = next(
        e["qualname"]
        for e in wfc.build(shop).manifest["steps"].values()
        if e["module"] == "shop.flows" and e["qualname"].isidentifier()
    )
    words = python(code.replace("STEP", step), shop, ok=False)
    assert f"{step} is a step; start() takes a workflow" in words


@pytest.mark.parametrize(
    ("name", "build", "words"),
    [
        ("workflow//other.py//any", "generated", "started any"),
        ("first", "generated", "started first"),
        ("place", "generated", "'place' is ambiguous; give the full id"),
        ("frist", "generated", "Did you mean first?"),
        ("first", "elsewhere", "start() takes the whole id"),
    ],
)
def test_a_script_may_name_a_workflow(name: str, build: str, words: str, shop: Path) -> None:
    """A name that the build has stands for its id. Any other text would be a run that nobody ever
    works on, so there is none."""
    code = f"""
        import asyncio
        from workflow.api import start
        from workflow.errors import WorkflowNotRegisteredError
        async def main():
            try:
                run = await start({name!r}, items=[])
                print("started", await run.workflow_name)
            except WorkflowNotRegisteredError as error:
                print(error)
        asyncio.run(main())
    """
    assert words in python(code, shop, environment={"WORKFLOW_GENERATED": build})
