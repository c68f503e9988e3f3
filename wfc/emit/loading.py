"""Loading a bundle once, the way a worker will, so that what fails there fails the build."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from wfc.emit.cache import TextCache
from workflow.sandbox.bundle import Bundle

__all__ = ["Failure", "load_failure"]


@dataclass(frozen=True)
class Failure:
    """What stopped a bundle from loading: where in the user's file, and the exception's words."""

    path: str
    line: int
    why: str


class _Failed(Exception):
    """Carries a failure past the cache, which keeps successes only."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure


def load_failure(
    bundle: Bundle, root: Path, passthrough: Iterable[str], store: TextCache
) -> Failure | None:
    """Execute the modules of `bundle`; None when every workflow and class of it can be loaded.

    A success is remembered, unless other packages have a say in it.
    """
    allowed = frozenset(passthrough)

    def make() -> tuple[str, list[tuple[int, int, str]]]:
        _load(bundle, root, allowed)
        return "", []

    try:
        if allowed:
            make()
        else:
            store.get(("load", "", bundle.hash, sys.version), make)
    except _Failed as failed:
        return failed.failure
    return None


def _load(bundle: Bundle, root: Path, passthrough: frozenset[str]) -> None:
    from workflow.sandbox.program import Program

    try:
        instance = Program(bundle, root=root, passthrough=passthrough).instantiate()
        for workflow in bundle.workflows:
            instance.workflow(workflow)
        _ = instance.classes
    except ModuleNotFoundError as error:
        if not _covers(passthrough, error.name or ""):
            _fail(bundle, root, error)
        # Where the project is built, the packages that it runs with need not be installed.
    except Exception as error:
        _fail(bundle, root, error)


def _covers(passthrough: frozenset[str], module: str) -> bool:
    return any(module == name or name.startswith(module + ".") for name in passthrough)


def _fail(bundle: Bundle, root: Path, error: Exception) -> NoReturn:
    paths = {str(root / module.path): module.path for module in bundle.modules}
    place = (bundle.modules[0].path, 1)
    for frame in traceback.extract_tb(error.__traceback__):
        # A file that changed since it was read has the hash of its text behind its name.
        path = paths.get(frame.filename) or frame.filename.rpartition("@")[0]
        if path in paths.values():
            place = (path, frame.lineno or 1)
    raise _Failed(Failure(*place, f"{type(error).__name__}: {error}")) from error
