"""Diagnostics for programs: one JSON array, one object for each finding."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable

from wfc.diagnostics import Diagnostic

__all__ = ["render_all"]


def render_all(diagnostics: Iterable[Diagnostic]) -> str:
    """The array, with a newline at the end."""
    return json.dumps([dataclasses.asdict(d) for d in diagnostics], indent=2) + "\n"
