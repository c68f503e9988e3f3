"""The compiler's API as type checkers see it. Checked by mypy and pyright strict, never run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, assert_type

import wfc


class Mine(wfc.Builder):
    """An integration, as docs/builders.md shows it."""

    def __init__(self, root: Path, *, dev: bool) -> None:
        super().__init__(dirs=["workflows"], working_dir=root, watch=dev)

    def get_input_files(self, project: wfc.Project) -> Sequence[wfc.InputFile]:
        return [f for f in super().get_input_files(project) if not f.path.endswith("_test.py")]

    def create_app(self, compilation: wfc.Compilation) -> Mapping[str, str]:
        assert_type(compilation.bundle.hash, str)
        assert_type(compilation.texts, Mapping[str, str])
        return {**super().create_app(compilation), "routes.json": "{}"}

    def rebuilt(self, rebuild: wfc.Rebuild) -> None:
        if isinstance(rebuild.result, wfc.ProjectError):
            return
        assert_type(rebuild.result, wfc.BuildResult)
        assert_type(rebuild.changed, frozenset[str])
        assert_type(rebuild.seconds, float)


def use() -> None:
    """One build, and a builder that watches."""
    result = wfc.build("project", dirs=["workflows"], write=False, cache=False)
    assert_type(result.ok, bool)
    assert_type(result.diagnostics, tuple[wfc.Diagnostic, ...])
    assert_type(result.manifest, Mapping[str, Any])
    assert_type(result.files, Mapping[str, str])
    assert_type(result.compilation, wfc.Compilation | None)
    for finding in result.diagnostics:
        assert_type(finding.severity is wfc.Severity.ERROR, bool)
        assert_type(finding.span, wfc.Span)
    with Mine(Path(), dev=True) as builder:
        assert_type(builder, Mine)
        assert_type(builder.build(), wfc.BuildResult)
    wfc.build(write="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
