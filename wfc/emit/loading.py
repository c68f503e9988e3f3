"""Loading a bundle once, the way a worker will, so that what fails there fails the build."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
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


def load_failure(bundle: Bundle, passthrough: Iterable[str], store: TextCache) -> Failure | None:
    """Execute the modules of `bundle`; None when every workflow and class of it can be loaded.

    A success is remembered, unless other packages have a say in it.
    """
    allowed = frozenset(passthrough)

    def make() -> tuple[str, list[tuple[int, int, str]]]:
        _load(bundle, allowed)
        return "", []

    try:
        if allowed:
            make()
        else:
            store.get(("load", "", bundle.hash, sys.version), make)
    except _Failed as failed:
        return failed.failure
    return None


def _load(bundle: Bundle, passthrough: frozenset[str]) -> None:
    from workflow.sandbox.program import Program

    try:
        # Not under the names of the files: the texts were checked under those without them.
        instance = Program(bundle, passthrough=passthrough, sharing=False).instantiate()
        for workflow in bundle.workflows:
            instance.workflow(workflow)
        _ = instance.classes
    except ModuleNotFoundError as error:
        if not _covers(passthrough, error.name or ""):
            _fail(bundle, error)
        # Where the project is built, the packages that it runs with need not be installed.
    except Exception as error:
        _fail(bundle, error)


def _covers(passthrough: frozenset[str], module: str) -> bool:
    return any(module == name or name.startswith(module + ".") for name in passthrough)


def _fail(bundle: Bundle, error: Exception) -> NoReturn:
    paths = {module.path for module in bundle.modules}
    place = (bundle.modules[0].path, 1)
    for frame in traceback.extract_tb(error.__traceback__):
        path = frame.filename.rpartition("@")[0]  # behind it is the hash of the text
        if path in paths:
            place = (path, frame.lineno or 1)
    raise _Failed(Failure(*place, f"{type(error).__name__}: {error}")) from error
