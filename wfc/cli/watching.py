"""`wfc build --watch`: builds, and builds again whenever a file changes, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Collection

import click

from wfc.builder import Builder, BuildResult
from wfc.project import ProjectError

__all__ = ["watch"]


def watch(builder: Builder, report: Callable[[BuildResult], None]) -> None:
    """Build with `builder` for as long as the process runs; `report` prints what a build found.

    Ctrl-C and SIGTERM end it after the build under way: that is its ordinary end, as a worker's.
    Raises `ProjectError` when files cannot be watched.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        result: BuildResult | ProjectError = builder.build_once()
    except ProjectError as error:
        if not builder.working_dir.is_dir():
            raise
        result = error
    _show(result, report)
    click.echo("watching for changes; Ctrl-C stops", err=True)
    for rebuild in builder.rebuilds(stop):
        changed = _some(rebuild.changed)
        done = "built again" if _is_built(rebuild.result) else "checked"
        click.echo(f"\n{changed} changed; {done} in {rebuild.seconds:.2f} s", err=True)
        _show(rebuild.result, report)


def _some(paths: Collection[str]) -> str:
    first = min(paths, default="something")
    return first if len(paths) < 2 else f"{first} and {len(paths) - 1} more"


def _is_built(result: BuildResult | ProjectError) -> bool:
    return isinstance(result, BuildResult) and result.ok and bool(result.files)


def _show(result: BuildResult | ProjectError, report: Callable[[BuildResult], None]) -> None:
    if isinstance(result, ProjectError):
        click.echo(f"wfc build: {result}", err=True)
    else:
        report(result)
    if not _is_built(result):
        click.echo("nothing written; what was built last stays as it is", err=True)
