"""The import hook: client modules under the names of the user's own modules."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import wfc
from tests.compiler.projects import write_project
from tests.compiler.shop import MODELS, SHOP, python


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = write_project(tmp_path / "shop", SHOP)
    assert wfc.build(root, cache=False).ok
    return root


def test_hook_gives_client_modules_under_the_original_names(shop: Path) -> None:
    """With the hook the original name gives the client module, with a correct spec, and other
    modules are the user's own; without it everything is as before."""
    code = """
        import importlib, sys
        from workflow import client
        with client.install("generated") as imports:
            import shop.flows, shop.models
            module = shop.flows
            print(imports.modules, module.__name__, module.__package__)
            print(module.__file__, module.__spec__.origin == module.__file__)
            print(shop.models.__file__)
            print(importlib.reload(module) is module, importlib.util.find_spec("shop.flows").name)
            print(module.place.workflow_id, module.place.__module__)
            assert "shop.steps" not in sys.modules
            import inspect
            print(inspect.getsource(module).splitlines()[0])
        assert "shop.flows" not in sys.modules and not hasattr(shop, "flows")
        import shop.flows
        print(shop.flows.__file__)
        imports.uninstall()
        print(any("workflow" in type(f).__module__ for f in sys.meta_path))
    """
    assert python(code, shop).splitlines() == [
        "('shop.flows',) shop.flows shop",
        f"{shop}/generated/client/shop/flows.py True",
        f"{shop}/shop/models.py",
        "True shop.flows",
        "workflow//shop/flows.py//place shop.flows",
        "# Made by wfc from shop/flows.py; do not edit.",
        f"{shop}/shop/flows.py",
        "False",
    ]
    assert not list((shop / "generated").rglob("*.pyc"))


def test_hook_explains_what_a_client_module_does_not_have(shop: Path) -> None:
    """Asking a client module for a helper or a step says which module this is and what to do."""
    code = """
        from workflow import client
        client.install()
        import shop.flows
        print(hasattr(shop.flows, "double"))
        shop.flows.pack
    """
    words = python(code, shop, ok=False)
    assert "AttributeError: shop.flows is the client module" in words
    assert "no 'pack'" in words


def test_hook_works_without_the_sources(shop: Path, tmp_path: Path) -> None:
    """A deployment of the generated folder and the models alone can import under the original
    names, a package with workflows in its own file included."""
    (shop / "desk").mkdir()
    (shop / "desk/__init__.py").write_text(
        'import shop.heavy\nasync def main() -> int:\n    "use workflow"\n    return 1\n'
    )
    assert wfc.build(shop, cache=False).ok
    alone = tmp_path / "alone"
    write_project(alone, {"shop/models.py": MODELS})
    (shop / "generated").rename(alone / "generated")
    code = """
        import sys
        from workflow import client
        with client.install():
            import shop.flows, desk
            print(shop.flows.place.workflow_id, desk.main.workflow_id, "shop.heavy" in sys.modules)
        print("desk" in sys.modules)
    """
    ids = "workflow//shop/flows.py//place workflow//desk/__init__.py//main"
    assert python(code, alone).splitlines() == [f"{ids} False", "False"]
    (alone / "shop/models.py").unlink()
    (alone / "shop").rmdir()
    code = """
        import sys
        from workflow import client
        client.install()
        import shop
        print(shop.__path__, list(m for m in sys.modules if m.startswith("shop")))
    """
    assert python(code, alone).splitlines() == ["[] ['shop']"]


PROBLEMS = {
    "no folder": ("rm -r generated", "there is no {root}/generated/manifest.json: run `wfc build`"),
    "no client": ("rm -r generated/client", "{root}/generated/client/shop/flows.py is missing"),
    "stale": ("echo '#' >> shop/flows.py", "generated/ is older than shop/flows.py"),
    "damaged": ("echo '[' > generated/manifest.json", "cannot be read"),
    "other version": ("echo '{{}}' > generated/manifest.json", "another version of wfc"),
    "changed by hand": (
        "echo '#' >> generated/client/shop/flows.py",
        "flows.py is not what the last build wrote",
    ),
}


@pytest.mark.parametrize(
    ("damage", "words"), [pytest.param(*problem, id=name) for name, problem in PROBLEMS.items()]
)
def test_hook_refuses_a_folder_it_cannot_trust(damage: str, words: str, shop: Path) -> None:
    """A missing, stale or damaged generated folder is refused with what to do about it."""
    subprocess.run(damage.format(), shell=True, check=True, cwd=shop)
    code = "from workflow import client; client.install(); import shop.flows"
    assert f"BundleError: {words.format(root=shop)}" in python(code, shop, ok=False) or (
        words.format(root=shop) in python(code, shop, ok=False)
    )


def test_hook_comes_too_late(shop: Path) -> None:
    """Installing after the real module was loaded is an error that says where to install."""
    code = "import shop.flows; from workflow import client; client.install()"
    words = python(code, shop, ok=False)
    assert "ContextError: shop.flows was imported before the client imports" in words
    code = "from workflow import client; client.install(); import shop.flows; client.install()"
    python(code, shop)


def test_hook_in_many_threads(shop: Path) -> None:
    """Threads that import at the same time all get the one client module."""
    code = """
        import importlib, threading
        from workflow import client
        client.install()
        found, barrier = [], threading.Barrier(16)
        def look():
            barrier.wait()
            found.append(importlib.import_module("shop.flows"))
        threads = [threading.Thread(target=look) for _ in range(16)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(len(found), len({id(m) for m in found}), "client" in found[0].__file__)
    """
    assert python(code, shop).split() == ["16", "1", "True"]
