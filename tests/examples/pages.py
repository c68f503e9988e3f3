"""The files that a page of the documentation tells its readers to write."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import wfc
from tests.examples.building import inside
from workflow.engine import Project

__all__ = ["DOCS", "built", "files_of", "write"]

DOCS = Path(__file__).parents[2] / "docs"
_FILE = re.compile(r"<!-- file: (?P<name>[\w/.]+) -->\n```\w+\n(?P<text>.*?)```", re.S)


def files_of(page: Path) -> dict[str, str]:
    """By name, the texts of the blocks below a line such as `<!-- file: flows.py -->`."""
    return {found["name"]: found["text"] for found in _FILE.finditer(page.read_text("utf-8"))}


def write(page: Path, folder: Path) -> None:
    """Write the files of a page into `folder`."""
    for name, text in files_of(page).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


@contextmanager
def built(page: Path, folder: Path, beside: Mapping[str, str] | None = None) -> Iterator[Project]:
    """The files of a page as a project in `folder`, with files of the test's own `beside` them.

    The build has no findings. The modules are forgotten in the end: other pages have files of the
    same names.
    """
    write(page, folder)
    for name, text in (beside or {}).items():
        (folder / name).write_text(text, "utf-8")
    result = wfc.build(folder)
    assert not result.diagnostics, [str(d) for d in result.diagnostics]
    modules = [name.removesuffix(".py") for name in (*files_of(page), *(beside or {}))]
    before = {name: sys.modules.pop(name) for name in modules if name in sys.modules}
    sys.path.insert(0, str(folder))  # before the folders of other tests' projects
    try:
        with inside(folder):
            yield Project.load(folder / "generated")
    finally:
        sys.path.remove(str(folder))
        for name in modules:
            sys.modules.pop(name, None)
        sys.modules.update(before)
