"""Relative imports that leave the packages around their file."""

from __future__ import annotations

import ast

from wfc.model import Module

__all__ = ["above", "outside_package"]


def above(folder: str) -> str:
    """What to do where the project's folder is itself a package of this name."""
    return (
        f"{folder}/ has an `__init__.py`, so it is a package: run `wfc build` in the folder above."
    )


def outside_package(module: Module, statement: ast.ImportFrom) -> str | None:
    """Why the dots of an import cannot work in this file, as a sentence; None if they can."""
    depth = len(module.name.split(".")) - (0 if module.is_package else 1)
    if statement.level <= depth:
        return None
    if depth == 0:
        return (
            f"{module.path} is not inside a package, so a relative import has nothing to be "
            "relative to."
        )
    levels = "one level" if depth == 1 else f"{depth} levels"
    return f"{module.path} is inside {levels} of packages, and {statement.level} dots go further."
