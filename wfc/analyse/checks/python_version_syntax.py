"""Syntax that is newer than the oldest Python the project allows.

`requires-python` in `pyproject.toml` says which versions of Python may run the project. A run is
not tied to the machine it began on: a worker with an older one of these versions may be the one to
go on with it. It cannot read a file with newer syntax, so the run would stand still until a newer
worker comes along.

Raise `requires-python` if all your machines have the newer version: 3.11 for `except*`, 3.12 for
`type X = int` and `def first[T](…)`, 3.13 for defaults of such parameters. Otherwise write it the
older way.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator

from wfc.diagnostics import Diagnostic, Rule, Severity, Span
from wfc.model import Module, Program
from wfc.nodes import walk

RULE = Rule(
    code="WF810",
    name="python-version-syntax",
    severity=Severity.ERROR,
    page=__doc__,
    bad={
        "pyproject.toml": """\
[project]
name = "shop"
requires-python = ">=3.10"
""",
        "flows.py": """\
async def order(items: list[str]) -> int:
    "use workflow"
    total = 0
    try:
        total = sum(int(item) for item in items)
    except* ValueError:
        print("not a number")
    return total
""",
    },
    good={
        "pyproject.toml": """\
[project]
name = "shop"
requires-python = ">=3.11"
""",
        "flows.py": """\
async def order(items: list[str]) -> int:
    "use workflow"
    total = 0
    try:
        total = sum(int(item) for item in items)
    except* ValueError:
        print("not a number")
    return total
""",
    },
)

_Version = tuple[int, int]


def check(program: Program) -> Iterator[Diagnostic]:
    """Yield a finding for each piece of syntax that the oldest allowed Python cannot read."""
    oldest = program.oldest_python
    if oldest is None:
        return
    for module in program.bundled:
        places = [*_nodes(module)]
        if oldest < (3, 12) and sys.version_info >= (3, 12):
            places += _nested_quotes(module)
        for place, what, version in places:
            if oldest < version:
                yield RULE.at(
                    module,
                    place,
                    f"{what} needs Python {_text(version)}, and requires-python allows "
                    f"{_text(oldest)}.",
                    f'Write requires-python = ">={_text(version)}", or write it the older way.',
                )


def _nodes(module: Module) -> Iterator[tuple[ast.AST | Span, str, _Version]]:
    for node in walk(module.tree):
        if isinstance(node, ast.TryStar):
            yield node, "except*", (3, 11)
        if type(node).__name__ == "TypeAlias":
            yield node, "The `type` statement", (3, 12)
        elif params := getattr(node, "type_params", None):
            yield node, "A list of type parameters", (3, 12)
            if any(getattr(param, "default_value", None) is not None for param in params):
                yield node, "The default of a type parameter", (3, 13)


def _nested_quotes(module: Module) -> Iterator[tuple[ast.AST | Span, str, _Version]]:
    """f-strings with their own quotes in a field, which older versions end there."""
    start, end = getattr(tokenize, "FSTRING_START", -1), getattr(tokenize, "FSTRING_END", -1)
    if "f" not in module.text and "F" not in module.text:
        return
    open_quotes: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
            opens = token.type == start
            if opens or token.type == tokenize.STRING:
                quotes = token.string.lstrip("rRbBuUfF")
                quotes = quotes[:3] if quotes[:3] in ('"""', "'''") else quotes[:1]
                if quotes in open_quotes:
                    (line, column), (last, stop) = token.start, token.end
                    span = Span(line, column + 1, last, stop + 1)
                    yield span, "An f-string with the same quotes inside", (3, 12)
                if opens:
                    open_quotes.append(quotes)
            elif token.type == end:
                open_quotes.pop()
    except (tokenize.TokenError, SyntaxError):
        return  # what cannot be read has a finding of its own


def _text(version: _Version) -> str:
    return ".".join(map(str, version))
