"""Where syntax stands, and what the user wrote there, as JSON data for the manifest."""

from __future__ import annotations

import ast
from typing import Any

from wfc.model import Module

__all__ = ["span_data", "text_of"]


def span_data(module: Module, node: ast.AST) -> dict[str, Any]:
    """`path`, `line`, `column`, `end_line`, `end_column` of a node: characters from 1, the end
    exclusive."""
    line: int = getattr(node, "lineno", 1)
    end_line: int = getattr(node, "end_lineno", None) or line
    return {
        "path": module.path,
        "line": line,
        "column": _column(module, line, getattr(node, "col_offset", 0)),
        "end_line": end_line,
        "end_column": _column(module, end_line, getattr(node, "end_col_offset", None) or 0),
    }


def text_of(module: Module, node: ast.AST) -> str:
    """The user's own text of a node on one line; comments inside it are left out."""
    # Not `ast.unparse`, which differs between Python versions, but where a comment is inside.
    first: int = getattr(node, "lineno", 1)
    last: int = getattr(node, "end_lineno", None) or first
    lines = [line.encode() for line in module.lines[first - 1 : last]]
    if not lines:
        return ast.unparse(node)
    lines[-1] = lines[-1][: getattr(node, "end_col_offset", None)]
    lines[0] = lines[0][getattr(node, "col_offset", 0) :]
    if len(lines) > 1 and any(b"#" in line or b'"""' in line for line in lines):
        return ast.unparse(node)
    return " ".join(line.decode(errors="replace").strip() for line in lines)


def _column(module: Module, line: int, offset: int) -> int:
    text = module.lines[line - 1] if 0 < line <= len(module.lines) else ""
    return len(text.encode()[:offset].decode(errors="ignore")) + 1
