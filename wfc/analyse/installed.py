"""Packages from elsewhere: whether they are installed here, and what kind of thing they are.

Nothing is imported. What is asked is where Python would find a package, and what its text says.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from workflow.installed import find_installed, find_spec

__all__ = ["RETRIES", "WEB", "holds_directives", "is_installed", "names_its_exports"]

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

_DIRECTIVE = re.compile(rb"^\s*[\"']use (?:step|workflow)[\"']\s*(?:#.*)?$", re.MULTILINE)
_LOOKED_AT = 500  # files; what is larger than that is hardly made of workflows and steps

_EXPORTS = re.compile(r"^__all__\b|^from \S+ import .*\b__all__\b", re.MULTILINE)


def is_installed(package: str) -> bool:
    """Whether the environment of the compiler, which is that of the workers, has the package."""
    return find_spec(package) is not None


@cache
def names_its_exports(module: str) -> bool:
    """Whether a module says which of its names are for others, without which `passthrough` gives
    out none of them. False also where there is no text to look at."""
    spec = find_spec(module)
    origin = spec.origin if spec is not None else None
    if origin is None or not origin.endswith(".py"):
        return False
    try:
        return _EXPORTS.search(Path(origin).read_text("utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


@cache
def holds_directives(package: str) -> bool:
    """Whether the source of an installed package marks workflows or steps."""
    found = find_installed(package)
    return found is not None and any(
        _DIRECTIVE.search(_bytes(file)) for place in found.places for file in _sources(place)
    )


def _sources(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    files: list[Path] = []
    for folder, _, names in os.walk(place):
        files += (Path(folder, name) for name in names if name.endswith(".py"))
        if len(files) > _LOOKED_AT:
            return []
    return files


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
