"""Directives and near-misses in a syntax tree.

A directive is a string statement: the first of a function, or the second after a docstring; at
the top of a module it stands for every public function. Everything that was probably meant as one
is reported as a `Sighting` with how it is spelt and where it stands; the checks decide what to
say.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from wfc.model import Function, Kind, Place, Sighting, Spelling

__all__ = ["sightings"]

_WORDS = {"use step": Kind.STEP, "use workflow": Kind.WORKFLOW}
# How many edits away still counts: one for the short word, so that a docstring "Use set." is none.
_TOLERANCE = {"use step": 1, "use workflow": 2}
_ALONE = {"step": Kind.STEP, "workflow": Kind.WORKFLOW}
_Body = Sequence[ast.stmt]


def sightings(tree: ast.Module) -> Iterator[Sighting]:
    """All directives and near-misses of a module, in source order."""
    yield from _block(tree.body, Place.MODULE, None, ())


def _block(
    body: _Body, place: Place, function: Function | None, enclosing: tuple[ast.stmt, ...]
) -> Iterator[Sighting]:
    head = _head(body)
    for index, statement in enumerate(body):
        here = place if index < head else _later(place)
        yield from _statement(statement, here, function, enclosing)
        yield from _inside(statement, here, function, enclosing)


def _head(body: _Body) -> int:
    """How many statements at the start may be a directive: the first, and the one that follows a
    docstring, imports from `__future__`, which Python wants above all else, or both."""
    head = 1
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Constant(value=str(text))) if head == 1 and not _read(text):
                head += 1
            case ast.ImportFrom(module="__future__"):
                head += 1
            case _:
                break
    return head


def _later(place: Place) -> Place:
    return place if place is Place.CLASS else Place.LATER


def _inside(
    statement: ast.stmt, place: Place, function: Function | None, enclosing: tuple[ast.stmt, ...]
) -> Iterator[Sighting]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            around = (*enclosing, statement)
            yield from _block(statement.body, Place.FUNCTION, statement, around)
        case ast.ClassDef():
            yield from _block(statement.body, Place.CLASS, None, (*enclosing, statement))
        case _:
            for inner in _blocks(statement):
                for child in inner:
                    around = (*enclosing, statement)
                    yield from _statement(child, _later(place), function, around)
                    yield from _inside(child, _later(place), function, around)


def _blocks(statement: ast.stmt) -> Iterator[_Body]:
    for field in ("body", "orelse", "finalbody"):
        block = getattr(statement, field, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block
    for field in ("handlers", "cases"):
        for part in getattr(statement, field, ()):
            yield part.body


def _statement(
    statement: ast.stmt, place: Place, function: Function | None, enclosing: tuple[ast.stmt, ...]
) -> Iterator[Sighting]:
    if not isinstance(statement, ast.Expr):
        return
    value = statement.value
    match value:
        case ast.Constant(value=str(text)):
            found = _read(text) or _in_docstring(text, place)
            is_line = place is Place.FUNCTION and not _is_tripled(value, text)
            if found is None and is_line and text in _ALONE:
                found = (_ALONE[text], Spelling.MISSPELT)
            if found and found[1] is Spelling.EXACT and _is_tripled(value, text):
                found = (found[0], Spelling.ALTERED)
        case ast.Constant(value=bytes(raw)):
            text = raw.decode("latin-1")
            found = _plainless(_read(text))
        case ast.JoinedStr(values=parts):
            text = "".join(str(p.value) for p in parts if isinstance(p, ast.Constant))
            found = _plainless(_read(text))
        case _:
            return
    if found is None:
        return
    kind, spelling = found
    if spelling is Spelling.MISSPELT and place in (Place.LATER,):
        return  # far from where a directive could be, a similar string is a coincidence
    outside = enclosing[:-1] if function is not None and place is Place.FUNCTION else enclosing
    yield Sighting(kind, spelling, place, text, statement, function, outside)


def _is_tripled(value: ast.Constant, text: str) -> bool:
    # Three quotes on each side are four characters more than one on each side.
    length = (value.end_col_offset or 0) - value.col_offset
    return value.end_lineno != value.lineno or length >= len(text.encode()) + 6


def _plainless(found: tuple[Kind, Spelling] | None) -> tuple[Kind, Spelling] | None:
    return (found[0], Spelling.NOT_PLAIN) if found else None


def _in_docstring(text: str, place: Place) -> tuple[Kind, Spelling] | None:
    lines = [line.strip() for line in text.strip().splitlines()]
    if place is not Place.FUNCTION or len(lines) < 2:
        return None
    kind = _WORDS.get(lines[-1].strip("\"'").casefold())
    return (kind, Spelling.IN_DOCSTRING) if kind else None


def _read(text: str) -> tuple[Kind, Spelling] | None:
    """What a string says as a directive, and how well; None if it is something else."""
    words = " ".join(text.split())
    if words in _WORDS:
        # Runs of blanks are accepted as they are; a blank at the ends is a formatter's.
        return _WORDS[words], Spelling.EXACT if text == text.strip() else Spelling.ALTERED
    plain = words.casefold().strip(" .!;:'\"`")
    if plain in _WORDS:
        return _WORDS[plain], Spelling.ALTERED
    if not plain.startswith("use") or len(plain) > 16:
        return None
    for word, kind in _WORDS.items():
        if _distance(plain, word) <= _TOLERANCE[word]:
            return kind, Spelling.MISSPELT
    return None


def _distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]
