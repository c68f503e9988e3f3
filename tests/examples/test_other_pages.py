"""Blocks of code that stand alone on their pages: README.md, builders.md, client.md, values.md."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import wfc
from tests import forks
from tests.compiler.projects import write_project
from tests.compiler.shop import SHOP
from tests.examples.building import scene
from tests.examples.pages import DOCS, built
from tests.examples.test_readme import quick_start
from workflow.api import start
from workflow.engine import Project


def python_of(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.S | re.M)


def python(script: str, folder: Path) -> str:
    """What a script prints that is run in `folder`."""
    environment = {"PYTHONPATH": str(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-c", script]
    done = forks.run(command, cwd=folder, env={**os.environ, **environment}, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- README.md ------------------------------------------------------------------------------------


def test_the_first_sample_of_the_readme_is_built(tmp_path: Path) -> None:
    """What a newcomer sees first is a workflow with three steps, without findings."""
    assert len(python_of(DOCS.parent / "README.md")) == 5
    (tmp_path / "flows.py").write_text(python_of(DOCS.parent / "README.md")[0])
    result = wfc.build(tmp_path)
    assert [str(d) for d in result.diagnostics] == []
    assert len(result.manifest["steps"]) == 3


def test_the_tests_of_the_readme_pass(tmp_path: Path) -> None:
    """The test file of the page, beside the quick start, under pytest."""
    files, _ = quick_start()
    (tmp_path / "flows.py").write_text(files["flows.py"])
    (tmp_path / "test_flows.py").write_text(python_of(DOCS.parent / "README.md")[3])
    script = "import pytest, sys; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider']))"
    assert "2 passed" in python(script, tmp_path)


# -- docs/builders.md -----------------------------------------------------------------------------


def test_one_build_from_code(tmp_path: Path) -> None:
    """The first block of builders.md prints the workflows of a project."""
    write_project(tmp_path / "project", SHOP)
    printed = python(python_of(DOCS / "builders.md")[0].replace("path/to/", ""), tmp_path)
    assert "workflow//shop/flows.py//place" in printed


def test_the_builder_of_the_page_writes_its_routes(tmp_path: Path) -> None:
    """The second block of builders.md: its files are there, and tests are left out."""
    flow = 'async def {}() -> None:\n    "use workflow"\n'
    write_project(
        tmp_path,
        {"workflows/a.py": flow.format("a"), "workflows/b_test.py": flow.format("b")},
    )
    names: dict[str, Any] = {
        "wfc": wfc, "json": json, "Path": Path, "Sequence": Sequence, "Mapping": Mapping,
    }  # fmt: skip
    assert len(python_of(DOCS / "builders.md")) == 2
    exec(compile(python_of(DOCS / "builders.md")[1], "builders.md", "exec"), names)
    assert names["MyBuilder"](tmp_path, dev=False).build().ok
    routes = json.loads((tmp_path / "generated" / "routes.json").read_text())
    assert routes == {"/start/a": "workflow//workflows/a.py//a"}


# -- docs/client.md -------------------------------------------------------------------------------

FLOWS = """
from shop.models import Order


async def place(order: Order) -> int:
    "use workflow"
    return order.cents
"""
MODELS = """
from dataclasses import dataclass


@dataclass
class Order:
    id: str
    cents: int
"""


def test_the_samples_of_the_client_page(tmp_path: Path) -> None:
    """A client module starts a run, and the hook gives it the original name."""
    first, second, third = python_of(DOCS / "client.md")
    files = {"shop/__init__.py": "", "shop/flows.py": FLOWS, "shop/models.py": MODELS}
    write_project(tmp_path, files)
    assert wfc.build(tmp_path).ok

    script = second + "print(place.__module__, place.workflow_id)\n"
    hooked = python(script, tmp_path).split()
    assert hooked[1] == "workflow//shop/flows.py//place"
    assert python("from workflow import client\n" + third, tmp_path) == "('shop.flows',)\n"

    code = compile(first, "client.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {}

    async def main() -> None:
        async with scene(Project.load(tmp_path / "generated")):
            await eval(code, names)

    before = set(sys.modules)
    sys.path.insert(0, str(tmp_path))
    try:
        asyncio.run(main())
    finally:
        sys.path.remove(str(tmp_path))
        for name in set(sys.modules) - before:
            if name.split(".")[0] in ("shop", "generated"):
                del sys.modules[name]
    assert names["receipt"] == 500


# -- docs/values.md -------------------------------------------------------------------------------

WALLET = """
from money import Money


async def double(money: Money) -> Money:
    "use workflow"
    return Money(money.amount * 2, money.currency)
"""


def test_the_samples_of_the_page_about_values(tmp_path: Path) -> None:
    """JSON becomes the model that the annotation names; an own class says how it is recorded."""
    with built(DOCS / "values.md", tmp_path, {"wallet.py": WALLET}) as project:

        async def main() -> None:
            async with scene(project):
                ship, money = import_module("shipping").ship, import_module("money").Money
                run: Any = await start(ship, {"id": "7"})
                assert await run.result(60) == 1
                run = await start(import_module("wallet").double, money(5, "EUR"))
                doubled = await run.result(60)
                assert (type(doubled), doubled.amount, doubled.currency) == (money, 10, "EUR")

        asyncio.run(main())


# -- docs/findings.md -----------------------------------------------------------------------------


def test_the_ignore_of_the_page_about_findings_works(tmp_path: Path) -> None:
    """Its line has a finding, which the comment silences."""
    (line,) = python_of(DOCS / "findings.md")
    flow = (
        "from datetime import datetime\n\n\nasync def flow(moment: datetime) -> str:\n"
        '    "use workflow"\n    {}\n    return day\n'
    )
    for text, found in ((line.strip(), []), (line.partition("  #")[0], ["WF106"])):
        (tmp_path / "flows.py").write_text(flow.format(text))
        assert [d.code for d in wfc.build(tmp_path).diagnostics] == found
