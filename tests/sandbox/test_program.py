"""Executing a bundle: fresh globals, imports between its modules, tracebacks."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.snippets import VirtualRun
from workflow.errors import BundleError, SandboxError, WorkflowNotRegisteredError
from workflow.sandbox import Bundle, ModuleSource, Program

FLOW = "workflow//shop/flows.py//buy"


def program_of(root: Path | None = None, **sources: str) -> Program:
    """A program of modules; the workflow is `buy` of `shop.flows`."""
    modules = []
    for key, source in sources.items():
        name = key.replace("__", ".")
        path = f"{name.replace('.', '/')}.py" if name != "shop" else "shop/__init__.py"
        modules.append(ModuleSource(name, path, source))
    classes = {}
    if "shop__models" in sources:
        classes["class//shop/models.py//Order"] = ("shop.models", "Order")
    workflows = {FLOW: ("shop.flows", "buy")}
    return Program(Bundle(tuple(modules), workflows, classes), root=root)


def buy(program: Program, *args: Any) -> Any:
    """Run the workflow to its end."""
    return VirtualRun().drive(program.entry(FLOW)(*args))


def test_module_globals_are_fresh() -> None:
    """What one run leaves in the globals of a module is not seen by the next."""
    program = program_of(
        shop__flows="seen = []\nasync def buy(x):\n    seen.append(x)\n    return list(seen)\n"
    )
    assert [buy(program, 1), buy(program, 2)] == [[1], [2]]


@pytest.mark.parametrize(
    "imports",
    [
        "from shop.models import Order\n",
        "from .models import Order\n",
        "from . import models\nOrder = models.Order\n",
        "import shop.models\nOrder = shop.models.Order\n",
        "import shop.models as m\nOrder = m.Order\n",
        "from shop import models\nOrder = models.Order\n",
    ],
)
def test_modules_import_each_other(imports: str) -> None:
    """Bundled modules are found absolutely and relatively, without their packages being bundled."""
    program = program_of(
        shop__flows=imports + "async def buy():\n    return Order(3).n\n",
        shop__models="class Order:\n    def __init__(self, n): self.n = n\n",
    )
    assert buy(program) == 3


def test_packages_import_relatively() -> None:
    """A relative import in an __init__.py starts from the package itself."""
    program = program_of(
        shop="from .models import Order\n",
        shop__flows="from shop import Order\nasync def buy():\n    return Order.n\n",
        shop__models="class Order:\n    n = 4\n",
    )
    assert buy(program) == 4


def test_circular_imports_work_as_in_python() -> None:
    """Two modules may import each other when they use the names later."""
    program = program_of(
        shop__flows="import shop.models\nN = 5\nasync def buy():\n    return shop.models.get()\n",
        shop__models="import shop.flows\ndef get(): return shop.flows.N\n",
    )
    assert buy(program) == 5


def test_other_modules_are_read_only() -> None:
    """A module of the bundle cannot be written to from another, nor read for its guards."""
    models = "n = 1\n"
    for body in ("models.n = 2", "setattr(models, 'n', 2)", "getattr(models, '$read')"):
        program = program_of(
            shop__flows=f"from shop import models\nasync def buy():\n    {body}\n",
            shop__models=models + "class Order: ...\n",
        )
        with pytest.raises(SandboxError):
            buy(program)


def test_private_names_of_other_modules_can_be_read() -> None:
    """One leading underscore is a matter of the project itself."""
    program = program_of(
        shop__flows="from shop import models\nasync def buy():\n    return models._get()\n",
        shop__models="def _get(): return 6\n",
    )
    assert buy(program) == 6


def test_unknown_imports_come_with_advice() -> None:
    """A module that is neither bundled nor a facade says what to do."""
    program = program_of(shop__flows="import numpy\nasync def buy(): ...\n")
    with pytest.raises(ImportError, match="into a step, or list it under `passthrough`"):
        buy(program)
    program = program_of(
        shop__flows="from .models import Gone\nasync def buy(): ...\n",
        shop__models="class Order: ...\n",
    )
    with pytest.raises(ImportError, match="the bundle has no such name"):
        buy(program)


def test_classes_belong_to_the_instance() -> None:
    """The classes of an instance are those its functions use. Another instance has its own of
    those that hold state."""
    program = program_of(
        shop__flows="from .models import Order\nasync def buy(x):\n    return type(x) is Order\n",
        shop__models="class Order:\n    seen = []\n    def __init__(self): self._n = 1\n",
    )
    instance, other = program.instantiate(), program.instantiate()
    order = instance.classes["class//shop/models.py//Order"]
    assert order.__module__ == "shop.models"
    assert VirtualRun().drive(instance.workflow(FLOW)(order())) is True
    assert other.classes["class//shop/models.py//Order"] is not order
    assert program.classes().keys() == {"class//shop/models.py//Order"}


def test_unknown_workflow_is_named() -> None:
    """Asking for a workflow the bundle does not have lists those it has."""
    program = program_of(shop__flows="async def buy(): ...\n")
    with pytest.raises(WorkflowNotRegisteredError, match=r"it has: workflow//shop/flows.py//buy"):
        program.entry("workflow//gone.py//f")


def test_invalid_code_is_a_bundle_error() -> None:
    """A bundle whose text breaks the policy is refused as a whole, with the place."""
    with pytest.raises(BundleError, match=r"shop/flows.py.*:1:5 "):
        program_of(shop__flows="x = f.__globals__\n")
    with pytest.raises(BundleError, match="defines no buy"):
        program_of(shop__flows="x = 1\n").entry(FLOW)


USER = '''"""Doc."""
import os

@step
async def charge(n):
    "use step"
    return os.environ

async def buy(n):
    "use workflow"
    return await charge(1 / n)
'''
COMPILED = '''"""Doc."""



async def charge(n):
    return await _wfc_step("step//shop/flows.py//charge", {"n": n})


async def buy(n):
    "use workflow"
    return await charge(1 / n)
async def _wfc_step(name, arguments): return name
'''


def last_frame(program: Program) -> traceback.FrameSummary:
    """The innermost frame of the error of the workflow."""
    with pytest.raises(ZeroDivisionError) as caught:
        buy(program, 0)
    return traceback.extract_tb(caught.value.__traceback__)[-1]


def test_a_traceback_shows_the_users_file(tmp_path: Path) -> None:
    """An error in a workflow body points to the user's own file, line and text."""
    file = tmp_path / "shop" / "flows.py"
    file.parent.mkdir()
    file.write_text(USER)
    frame = last_frame(program_of(tmp_path, shop__flows=_without_appended(COMPILED)))
    where = (frame.filename, frame.lineno, frame.name, frame.line)
    assert where == (str(file), 11, "buy", "return await charge(1 / n)")


@pytest.mark.parametrize(
    ("head", "encoding", "bom"),
    [
        ("# a\x0cb \x0b \x1c\x0c\n", "utf-8", b""),
        ("# \u2028 \x85\n", "utf-8", b""),
        ("# é\n", "utf-8", b"\xef\xbb\xbf"),
        ("# -*- coding: latin-1 -*-\n", "latin-1", b""),
    ],
)
def test_lines_and_encodings_are_those_of_python(
    tmp_path: Path, head: str, encoding: str, bom: bytes
) -> None:
    """Form feeds and other separators end no line, and the file says how it is encoded."""
    file = tmp_path / "shop" / "flows.py"
    file.parent.mkdir()
    text = head + "async def buy(n):\n    return 1 / n  # é\n"
    file.write_bytes(bom + text.encode(encoding))
    frame = last_frame(program_of(tmp_path, shop__flows=text))
    assert (frame.filename, frame.lineno) == (str(file), 3)
    frame = last_frame(program_of(None, shop__flows=text))
    assert (frame.lineno, frame.line) == (3, "return 1 / n  # é")


def _without_appended(text: str) -> str:
    return text.replace("async def _wfc_step(name, arguments): return name\n", "")


@pytest.mark.parametrize("changed", [True, False])
def test_a_traceback_shows_the_bundles_text(tmp_path: Path, changed: bool) -> None:
    """When the user's file has changed or is not there, the text comes from the bundle."""
    if changed:
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "flows.py").write_text("# new line\n" + USER)
    frame = last_frame(program_of(tmp_path, shop__flows=COMPILED))
    assert frame.filename.startswith("shop/flows.py@")
    assert (frame.lineno, frame.line) == (11, "return await charge(1 / n)")


def test_bodies_are_coroutines() -> None:
    """The entry is the workflow's own coroutine function."""
    entry = program_of(shop__flows="async def buy():\n    'use workflow'\n").entry(FLOW)
    assert asyncio.iscoroutinefunction(entry)
    assert entry.__module__ == "shop.flows"
