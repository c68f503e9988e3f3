"""Waiting until files of a project change.

What an editor does to save a file (a temporary file, a rename, a backup) arrives as several events
within milliseconds; they are taken as one change. What builds make themselves does not count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from wfc.project import ProjectError, skipped

__all__ = ["changes", "matters"]

_QUIET = 50  # milliseconds without an event end a change
_LONGEST = 400  # and this long a change may take, say while a branch is checked out
_LOOK = 500  # milliseconds until the first look at what changed before there was a watcher


def changes(
    root: Path, generated: Callable[[], str], stop: threading.Event
) -> Iterator[frozenset[str]]:
    """Yield the paths of each change below `root`, relative to it, until `stop` is set.

    The first may be empty: it stands for what may have changed before the watcher was ready.
    `generated` names the folder to leave out. Raises `ProjectError` when files cannot be watched.
    """
    try:
        import watchfiles
    except ImportError as error:
        raise ProjectError(
            "watching needs watchfiles; install the compiler's part from the checkout: "
            "pip install 'path/to/checkout[build]'"
        ) from error
    base = root.resolve()

    def wanted(change: watchfiles.Change, path: str) -> bool:
        is_gone = change is watchfiles.Change.deleted
        return matters(PurePath(path), base, generated(), is_gone=is_gone)

    is_first = True
    watcher = watchfiles.watch(
        base,
        watch_filter=wanted,
        debounce=_LONGEST,
        step=_QUIET,
        stop_event=stop,
        rust_timeout=_LOOK,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    try:
        for found in watcher:
            if found or is_first:
                yield frozenset(PurePath(p).relative_to(base).as_posix() for _, p in found)
            is_first = False
    except OSError as error:
        raise ProjectError(
            f"{root} cannot be watched: {error}; if the system's limit of watched files is "
            "reached, raise it, or set WATCHFILES_FORCE_POLLING=1"
        ) from error


def matters(path: PurePath, root: Path, generated: str, *, is_gone: bool = False) -> bool:
    """Whether a change of `path` may change what a build makes."""
    try:
        inside = path.relative_to(root)
    except ValueError:
        return False
    if inside.is_relative_to(generated) or any(map(skipped, inside.parts)):
        return False
    if inside.suffix == ".py" or inside.name == "pyproject.toml":
        return True
    # A folder that was renamed is one event, with no word of the files in it.
    return not inside.suffix and (is_gone or Path(path).is_dir())
