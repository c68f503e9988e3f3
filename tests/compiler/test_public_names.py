"""Everything that users import is named in the documentation."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs" / "errors").glob("*.md"),
]
MODULES = [
    "workflow",
    "workflow.api",
    "workflow.sync",
    "workflow.testing",
    "workflow.errors",
    "workflow.engine",
    "workflow.client",
    "workflow.http.sse",
    "workflow.worlds.local",
    "workflow.worlds.postgres",
    "wfc",
]
# What a documented function gives, and is never imported by its name.
GIVEN = {"ClientImports", "LocalWorld", "PostgresWorld", "__version__"}


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_documented(module: str) -> None:
    """Each name of `__all__` stands in README.md, docs or docs/errors."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    names = set(import_module(module).__all__) - GIVEN
    assert names
    assert not {name for name in names if not re.search(rf"\b{name}\b", text)}
