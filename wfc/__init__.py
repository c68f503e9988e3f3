"""The compiler of workflow-compiler: `wfc.build(root)` and the data it returns.

Attributes are loaded when first used, so that `import wfc` and `wfc --help` stay light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wfc.compiler import BuildResult as BuildResult
    from wfc.compiler import build as build
    from wfc.diagnostics import Diagnostic as Diagnostic
    from wfc.diagnostics import Severity as Severity
    from wfc.diagnostics import Span as Span
    from wfc.project import ProjectError as ProjectError

__all__ = [
    "BuildResult",
    "Diagnostic",
    "ProjectError",
    "Severity",
    "Span",
    "__version__",
    "build",
]

__version__ = "0.1.0"

_HOME = {
    "BuildResult": "wfc.compiler",
    "Diagnostic": "wfc.diagnostics",
    "ProjectError": "wfc.project",
    "Severity": "wfc.diagnostics",
    "Span": "wfc.diagnostics",
    "build": "wfc.compiler",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'wfc' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
