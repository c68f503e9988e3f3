"""Which compiler this is: a value that changes when anything does that has a say in its output."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec

__all__ = ["fingerprint"]

_PACKAGES = ("wfc", "workflow")
_LIBRARIES = ("libcst", "RestrictedPython")


@cache
def fingerprint() -> str:
    """A hash over sizes and times of the compiler's own files, the runtime's, and the libraries
    that texts are made with; and the minor version of Python."""
    found: list[tuple[object, ...]] = [(*sys.version_info[:2], sys.platform)]
    for name in _LIBRARIES:
        if (spec := find_spec(name)) is not None and spec.origin is not None:
            found.append((spec.origin, os.stat(spec.origin).st_mtime_ns))
    for name in _PACKAGES:
        spec = find_spec(name)
        for folder in (spec and spec.submodule_search_locations) or ():
            found += sorted(_files(folder))
    return hashlib.sha256(repr(found).encode()).hexdigest()


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                status = entry.stat()
                yield entry.path, status.st_size, status.st_mtime_ns
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _files(entry.path)
