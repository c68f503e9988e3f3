"""`wfc build --fix` and `--diff`: make the safe edits of findings, or show them."""

from __future__ import annotations

import sys
from pathlib import Path

from wfc.cli.findings import put
from wfc.fix import Fixes, find_fixes
from wfc.project import load_project
from wfc.render.cells import visible
from wfc.render.text import summary

__all__ = ["fix", "show_diff"]


def fix(root: Path) -> bool:
    """Mend what can be mended, and say on stderr what was done and what was not.

    Returns whether every change could be written. Raises `ProjectError`.
    """
    fixes = find_fixes(load_project(root))
    failed = fixes.write()
    written = [path for path in sorted(fixes.after) if path not in failed]
    if written:
        count = sum(fixes.mended[path] for path in written)
        put(f"mended {_findings(count)} in {', '.join(written)}\n", err=True)
    _say_refused(fixes)
    for path, why in sorted(failed.items()):
        put(f"{path} could not be written: {why}\n", err=True)
    return not failed


def show_diff(root: Path) -> bool:
    """Print what `fix` would change as a unified diff; the rest goes to stderr.

    Returns whether there is anything to change. Raises `ProjectError`.
    """
    fixes = find_fixes(load_project(root))
    if sys.stdout.isatty():
        put(_for_terminal(fixes.diff()))
    else:  # for patch, so byte for byte
        sys.stdout.flush()
        sys.stdout.buffer.write(fixes.diff())
    if fixes.after:
        put(f"`--fix` would mend {_findings(sum(fixes.mended.values()))}\n", err=True)
    _say_refused(fixes)
    if left := summary(fixes.left):
        put(f"left to mend by hand: {left}\n", err=True)
    return bool(fixes.after)


def _say_refused(fixes: Fixes) -> None:
    for path, why in sorted(fixes.refused.items()):
        put(f"{path} is left as it was: {why}\n", err=True)


def _for_terminal(diff: bytes) -> str:
    lines = diff.decode("utf-8", "replace").split("\n")
    # A tab stays: in a diff it stands behind one column of its own.
    return "\n".join("\t".join(visible(part) for part in line.split("\t")) for line in lines)


def _findings(count: int) -> str:
    return f"{count} finding{'' if count == 1 else 's'}"
