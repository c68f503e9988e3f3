"""Client mode: workflows are started by typed modules that hold no step code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.compiler.shop import ROOT, SHOP, python


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = write_project(tmp_path / "shop", SHOP)
    assert wfc.build(root, cache=False).ok
    return root


# -- the modules ----------------------------------------------------------------------------------


def test_client_module_loads_no_step_code(shop: Path) -> None:
    """Importing a client module loads neither the steps nor what only they or workflows need."""
    code = """
        import sys
        from generated.client.shop.flows import Billing, Cart, place
        assert not {"shop.steps", "shop.flows", "shop.heavy"} & set(sys.modules)
        import inspect
        print(place.workflow_id, Billing.settle.workflow_id)
        print(inspect.signature(place))
        print(place.__doc__, Billing.settle.__doc__)
        from shop.models import Order
        print(Cart([Order("a", 3), Order("b")]).total())
    """
    assert python(code, shop).splitlines() == [
        "workflow//shop/flows.py//place workflow//shop/flows.py//Billing.settle",
        "(order: 'Bought', *, times: 'int' = 1, cap: 'int' = Ellipsis) -> 'Receipt'",
        "Sell one order. Charge the amount with the tip.",
        "8",
    ]


def test_direct_call_says_what_to_write_instead(shop: Path) -> None:
    """Calling a workflow raises at once, awaited or not, and names start() with the function."""
    code = """
        from generated.client.shop.flows import Billing, place
        from workflow.errors import DirectCallError
        for function in (place, Billing.settle):
            try:
                function(1)
            except DirectCallError as error:
                print(error)
    """
    lines = python(code, shop).splitlines()
    assert len(lines) == 2
    assert "`await start(place, ...)` from workflow.api" in lines[0]
    assert "`await start(Billing.settle, ...)` from workflow.api" in lines[1]


USES = """\
from typing import assert_type

from generated.client.shop.flows import Billing, Cart, Mode, first, place, sell
from shop.models import Order, Receipt
from workflow.api import Run, get_run, start, with_options


async def right() -> None:
    run = await start(place, Order("a"), times=2)
    assert_type(run, Run[Receipt])
    assert_type((await run.return_value).paid, int)
    assert_type(await start(sell, Cart([Order("a")]), [{"text": "hi"}]), Run[Cart])
    assert_type(await start(Billing.settle, 5, tip=1), Run[str])
    assert_type(get_run("wrun_1", sell), Run[Cart])
    await with_options(idempotency_key="k").start(sell, Cart(mode=Mode.SLOW))
    assert_type(await start(first, [1]), Run[int])
"""

WRONG = {
    "type of an argument": "await start(place, 'a')",
    "missing argument": "await start(place)",
    "argument too many": "await start(place, Order('a'), 3)",
    "name of an argument": "await start(place, Order('a'), time=3)",
    "field of a class of the same file": "await start(sell, Cart(order=[]))",
    "typed dict": "await start(sell, Cart(), [{'txt': 'hi'}])",
    "static method": "await start(Billing.settle, '5')",
    "use of the result": "(await (await start(place, Order('a'))).return_value).nothing",
    "field of the result": "(await (await start(sell, Cart())).return_value).mode.nothing",
    "direct call": "len(await place(Order('a')))",
}


def test_type_checkers_check_starts_against_the_stubs(shop: Path) -> None:
    """mypy --strict and pyright strict accept right starts and find each wrong one."""
    (shop / "right.py").write_text(USES, "utf-8")
    wrong = "".join(f"    {line}  # {what}\n" for what, line in WRONG.items())
    head = USES.partition("    run =")[0].replace("right()", "wrong()")
    (shop / "wrong.py").write_text(head + wrong, "utf-8")
    first = head.count("\n") + 1
    expected = set(range(first, first + len(WRONG)))

    # Strict by the project's settings, with which its cache has most of what is imported.
    given = (
        "--config-file",
        str(ROOT / "pyproject.toml"),
        "--cache-dir",
        str(ROOT / ".mypy_cache"),
    )
    mypy = [sys.executable, "-m", "mypy", *given, "--no-color-output"]
    environment = {**os.environ, "MYPYPATH": str(ROOT / "runtime")}
    done = subprocess.run(
        [*mypy, "right.py", "wrong.py"],
        cwd=shop,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert {int(e.split(":")[1]) for e in errors} == expected, done.stdout + done.stderr
    assert all(e.startswith("wrong.py:") for e in errors), done.stdout

    settings = {
        "typeCheckingMode": "strict",
        "include": ["right.py", "wrong.py", "generated/client"],
        "extraPaths": [str(ROOT / "runtime")],
        "reportUnusedExpression": False,
        "reportUnusedImport": False,
    }
    (shop / "pyrightconfig.json").write_text(json.dumps(settings))
    pyright = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(pyright, cwd=shop, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    places = {(Path(d["file"]).name, d["range"]["start"]["line"] + 1) for d in found}
    assert places == {("wrong.py", line) for line in expected}, done.stdout


FORMS = {
    "overloads": (
        "from typing import overload\n\n"
        "@overload\nasync def main(x: int) -> int: ...\n"
        "@overload\nasync def main(x: str) -> str: ...\n"
        'async def main(x: int | str) -> int | str:\n    "use workflow"\n    return x\n',
        ["@overload\nasync def main(x: int) -> int:", "async def main(x: str) -> str:"],
        ["int | str"],
    ),
    "relative imports": (
        "from .models import Order\nfrom . import models as m\n\n"
        'async def main(x: Order) -> m.Receipt:\n    "use workflow"\n    return m.Receipt()\n',
        ["from shop.models import Order", "from shop import models as m"],
        ["from ."],
    ),
    "aliases and TypedDict": (
        "import os\nfrom typing import Annotated, TypedDict\n\nMAX = 3\n"
        "Amount = Annotated[int, MAX]\n\nclass Line(TypedDict, total=False):\n    cents: Amount\n\n"
        'async def main(x: "list[Line]") -> None:\n    "use workflow"\n',
        ["MAX = 3", "Amount = Annotated[int, MAX]", "class Line(TypedDict, total=False):"],
        ["import os"],
    ),
    "statements on one line": (
        "import os; from .models import Order; import sys\n\n"
        'async def main(x: Order) -> None: "use workflow"; print(x)\n',
        ["from shop.models import Order\n", "async def main(x: Order) -> None:"],
        ["import os", "import sys", "print"],
    ),
    "workflow and step methods of a class that is data": (
        "from dataclasses import dataclass\nimport sqlite3\n\n"
        "@dataclass\nclass Cart:\n    cents: int\n\n"
        "    @staticmethod\n    async def pay(cart: 'Cart') -> int:\n"
        '        "use workflow"\n        return cart.cents\n\n'
        "    @staticmethod\n    async def save(cents: int) -> None:\n"
        '        "use step"\n        sqlite3.connect("x")\n',
        ["@dataclass\nclass Cart:\n    cents: int", "async def pay(cart: 'Cart') -> int:"],
        ["sqlite3"],
    ),
    "names that the text itself uses": (
        'async def workflow(step: int) -> int:\n    "use workflow"\n    return step\n\n'
        'async def start(workflow_id: str) -> str:\n    "use workflow"\n    return workflow_id\n',
        ["async def workflow(step: int) -> int:", "async def start(workflow_id: str) -> str:"],
        [],
    ),
    "a block that tries imports": (
        "try:\n    from .models import Order\nexcept ImportError:\n    Order = None\n\n"
        'async def main(x: "Order") -> None:\n    "use workflow"\n',
        ["try:\n    from shop.models import Order"],
        [],
    ),
}
FORM_MODELS = "class Order: ...\n\n\nclass Receipt: ...\n"


@pytest.mark.parametrize(
    ("source", "there", "absent"), [pytest.param(*form, id=name) for name, form in FORMS.items()]
)
def test_forms_of_signatures(
    source: str, there: list[str], absent: list[str], tmp_path: Path
) -> None:
    """The stubs hold what signatures need and nothing else, and both files can be imported."""
    files = {"shop/__init__.py": "", "shop/models.py": FORM_MODELS, "shop/flows.py": source}
    result = wfc.build(write_project(tmp_path, files), cache=False)
    assert result.ok, result.diagnostics
    stubs, module = (result.files[f"client/shop/flows.py{end}"] for end in ("i", ""))
    for text in there:
        assert text in stubs
    for text in absent:
        assert text not in stubs
        assert text not in module or text == "int | str"
    python("import generated.client.shop.flows as c; print(c)", tmp_path)


def test_package_and_modules_of_one_name(tmp_path: Path) -> None:
    """A workflow in a package's own file, and two files of one name, keep apart."""
    flow = 'async def main() -> int:\n    "use workflow"\n    return 1\n'
    files = {"a/__init__.py": flow, "a/flows.py": flow, "b/flows.py": flow}
    assert wfc.build(write_project(tmp_path, files), cache=False).ok
    code = """
        import generated.client.a, generated.client.a.flows, generated.client.b.flows as b
        a = generated.client.a
        print(a.main.workflow_id, a.flows.main.workflow_id, b.main.workflow_id)
    """
    assert python(code, tmp_path).split() == [
        "workflow//a/__init__.py//main",
        "workflow//a/flows.py//main",
        "workflow//b/flows.py//main",
    ]


# -- starting -------------------------------------------------------------------------------------

SERVER = """
    import asyncio
    {imports}
    from shop.models import Order
    from workflow.api import start
    from workflow.worlds.local import create_local_world
    from workflow.api import set_world

    async def main():
        world = create_local_world(data_dir={data!r})
        set_world(world)
        runs = [
            await start(place, Order("a", 4), times=1),
            await start(place, Order("b", 4), times=5),
            await start(sell, Cart([Order("c")], Mode.FAST), ({{"text": "hi"}},)),
            await start(Billing.settle, 5, tip=2),
        ]
        print(*(run.run_id for run in runs))
        await world.close()

    asyncio.run(main())
    import sys
    assert not {{"shop.steps", "shop.heavy"}} & set(sys.modules)
"""
READER = """
    import asyncio, sys
    {imports}
    from workflow.api import get_run, set_world
    from workflow.worlds.local import create_local_world

    async def main():
        world = create_local_world(data_dir={data!r})
        await world.open()
        set_world(world)
        for run_id in {run_ids!r}:
            print(await get_run(run_id).return_value)
        await world.close()

    asyncio.run(main())
    assert "shop.steps" not in sys.modules
"""
NAMES = "Billing, Cart, Mode, place, sell"
WAYS = {
    "generated": f"from generated.client.shop.flows import {NAMES}",
    "hook": "from workflow import client\n    client.install('generated')\n"
    f"    from shop.flows import {NAMES}",
}


@pytest.mark.parametrize("imports", [pytest.param(v, id=k) for k, v in WAYS.items()])
def test_run_started_by_a_client_is_done_by_a_worker_elsewhere(imports: str, shop: Path) -> None:
    """A process with client modules starts runs with instances of classes, a worker does them,
    with the defaults that only it can compute, and a client reads the results."""
    data = str(shop / "data")
    run_ids = python(SERVER.format(imports=imports, data=data), shop).split()
    # A third process: `shop` may be loaded in this one from the folder of another test.
    worker = f"""
        import asyncio
        from workflow.engine import Application, Project
        from workflow.worlds.local import create_local_world
        from tests.project import ended

        async def main():
            world = create_local_world(data_dir={data!r})
            async with Application(world, Project.load("generated")) as application:
                for run_id in {run_ids!r}:
                    run = await ended(application, run_id)
                    assert run.status == "completed", run

        asyncio.run(main())
    """
    python(worker, shop, environment={"PYTHONPATH": os.pathsep.join([str(ROOT), str(shop)])})
    printed = python(READER.format(imports=imports, data=data, run_ids=run_ids), shop)
    assert printed.splitlines() == [
        "order='a' paid=4",
        "order='b' paid=7",
        "Cart(orders=[Order(id='c', cents=5)], mode=<Mode.SLOW: 'slow'>)",
        "7",
    ]


def test_unknown_class_is_still_refused(shop: Path) -> None:
    """A client records instances of the classes its modules name, and of no others."""
    code = """
        import asyncio
        from dataclasses import dataclass
        from generated.client.shop.flows import place
        from workflow.api import set_world, start
        from workflow.worlds.memory import create

        @dataclass
        class Order:
            id: str

        set_world(create())
        asyncio.run(start(place, Order("a")))
    """
    assert "SerializationError: args.order" in python(code, shop, ok=False)
