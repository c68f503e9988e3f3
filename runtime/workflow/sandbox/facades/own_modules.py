"""Copies of library modules for workflow code alone, whose own names can be given other meanings.

A function of such a copy looks for its helpers in the copy: where one of them asks the machine, the
copy gets another one, and nobody else sees it.
"""

from __future__ import annotations

import importlib.util
from typing import Any

__all__ = ["own_copy"]


def own_copy(name: str) -> Any:
    """The module `name`, loaded once more; `sys.modules` keeps the one that everybody has."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"no module named {name!r}", name=name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
