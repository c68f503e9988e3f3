"""Diagnostics one a line, `path:line:column: CODE name message`, for editors and for grep."""

from __future__ import annotations

from collections.abc import Iterable

from wfc.diagnostics import Diagnostic
from wfc.render.cells import visible

__all__ = ["render_all"]


def render_all(diagnostics: Iterable[Diagnostic], prefix: str = "") -> str:
    """One finding a line; `prefix` is put before each path, as `app/`."""
    return "".join(
        f"{visible(prefix + d.path)}:{d.span.line}:{d.span.column}: "
        f"{d.code} {d.name} {visible(d.message)}\n"
        for d in diagnostics
    )
