"""One file's bytes → `Module`. A file that is not Python gives a module with an `error`."""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
import warnings
from dataclasses import replace

from wfc.model import Module, SourceError
from wfc.parse.bindings import bindings, typing_only
from wfc.parse.directives import sightings
from wfc.parse.ignores import ignores

__all__ = ["parse"]

_CODING = re.compile(rb"coding[:=]")
_FUTURE = (
    "Move it up: only the docstring may stand above it. A directive for the whole file may stand "
    "below it."
)
_ENCODING = (
    "Save the file as UTF-8, or name its encoding in the first line: `# -*- coding: latin-1 -*-`."
)


def parse(name: str, path: str, data: bytes) -> Module:
    """Parse `data`, the bytes of the file `path` imported as `name`. Line ends become `\\n`."""
    try:
        text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
        text = text.removeprefix("\ufeff")
        lines = tuple(text.split("\n"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes are for the user's own linter
            tree = ast.parse(text, path)
            # The grammar is not all: a `yield` in a class, an import from `__future__` too late.
            _compile(text, tree, path)
    except SyntaxError as error:
        found = SourceError(error.lineno or 1, error.offset or 1, error.msg)
        if "__future__ imports must" in error.msg:
            found = replace(found, fix=_FUTURE)
        return _broken(name, path, data, found)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        why = f"byte 0x{data[error.start]:02x} in line {line} is not {error.encoding.upper()}"
        return _broken(name, path, data, SourceError(line, 1, why, _ENCODING))
    except ValueError as error:
        fix = "Remove what is not text from the file."
        return _broken(name, path, data, SourceError(1, 1, str(error), fix))
    except (RecursionError, MemoryError):
        from workflow.sandbox.depth import deepest_line, unreadable_line

        line = unreadable_line(lines)
        if line == len(lines):  # it can be read, and not compiled
            line = deepest_line(text)
        fix = "Take the deeply nested expression apart."
        found = SourceError(line, 1, "the code is nested too deeply", fix)
        return _broken(name, path, data, found)
    return Module(
        name=name,
        path=path,
        text=text,
        tree=tree,
        sightings=tuple(sightings(tree)),
        ignores=tuple(ignores(text)),
        bindings=bindings(tree),
        typing_only=typing_only(tree),
        lines=lines,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _compile(text: str, tree: ast.Module, path: str) -> None:
    try:
        compile(tree, path, "exec", dont_inherit=True, optimize=0)
    except RecursionError:  # a tree may be nested less deeply than a text
        compile(text, path, "exec", dont_inherit=True, optimize=0)


def _decoded(data: bytes) -> str:
    """Raises SyntaxError for an encoding that Python does not know, UnicodeDecodeError."""
    if not _CODING.search(b"\n".join(data.split(b"\n", 2)[:2])):
        return data.decode("utf-8")
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)


def _broken(name: str, path: str, data: bytes, error: SourceError) -> Module:
    text = data.decode("utf-8", "replace")
    return Module(
        name=name,
        path=path,
        text="",
        tree=ast.Module(body=[], type_ignores=[]),
        error=error,
        lines=tuple(text.split("\n")),
        sha256=hashlib.sha256(data).hexdigest(),
    )
