"""Packages from elsewhere: whether they are installed here, and what kind of thing they are.

Nothing is imported. What is asked is where Python would find a package, and what its text says.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

__all__ = ["RETRIES", "WEB", "is_installed", "names_its_exports"]

WEB = frozenset(
    [
        "aiohttp",
        "blacksheep",
        "bottle",
        "django",
        "emmett",
        "falcon",
        "fastapi",
        "flask",
        "hypercorn",
        "litestar",
        "pyramid",
        "quart",
        "rest_framework",
        "robyn",
        "sanic",
        "starlette",
        "tornado",
        "uvicorn",
        "werkzeug",
    ]
)
"""Web frameworks and servers, by top-level name."""

RETRIES = frozenset(["backoff", "retry", "retrying", "stamina", "tenacity"])
"""Packages that call a function again when it fails."""

_EXPORTS = re.compile(r"^__all__\b|^from \S+ import .*\b__all__\b", re.MULTILINE)


def is_installed(package: str) -> bool:
    """Whether the environment of the compiler, which is that of the workers, has the package."""
    return _spec(package) is not None


@cache
def names_its_exports(module: str) -> bool:
    """Whether a module says which of its names are for others, without which `passthrough` gives
    out none of them. False also where there is no text to look at."""
    spec = _spec(module)
    origin = spec.origin if spec is not None else None
    if origin is None or not origin.endswith(".py"):
        return False
    try:
        return _EXPORTS.search(Path(origin).read_text("utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


@cache
def _spec(module: str) -> ModuleSpec | None:
    """Where a module is, found without running the packages around it."""
    first, *inner = module.split(".")
    try:
        spec = importlib.util.find_spec(first)
        for part in inner:
            places = spec.submodule_search_locations if spec is not None else None
            spec = PathFinder.find_spec(part, list(places)) if places else None
    except (ImportError, ValueError, AttributeError):
        return None
    return spec
