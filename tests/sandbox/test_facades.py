"""Facades: listed, frozen, without modules inside, and cheap to ask about."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import types
from pathlib import Path

import pytest

from tests.sandbox.snippets import run_snippet
from workflow.errors import SandboxError
from workflow.sandbox import facades
from workflow.sandbox.facades import aio
from workflow.sandbox.facades.pure import REFUSED

MODULES = sorted(facades.names())


@pytest.mark.parametrize("module", MODULES)
def test_a_facade_has_what_is_listed(module: str) -> None:
    """Every listed name can be imported, and nothing is a real module."""
    facade = facades.get(module)
    assert facade is not None
    members = {key for key in vars(facade) if not key.startswith(("$", "_"))}
    assert members == facades.names()[module]
    assert not any(isinstance(value, types.ModuleType) for value in vars(facade).values())


@pytest.mark.parametrize("module", MODULES)
def test_a_facade_is_frozen(module: str) -> None:
    """No attribute of a facade can be set or deleted, also not past the guards."""
    facade = facades.get(module)
    name = min(facades.names()[module])
    with pytest.raises(SandboxError, match="read-only"):
        setattr(facade, name, None)
    with pytest.raises(SandboxError, match="read-only"):
        delattr(facade, name)


@pytest.mark.parametrize("module", MODULES)
def test_listed_names_exist_in_the_real_module(module: str) -> None:
    """A facade adds nothing that the module it stands for does not have."""
    real = importlib.import_module(module)
    below = {name for name in facades.names()[module] if f"{module}.{name}" in MODULES}
    assert [n for n in facades.names()[module] - below if not hasattr(real, n)] == []


@pytest.mark.parametrize("module", sorted(REFUSED))
def test_refused_modules_come_with_advice(module: str) -> None:
    """Importing a refused module says what to do instead."""
    with pytest.raises(ImportError) as caught:
        run_snippet(f"import {module}\n")
    assert REFUSED[module] in str(caught.value)


def test_missing_asyncio_functions_come_with_advice() -> None:
    """What asyncio has and workflow code has not is explained."""
    newer = {"eager_task_factory"}  # from 3.12
    assert all(hasattr(asyncio, name) for name in aio.ADVICE.keys() - newer)
    with pytest.raises(AttributeError, match="already running"):
        run_snippet("import asyncio\nasyncio.run(1)\n")
    with pytest.raises(ImportError, match="no threads"):
        run_snippet("from asyncio import to_thread\n")


def test_names_load_nothing_heavy() -> None:
    """Asking for the names imports neither pydantic nor the HTTP libraries."""
    script = (
        "import sys\nfrom workflow.sandbox import facades\nfacades.names()\n"
        "print([m for m in ('pydantic', 'starlette', 'httpx', 'libcst') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_passthrough_gives_functions_and_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module of the project's configuration is given out by its __all__, without values."""
    text = "import os\n__all__ = ['f', 'C', 'os', 'N']\nN = []\ndef f(): ...\nclass C: ...\n"
    (tmp_path / "extra_for_passthrough.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    facade = facades.get("extra_for_passthrough", {"extra_for_passthrough"})
    assert {key for key in vars(facade) if key[0].isalpha()} == {"f", "C"}
    assert facades.get("extra_for_passthrough") is None


def test_passthrough_needs_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A passthrough module without __all__ is refused with a reason."""
    (tmp_path / "unlisted_for_passthrough.py").write_text("def f(): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SandboxError, match="no __all__"):
        facades.get("unlisted_for_passthrough", {"unlisted_for_passthrough"})
