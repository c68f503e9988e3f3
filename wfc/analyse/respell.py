"""Safe edits for directives: their spelling and their place.

A string statement does nothing when it runs, so moving or replacing one changes nothing but what
the compiler sees.
"""

from __future__ import annotations

import ast

from wfc.diagnostics import Edit, Span, exact_span, replacing
from wfc.model import Function, Kind, Module, Place, Sighting, Spelling

__all__ = ["moved", "respelt"]

_WORDS = ("use step", "use workflow")


def respelt(module: Module, sighting: Sighting) -> tuple[Edit, ...]:
    """Puts the plain directive in the place of one that is certainly meant as it; else nothing."""
    if not isinstance(sighting.statement, ast.Expr) or not _is_certain(sighting):
        return ()
    return replacing(module, sighting.statement.value, _plain(sighting))


def moved(module: Module, sighting: Sighting) -> tuple[Edit, ...]:
    """Moves a directive of a function to its top, or out of its docstring; nothing where it
    shares a line with other code, or stands in a block of its own."""
    function, statement = sighting.function, sighting.statement
    if function is None or statement not in function.body:
        return ()
    if sighting.spelling is Spelling.IN_DOCSTRING:
        line = _line_in_docstring(module, statement)
        return () if line is None else _pair(module, function, line, line, _plain(sighting))
    certain = sighting.place is Place.LATER and _is_certain(sighting)
    first, last = statement.lineno, statement.end_lineno or statement.lineno
    span = exact_span(module, statement)
    around = (
        module.lines[first - 1][: span.column - 1] + module.lines[last - 1][span.end_column - 1 :]
    )
    if not certain or around.strip():
        return ()
    return _pair(module, function, first, last, _plain(sighting))


def _plain(sighting: Sighting) -> str:
    return f'"use {sighting.kind.value}"'


def _is_certain(sighting: Sighting) -> bool:
    """Whether the text can be nothing but the directive.

    A misspelt one has the same letters in whatever order, or is the plural, or names workflows
    after the word `use`; `use stop` may mean something else. What looks like a sentence may be one.
    """
    match sighting.statement:
        case ast.Expr(value=ast.JoinedStr(values=parts)):
            if not all(isinstance(part, ast.Constant) for part in parts):
                return False
        case _:
            pass
    text = sighting.text.strip()
    letters = "".join(char for char in text.casefold() if char.isalpha())
    word = f"use{sighting.kind.value}"
    if letters == word:
        return True
    if not text.startswith("use") or text.endswith("."):
        return False
    named = sighting.kind is Kind.WORKFLOW and not text[3:4].isalpha()
    return named or sorted(letters) == sorted(word) or letters == word + "s"


def _line_in_docstring(module: Module, docstring: ast.stmt) -> int | None:
    """The line of a docstring that is the directive and nothing else."""
    inside = range(docstring.lineno + 1, docstring.end_lineno or docstring.lineno)
    for line in reversed(inside):
        text = module.lines[line - 1].strip().strip("\"'")
        if text:
            return line if text.casefold() in _WORDS else None
    return None


def _pair(module: Module, function: Function, first: int, last: int, text: str) -> tuple[Edit, ...]:
    """Deletes whole lines and inserts the directive at the top; nothing if there is no room."""
    insertion = _insertion(module, function, text)
    if insertion is None or _has_directive(function):
        return ()
    if last < len(module.lines):
        deleted = Span(first, 1, last + 1, 1)
    else:
        deleted = Span(first - 1, len(module.lines[first - 2]) + 1, last, len(module.lines[-1]) + 1)
    return (insertion, Edit(deleted, ""))


def _insertion(module: Module, function: Function, text: str) -> Edit | None:
    body = function.body
    line = min([body[0].lineno, *(d.lineno for d in getattr(body[0], "decorator_list", ()))])
    indent = module.lines[line - 1][
        : len(module.lines[line - 1]) - len(module.lines[line - 1].lstrip())
    ]
    if line == function.lineno or len(indent.encode()) != body[0].col_offset:
        return None  # `def f(): ...` on one line
    if ast.get_docstring(function, clean=False) is None:
        return Edit(Span(line, 1, line, 1), f"{indent}{text}\n")
    end = body[0].end_lineno or line
    if len(body) > 1 and body[1].lineno == end:
        return None
    column = len(module.lines[end - 1]) + 1
    return Edit(Span(end, column, end, column), f"\n{indent}{text}")


def _has_directive(function: Function) -> bool:
    """Whether the function has a directive where it belongs, so that this one is a second."""
    docstring = ast.get_docstring(function, clean=False)
    if docstring in _WORDS:
        return True
    match function.body:
        case [_, ast.Expr(value=ast.Constant(value=str(text))), *_] if docstring is not None:
            return text in _WORDS
    return False
