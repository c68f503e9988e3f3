"""`[tool.workflow] packages`: workflows and steps of installed packages, compiled with ours."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

import wfc
from tests.compiler.projects import write_project
from wfc.cli import main
from workflow import client
from workflow.engine import Project
from workflow.errors import BundleError
from workflow.installed import find_installed, source_of

Install = Callable[[Mapping[str, str]], str]

PACKAGE = {
    # It imports its own modules, as packages do, and they import each other by its name.
    "__init__.py": "from .flows import dun\nfrom .steps import charge\n",
    "money.py": "def cents(amount: str) -> int:\n    return round(float(amount) * 100)\n",
    "steps.py": (
        "import os\n\n\n"
        "async def charge(order: str, amount: int) -> str:\n"
        '    "use step"\n'
        '    return f"{order}: {amount} {os.sep}"\n'
    ),
    "flows.py": (
        "from PACKAGE.money import cents\n"
        "from PACKAGE.steps import charge\n\n\n"
        "async def dun(order: str) -> str:\n"
        '    "use workflow"\n'
        '    return await charge(order, cents("1.50"))\n'
    ),
}
USE = (
    "import PACKAGE\n\n\n"
    "async def place(order: str) -> str:\n"
    '    "use workflow"\n'
    "    return await PACKAGE.charge(order, PACKAGE.money.cents('2'))\n"
)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts files into a package on the path, under a name that no other test uses."""
    name = f"acme_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}"

    def write(files: Mapping[str, str]) -> str:
        texts = {f"{name}/{path}": text for path, text in files.items()}
        write_project(tmp_path / "site", {p: t.replace("PACKAGE", name) for p, t in texts.items()})
        monkeypatch.syspath_prepend(tmp_path / "site")
        return name

    return write


def project(tmp_path: Path, package: str, files: Mapping[str, str], packages: str = "") -> Path:
    """A project whose settings name the package."""
    settings = f"[tool.workflow]\npackages = [{packages or repr(package)}]\n"
    texts = {path: text.replace("PACKAGE", package) for path, text in files.items()}
    return write_project(tmp_path / "project", {"pyproject.toml": settings, **texts})


def test_their_workflows_and_steps_have_ids_by_import_name(
    tmp_path: Path, install: Install
) -> None:
    """The ids name neither machine nor version; everything that is reached is bundled."""
    name = install(PACKAGE)
    result = wfc.build(project(tmp_path, name, {"orders.py": USE}))
    assert result.ok, [str(d) for d in result.diagnostics]
    assert sorted(result.manifest["workflows"]) == [
        f"workflow//{name}/flows.py//dun",
        "workflow//orders.py//place",
    ]
    assert list(result.manifest["steps"]) == [f"step//{name}/steps.py//charge"]
    assert result.manifest["packages"] == [name]
    assert f"workflows/{name}/money.py" in result.files
    assert f"client/{name}/flows.pyi" in result.files
    assert str(tmp_path) not in json.dumps(dict(result.files))


def test_ids_and_bundle_are_those_of_a_copy_in_the_project(
    tmp_path: Path, install: Install
) -> None:
    """A package can be taken into the project, or out of it, without touching open runs."""
    name = install(PACKAGE)
    outside = wfc.build(project(tmp_path, name, {"orders.py": USE}))
    copies = {f"{name}/{p}": t.replace("PACKAGE", name) for p, t in PACKAGE.items()}
    inside = wfc.build(
        write_project(tmp_path / "copy", {"orders.py": USE.replace("PACKAGE", name), **copies})
    )
    assert outside.bundle is not None
    assert inside.bundle is not None
    assert outside.bundle.hash == inside.bundle.hash


def test_they_run(tmp_path: Path, install: Install) -> None:
    """A workflow of the project calls a step of the package, and a worker has it."""
    root = project(tmp_path, install(PACKAGE), {"orders.py": USE})
    assert wfc.build(root).ok
    done = CliRunner().invoke(
        main,
        ["run", "place", "--input", '{"order": "o-1"}', "--root", str(root), "--world", "memory"],
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == f"o-1: 200 {os.sep}"


def test_client_modules_stand_in_for_theirs(tmp_path: Path, install: Install) -> None:
    """With the import hook, a workflow of the package comes without its steps."""
    name = install({"__init__.py": "", **{p: t for p, t in PACKAGE.items() if p != "__init__.py"}})
    root = project(tmp_path, name, {})
    assert wfc.build(root).ok
    with client.install(root / "generated") as imports:
        assert imports.modules == (f"{name}.flows",)
        flows = importlib.import_module(f"{name}.flows")
        assert flows.dun.workflow_id == f"workflow//{name}/flows.py//dun"
        assert f"{name}.steps" not in sys.modules


def test_another_version_than_the_built_one_is_stale(tmp_path: Path, install: Install) -> None:
    """A worker with another text of the package does not start, and says what to do."""
    name = install(PACKAGE)
    root = project(tmp_path, name, {"orders.py": USE})
    assert wfc.build(root).ok
    install({"money.py": "def cents(amount: str) -> int:\n    return 0\n"})
    with pytest.raises(
        BundleError, match=rf"another version of {name}/money\.py .* run `wfc build`"
    ):
        Project.load(root / "generated")
    assert wfc.build(root, write=False).stale == (
        "manifest.json",
        f"workflows/{name}/money.py",
    )
    assert wfc.build(root).ok  # the record of the last build does not hide the change
    Project.load(root / "generated")


def test_their_warnings_are_not_for_users(tmp_path: Path, install: Install) -> None:
    """Nothing is said that only the author of a package can mend, but what stops the build is."""
    name = install(
        {
            "__init__.py": "",
            "flows.py": (
                "import requests  # wfc: ignore[WF302]\n\n\n"
                "async def old() -> None:\n"
                '    "Use workflow."\n'
                "    requests.get('https://example.com')\n"
            ),
        }
    )
    root = project(tmp_path, name, {})
    result = wfc.build(root)
    assert {d.severity for d in result.diagnostics} == {"error"}
    [found] = result.diagnostics
    assert found.path == f"{name}/flows.py"
    assert f"the installed package {name}" in found.fix
    before = (tmp_path / "site" / name / "flows.py").read_bytes()
    CliRunner().invoke(main, ["build", "--fix", "--root", str(root)])
    assert (tmp_path / "site" / name / "flows.py").read_bytes() == before


def test_the_import_of_such_a_package_names_the_setting(tmp_path: Path, install: Install) -> None:
    """Without the setting, the finding says which one is missing."""
    name = install(PACKAGE)
    root = write_project(tmp_path / "project", {"orders.py": USE.replace("PACKAGE", name)})
    found = wfc.build(root).diagnostics
    assert any(f'[tool.workflow] packages = ["{name}"]' in d.fix for d in found)


def test_a_single_module_and_a_part_of_a_namespace(tmp_path: Path, install: Install) -> None:
    """A setting may name a module without a package, and a package inside of a namespace."""
    name = install({"pay/__init__.py": "", "pay/steps.py": PACKAGE["steps.py"]})
    flow = PACKAGE["steps.py"].replace("step", "workflow")
    write_project(tmp_path / "site", {f"{name}_alone.py": flow.replace("charge", "alone")})
    use = (
        "import PACKAGE.pay.steps\nfrom PACKAGE.pay import steps\n\n\n"
        "async def place() -> str:\n"
        '    "use workflow"\n'
        "    await PACKAGE.pay.steps.charge('a', 1)\n"
        "    return await steps.charge('b', 2)\n"
    )
    root = project(tmp_path, name, {"orders.py": use}, f"'{name}.pay', '{name}_alone'")
    write_project(tmp_path / "site", {f"{name}_alone.py": flow.replace("os.sep", "''")})
    result = wfc.build(root)
    ids = [*result.manifest.get("workflows", ()), *result.manifest.get("steps", ())]
    assert sorted(ids) == [
        f"step//{name}/pay/steps.py//charge",
        f"workflow//{name}_alone.py//charge",
        "workflow//orders.py//place",
    ], [str(d) for d in result.diagnostics]


def test_a_package_that_lies_in_the_project_is_found_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package of a workspace has the ids of its import name, not those of its folder as well."""
    texts = {f"libs/pay/src/wspay/{p}": t.replace("PACKAGE", "wspay") for p, t in PACKAGE.items()}
    root = project(tmp_path, "wspay", {"orders.py": USE, **texts})
    monkeypatch.syspath_prepend(root / "libs/pay/src")
    result = wfc.build(root)
    assert list(result.manifest["steps"]) == ["step//wspay/steps.py//charge"]
    shown = CliRunner().invoke(
        main,
        ["transform", str(root / "libs/pay/src/wspay/flows.py"), "--root", str(root)],
    )
    assert "async def dun" in shown.output


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("'workflow'", "is the runtime itself"),
        ("'json'", "is Python's own"),
        ("'orders'", "is a module of the project"),
        ("'nowhere_to_be_found'", "cannot be found as Python source by .*python"),
        ("'click.testingg'", "cannot be found as Python source"),
        ("'workflow-compiler'", "name what is imported from it$"),
        ("'typing-inspection'", "imported from it: packages = \\['typing_inspection'\\]"),
        ("'clik'", "Did you mean 'click'\\? If not, install it"),
        ("'msgspec._core'", "cannot be found as Python source"),
        ("1", "packages must be a list of strings"),
    ],
)
def test_wrong_settings_are_explained(setting: str, message: str, tmp_path: Path) -> None:
    """Each says what it is that was named, and what to write."""
    root = project(tmp_path, "", {"orders.py": ""}, setting)
    with pytest.raises(wfc.ProjectError, match=message):
        wfc.build(root)


def test_a_package_is_compiled_or_passed_through(tmp_path: Path) -> None:
    """What is under both settings is refused: one checks its code, the other does not."""
    settings = "[tool.workflow]\npackages = ['click']\npassthrough = ['click']\n"
    with pytest.raises(wfc.ProjectError, match="under passthrough as well"):
        wfc.build(write_project(tmp_path, {"pyproject.toml": settings}))


def test_sources_are_found_without_importing(tmp_path: Path, install: Install) -> None:
    """Looking for a package, or for a file of it, runs nothing of it."""
    name = install({"__init__.py": "raise SystemExit", "inner.py": "raise SystemExit"})
    found = find_installed(f"{name}.inner")
    assert found is not None
    assert found.path == f"{name}/inner.py"
    assert source_of(f"{name}.inner", f"{name}/inner.py") == tmp_path / "site" / name / "inner.py"
    assert source_of(f"{name}.inner", f"src/{name}/inner.py") is None
    assert source_of(f"{name}.gone", f"{name}/gone.py") is None
