"""Several modules of one bundle: what each can do to, and learn from, another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.sandbox.snippets import VirtualRun, bundle_of
from workflow.errors import BundleError, SandboxError
from workflow.sandbox import Program
from workflow.sandbox.bundle import Bundle, ModuleSource
from workflow.sandbox.importer import Importer


def run_modules(**sources: str) -> Any:
    """Execute `main()` of the module `flows` inside a run, next to the other modules."""

    async def body() -> Any:
        program = Program(bundle_of(**sources))
        value = program.instantiate()._importer.namespace("flows")["main"]()
        return await value if asyncio.iscoroutine(value) else value

    return VirtualRun().drive(body())


HELPERS = """
import enum, json, random, time
text = str
count = 0
_kept = "private"
class Kind(enum.Enum):
    A = "a"
def bump():
    global count
    count += 1
    return count
def apply(f, value): return f(value)
def now(): return time.time()
"""

REFUSED = {
    "a store": "helpers.count = 5",
    "a store by name": "setattr(helpers, 'count', 5)",
    "a delete": "del helpers.count",
    "the guards": "return getattr(helpers, '$read')",
    "the builtins": "return getattr(helpers, '__builtins__')",
    "the builtins of a text": "return '{0.__builtins__}'.format(helpers)",
    "a private name of a library of the other": "return helpers.random._inst",
    "the class of modules": "class Mine(type(helpers)): pass",
    "a copy": "import copy; return copy.copy(helpers)",
    "a deep copy in a list": "import copy; return copy.deepcopy([helpers])",
    "the host module below": "from helpers import sys",
    "a relative import beyond the top": "from .. import helpers as other",
    "a module of the runtime": "import workflow.sandbox.guards",
    "a module of the loop": "from workflow.replay import loop",
    "a submodule that is not there": "import helpers.inner",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED.keys())
def test_another_module_gives_out_its_names_only(statement: str) -> None:
    """What is behind another module, and what it has imported, cannot be written or reached."""
    source = f"import helpers\ndef main():\n    {statement}\n"
    with pytest.raises((SandboxError, ImportError, AttributeError, TypeError)):
        run_modules(flows=source, helpers=HELPERS)


@pytest.mark.parametrize(
    "statement",
    [
        "import __main__",
        "from helpers import *",
        "x = helpers.__file__",
        "x = helpers.__package__",
        "x = helpers.__loader__",
    ],
)
def test_special_names_of_modules_are_refused_by_the_build(statement: str) -> None:
    """Names that Python keeps in a module are no part of it."""
    with pytest.raises(BundleError, match="not valid workflow code"):
        run_modules(flows=f"import helpers\n{statement}\ndef main(): pass\n", helpers=HELPERS)


def test_modules_share_state_through_functions() -> None:
    """A module sees what the functions of another have changed, and one class is one class."""
    source = """
import helpers
from helpers import Kind, bump, _kept
def main():
    return [bump(), helpers.bump(), helpers.count, helpers.Kind.A is Kind("a"), _kept,
        helpers.now(), __name__]
"""
    found = run_modules(flows=source, helpers=HELPERS)
    assert found == [1, 2, 2, True, "private", 1_700_000_000.0, "flows"]


def test_str_from_another_module_shows_no_address() -> None:
    """`str` that is imported under another name, or handed to a helper, is called as `str` is."""
    source = """
import helpers
from helpers import apply, text as to_text
def step(): pass
def main():
    return [to_text(step), apply(str, step), helpers.apply(str, step), apply(to_text, step)]
"""
    assert run_modules(flows=source, helpers=HELPERS) == ["<function step>"] * 4


def test_a_module_named_like_a_library_is_the_projects_own() -> None:
    """A module of the bundle comes before a library, for itself and for the others."""
    source = "import random\nfrom json import dumps\ndef main(): return [random.random, dumps]\n"
    assert run_modules(flows=source, random="random = 4\n", json="dumps = 'mine'\n") == [4, "mine"]


def modules_of(*modules: tuple[str, str, str]) -> Importer:
    """What imports the modules of a bundle, which are given as name, path and text."""
    bundle = Bundle(tuple(ModuleSource(*module) for module in modules))
    return Importer(Program(bundle)._modules, ())


def test_a_package_is_executed_before_its_modules() -> None:
    """As in Python: its `__init__` may import the very module that is asked for, and others."""
    importer = modules_of(
        ("shop", "shop/__init__.py", "from .flows import first\nfrom .other import second\n"),
        ("shop.flows", "shop/flows.py", "from shop.other import second\nfirst = 1\n"),
        ("shop.other", "shop/other.py", "second = 2\n"),
    )
    assert importer.namespace("shop.flows")["first"] == 1
    assert importer.namespace("shop")["second"] == 2


def test_a_module_of_a_package_is_there_without_an_import() -> None:
    """In Python somebody has imported it by then; the bundle leaves imports out that only steps
    need."""
    importer = modules_of(
        ("flows", "flows.py", "import shop\ndef main(): return shop.money.cents\n"),
        ("shop", "shop/__init__.py", ""),
        ("shop.money", "shop/money.py", "cents = 5\n"),
    )
    assert importer.namespace("flows")["main"]() == 5


TOOLS = """
show = str
tools = {"s": str}
class T:
    show = str
t = T()
"""


@pytest.mark.parametrize(
    ("imports", "call"),
    [
        ("import models", "models.show(f)"),
        ("import models", "models.T.show(f)"),
        ("import models", "models.t.show(f)"),
        ("import models", "models.tools['s'](f)"),
        ("import models", "next(map(models.show, [f]))"),
        ("import models as m", "m.t.show(f)"),
        ("from models import show", "show(f)"),
        ("from models import show as other", "other(f)"),
        ("from models import T", "T.show(f)"),
        ("from models import t", "t.show(f)"),
    ],
)
def test_the_texts_of_another_module_show_no_address(imports: str, call: str) -> None:
    """`str` under a name that another module of the bundle gives it."""
    source = f"{imports}\ndef f(): pass\nasync def main():\n    return {call}\n"
    assert run_modules(flows=source, models=TOOLS) == "<function f>"
