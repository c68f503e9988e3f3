"""What is said about files of installed packages: only what stops the build, and who can mend it.

The user cannot edit these files, and the next installation would undo it. A warning there is for
the author of the package, whose own build prints it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from wfc.diagnostics import Diagnostic, Severity

__all__ = ["for_users"]


def for_users(packages: Mapping[str, str], found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings without those that only the author of a package can use. `packages` has the
    name of the package of each module that is of one, by path."""
    return [
        _for_user(packages[finding.path], finding) if finding.path in packages else finding
        for finding in found
        if finding.path not in packages or finding.severity is Severity.ERROR
    ]


def _for_user(package: str, finding: Diagnostic) -> Diagnostic:
    where = (
        f"The file is one of the installed package {package}, which [tool.workflow] packages "
        "names: to change it is for its author."
    )
    return replace(finding, fix=f"{finding.fix}\n{where}", edits=())
