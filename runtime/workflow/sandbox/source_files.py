"""Under which file name a module of a bundle is compiled, so that tracebacks can show its text.

The text of a bundle keeps the lines of the user's file, so as long as that file is still the same a
traceback may simply point into it. Otherwise (another version, no checkout) the name says which
text it was, and the text itself is put where tracebacks look for source lines.
"""

from __future__ import annotations

import ast
import hashlib
import linecache
import tokenize
from pathlib import Path

from workflow.installed import source_of
from workflow.sandbox.bundle import ModuleSource

__all__ = ["filename_for", "text_name"]

_STEP_CALL = "_wfc_step"


def filename_for(module: ModuleSource, root: Path | None) -> str:
    """The user's own file when its lines still match, else a name made of path and hash."""
    if root is not None:
        path = root / module.path
        if not path.exists():  # a module of an installed package
            path = source_of(module.name, module.path) or path
        try:
            # The encoding that the file itself declares, as Python reads it.
            with tokenize.open(path) as file:
                text = file.read()
        except (OSError, SyntaxError, UnicodeDecodeError):
            text = None
        if text is not None and _same_lines(module.source, text):
            return str(path)
    name = text_name(module.path, module.source)
    # No modification time: linecache then never checks the entry against a file.
    linecache.cache[name] = (
        len(module.source),
        None,
        [f"{line}\n" for line in module.source.split("\n")],
        name,
    )
    return name


def text_name(path: str, source: str) -> str:
    """The name of a text whose file is not there, or has another text."""
    return f"{path}@{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def _same_lines(bundled: str, current: str) -> bool:
    """Whether each line of the bundle is blank, written by the compiler, or as in the file."""
    # Not `splitlines`: a form feed or U+2028 does not end a line of Python.
    ours, theirs = bundled.split("\n"), current.split("\n")
    written = _written_lines(bundled)
    for number, line in enumerate(ours, 1):
        if not line.strip() or number in written:
            continue
        if number > len(theirs) or line.rstrip() != theirs[number - 1].rstrip():
            return False
    return True


def _written_lines(text: str) -> set[int]:
    # The compiler drops unused names from imports and appends one of its own, and it writes the
    # signatures (`async`, computed defaults) and bodies of steps.
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()
    lines: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.AsyncFunctionDef):
            continue
        if not isinstance(node, ast.AsyncFunctionDef) or _is_stub(node):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def _is_stub(function: ast.AsyncFunctionDef) -> bool:
    match function.body[-1]:
        case ast.Return(value=ast.Await(value=ast.Call(func=ast.Name(id=name)))):
            return name == _STEP_CALL
    return False
