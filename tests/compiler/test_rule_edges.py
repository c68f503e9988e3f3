"""The edges of the rules: for each condition of a rule, code that it decides about.

A comment `#! WF505` stands on each line that has a finding, all of them are expected and no other.
The rows are what `mutants.py` found missing: each kills a wrong version of a rule.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest

import wfc
from tests.compiler.projects import write_project

HEAD = """\
import asyncio
from workflow import create_hook, create_webhook, define_hook, sleep


async def work(n=0):
    "use step"
    return n


def plain(n):
    "use step"
    return n


"""
FLOW = """\
async def flow(n, text: str, items: list[str], names: set[str], some):
    "use workflow"
"""


def flow(text: str) -> str:
    """A module whose workflow has this body; what is before `---` stands above it."""
    above, _, body = f"\n{text}".rpartition("\n---\n")
    above, body = above.strip("\n"), body.strip("\n")
    return f"{HEAD}{above}\n\n\n{FLOW}{indent(body, '    ')}\n"


def files_of(text: str) -> dict[str, str]:
    """A project: one file, or several that each begin with a line `=== path`.

    A file that ends with a backslash has no line end there.
    """
    parts = re.split(r"^=== (\S+)\n", text, flags=re.MULTILINE)
    if len(parts) == 1:
        return {"flows.py": flow(text)}
    texts = (text.removesuffix("\\\n") for text in parts[2::2])
    return dict(zip(parts[1::2], texts, strict=True))


def expected_of(files: dict[str, str]) -> list[tuple[str, int, str]]:
    """What the comments say: path, line and code of each finding.

    Where a comment would be in the way, a line `#@ flows.py:3 WF099` of another file says it.
    """
    found: list[tuple[str, int, str]] = []
    for path, text in files.items():
        for number, line in enumerate(text.split("\n"), 1):
            if line.startswith("#@ "):
                place, *codes = line.split()[1:]
                home, _, at = place.partition(":")
                found += [(home, int(at), code) for code in codes]
            elif "#! " in line:
                found += [(path, number, code) for code in line.partition("#! ")[2].split()]
    return sorted(found)


def rows() -> dict[str, str]:
    """The texts of `edges/*.txt` by file and title; `## title` begins one."""
    found: dict[str, str] = {}
    for file in sorted((Path(__file__).parent / "edges").glob("*.txt")):
        parts = re.split(r"^## (.+)\n", file.read_text("utf-8"), flags=re.MULTILINE)
        for title, text in zip(parts[1::2], parts[2::2], strict=True):
            assert f"{file.stem}: {title}" not in found, title
            found[f"{file.stem}: {title}"] = text.rstrip("\n") + "\n"
    return found


EDGES = rows()


@pytest.mark.parametrize("name", EDGES)
def test_edge_of_a_rule(name: str, tmp_path: Path) -> None:
    """The findings are exactly those that the comments of the code name, at their lines."""
    files = files_of(EDGES[name])
    found = wfc.build(write_project(tmp_path, files), write=False, cache=False).diagnostics
    assert sorted((d.path, d.span.line, d.code) for d in found) == expected_of(files)
