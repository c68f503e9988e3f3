"""Modules that workflow code reaches through other modules, and what is loaded with them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import wfc
from tests.compiler.projects import write_project
from workflow.api import start
from workflow.engine import Application, Project
from workflow.worlds import memory

FLOW = 'async def flow():\n    "use workflow"\n    return {}\n'
REGISTRY = """\
HANDLERS = {}


def handles(name):
    def keep(function):
        HANDLERS[name] = function
        return function

    return keep
"""
HANDLERS = """\
from {registry} import handles


@handles("mail")
def mail():
    return "mailed"
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Leaves no module of a project behind."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0].startswith("ioi_"):
            del sys.modules[name]


def result_of(root: Path, files: Mapping[str, str]) -> Any:
    """What the one workflow of a project without findings returns."""
    built = wfc.build(write_project(root, files), cache=False)
    assert built.diagnostics == ()
    (workflow_id,) = built.manifest["workflows"]

    async def main() -> Any:
        async with Application(memory.create(), Project.load(root / "generated")):
            run: Any = await start(workflow_id)
            return await run.return_value

    return asyncio.run(main())


def findings(root: Path, files: Mapping[str, str]) -> list[tuple[str, str, int]]:
    found = wfc.build(write_project(root, files), write=False, cache=False).diagnostics
    return [(d.code, d.path, d.span.line) for d in found]


CHAINS = {
    "ioi_shop.ioi_tools.ioi_inner.go()": {
        "ioi_shop.py": "import ioi_tools\n",
        "ioi_tools.py": "import ioi_inner\n",
        "ioi_inner.py": "def go(): return [1]\n",
    },
    "[ioi_shop.tools.go(), ioi_shop.tools.Box.size]": {
        "ioi_shop.py": "from ioi_lib import tools\n",
        "ioi_lib/__init__.py": "",
        "ioi_lib/tools.py": "def go(): return help()\ndef help(): return 1\nclass Box: size = 2\n",
    },
    "await ioi_shop.steps.double(2)": {
        "ioi_shop.py": "import ioi_steps as steps\n",
        "ioi_steps.py": 'async def double(n):\n    "use step"\n    return 2 * n\n',
    },
    "ioi_shop.ioi_tools.ioi_shop.ioi_tools.go()": {
        "ioi_shop.py": "import ioi_tools\n",
        "ioi_tools.py": "import ioi_shop\ndef go(): return 1\n",
    },
    "(lambda tools: tools.go())(ioi_shop.ioi_tools)": {
        "ioi_shop.py": "import ioi_tools\n",
        "ioi_tools.py": "import ioi_inner\ndef go(): return ioi_inner.x\n",
        "ioi_inner.py": "x = 1\n",
    },
}


@pytest.mark.parametrize("expression", CHAINS)
def test_a_module_in_a_module_in_a_module(expression: str, tmp_path: Path) -> None:
    """Modules that a module imports can be reached as its attributes, step by step."""
    files = {"ioi_flows.py": f"import ioi_shop\n{FLOW.format(expression)}", **CHAINS[expression]}
    assert result_of(tmp_path, files)


def test_what_is_reached_through_a_module_is_checked(tmp_path: Path) -> None:
    """Members that no workflow may use are found behind a module that imports theirs."""
    files = {
        "ioi_flows.py": (
            "import ioi_shop\n"
            + FLOW.format("ioi_shop.json.dumps(1)")
            + "async def other():\n"
            + '    "use workflow"\n'
            + "    ioi_shop.time.sleep(1)\n"
            + "    ioi_shop.tools.nothing()\n"
        ),
        "ioi_shop.py": "import json, time\nimport ioi_tools as tools\n",
        "ioi_tools.py": "import os\n",
    }
    assert findings(tmp_path, files) == [
        ("WF104", "ioi_flows.py", 7),
        ("WF711", "ioi_flows.py", 8),
    ]


WAYS = {
    "import": ("import ioi_handlers\nfrom ioi_registry import HANDLERS\n", {}),
    "import of an unused name": (
        "from ioi_handlers import mail\nfrom ioi_registry import HANDLERS\n",
        {},
    ),
    "package": (
        "from ioi_lib.ioi_registry import HANDLERS\n",
        {"ioi_lib/__init__.py": "from . import ioi_handlers\n"},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_registry_is_filled_by_modules_that_are_only_loaded(way: str, tmp_path: Path) -> None:
    """A module without a directive of which no name is used still registers its functions."""
    imports, more = WAYS[way]
    folder = "ioi_lib/" if more else ""
    registry = ".ioi_registry" if more else "ioi_registry"
    files = {
        "ioi_flows.py": imports + FLOW.format('[sorted(HANDLERS), HANDLERS["mail"]()]'),
        f"{folder}ioi_registry.py": REGISTRY,
        f"{folder}ioi_handlers.py": HANDLERS.format(registry=registry),
        **more,
    }
    assert result_of(tmp_path, files) == [["mail"], "mailed"]


def test_a_registry_is_filled_by_a_module_that_a_body_imports(tmp_path: Path) -> None:
    """`import handlers` in a function loads the module, also where nothing of it is used."""
    files = {
        "ioi_flows.py": (
            'async def flow():\n    "use workflow"\n    import ioi_handlers, ioi_empty\n'
            "    from ioi_registry import HANDLERS\n    return sorted(HANDLERS)\n"
        ),
        "ioi_registry.py": REGISTRY,
        "ioi_handlers.py": HANDLERS.format(registry="ioi_registry"),
        "ioi_empty.py": "",
    }
    assert result_of(tmp_path, files) == ["mail"]


def test_a_name_of_another_module_stays_what_that_module_says(tmp_path: Path) -> None:
    """A line that sets a name of another module is told: modules cannot be changed from outside."""
    files = {
        "ioi_flows.py": "import ioi_lib.rates\nimport ioi_more\nioi_lib.rates.EUR = 2\n"
        + FLOW.format("ioi_lib.rates.total()"),
        "ioi_lib/rates.py": "EUR = 1\nUSD = 3\ndef total(): return EUR\n",
        "ioi_more.py": "from ioi_lib import rates\nrates.EUR = 4\nrates.USD = 5\n",
    }
    assert findings(tmp_path, files) == [("WF608", "ioi_flows.py", 3), ("WF608", "ioi_more.py", 2)]


def test_what_a_module_that_is_only_loaded_cannot_register(tmp_path: Path) -> None:
    """What no workflow may use is told where it is registered, and the rest is there."""
    handlers = HANDLERS.format(registry="ioi_registry")
    files = {
        "ioi_flows.py": "import ioi_handlers\nfrom ioi_registry import HANDLERS\n"
        + FLOW.format("sorted(HANDLERS)"),
        "ioi_registry.py": REGISTRY,
        "ioi_handlers.py": f'import sqlite3\n{handlers}\n\n@handles("db")\n'
        "def db():\n    return sqlite3.connect('x')\n",
    }
    assert findings(tmp_path, files) == [("WF608", "ioi_handlers.py", 10)]


def test_modules_that_change_nothing_are_left_alone(tmp_path: Path) -> None:
    """What is imported for steps may be anything, also a file that Python cannot read."""
    files = {
        "ioi_flows.py": "import ioi_broken, ioi_other\nfrom ioi_registry import HANDLERS\n"
        + FLOW.format("sorted(HANDLERS)"),
        "ioi_registry.py": REGISTRY,
        "ioi_broken.py": "def (\n",
        "ioi_other.py": "import sqlite3\nOTHER = {}\nOTHER['x'] = sqlite3.connect('x')\n",
    }
    assert findings(tmp_path, files) == []


def test_decimals_of_the_process_are_not_those_of_a_workflow(tmp_path: Path) -> None:
    """A line that sets precision for the process is told, where decimals are computed with."""
    top = "import decimal\nfrom decimal import getcontext as context\n"
    top += "context().rounding = decimal.ROUND_HALF_UP\ndecimal.DefaultContext.prec = 9\n"
    used = {"ioi_flows.py": top + FLOW.format('str(decimal.Decimal("2.5"))')}
    assert findings(tmp_path / "used", used) == [
        ("WF608", "ioi_flows.py", 3),
        ("WF608", "ioi_flows.py", 4),
    ]
    unused = {"ioi_flows.py": top + FLOW.format("1")}
    assert findings(tmp_path / "unused", unused) == []


def test_a_module_says_what_version_it_is(tmp_path: Path) -> None:
    """`__version__` can be read, imported and set at the top of a module."""
    files = {
        "ioi_flows.py": "import ioi_about\nfrom ioi_about import __version__\n"
        + FLOW.format("[__version__, ioi_about.__version__]"),
        "ioi_about.py": '__version__ = "1.2"\n',
    }
    assert result_of(tmp_path, files) == ["1.2", "1.2"]
