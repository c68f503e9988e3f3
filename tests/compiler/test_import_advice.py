"""What is said about imports that cannot work: relative ones, circles, missing packages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import wfc
from tests.cli.test_runs import wfc as command
from tests.compiler.projects import write_project

USER = """\
class User:
    name = "a"
"""
FLOW = """\
{}


async def sign_up(x: str) -> str:
    "use workflow"
    return {}
"""


def said(root: Path, files: str | Mapping[str, str]) -> tuple[str, str]:
    """Code and all the words of the one finding of a project."""
    (found,) = wfc.build(write_project(root, files), write=False, cache=False).diagnostics
    return found.code, f"{found.message}\n{found.fix}"


def flow(imports: str, use: str = "str(User)") -> str:
    return FLOW.format(imports, use)


# -- relative imports -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"flows.py": flow("from .models import User"), "models.py": USER},
            [
                "WF812",
                "flows.py is not inside a package",
                "`from models import User`",
                "a folder with `__init__.py`",
            ],
        ),
        (
            {"flows.py": flow("from . import models as m", "str(m.User)"), "models.py": USER},
            ["WF812", "`import models as m`"],
        ),
        (
            {
                "app/__init__.py": "",
                "app/flows.py": flow("from ..models import User"),
                "models.py": USER,
            },
            ["WF812", "app/flows.py is inside one level of packages, and 2 dots go further"],
        ),
        (
            flow("from .models import User"),
            ["WF702", "There is no module models in this project.", "not inside a package"],
        ),
        (
            {"app/__init__.py": "", "app/flows.py": flow("from .models import User")},
            ["WF702", "There is no module app.models in this project.", "count from app.flows"],
        ),
        (
            {
                "app/__init__.py": "",
                "app/flows.py": flow("from app.modls import User"),
                "app/models.py": USER + 'async def s() -> None:\n    "use step"\n',
            },
            ["WF702", "There is no module app.modls in this project.", "mean app.models?"],
        ),
    ],
)
def test_relative_imports(
    tmp_path: Path, files: str | Mapping[str, str], expected: list[str]
) -> None:
    """Says why the dots cannot work and what to write; a package is never offered for a module of
    the project."""
    code, words = said(tmp_path, files)
    assert code == expected[0]
    for text in expected[1:]:
        assert text in words
    assert "passthrough" not in words


@pytest.mark.parametrize("line", ["from .models import User", "from app.models import User"])
@pytest.mark.parametrize("there", [True, False])
def test_a_build_inside_of_a_package(tmp_path: Path, line: str, there: bool) -> None:
    """`wfc build` in a folder with an `__init__.py` is sent to the folder above."""
    files = {"app/__init__.py": "", "app/flows.py": flow(line)}
    root = write_project(tmp_path, files | ({"app/models.py": USER} if there else {}))
    (found,) = wfc.build(root / "app", write=False, cache=False).diagnostics
    assert found.fix == (
        "app/ has an `__init__.py`, so it is a package: run `wfc build` in the folder above."
    )


def test_a_build_inside_of_a_package_of_a_package(tmp_path: Path) -> None:
    """The outermost package is named."""
    line = "from app.shop.models import User"
    files = {"app/__init__.py": "", "app/shop/__init__.py": "", "app/shop/flows.py": flow(line)}
    root = write_project(tmp_path, files)
    (found,) = wfc.build(root / "app" / "shop", write=False, cache=False).diagnostics
    assert found.message == "There is no module app.shop.models here."
    assert found.fix.startswith("app/ has an `__init__.py`")


# -- circles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("between", [False, True])
def test_a_circle_of_imports(tmp_path: Path, between: bool) -> None:
    """Names both modules, what is not defined yet, and the way out; also with a third between."""
    b = "from flows import Base\n\n\nclass User(Base):\n    pass\n"
    files = {"flows.py": flow("from b import User\n\n\nclass Base:\n    pass"), "b.py": b}
    if between:
        files |= {"b.py": "from c import User\n", "c.py": b}
        files["flows.py"] = flow("import b\n\n\nclass Base:\n    pass", "str(b.User)")
    code, words = said(tmp_path, files)
    last = "c" if between else "b"
    assert code == "WF812"
    assert words == (
        f"flows and {last} import each other: when {last} asks for Base, flows has not defined it "
        "yet.\nMove Base into a third module."
    )


# -- packages -------------------------------------------------------------------------------------


def test_a_package_that_is_not_installed(tmp_path: Path) -> None:
    """Says that it is not there, and does not offer to let it through without a look."""
    code, words = said(tmp_path, flow("import not_there_at_all", "not_there_at_all.word()"))
    assert code == "WF702"
    assert "not_there_at_all is not installed in this environment" in words
    assert "`pip install not_there_at_all`" in words
    assert "passthrough" not in words


@pytest.mark.parametrize(
    ("line", "use", "expected"),
    [
        ("from fastapi import HTTPException", "HTTPException(404)", "Raise an error of your own"),
        ("import fastapi", "fastapi.Response()", "answers requests"),
        ("import h11", "h11.PRODUCT_ID", "[tool.workflow] passthrough"),
        ("import click", "click.style(x)", "The compiler knows nothing about click"),
    ],
)
def test_passthrough_is_offered_only_where_it_can_work(
    tmp_path: Path, line: str, use: str, expected: str
) -> None:
    """Not for web frameworks, and not for packages that do not say which names are for others."""
    code, words = said(tmp_path, flow(line, use))
    assert code == "WF702"
    assert expected in words
    assert ("passthrough" in words) == ("passthrough" in expected)


def test_a_retry_of_a_workflow_is_not_moved_to_start(tmp_path: Path) -> None:
    """A retry around start() would create several runs, so the advice is to leave it out."""
    text = flow("import tenacity", "x").replace("async def", "@tenacity.retry()\nasync def")
    code, words = said(tmp_path, text)
    assert code == "WF014"
    assert "Remove it: steps are retried by themselves, three times" in words
    assert "start(" not in words


def test_a_step_whose_package_is_missing_is_named_without_a_traceback(tmp_path: Path) -> None:
    """`wfc run` names the line of the user's file and asks about the environment."""
    write_project(tmp_path, "import not_there_at_all\n" + flow("", "x"))
    assert command(tmp_path, "build").returncode == 0
    done = command(tmp_path, "run", "sign_up", "--input", '{"x": "a"}')
    assert done.returncode == 2
    assert "flows.py:1 cannot be imported: No module named 'not_there_at_all'." in done.stderr
    assert "Is this the environment of your" in done.stderr
    assert "Traceback" not in done.stderr
