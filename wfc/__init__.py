"""The compiler of workflow-compiler: `wfc.build(root)`, `wfc.Builder`, and the data they return.

Attributes are loaded when first used, so that `import wfc` and `wfc --help` stay light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wfc.builder import Builder as Builder
    from wfc.builder import BuildResult as BuildResult
    from wfc.builder import Rebuild as Rebuild
    from wfc.builder import build as build
    from wfc.compiler import Compilation as Compilation
    from wfc.diagnostics import Diagnostic as Diagnostic
    from wfc.diagnostics import Severity as Severity
    from wfc.diagnostics import Span as Span
    from wfc.discover import InputFile as InputFile
    from wfc.project import Project as Project
    from wfc.project import ProjectError as ProjectError

__all__ = [
    "BuildResult",
    "Builder",
    "Compilation",
    "Diagnostic",
    "InputFile",
    "Project",
    "ProjectError",
    "Rebuild",
    "Severity",
    "Span",
    "__version__",
    "build",
]

__version__ = "0.1.0"

_HOME = {
    "BuildResult": "wfc.builder",
    "Builder": "wfc.builder",
    "Compilation": "wfc.compiler",
    "Diagnostic": "wfc.diagnostics",
    "InputFile": "wfc.discover",
    "Project": "wfc.project",
    "ProjectError": "wfc.project",
    "Rebuild": "wfc.builder",
    "Severity": "wfc.diagnostics",
    "Span": "wfc.diagnostics",
    "build": "wfc.builder",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'wfc' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
