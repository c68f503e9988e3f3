"""Taking statements out of a module without moving the lines of those that stay."""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import libcst as cst

__all__ = [
    "blank",
    "identifier",
    "line_count",
    "line_counts",
    "numbered",
    "prune",
    "prune_import",
    "with_blank_lines_before",
]

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
_Node = TypeVar("_Node", bound=Statement)
Rewrite = Callable[[Statement], Statement | None]
_MODULE = cst.Module(body=[])


def identifier(name: cst.CSTNode) -> str:
    """A name as Python reads it and `ast` has it: in the text, `ﬁle` may be written for `file`."""
    if isinstance(name, cst.Name) and not name.lpar:
        text = name.value
    else:
        text = _MODULE.code_for_node(name)
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def line_count(node: cst.CSTNode) -> int:
    """How many lines a statement takes, with the blank lines and comments above it."""
    return _MODULE.code_for_node(node).count("\n")


def blank(count: int) -> list[cst.EmptyLine]:
    """Empty lines."""
    return [cst.EmptyLine(indent=False) for _ in range(count)]


def with_blank_lines_before(node: _Node, count: int) -> _Node:
    """The statement, moved down by `count` empty lines."""
    lines: Sequence[cst.EmptyLine] = [*blank(count), *node.leading_lines]
    return node.with_changes(leading_lines=lines)  # type: ignore[return-value]


def line_counts(module: cst.Module, text: str) -> list[int]:
    """What `line_count` gives for each top-level statement of `text`, without printing any."""
    tree = ast.parse(text)
    counts: list[int] = []
    before = len(module.header)
    for statement, parts in numbered(module.body):
        last = tree.body[parts[-1]]
        end = (last.end_lineno or last.lineno) + _comments_below(statement)
        counts.append(end - before)
        before = end
    return counts


def _comments_below(statement: cst.CSTNode) -> int:
    """The lines that belong to the end of a block, which `ast` does not see."""
    count = 0
    node: object = statement
    while node is not None:
        match node:
            case cst.IndentedBlock(body=body, footer=footer):
                count += len(footer)
                node = body[-1] if body else None
            case cst.Match(cases=cases, footer=footer):
                count += len(footer)
                node = cases[-1]
            case cst.Try() | cst.TryStar():
                node = node.finalbody or node.orelse or (node.handlers or [node])[-1].body
            case cst.If() | cst.For() | cst.While():
                node = node.orelse or node.body
            case _:
                node = getattr(node, "body", None)
                node = node if isinstance(node, cst.BaseSuite) else None
    return count


def prune(module: cst.Module, keep: Mapping[int, Rewrite], text: str) -> str:
    """Keep the top-level statements whose index has a rewrite, apply it, and blank the rest.
    `text` is what the module was parsed from.

    Several statements on one line count one by one, as in `ast`. A rewrite may give a statement
    back shorter, never longer, or None to drop it. The text given back ends with a line feed.
    """
    lines = text.split("\n")
    line = len(module.header)
    pieces = ["\n" * line]
    for (statement, parts), count in zip(
        numbered(module.body), line_counts(module, text), strict=True
    ):
        new = _rewritten(statement, parts, keep)
        if new is statement:  # most are, and to print a statement takes longer than to parse it
            pieces += (f"{kept}\n" for kept in lines[line : line + count])
        else:
            code = "" if new is None else module.code_for_node(new)
            pieces += (code, "\n" * (count - code.count("\n")))
        line += count
    pieces.append("\n" * len(module.footer))
    return "".join(pieces)


def numbered(body: Sequence[cst.BaseStatement | Statement]) -> Iterator[tuple[Statement, range]]:
    index = 0
    for statement in body:
        size = len(statement.body) if isinstance(statement, cst.SimpleStatementLine) else 1
        yield statement, range(index, index + size)  # type: ignore[misc]
        index += size


def _rewritten(statement: Statement, parts: range, keep: Mapping[int, Rewrite]) -> Statement | None:
    if len(parts) == 1 or not isinstance(statement, cst.SimpleStatementLine):
        rewrite = keep.get(parts[0])
        return rewrite(statement) if rewrite is not None else None
    small: list[cst.BaseSmallStatement] = []
    for index, part in zip(parts, statement.body, strict=True):
        if index in keep:
            one = keep[index](cst.SimpleStatementLine(body=[part]))
            if isinstance(one, cst.SimpleStatementLine):
                small.extend(one.body)
    if not small:
        return None
    small[-1] = small[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
    return statement.with_changes(body=small)


def prune_import(statement: Statement, names: frozenset[str]) -> Statement | None:
    """An import statement with only the given bound names, on its first line if it gets
    shorter."""
    if not isinstance(statement, cst.SimpleStatementLine):
        return statement
    match statement.body[0]:
        case cst.Import(names=aliases) | cst.ImportFrom(names=aliases):
            if isinstance(aliases, cst.ImportStar):
                return statement
            kept = [a for a in aliases if _key(a) in names]
        case _:
            return statement
    if len(kept) == len(aliases):
        return statement
    if not kept:
        return None
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    short = [a.with_changes(comma=comma) for a in kept[:-1]]
    short.append(kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT))
    changes: dict[str, object] = {"names": short}
    if isinstance(statement.body[0], cst.ImportFrom):
        changes |= {"lpar": None, "rpar": None}
    return statement.with_changes(body=[statement.body[0].with_changes(**changes)])


def _key(alias: cst.ImportAlias) -> str:
    if alias.asname is not None:
        return identifier(alias.asname.name)
    return identifier(alias.name)
