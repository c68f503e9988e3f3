"""The good examples of the rules run: what a page tells users to write has to work."""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.project import ended
from wfc.analyse.checks import rules
from workflow.api import start
from workflow.engine import Application, Project
from workflow.testing.clock import VirtualClock
from workflow.worlds import memory

NOT_RUN = {
    "network": "WF302 WF303 WF312",
    "files and programs of the machine": "WF301 WF304 WF305 WF307 WF310 WF409 WF902 WF914",
    "a module that is not there": "WF009 WF209 WF702",
    "an answer from outside": "WF306 WF514 WF516",
    "an error that it is about": "WF809",
    "days of sleep": "WF104 WF107 WF504 WF509 WF510 WF714",
}
ARGUMENTS: dict[str, list[Any]] = {
    "WF105": [],
    "WF206": [[]],
    "WF603": [{"tea": 2}],
    "WF608": ["basic"],
    "WF610": [Decimal(2), 3],
    "WF701": [b'{"price": 3}'],
    "WF704": ["tax", 3],
    "WF707": [b'{"price": 3}'],
    "WF801": ["1 + 2"],
    "WF805": [{"greeting": "hello"}],
    "WF901": [[1, 2]],
    "WF907": [[1.0, 2.5]],
}
BY_TYPE: dict[str, Any] = {"int": 3, "str": "a", "list[str]": ["a", "b"], "list[int]": [1, 2]}
EXAMPLES = [code for code in rules() if code not in " ".join(NOT_RUN.values()).split()]


@pytest.fixture(autouse=True)
def no_modules_stay() -> Iterator[None]:
    """Examples have the same file names: each is imported anew."""
    modules, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.mark.parametrize("code", EXAMPLES)
def test_good_example_runs(code: str, tmp_path: Path) -> None:
    """Each workflow of the example is run to its end, and gives a result."""
    good = rules()[code].good
    root = write_project(tmp_path, good)
    result = wfc.build(root, cache=False)
    assert result.ok
    project = Project.load(root / "generated")

    async def play() -> None:
        world = memory.create(VirtualClock(1_700_000_000_000_000))
        async with Application(world, project) as application:
            for workflow, entry in result.manifest["workflows"].items():
                text = good if isinstance(good, str) else good[workflow.split("//")[1]]
                arguments = ARGUMENTS.get(code, list(_arguments(text, entry["qualname"])))
                run = await start(workflow, *arguments)
                await ended(application, run.run_id)
                await run.result()

    asyncio.run(play())


def _arguments(text: str, qualname: str) -> Iterator[Any]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.AsyncFunctionDef) and node.name == qualname.rpartition(".")[2]:
            for argument in node.args.args[: len(node.args.args) - len(node.args.defaults)]:
                if argument.annotation is not None:
                    yield BY_TYPE.get(ast.unparse(argument.annotation))
